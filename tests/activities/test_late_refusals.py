"""A refusal that comes back late, and decisions that nobody waits for: nothing is left in a state without a way on."""

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected, Unavailable
from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId, SyncIssueId
from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
from models.domain.payments import PaymentStatus
from models.domain.sync import DeletedKind
from models.domain.writes import WriteKind
from models.messages.issues import CloseIssue, OpenIssue, SettleIssue
from models.messages.writes import AbandonWrite
from models.store.audit import sync_issues
from models.store.payables import bill_edits, statuses
from services.bills.ending import abandon_bill
from services.payments.scheduling import abandon_payment
from services.sync.issue_decisions import close_as_decided
from tests.builders.records import an_erp_payment, an_order, gone
from tests.harness.activity_harness import ActivityHarness


async def sent_and_refused(harness: ActivityHarness, bill_id: BillId) -> None:
    harness.erp.refuse_writes = [Rejected("the posting period is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)


async def open_issue(harness: ActivityHarness, subject: IssueSubject, subject_id: str) -> SyncIssueId | None:
    """What the workflow does with the refusal."""
    return await harness.mirror.open_issue(
        OpenIssue(
            connection_id=harness.tenant.connection_id,
            subject_kind=subject,
            subject_id=subject_id,
            code="PERIOD_CLOSED",
            message="the posting period is closed",
            workflow_id=f"{subject}/{subject_id}",
        )
    )


async def abandon(harness: ActivityHarness, bill_id: BillId) -> None:
    async with harness.tenant.database.transaction() as s:
        bill = await bill_edits.lock(s, bill_id, harness.tenant.organization_id)
        assert bill is not None
        await abandon_bill(s, bill, actor="ada", why="not ours", request_key="abandon")


async def outside(harness: ActivityHarness) -> list[Any]:
    async with harness.tenant.database.transaction() as s:
        rows = await statuses.outside(s)
    return [row for row in rows if row.connection_id == harness.tenant.connection_id]


async def decided(harness: ActivityHarness, issue_id: SyncIssueId, decision: IssueDecision) -> None:
    """A person decides, and no workflow runs that waits for it."""
    async with harness.tenant.database.transaction() as s:
        await sync_issues.decide(s, issue_id, decision, actor="ada", why="not ours")
    async with harness.tenant.database.transaction() as s:
        await close_as_decided(s, issue_id, request_key="decided")


async def test_a_bill_that_is_abandoned_while_its_refusal_comes_back_stays_abandoned(harness: ActivityHarness) -> None:
    """G15: it became a sync issue with its write abandoned and its issue resolved, and waited for nothing, for ever."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await sent_and_refused(harness, bill_id)
    await abandon(harness, bill_id)
    assert await open_issue(harness, IssueSubject.BILL, bill_id) is None
    assert (await harness.tenant.bill_row(bill_id)).status == BillStatus.ABANDONED
    assert await harness.tenant.open_issues() == {}
    assert (await harness.push(bill_id)).status is BillStatus.ABANDONED, "so its workflow learns it"
    assert await outside(harness) == []


async def test_a_payment_that_is_abandoned_while_its_refusal_comes_back_stays_abandoned(
    harness: ActivityHarness,
) -> None:
    """G15, its brother among payments."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await harness.push(bill_id)
    payment_id = await harness.paid(bill_id, "10.00", key="p1")
    harness.erp.refuse_writes = [Rejected("the bank account is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    async with harness.tenant.database.transaction() as s:
        await abandon_payment(s, payment_id, actor="ada", why="not now", request_key="abandon")
    assert await open_issue(harness, IssueSubject.PAYMENT, payment_id) is None
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.ABANDONED
    assert await outside(harness) == []


async def test_a_bill_that_went_back_to_review_while_its_push_ran_out_of_time_waits_for_its_match(
    harness: ActivityHarness,
) -> None:
    """G15, its brother in review: a sync issue with a write on hold could neither be retried nor released."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.refuse_writes = [Unavailable("off-line", code="ERP_OFFLINE")]
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.tenant.page(an_order(lines={1: 2}, revision="2026-03-01 11:00:00"))
    (matched,) = (await harness.rematch(order)).bills
    assert matched.status.is_in_review
    assert await open_issue(harness, IssueSubject.BILL, bill_id) is None
    assert (await harness.push(bill_id)).status is matched.status
    assert await outside(harness) == []


async def test_an_abandoned_bill_takes_its_issue_along(harness: ActivityHarness) -> None:
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await sent_and_refused(harness, bill_id)
    assert await open_issue(harness, IssueSubject.BILL, bill_id) is not None
    await abandon(harness, bill_id)
    assert await harness.tenant.open_issues() == {}
    assert await outside(harness) == []


async def test_an_issue_of_an_ended_workflow_abandons_its_bill(harness: ActivityHarness) -> None:
    """B11: the issue was closed and nothing else, and the next sync sent what a person had abandoned."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await sent_and_refused(harness, bill_id)
    issue_id = await open_issue(harness, IssueSubject.BILL, bill_id)
    assert issue_id is not None
    await decided(harness, issue_id, IssueDecision.ABANDON)
    assert (await harness.tenant.bill_row(bill_id)).status == BillStatus.ABANDONED
    assert (await harness.push(bill_id)).status is BillStatus.ABANDONED
    assert harness.erp.invoices == {}


async def test_an_issue_of_an_ended_workflow_does_not_abandon_what_the_erp_may_hold(harness: ActivityHarness) -> None:
    """B11: its workflow is started by the next sync, and looks in the ERP first."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    issue_id = await open_issue(harness, IssueSubject.BILL, bill_id)
    assert issue_id is not None
    await decided(harness, issue_id, IssueDecision.ABANDON)
    assert (await harness.tenant.bill_row(bill_id)).status == BillStatus.SYNC_ISSUE
    assert await harness.tenant.open_issues() == {}
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED


async def test_a_decision_to_abandon_outlives_the_retry_before_it(harness: ActivityHarness) -> None:
    """A retry was accepted, then the abandon, and both had their answer: the retry does not close the issue."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await sent_and_refused(harness, bill_id)
    issue_id = await open_issue(harness, IssueSubject.BILL, bill_id)
    assert issue_id is not None
    for decision in (IssueDecision.RETRY, IssueDecision.ABANDON):
        async with harness.tenant.database.transaction() as s:
            await sync_issues.decide(s, issue_id, decision, actor="ada", why=decision)
    close = CloseIssue(issue_id=issue_id, state=IssueState.RESOLVED, actor="ada", for_retry=True)
    assert await harness.mirror.close_issue(close) == SettleIssue(
        issue_id=issue_id, decision=IssueDecision.ABANDON, actor="ada", why="abandon"
    )
    assert len(await harness.tenant.open_issues()) == 1
    word = AbandonWrite(subject_kind=WriteKind.BILL, subject_id=bill_id, actor="ada")
    assert (await harness.mirror.abandon_write(word)).done
    assert await harness.mirror.close_issue(close) is None, "closed with its bill: the retry finds nothing to close"
    assert await harness.tenant.open_issues() == {}


async def test_a_bill_deleted_in_the_erp_takes_its_issues_along(harness: ActivityHarness) -> None:
    """B13: issues of a bill that is gone stayed open."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.changed_content = ("the memo differs",)
    await harness.push(bill_id)
    assert await open_issue(harness, IssueSubject.BILL, bill_id) is not None
    (invoice,) = harness.erp.invoices.values()
    await harness.tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, invoice.erp_id))
    assert await harness.tenant.open_issues() == {}
    assert await open_issue(harness, IssueSubject.BILL, bill_id) is None
    assert (await harness.push(bill_id)).status is BillStatus.DELETED
    assert await outside(harness) == []


async def test_a_payment_voided_before_its_answer_came_is_not_paid_by_it(harness: ActivityHarness) -> None:
    """G5: the sync reads the void first, the lost answer is looked up afterwards."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await harness.push(bill_id)
    payment_id = await harness.paid(bill_id, "10.00", key="p1")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    (created,) = harness.erp.created_payments.values()
    await harness.tenant.payments_in(
        an_erp_payment(int(created.erp_id), shares={}, voided=True, document_number=created.payment.external_key)
    )
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.VOIDED
    assert await status_of(harness, payment_id) == "voided"
    assert await outside(harness) == []


async def status_of(harness: ActivityHarness, payment_id: PaymentId) -> str:
    (row,) = await harness.tenant.fetch("select status from payments where id = :id", id=payment_id)
    return str(row.status)
