"""Messages heard twice, late, or at the very end are heard once and lost never."""

import asyncio
import secrets
from datetime import UTC, datetime

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from activities.doorbell import Doorbell
from models.domain import BillId, BillStatus, OrganizationId, PoStatus
from models.messages import BillNow, BillPushed, BillState, RequestRef
from tests.workflows.desk import bill, bill_state, create_bill, details, done, eventually, live, order, schedule_payment
from tests.workflows.world import World
from workflows import contract


async def test_a_bill_on_a_filled_order_is_answered_before_the_workflow_ends(world: World) -> None:
    """S4-21, DESIGN 4: update-with-start on a finished order runs the handler to its end, then the workflow ends."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    assert world.facts().status is PoStatus.FILLED
    over = await create_bill(world, world.bill_request("k2", 1))
    assert (over.outcome, over.bill_id) == ("BLOCK", None)
    await done(order(world))
    assert "Waiting for: nothing: the order is done" in await details(order(world))
    assert world.calls["create_bill"] == 2


async def test_the_same_update_id_is_answered_once(world: World) -> None:
    """DESIGN 8, F3: an Idempotency-Key sent again gets the first answer; nothing is matched a second time."""
    ref = world.bill_request("k1", 4)
    first = await create_bill(world, ref)
    again = await create_bill(world, ref)
    assert again == first
    assert world.calls["create_bill"] == 1
    answers = await asyncio.gather(*(create_bill(world, world.bill_request("k2", 6)) for _ in range(5)))
    assert {answer.bill_id for answer in answers} == {"bill_k2"}
    await done(order(world))
    assert world.calls["push_bill"] == 2
    assert len(world.documents()) == 2


async def test_the_same_request_under_another_update_id_makes_no_second_bill(world: World) -> None:
    """F3: after a run ended, the server forgets update ids; the key of the request still holds."""
    ref = world.bill_request("k1", 10)
    first = await create_bill(world, ref)
    await done(order(world))
    again = await create_bill(world, ref, update_id="another")
    assert again.bill_id == first.bill_id
    await eventually(lambda: _child_settled(world))
    assert world.calls["push_bill"] == 1
    assert world.documents() == ["Vendor Invoice-bill_k1"]


async def test_bill_pushed_heard_twice_or_late_changes_nothing(world: World) -> None:
    """F3, F4: repeated, late and unknown signals leave counts and statuses as they are."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: _finished_bills(world, 1))
    doorbell, facts = Doorbell(world.client), world.facts()
    for pushed in (
        BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.SYNCED, covered=True, facts=facts),
        BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.SYNC_ISSUE, covered=False),
        BillPushed(bill_id=BillId("bill_unknown"), status=BillStatus.SYNCED, covered=False),
    ):
        await doorbell.bill_pushed(world.order_state(), facts, pushed)
    await create_bill(world, world.bill_request("k2", 100))
    now = await live(world)
    assert now.bills == []
    assert now.facts == facts
    assert await _finished_bills(world, 1)
    assert world.calls["refresh_purchase_order"] == 0


async def test_an_older_word_about_a_bill_is_not_believed(world: World) -> None:
    """S5-33: the end of a payment that is heard after the payment was voided does not make the bill paid again."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: world.bills[BillId("bill_k1")].covered)
    doorbell = Doorbell(world.client)
    voided = BillNow(status=BillStatus.SYNCED, paid="0", due="100", version=5)
    await doorbell.bill_changed(BillId("bill_k1"), voided)
    await doorbell.bill_changed(BillId("bill_k1"), BillNow(status=BillStatus.PAID, paid="100", due="0", version=4))
    partly = BillNow(status=BillStatus.PARTIALLY_PAID, paid="40", due="60", version=6)
    await doorbell.bill_changed(BillId("bill_k1"), partly)
    state = await eventually(lambda: _has_heard(world, 6))
    assert (state.status, state.paid, state.due) == (BillStatus.PARTIALLY_PAID, "40", "60")


async def _has_heard(world: World, version: int) -> BillState | None:
    state = await bill_state(world, "bill_k1")
    return state if state.heard >= version else None


async def test_bill_changed_from_the_erp_closes_the_bill(world: World) -> None:
    """S5-33: paid in the ERP itself, the bill is done here too; heard twice is heard once."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: _finished_bills(world, 1))
    doorbell = Doorbell(world.client)
    partly = BillNow(status=BillStatus.PARTIALLY_PAID, paid="40", due="60")
    await doorbell.bill_changed(BillId("bill_k1"), partly)
    await doorbell.bill_changed(BillId("bill_k1"), partly)
    await eventually(lambda: _bill_details(world, "Paid 40, due 60"))
    await doorbell.bill_changed(BillId("bill_k1"), BillNow(status=BillStatus.PAID, paid="100", due="0"))
    assert await done(bill(world, "bill_k1")) == BillStatus.PAID
    await doorbell.bill_changed(BillId("bill_k1"), partly)  # nobody listens any more, and nothing fails


async def test_a_bill_deleted_in_the_erp_ends(world: World) -> None:
    """S5-07: a synced bill that is deleted in the ERP is over here too."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: _finished_bills(world, 1))
    deleted = BillNow(status=BillStatus.DELETED, paid="0", due="100")
    await Doorbell(world.client).bill_changed(BillId("bill_k1"), deleted)
    assert await done(bill(world, "bill_k1")) == BillStatus.DELETED


async def test_a_request_without_a_key_is_turned_away_before_it_is_stored(world: World) -> None:
    """DESIGN 8: the validator refuses it; no event is written and no activity runs."""
    await create_bill(world, world.bill_request("k1", 4))
    nameless = RequestRef(organization_id=OrganizationId(""), key="")
    with pytest.raises(WorkflowUpdateFailedError, match="Workflow update failed") as refusal:
        await create_bill(world, nameless, update_id="u9")
    assert "an organization and an idempotency key" in str(refusal.value.cause)
    assert world.calls["create_bill"] == 1


async def test_everything_replays_when_no_workflow_is_kept_in_memory(temporal: Client) -> None:
    """F10: with no cache every step replays the whole history, as after a crash; the story ends the same."""
    world = World(client=temporal, tag=f"-{secrets.token_hex(4)}-", shows_at_once=False, refreshes_until_shown=1)
    today = datetime.now(UTC).date()
    async with world.workers(cached_workflows=0):
        bill_id = (await create_bill(world, world.bill_request("k1", 4))).bill_id
        assert bill_id is not None
        await create_bill(world, world.bill_request("k2", 6))
        await eventually(lambda: len(world.documents()) == 2)
        schedule = world.payment_request("p1", bill_id, "100", today)
        await schedule_payment(bill(world, bill_id), schedule)
        assert await done(bill(world, bill_id)) == BillStatus.PAID
        await done(order(world))
    assert world.calls["push_bill"] == 2
    assert world.calls["push_payment"] == 1
    assert not world.issues


async def test_search_attributes_find_every_workflow_of_an_order(world: World) -> None:
    """DESIGN 4: connection, ERP, number, vendor and status are there from the first moment on."""
    await create_bill(world, world.bill_request("k1", 4))
    for handle in (order(world), bill(world, "bill_k1")):
        told = (await eventually(handle.describe)).typed_search_attributes
        assert told.get(contract.CONNECTION) == "intacct-acme-100"
        assert told.get(contract.ERP) == "intacct"
        assert told.get(contract.PO_NUMBER) == "PO-1007"
        assert told.get(contract.VENDOR) == "V-ACME"
        assert told.get(contract.STATUS) in {*PoStatus, *BillStatus}


async def _finished_bills(world: World, count: int) -> bool:
    now = await live(world)
    return not now.bills and f"{count} of our bills are settled." in await details(order(world))


async def _bill_details(world: World, words: str) -> bool:
    return words in await details(bill(world, "bill_k1"))


async def _child_settled(world: World) -> bool:
    return (await bill_state(world, "bill_k1")).status is BillStatus.SYNCED
