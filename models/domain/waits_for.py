"""Say what the next step of a bill or payment waits for, in one word that operators search by."""

from enum import StrEnum

from models.domain.bills import BillStatus
from models.domain.payments import PaymentStatus


class WaitsFor(StrEnum):
    """Who or what the next step of a workflow waits for."""

    PERSON = "person"
    ERP = "erp"
    PAYMENT = "payment"
    """A bill in the ERP, or one that goes out with its first payment: a payment of it."""
    DATE = "date"
    """A payment: the day on which it goes out."""


def bill_waits_for(status: BillStatus, issue_code: str | None) -> WaitsFor | None:
    """Return what a bill's workflow waits for."""
    if status in (BillStatus.PENDING_PUSH, BillStatus.RETRACTING) and issue_code is None:
        return WaitsFor.ERP
    if status is BillStatus.AWAITING_PAYMENT and issue_code is None:
        return WaitsFor.PAYMENT
    if issue_code is not None or status.is_before_erp:
        return WaitsFor.PERSON
    return WaitsFor.PAYMENT if status.is_payable else None


def payment_waits_for(status: PaymentStatus, issue_code: str | None) -> WaitsFor | None:
    """Return what a payment's workflow waits for."""
    if issue_code is not None or status is PaymentStatus.SYNC_ISSUE:
        return WaitsFor.PERSON
    if status is PaymentStatus.SCHEDULED:
        return WaitsFor.DATE
    return WaitsFor.ERP if status in (PaymentStatus.SUBMITTED, PaymentStatus.VOIDING) else None
