"""Say what each answer of the gateway means: one table over HTTP codes and broken shapes (reference 1.3, 6.3).

An answer is whole, or has one of the `Shape`s, or an HTTP status of `HTTP`, or holds the gateway's own errors, which
are the table of `faults.py`. For a write, only the gateway's own words say that nothing was done; an HTTP status or a
broken shape may come from a proxy, after the gateway has committed.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

from lxml import etree

from erp.errors import AuthenticationFailed, ErpError, MalformedAnswer, OutcomeUnknown, Throttled, Unavailable
from erp.intacct import faults, wire
from erp.intacct.wire import Result
from erp.transport import Answer, malformed


class Shape(StrEnum):
    """How an answer can break the protocol. After a write each of them leaves it in doubt; a read is repeated."""

    NOT_XML = "not XML"
    OTHER_XML = "not an answer of the gateway"
    NO_CONTROL_STATUS = "its control says neither success nor failure"
    NO_OPERATION = "it holds no operation"
    NO_SIGN_IN_STATUS = "it does not say whether signing in succeeded"
    OTHER_RESULTS = "it holds another number of results than functions were sent"
    NO_RESULT_STATUS = "a result says neither success nor failure"


class HttpStatus(NamedTuple):
    """What an HTTP status means that comes without the gateway's own words."""

    family: type[ErpError]
    code: str
    on_write: type[ErpError] = OutcomeUnknown


HTTP: dict[int, HttpStatus] = {
    401: HttpStatus(AuthenticationFailed, "AUTH_BAD_SENDER"),
    403: HttpStatus(Unavailable, "ENDPOINT_REFUSED"),
    404: HttpStatus(Unavailable, "ENDPOINT_REFUSED"),
    # The gateway counts calls before it reads them.
    429: HttpStatus(Throttled, "ERP_THROTTLED", on_write=Throttled),
}
OUTAGE = HttpStatus(Unavailable, "ERP_OUTAGE")
"""500 and above, whatever the body says."""
OTHER = HttpStatus(MalformedAnswer, "MALFORMED_ANSWER")
"""Every other status but 200."""


def read(answer: Answer, *, writing: bool) -> etree._Element:
    """Return the answer's root after checking that control and authentication succeeded (section 1.4).

    Raises:
        ErpError: an HTTP failure, a refused request or sign-in, or an answer that breaks the protocol.
    """
    root: etree._Element | None = None
    shape, problem = Shape.NOT_XML, ""
    try:
        root = wire.parse(answer.content)
    except (etree.XMLSyntaxError, ValueError) as error:
        problem = str(error)
    if root is not None and root.tag != "response":
        root, shape = None, Shape.OTHER_XML
    if answer.status_code != 200:
        raise _http_error(answer, root, writing=writing)
    if root is None:
        raise _broken(shape, answer, writing=writing, problem=problem)
    status = root.findtext("control/status")
    if status == "failure":
        raise faults.to_error(faults.read_errors(root), "control", writing=writing)
    if status != "success":
        raise _broken(Shape.NO_CONTROL_STATUS, answer, writing=writing)
    operation = root.find("operation")
    if operation is None:
        raise _broken(Shape.NO_OPERATION, answer, writing=writing)
    status = operation.findtext("authentication/status")
    if status == "failure":
        raise _sign_in_error(operation)
    if status != "success":
        raise _broken(Shape.NO_SIGN_IN_STATUS, answer, writing=writing)
    return root


def results(root: etree._Element, expected: int, *, writing: bool) -> list[Result]:
    """Return the results of an answer's functions in order; each may hold an error of its own.

    Raises:
        MalformedAnswer, OutcomeUnknown: the results break the protocol.
    """
    nodes = list(root.iterfind("operation/result"))
    if len(nodes) != expected:
        evidence = {"problem": Shape.OTHER_RESULTS.value}
        raise malformed(
            f"{expected} functions were answered by {len(nodes)} results.", writing=writing, evidence=evidence
        )
    return [_result(node, writing=writing) for node in nodes]


def _result(node: etree._Element, *, writing: bool) -> Result:
    status = node.findtext("status")
    errors = faults.read_errors(node)
    if status == "success":
        return Result(node.findtext("key"), node.find("data"), None)
    if status in ("failure", "aborted") or _is_repeat(errors):
        return Result(None, None, faults.to_error(errors, "function", writing=writing))
    evidence = {"problem": Shape.NO_RESULT_STATUS.value, "status": status or "none"}
    evidence |= {f"error_{number}": f"{error.errorno} {error.said}" for number, error in enumerate(errors, start=1)}
    raise malformed("Intacct's answer is not what its protocol says.", writing=writing, evidence=evidence)


def _is_repeat(errors: list[faults.ErrorText]) -> bool:
    """Return whether the gateway says that it has executed the function before: that result has been seen without a
    status (section 5)."""
    known = [faults.find_fault(error, "function") for error in errors]
    return any(fault is not None and fault.code == "ALREADY_SENT" for fault in known)


def _sign_in_error(operation: etree._Element) -> ErpError:
    error = faults.to_error(faults.read_errors(operation), "authentication", writing=False)
    if error.code != "UNKNOWN_ERP_ERROR":
        return error
    # Whatever the text says, signing in failed: an administrator must act, and work waits.
    return AuthenticationFailed(
        error.message, code="AUTH_BAD_CREDENTIALS", erp_code=error.erp_code, evidence=error.evidence
    )


def _broken(shape: Shape, answer: Answer, *, writing: bool, problem: str = "") -> ErpError:
    evidence = {
        "content_type": answer.headers.get("Content-Type", ""),
        "bytes": str(len(answer.content)),
        "problem": problem or shape.value,
    }
    return malformed("Intacct's answer is not what its protocol says.", writing=writing, evidence=evidence)


def _http_error(answer: Answer, root: etree._Element | None, *, writing: bool) -> ErpError:
    """Return the error of an HTTP failure: by the gateway's own words if it holds any, else by its status."""
    status = answer.status_code
    refused = root is not None and root.findtext("control/status") == "failure"
    errors = faults.read_errors(root) if root is not None and refused else []
    if errors and status != 429 and status < 500:
        return faults.to_error(errors, "http", writing=writing)
    meaning = OUTAGE if status >= 500 else HTTP.get(status, OTHER)
    family = meaning.on_write if writing else meaning.family
    doubt = "; it may have been done all the same" if family is OutcomeUnknown else ""
    return family(
        f"Intacct's address answered {'a write with ' if writing else ''}HTTP {status}{doubt}.",
        code="OUTCOME_UNKNOWN" if family is OutcomeUnknown else meaning.code,
        erp_code="GW-0010" if status == 429 else None,
        retry_after=_retry_after(answer) if family is Throttled else None,
        evidence={"http_status": str(status)},
    )


def _retry_after(answer: Answer) -> timedelta:
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdigit():
        return timedelta(seconds=int(said))
    if said:
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return faults.DEFAULT_RETRY_AFTER
        return max(until - datetime.now(UTC), timedelta(0))
    return faults.DEFAULT_RETRY_AFTER
