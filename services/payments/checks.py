"""Whether a requested payment can be made, and if not, why."""

from datetime import date, timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus, Origin
from models.domain.payments import PaymentMethod
from models.store.base.today import today_in
from models.store.payables import payments
from models.tables import ConnectionRow
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
    paid_outside: bool = False
    """The money went out already, on `pay_on`; the ERP only records it."""
    reference: str | None = None
    external_id: str | None = None


def check_day(pay_on: date, *, time_zone: str | None, paid_outside: bool = False) -> None:
    """Check the day of a payment: one that is to be made is made today or later, one that was made is not to come.

    Raises:
        Refused: PAY_ON_IS_PAST or PAID_OUTSIDE_IN_FUTURE.
    """
    today = today_in(time_zone)
    if paid_outside:
        if pay_on > (today + SOMEWHERE if time_zone is None else today):
            raise Refused("PAID_OUTSIDE_IN_FUTURE", f"{pay_on} is to come: what was paid already was paid by {today}.")
    elif pay_on < (today - SOMEWHERE if time_zone is None else today):
        raise Refused("PAY_ON_IS_PAST", f"{pay_on} is past: a payment made here goes out today, {today}, or later.")


def check_reference(connection: ConnectionRow, reference: str | None) -> None:
    """Check that the ERP has room for the number that people gave a payment.

    Raises:
        Refused: REFERENCE_TOO_LONG.
    """
    longest = connection.capabilities.get("longest_payment_reference")
    if reference is not None and longest is not None and len(reference) > longest:
        raise Refused(
            "REFERENCE_TOO_LONG", f"{connection.erp} takes {longest} characters of a payment's number: {reference!r}."
        )


def check_payment(bill: payments.BillToPay, asked: RequestedPayment, *, time_zone: str | None) -> None:
    """Check that this payment of a bill entered here can be made.

    Raises:
        Refused: The payment cannot be made.
    """
    if bill.origin is Origin.ERP:
        raise Refused(
            "BILL_NOT_PAYABLE",
            "The bill was made in the ERP.",
            ["Pay it with POST /v1/payments, which pays bills that the ERP holds, or in the ERP."],
        )
    check_day(asked.pay_on, time_zone=time_zone, paid_outside=asked.paid_outside)
    check_bill(bill, asked)


def check_bill(bill: payments.BillToPay, asked: RequestedPayment, *, credited: Decimal = Decimal(0)) -> None:
    """Check that as much can be paid of a bill, and credited with it.

    Raises:
        Refused: The payment cannot be made.
    """
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
    if asked.amount < 0 or not asked.amount + credited:
        raise Refused("INVALID_AMOUNT", f"A payment of {asked.amount} pays nothing.")
    if asked.amount + credited > bill.open:
        raise Refused(
            "OVERPAYMENT",
            f"{asked.amount + credited} is more than the {bill.open} still open: total {bill.total}, paid {bill.paid}, "
            f"in payments and credits under way {bill.promised}.",
            [
                f"Lower the amount to {bill.open - credited}."
                if credited < bill.open
                else f"Lower what credits give to less than {bill.open}: that is for money and credits together."
            ],
        )
