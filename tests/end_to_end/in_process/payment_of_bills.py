"""What the tests of one payment over several bills share, whatever the ERP."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient


async def three_bills(api: StackClient, company: SandboxCompany, *, received: bool = False) -> list[str]:
    """Return three bills of one vendor that the ERP holds, of 125.00 each; `received`: their goods came first."""
    for number in ("PO-1", "PO-2", "PO-3"):
        company.order(number, "10")
        if received:
            company.does("receive", number=number)
    await api.start()
    return [(await api.billed(number, {1: "10"}))["id"] for number in ("PO-1", "PO-2", "PO-3")]


async def paid_together(api: StackClient, shares: Mapping[str, str], **more: Any) -> str:
    """Schedule one payment of these bills for today; return its id."""
    body = {
        "bills": [{"bill_id": bill_id, "amount": amount} for bill_id, amount in shares.items()],
        "pay_on": today().isoformat(),
        **more,
    }
    answer = await api.post("/v1/payments", body)
    assert answer.status_code == 201, answer.text
    payment_id: str = answer.json()["payment"]["id"]
    return payment_id


async def voided(api: StackClient, payment_id: str) -> None:
    """Void a payment, and wait until the ERP has done it."""
    answer = await api.post(f"/v1/payments/{payment_id}/void", {"reason": "paid twice"})
    assert answer.status_code == 200, answer.text
    await api.payment_is(payment_id, "voided")


async def dues(api: StackClient, bill_ids: list[str]) -> list[Decimal]:
    """Return what is due on each bill here."""
    bills = [await api.read_bill(bill_id) for bill_id in bill_ids]
    return [Decimal(bill["total"]) - Decimal(bill["paid"]) for bill in bills]


def there(company: SandboxCompany) -> list[dict[str, Decimal]]:
    """Return the payments in the ERP's books: by bill, what each pays."""
    return [
        {share["bill_record_no"]: Decimal(share["amount"]) for share in payment["details"]}
        for payment in company.held("payments")
    ]
