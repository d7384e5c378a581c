"""Long lives in short histories: every long-lived workflow hands its whole state on, and nothing is done twice.

On a dev server that suggests continue-as-new after a few events.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from activities.doorbell import Doorbell
from models.domain import BillStatus, PoStatus, Stream
from models.messages import BillNow
from tests.workflows.desk import (
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    eventually,
    live,
    order,
    schedule_payment,
    start_sync,
)
from tests.workflows.world import World
from workflows import contract
from workflows.sync import SyncWorkflow


@pytest.fixture
def world(impatient_temporal: Client) -> World:
    return World(client=impatient_temporal, tag=f"-{secrets.token_hex(4)}-")


async def runs(world: World, handle: WorkflowHandle[Any, Any]) -> int:
    """How many runs the workflow has had so far."""
    found = 0
    run_id: str | None = (await handle.describe()).run_id
    while run_id:
        found += 1
        one = world.client.get_workflow_handle(handle.id, run_id=run_id)
        started = (await one.fetch_history()).events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id or None
    return found


async def test_an_order_with_many_bills_hands_over(world: World) -> None:
    """DESIGN 4: bills, counts and facts survive every hand-over; each bill is pushed once."""
    async with world.workers():
        for n in range(10):
            answer = await create_bill(world, world.bill_request(f"k{n}", 1))
            assert answer.outcome == "OK"
        await done(order(world))
    assert await runs(world, order(world)) > 1
    assert world.calls["push_bill"] == 10
    assert len(set(world.documents())) == 10
    assert await attribute(order(world), contract.STATUS) == PoStatus.FILLED
    assert (await order(world).describe()).typed_search_attributes.get(contract.PO_NUMBER) == "PO-1007"


async def test_an_order_hands_over_in_the_middle_of_its_double_sync(world: World) -> None:
    """S4-67: the awaited bill is still awaited in the next run; no issue is opened by the hand-over."""
    world.shows_at_once = False
    world.refreshes_until_shown = -1
    async with world.workers():
        await create_bill(world, world.bill_request("k1", 10))
        await eventually(lambda: world.calls["refresh_purchase_order"])
        doorbell = Doorbell(world.client)
        for _ in range(30):
            await doorbell.order_changed(world.order_state(), world.facts())
        await eventually(lambda: _has_handed_over(world))
        now = await live(world)
        assert [held.bill_id for held in now.bills] == list(world.bills)
        assert "double sync" in now.waiting_for
        world.refreshes_until_shown = 0
        await done(order(world))
    assert not world.issues
    assert world.calls["push_bill"] == 1
    assert await attribute(order(world), contract.STATUS) == PoStatus.FILLED


async def test_a_bill_hands_over_while_it_is_paid_in_parts(world: World) -> None:
    """S5-33: what is paid, due and scheduled survives; each payment is pushed once."""
    today = datetime.now(UTC).date()
    async with world.workers():
        bill_id = (await create_bill(world, world.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        handle = bill(world, bill_id)
        for n in range(10):
            schedule = world.payment_request(f"p{n}", bill_id, "25", today)
            answer = await schedule_payment(handle, schedule)
            assert answer.outcome == "scheduled"
            await eventually(lambda n=n: world.calls["push_payment"] == n + 1)
        assert await done(handle) == BillStatus.PAID
        state = await bill_state(world, bill_id)
        assert "Waiting for: nothing: the bill is done" in await details(handle)
    assert await runs(world, handle) > 1
    assert world.calls["push_payment"] == 10
    assert world.calls["push_bill"] == 1
    assert (state.paid, state.due) == ("250", "0")
    assert len(state.payments) == 10


async def test_a_bill_that_only_hears_news_hands_over(world: World) -> None:
    """S5-33: signals from the ERP's side alone also lead to a hand-over, not to an endless history."""
    async with world.workers():
        bill_id = (await create_bill(world, world.bill_request("k1", 4))).bill_id
        assert bill_id is not None
        doorbell = Doorbell(world.client)
        await eventually(lambda: world.bills[bill_id].covered)
        for n in range(40):
            now = BillNow(status=BillStatus.PARTIALLY_PAID, paid=str(n), due=str(100 - n))
            await doorbell.bill_changed(bill_id, now)
        await eventually(lambda: _paid(world, bill_id, "39"))
        assert await runs(world, bill(world, bill_id)) > 1
        await doorbell.bill_changed(bill_id, BillNow(status=BillStatus.PAID, paid="100", due="0"))
        assert await done(bill(world, bill_id)) == BillStatus.PAID
    assert world.calls["push_bill"] == 1


async def test_a_sync_run_over_many_pages_hands_over(world: World) -> None:
    """S2-56: each page is read once over all runs, the counts add up, the run's record is closed once."""
    world.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 9, Stream.BILLS: 3}
    world.orders_to_wake = 10
    async with world.workers():
        handle = await start_sync(world)
        state = await done(handle)
        progress = await handle.query(SyncWorkflow.progress)
    assert await runs(world, handle) > 2
    orders = [page.after for page in world.pages_read if page.stream is Stream.PURCHASE_ORDERS]
    assert orders == [None, *(str(n) for n in range(1, 9))]
    assert len(world.pages_read) == 13
    assert state.counts["purchase_orders.pages"] == 9
    assert progress.done == [Stream.LISTS, Stream.PURCHASE_ORDERS, Stream.BILLS]
    assert world.calls["plan_sync"] == 1
    assert [run.state for run in world.finished_runs] == ["completed"]
    assert len({page.run_id for page in world.pages_read}) == 1


async def _has_handed_over(world: World) -> bool:
    return await runs(world, order(world)) > 1 and "double sync" in (await live(world)).waiting_for


async def _paid(world: World, bill_id: str, amount: str) -> bool:
    return (await bill_state(world, bill_id)).paid == amount
