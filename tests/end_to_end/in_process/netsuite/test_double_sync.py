"""The double sync (S4-65..68): a bill is pushed, and its order is read until it shows there; it always counts once."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    ledger,
    refused,
)
from tests.harness.variants import first_of
from workflows import policies


def figures(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


@pytest.mark.parametrize("late", first_of("quantity", "status"))
async def test_the_bill_counts_once_at_all_three_moments(api: StackClient, company: SandboxCompany, late: str) -> None:
    """S4-65, S4-66, S4-67: before the push, after it while the order is as it was, and once NetSuite shows it."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    runs = len(await api.items(f"/v1/connections/{api.connection_id}/sync-runs"))
    company.switch(**{f"{late}_delay_seconds": 1.5})
    company.breaks("unavailable", times=None)
    bill_id = await api.bill("PO-1", {1: "4"})
    assert ledger(await api.order("PO-1")) == figures("10", "10", "0", "4")
    refused(await api.enter("PO-1", {1: "7"}), 422, "MATCH_BLOCKED")
    company.mend()
    await api.bill_is(bill_id, "synced")
    # NetSuite holds the bill; whether its order shows it yet or not, four of the ten are billed, never none or eight.
    for _ in range(20):
        _, _, billed, pending = ledger(await api.order("PO-1"))
        assert billed + pending == 4
    refused(await api.enter("PO-1", {1: "7"}), 422, "MATCH_BLOCKED")
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == figures("10", "10", "4", "0")
    await api.billed("PO-1", {1: "6"})
    assert (await api.order_is("PO-1", "filled"))["erp_status"] == "Fully Billed"
    assert len(await api.items(f"/v1/connections/{api.connection_id}/sync-runs")) == runs  # nobody synced
    assert await api.issues() == []
    assert len(company.held("bills")) == 2


async def test_a_sync_in_between_counts_nothing_twice(api: StackClient, company: SandboxCompany) -> None:
    """S4-65..67: the page of a sync that already shows the billed quantity meets a bill that is still reserved."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    company.breaks("lost_answer", "add", object="vendorBill")
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.sync()
    _, _, billed, pending = ledger(await api.order("PO-1"))
    assert billed + pending == 4
    await api.arrived(bill_id)
    await api.sync()
    assert ledger(await api.order("PO-1")) == figures("10", "10", "4", "0")


async def test_many_bills_and_syncs_at_once_never_lose_or_double_one(api: StackClient, company: SandboxCompany) -> None:
    """S4-16, S4-65..67: looked at all the time, billed and reserved together are the bills entered so far."""
    company.order("PO-1", "15")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    company.switch(quantity_delay_seconds=0.4, status_delay_seconds=0.8)
    seen: list[Decimal] = []
    entered: list[str] = []

    async def look() -> None:
        while True:
            _, _, billed, pending = ledger(await api.order("PO-1"))
            seen.append(billed + pending)
            await asyncio.sleep(0.02)

    async def sync() -> None:
        while True:
            await api.sync()

    helpers = [asyncio.create_task(look()), asyncio.create_task(sync())]
    try:
        for quantity in ("1", "2", "3", "4", "5"):
            entered.append(await api.bill("PO-1", {1: quantity}))
            await asyncio.sleep(0.25)
        for bill_id in entered:
            await api.arrived(bill_id)
        assert not any(helper.done() for helper in helpers)
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
    assert seen == sorted(seen)
    assert set(seen) <= {0, 1, 3, 6, 10, 15}
    assert (await api.order_is("PO-1", "filled"))["erp_status"] == "Fully Billed"
    assert len(company.held("bills")) == 5
    assert await api.issues() == []


async def test_a_bill_that_waits_for_approval_in_netsuite_counts_here(
    api: StackClient, company: SandboxCompany
) -> None:
    """S4-67: an account may leave unapproved bills out of the billed quantity; ours stays reserved until it is in."""
    company.switch(bill_approval=True, pending_bills_count=False)
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start()
    bill_id = await api.bill("PO-1", {1: "10"})
    await api.bill_is(bill_id, "synced")
    assert ledger(await api.order("PO-1")) == figures("10", "10", "0", "10")
    company.does("approve_bill", external_id=(await api.read_bill(bill_id))["external_key"])
    await api.sync()
    await api.arrived(bill_id)
    await api.order_is("PO-1", "filled")


async def test_an_order_that_never_shows_the_bill_becomes_an_issue(
    api: StackClient, company: SandboxCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4-67: after two hours (here seconds) a person is told, with evidence; the bill counts all the while."""
    assert timedelta(hours=2) == policies.UNCONFIRMED_AFTER
    monkeypatch.setattr(policies, "UNCONFIRMED_AFTER", timedelta(seconds=2))
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start()
    company.switch(quantity_delay_seconds=3600, status_delay_seconds=3600)
    bill_id = await api.bill("PO-1", {1: "4"})
    issue = await api.issue("STATUS_NOT_SHOWING")
    assert issue["subject_kind"] == "purchase_order"
    assert "Pending Bill" in issue["cause"]
    evidence = issue["evidence"]
    assert (evidence["order"], evidence["erp_status"], evidence["bills_it_shows"]) == ("PO-1", "Pending Bill", "none")
    assert (evidence["awaited"], evidence["billed"].startswith("line 1: 0")) == (bill_id, True)
    assert ledger(await api.order("PO-1")) == figures("10", "10", "0", "4")
    company.pass_time(3600)
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == figures("10", "10", "4", "0")
    assert await api.issues() == []
