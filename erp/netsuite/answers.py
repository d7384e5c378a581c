"""Say what each answer of SuiteTalk means: one table over HTTP codes and broken shapes (reference 3.2, 6.1).

An answer is whole, or has one of the `Shape`s, or an HTTP status of `HTTP`, or holds NetSuite's own errors, which are
the table of `faults.py`. For a write, only NetSuite's own words say that nothing was done; an HTTP status or a broken
shape may come from a proxy, after NetSuite has committed.
"""

from enum import StrEnum
from typing import NamedTuple

from lxml import etree

from erp.errors import (
    AuthenticationFailed,
    ErpError,
    MalformedAnswer,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
)
from erp.netsuite import faults, wire
from erp.transport import Answer, malformed


class Shape(StrEnum):
    """How an answer can break the protocol. After a write each of them leaves it in doubt; a read is repeated."""

    NOT_XML = "not XML"
    OTHER_XML = "not an answer of SuiteTalk"
    OTHER_OPERATION = "not the answer to what was sent"
    FAULT_WITHOUT_DETAIL = "a fault without its detail"
    NO_STATUS = "it says neither success nor failure"
    NO_ID = "it does not name the record"


class HttpStatus(NamedTuple):
    """What an HTTP status means that comes without a SOAP fault."""

    family: type[ErpError]
    code: str
    on_write: type[ErpError] = OutcomeUnknown


HTTP: dict[int, HttpStatus] = {
    401: HttpStatus(AuthenticationFailed, "AUTH_TOKEN_REFUSED"),
    403: HttpStatus(Unavailable, "ENDPOINT_REFUSED"),
    404: HttpStatus(Unavailable, "ENDPOINT_REFUSED"),
    # NetSuite counts calls before it reads them.
    429: HttpStatus(Throttled, "ERP_THROTTLED", on_write=Throttled),
}
OUTAGE = HttpStatus(Unavailable, "ERP_OUTAGE")
"""500 and above. NetSuite's SOAP faults come with 500 too, and are read before."""
OTHER = HttpStatus(MalformedAnswer, "MALFORMED_ANSWER")
"""Every other status but 200."""


def read(response: Answer, expected: str, *, writing: bool) -> etree._Element:
    """Return the answer's own element. A SOAP fault is an error whatever the HTTP status (section 3.2).

    Raises:
        ErpError: a SOAP fault, an HTTP failure, or an answer that breaks the protocol.
    """
    body: etree._Element | None = None
    shape, problem = Shape.NOT_XML, ""
    try:
        root = wire.parse(response.content)
    except (etree.XMLSyntaxError, ValueError) as error:
        problem = str(error)
    else:
        body = wire.child(root, "Body") if wire.local(root.tag) == "Envelope" else None
        shape = Shape.OTHER_XML if body is None else Shape.OTHER_OPERATION
    fault = wire.child(body, "Fault") if body is not None else None
    if fault is not None:
        raise fault_error(fault, writing=writing)
    if response.status_code != 200:
        raise _http_error(response.status_code, writing=writing)
    answer = wire.child(body, expected) if body is not None else None
    if answer is None:
        evidence = {
            "content_type": response.headers.get("Content-Type", ""),
            "bytes": str(len(response.content)),
            "problem": problem or shape.value,
        }
        raise malformed("NetSuite's answer is not what its protocol says.", writing=writing, evidence=evidence)
    return answer


def written(answer: etree._Element) -> etree._Element:
    """Return the response of a write that NetSuite has done.

    Raises:
        ErpError: NetSuite refused the write.
        OutcomeUnknown: the response does not say whether it was done.
    """
    response = wire.child(answer, "writeResponse")
    status = None if response is None else wire.status(response)
    if response is None or status is None:
        raise _broken("A write was answered without its status.", Shape.NO_STATUS)
    if not status.success:
        raise faults.refusal(status, writing=True)
    # A script that failed after saving is reported as a detail of a success: the record exists, so all is well.
    return response


def name_of(response: etree._Element) -> str:
    """Return the internal id of the record that a write made.

    Raises:
        OutcomeUnknown: the response does not name it.
    """
    reference = wire.child(response, "baseRef")
    internal_id = reference.get("internalId") if reference is not None else None
    if not internal_id:
        raise _broken("NetSuite accepted the record without naming it.", Shape.NO_ID)
    return internal_id


def fault_error(fault: etree._Element, *, writing: bool) -> ErpError:
    """Return the error of a SOAP fault: by the name of its detail, then by code and message below it (section 6.1)."""
    said = wire.child(fault, "faultstring")
    message = (said.text if said is not None else None) or ""
    detail = wire.child(fault, "detail")
    inner = next((element for element in detail), None) if detail is not None else None
    if inner is None:
        # Nothing says that the request was refused before it was done.
        return _broken(
            f"NetSuite answered a fault without its detail: {message}", Shape.FAULT_WITHOUT_DETAIL, writing=writing
        )
    if wire.local(inner.tag) == "hostname":
        # Axis answered before NetSuite did; only a request it could not read is certain to have done nothing.
        if message.startswith("org.xml.sax."):
            return Rejected(
                f"NetSuite could not read the request: {message}",
                code="REQUEST_NOT_UNDERSTOOD",
                evidence={"said": message},
            )
        return _broken(
            f"NetSuite answered a fault without its detail: {message}", Shape.FAULT_WITHOUT_DETAIL, writing=writing
        )
    shown = wire.fields(inner)
    return faults.to_error(
        wire.text(shown, "code") or "",
        wire.text(shown, "message") or message,
        writing=writing,
        fault=wire.local(inner.tag),
    )


def _broken(message: str, shape: Shape, *, writing: bool = True) -> ErpError:
    return malformed(message, writing=writing, evidence={"problem": shape.value})


def _http_error(status: int, *, writing: bool) -> ErpError:
    """Return the error of an HTTP failure without a SOAP fault: a proxy, a load balancer, or an outage."""
    meaning = OUTAGE if status >= 500 else HTTP.get(status, OTHER)
    family = meaning.on_write if writing else meaning.family
    doubt = "; it may have been done all the same" if family is OutcomeUnknown else ""
    return family(
        f"NetSuite's address answered {'a write with ' if writing else ''}HTTP {status}{doubt}.",
        code="OUTCOME_UNKNOWN" if family is OutcomeUnknown else meaning.code,
        retry_after=faults.RETRY_AFTER if family is Throttled else None,
        evidence={"http_status": str(status)},
    )
