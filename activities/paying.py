"""Whether a requested payment can be made, and if not, what the caller is told."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.domain import BillStatus, Origin
from models.store import payments


class RequestedPayment(BaseModel):
    """The stored body of a `POST /v1/bills/{id}/payments`."""

    model_config = ConfigDict(extra="ignore")

    amount: Decimal
    pay_on: date
    method: str | None = None
    bank_account: str | None = None


def payment_refused(
    bill: payments.BillToPay, asked: RequestedPayment, bank_account: str | None
) -> dict[str, Any] | None:
    """Why this payment cannot be made, as a problem the API answers with; None when it can."""
    if bill.origin is Origin.ERP:
        return {
            "code": "BILL_IS_PAID_IN_ERP",
            "detail": "This bill was made in the ERP, so it is paid there.",
            "fix": ["pay it in the ERP; the payment comes back with the next sync"],
            "who": "accountant",
        }
    if bill.status in (BillStatus.DELETED, BillStatus.ABANDONED, BillStatus.PAID):
        return {
            "code": "BILL_NOT_PAYABLE",
            "detail": f"This bill is {bill.status.value.replace('_', ' ')}.",
            "fix": ["look at the bill's events to see what happened to it"],
            "who": "accountant",
        }
    if bank_account is None:
        return {
            "code": "BANK_ACCOUNT_MISSING",
            "detail": "Neither the payment nor the connection's preferences name a bank account.",
            "fix": ["send bank_account", "or set the preference bank_account of the connection"],
            "who": "administrator",
        }
    if asked.amount <= 0:
        return {
            "code": "INVALID_AMOUNT",
            "detail": f"A payment of {asked.amount} pays nothing.",
            "fix": ["send an amount above zero"],
            "who": "accountant",
        }
    if asked.amount > bill.open:
        return {
            "code": "OVERPAYMENT",
            "detail": f"{asked.amount} is more than the {bill.open} still open: total {bill.total}, paid {bill.paid}, "
            f"in payments under way {bill.promised}.",
            "fix": [f"lower the amount to {bill.open}"],
            "who": "accountant",
        }
    return None
