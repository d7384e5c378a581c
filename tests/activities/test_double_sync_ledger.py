"""The ledger at every moment of the double sync: E + P never counts a bill twice, and never forgets it.

An order of ten; our bill of four is on its way. Before, between and after, a bill of seven is too much and one of six
is not (matching spec 3.1: billed_net = E + P - C).
"""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.exceptions import ApplicationError

from models.domain.ids import BillId
from models.domain.orders import PurchaseOrder
from models.domain.sync import Stream
from tests.builders.records import (
    R1,
    a_receipt,
    an_order,
)
from tests.fakes.fake_erp import (
    WorkerDied,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)


async def saved(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """Reserved; nothing was sent."""


async def answer_lost(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """The ERP has it, we do not know."""
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)


async def worker_killed(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """The ERP has it, and the process died before it could store that."""
    harness.erp.die_after_reading_back = 1
    with pytest.raises(WorkerDied):
        await harness.push(bill_id)


async def page_between(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """The ERP has it, we do not know, and a sync run brings the order with its new figures."""
    await answer_lost(harness, bill_id, order)
    await harness.read(Stream.PURCHASE_ORDERS)


async def pushed_not_shown(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """First sync done (S4-66): confirmed, but the order's own figures lag."""
    harness.erp.order_lags = True
    result = await harness.push(bill_id)
    assert not result.confirmed


async def read_again_too_early(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """The double sync looked, and the order does not show it yet."""
    await pushed_not_shown(harness, bill_id, order)
    with pytest.raises(ApplicationError) as waiting:
        await harness.refresh(order, bill_id)
    assert waiting.value.type == "NotYet"


async def page_before_the_refresh(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """The figures moved in the ERP and a page brings them before the order's own refresh does."""
    await pushed_not_shown(harness, bill_id, order)
    harness.erp.order_lags = False
    harness.erp.touch_order(order.document_id)
    await harness.read(Stream.PURCHASE_ORDERS)


async def shown(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """Second sync done (S4-67): inside E."""
    await page_before_the_refresh(harness, bill_id, order)
    refreshed = await harness.refresh(order, bill_id)
    assert refreshed.confirmed == [bill_id]
    assert (refreshed.facts.billed, refreshed.facts.pending) == (4, 0)


async def shown_and_read_again(harness: ActivityHarness, bill_id: BillId, order: PurchaseOrder) -> None:
    """After everything, another sync run and another refresh change nothing."""
    await shown(harness, bill_id, order)
    await harness.read(Stream.PURCHASE_ORDERS)
    await harness.refresh(order)


MOMENTS: tuple[Callable[[ActivityHarness, BillId, PurchaseOrder], Awaitable[None]], ...] = (
    saved,
    answer_lost,
    worker_killed,
    page_between,
    pushed_not_shown,
    read_again_too_early,
    page_before_the_refresh,
    shown,
    shown_and_read_again,
)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
async def test_seven_is_too_much_and_six_is_not(
    harness: ActivityHarness, moment: Callable[[ActivityHarness, BillId, PurchaseOrder], Awaitable[None]]
) -> None:
    """S4-65..67, matching spec 3.1: a reservation and the ERP's own figure are never both counted, nor both missed."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="OURS")
    await moment(harness, bill_id, order)
    assert await harness.tenant.billed_net(order) == 4
    seven = await harness.bill(order, {1: 7}, number="SEVEN")
    assert (seven.outcome, seven.bill_id) == ("BLOCK", None)
    six = await harness.bill(order, {1: 6}, number="SIX")
    assert six.bill_id is not None
    assert await harness.tenant.billed_net(order) == 10


async def test_the_double_sync_ends_with_the_erps_own_word(harness: ActivityHarness) -> None:
    """S4-60, S4-67: status and quantity are what the ERP says; the refresh has told the workflow, nobody is woken."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 10})
    await pushed_not_shown(harness, bill_id, order)
    assert (await harness.tenant.row(order)).status == "unfilled"
    harness.erp.order_lags = False
    harness.erp.touch_order(order.document_id)
    first = await harness.refresh(order, bill_id)
    assert (first.facts.status, first.facts.erp_status, first.confirmed) == ("filled", "Converted", [bill_id])
    again = await harness.refresh(order, bill_id)
    assert again == first
    assert await harness.tenant.to_notify() == []


async def test_a_bill_of_somebody_else_in_the_erp_counts_at_once(harness: ActivityHarness) -> None:
    """Matching spec 3.1: what others bill in the ERP comes with the order's own figures, beside our reservation."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 4}, number="OURS")
    moved = an_order(lines={1: 10}, billed={1: 3}, revision="2026-03-03 00:00:00", erp_status="Partially Converted")
    harness.erp.orders[order.erp_id] = moved
    await harness.read(Stream.PURCHASE_ORDERS)
    assert await harness.tenant.billed_net(order) == 7
    assert (await harness.bill(order, {1: 4}, number="FOUR")).outcome == "BLOCK"
    assert (await harness.bill(order, {1: 3}, number="THREE")).bill_id is not None


async def test_a_page_from_before_the_push_does_not_take_back_what_is_billed(harness: ActivityHarness) -> None:
    """F4, matching spec 3.1: a page that was read before our bill reached the ERP arrives after it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    assert (await harness.push(bill_id)).confirmed
    assert order.revision == R1
    await harness.tenant.page(order)
    assert await harness.tenant.billed_net(order) == 4
    assert (await harness.tenant.row(order)).status == "partially_filled"


async def test_goods_received_are_not_goods_billed(harness: ActivityHarness) -> None:
    """Matching spec 3.1: where a receipt converts the order, its quantity is taken out of E again."""
    order = an_order(lines={1: 10}, billed={1: 10}, erp_status="Converted")
    receipt = a_receipt(order, {1: 10})
    harness.erp.receipts_held[receipt.erp_id] = receipt
    await harness.tenant.execute(
        "update connections set match_mode = 'three_way' where id = :id", id=harness.tenant.connection_id
    )
    harness.erp.orders[order.erp_id] = order
    await harness.read(Stream.PURCHASE_ORDERS)
    await harness.read(Stream.RECEIPTS)
    (line,) = (await harness.tenant.lines(order)).values()
    assert (line.converted, line.received, line.billed) == (10, 10, 0)
    assert (await harness.bill(order, {1: 10}, number="ALL")).bill_id is not None
    bill_rows = await harness.tenant.fetch("select sources from bill_lines")
    assert any(row.sources and row.sources[0]["document_id"] == receipt.document_id for row in bill_rows)
