"""What a sync costs NetSuite: an unchanged one almost nothing, a changed one by what changed."""

import math
from collections import Counter
from datetime import timedelta

from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
)


def many(company: SandboxCompany, count: int, *, days: int = 25) -> list[str]:
    """Orders of one line, spread over so many days and stamped at their noons; their numbers."""
    numbers = [f"PO-{number:03}" for number in range(1, count + 1)]
    common = {"vendor_id": "V-1", "vendor_name": "Vendor One", "entity": "1", "item_id": "ITEM-1", "price": "12.50"}
    dates = [(today() - timedelta(days=at % days + 2)).isoformat() for at in range(count)]
    rows = [
        {**common, "po_number": number, "po_date": day, "quantity": "10"}
        for number, day in zip(numbers, dates, strict=True)
    ]
    company.load(purchase_orders=rows)
    return numbers


async def test_an_unchanged_sync_reads_no_order(api: StackClient, company: SandboxCompany) -> None:
    """Issue 4: no order detail is read, and at most 3 calls are made in all."""
    many(company, 30)
    await api.start()
    company.pass_time(600)
    await api.sync()
    company.forget_calls()
    await api.sync()
    calls = Counter(company.calls()["by_operation"])
    assert calls["getList"] == calls["get"] == 0
    assert calls.total() <= 3, calls


async def test_many_orders_of_one_moment_are_read_again_once(api: StackClient, company: SandboxCompany) -> None:
    """Issue 4: after an import of hundreds that share a stamp, an unchanged sync costs as little as ever."""
    many(company, 150, days=1)
    await api.start()
    company.pass_time(600)
    await api.sync()
    company.forget_calls()
    await api.sync()
    assert company.calls()["total"] <= 3, company.calls()["by_operation"]
    company.does("edit_purchase_order", number="PO-001", memo="changed")
    run = await api.sync()
    assert run["counts"]["purchase_orders.changed"] == 1


async def test_a_changed_sync_reads_what_changed(api: StackClient, company: SandboxCompany) -> None:
    """Issue 4: 2 calls, the pages, and one per hundred changed orders; a few changed ones are in the first look."""
    numbers = many(company, 150)
    await api.start()
    company.pass_time(600)
    await api.sync()
    company.pass_time(600)

    async def calls_for(changed: list[str]) -> Counter[str]:
        for number in changed:
            action = {"action": "edit_purchase_order", "number": number, "memo": f"changed {len(changed)}"}
            company.control.post("/sandbox/companies/netsuite/actions", json=action).raise_for_status()
        company.forget_calls()
        run = await api.sync()
        assert run["counts"]["purchase_orders.changed"] == len(changed)
        return Counter(company.calls()["by_operation"])

    few = await calls_for(numbers[:5])
    assert few.total() <= 2 + 1 + 1, few
    company.pass_time(600)
    many_changed = await calls_for(numbers[:120])
    # More changes than a look shows: orders are read by the hundred, receipts, bills and payments by a page each.
    pages = math.ceil(120 / 100) + 3
    assert many_changed.total() <= 2 + pages + math.ceil(120 / 100), many_changed
