"""The double sync: a pushed bill is not done before the ERP's own figures on the order show it."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from activities.doorbell import Doorbell
from models.domain import BillId, BillStatus, PoStatus
from tests.workflows.desk import (
    an_issue,
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    ended,
    eventually,
    live,
    order,
    settle,
)
from tests.workflows.world import World
from workflows import contract


async def test_the_order_is_read_again_until_it_shows_the_bill(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """S4-65, S4-66, S4-67: the first sync sends the bill; the status comes back by itself when the ERP has it."""
    world.shows_at_once = False
    world.refreshes_until_shown = 12
    await create_bill(world, world.bill_request("k1", 10))
    await eventually(lambda: world.calls["refresh_purchase_order"])
    assert "Waiting for: the ERP to show our bills on the order (double sync)" in await details(order(world))
    assert (await bill_state(world, "bill_k1")).status is BillStatus.SYNCED, "the bill itself is already done"
    await ended(time_skipping, order(world), timedelta(minutes=30))
    assert await attribute(order(world), contract.STATUS) == PoStatus.FILLED
    assert world.calls["refresh_purchase_order"] == 13
    assert world.calls["push_bill"] == 1
    assert not world.issues


async def test_an_order_that_never_shows_the_bill_becomes_an_issue_and_heals_by_news(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """S4-67: after two hours a person is told; when a later sync brings the order, the issue closes by itself."""
    world.shows_at_once = False
    world.refreshes_until_shown = -1
    world.look_again_in = timedelta(minutes=7)
    await create_bill(world, world.bill_request("k1", 10))
    await eventually(lambda: world.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=1, minutes=50))
    assert not world.issues
    await time_skipping.sleep(timedelta(minutes=15))
    issue_id, issue = await an_issue(world)
    assert (issue.opened.code, issue.opened.subject_kind) == ("STATUS_NOT_SHOWING", "purchase_order")
    await eventually(lambda: _waits_for(world, "a person: issue"))
    assert f"Waiting for: a person: issue {issue_id}" in await details(order(world))
    asked = world.calls["refresh_purchase_order"]
    await time_skipping.sleep(timedelta(hours=5))
    assert world.calls["refresh_purchase_order"] == asked, "nothing is read while a person is awaited"

    world.refreshes_until_shown = 0
    world.snapshot += 1
    await Doorbell(world.client).order_changed(world.order_state(), world.facts())
    await done(order(world))
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("resolved", "posync")
    assert world.calls["push_bill"] == 1


async def test_a_person_may_ask_to_look_again(world: World, time_skipping: WorkflowEnvironment) -> None:
    """S4-67: retry on the issue reads the order once more, in the person's name."""
    world.shows_at_once = False
    world.refreshes_until_shown = -1
    world.look_again_in = timedelta(minutes=7)
    await create_bill(world, world.bill_request("k1", 10))
    await eventually(lambda: world.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=2, minutes=5))
    issue_id, _ = await an_issue(world)
    world.refreshes_until_shown = 0
    await settle(order(world), issue_id, "retry")
    await done(order(world))
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("resolved", "ada")


async def test_a_later_bill_that_shows_brings_the_order_to_be_read_again(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """S4-67: an issue about one bill does not keep the next bill, or its own healing, waiting."""
    world.shows_at_once = False
    world.refreshes_until_shown = -1
    world.look_again_in = timedelta(minutes=7)
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: world.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=2, minutes=5))
    issue_id, _ = await an_issue(world)
    world.shows_at_once = True
    world.refreshes_until_shown = 0
    await create_bill(world, world.bill_request("k2", 6))
    await done(order(world))
    assert world.issues[issue_id].state == "resolved"
    assert len(world.documents()) == 2


async def test_one_reading_covers_all_bills_that_wait(world: World, time_skipping: WorkflowEnvironment) -> None:
    """S4-67: bills pushed while the order is being read again are looked for too; each is sent once."""
    world.shows_at_once = False
    world.refreshes_until_shown = 3
    await create_bill(world, world.bill_request("k1", 3))
    await create_bill(world, world.bill_request("k2", 7))
    await ended(time_skipping, order(world), timedelta(minutes=30))
    assert world.calls["push_bill"] == 2
    assert all(world.bills[BillId(f"bill_k{n}")].covered for n in (1, 2))
    assert world.facts().status is PoStatus.FILLED


async def test_receive_first_orders_stay_open_after_the_bill(world: World) -> None:
    """S4-68, S4-60: the status is the ERP's word; a bill for everything does not make an order filled by our sums."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: _bills_settled(world, 0))
    assert await attribute(order(world), contract.STATUS) == PoStatus.PARTIALLY_FILLED
    told = await details(order(world))
    assert "the ERP says *Partially Converted*" in told
    assert "Ordered 10, billed in the ERP 4, of ours on its way 0." in told
    assert "Waiting for: a bill, or a change in the ERP" in told
    assert "1 of our bills are settled." in told


async def test_news_that_arrives_late_does_not_take_the_order_back_in_time(world: World) -> None:
    """F4: an older snapshot of the order changes nothing."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: _bills_settled(world, 0))
    held = (await live(world)).facts
    assert held is not None
    stale = held.model_copy(update={"snapshot": held.snapshot - 1, "status": PoStatus.UNFILLED, "billed": 0})
    await Doorbell(world.client).order_changed(world.order_state(), stale)
    await create_bill(world, world.bill_request("k2", 100))
    assert (await live(world)).facts == held
    assert await attribute(order(world), contract.STATUS) == PoStatus.PARTIALLY_FILLED


async def test_an_order_closed_in_the_erp_ends_and_a_change_wakes_it_again(world: World) -> None:
    """S4-55: closed ends the workflow when nothing of ours is open; a later change starts it anew."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: _bills_settled(world, 0))
    world.closed_in_erp = True
    world.snapshot += 1
    doorbell = Doorbell(world.client)
    await doorbell.order_changed(world.order_state(), world.facts())
    await done(order(world))
    first = (await order(world).describe()).run_id
    world.closed_in_erp = False
    world.snapshot += 1
    await doorbell.order_changed(world.order_state(), world.facts())
    again = await order(world).describe()
    assert again.run_id != first
    assert again.typed_search_attributes.get(contract.STATUS) == PoStatus.PARTIALLY_FILLED
    assert again.typed_search_attributes.get(contract.PO_NUMBER) == "PO-1007"
    assert (await create_bill(world, world.bill_request("k2", 6))).outcome == "OK"
    await done(order(world))
    assert (await bill(world, "bill_k2").describe()).typed_search_attributes.get(contract.VENDOR) == "V-ACME"


async def _waits_for(world: World, words: str) -> bool:
    return words in (await live(world)).waiting_for


async def _bills_settled(world: World, left: int) -> bool:
    now = await live(world)
    return len(now.bills) == left and world.facts().pending == 0
