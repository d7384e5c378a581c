"""What a refusal does: an issue for a person, a wait, and a way on. No workflow fails."""

from datetime import date, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from erp.errors import NotFound, Unavailable
from models import contract
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId, SyncIssueId
from models.domain.issue_states import IssueDecision
from models.domain.orders import PoStatus
from models.domain.payments import PaymentStatus
from models.messages.bills import BillBalance, BillMatched, BillState, CorrectedBill
from models.messages.issues import SettleIssue
from models.messages.orders import BillPushed
from tests.fakes.fake_order import CONNECTION, ORDER, Bill, refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    ended,
    live,
    order,
    payment,
    payment_state,
    schedule_payment,
    settle,
)
from tests.harness.workflow_harness import A_LONG_LIFE, WorkflowHarness
from workflows.bill import BillWorkflow
from workflows.bill_push import HEALED_BY_THE_ORDER


def _abandon(issue_id: SyncIssueId) -> SettleIssue:
    return SettleIssue(issue_id=issue_id, decision=IssueDecision.ABANDON, actor="ben", why="not ours")


async def test_a_refused_push_goes_on_with_what_a_person_corrects(harness: WorkflowHarness) -> None:
    """Kind 3: the correction is the retry; the issue is closed in the name of the one who corrected it."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    await eventually(lambda: _order_sees(harness, BillStatus.SYNC_ISSUE))
    state = await bill_state(harness, "bill_k1")
    says = CorrectedBill.model_validate(
        {**state.model_dump(include=set(CorrectedBill.model_fields)), "number": "INV-2", "by": "ada"}
    )
    matched = BillMatched(
        bill_id=state.bill_id, status=BillStatus.SYNC_ISSUE, version=state.version + 1, corrected=says
    )
    await bill(harness, "bill_k1").signal(BillWorkflow.bill_matched, matched)
    await done(order(harness))
    assert harness.calls["push_bill"] == 2
    settled = harness.issues[issue_id]
    assert (settled.state, settled.actor) == ("resolved", "ada")


async def test_a_refused_push_waits_behind_an_issue_until_a_person_retries(harness: WorkflowHarness) -> None:
    """S4-70, DESIGN 4: the refusal is an issue with the ERP's own words; retry settles it and the bill goes out."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, issue = await an_issue(harness)
    assert (issue.opened.code, issue.opened.erp_code) == ("PERIOD_CLOSED", "BL03000018")
    assert issue.opened.workflow_id == "bill/bill_k1"
    assert issue.opened.evidence == {"period": "2026-09"}
    await eventually(lambda: _shown(harness, "PERIOD_CLOSED"))
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.SYNC_ISSUE
    told = await details(bill(harness, "bill_k1"))
    assert f"Waiting for: a person: issue {issue_id} (PERIOD_CLOSED): the posting period is closed" in told
    await eventually(lambda: _order_sees(harness, BillStatus.SYNC_ISSUE))
    assert harness.calls["push_bill"] == 1, "nothing is sent while a person is awaited"

    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "ada")
    assert harness.calls["push_bill"] == 2
    assert await attribute(bill(harness, "bill_k1"), contract.ISSUE_CODE) is None
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.SYNCED
    assert (await bill_state(harness, "bill_k1")).issue is None


async def test_a_word_that_comes_while_the_issue_is_being_opened_counts(harness: WorkflowHarness) -> None:
    """DESIGN 1: people see the issue before its workflow waits behind it; their word is not lost."""
    harness.troubles["push_bill"] = [refused()]

    async def at_once(issue_id: SyncIssueId) -> None:
        await settle(bill(harness, "bill_k1"), issue_id, "retry")

    harness.while_opening = at_once
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    assert [(issue.state, issue.actor) for issue in harness.issues.values()] == [("resolved", "ada")]
    assert harness.calls["push_bill"] == 2


@pytest.mark.parametrize("code", HEALED_BY_THE_ORDER)
async def test_goods_that_arrive_while_the_bill_is_being_refused_heal_it(harness: WorkflowHarness, code: str) -> None:
    """S4-70: the receipt came, or was turned into the bill, between the ERP's answer and the issue; the bill does not
    wait for the next one."""
    harness.troubles["push_bill"] = [refused("of what was received", code)]

    async def at_once(_: SyncIssueId) -> None:
        await bill(harness, "bill_k1").signal(contract.ORDER_MOVED, "goods were received")

    harness.while_opening = at_once
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    assert [(issue.state, issue.actor) for issue in harness.issues.values()] == [("resolved", "posync")]
    assert harness.calls["push_bill"] == 2


async def test_a_retry_that_is_refused_again_opens_the_next_issue(harness: WorkflowHarness) -> None:
    """DESIGN 4: a refusal is never a failed workflow, however often it comes."""
    harness.troubles["push_bill"] = [refused(), refused("the vendor is on hold", "VENDOR_ON_HOLD")]
    await create_bill(harness, harness.bill_request("k1", 10))
    first, _ = await an_issue(harness)
    await settle(bill(harness, "bill_k1"), first, "retry")
    await eventually(lambda: harness.issues[first].state == "resolved" and harness.open_issues())
    second, issue = await an_issue(harness)
    assert issue.opened.code == "VENDOR_ON_HOLD"
    await settle(bill(harness, "bill_k1"), first, "abandon", why="a word that came late, on the old issue")
    await settle(bill(harness, "bill_k1"), second, "retry")
    await done(order(harness))
    assert harness.issues[second].state == "resolved"
    assert len(harness.documents()) == 1


async def test_a_bill_abandoned_frees_its_order(harness: WorkflowHarness) -> None:
    """S1-24, DESIGN 4: abandoned, the bill's quantity is free and its order goes on without it."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    blocked = await create_bill(harness, harness.bill_request("k2", 10))
    assert blocked.outcome == "BLOCK"
    await settle(bill(harness, "bill_k1"), issue_id, "abandon", why="the goods went back")
    assert await done(bill(harness, "bill_k1")) == BillStatus.ABANDONED
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("abandoned", "ada")
    await eventually(lambda: _no_bills(harness))
    assert (await create_bill(harness, harness.bill_request("k3", 10))).outcome == "OK"
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k3"]


async def test_a_bill_abandoned_after_a_retry_that_has_not_begun_is_abandoned(harness: WorkflowHarness) -> None:
    """Both decisions were accepted: the later one counts, and the bill is not sent again."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    harness.abandoned_before_retry = _abandon(issue_id)
    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    assert await done(bill(harness, "bill_k1")) == BillStatus.ABANDONED
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("abandoned", "ben")
    assert harness.calls["push_bill"] == 1


async def test_a_bill_abandoned_while_its_refusal_comes_back_is_done(harness: WorkflowHarness) -> None:
    """G15: the refusal finds nothing to stop; the next look says that the bill is abandoned, and nothing waits."""
    harness.troubles["push_bill"] = [refused()]

    def abandon() -> None:
        harness.bills[BillId("bill_k1")].status = BillStatus.ABANDONED

    harness.before_opening = abandon
    await create_bill(harness, harness.bill_request("k1", 10))
    assert await done(bill(harness, "bill_k1")) == BillStatus.ABANDONED
    assert harness.calls["open_issue"] == 1
    assert harness.issues == {}
    await eventually(lambda: _no_bills(harness))


async def test_what_the_erp_holds_is_not_abandoned(harness: WorkflowHarness) -> None:
    """DESIGN 5: `abandon` on a bill that is in the ERP is answered by looking there again."""
    harness.link_dropped = True
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, issue = await an_issue(harness)
    assert issue.opened.code == "LINK_MISSING"
    harness.link_dropped = False
    await settle(bill(harness, "bill_k1"), issue_id, "abandon")
    await done(order(harness))
    assert harness.issues[issue_id].state == "resolved"
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.SYNCED


async def test_a_missing_link_is_an_issue_until_it_is_repaired(harness: WorkflowHarness) -> None:
    """S4-28, DESIGN 5: an accepted bill whose PO link is missing is held; repaired in the ERP, a retry sees it."""
    harness.link_dropped = True
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, issue = await an_issue(harness)
    assert issue.opened.evidence == {"document": "Vendor Invoice-bill_k1", "order": "PO-1007"}
    await eventually(lambda: _shown(harness, "LINK_MISSING"))
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.LINK_MISSING
    assert "in the ERP as *Vendor Invoice-bill_k1*" in await details(bill(harness, "bill_k1"))
    harness.link_dropped = False
    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    await done(order(harness))
    assert harness.issues[issue_id].state == "resolved"
    assert harness.documents() == ["Vendor Invoice-bill_k1"]


async def test_a_refused_payment_waits_and_is_abandoned(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S5-33: a payment the ERP refuses waits behind an issue; abandoned, its bill can be paid anew."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    today = (await time_skipping.get_current_time()).date()
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    bill_id = BillId("bill_k1")
    await schedule_payment(harness, harness.payment_request("p1", bill_id, "250", today))
    issue_id, issue = await an_issue(harness)
    assert issue.opened.workflow_id == "payment/pay_p1"
    await eventually(lambda: _payment_shown(harness, "BANK_ACCOUNT_INACTIVE"))
    assert "Waiting for: a person" in await details(payment(harness, "pay_p1"))
    await settle(payment(harness, "pay_p1"), issue_id, "abandon")
    assert (await done(payment(harness, "pay_p1"))).status == PaymentStatus.ABANDONED
    assert await attribute(payment(harness, "pay_p1"), contract.ISSUE_CODE) is None
    await eventually(lambda: _bill_is(harness, BillStatus.SYNCED))
    await schedule_payment(harness, harness.payment_request("p2", bill_id, "250", today))
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID


async def test_a_refused_payment_is_retried(harness: WorkflowHarness, time_skipping: WorkflowEnvironment) -> None:
    """S5-33: what a person repaired in the ERP goes through on retry."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    today = (await time_skipping.get_current_time()).date()
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await schedule_payment(harness, harness.payment_request("p1", BillId("bill_k1"), "250", today))
    issue_id, _ = await an_issue(harness)
    await settle(payment(harness, "pay_p1"), issue_id, "retry")
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID
    assert (await payment_state(harness, "pay_p1")).status is PaymentStatus.PAID
    assert harness.issues[issue_id].state == "resolved"


async def test_a_payment_abandoned_after_a_retry_that_has_not_begun_is_abandoned(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """The bill's brother: it is not sent again."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    today = (await time_skipping.get_current_time()).date()
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await schedule_payment(harness, harness.payment_request("p1", BillId("bill_k1"), "250", today))
    issue_id, _ = await an_issue(harness)
    harness.abandoned_before_retry = _abandon(issue_id)
    await settle(payment(harness, "pay_p1"), issue_id, "retry")
    assert (await done(payment(harness, "pay_p1"))).status == PaymentStatus.ABANDONED
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("abandoned", "ben")
    assert harness.calls["push_payment"] == 1


async def test_a_bill_without_its_order_workflow_is_abandoned_all_the_same(harness: WorkflowHarness) -> None:
    """DESIGN 4: an operator may terminate an order's workflow; its bills do not fail for that."""
    harness.troubles["push_bill"] = [refused()]
    harness.bills[BillId("bill_k1")] = Bill(number="INV-1", quantity=harness.facts().ordered)
    handle = await harness.client.start_workflow(
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
    issue_id, _ = await an_issue(harness)
    await settle(handle, issue_id, "abandon")
    assert await done(handle) == BillStatus.ABANDONED


async def test_after_a_week_without_an_answer_a_person_is_told(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """DESIGN 6: an outage is retried for days; after the stated week it becomes an issue, and retry goes on."""
    harness.outage_until = await time_skipping.get_current_time() + timedelta(days=8)
    harness.come_back_after = timedelta(hours=1)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["push_bill"])
    await time_skipping.sleep(timedelta(days=6, hours=23))
    assert not harness.issues
    await time_skipping.sleep(timedelta(hours=2))
    issue_id, issue = await an_issue(harness)
    assert issue.opened.code == "ERP_UNAVAILABLE"
    harness.outage_until = None
    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    await done(order(harness))
    assert harness.issues[issue_id].state == "resolved"


async def test_an_order_that_is_gone_from_the_erp_is_told_at_once(harness: WorkflowHarness) -> None:
    """S5-78: an order deleted in the ERP while it is re-read becomes an issue, not two hours of tries."""
    harness.shows_at_once = False
    harness.troubles["refresh_purchase_order"] = [NotFound("PO-1007 is gone", code="RECORD_NOT_FOUND")]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, issue = await an_issue(harness)
    assert (issue.opened.code, issue.opened.subject_kind) == ("RECORD_NOT_FOUND", "purchase_order")
    assert harness.calls["refresh_purchase_order"] == 1
    await settle(order(harness), issue_id, "retry")
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "ada")


async def test_a_payment_told_to_a_bill_that_is_abandoned_ends_with_it(harness: WorkflowHarness) -> None:
    """S4-25: decided before the bill was abandoned, told after it: it is abandoned too, and told once more changes
    nothing."""
    harness.troubles["push_bill"] = [refused()]
    bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
    assert bill_id is not None
    issue_id, _ = await an_issue(harness)
    asked = harness.payment_request("p1", bill_id, "250", date(2026, 12, 1))
    for _ in range(2):
        assert await schedule_payment(harness, asked)
    assert len((await bill_state(harness, bill_id)).payments) == 1
    await settle(bill(harness, bill_id), issue_id, "abandon")
    assert await done(bill(harness, bill_id)) == BillStatus.ABANDONED
    assert harness.payments[asked.payment_id].status is PaymentStatus.ABANDONED


async def test_a_push_is_tried_again_by_itself(harness: WorkflowHarness, time_skipping: WorkflowEnvironment) -> None:
    """F5: an error worth repeating is repeated by the engine, and nobody is asked."""
    harness.troubles["push_bill"] = [Unavailable("reset", code="ERP_UNAVAILABLE") for _ in range(2)]
    await create_bill(harness, harness.bill_request("k1", 10))
    await ended(time_skipping, order(harness), timedelta(seconds=10))
    assert harness.calls["push_bill"] == 3
    assert not harness.issues
    assert await attribute(order(harness), contract.STATUS) == PoStatus.FILLED


@pytest.mark.parametrize("told", [True, False], ids=["told", "word_lost"])
async def test_a_bill_unlinked_during_an_outage_frees_its_order(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment, told: bool
) -> None:
    """S1-24: taken off its order before the first sync; also when whoever did it died before it could say so."""
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["push_bill"])
    harness.bills[BillId("bill_k1")].status = BillStatus.ABANDONED
    if told:
        abandoned = BillBalance(status=BillStatus.ABANDONED, paid="0", due="0")
        await bill(harness, "bill_k1").signal(contract.BILL_CHANGED, abandoned)
        word = BillPushed(
            bill_id=BillId("bill_k1"), status=BillStatus.ABANDONED, confirmed=False, facts=harness.facts()
        )
        await order(harness).signal(contract.BILL_PUSHED, word)
        await eventually(lambda: _no_bills(harness))
    assert await ended(time_skipping, bill(harness, "bill_k1"), timedelta(hours=1, minutes=5)) == BillStatus.ABANDONED
    await eventually(lambda: _no_bills(harness))
    assert harness.documents() == []
    assert (await create_bill(harness, harness.bill_request("k2", 10))).outcome == "OK"
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k2"]


async def _shown(harness: WorkflowHarness, code: str) -> bool:
    return await attribute(bill(harness, "bill_k1"), contract.ISSUE_CODE) == code


async def _payment_shown(harness: WorkflowHarness, code: str) -> bool:
    return await attribute(payment(harness, "pay_p1"), contract.ISSUE_CODE) == code


async def _order_sees(harness: WorkflowHarness, status: BillStatus) -> bool:
    return [held.status for held in (await live(harness)).bills] == [status]


async def _no_bills(harness: WorkflowHarness) -> bool:
    return not (await live(harness)).bills


async def _bill_is(harness: WorkflowHarness, status: BillStatus) -> bool:
    return (await bill_state(harness, "bill_k1")).status is status
