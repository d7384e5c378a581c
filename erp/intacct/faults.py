"""Translate the gateway's errors: one table from its numbers and texts to our error classes and codes (reference
section 6).

The gateway reports several errors at once, the specific one first and a generic one last. The first one that the table
has decides. An error the table does not have becomes UNKNOWN_ERP_ERROR with all evidence, never a silent default.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from typing import Literal, NamedTuple

from lxml import etree

from erp.errors import (
    AuthenticationFailed,
    Duplicate,
    ErpError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
    UnknownRefusal,
)

Where = Literal["http", "control", "authentication", "function"]

DEFAULT_RETRY_AFTER = timedelta(seconds=10)
"""The gateway names no time; its queue clears within 5 to 30 seconds (section 6.4)."""


class Fault(NamedTuple):
    """One row of the table: `errorno`, `where` and `text` (a pattern, ignoring case) must all match; None matches
    anything."""

    errorno: str | None
    where: Where | None
    text: str | None
    family: type[ErpError]
    code: str
    tail: bool = False
    """True: a generic last error, which decides only if nothing more specific is reported."""
    on_write: type[ErpError] | None = None
    """The error class if the call was a write, where that differs."""


FAULTS: tuple[Fault, ...] = (
    # Texts first: the number in front of them varies or is shared.
    Fault(None, None, r"already been recorded", Duplicate, "ALREADY_SENT"),
    Fault(None, None, r"temporarily off-?line", Unavailable, "ERP_MAINTENANCE"),
    Fault(None, None, r"rate limit exceeded", Throttled, "ERP_THROTTLED"),
    Fault(None, None, r"try again later", Unavailable, "ERP_BUSY", on_write=OutcomeUnknown),
    Fault(None, None, r"web services authoriz?s?ation", AuthenticationFailed, "AUTH_SENDER_NOT_AUTHORISED"),
    Fault(None, "function", r"period(s|\(s\))? (is|are|has been|have been) closed|closed period", Rejected,
          "PERIOD_CLOSED"),
    Fault(None, "function", r"location ?(id)? is required", Rejected, "LOCATION_MISSING"),
    Fault(None, "function", r"required field.* is missing", Rejected, "REQUIRED_FIELD_MISSING"),
    Fault(None, "function", r"already paid", Rejected, "ALREADY_PAID"),
    Fault(None, "function", r"\breconciled\b", Rejected, "BILL_RECONCILED"),
    Fault(None, "function", r"can only be reversed", Rejected, "EDITS_NEED_REVERSALS_OFF"),
    Fault(None, "function", r"reversal (date|of unpaid bills)|(cannot|can't|can not|may not) be reversed", Rejected,
          "REVERSAL_REFUSED"),
    Fault(None, "function", r"delete policy|(cannot|can't|can not|may not) be deleted", Rejected,
          "DELETION_REFUSED"),
    Fault(None, "function", r"\bsubtotals?\b", Rejected, "CHARGES_NOT_TAKEN"),
    Fault(None, "function", r"multivisibility is not subscribed", Rejected, "MULTI_ENTITY_NOT_SUBSCRIBED"),
    Fault(None, "function", r"already (been )?(fully )?converted|(exceeds?|more than|greater than).*remain"
          r"|(cannot|can't|not) be converted", Rejected, "ALREADY_CONVERTED"),
    # Numbers.
    Fault("XL03000003", None, None, Rejected, "REQUEST_NOT_UNDERSTOOD"),
    Fault("XL03000006", "authentication", r"\b(location|entity|locationid)\b", AuthenticationFailed,
          "AUTH_ENTITY_NOT_ALLOWED"),
    Fault("XL03000006", "authentication", r"session", AuthenticationFailed, "AUTH_SESSION_REFUSED"),
    Fault("XL03000006", "authentication", None, AuthenticationFailed, "AUTH_BAD_CREDENTIALS"),
    Fault("XL03000006", "control", r"partner id", AuthenticationFailed, "AUTH_BAD_SENDER"),
    Fault("XL03000006", "control", r"policy", Rejected, "REQUEST_NOT_UNDERSTOOD"),
    Fault("XL03000006", "control", None, AuthenticationFailed, "AUTH_SENDER_NOT_AUTHORISED"),
    Fault("XL03000006", "function", None, Rejected, "FIELD_NOT_READABLE"),
    Fault("XL03000009", None, None, Rejected, "ROLLED_BACK", tail=True),
    Fault("XMLGW_JPP0002", None, None, AuthenticationFailed, "AUTH_BAD_SENDER"),
    Fault("UJPP0002", None, None, AuthenticationFailed, "AUTH_BAD_SENDER"),
    Fault("GW-0010", None, None, Throttled, "ERP_THROTTLED"),
    Fault("GW-0011", None, None, Rejected, "REQUEST_NOT_UNDERSTOOD"),
    Fault("invalidRequest", None, None, Rejected, "REQUEST_NOT_UNDERSTOOD"),
    Fault("PL04000005", None, None, AuthenticationFailed, "PERMISSION_DENIED"),
    Fault("PL04000055", None, None, AuthenticationFailed, "AUTH_COMPANY_EXPIRED"),
    Fault("PL03000006", None, None, Rejected, "DATE_REFUSED"),
    Fault("PL01000127", None, None, Rejected, "DOCUMENT_NUMBER_MISSING"),
    Fault("PL05000104", None, None, Duplicate, "ALREADY_EXISTS"),
    Fault("BL03000018", None, None, Rejected, "VALUE_REFUSED"),
    Fault("BL03002185", None, None, Duplicate, "ALREADY_EXISTS"),
    Fault("BL34000061", None, None, Duplicate, "ALREADY_EXISTS"),
    Fault("BL01001973", None, r"already exists", Duplicate, "ALREADY_EXISTS"),
    Fault("BL01001973", None, r"top level|entity level|root", Rejected, "TEMPLATE_NOT_AT_THIS_LEVEL"),
    Fault("BL01001973", None, None, Rejected, "RECORD_REFUSED", tail=True),
    Fault("BL03002128", None, None, Rejected, "BILL_NUMBER_REQUIRED"),
    Fault("BL03002101", None, None, Rejected, "LINE_COUNT_DIFFERS"),
    Fault("BL03002129", None, None, Rejected, "REQUEST_NOT_UNDERSTOOD"),
    Fault("BL03002028", None, None, Rejected, "NO_DATA"),
    Fault("DL02000001", None, None, Unavailable, "ERP_PROCESSING_ERROR", on_write=OutcomeUnknown),
    Fault("Query Failed", None, None, Rejected, "QUERY_REFUSED"),
    Fault(None, None, r"^invalid fields list", Rejected, "FIELD_NOT_READABLE"),
    Fault("GL-0493", None, None, Duplicate, "ALREADY_EXISTS"),
    Fault("GL-0504", None, None, Rejected, "ACCOUNT_REFUSED"),
    Fault("GL-0951", None, None, Rejected, "ACCOUNT_REFUSED"),
    Fault("GL-1009", None, None, Rejected, "ACCOUNT_REFUSED"),
    Fault("AR-0148", None, None, Rejected, "RECEIVABLE_REFUSED"),
    Fault("AR-0279", None, None, Rejected, "RECEIVABLE_REFUSED"),
)  # fmt: skip

_SUPPORT_ID = re.compile(r"\s*\[Support ID:[^\]]*\]\s*$", re.IGNORECASE)


class ErrorText(NamedTuple):
    """The texts of one `error` element; the bracketed Support ID is kept separately."""

    errorno: str
    said: str
    error_ids: tuple[str, ...] = ()
    support_id: str = ""


def read_errors(parent: etree._Element) -> list[ErrorText]:
    """Return all errors under an `errormessage` child of `parent`."""
    results = []
    for error in parent.iterfind("errormessage/error"):
        parts = []
        support = ""
        for name in ("description", "description2", "correction"):
            raw = unescape((error.findtext(name) or "").strip())
            match = _SUPPORT_ID.search(raw)
            if match:
                support, raw = match.group().strip(), raw[: match.start()]
            if raw:
                parts.append(raw)
        ids = tuple(node.text for node in error.iter("errorid") if node.text)
        results.append(ErrorText((error.findtext("errorno") or "").strip(), " ".join(parts), ids, support))
    return results


def find_fault(error: ErrorText, where: Where) -> Fault | None:
    """Return the table's row for one error. A machine-readable error id in its additional information counts as its
    number too."""
    numbers = (error.errorno, *error.error_ids)
    searched = f"{error.errorno} {error.said}".strip()
    for fault in FAULTS:
        if fault.errorno is not None and fault.errorno not in numbers:
            continue
        if fault.where is not None and fault.where != where:
            continue
        if fault.text is not None and not re.search(fault.text, searched, re.IGNORECASE | re.DOTALL):
            continue
        return fault
    return None


def to_error(errors: Sequence[ErrorText], where: Where, *, writing: bool) -> ErpError:
    """Return the one typed error for what the gateway reported."""
    judged = [(error, find_fault(error, where)) for error in errors]
    chosen = next((pair for pair in judged if pair[1] is None or not pair[1].tail), judged[0] if judged else None)
    # A known specific error takes precedence over an unknown one reported with it.
    chosen = next((pair for pair in judged if pair[1] is not None and not pair[1].tail), chosen)
    # Words that nobody knows do not prove that nothing was done.
    unknown = UnknownRefusal if writing else Rejected
    evidence: dict[str, str] = {"where": where}
    for number, error in enumerate(errors, start=1):
        evidence[f"error_{number}"] = " ".join(part for part in (error.errorno, error.said, error.support_id) if part)
    if chosen is None:
        return unknown("Intacct refused without saying why.", code="UNKNOWN_ERP_ERROR", evidence=evidence)
    error, fault = chosen
    message = f"Intacct: {error.said or error.errorno or 'no reason given'}"
    if fault is None:
        return unknown(message, code="UNKNOWN_ERP_ERROR", erp_code=error.errorno or None, evidence=evidence)
    family = fault.on_write if writing and fault.on_write else fault.family
    return family(
        message,
        code="OUTCOME_UNKNOWN" if family is OutcomeUnknown else fault.code,
        erp_code=error.errorno or None,
        retry_after=DEFAULT_RETRY_AFTER if family is Throttled else None,
        evidence=evidence,
    )
