"""Voids of payments, on Intacct: from here and there, and what was due before is due again, once (S4-26)."""

from decimal import Decimal

import pytest

from tests.end_to_end.in_process.payment_of_bills import dues, paid_together, three_bills, voided
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused
from tests.harness.variants import first_of

SHARES = ("125.00", "125.00", "25.00")


@pytest.mark.parametrize("fault", first_of(None, "lost_answer"))
async def test_voided_and_paid_again_all_dues_are_as_before(
    api: StackClient, company: SandboxCompany, fault: str | None
) -> None:
    """S4-25, S4-26: three bills, one in part; also when the void's answer is lost, and after every sync."""
    bills = await three_bills(api, company)
    shares = dict(zip(bills, SHARES, strict=True))
    payment = await paid_together(api, shares)
    await api.payment_is(payment, "paid")
    if fault:
        company.breaks(fault, "reverse_appayment")
    await voided(api, payment)
    assert company.fired("lost_answer") == (1 if fault else 0)
    assert await dues(api, bills) == [125, 125, 125]
    assert [Decimal(bill["due"]) for bill in company.held("bills")] == [125, 125, 125]
    await api.sync()
    assert await dues(api, bills) == [125, 125, 125]
    for bill in bills:
        await api.bill_is(bill, "synced")
    await api.payment_is(await paid_together(api, shares), "paid")
    await api.sync()
    assert await dues(api, bills) == [0, 0, 100]
    assert sorted(one["state"] for one in company.held("payments")) == ["Complete", "Void"]


async def test_a_payment_of_one_bill_is_voided_and_its_bill_goes_on(api: StackClient, company: SandboxCompany) -> None:
    """S4-26: a bill that was paid whole is open again, and can be paid."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    payment = await api.pay(bill["id"], "100.00")
    await api.payment_is(payment, "paid")
    await api.bill_is(bill["id"], "paid")
    await voided(api, payment)
    await api.bill_is(bill["id"], "synced")
    refused(await api.post(f"/v1/payments/{payment}/void", {"reason": "again"}), 409, "PAYMENT_NOT_PAID")
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    await api.bill_is(bill["id"], "paid")


async def test_a_void_that_is_refused_waits_for_a_person(api: StackClient, company: SandboxCompany) -> None:
    """S4-26: abandoned, the payment stays paid; asked for once more after the repair, it is voided."""
    bills = await three_bills(api, company)
    payment = await paid_together(api, {bills[0]: "125.00", bills[1]: "125.00"})
    await api.payment_is(payment, "paid")
    day = (await api.get(f"/v1/payments/{payment}"))["submitted_on"]
    company.does("close_period", through=day)
    answer = await api.post(f"/v1/payments/{payment}/void", {"reason": "paid twice"})
    assert answer.json()["status"] == "voiding"

    async def stopped() -> list[dict[str, str]]:
        return await api.issues()

    (issue,) = await api.until(stopped, "the refusal to be shown")
    assert (issue["subject_kind"], issue["subject_id"]) == ("payment", payment)
    assert await dues(api, bills) == [0, 0, 125]
    await api.settle(issue, "abandon")
    await api.payment_is(payment, "paid")
    company.does("open_period")
    await voided(api, payment)
    assert await dues(api, bills) == [125, 125, 125]


async def test_one_that_was_voided_there_shows_here_and_nothing_is_sent_back(
    api: StackClient, company: SandboxCompany
) -> None:
    """S4-26: each bill of it is due again, once."""
    bills = await three_bills(api, company)
    payment = await paid_together(api, dict(zip(bills, SHARES, strict=True)))
    shown = await api.payment_is(payment, "paid")
    company.does("void_payment", document_number=shown["external_key"])
    company.forget_calls()
    await api.sync()
    await api.payment_is(payment, "voided")
    assert await dues(api, bills) == [125, 125, 125]
    await api.sync()
    assert await dues(api, bills) == [125, 125, 125]
    refused(await api.post(f"/v1/payments/{payment}/void", {"reason": "late"}), 409, "PAYMENT_NOT_PAID")
    assert len(company.held("payments")) == 1
