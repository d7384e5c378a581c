"""Messages heard twice, late, or at the very end are heard once and lost never."""

import asyncio
import secrets
from datetime import UTC, datetime

from temporalio.client import Client

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.orders import PoStatus
from models.messages.bills import BillBalance, BillState
from models.messages.orders import BillPushed
from temporal_gateway.notifier import WorkflowNotifier
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    bill,
    bill_state,
    create_bill,
    deliver,
    details,
    done,
    live,
    order,
    schedule_payment,
)
from tests.harness.workflow_harness import WorkflowHarness


async def test_an_accepted_bill_told_twice_is_one_bill(harness: WorkflowHarness) -> None:
    """F3, G1: whoever delivers, and however often: one workflow, one document."""
    bill_id = (await create_bill(harness, harness.bill_request("k1", 4))).bill_id
    assert bill_id is not None
    await asyncio.gather(*(deliver(harness, harness.accepted(bill_id)) for _ in range(5)))
    await create_bill(harness, harness.bill_request("k2", 6))
    await done(order(harness))
    assert harness.calls["push_bill"] == 2
    assert len(harness.documents()) == 2
    assert harness.calls["rematch_bills"] == 0


async def test_a_message_that_comes_after_its_bill_was_settled_does_not_bring_it_back(harness: WorkflowHarness) -> None:
    """G1: delivered again when the order has forgotten the bill, it finds out where the bill stands, and ends."""
    bill_id = (await create_bill(harness, harness.bill_request("k1", 4))).bill_id
    assert bill_id is not None
    late = harness.accepted(bill_id).model_copy(update={"status": BillStatus.PENDING_PUSH})
    await eventually(lambda: _finished_bills(harness, 1))
    await deliver(harness, late)
    await eventually(lambda: harness.calls["bill_on_order"] == 1)
    await eventually(lambda: _finished_bills(harness, 2))
    assert (await live(harness)).waiting_for == "a bill, or a change in the ERP"
    assert harness.calls["push_bill"] == 1
    harness.closed_in_erp = True
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))


async def test_a_bill_that_starts_its_orders_workflow_is_not_lost(temporal: Client) -> None:
    """G1: no worker runs when the message comes, so that it is handled before `run`."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-", terms="as ordered")
    for key in ("k1", "k2"):
        await create_bill(harness, harness.bill_request(key, 5))
    async with harness.workers():
        await done(order(harness))
    assert len(harness.documents()) == 2
    assert harness.calls["rematch_bills"] == 0, "each was matched under the terms that still hold"


async def test_a_bill_whose_order_changed_on_its_way_is_matched_again(harness: WorkflowHarness) -> None:
    """Review of a saved bill: what it was matched under travels with it, and is compared with what holds now."""
    harness.terms = "as ordered"
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.bills[BillId("bill_k1")].confirmed)
    assert harness.calls["rematch_bills"] == 0
    bill_id = harness.decide_bill(harness.bill_request("k2", 2)).bill_id
    assert bill_id is not None
    harness.terms = "cheaper"
    harness.snapshot += 1
    await deliver(harness, harness.accepted(bill_id))
    await eventually(lambda: harness.calls["rematch_bills"])
    await eventually(lambda: harness.bills[bill_id].confirmed)
    assert harness.calls["rematch_bills"] == 1


async def test_bill_pushed_heard_twice_or_late_changes_nothing(harness: WorkflowHarness) -> None:
    """F3, F4: repeated, late and unknown signals leave counts and statuses as they are."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _finished_bills(harness, 1))
    notifier, facts = WorkflowNotifier(harness.client), harness.facts()
    for pushed in (
        BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.SYNCED, confirmed=True, facts=facts),
        BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.SYNC_ISSUE, confirmed=False),
        BillPushed(bill_id=BillId("bill_unknown"), status=BillStatus.SYNCED, confirmed=False),
    ):
        await notifier.bill_pushed(harness.order_state(), facts, pushed)
    await create_bill(harness, harness.bill_request("k2", 100))
    now = await live(harness)
    assert now.bills == []
    assert now.facts == facts
    assert await _finished_bills(harness, 1)
    assert harness.calls["refresh_purchase_order"] == 0


async def test_an_older_word_about_a_bill_is_not_believed(harness: WorkflowHarness) -> None:
    """S5-33: the end of a payment that is heard after the payment was voided does not make the bill paid again."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _is_synced(harness))
    notifier = WorkflowNotifier(harness.client)
    voided = BillBalance(status=BillStatus.SYNCED, paid="0", due="100", version=5)
    await notifier.bill_changed(BillId("bill_k1"), voided)
    await notifier.bill_changed(BillId("bill_k1"), BillBalance(status=BillStatus.PAID, paid="100", due="0", version=4))
    partly = BillBalance(status=BillStatus.PARTIALLY_PAID, paid="40", due="60", version=6)
    await notifier.bill_changed(BillId("bill_k1"), partly)
    state = await eventually(lambda: _has_heard(harness, 6))
    assert (state.status, state.paid, state.due) == (BillStatus.PARTIALLY_PAID, "40", "60")


async def _is_synced(harness: WorkflowHarness) -> bool:
    return (await bill_state(harness, "bill_k1")).status is BillStatus.SYNCED


async def _has_heard(harness: WorkflowHarness, version: int) -> BillState | None:
    state = await bill_state(harness, "bill_k1")
    return state if state.seen_version >= version else None


async def test_bill_changed_from_the_erp_closes_the_bill(harness: WorkflowHarness) -> None:
    """S5-33: paid in the ERP itself, the bill is done here too; heard twice is heard once."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _finished_bills(harness, 1))
    notifier = WorkflowNotifier(harness.client)
    partly = BillBalance(status=BillStatus.PARTIALLY_PAID, paid="40", due="60")
    await notifier.bill_changed(BillId("bill_k1"), partly)
    await notifier.bill_changed(BillId("bill_k1"), partly)
    await eventually(lambda: _bill_details(harness, "Paid 40, due 60"))
    await notifier.bill_changed(BillId("bill_k1"), BillBalance(status=BillStatus.PAID, paid="100", due="0"))
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID
    await notifier.bill_changed(BillId("bill_k1"), partly)  # nobody listens any more, and nothing fails


async def test_a_bill_deleted_in_the_erp_ends(harness: WorkflowHarness) -> None:
    """S2-25: a synced bill that is deleted in the ERP is over here too."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _finished_bills(harness, 1))
    deleted = BillBalance(status=BillStatus.DELETED, paid="0", due="100")
    await WorkflowNotifier(harness.client).bill_changed(BillId("bill_k1"), deleted)
    assert await done(bill(harness, "bill_k1")) == BillStatus.DELETED


async def test_everything_replays_when_no_workflow_is_kept_in_memory(temporal: Client) -> None:
    """F10: with no cache every step replays the whole history, as after a crash; the story ends the same."""
    harness = WorkflowHarness(
        client=temporal, tag=f"-{secrets.token_hex(4)}-", shows_at_once=False, refreshes_until_shown=1
    )
    today = datetime.now(UTC).date()
    async with harness.workers(cached_workflows=0):
        bill_id = (await create_bill(harness, harness.bill_request("k1", 4))).bill_id
        assert bill_id is not None
        await create_bill(harness, harness.bill_request("k2", 6))
        await eventually(lambda: len(harness.documents()) == 2)
        schedule = harness.payment_request("p1", bill_id, "100", today)
        await schedule_payment(harness, schedule)
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
        await done(order(harness))
    assert harness.calls["push_bill"] == 2
    assert harness.calls["push_payment"] == 1
    assert not harness.issues


async def test_search_attributes_find_every_workflow_of_an_order(harness: WorkflowHarness) -> None:
    """DESIGN 4, F10: connection, ERP, number, vendor, amount and status are there from the first moment on."""
    await create_bill(harness, harness.bill_request("k1", 4))
    for handle in (order(harness), bill(harness, "bill_k1")):
        told = (await eventually(handle.describe)).typed_search_attributes
        assert told.get(contract.CONNECTION) == "intacct-acme-100"
        assert told.get(contract.ERP) == "intacct"
        assert told.get(contract.PO_NUMBER) == "PO-1007"
        assert told.get(contract.VENDOR) == "V-ACME"
        assert told.get(contract.AMOUNT)
        assert told.get(contract.STATUS) in {*PoStatus, *BillStatus}


async def _finished_bills(harness: WorkflowHarness, count: int) -> bool:
    now = await live(harness)
    return not now.bills and f"{count} of our bills are settled." in await details(order(harness))


async def _bill_details(harness: WorkflowHarness, words: str) -> bool:
    return words in await details(bill(harness, "bill_k1"))
