"""What a refusal does: an issue for a person, a wait, and a way on. No workflow fails."""

from datetime import date, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from erp.errors import NotFound, Unavailable
from models.domain import BillId, BillStatus, Erp, PaymentStatus, PoStatus, SyncIssueId
from models.messages import BillNow, BillPushed, BillState
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
    payment,
    payment_state,
    schedule_payment,
    settle,
)
from tests.workflows.world import A_LONG_LIFE, CONNECTION, ORDER, Bill, World, refused
from workflows import contract
from workflows.bill import BillWorkflow


async def test_a_refused_push_waits_behind_an_issue_until_a_person_retries(world: World) -> None:
    """S4-70, DESIGN 4: the refusal is an issue with the ERP's own words; retry settles it and the bill goes out."""
    world.troubles["push_bill"] = [refused()]
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, issue = await an_issue(world)
    assert (issue.opened.code, issue.opened.erp_code) == ("PERIOD_CLOSED", "BL03000018")
    assert issue.opened.workflow_id == "bill/bill_k1"
    assert issue.opened.evidence == {"period": "2026-09"}
    await eventually(lambda: _shown(world, "PERIOD_CLOSED"))
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.SYNC_ISSUE
    told = await details(bill(world, "bill_k1"))
    assert f"Waiting for: a person: issue {issue_id} (PERIOD_CLOSED): the posting period is closed" in told
    await eventually(lambda: _order_sees(world, BillStatus.SYNC_ISSUE))
    assert world.calls["push_bill"] == 1, "nothing is sent while a person is awaited"

    await settle(bill(world, "bill_k1"), issue_id, "retry")
    await done(order(world))
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("resolved", "ada")
    assert world.calls["push_bill"] == 2
    assert await attribute(bill(world, "bill_k1"), contract.ISSUE_CODE) is None
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.SYNCED
    assert (await bill_state(world, "bill_k1")).issue is None


async def test_a_word_that_comes_while_the_issue_is_being_opened_counts(world: World) -> None:
    """DESIGN 1: people see the issue before its workflow waits behind it; their word is not lost."""
    world.troubles["push_bill"] = [refused()]

    async def at_once(issue_id: SyncIssueId) -> None:
        await settle(bill(world, "bill_k1"), issue_id, "retry")

    world.while_opening = at_once
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    assert [(issue.state, issue.actor) for issue in world.issues.values()] == [("resolved", "ada")]
    assert world.calls["push_bill"] == 2


async def test_goods_that_arrive_while_the_bill_is_being_refused_heal_it(world: World) -> None:
    """S4-70: the receipt came between the ERP's answer and the issue; the bill does not wait for the next one."""
    world.troubles["push_bill"] = [refused("nothing to bill was received", "NOT_RECEIVED")]

    async def at_once(_: SyncIssueId) -> None:
        await bill(world, "bill_k1").signal(contract.ORDER_MOVED, "goods were received")

    world.while_opening = at_once
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    assert [(issue.state, issue.actor) for issue in world.issues.values()] == [("resolved", "posync")]
    assert world.calls["push_bill"] == 2


async def test_a_retry_that_is_refused_again_opens_the_next_issue(world: World) -> None:
    """DESIGN 4: a refusal is never a failed workflow, however often it comes."""
    world.troubles["push_bill"] = [refused(), refused("the vendor is on hold", "VENDOR_ON_HOLD")]
    await create_bill(world, world.bill_request("k1", 10))
    first, _ = await an_issue(world)
    await settle(bill(world, "bill_k1"), first, "retry")
    await eventually(lambda: world.issues[first].state == "resolved" and world.open_issues())
    second, issue = await an_issue(world)
    assert issue.opened.code == "VENDOR_ON_HOLD"
    await settle(bill(world, "bill_k1"), first, "abandon", why="a word that came late, on the old issue")
    await settle(bill(world, "bill_k1"), second, "retry")
    await done(order(world))
    assert world.issues[second].state == "resolved"
    assert len(world.documents()) == 1


async def test_a_bill_given_up_frees_its_order(world: World) -> None:
    """S1-24, DESIGN 4: abandoned, the bill's quantity is free and its order goes on without it."""
    world.troubles["push_bill"] = [refused()]
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, _ = await an_issue(world)
    blocked = await create_bill(world, world.bill_request("k2", 10))
    assert blocked.outcome == "BLOCK"
    await settle(bill(world, "bill_k1"), issue_id, "abandon", why="the goods went back")
    assert await done(bill(world, "bill_k1")) == BillStatus.ABANDONED
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("abandoned", "ada")
    await eventually(lambda: _no_bills(world))
    assert (await create_bill(world, world.bill_request("k3", 10))).outcome == "OK"
    await done(order(world))
    assert world.documents() == ["Vendor Invoice-bill_k3"]


async def test_what_the_erp_holds_is_not_given_up(world: World) -> None:
    """DESIGN 5: `abandon` on a bill that is in the ERP is answered by looking there again."""
    world.link_dropped = True
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, issue = await an_issue(world)
    assert issue.opened.code == "LINK_MISSING"
    world.link_dropped = False
    await settle(bill(world, "bill_k1"), issue_id, "abandon")
    await done(order(world))
    assert world.issues[issue_id].state == "resolved"
    assert (await bill_state(world, "bill_k1")).status is BillStatus.SYNCED


async def test_a_missing_link_is_an_issue_until_it_is_repaired(world: World) -> None:
    """S4-28, DESIGN 5: an accepted bill whose PO link is missing is held; repaired in the ERP, a retry sees it."""
    world.link_dropped = True
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, issue = await an_issue(world)
    assert issue.opened.evidence == {"document": "Vendor Invoice-bill_k1", "order": "PO-1007"}
    await eventually(lambda: _shown(world, "LINK_MISSING"))
    assert await attribute(bill(world, "bill_k1"), contract.STATUS) == BillStatus.LINK_MISSING
    assert "in the ERP as *Vendor Invoice-bill_k1*" in await details(bill(world, "bill_k1"))
    world.link_dropped = False
    await settle(bill(world, "bill_k1"), issue_id, "retry")
    await done(order(world))
    assert world.issues[issue_id].state == "resolved"
    assert world.documents() == ["Vendor Invoice-bill_k1"]


async def test_a_refused_payment_waits_and_is_given_up(world: World, time_skipping: WorkflowEnvironment) -> None:
    """S5-33: a payment the ERP refuses waits behind an issue; given up, its bill can be paid anew."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    today = (await time_skipping.get_current_time()).date()
    world.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    bill_id = BillId("bill_k1")
    await schedule_payment(bill(world, "bill_k1"), world.payment_request("p1", bill_id, "250", today))
    issue_id, issue = await an_issue(world)
    assert issue.opened.workflow_id == "payment/pay_p1"
    await eventually(lambda: _payment_shown(world, "BANK_ACCOUNT_INACTIVE"))
    assert "Waiting for: a person" in await details(payment(world, "pay_p1"))
    await settle(payment(world, "pay_p1"), issue_id, "abandon")
    assert (await done(payment(world, "pay_p1"))).status == PaymentStatus.ABANDONED
    assert await attribute(payment(world, "pay_p1"), contract.ISSUE_CODE) is None
    await eventually(lambda: _bill_is(world, BillStatus.SYNCED))
    await schedule_payment(bill(world, "bill_k1"), world.payment_request("p2", bill_id, "250", today))
    assert await done(bill(world, "bill_k1")) == BillStatus.PAID


async def test_a_refused_payment_is_retried(world: World, time_skipping: WorkflowEnvironment) -> None:
    """S5-33: what a person repaired in the ERP goes through on retry."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    today = (await time_skipping.get_current_time()).date()
    world.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await schedule_payment(bill(world, "bill_k1"), world.payment_request("p1", BillId("bill_k1"), "250", today))
    issue_id, _ = await an_issue(world)
    await settle(payment(world, "pay_p1"), issue_id, "retry")
    assert await done(bill(world, "bill_k1")) == BillStatus.PAID
    assert (await payment_state(world, "pay_p1")).status is PaymentStatus.PAID
    assert world.issues[issue_id].state == "resolved"


async def test_a_bill_without_its_order_workflow_is_given_up_all_the_same(world: World) -> None:
    """DESIGN 4: an operator may terminate an order's workflow; its bills do not fail for that."""
    world.troubles["push_bill"] = [refused()]
    world.bills[BillId("bill_k1")] = Bill(number="INV-1", quantity=world.facts().ordered)
    handle = await world.client.start_workflow(
        BillWorkflow.run,
        BillState(
            connection_id=CONNECTION,
            erp=Erp.INTACCT,
            bill_id=BillId("bill_k1"),
            purchase_order_id=ORDER,
            order_number="PO-1007",
            order_workflow_id="po/nobody/0",
            vendor="V-ACME",
            number="INV-1",
            total="250",
        ),
        id="bill/bill_k1",
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )
    issue_id, _ = await an_issue(world)
    await settle(handle, issue_id, "abandon")
    assert await done(handle) == BillStatus.ABANDONED


async def test_after_a_week_without_an_answer_a_person_is_told(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """DESIGN 6: an outage is retried for days; after the stated week it becomes an issue, and retry goes on."""
    world.outage_until = await time_skipping.get_current_time() + timedelta(days=8)
    world.come_back_after = timedelta(hours=1)
    await create_bill(world, world.bill_request("k1", 10))
    await eventually(lambda: world.calls["push_bill"])
    await time_skipping.sleep(timedelta(days=6, hours=23))
    assert not world.issues
    await time_skipping.sleep(timedelta(hours=2))
    issue_id, issue = await an_issue(world)
    assert issue.opened.code == "ERP_UNAVAILABLE"
    world.outage_until = None
    await settle(bill(world, "bill_k1"), issue_id, "retry")
    await done(order(world))
    assert world.issues[issue_id].state == "resolved"


async def test_an_order_that_is_gone_from_the_erp_is_told_at_once(world: World) -> None:
    """S5-78: an order deleted in the ERP while it is re-read becomes an issue, not two hours of tries."""
    world.shows_at_once = False
    world.troubles["refresh_purchase_order"] = [NotFound("PO-1007 is gone", code="RECORD_NOT_FOUND")]
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, issue = await an_issue(world)
    assert (issue.opened.code, issue.opened.subject_kind) == ("RECORD_NOT_FOUND", "purchase_order")
    assert world.calls["refresh_purchase_order"] == 1
    await settle(order(world), issue_id, "retry")
    await done(order(world))
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("resolved", "ada")


async def test_a_payment_on_a_finished_bill_is_turned_away(world: World) -> None:
    """S4-25: nothing can be paid on a bill that was given up; the caller hears it before anything is stored."""
    world.troubles["push_bill"] = [refused()]
    world.outage_until = None
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, _ = await an_issue(world)
    wrong = world.payment_request("p1", BillId("bill_other"), "1", date(2026, 12, 1))
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await schedule_payment(bill(world, "bill_k1"), wrong)
    assert "this is bill bill_k1, not bill_other" in str(refusal.value.cause)
    assert world.calls["schedule_payment"] == 0
    await settle(bill(world, "bill_k1"), issue_id, "abandon")
    await done(bill(world, "bill_k1"))
    assert (await bill(world, "bill_k1").describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_a_push_is_tried_again_by_itself(world: World, time_skipping: WorkflowEnvironment) -> None:
    """F5: an error worth repeating is repeated by the engine, and nobody is asked."""
    world.troubles["push_bill"] = [Unavailable("reset", code="ERP_UNAVAILABLE") for _ in range(2)]
    await create_bill(world, world.bill_request("k1", 10))
    await ended(time_skipping, order(world), timedelta(seconds=10))
    assert world.calls["push_bill"] == 3
    assert not world.issues
    assert await attribute(order(world), contract.STATUS) == PoStatus.FILLED


@pytest.mark.parametrize("told", [True, False], ids=["told", "word_lost"])
async def test_a_bill_unlinked_during_an_outage_frees_its_order(
    world: World, time_skipping: WorkflowEnvironment, told: bool
) -> None:
    """S1-24: taken off its order before the first sync; also when whoever did it died before it could say so."""
    world.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    await create_bill(world, world.bill_request("k1", 10))
    await eventually(lambda: world.calls["push_bill"])
    world.bills[BillId("bill_k1")].status = BillStatus.ABANDONED
    if told:
        given_up = BillNow(status=BillStatus.ABANDONED, paid="0", due="0")
        await bill(world, "bill_k1").signal(contract.BILL_CHANGED, given_up)
        word = BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.ABANDONED, covered=False, facts=world.facts())
        await order(world).signal(contract.BILL_PUSHED, word)
        await eventually(lambda: _no_bills(world))
    assert await ended(time_skipping, bill(world, "bill_k1"), timedelta(hours=1, minutes=5)) == BillStatus.ABANDONED
    await eventually(lambda: _no_bills(world))
    assert world.documents() == []
    assert (await create_bill(world, world.bill_request("k2", 10))).outcome == "OK"
    await done(order(world))
    assert world.documents() == ["Vendor Invoice-bill_k2"]


async def _shown(world: World, code: str) -> bool:
    return await attribute(bill(world, "bill_k1"), contract.ISSUE_CODE) == code


async def _payment_shown(world: World, code: str) -> bool:
    return await attribute(payment(world, "pay_p1"), contract.ISSUE_CODE) == code


async def _order_sees(world: World, status: BillStatus) -> bool:
    return [held.status for held in (await live(world)).bills] == [status]


async def _no_bills(world: World) -> bool:
    return not (await live(world)).bills


async def _bill_is(world: World, status: BillStatus) -> bool:
    return (await bill_state(world, "bill_k1")).status is status
