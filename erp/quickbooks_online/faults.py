"""Translate QuickBooks' faults: one table from its codes to our error classes and codes (reference 2.7, 4 and 7).

A fault comes as JSON in two casings, as XML from the gateway, inside HTTP 200, or not at all behind an HTML page. Its
code decides, never the HTTP status alone: 403 is the wrong company or too many calls. An unknown code becomes
UNKNOWN_ERP_ERROR with all evidence, never a silent default.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
from lxml import etree

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
from erp.quickbooks_online import wire
from erp.quickbooks_online.wire import Entity
from erp.transport import malformed

RETRY_AFTER = timedelta(seconds=60)
"""How long the whole company waits after a throttle, unless the answer says otherwise (section 4)."""

LONGEST_RETRY_AFTER = timedelta(hours=1)


class Fault(NamedTuple):
    """One error of a fault. `element` names the field it is about, often empty."""

    code: str
    message: str
    detail: str
    element: str
    type: str


class Meaning(NamedTuple):
    """What one code means."""

    family: type[ErpError]
    code: str
    on_write: type[ErpError] | None = None
    """The error class if the call was a write, where that differs."""


_TOKEN = Meaning(AuthenticationFailed, "AUTH_TOKEN_REFUSED")
_OURS = Meaning(Rejected, "REQUEST_NOT_UNDERSTOOD")
_VALUE = Meaning(Rejected, "VALUE_REFUSED")
_EMPTY = Meaning(Rejected, "REQUIRED_FIELD_MISSING")
_RULE = Meaning(Rejected, "COMPANY_RULE_REFUSED")
_FAILED = Meaning(Unavailable, "ERP_PROCESSING_ERROR", OutcomeUnknown)
_MAINTENANCE = Meaning(Unavailable, "ERP_MAINTENANCE")
_ACCOUNT = Meaning(Rejected, "ACCOUNT_REFUSED")
_PERIOD = Meaning(Rejected, "PERIOD_CLOSED")
_FEATURE = Meaning(AuthenticationFailed, "FEATURE_OFF", Rejected)
_EXISTS = Meaning(Duplicate, "ALREADY_EXISTS")
_NAME = Meaning(Rejected, "ALREADY_EXISTS")
_LOCKED = Meaning(Rejected, "RECORD_LOCKED_IN_ERP")

CODES: Mapping[str, Meaning] = {
    # signing in
    "3200": _TOKEN,
    "3201": _TOKEN,
    "100": _TOKEN,
    "110": _TOKEN,
    "3100": Meaning(AuthenticationFailed, "WRONG_COMPANY"),
    "120": Meaning(AuthenticationFailed, "PERMISSION_DENIED"),
    "5020": Meaning(AuthenticationFailed, "PERMISSION_DENIED"),
    "140": Meaning(AuthenticationFailed, "COMPANY_LOCKED"),
    "6190": Meaning(AuthenticationFailed, "SUBSCRIPTION_ENDED"),
    "10200": Meaning(AuthenticationFailed, "COMPANY_REPLACED"),
    "5030": _FEATURE,
    # too many calls, or away
    "3001": Meaning(Throttled, "ERP_THROTTLED"),
    "6002": Meaning(Unavailable, "ERP_NO_ANSWER", OutcomeUnknown),
    "130": _MAINTENANCE,
    "150": _MAINTENANCE,
    "1000": _FAILED,
    "1010": _FAILED,
    "1020": _FAILED,
    "4002": _FAILED,
    "10000": _FAILED,
    # records
    "610": Meaning(NotFound, "RECORD_NOT_FOUND", Rejected),
    "600": Meaning(Duplicate, "ALREADY_SENT"),
    "630": _EXISTS,
    "6140": _EXISTS,
    "6150": _NAME,
    "6240": _NAME,
    "5010": Meaning(Stale, "RECORD_CHANGED"),
    "620": Meaning(Rejected, "LINK_REFUSED"),
    # requests that broke the protocol
    **dict.fromkeys(
        ("500", "1040", "1050", "2000", "2010", "2030", "2130", "2600", "3000", "4000", "4001", "5000", "10100"), _OURS
    ),
    # values
    **dict.fromkeys(("2020", "2060", "2250", "3202", "6080", "6440", "6520"), _EMPTY),
    **dict.fromkeys(
        (
            "700", "2040", "2050", "2070", "2080", "2090", "2110", "2120", "2140", "2160", "2170", "2190", "2290",
            "2300", "2500", "6070", "6100", "6180", "6250", "6270",
        ),
        _VALUE,
    ),
    # rules
    "6010": _ACCOUNT,
    "6430": _ACCOUNT,
    "6200": _PERIOD,
    "6210": _PERIOD,
    "6000": _RULE,
    "800": _LOCKED,
    "6220": _RULE,
    "6450": _LOCKED,
    "6480": _LOCKED,
    "6540": _LOCKED,
    **dict.fromkeys(("6030", "6040", "6041", "6050"), _OURS),
}  # fmt: skip

TOKEN_CODES = frozenset(code for code, meaning in CODES.items() if meaning is _TOKEN)

_IN_MESSAGE = re.compile(r"errorCode=(\d+)")

_HOLDER = re.compile(r"DocNumber=(?P<number>.+?) is assigned to TxnType=(?P<type>[A-Za-z ]+?) with TxnId=(?P<id>\d+)")


class Holder(NamedTuple):
    """The document that has a number already, as the detail of fault 6140 names it."""

    type: str
    id: str


def holder(error: ErpError) -> Holder | None:
    """Return which document holds the number of a refused one; None: the detail does not say."""
    match = _HOLDER.search(error.evidence.get("detail", ""))
    return None if match is None else Holder(match["type"].replace(" ", ""), match["id"])


def of_json(value: Any) -> list[Fault]:
    """Return the errors of a JSON answer, wherever in it they are; none: it is no fault.

    A fault stands at the top, in a part of an answer (a query's, a batch's, a change data capture's) or in place of a
    record, in either casing, and may be empty: whatever calls itself a fault is one.
    """
    return [fault for one in _faults_in(value, _DEEPEST, in_part=True) for fault in _of_one(one)]


_DEEPEST = 12
"""More levels than an answer has down to its records."""

_NAMES = ("Fault", "fault")

_PARTS = frozenset(
    form
    for name in ("QueryResponse", "CDCResponse", "BatchItemResponse", "AttachableResponse")
    for form in (name, name.casefold(), name[0].casefold() + name[1:])
)
"""The parts of answers that hold other parts, or records, as either casing writes them."""


def _faults_in(value: Any, levels: int, *, in_part: bool) -> Iterator[Any]:
    """Yield the values of all faults in an answer: it looks into the parts and at each record, not into records."""
    if not levels:
        return
    if isinstance(value, list):
        for one in value:
            yield from _faults_in(one, levels - 1, in_part=in_part)
    elif isinstance(value, Mapping):
        yield from (value[name] for name in _NAMES if value.get(name) is not None)
        if in_part:
            for name, inner in value.items():
                if name not in _NAMES:
                    yield from _faults_in(inner, levels - 1, in_part=name in _PARTS)


def _of_one(fault: Any) -> Iterator[Fault]:
    """Yield the errors of one fault, at least one: errors come as a list, as one object, or as mere text."""
    if isinstance(fault, list):
        for one in fault or [{}]:
            yield from _of_one(one)
        return
    if not isinstance(fault, Mapping):
        yield _coded(Fault("", str(fault), "", "", ""))
        return
    kind = str(fault.get("type") or "")
    errors = fault.get("Error") or fault.get("error") or [{}]
    for error in errors if isinstance(errors, list) else [errors]:
        yield _fault(error if isinstance(error, Mapping) else {"message": error}, kind)


def _fault(error: Entity, kind: str) -> Fault:
    said = {name.casefold(): str(value or "") for name, value in error.items()}
    return _coded(
        Fault(
            said.get("code", ""), said.get("message", ""), said.get("detail", ""), said.get("element", ""), kind
        )
    )  # fmt: skip


def of_xml(content: bytes) -> list[Fault]:
    """Return the errors of an XML answer; none: it is no fault of QuickBooks, or no XML at all."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if etree.QName(root).localname != "IntuitResponse":
        return []
    faults: list[Fault] = []
    for fault in root.iter("{*}Fault"):
        for error in fault.iter("{*}Error"):
            said = {etree.QName(one).localname: "".join(one.itertext()) for one in error}
            faults.append(
                _coded(
                    Fault(
                        error.get("code") or said.get("Code", ""),
                        said.get("Message", "").strip(),
                        said.get("Detail", "").strip(),
                        error.get("element") or "",
                        fault.get("type") or "",
                    )
                )
            )
    return faults


def _coded(fault: Fault) -> Fault:
    """Return the fault with its code without leading zeros, taken from the message if it has none of its own."""
    code = fault.code
    if not code and (match := _IN_MESSAGE.search(fault.message)):
        code = match.group(1)
    return fault._replace(code=code.lstrip("0") or code)


def to_error(faults: list[Fault], *, writing: bool, status: int, headers: Mapping[str, str] | None = None) -> ErpError:
    """Return the typed error of an answer's faults: the first one that the table knows, the others as evidence."""
    chosen = next((fault for fault in faults if fault.code in CODES), faults[0])
    evidence = {"erp_code": chosen.code, "said": chosen.message, "http_status": str(status)}
    evidence |= {
        name: value
        for name, value in (("detail", chosen.detail), ("element", chosen.element), ("type", chosen.type))
        if value
    }
    if headers and headers.get("intuit_tid"):
        evidence["intuit_tid"] = headers["intuit_tid"]
    others = [fault for fault in faults if fault is not chosen]
    evidence |= {f"also_{number}": f"{one.code} {one.message} {one.detail}" for number, one in enumerate(others, 1)}
    shown = f"QuickBooks: {chosen.detail or chosen.message or chosen.code or 'no reason given'}"
    meaning = CODES.get(chosen.code)
    if meaning is None:
        if status >= 500:
            return outage(status, writing=writing)
        if status == 429:
            meaning = CODES["3001"]
        elif status == 401 or chosen.type.casefold().startswith("authentication"):
            meaning = _TOKEN
        else:
            unknown = UnknownRefusal if writing else Rejected
            return unknown(shown, code="UNKNOWN_ERP_ERROR", erp_code=chosen.code or None, evidence=evidence)
    family = meaning.on_write if writing and meaning.on_write else meaning.family
    return family(
        shown,
        code="OUTCOME_UNKNOWN" if family is OutcomeUnknown else meaning.code,
        erp_code=chosen.code or None,
        retry_after=retry_after(headers) if family is Throttled else None,
        evidence=evidence,
    )


def http_error(status: int, *, writing: bool, headers: Mapping[str, str] | None = None) -> ErpError:
    """Return the error of an HTTP failure without a fault: a proxy, a load balancer, or an outage."""
    evidence = {"http_status": str(status)}
    if status == 429:
        return Throttled(
            "QuickBooks asks for fewer calls.",
            code="ERP_THROTTLED",
            retry_after=retry_after(headers),
            evidence=evidence,
        )
    if status >= 500:
        return outage(status, writing=writing)
    if writing:
        # Only QuickBooks' own words say that nothing was done; a status may come from a proxy, after it was.
        return malformed(f"The address answered HTTP {status}.", writing=True, evidence=evidence)
    if status == 401:
        return AuthenticationFailed(
            "QuickBooks refused the access token (HTTP 401).", code="AUTH_TOKEN_REFUSED", evidence=evidence
        )
    if status in (403, 404):
        return Unavailable(f"The address answered HTTP {status}.", code="ENDPOINT_REFUSED", evidence=evidence)
    return malformed(f"The address answered HTTP {status}.", writing=writing, evidence=evidence)


def outage(status: int, *, writing: bool) -> ErpError:
    """Return the error of an answer with an HTTP status of 500 or above and no further information."""
    evidence = {"http_status": str(status)}
    if writing:
        return OutcomeUnknown(
            f"QuickBooks answered a write with HTTP {status}; it may have done it all the same.",
            code="OUTCOME_UNKNOWN",
            evidence=evidence,
        )
    return Unavailable(f"QuickBooks answered HTTP {status}.", code="ERP_OUTAGE", evidence=evidence)


def retry_after(headers: Mapping[str, str] | None) -> timedelta:
    """Return when to call again: as the answer says in seconds or as a date, else after a minute."""
    said = (headers or {}).get("retry-after", "").strip()
    if said.isdecimal():
        return min(timedelta(seconds=int(said[:6])), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return RETRY_AFTER
    left = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(max(left, timedelta(seconds=1)), LONGEST_RETRY_AFTER)


class Body(NamedTuple):
    """What an answer holds: its JSON value if it is JSON, and its errors, whatever shape they have."""

    value: Any
    faults: list[Fault]
    problem: str


def read_body(content: bytes) -> Body:
    """Read an answer's body by its first character: JSON, the gateway's XML, or neither."""
    start = content.lstrip()[:1]
    if start == b"<":
        return Body(None, of_xml(content), "not JSON")
    try:
        value = wire.parse(content)
    except ValueError as error:
        return Body(None, [], str(error))
    return Body(value, of_json(value), "not an answer of QuickBooks")


def evaluate(status: int, headers: httpx.Headers, content: bytes, *, writing: bool) -> Entity:
    """Return a good answer's JSON object.

    Raises:
        ErpError: a fault, an HTTP failure, or an answer that breaks the protocol.
    """
    body = read_body(content)
    if body.faults:
        raise to_error(body.faults, writing=writing, status=status, headers=headers)
    if status != 200:
        raise http_error(status, writing=writing, headers=headers)
    if not isinstance(body.value, Mapping):
        evidence = {
            "content_type": headers.get("content-type", ""),
            "bytes": str(len(content)),
            "problem": body.problem,
        }
        raise malformed("QuickBooks' answer is not what its protocol says.", writing=writing, evidence=evidence)
    return body.value
