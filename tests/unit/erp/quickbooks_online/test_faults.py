"""Faults in all their shapes (reference 2.7, 4, 7)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from erp.errors import (
    AuthenticationFailed,
    ErpError,
    MalformedAnswer,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
    UnknownRefusal,
)
from erp.quickbooks_online import faults
from erp.registry import issue_code
from models.domain.connections import Erp
from models.domain.ids import ErpId
from tests.unit.erp.quickbooks_online.service import Service, fault, throttle, token_refused


def error_of(response: httpx.Response, *, writing: bool = False) -> ErpError:
    with pytest.raises(ErpError) as caught:
        faults.evaluate(response.status_code, response.headers, response.content, writing=writing)
    return caught.value


GATEWAY = (
    b'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE"><Error code="006002">'
    b"<Message>message=GatewayTimeout; errorCode=006002; statusCode=504</Message></Error></Fault></IntuitResponse>"
)
WITHOUT_CODE = (
    b'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE"><Error>'
    b"<Message>message=ThrottleExceeded; errorCode=003001; statusCode=403</Message></Error></Fault></IntuitResponse>"
)


@pytest.mark.parametrize(
    ("response", "writing", "family", "code"),
    [
        (throttle(429), True, Throttled, "ERP_THROTTLED"),
        (throttle(403), True, Throttled, "ERP_THROTTLED"),
        (httpx.Response(403, content=WITHOUT_CODE), False, Throttled, "ERP_THROTTLED"),
        (fault("3001", "ThrottleExceeded", status=429), False, Throttled, "ERP_THROTTLED"),
        (fault("3005", "QuotaExceeded", status=429), False, Throttled, "ERP_THROTTLED"),
        (fault("3100", "ApplicationAuthorizationFailed", status=403), False, AuthenticationFailed, "WRONG_COMPANY"),
        (token_refused(), False, AuthenticationFailed, "AUTH_TOKEN_REFUSED"),
        (httpx.Response(504, content=GATEWAY), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(504, content=GATEWAY), False, Unavailable, "ERP_NO_ANSWER"),
        (fault("610", "Object Not Found", status=200), False, NotFound, "RECORD_NOT_FOUND"),
        (fault("610", "Object Not Found", status=200), True, Rejected, "RECORD_NOT_FOUND"),
        (fault("500", "Unsupported Operation", status=200), True, Rejected, "REQUEST_NOT_UNDERSTOOD"),
        (fault("6190", "Subscription"), False, AuthenticationFailed, "SUBSCRIPTION_ENDED"),
        (fault("77777", "Something new"), True, UnknownRefusal, "UNKNOWN_ERP_ERROR"),
        (fault("77777", "Something new"), False, Rejected, "UNKNOWN_ERP_ERROR"),
        (httpx.Response(400, content=b"<html/>"), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(403, content=b"<html/>"), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(401), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(200, content=b""), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (fault("77777", "Something new", status=500), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(200, content=b"<html>hello</html>"), False, MalformedAnswer, "MALFORMED_ANSWER"),
        (httpx.Response(200, content=b"<html>hello</html>"), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(200, content=b'{"Bill": {"Id": "1"'), True, OutcomeUnknown, "OUTCOME_UNKNOWN"),
        (httpx.Response(200, content=b"[1]"), False, MalformedAnswer, "MALFORMED_ANSWER"),
        (httpx.Response(503, content=b"<html/>"), False, Unavailable, "ERP_OUTAGE"),
        (httpx.Response(403, content=b"<html/>"), False, Unavailable, "ENDPOINT_REFUSED"),
        (httpx.Response(401), False, AuthenticationFailed, "AUTH_TOKEN_REFUSED"),
    ],
)
def test_every_shape(response: httpx.Response, writing: bool, family: type[ErpError], code: str) -> None:
    """By the code, never by the status alone; and inside HTTP 200 too."""
    error = error_of(response, writing=writing)
    assert (type(error), error.code) == (family, code)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("", 60), ("7", 7), ("999999", 3600), ("Thu, 01 Jan 1970 00:00:00 GMT", 1), ("soon", 60), ("-5", 60)],
)
def test_when_to_come_back(said: str, expected: int) -> None:
    """As the answer says, in seconds or as a date, within reason; else after a minute."""
    assert faults.retry_after({"retry-after": said}) == timedelta(seconds=expected)


def test_the_known_error_counts_and_the_others_are_evidence() -> None:
    """Several errors in one fault."""
    errors = [{"Message": "odd", "Detail": "", "code": "99"}, {"Message": "Stale", "Detail": "d", "code": "5010"}]
    error = error_of(httpx.Response(400, json={"Fault": {"Error": errors, "type": "ValidationFault"}}))
    assert (error.code, error.erp_code) == ("RECORD_CHANGED", "5010")
    assert error.evidence["also_1"].startswith("99 odd")


@pytest.mark.parametrize("code", sorted({meaning.code for meaning in faults.CODES.values()}))
def test_every_code_has_its_words(code: str) -> None:
    """What a person reads, and can follow."""
    row = issue_code(code, Erp.QUICKBOOKS_ONLINE)
    assert row.code == code
    assert row.title != issue_code("UNKNOWN_ERP_ERROR").title or code == "UNKNOWN_ERP_ERROR"
    assert row.fix


DETAIL = {"Message": "Object Not Found", "Detail": "d", "code": "610", "element": ""}
KNOWN = {"Error": [DETAIL], "type": "ValidationFault"}
LOWER = {"error": [{"message": "m", "detail": "d", "code": "610", "element": None}], "type": "VALIDATION"}

SHAPES = [KNOWN, LOWER, {"Error": DETAIL}, [KNOWN], {"Error": [DETAIL, None, "more"]}]
"""What a fault with a code may look like."""

WORDLESS = [{}, [], "", "Something is wrong", {"Error": []}, {"Error": {}}, {"Error": None}, {"type": "SystemFault"},
            {"Error": "text"}, {"Error": ["text", 7]}, {"Error": [None]}, {"Error": [{"code": None}]}, 7]  # fmt: skip
"""Faults that say nothing, or nothing in the usual form."""

PLACES: dict[str, Callable[[str, Any], Any]] = {
    "top": lambda name, fault: {name: fault, "time": "2026-03-02T08:15:22.131-08:00"},
    "query": lambda name, fault: {"QueryResponse": {name: fault}},
    "in place of a record": lambda name, fault: {"QueryResponse": {"Bill": [{"Id": "1"}, {name: fault}]}},
    "in the record": lambda name, fault: {"Bill": {"Id": "1", name: fault}},
    "capture": lambda name, fault: {"CDCResponse": [{"QueryResponse": [{"Bill": [{"Id": "1"}]}, {name: fault}]}]},
    "beside a capture": lambda name, fault: {"CDCResponse": [{name: fault}]},
    "batch": lambda name, fault: {"BatchItemResponse": [{"bId": "1", "Bill": {"Id": "1"}}, {"bId": "2", name: fault}]},
    "query of a batch": lambda name, fault: {"batchItemResponse": [{"bId": "1", "queryResponse": {name: fault}}]},
    "upload": lambda name, fault: {"AttachableResponse": [{name: fault}]},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["Fault", "fault"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_fault_is_one_wherever_it_stands(place: str, name: str, status: int) -> None:
    """Issue 11: faults in all their shapes, inside HTTP 200 too; none of them is a success."""
    for shape in SHAPES:
        error = error_of(httpx.Response(status, json=PLACES[place](name, shape)))
        assert (type(error), error.code) == (NotFound, "RECORD_NOT_FOUND"), shape
    for shape in WORDLESS:
        body = PLACES[place](name, shape)
        assert type(error_of(httpx.Response(status, json=body))) is Rejected, shape
        assert type(error_of(httpx.Response(status, json=body), writing=True)) is UnknownRefusal, shape


def test_what_is_no_fault() -> None:
    """An answer of nulls, and a record's own field of that name deeper inside."""
    for body in ({"fault": None, "QueryResponse": {}}, {"QueryResponse": {"Bill": [{"Line": [{"Fault": {}}]}]}}):
        response = httpx.Response(200, json=body)
        assert faults.evaluate(200, response.headers, response.content, writing=False) == body


@pytest.mark.parametrize(
    "body",
    [{}, {"QueryResponse": None}, {"QueryResponse": []}, {"QueryResponse": "none"}, {"QueryResponse": {"Bill": None}},
     {"QueryResponse": {"Bill": ["1"]}}, {"QueryResponse": {"Bill": "none"}}, {"Bill": []}],
)  # fmt: skip
async def test_an_answer_that_does_not_say_what_was_found(body: dict[str, Any]) -> None:
    """It is not the same as nothing found: a bill that was looked up in vain would be sent again."""
    service = Service()
    service.answer_first("/query", lambda _: httpx.Response(200, json=body))
    with pytest.raises(MalformedAnswer):
        await service.connector().orders.read(ErpId("190"))


@pytest.mark.parametrize("path", ["/companyinfo", "/preferences"])
@pytest.mark.parametrize("body", [{}, {"QueryResponse": {}}, {"CompanyInfo": None, "Preferences": "x"}])
async def test_a_company_that_does_not_say_who_it_is(path: str, body: dict[str, Any]) -> None:
    """The check of a connection is no success then."""
    service = Service()
    service.answer_first(path, lambda _: httpx.Response(200, json=body))
    with pytest.raises(MalformedAnswer):
        await service.connector().check()


@pytest.mark.parametrize("body", [{}, {"Bill": {}}, {"Bill": {"Id": "201"}}, {"Bill": []}])
async def test_a_deletion_counts_when_it_is_said(body: dict[str, Any]) -> None:
    """3.5: the answer says `Deleted`; without it nobody knows."""
    service = Service()
    service.answer_first("operation=delete", lambda _: httpx.Response(200, json=body))
    with pytest.raises(OutcomeUnknown):
        await service.connector().order_sink._writer.delete("Bill", "201", "0", request_id="r")
