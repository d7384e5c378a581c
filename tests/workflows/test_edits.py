"""An edit of a bill the ERP holds: sent once, before the next payment; a refused one waits for a person."""

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from models.domain import BillId, BillStatus
from models.messages import BillEdited
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
    order,
    schedule_payment,
    settle,
)
from tests.workflows.world import World, refused
from workflows import contract

BILL = BillId("bill_k1")


@pytest.fixture
async def world(world: World) -> World:
    """With one bill of 250.00 that the ERP holds."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    return world


async def edit(world: World, edition: int) -> None:
    world.bills[BILL].edition = max(world.bills[BILL].edition, edition)
    await bill(world, BILL).signal(contract.BILL_EDITED, BillEdited(bill_id=BILL, edition=edition))


async def in_erp(world: World, edition: int) -> bool:
    return world.bills[BILL].edition_in_erp == edition and (await bill_state(world, BILL)).edit_sent == edition


async def test_an_edit_reaches_the_erp_once(world: World) -> None:
    """S5-136, S1-17: the newest edition is sent; heard twice, or late, it is not sent again."""
    await edit(world, 1)
    await eventually(lambda: in_erp(world, 1))
    await edit(world, 1)
    await edit(world, 2)
    await eventually(lambda: in_erp(world, 2))
    await edit(world, 1)
    assert (await bill_state(world, BILL)).edit_asked == 2
    assert world.calls["push_bill_edit"] == 2
    assert world.calls["push_bill"] == 1
    assert (await bill_state(world, BILL)).status is BillStatus.SYNCED
    assert not world.issues


async def test_an_edit_goes_before_the_payment(world: World, time_skipping: WorkflowEnvironment) -> None:
    """S5-136: what was edited before a payment was asked for is in the ERP when the payment is sent."""
    now = await time_skipping.get_current_time()
    world.outage_until = now + timedelta(hours=1)
    await edit(world, 1)
    await eventually(lambda: world.calls["push_bill_edit"])
    await schedule_payment(bill(world, BILL), world.payment_request("p1", BILL, "250", now.date()))
    assert "an edit on its way to the ERP" in await details(bill(world, BILL))
    assert world.calls["push_payment"] == 0
    assert await ended(time_skipping, bill(world, BILL), timedelta(hours=1, minutes=5)) == BillStatus.PAID
    assert world.bills[BILL].edition_in_erp == 1
    assert world.calls["push_payment"] == 1


async def test_a_refused_edit_waits_behind_an_issue_and_the_bill_stays_what_it_is(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """S2-87, DESIGN 4: the edit was refused, not the bill; a person's retry sends it, and the payment follows."""
    world.troubles["push_bill_edit"] = [refused()]
    await edit(world, 1)
    issue_id, issue = await an_issue(world)
    assert issue.opened.keeps_status
    await eventually(lambda: _shown(world, "PERIOD_CLOSED"))
    assert await attribute(bill(world, BILL), contract.STATUS) == BillStatus.SYNCED
    today = (await time_skipping.get_current_time()).date()
    await schedule_payment(bill(world, BILL), world.payment_request("p1", BILL, "250", today))
    assert world.calls["push_payment"] == 0
    await settle(bill(world, BILL), issue_id, "retry")
    assert await done(bill(world, BILL)) == BillStatus.PAID
    assert world.issues[issue_id].state == "resolved"
    assert world.bills[BILL].edition_in_erp == 1
    assert world.calls["push_bill_edit"] == 2


async def test_a_second_edit_settles_the_refusal_of_the_first(world: World) -> None:
    """S2-87: whoever edits the bill again has answered the issue; only the newest edition is sent."""
    world.troubles["push_bill_edit"] = [refused()]
    await edit(world, 1)
    issue_id, _ = await an_issue(world)
    await edit(world, 2)
    await eventually(lambda: in_erp(world, 2))
    await eventually(lambda: _shown(world, None))
    assert world.issues[issue_id].state == "resolved"
    assert world.calls["push_bill_edit"] == 2


async def test_a_refused_edit_is_given_up(world: World) -> None:
    """DESIGN 4: given up, the edit is sent no more, and the bill goes on as the ERP holds it."""
    world.troubles["push_bill_edit"] = [refused()]
    await edit(world, 1)
    issue_id, _ = await an_issue(world)
    await settle(bill(world, BILL), issue_id, "abandon", why="it was right before")
    await eventually(lambda: _shown(world, None))
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("abandoned", "ada")
    assert world.calls["push_bill_edit"] == world.calls["edit given up"] == 1
    assert (await bill_state(world, BILL)).status is BillStatus.SYNCED


async def test_an_edit_that_cost_the_bill_its_link_is_an_issue(world: World) -> None:
    """S4-28, DESIGN 5: the edit is read back too; repaired in the ERP, a retry sees it."""
    world.link_dropped = True
    await edit(world, 1)
    issue_id, issue = await an_issue(world)
    assert issue.opened.code == "LINK_MISSING"
    world.link_dropped = False
    await settle(bill(world, BILL), issue_id, "retry")
    await eventually(lambda: _shown(world, None))
    assert world.issues[issue_id].state == "resolved"
    assert (await bill_state(world, BILL)).status is BillStatus.SYNCED


async def _shown(world: World, code: str | None) -> bool:
    """No code is shown before an issue, too: only a settled one counts."""
    if code is None and world.open_issues():
        return False
    return await attribute(bill(world, BILL), contract.ISSUE_CODE) == code
