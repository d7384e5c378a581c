"""Translate QuickBooks' status codes: one table to our error classes and codes (reference 5).

A number of 1000 or more is a refusal even with severity Info. An unknown number becomes UNKNOWN_ERP_ERROR with all its
words, never a silent default.
"""

from collections.abc import Mapping
from typing import NamedTuple

from erp.errors import (
    AuthenticationFailed,
    Duplicate,
    ErpError,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Stale,
    Unavailable,
    UnknownRefusal,
)
from erp.quickbooks_desktop.envelope import RefusedWhole, Response


class Meaning(NamedTuple):
    """What one number means."""

    family: type[ErpError]
    code: str


_OURS = Meaning(Rejected, "REQUEST_NOT_UNDERSTOOD")
_VALUE = Meaning(Rejected, "VALUE_REFUSED")
_FEATURE = Meaning(Rejected, "FEATURE_OFF")
_PERMISSION = Meaning(Rejected, "PERMISSION_DENIED")
_LOCKED = Meaning(Unavailable, "RECORD_LOCKED_IN_ERP")
_AWAY = Meaning(Unavailable, "ERP_PROCESSING_ERROR")
_REFERENCE = Meaning(Rejected, "REFERENCE_REFUSED")
_PERIOD = Meaning(Rejected, "PERIOD_CLOSED")

CODES: Mapping[int, Meaning] = {
    # QuickBooks could not, now
    1000: _AWAY,
    1010: _AWAY,
    3240: _AWAY,
    3175: _LOCKED,
    3176: _LOCKED,
    3180: _LOCKED,
    # requests that broke the protocol
    **dict.fromkeys((1030, 1060, 3010, 3020, 3030, 3031, 3150), _OURS),
    **dict.fromkeys(range(9100, 9200), _OURS),
    # values
    **dict.fromkeys((3040, 3045, 3050, 3060, 3070, 3210), _VALUE),
    # records
    3000: _REFERENCE,
    3120: _REFERENCE,
    3130: _REFERENCE,
    3140: _REFERENCE,
    3100: Meaning(Duplicate, "ALREADY_EXISTS"),
    500: Meaning(NotFound, "RECORD_NOT_FOUND"),
    3160: Meaning(Rejected, "COMPANY_RULE_REFUSED"),
    3170: Meaning(Stale, "RECORD_CHANGED"),
    3200: Meaning(Stale, "RECORD_CHANGED"),
    # rules
    3161: _PERIOD,
    3171: _PERIOD,
    3220: _PERMISSION,
    3260: _PERMISSION,
    3261: _PERMISSION,
    3263: Meaning(Rejected, "APPLICATION_READ_ONLY"),
    3250: _FEATURE,
    3262: _FEATURE,
    3264: _FEATURE,
    3270: Meaning(Rejected, "ACCOUNT_REFUSED"),
    # the order of requests
    3231: Meaning(Unavailable, "ERP_PROCESSING_ERROR"),
    3391: Meaning(Unavailable, "ERP_PROCESSING_ERROR"),
}
"""By QuickBooks' number."""

NAME_TOO_LONG = 9004

SETS: Mapping[int, str] = {
    9001: "The document differs from the one that was sent under its name before.",
    NAME_TOO_LONG: "The name of its message set is too long.",
    9005: "QuickBooks could not keep the outcome of the message set.",
}
"""What a message set's own code says went wrong. 600 and 9002 are no errors: nothing is stored under the name."""

NOTHING_STORED = (600, 9002)
"""Codes of a message set that was asked for and is not there."""

LINK_LEFT_OUT = (530, 570)
"""Warnings of a bill that was made without its link to the order."""

GONE = (500, 3000, 3120, 3231)
"""Numbers of the deletion of a document that is not there; 3231 where the question in front of it found nothing."""

READ_ONLY = 3263
"""Number of any write of an application that may only read."""

SWITCHED_OFF = 3250
"""Number of a request about something that is switched off in this company, or that its edition lacks. It does not say
that there are no records of it: they are there again when it is switched on."""

SAYS_WHAT_IS_THERE = (0, 1, 500)
"""Numbers of an answer to a question by ids that says which records there are: all, none, some."""

STALE = (3170, 3200)
"""Numbers of an edit that is based on an older state of its record."""


def error_of(response: Response, *, write: bool) -> ErpError:
    """Return the error for an answer that is none."""
    meaning = CODES.get(response.status)
    evidence = {"request": response.name, "severity": response.severity, "message": response.message}
    words = response.message.strip() or f"QuickBooks answered {response.name} with {response.status}."
    if meaning is None:
        family: type[ErpError] = UnknownRefusal if write else Rejected
        return family(words, code="UNKNOWN_ERP_ERROR", erp_code=str(response.status), evidence=evidence)
    family = meaning.family
    if meaning is _PERMISSION and not write:
        family = AuthenticationFailed  # reading waits for an administrator, and then goes on by itself
    return family(words, code=meaning.code, erp_code=str(response.status), evidence=evidence)


def error_of_set(status: int) -> ErpError:
    """Return the error for the code of a message set. Only of a name that it does not take QuickBooks certainly did
    nothing; that the document differs says that it did the one before, so its record is looked up."""
    words = SETS.get(status, f"QuickBooks answered the message set with {status}.")
    family: type[ErpError] = Rejected if status == NAME_TOO_LONG else OutcomeUnknown
    return family(words, code="MESSAGE_SET_REFUSED", erp_code=str(status))


def error_of_document(refused: RefusedWhole) -> ErpError:
    """Return the error for a document that QuickBooks did not take at all: it did nothing of it."""
    return Rejected(
        refused.message or "QuickBooks could not read the request.",
        code="REQUEST_NOT_UNDERSTOOD",
        erp_code=refused.hresult,
    )
