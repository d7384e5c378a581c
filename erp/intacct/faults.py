"""What the gateway's errors mean: one table from its numbers and texts to our families and codes (reference section 6).

The gateway reports several errors at once, the specific one first and a generic tail last. The first one the table
knows decides; one it does not know becomes UNKNOWN_ERP_ERROR with all evidence, never a silent default.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Literal, NamedTuple

import httpx
from lxml import etree

from erp.errors import (
    AuthenticationFailed,
    Duplicate,
    ErpError,
    MalformedAnswer,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
)

Where = Literal["http", "control", "authentication", "function"]

DEFAULT_RETRY_AFTER = timedelta(seconds=10)
"""The gateway names no time; its queue clears within 5 to 30 s (section 6.4)."""


class Fault(NamedTuple):
    """One row: `errorno`, `where` and `text` (a pattern, ignoring case) must all fit; None fits anything."""

    errorno: str | None
    where: Where | None
    text: str | None
    family: type[ErpError]
    code: str
    tail: bool = False
    """A generic last error: it decides only when nothing more specific is said."""
    on_write: type[ErpError] | None = None
    """The family when the call was a write, where that differs."""


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
    """One `error` element in words; the bracketed Support ID is kept apart."""

    errorno: str
    said: str
    error_ids: tuple[str, ...] = ()
    support_id: str = ""


def read_errors(parent: etree._Element) -> list[ErrorText]:
    """All errors under an `errormessage` child of `parent`."""
    found = []
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
        found.append(ErrorText((error.findtext("errorno") or "").strip(), " ".join(parts), ids, support))
    return found


def find_fault(error: ErrorText, where: Where) -> Fault | None:
    """The table's row for one error; a machine-readable error id of its additional info counts as its number too."""
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
    """The one typed error that stands for what the gateway reported."""
    judged = [(error, find_fault(error, where)) for error in errors]
    chosen = next((pair for pair in judged if pair[1] is None or not pair[1].tail), judged[0] if judged else None)
    # A known specific error beats an unknown one reported beside it.
    chosen = next((pair for pair in judged if pair[1] is not None and not pair[1].tail), chosen)
    evidence: dict[str, str] = {"where": where}
    for number, error in enumerate(errors, start=1):
        evidence[f"error_{number}"] = " ".join(part for part in (error.errorno, error.said, error.support_id) if part)
    if chosen is None:
        return Rejected("Intacct refused without saying why.", code="UNKNOWN_ERP_ERROR", evidence=evidence)
    error, fault = chosen
    message = f"Intacct: {error.said or error.errorno or 'no reason given'}"
    if fault is None:
        return Rejected(message, code="UNKNOWN_ERP_ERROR", erp_code=error.errorno or None, evidence=evidence)
    family = fault.on_write if writing and fault.on_write else fault.family
    return family(
        message,
        code="OUTCOME_UNKNOWN" if family is OutcomeUnknown else fault.code,
        erp_code=error.errorno or None,
        retry_after=DEFAULT_RETRY_AFTER if family is Throttled else None,
        evidence=evidence,
    )


def transport_error(error: httpx.HTTPError | TimeoutError, *, writing: bool) -> ErpError:
    """A call that got no answer. Only a connection that was never made is certain to have written nothing."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Unavailable(f"Intacct cannot be reached ({type(error).__name__}).", code="ERP_UNREACHABLE")
    if writing:
        return OutcomeUnknown(
            f"The answer to a write was lost ({type(error).__name__}); Intacct may have done it.",
            code="OUTCOME_UNKNOWN",
        )
    return Unavailable(f"Intacct did not answer ({type(error).__name__}).", code="ERP_NO_ANSWER")


def http_error(response: httpx.Response, root: etree._Element | None, *, writing: bool) -> ErpError:
    """An HTTP failure, by its XML body where it has one and else by its status (section 6.3)."""
    status = response.status_code
    evidence = {"http_status": str(status)}
    if status == 429:
        return Throttled(
            "Intacct asks for fewer calls.",
            code="ERP_THROTTLED",
            erp_code="GW-0010",
            retry_after=_retry_after(response),
            evidence=evidence,
        )
    if status >= 500:
        if writing:
            return OutcomeUnknown(
                f"Intacct answered a write with HTTP {status}; it may have done it all the same.",
                code="OUTCOME_UNKNOWN",
                evidence=evidence,
            )
        return Unavailable(f"Intacct answered HTTP {status}.", code="ERP_OUTAGE", evidence=evidence)
    errors = read_errors(root) if root is not None else []
    if errors:
        return to_error(errors, "http", writing=writing)
    if status == 401:
        return AuthenticationFailed("Intacct refused to sign in (HTTP 401).", code="AUTH_BAD_SENDER", evidence=evidence)
    if status in (403, 404):
        return Unavailable(f"The address answered HTTP {status}.", code="ENDPOINT_REFUSED", evidence=evidence)
    if status == 400:
        return Rejected("Intacct did not understand the request.", code="REQUEST_NOT_UNDERSTOOD", evidence=evidence)
    return malformed(f"The address answered HTTP {status}.", writing=writing, evidence=evidence)


def malformed(message: str, *, writing: bool, evidence: dict[str, str] | None = None) -> ErpError:
    """An answer that breaks the protocol; after a write nothing is known of the outcome."""
    if writing:
        return OutcomeUnknown(f"{message} The write may have been done.", code="OUTCOME_UNKNOWN", evidence=evidence)
    return MalformedAnswer(message, code="MALFORMED_ANSWER", evidence=evidence)


def _retry_after(response: httpx.Response) -> timedelta:
    said = response.headers.get("Retry-After", "").strip()
    if said.isdigit():
        return timedelta(seconds=int(said))
    if said:
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return DEFAULT_RETRY_AFTER
        return max(until - datetime.now(UTC), timedelta(0))
    return DEFAULT_RETRY_AFTER
