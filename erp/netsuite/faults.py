"""Translate NetSuite's errors: one table from its codes and texts to our error classes and codes (reference section 6).

Errors come on three levels: HTTP itself, SOAP faults (the whole request was refused and nothing done), and the status
of each record in a good answer. An unknown code becomes UNKNOWN_ERP_ERROR with all evidence, never a silent default.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from erp.errors import (
    AuthenticationFailed,
    Duplicate,
    ErpError,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Stale,
    Throttled,
    Unavailable,
    UnknownRefusal,
)
from erp.netsuite import wire

RETRY_AFTER = timedelta(seconds=5)
"""NetSuite names no time; its concurrency limit has room as soon as another call ends (section 6.3)."""

LATER = timedelta(minutes=5)
"""The time to wait for what a NetSuite workflow or a heavy search delays."""


class Meaning(NamedTuple):
    """What one code means."""

    family: type[ErpError]
    code: str
    on_write: type[ErpError] | None = None
    """The error class if the call was a write, where that differs."""
    retry_after: timedelta = RETRY_AFTER
    """Used only for Throttled."""


_AWAY = Meaning(Unavailable, "ERP_PROCESSING_ERROR", OutcomeUnknown)
_BUSY = Meaning(Throttled, "ERP_THROTTLED")
_HEAVY = Meaning(Throttled, "ERP_BUSY", retry_after=LATER)
_TOKEN = Meaning(AuthenticationFailed, "AUTH_TOKEN_REFUSED")
_DENIED = Meaning(AuthenticationFailed, "PERMISSION_DENIED")
_OURS = Meaning(Rejected, "REQUEST_NOT_UNDERSTOOD")
_GONE = Meaning(NotFound, "RECORD_NOT_FOUND", Rejected)
_VALUE = Meaning(Rejected, "VALUE_REFUSED")
_EMPTY = Meaning(Rejected, "REQUIRED_FIELD_MISSING")
_EXISTS = Meaning(Duplicate, "ALREADY_EXISTS")
_PERIOD = Meaning(Rejected, "PERIOD_CLOSED")
_SUBSIDIARY = Meaning(Rejected, "VALUE_NOT_IN_ENTITY")
_LINKED = Meaning(Rejected, "LINKED_LINES_LOCKED")
_RECEIPT = Meaning(Rejected, "NOT_RECEIVED")
_ORDERED = Meaning(Rejected, "MORE_THAN_ORDERED")
_DELETION = Meaning(Rejected, "DELETION_REFUSED")
_RECONCILED = Meaning(Rejected, "BILL_RECONCILED")
_CHANGED = Meaning(Stale, "RECORD_CHANGED")
_LARGE = Meaning(Rejected, "TOO_LARGE")
_FEATURE = Meaning(AuthenticationFailed, "FEATURE_OFF")
_VERSION = Meaning(AuthenticationFailed, "ENDPOINT_VERSION_RETIRED")
_CURRENCY = Meaning(Rejected, "CURRENCY_REFUSED")
_RULE = Meaning(Rejected, "COMPANY_RULE_REFUSED")

TEXTS: Sequence[tuple[str, str, Meaning]] = (
    # If one code has many meanings, its text decides: USER_ERROR's catch-all, and the unexpected errors.
    ("USER_ERROR", r"invalid login attempt|ambiguous authentication", _TOKEN),
    ("USER_ERROR", r"please enter value\(?s?\)? for|missing (a )?required", _EMPTY),
    ("USER_ERROR", r"period.*(closed|locked)|(closed|locked).*period", _PERIOD),
    (
        "USER_ERROR",
        r"(not|nothing).*(been )?received|(exceed|more than|greater than).*received|in advance of receipt",
        _RECEIPT,
    ),
    ("USER_ERROR", r"(exceed|more than|greater than).*(order|remain|billed)|already (been )?(fully )?billed",
     Meaning(Rejected, "ALREADY_CONVERTED")),
    ("USER_ERROR", r"permission violation", _DENIED),
    ("USER_ERROR", r"invalid .* reference key", _VALUE),
    ("CANT_DELETE_TRANS", r"\breconciled\b", _RECONCILED),
    ("USER_ERROR", r"\breconciled\b", _RECONCILED),
    ("UNEXPECTED_ERROR", r"maintenance|currently unavailable|offline|off-line",
     Meaning(Unavailable, "ERP_MAINTENANCE")),
)  # fmt: skip

CODES: Mapping[str, Meaning] = {
    # signing in, rights, the endpoint itself
    "INVALID_LOGIN_CREDENTIALS": _TOKEN,
    "INVALID_LOGIN_ATTEMPT": _TOKEN,
    "INVALID_LOGIN": _TOKEN,
    "LOGIN_DISABLED": _TOKEN,
    "INVALID_ACCT": Meaning(AuthenticationFailed, "AUTH_BAD_CREDENTIALS"),
    "INVALID_ROLE": _DENIED,
    "ROLE_REQUIRED": _DENIED,
    "PSWD_REQD": _TOKEN,
    "EMAIL_ADDRS_REQD": _TOKEN,
    "WS_LOG_IN_REQD": _TOKEN,
    # Passports are per request, so there is no session to renew: the next attempt gets a new one anyway.
    "SESSION_TIMED_OUT": _AWAY,
    "INSUFFICIENT_PERMISSION": _DENIED,
    "WS_PERMISSION_REQD": _DENIED,
    "OI_PERMISSION_REQD": _DENIED,
    "WS_FEATURE_REQD": _FEATURE,
    "OI_FEATURE_REQD": _FEATURE,
    "FEATURE_DISABLED": _FEATURE,
    "FEATURE_UNAVAILABLE": _FEATURE,
    "INVALID_WS_VERSION": _VERSION,
    "UNSUPPORTED_WS_VERSION": _VERSION,
    # how much at once
    "WS_REQUEST_BLOCKED": _BUSY,
    "WS_CONCUR_SESSION_DISALLWD": _BUSY,
    "SSS_REQUEST_LIMIT_EXCEEDED": _BUSY,
    "CONCURRENCY_LIMIT_EXCEEDED": _BUSY,
    "EXCEEDED_MAX_CONCUR_RQST": _BUSY,
    "WS_EXCEEDED_CONCUR_USERS_ALLWD": _BUSY,
    "SEARCH_TIMED_OUT": _HEAVY,
    "ABORT_SEARCH_EXCEEDED_MAX_TIME": _HEAVY,
    "CONCUR_SEARCH_DISALLWD": _HEAVY,
    "MAX_RCRDS_EXCEEDED": _LARGE,
    "EXCEEDED_MAX_TRANS_LINES": _LARGE,
    "EXCEEDED_MAX_FIELD_LENGTH": _LARGE,
    "EXCEEDED_RQST_SIZE_LIMIT": _LARGE,
    # temporary problems of the server
    "UNEXPECTED_ERROR": _AWAY,
    "UNEXPECTED_FAILURE": _AWAY,
    "ACCT_TEMP_UNAVAILABLE": Meaning(Unavailable, "ERP_MAINTENANCE"),
    "SSS_USAGE_LIMIT_EXCEEDED": Meaning(Rejected, "COMPANY_SCRIPT_FAILED"),
    "SSS_TIME_LIMIT_EXCEEDED": Meaning(Rejected, "COMPANY_SCRIPT_FAILED"),
    # the life of a search result
    "INVALID_JOB_ID": Meaning(Stale, "SEARCH_EXPIRED"),
    "INVALID_SEARCH_MORE": Meaning(Stale, "SEARCH_EXPIRED"),
    "JOB_NOT_COMPLETE": _HEAVY,
    "INVALID_PAGE_INDEX": _OURS,
    "INVALID_SEARCH_PAGE_INDEX": _OURS,
    "INVALID_SEARCH_PAGE_SIZE": _OURS,
    "INVALID_SEARCH": _OURS,
    "INVALID_SEARCH_OPERATOR": _OURS,
    "INVALID_SEARCH_VALUE": _OURS,
    "INVALID_SEARCH_PREF": _OURS,
    # records and references
    "RCRD_DSNT_EXIST": _GONE,
    "NONEXISTENT_EXTERNAL_ID": _GONE,
    "ORDER_DSNT_EXIST": Meaning(NotFound, "ORDER_NOT_FOUND", Rejected),
    "RCRD_DELETED_SINCE_RETRIEVED": Meaning(Rejected, "DELETED_IN_ERP"),
    "DUP_RCRD": _EXISTS,
    "DUP_ITEM": _EXISTS,
    "DUP_ENTITY": _EXISTS,
    "DUP_VENDOR_NAME": _EXISTS,
    "DUP_TRANS": _EXISTS,
    "UNIQUE_CUST_ID_REQD": _EXISTS,
    "UNIQUE_RCRD_ID_REQD": _EXISTS,
    "EXTERNALID_REQD": _OURS,
    "EXTERNALID_NOT_SUPPORTED": _OURS,
    "INVALID_RCRD_TYPE": _OURS,
    "INVALID_RCRD_INITIALIZE": _OURS,
    "INVALID_KEY_OR_REF": _VALUE,
    "INVALID_REF_KEY": _VALUE,
    "INVALID_TRANS_ID": _VALUE,
    "INVALID_QTY": _VALUE,
    "INVALID_TRANS_SUB_ACCT": _SUBSIDIARY,
    "INVALID_TRANS_SUB_CLASS": _SUBSIDIARY,
    "INVALID_TRANS_SUB_DEPT": _SUBSIDIARY,
    "INVALID_TRANS_SUB_ENTITY": _SUBSIDIARY,
    "INVALID_TRANS_SUB_ITEM": _SUBSIDIARY,
    "INVALID_TRANS_SUB_LOC": _SUBSIDIARY,
    "MISMATCHED_CURRENCY": _CURRENCY,
    "INVALID_CURRENCY_CODE": _CURRENCY,
    "ACTIVE_AP_ACCT_REQD": Meaning(Rejected, "ACCOUNT_REFUSED"),
    # a write's own rules
    "INVALID_INITIALIZE_REF": _RECEIPT,
    "VALID_LINE_ITEM_REQD": _RECEIPT,
    "USER_ERROR": _RULE,
    "MISSING_REQD_FLD": _EMPTY,
    "QTY_REQD": _EMPTY,
    "NONZERO_QTY_REQD": _EMPTY,
    "POSITIVE_QTY_REQD": _EMPTY,
    "OVER_FULFILL_RECEIV_DISALLWD": _ORDERED,
    "OVERAGE_DISALLWD": _ORDERED,
    "CANT_UPDATE_LINKED_TRANS_LINES": _LINKED,
    "LINK_LINES_TO_ONE_ORD": Meaning(Rejected, "SEVERAL_SOURCES"),
    "CANT_DELETE_TRAN_LINE": _LINKED,
    "CANT_DELETE_TRANS": _DELETION,
    "CLOSED_TRAN_PRD": _PERIOD,
    "TRAN_PERIOD_CLOSED": _PERIOD,
    "TRAN_PRD_CLOSED": _PERIOD,
    "INVALID_ACCT_PRD": _PERIOD,
    # changed, or locked, meanwhile
    "RCRD_HAS_BEEN_CHANGED": _CHANGED,
    "CANT_UPDATE_RECRD_HAS_CHANGED": _CHANGED,
    "RCRD_LOCKED_BY_WF": Meaning(Throttled, "RECORD_LOCKED", retry_after=LATER),
}

LOGIN_FAULTS = ("invalidCredentialsFault",)
SIZE_FAULTS = ("exceededRequestSizeFault", "exceededRecordCountFault")
USAGE_FAULTS = ("exceededUsageLimitFault",)
"""Faults whose code may be the catch-all; the fault's own name says what they are (section 6.1)."""

_BY_FAULT: Mapping[str, Meaning] = (
    dict.fromkeys(LOGIN_FAULTS, _TOKEN) | dict.fromkeys(SIZE_FAULTS, _LARGE) | dict.fromkeys(USAGE_FAULTS, _HEAVY)
)

_PASSING = re.compile(
    r"connection pool|database offline|cache unavailable|concurrentmodification|nullpointer|session invalidation",
    re.IGNORECASE,
)
"""Words of a temporary problem inside NetSuite, which come under any code (section 6.1)."""


def meaning(code: str, message: str, fault: str = "") -> Meaning | None:
    """Return the table's row for a code, its text and the fault it came in; None: the code is unknown."""
    for known, pattern, said in TEXTS:
        if code == known and re.search(pattern, message, re.IGNORECASE | re.DOTALL):
            return said
    if fault in _BY_FAULT:
        return _BY_FAULT[fault]
    if _PASSING.search(message):
        return _AWAY
    return CODES.get(code)


def to_error(code: str, message: str, *, writing: bool, fault: str = "", also: Sequence[wire.Detail] = ()) -> ErpError:
    """Return the typed error for one code."""
    evidence = {"erp_code": code, "said": message}
    if fault:
        evidence["fault"] = fault
    for number, detail in enumerate(also, start=1):
        evidence[f"also_{number}"] = f"{detail.type} {detail.code} {detail.message}".strip()
    shown = f"NetSuite: {message or code or 'no reason given'}"
    result = meaning(code, message, fault)
    if result is None:
        # Words that nobody knows do not prove that nothing was done.
        unknown = UnknownRefusal if writing else Rejected
        return unknown(shown, code="UNKNOWN_ERP_ERROR", erp_code=code or None, evidence=evidence)
    family = result.on_write if writing and result.on_write else result.family
    return family(
        shown,
        code="OUTCOME_UNKNOWN" if family is OutcomeUnknown else result.code,
        erp_code=code or None,
        retry_after=result.retry_after if family is Throttled else None,
        evidence=evidence,
    )


def refusal(status: wire.Status, *, writing: bool) -> ErpError:
    """Return the error of an operation that did not succeed: its first real error, with the others as evidence."""
    errors = [detail for detail in status.details if detail.type == "ERROR" and (detail.code or detail.message)]
    known = [detail for detail in errors if meaning(detail.code, detail.message) is not None]
    chosen = next(iter((*known, *errors)), None)
    if chosen is None:
        unknown = UnknownRefusal if writing else Rejected
        return unknown(
            "NetSuite refused without saying why.",
            code="UNKNOWN_ERP_ERROR",
            evidence={f"also_{number}": str(detail) for number, detail in enumerate(status.details, start=1)},
        )
    others = [detail for detail in status.details if detail is not chosen]
    return to_error(chosen.code, chosen.message, writing=writing, also=others)
