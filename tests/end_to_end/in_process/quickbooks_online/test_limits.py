"""QuickBooks' limits, through the whole product: too many calls, and the month's reads used up (issue 11, Numbers)."""

from datetime import timedelta

import pytest

from erp.quickbooks_online import faults
from tests.fakes.kept_reads import used_up_at_once
from tests.harness.quickbooks_company import connect
from tests.harness.stack_client import StackClient

ORDERS = [f"PO-{number}" for number in range(1, 9)]


async def test_bills_at_the_throttles_limit_all_arrive_and_nobody_is_bothered(
    api: StackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A throttle is normal: each bill waits as long as QuickBooks says, goes out once, and no issue is opened."""
    monkeypatch.setattr(faults, "RETRY_AFTER", timedelta(seconds=1))
    company = api.company
    company.orders(*ORDERS)
    await connect(api)
    company.switch(requests_per_second=4)
    bills = [await api.bill(number, {1: "1"}) for number in ORDERS]
    for bill_id in bills:
        await api.arrived(bill_id)
    throttled = sum(row.get("throttled", 0) for row in company.held("usage"))
    assert throttled > 0
    held = [bill["number"] for bill in company.held("bills")]
    assert len(held) == len(set(held)) == len(ORDERS)
    assert await api.issues() == await api.issues("resolved") == []


async def test_bills_are_edited_and_taken_back_when_the_months_reads_are_used_up(
    api: StackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes go on: a memo is changed and a bill is deleted without a read. One that was paid in QuickBooks meanwhile
    waits until it can be looked at, and stays."""
    used_up_at_once(monkeypatch, probe=timedelta(seconds=2))
    company = api.company
    company.orders("PO-1", "PO-2")
    await connect(api)
    first, second = [await api.billed(number, {1: "1"}) for number in ("PO-1", "PO-2")]
    company.switch(monthly_reads=1)
    before = sum(row.get("reads", 0) for row in company.held("usage"))
    edited = await api.patch(f"/v1/bills/{first['id']}", {"memo": "for the other site"})
    assert edited.status_code == 200, edited.text

    async def has_memo() -> bool:
        return "for the other site" in company.one("bills", number=first["number"])["memo"]

    await api.until(has_memo, "the memo in QuickBooks")
    await api.arrived(first["id"])
    assert (await api.post(f"/v1/bills/{first['id']}/delete", {"reason": "withdrawn"})).status_code == 200
    await api.bill_is(first["id"], "deleted")
    assert [bill["number"] for bill in company.held("bills")] == [second["number"]]
    company.does("pay_bill", number=second["number"], amount="1")
    assert (await api.post(f"/v1/bills/{second['id']}/delete", {"reason": "withdrawn"})).status_code == 200
    assert sum(row.get("reads", 0) for row in company.held("usage")) == before
    assert (await api.read_bill(second["id"]))["status"] == "retracting"
    company.switch(monthly_reads=0)
    await api.issue("ALREADY_PAID")
    assert [bill["number"] for bill in company.held("bills")] == [second["number"]]
    await api.sync()
    assert [line["billed"] for line in (await api.order("PO-1"))["lines"]] == ["0", "0"]


async def test_bills_and_payments_go_out_when_the_months_reads_are_used_up(
    api: StackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes are free: a bill goes out with its link, a payment on it, and both without a read. A person is told once;
    the reads go on when the company has more, and nothing is there twice."""
    used_up_at_once(monkeypatch, probe=timedelta(seconds=2))
    company = api.company
    company.orders("PO-1", "PO-2")
    await connect(api)
    company.switch(monthly_reads=1)
    before = sum(row.get("reads", 0) for row in company.held("usage"))
    bills = [await api.bill(number, {1: "1"}) for number in ("PO-1", "PO-2")]

    async def both_there() -> bool:
        return len(company.held("bills")) == len(bills)

    await api.until(both_there, "the bills in QuickBooks")
    assert sum(row.get("reads", 0) for row in company.held("usage")) == before
    assert [line["po_number"] for bill in company.held("bills") for line in bill["lines"]] == ["PO-1", "PO-2"]
    for bill_id in bills:
        await api.bill_is(bill_id, "synced")
    total = (await api.read_bill(bills[0]))["total"]
    paid = [("paid", total), ("partially_paid", "4.00")]
    for payment_id in [await api.pay(bills[0], total), await api.pay(bills[1], "4.00")]:
        await api.payment_is(payment_id, "paid")
    assert [(bill["status"], bill["paid"]) for bill in [await api.read_bill(one) for one in bills]] == paid
    assert sum(row.get("reads", 0) for row in company.held("usage")) == before
    await api.ask_for_sync()
    await api.issue("ERP_QUOTA")
    assert [issue["code"] for issue in await api.issues()] == ["ERP_QUOTA"]
    company.switch(monthly_reads=0)
    for bill_id in bills:
        await api.arrived(bill_id)
    assert len(company.held("bills")) == len(bills)
    await api.sync()
    assert [(bill["status"], bill["paid"]) for bill in [await api.read_bill(one) for one in bills]] == paid
    assert (len(company.held("bills")), len(company.held("payments"))) == (len(bills), len(bills))
