"""Voids of payments, on NetSuite: deleted from here or there, and what was due before is due again, once (S4-26)."""

from decimal import Decimal

import pytest

from tests.end_to_end.in_process.payment_of_bills import dues, paid_together, three_bills, voided
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient
from tests.harness.variants import first_of

SHARES = ("125.00", "125.00", "25.00")


@pytest.mark.parametrize("fault", first_of(None, "lost_answer"))
async def test_voided_and_paid_again_all_dues_are_as_before(
    api: StackClient, company: SandboxCompany, fault: str | None
) -> None:
    """S4-25, S4-26: three bills, one in part; also when the void's answer is lost, and after every sync."""
    bills = await three_bills(api, company, received=True)
    shares = dict(zip(bills, SHARES, strict=True))
    payment = await paid_together(api, shares)
    await api.payment_is(payment, "paid")
    if fault:
        company.breaks(fault, "delete", object="vendorPayment")
    await voided(api, payment)
    assert company.fired("lost_answer") == (1 if fault else 0)
    assert company.held("payments") == []
    assert await dues(api, bills) == [125, 125, 125]
    assert [Decimal(bill["due"]) for bill in company.held("bills")] == [125, 125, 125]
    await api.sync()
    assert await dues(api, bills) == [125, 125, 125]
    for bill in bills:
        await api.bill_is(bill, "synced")
    await api.payment_is(await paid_together(api, shares), "paid")
    await api.sync()
    assert await dues(api, bills) == [0, 0, 100]
    assert len(company.held("payments")) == 1


async def test_one_that_was_deleted_there_shows_here(api: StackClient, company: SandboxCompany) -> None:
    """S4-26: each bill of it is due again, once."""
    bills = await three_bills(api, company, received=True)
    payment = await paid_together(api, dict(zip(bills, SHARES, strict=True)))
    await api.payment_is(payment, "paid")
    (there,) = company.held("payments")
    company.does("delete", kind="payment", record_no=there["record_no"])
    await api.sync()
    await api.payment_is(payment, "voided")
    await api.sync()
    assert await dues(api, bills) == [125, 125, 125]
