"""Credits inside a payment, on Intacct: details of the payment beside its money, free again with its void."""

from decimal import Decimal

from tests.end_to_end.in_process.payment_of_bills import (
    a_credit_in_a_payment_comes_back_with_its_void,
    a_credit_in_a_payment_is_reserved_until_it_is_sent,
    a_credit_that_a_planned_payment_takes_is_not_deleted,
    paid_together,
    the_credit,
    three_bills,
)
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


async def bills_and_credit(api: StackClient, company: SandboxCompany) -> tuple[list[str], str]:
    """Return three bills of 125.00, and a credit of 40.00 that somebody typed into Intacct."""
    bills = await three_bills(api, company)
    company.does("add_adjustment", vendor_id="V-1", number="CM-1", amount="40.00", entity="100")
    await api.sync()
    return bills, (await the_credit(api, "CM-1"))["id"]


async def test_paid_with_a_credit_voided_and_paid_again(api: StackClient, company: SandboxCompany) -> None:
    """S5-70, S4-26: three bills, one in part, and a credit; all is as before after the void."""
    bills, credit = await bills_and_credit(api, company)
    await a_credit_in_a_payment_comes_back_with_its_void(
        api, company, bills, credit, fault=("create", "reverse_appayment")
    )
    assert sorted(one["state"] for one in company.held("payments")) == ["Void", "Void"]


async def test_the_credit_is_reserved_until_the_payment_is_made(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: and free again when the payment is abandoned."""
    await a_credit_in_a_payment_is_reserved_until_it_is_sent(api, *await bills_and_credit(api, company))


async def test_a_credit_that_a_planned_payment_takes_is_not_deleted(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: one entered here; the refusal names the payment, and holds until that is abandoned."""
    bills = await three_bills(api, company)
    await a_credit_that_a_planned_payment_takes_is_not_deleted(api, company, bills, "adjustments")


async def test_the_credit_is_linked_to_the_one_payment_in_the_books(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: one payment in Intacct; the credit names it, and a bill that a credit pays alone is in it too."""
    bills, credit = await bills_and_credit(api, company)
    of_credit = [
        {"credit_id": credit, "bill_id": bills[0], "amount": "25.00"},
        {"credit_id": credit, "bill_id": bills[2], "amount": "15.00"},
    ]
    shares = {bills[0]: "100.00", bills[1]: "125.00", bills[2]: "0.00"}
    await api.payment_is(await paid_together(api, shares, credits=of_credit), "paid")
    (payment,) = company.held("payments")
    assert Decimal(payment["amount"]) == 225
    shown = await api.get(f"/v1/credits/{credit}")
    assert shown["status"] == "applied"
    assert {one["payment"] for one in shown["applied_to"]} == {payment["record_no"]}
    assert {one["bill_id"]: Decimal(one["amount"]) for one in shown["applied_to"]} == {bills[0]: 25, bills[2]: 15}
    await api.bill_is(bills[0], "paid")
    await api.bill_is(bills[2], "partially_paid")
