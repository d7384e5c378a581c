"""An order's lines are inserted, deleted and reordered in the ERP between any two steps of a bill's life (fault B6)."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from models.domain.bills import BillStatus
from models.domain.ids import ErpId
from models.domain.orders import PurchaseOrder, PurchaseOrderLine
from tests.builders.records import an_order
from tests.harness.activity_harness import ActivityHarness

Change = Callable[[PurchaseOrder], Sequence[PurchaseOrderLine]]


def inserted(order: PurchaseOrder) -> Sequence[PurchaseOrderLine]:
    new = order.lines[0].model_copy(update={"erp_id": ErpId("99999"), "item_id": "NEW"})
    return [new, *order.lines]


def deleted(order: PurchaseOrder) -> Sequence[PurchaseOrderLine]:
    return order.lines[1:]


def swapped(order: PurchaseOrder) -> Sequence[PurchaseOrderLine]:
    return order.lines[::-1]


CHANGES = [inserted, deleted, swapped]


async def changed(harness: ActivityHarness, order: PurchaseOrder, change: Change) -> PurchaseOrder:
    """Somebody changes the lines in the ERP, and a sync run reads the order."""
    lines = tuple(line.model_copy(update={"line_no": no}) for no, line in enumerate(change(order), start=1))
    now = order.model_copy(update={"lines": lines, "revision": harness.erp.tick()})
    harness.erp.orders[order.erp_id] = now
    await harness.tenant.page(harness.erp.shown(now))
    return now


def pushed_lines(harness: ActivityHarness) -> list[tuple[str, Decimal]]:
    (invoice,) = harness.erp.invoices.values()
    return [(line.order_line, line.quantity) for line in invoice.bill.lines]


@pytest.mark.parametrize("change", CHANGES)
async def test_before_the_push(harness: ActivityHarness, change: Change) -> None:
    order = await harness.holds(an_order(lines={1: 10, 2: 10}))
    bill_id = await harness.billed(order, {2: 4})
    await changed(harness, order, change)
    await harness.rematch(order)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert pushed_lines(harness) == [(order.lines[1].erp_id, Decimal(4))]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_decision_stays_on_the_line_that_it_was_about(harness: ActivityHarness, change: Change) -> None:
    """A warning on line 2 is acknowledged; its line becomes line 1 or 3. It is settled, and the bill goes on."""
    await harness.tolerates(price={"warn": {"pct": "1"}})
    order = await harness.holds(an_order(lines={1: 10, 2: 10}))
    bill_id = await harness.billed(order, {2: 4}, price="13.00")
    waits = await harness.waits_for(bill_id)
    assert waits.status is BillStatus.AWAITING_ACKNOWLEDGEMENT
    (finding,) = await findings(harness, bill_id)
    await changed(harness, order, change)
    await harness.rematch(order)
    (again,) = await findings(harness, bill_id)
    assert (again["id"], again["order_line_id"]) == (finding["id"], order.lines[1].erp_id)
    await harness.acknowledge(bill_id, finding["id"], key=f"ack-{change.__name__}")
    await changed(harness, order, lambda one: one.lines)
    await harness.rematch(order)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert pushed_lines(harness) == [(order.lines[1].erp_id, Decimal(4))]


@pytest.mark.parametrize("change", CHANGES)
async def test_after_the_push(harness: ActivityHarness, change: Change) -> None:
    """The bill in the ERP fits its order as before: no issue, and the same billed quantity on the same line."""
    order = await harness.holds(an_order(lines={1: 10, 2: 10}))
    bill_id = await harness.billed(order, {2: 4})
    await harness.push(bill_id)
    now = await changed(harness, order, change)
    await harness.refresh(order)
    await harness.rematch(order)
    assert await harness.open_issues(bill_id) == []
    rows = await harness.tenant.fetch(
        "select erp_id, billed from purchase_order_lines where purchase_order_id = :order and not deleted",
        order=harness.tenant.id_of(now),
    )
    billed = {row.erp_id: row.billed for row in rows}
    assert billed[order.lines[1].erp_id] == 4
    assert sum(billed.values()) == 4


async def findings(harness: ActivityHarness, bill_id: str) -> list[dict[str, object]]:
    (row, *_) = await harness.tenant.fetch(
        "select result from match_results where bill_id = :bill order by created_at desc, id desc", bill=bill_id
    )
    return list(row.result["findings"])
