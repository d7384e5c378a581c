"""Whether a requested payment can be made, and if not, why."""

from datetime import date, timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus, Origin
from models.domain.payments import PaymentMethod
from models.store.base.today import today_in
from models.store.payables import payments
from services.refusal import Refused

SOMEWHERE = timedelta(days=1)
"""How long before today in UTC a payment's day may be while nobody gave the time zone: somewhere it is today."""


class RequestedPayment(BaseModel):
    """The body of a `POST /v1/bills/{id}/payments`."""

    model_config = ConfigDict(extra="ignore")

    amount: Decimal
    pay_on: date
    method: PaymentMethod | None = None
    """None: by card from a card account, else the ERP's electronic transfer."""
    bank_account: str | None = None


def check_payment(bill: payments.BillToPay, asked: RequestedPayment, *, time_zone: str | None) -> None:
    """Check that this payment of the bill can be made.

    Raises:
        Refused: The payment cannot be made.
    """
    if bill.origin is Origin.ERP:
        raise Refused("BILL_NOT_PAYABLE", "The bill was made in the ERP and is paid there.")
    if bill.status.is_closed:
        raise Refused(
            "BILL_NOT_PAYABLE",
            f"The bill is {bill.status.value.replace('_', ' ')}: nothing is open on it.",
            ["Look at the bill's payments and events to see what happened to it."],
        )
    if bill.status in (BillStatus.RETRACTING, BillStatus.DISPUTED, BillStatus.DRAFT):
        raise Refused(
            "BILL_NOT_PAYABLE",
            f"The bill is {bill.status.value}: nothing is paid on it.",
            ["Restore the bill once it is settled, or put it on an order; then schedule the payment."],
        )
    if bill.rejected_in_erp:
        raise Refused("BILL_REJECTED_IN_ERP", "The bill was rejected in the ERP and bills nothing there.")
    if bill.approval not in (ApprovalState.NOT_REQUIRED, ApprovalState.APPROVED):
        raise Refused("BILL_NOT_APPROVED", f"The approval of the bill is {bill.approval.value}.")
    today = today_in(time_zone)
    if asked.pay_on < (today - SOMEWHERE if time_zone is None else today):
        raise Refused(
            "PAY_ON_IS_PAST", f"{asked.pay_on} is past: a payment made here goes out today, {today}, or later."
        )
    if asked.amount <= 0:
        raise Refused("INVALID_AMOUNT", f"A payment of {asked.amount} pays nothing.")
    if asked.amount > bill.open:
        raise Refused(
            "OVERPAYMENT",
            f"{asked.amount} is more than the {bill.open} still open: total {bill.total}, paid {bill.paid}, "
            f"in payments under way {bill.promised}.",
            [f"Lower the amount to {bill.open}."],
        )
