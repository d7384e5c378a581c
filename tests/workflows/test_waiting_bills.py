"""A bill that its match keeps back: it waits in sight of the operator, and goes on by a word or by itself."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.doorbell import Doorbell
from models.domain import BillId, BillStatus, PoStatus
from models.messages import BillMatched, BillNow
from tests.workflows.desk import (
    an_issue,
    attribute,
    bill,
    bill_state,
    create_bill,
    decide,
    details,
    done,
    eventually,
    live,
    order,
    payment,
    schedule_payment,
    settle,
)
from tests.workflows.world import ORDER_ERP_ID, World, refused
from workflows import contract

WARNING = "BILLED_BEYOND_RECEIVED"


async def waits(world: World, code: str = WARNING, bill_id: str = "bill_k1") -> None:
    """The operator sees what the bill waits for."""

    async def so() -> bool:
        return await attribute(bill(world, bill_id), contract.ISSUE_CODE) == code

    await eventually(so)


async def test_a_warned_bill_waits_until_it_is_acknowledged(world: World) -> None:
    """Rules 3.4: nothing is sent while a warning waits; acknowledged, the bill goes out and its order is told."""
    world.warnings = [WARNING]
    answer = await create_bill(world, world.bill_request("k1", 10))
    assert (answer.status, answer.needs) == (BillStatus.AWAITING_ACKNOWLEDGEMENT, [WARNING])
    await waits(world)
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.AWAITING_ACKNOWLEDGEMENT
    told = await details(bill(world, "bill_k1"))
    assert f"Waiting for: a person to acknowledge the warning, or a change that settles it: {WARNING}" in told
    assert f"- the words of {WARNING}" in told
    assert "not in the ERP yet" in told
    assert (await live(world)).waiting_for == f"a person: bill INV-k1: {WARNING}"
    assert world.calls["push_bill"] == 0

    decided = await decide(world, bill(world, "bill_k1"), "bill_k1", "a1")
    assert (decided.outcome, decided.bill.status) == ("decided", BillStatus.PENDING_PUSH)
    assert (await done(order(world))).status is PoStatus.FILLED
    assert await attribute(bill(world, "bill_k1"), contract.ISSUE_CODE) is None
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.SYNCED
    assert world.calls["push_bill"] == 1


async def test_a_hold_shows_as_such(world: World) -> None:
    """DESIGN 4: an operator finds held bills by their status and reads what holds them."""
    world.holds = ["PRICE_DIFFERS"]
    await create_bill(world, world.bill_request("k1", 10))
    await waits(world, "PRICE_DIFFERS")
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.ON_HOLD
    told = await details(bill(world, "bill_k1"))
    assert "a person to release the hold, or a change that settles it: PRICE_DIFFERS" in told
    await decide(world, bill(world, "bill_k1"), "bill_k1", "a1")
    await done(order(world))


async def test_a_receipt_lets_a_waiting_bill_go_on_by_itself(world: World) -> None:
    """Rules 3.6: the order's terms changed, its bills are matched again, and this one needs nobody any more."""
    world.warnings = [WARNING]
    await create_bill(world, world.bill_request("k1", 10))
    await waits(world)
    world.warnings = []
    world.terms = "ten received"
    world.snapshot += 1
    await Doorbell(world.client).order_changed(world.order_state(), world.facts())
    await done(order(world))
    assert world.calls["match_bills_again"] == 1
    assert (await bill_state(world, "bill_k1")).status is BillStatus.SYNCED


async def test_a_change_that_concerns_no_bill_matches_nothing_again(world: World) -> None:
    """The plain path costs nothing: only terms that bills are matched against count, and only with bills of ours."""
    doorbell = Doorbell(world.client)
    world.terms = "first"
    await doorbell.order_changed(world.order_state(), world.facts())
    world.terms = "second"
    world.snapshot += 1
    await doorbell.order_changed(world.order_state(), world.facts())
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: world.bills[BillId("bill_k1")].covered)
    world.snapshot += 1
    await doorbell.order_changed(world.order_state(), world.facts())
    await create_bill(world, world.bill_request("k2", 6))
    await done(order(world))
    assert world.calls["match_bills_again"] == 0


async def test_told_to_match_again_a_waiting_bill_follows(world: World) -> None:
    """Rules 3.6: a unit was told, a policy changed: the order is the same, and the bill is judged anew all the same."""
    world.holds = ["UOM_UNKNOWN"]
    await create_bill(world, world.bill_request("k1", 10))
    await waits(world, "UOM_UNKNOWN")
    world.holds, world.warnings = [], [WARNING]
    await order(world).signal(contract.MATCH_AGAIN, "a unit was told")
    await waits(world)
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.AWAITING_ACKNOWLEDGEMENT
    world.warnings = []
    await order(world).signal(contract.MATCH_AGAIN, "a policy changed")
    await done(order(world))
    assert world.documents() == ["Vendor Invoice-bill_k1"]


async def test_a_bill_kept_back_on_its_way_out_waits_too(world: World) -> None:
    """An outage keeps a bill; the order is cut down meanwhile: when the ERP is back, the bill is not sent."""
    world.troubles["push_bill"] = [refused()]
    await create_bill(world, world.bill_request("k1", 10))
    await an_issue(world)
    here = world.bills[BillId("bill_k1")]
    here.status, here.needs, here.version = BillStatus.ON_HOLD, ["QTY_OVER_CEILING"], 2
    issue_id, _ = await an_issue(world)
    await settle(bill(world, "bill_k1"), issue_id, "retry")
    await eventually(lambda: _status(world, BillStatus.ON_HOLD))
    assert world.documents() == []
    await decide(world, bill(world, "bill_k1"), "bill_k1", "a1")
    await done(order(world))
    assert world.documents() == ["Vendor Invoice-bill_k1"]


async def test_an_older_word_does_not_undo_a_newer_one(world: World) -> None:
    """Words carry the bill's version: a re-match that arrives after a release is not believed."""
    world.holds = ["PRICE_DIFFERS"]
    await create_bill(world, world.bill_request("k1", 10))
    await waits(world, "PRICE_DIFFERS")
    late = BillMatched(bill_id=BillId("bill_k1"), status=BillStatus.AWAITING_ACKNOWLEDGEMENT, version=1)
    await bill(world, "bill_k1").signal(contract.BILL_MATCHED, late)
    assert (await bill_state(world, "bill_k1")).status is BillStatus.ON_HOLD
    await decide(world, bill(world, "bill_k1"), "bill_k1", "a1")
    await bill(world, "bill_k1").signal(contract.BILL_MATCHED, late)
    await done(order(world))
    assert (await bill_state(world, "bill_k1")).status is BillStatus.SYNCED


async def test_a_waiting_bill_that_is_given_up_ends(world: World) -> None:
    """A way out: its quantity is free, both workflows go on without it."""
    world.warnings = [WARNING]
    await create_bill(world, world.bill_request("k1", 10))
    await waits(world)
    world.bills[BillId("bill_k1")].status = BillStatus.ABANDONED
    given_up = BillNow(status=BillStatus.ABANDONED, paid="0", due="0")
    await bill(world, "bill_k1").signal(contract.BILL_CHANGED, given_up)
    assert await done(bill(world, "bill_k1")) == BillStatus.ABANDONED
    world.warnings = []
    await create_bill(world, world.bill_request("k2", 10))
    await done(order(world))
    assert world.documents() == ["Vendor Invoice-bill_k2"]
    with pytest.raises(WorkflowUpdateFailedError):
        await decide(world, bill(world, "bill_k2"), "bill_k1", "a1")


async def test_a_payment_scheduled_meanwhile_waits_for_the_bill(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """S4-25: the payment is planned on the waiting bill and starts once the ERP holds the bill."""
    world.warnings = [WARNING]
    await create_bill(world, world.bill_request("k1", 10))
    await waits(world)
    today = (await time_skipping.get_current_time()).date()
    ref = world.payment_request("p1", BillId("bill_k1"), "250", today - timedelta(days=1))
    assert (await schedule_payment(bill(world, "bill_k1"), ref)).outcome == "scheduled"
    assert world.calls["push_payment"] == 0
    await decide(world, bill(world, "bill_k1"), "bill_k1", "a1")
    assert await done(bill(world, "bill_k1")) == BillStatus.PAID
    await done(payment(world, "pay_p1"))


async def test_what_the_erp_refused_for_want_of_a_receipt_is_sent_again_when_one_comes(world: World) -> None:
    """S4-70: the ERP takes no bill before the goods; the receipt heals the issue by itself."""
    world.troubles["push_bill"] = [refused("not received yet", "NOT_RECEIVED")]
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, _ = await an_issue(world)
    await eventually(lambda: _order_sees(world, BillStatus.SYNC_ISSUE))
    world.terms = "ten received"
    world.snapshot += 1
    await Doorbell(world.client).order_changed(world.order_state(), world.facts())
    await done(order(world))
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("resolved", "posync")
    assert world.order_state().erp_id == ORDER_ERP_ID


async def _status(world: World, status: BillStatus) -> bool:
    return (await bill_state(world, "bill_k1")).status is status


async def _order_sees(world: World, status: BillStatus) -> bool:
    return [open_bill.status for open_bill in (await live(world)).bills] == [status]
