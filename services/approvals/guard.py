"""Look once more, at the moment of sending, whether a bill may go out: the settings may have changed meanwhile.

A bill that was entered while the settings were being changed, or that the ERP refused before they were, is caught here.
"""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState, PushWhen
from models.domain.bills import BillStatus
from models.domain.ids import SYNCER, BillId, ConnectionId, OrganizationId
from models.domain.outbox import MessageKind
from models.domain.writes import WriteState
from models.store.audit import outbox
from models.store.connections import connections
from models.store.payables import bill_edits, bills_in_review
from services.approvals.decisions import follow, status_now
from services.approvals.entry import assign_approvers

_SETTINGS = text(
    "select c.push_when, c.approvals_enabled, b.approval"
    "  from bills b join connections c on c.id = b.connection_id where b.id = :bill"
)

NEVER_SENT = (WriteState.PLANNED, WriteState.REJECTED)


async def hold_if_it_waits(session: AsyncSession, bill_id: BillId) -> None:
    """Put the write of a bill on hold that must not be sent under the present settings, if nothing of it was sent.

    What the ERP may hold goes on: its outcome must be learned.
    """
    now = (await session.execute(_SETTINGS, {"bill": bill_id})).one()
    if now.push_when == PushWhen.MATCHED or (
        now.push_when == PushWhen.APPROVED and now.approval == ApprovalState.APPROVED
    ):
        return
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "a bill is never removed"
    write = await bill_edits.write_of(session, bill_id, lock=True)
    if write is None or write.state not in NEVER_SENT:
        return
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    before = bill.approval
    if connection.approvals_enabled and bill.approval == ApprovalState.NOT_REQUIRED:
        bill.approval = await assign_approvers(session, connection, bill_id)
    if not (await status_now(session, connection, bill, BillStatus.PENDING_PUSH)).is_waiting:
        return
    await follow(
        session,
        connection,
        bill,
        BillStatus.PENDING_PUSH,
        kind="approval_settings_followed",
        actor=SYNCER,
        why="the connection's settings of approvals were changed",
        before={"approval": before},
        after={"approval": bill.approval},
    )
    # The push reports only that the bill waits; this message says for whom.
    await outbox.add(
        session,
        MessageKind.BILL_DECIDED,
        bill_id,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=f"{bill_id} {bill.version}",
    )
