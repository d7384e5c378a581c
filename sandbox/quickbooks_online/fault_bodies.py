"""Faults as they travel (reference 2.7, 4, 7): JSON in two casings, and XML from the gateway."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from sandbox.quickbooks_online.errors import Refused
from sandbox.quickbooks_online.values import Json, answered_at
from sandbox.quickbooks_online.wire_out import written
from sandbox.responses import Answer
from sandbox.switches import Switches

JSON_TYPE = "application/json;charset=UTF-8"
_NULLS: Json = {
    "report": None,
    "queryResponse": None,
    "batchItemResponse": [],
    "attachableResponse": [],
    "syncErrorResponse": None,
    "requestId": None,
}
_WAIT_SECONDS = 60


def fault_json(refused: Refused) -> Json:
    """The Fault member of an answer."""
    error = {"Message": refused.message, "Detail": refused.detail, "code": refused.code, "element": refused.element}
    return {"Error": [error], "type": refused.fault}


def fault_answer(refused: Refused, moment: datetime) -> Answer:
    """An ordinary fault."""
    body = {"Fault": fault_json(refused), "time": answered_at(moment)}
    return Answer(written(body), refused.status, JSON_TYPE)


def sign_in_answer(switches: Switches, moment: datetime, code: str, detail: str) -> Answer:
    """401 or 403 of the sign-in: other keys than ordinary faults have (reference 2.7)."""
    status, name, kind = {
        "3200": (401, "AuthenticationFailed", "AUTHENTICATION"),
        "3201": (401, "AuthorizationFailure", "AUTHORIZATION"),
        "3100": (403, "ApplicationAuthorizationFailed", "AUTHORIZATION"),
    }[code]
    message = f"message={name}; errorCode={int(code):06d}; statusCode={status}"
    headers = {"WWW-Authenticate": 'Bearer realm="Intuit", error="invalid_token"'} if status == 401 else {}
    if switches.word("sign_in_fault") == "pascal_case":
        error = {"Message": message, "Detail": detail, "code": code, "element": ""}
        body: Json = {"Fault": {"Error": [error], "type": kind}, "time": answered_at(moment)}
    else:
        lower = {"message": message, "detail": detail, "code": code, "element": None}
        body = {"warnings": None, "intuitObject": None, "fault": {"error": [lower], "type": kind}, **_NULLS}
        body |= {"time": int(moment.timestamp() * 1000), "status": None, "cdcresponse": []}
    return Answer(written(body), status, JSON_TYPE, headers)


def gateway_xml(moment: datetime, code: str, status: int, name: str, detail: str) -> Answer:
    """A fault of the gateway: XML, whatever was asked for."""
    text = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse time="{answered_at(moment)}" xmlns="http://schema.intuit.com/finance/v3">'
        f'<Fault type="SERVICE"><Error code="{int(code)}"><Message>message={name}; errorCode={int(code):06d};'
        f" statusCode={status}</Message><Detail>{escape(detail)}</Detail></Error></Fault></IntuitResponse>"
    )
    return Answer(text, status, "application/xml;charset=UTF-8")


def throttled(switches: Switches, moment: datetime, form: str = "", code: str = "3001") -> Answer:
    """Too many calls, in the form of the switch or the one named."""
    form = form or switches.word("throttle_answer")
    status = 403 if form.endswith("403") else 429
    name = "ThrottleExceeded" if code == "3001" else "QuotaExceeded"
    detail = "The request limit was reached. Try again later."
    if form.startswith("json"):
        message = f"message={name}; errorCode={int(code):06d}; statusCode={status}"
        refused = Refused(code, message, detail, fault="ServiceFault", status=status)
        answer = fault_answer(refused, moment)
    else:
        answer = gateway_xml(moment, code, status, name, detail)
    return answer._replace(headers=_retry_after(switches, moment))


def quota_used_up(switches: Switches, moment: datetime) -> Answer:
    """The month's reads are used up (reference 4)."""
    word = switches.word("quota_answer")
    if word == "own_code":
        return throttled(switches, moment, "json_429", "3005")
    return throttled(switches, moment, f"xml_{word[-3:]}")


def _retry_after(switches: Switches, moment: datetime) -> Mapping[str, str]:
    word = switches.word("retry_after")
    if word == "seconds":
        return {"Retry-After": str(_WAIT_SECONDS)}
    if word == "http_date":
        later = datetime.fromtimestamp(moment.timestamp() + _WAIT_SECONDS, moment.tzinfo)
        return {"Retry-After": format_datetime(later, usegmt=True)}
    return {}


def token_error(error: str, status: int, description: str = "") -> Answer:
    """A refusal of the token endpoint (reference 2.4)."""
    body: dict[str, Any] = {"error": error}
    if description:
        body["error_description"] = description
    return Answer(written(body), status, JSON_TYPE)
