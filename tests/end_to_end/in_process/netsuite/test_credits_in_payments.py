"""Credits inside a payment, on NetSuite: on its credit list; still applied when it is deleted, then unapplied."""

from decimal import Decimal

import pytest

from tests.end_to_end.in_process.payment_of_bills import (
    a_credit_in_a_payment_comes_back_with_its_void,
    a_credit_in_a_payment_is_reserved_until_it_is_sent,
    a_credit_that_a_planned_payment_takes_is_not_deleted,
    dues,
    paid_together,
    the_credit,
    three_bills,
    voided,
)
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts


async def bills_and_credit(api: StackClient, company: SandboxCompany) -> tuple[list[str], str]:
    """Return three bills of 125.00, and a credit of 40.00 that somebody typed into NetSuite."""
    bills = await three_bills(api, company, received=True)
    company.does("add_credit", vendor_id="V-1", number="CM-1", amount="40.00")
    await api.sync()
    return bills, (await the_credit(api, "CM-1"))["id"]


@pytest.mark.parametrize("goes_to", ["first", "last"])
async def test_paid_with_a_credit_voided_and_paid_again(
    api: StackClient, company: SandboxCompany, goes_to: str
) -> None:
    """S5-70, S4-26: three bills, one in part, and a credit, whichever bill NetSuite gives it to."""
    company.switch(credits_in_payments=goes_to)
    bills, credit = await bills_and_credit(api, company)
    await a_credit_in_a_payment_comes_back_with_its_void(api, company, bills, credit, fault=("add", "delete"))
    assert company.held("payments") == []


async def test_the_credit_is_reserved_until_the_payment_is_made(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: and free again when the payment is abandoned."""
    await a_credit_in_a_payment_is_reserved_until_it_is_sent(api, *await bills_and_credit(api, company))


async def test_a_credit_that_a_planned_payment_takes_is_not_deleted(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: one entered here; the refusal names the payment, and holds until that is abandoned."""
    bills = await three_bills(api, company, received=True)
    await a_credit_that_a_planned_payment_takes_is_not_deleted(api, company, bills, "credits")


async def test_what_was_applied_to_another_bill_of_the_payment_stays(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: NetSuite gives the credit to the first bill, not to the one that was named, and it was applied to the last
    one before: the void takes it off the first, and leaves the last."""
    company.switch(credits_in_payments="first")
    bills, credit = await bills_and_credit(api, company)
    bills = sorted(bills)  # the order in which they are sent
    body = {"bills": [{"bill_id": bills[2], "amount": "10.00"}]}
    assert (await api.post(f"/v1/credits/{credit}/apply", body, role="accountant")).status_code == 200
    await api.application_is(f"/v1/credits/{credit}", "applied")
    of_credit = [{"credit_id": credit, "bill_id": bills[1], "amount": "20.00"}]
    shares = {bills[0]: "125.00", bills[1]: "105.00", bills[2]: "50.00"}
    payment = await paid_together(api, shares, credits=of_credit)
    shown = await api.payment_is(payment, "paid")
    assert [(one["bill_id"], Decimal(one["amount"])) for one in shown["credits"]] == [(bills[0], 20)]
    assert await dues(api, bills) == [0, 0, 65]
    await voided(api, payment)
    assert await dues(api, bills) == [125, 125, 115]
    assert amounts(await api.get(f"/v1/credits/{credit}"), "applied", "open", "reserved") == (10, 30, 0)
    (held,) = company.held("credits")
    assert [Decimal(one["amount"]) for one in held["details"]] == [10]


async def test_what_was_applied_before_stays_applied_after_the_void(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: the void frees what went with the payment, and nothing that the credit was applied with before."""
    bills, credit = await bills_and_credit(api, company)
    body = {"bills": [{"bill_id": bills[1], "amount": "10.00"}]}
    assert (await api.post(f"/v1/credits/{credit}/apply", body, role="accountant")).status_code == 200

    async def is_applied() -> bool:
        (one,) = (await api.get(f"/v1/credits/{credit}"))["applications"]
        return bool(one["status"] == "applied")

    await api.until(is_applied, "the application")
    of_credit = [{"credit_id": credit, "bill_id": bills[1], "amount": "30.00"}]
    payment = await paid_together(api, {bills[0]: "125.00", bills[1]: "85.00"}, credits=of_credit)
    await api.payment_is(payment, "paid")
    assert await dues(api, bills) == [0, 0, 125]
    await voided(api, payment)
    assert await dues(api, bills) == [125, 115, 125]
    assert amounts(await api.get(f"/v1/credits/{credit}"), "applied", "open", "reserved") == (10, 30, 0)
    (held,) = company.held("credits")
    assert [Decimal(one["amount"]) for one in held["details"]] == [10]
