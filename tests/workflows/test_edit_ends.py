"""Edits that a bill's own end, or a lost word, settles."""

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from models.domain import BillId, BillStatus
from models.messages import BillEdited, BillNow
from tests.workflows.desk import (
    an_issue,
    bill,
    create_bill,
    details,
    done,
    ended,
    eventually,
    order,
    schedule_payment,
    settle,
)
from tests.workflows.world import World, refused
from workflows import contract

BILL = BillId("bill_k1")
PAID = BillNow(status=BillStatus.PAID, paid="250", due="0")


@pytest.fixture
async def world(world: World) -> World:
    """With one bill of 250.00 that the ERP holds."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    return world


async def edit(world: World, edition: int) -> None:
    world.bills[BILL].edition = edition
    await bill(world, BILL).signal(contract.BILL_EDITED, BillEdited(bill_id=BILL, edition=edition))


async def test_a_bill_paid_in_the_erp_gives_its_waiting_edit_up(world: World) -> None:
    """B10: a paid bill cannot be edited any more; its issue is closed and its workflow ends."""
    world.troubles["push_bill_edit"] = [refused("already paid", "ALREADY_PAID")]
    await edit(world, 1)
    issue_id, _ = await an_issue(world)
    await eventually(lambda: _waits(world))
    await bill(world, BILL).signal(contract.BILL_CHANGED, PAID)
    assert await done(bill(world, BILL)) == BillStatus.PAID
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("resolved", "posync")
    assert world.calls["edit given up"] == world.calls["push_bill_edit"] == 1


async def test_an_edit_told_after_the_bill_was_paid_is_given_up_unsent(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """One edit is still on its way when the next one, and then the end of the bill, become known."""
    world.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    await edit(world, 1)
    await eventually(lambda: world.calls["push_bill_edit"])
    await edit(world, 2)
    await bill(world, BILL).signal(contract.BILL_CHANGED, PAID)
    tried = await ended(time_skipping, bill(world, BILL), timedelta(hours=1, minutes=5))
    assert tried == BillStatus.PAID
    assert world.calls["edit given up"] == 1
    assert not world.issues


async def test_a_payment_brings_the_word_of_an_edit_that_was_lost(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """F9: the API died before it told of the edit; the payment's answer tells, and the edit goes first."""
    world.bills[BILL].edition = 1
    world.troubles["push_bill_edit"] = [refused()]
    today = (await time_skipping.get_current_time()).date()
    await schedule_payment(bill(world, BILL), world.payment_request("p1", BILL, "250", today))
    issue_id, _ = await an_issue(world)
    assert world.calls["push_payment"] == 0
    await settle(bill(world, BILL), issue_id, "retry")
    assert await done(bill(world, BILL)) == BillStatus.PAID
    assert world.bills[BILL].edition_in_erp == 1
    assert world.calls["push_payment"] == 1


async def _waits(world: World) -> bool:
    return "a person" in await details(bill(world, BILL))
