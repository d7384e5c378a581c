"""Stop a bill's, a payment's or an edit's workflow behind a sync issue: the status and the issue in one transaction."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import bill_states, payment_states
from models.domain.bills import BillStatus
from models.domain.ids import SYNCER, BillId, OrganizationId, PaymentId, SyncIssueId
from models.domain.issue_states import IssueSubject
from models.domain.payments import PaymentStatus
from models.messages.issues import OpenIssue
from models.store.audit import sync_issues
from models.store.payables import bill_edits, bills, payments, pending_edits, retractions
from models.store.payables.bill_edits import EditRefused
from models.tables import SyncIssueRow
from services.bills import parts
from services.bills.ending import abandon_bill
from services.payments.scheduling import abandon_payment


async def stop_behind_issue(session: AsyncSession, issue: OpenIssue) -> SyncIssueId | None:
    """Open the issue that a workflow waits behind, and show it on the bill or payment that it stops.

    None: there is nothing to stop any more. While the refusal was on its way, the bill or payment was abandoned,
    deleted or voided, or the bill went back to review. Its workflow then asks once more, and learns so.
    """
    if issue.subject_kind is IssueSubject.BILL and not await _stop_bill(session, issue):
        return None
    if issue.subject_kind is IssueSubject.PAYMENT and not await _stop_payment(session, issue):
        return None
    return await sync_issues.open_issue(
        session,
        issue.code,
        connection_id=issue.connection_id,
        subject_kind=issue.subject_kind,
        subject_id=issue.subject_id,
        subject_name=issue.title,
        cause=issue.message,
        evidence={**issue.evidence, **({"erp_code": issue.erp_code} if issue.erp_code else {})},
        workflow_id=issue.workflow_id,
    )


async def abandon_stopped(session: AsyncSession, issue: SyncIssueRow, *, request_key: str) -> bool:
    """Abandon what an issue stops, as a person decided, where no workflow runs that would do it.

    Return False when it is not abandoned: the ERP holds it, or may hold it.
    """
    actor, why = issue.decided_by or "", issue.decided_why or "abandoned"
    organization_id = OrganizationId(issue.organization_id)
    if issue.subject_kind == IssueSubject.PAYMENT:
        payment_id = PaymentId(issue.subject_id)
        return bool(await abandon_payment(session, payment_id, actor=actor, why=why, request_key=request_key))
    bill = await bill_edits.lock(session, BillId(issue.subject_id), organization_id)
    assert bill is not None, "a bill is never removed"
    if bill.status == BillStatus.RETRACTING:
        return await retractions.leave_in_erp(session, BillId(bill.id), actor=actor, why=why)
    if bill.edit_pending:
        return await pending_edits.abandon(session, BillId(bill.id), bill.edition, actor=actor, why=why, in_doubt=True)
    try:
        await abandon_bill(session, bill, actor=actor, why=why, request_key=request_key)
    except EditRefused:
        return await parts.take_back_what_is_there(session, BillId(bill.id), actor=actor, why=why)
    return True


async def _stop_bill(session: AsyncSession, issue: OpenIssue) -> bool:
    bill_id = BillId(issue.subject_id)
    bill = await bills.lock_with_write(session, bill_id)
    if not bill_states.may_be_stopped(bill.status, bill.write):
        return False
    if not issue.keeps_status and issue.code != "LINK_MISSING" and not bill.status.is_payable:
        await bills.set_status(session, bill_id, BillStatus.SYNC_ISSUE, actor=SYNCER, why=issue.message)
    return True


async def _stop_payment(session: AsyncSession, issue: OpenIssue) -> bool:
    payment_id = PaymentId(issue.subject_id)
    payment = await payments.lock_with_write(session, payment_id)
    if not payment_states.may_be_stopped(payment.status, payment.write):
        return False
    if not issue.keeps_status:
        await payments.set_status(session, payment_id, PaymentStatus.SYNC_ISSUE, actor=SYNCER, why=issue.message)
    return True
