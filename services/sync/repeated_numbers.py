"""Take a person's decision that the ERP may have a further document under a bill's number."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.issue_states import IssueDecision, IssueSubject
from models.store.audit import events, sync_issues
from models.store.audit.outbox import OutboxMessage
from models.tables import BillRow
from services.refusal import Refused
from services.sync.issue_decisions import decide_issue

NUMBER_TAKEN = "NUMBER_TAKEN"


async def allow_repeated_number(
    session: AsyncSession, bill: BillRow, *, actor: str, why: str, request_key: str
) -> OutboxMessage | None:
    """Let a locked bill be sent although another document has its number, and retry it. Returns the message to deliver.

    Only where the ERP refused the number: nobody decides that ahead, for all bills.

    Raises:
        Refused: NUMBER_NOT_REFUSED.
    """
    connection_id = ConnectionId(bill.connection_id)
    issue = await sync_issues.open_on(session, connection_id, NUMBER_TAKEN, IssueSubject.BILL, bill.id)
    if issue is None:
        raise Refused("NUMBER_NOT_REFUSED", f"The ERP has not refused the number {bill.number} of this bill.")
    bill.repeats_number = True
    session.add(bill)
    await events.record(
        session,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=connection_id,
        subject_kind="bill",
        subject_id=bill.id,
        kind="number_may_repeat",
        actor=actor,
        why=why,
        before={"repeats_number": False},
        after={"repeats_number": True},
    )
    decided = await decide_issue(session, issue, IssueDecision.RETRY, actor=actor, why=why, request_key=request_key)
    return decided.message
