"""Refusals of the pretend QuickBooks Online (reference 7): a code, what it says, and the HTTP status it comes with."""

from typing import Literal

FaultType = Literal["ValidationFault", "SystemFault", "AuthenticationFault", "AuthorizationFault", "ServiceFault"]
STATUS: dict[FaultType, int] = {
    "ValidationFault": 400,
    "SystemFault": 500,
    "AuthenticationFault": 401,
    "AuthorizationFault": 403,
    "ServiceFault": 503,
}


class Refused(Exception):
    """One request, or one item of a batch, that is not done. `status` 0 means the one that goes with the type."""

    def __init__(
        self,
        code: str,
        message: str,
        detail: str = "",
        *,
        element: str = "",
        fault: FaultType = "ValidationFault",
        status: int = 0,
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail or message
        self.element = element
        self.fault = fault
        self.status = status or STATUS[fault]


class BadRow(Exception):
    """A row of the neutral format that this company cannot take."""


def missing(name: str) -> Refused:
    """A parameter that must be given is not."""
    return Refused(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        element=name,
    )


def invalid_reference(table: str, identifier: str, element: str = "") -> Refused:
    """A reference names nothing."""
    return Refused(
        "2500",
        "Invalid Reference Id",
        f"Invalid Reference Id : {table} element id {identifier} not found",
        element=element,
    )


def inactive() -> Refused:
    """A reference names something that was made inactive."""
    return Refused(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts,"
        " customers, items, vendors or employees.",
    )


def not_found() -> Refused:
    """No such record, or not any more."""
    return Refused(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts,"
        " customers, items, vendors or employees.",
    )


def stale() -> Refused:
    """Somebody changed the record meanwhile."""
    return Refused(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and Ann Lee were working on this at the same time. Ann Lee finished before you did,"
        " so your work was not saved.",
    )


def unsupported(operation: str) -> Refused:
    """An operation that the entity does not have."""
    return Refused("500", "Unsupported Operation", f"Operation {operation} is not supported.", status=400)


def business(detail: str, code: str = "6000", message: str = "A business validation error has occurred") -> Refused:
    """A rule of bookkeeping."""
    return Refused(code, message, f"Business Validation Error: {detail}")


def cannot_link(detail: str) -> Refused:
    """A document cannot be tied to another."""
    return Refused("620", "Transaction cannot be linked", detail)
