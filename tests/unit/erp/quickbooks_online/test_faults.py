"""Faults in all their shapes (reference 2.7, 4, 7)."""

from datetime import timedelta

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
from tests.unit.erp.quickbooks_online.service import fault, throttle, token_refused


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
