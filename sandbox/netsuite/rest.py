"""What all REST paths of the pretend NetSuite have in common: how errors are written (reference 8)."""

import json

from sandbox.netsuite.company import Company
from sandbox.responses import Answer

PREFIX = "/services/rest/"
LOGIN_REFUSED = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles >"
    " User Management > View Login Audit Trail."
)
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def rest_error(company: Company, status: int, code: str, message: str, parameter: str = "") -> Answer:
    """Write an error as REST does; `parameter` is the query parameter that is to blame."""
    blame = {"o:errorQueryParam": parameter} if parameter else {}
    details = [{"detail": message, **blame, "o:errorCode": code}]
    body = {
        "type": _type(company.switches.word("rest_error_type"), status),
        "title": _TITLES[status],
        "status": status,
        "o:errorDetails": details,
    }
    return Answer(json.dumps(body), status, "application/vnd.oracle.resource+json; type=error")


def _type(spelling: str, status: int) -> str:
    """The page that explains the status: the RFC of today, or the one that older answers name."""
    if spelling == "rfc2616":
        section = f"4.{status - 399}" if status < 500 else f"5.{status - 499}"
        return f"https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.{section}"
    if status == 429:
        return "https://www.rfc-editor.org/rfc/rfc6585.html#section-4"
    section = f"5.{status - 399}" if status < 500 else f"6.{status - 499}"
    return f"https://www.rfc-editor.org/rfc/rfc9110.html#section-15.{section}"
