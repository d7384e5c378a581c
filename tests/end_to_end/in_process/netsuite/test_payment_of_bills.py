"""One payment over several bills of a vendor, on NetSuite (S4-25, S5-40): one record there; all its bills follow."""

from decimal import Decimal

from tests.end_to_end.in_process.payment_of_bills import (
    a_hundred_bills_in_one_payment,
    dues,
    paid_together,
    there,
    three_bills,
)
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


async def test_one_payment_pays_three_bills_one_in_part(api: StackClient, company: SandboxCompany) -> None:
    """S4-25, S5-40, S5-38: also when its answer is lost; each bill is paid by its share."""
    bills = await three_bills(api, company, received=True)
    company.breaks("lost_answer", "add", object="vendorPayment")
    shares = dict(zip(bills, ("125.00", "125.00", "25.00"), strict=True))
    payment = await paid_together(api, shares, reference="CHK-77")
    shown = await api.payment_is(payment, "paid")
    assert company.fired("lost_answer") == 1
    assert (Decimal(shown["amount"]), shown["reference"]) == (275, "CHK-77")
    payables = [(await api.read_bill(bill))["payable_id"] for bill in bills]
    assert there(company) == [dict(zip(payables, (125, 125, 25), strict=True))]
    await api.sync()
    assert await dues(api, bills) == [0, 0, 100]
    for bill, status in zip(bills, ("paid", "paid", "partially_paid"), strict=True):
        await api.bill_is(bill, status)
    assert len(await api.items("/v1/payments")) == 1


async def test_a_hundred_bills_are_one_write(api: StackClient, company: SandboxCompany) -> None:
    """S4-25, S5-40: one write, at most 60 events of the payment's own workflow."""
    await a_hundred_bills_in_one_payment(api, company, write="add")
