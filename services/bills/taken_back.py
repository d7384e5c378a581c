"""End a retraction that the ERP carried out, and make bills anew that were taken back, deleted or disputed."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.ids import SYNCER, BillId, ConnectionId, ExternalKey
from models.domain.outbox import MessageKind
from models.domain.retractions import BillEvent, RetractFor, RetractionState
from models.store.approvals import steps
from models.store.audit import order_issues, outbox, writes
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.orders import ledger, settled_parts
from models.store.orders.order_pages import requeue_notification
from models.store.payables import bill_edits, bill_parts, bills_in_review, retractions
from models.tables import BillRow, ConnectionRow
from services.approvals.entry import assign_approvers
from services.bills import review
from services.bills.retraction import plan

TAKEN_BACK = {
    RetractFor.DELETION: BillStatus.DELETED,
    RetractFor.DISPUTE: BillStatus.DISPUTED,
    RetractFor.APPROVAL: BillStatus.AWAITING_APPROVAL,
}
"""The status of a bill that the ERP holds no more; one that goes back to accounts payable is matched again besides."""


async def lock_orders(session: AsyncSession, bill_id: BillId) -> None:
    """Lock the lines of a bill's orders, before the bill: what comes free and what is taken anew is one step."""
    await ledger.lock_lines(session, await bills_in_review.orders_of(session, bill_id))


async def end(session: AsyncSession, connection: ConnectionRow, bill_id: BillId) -> bool:
    """Give a bill that the ERP holds no more the status that it was taken back for; False: that was done before.

    The caller holds the lock of its orders' lines, stores the order as the ERP then shows it, and calls `follow`.
    """
    bill = await retractions.lock(session, bill_id)
    if bill.status != BillStatus.RETRACTING:
        return False
    wanted = await retractions.end(session, bill, RetractionState.DONE)
    assert wanted is not None, "a bill is only being taken back while that is requested"
    await bill_parts.end_taken_back(session, bill_id)
    before = {"status": bill.status, "document": bill.document_id, "key": bill.external_key}
    bill.status, bill.paid = TAKEN_BACK[wanted], bill.paid * 0
    if wanted is not RetractFor.DELETION:
        await retractions.begin_generation(session, bill)
        await _ask_for_approval(session, connection, bill)
    await retractions.reserve(session, bill_id, reserves=wanted is RetractFor.APPROVAL)
    await bill_edits.changed(
        session,
        bill,
        "retracted",
        actor=SYNCER,
        why="the ERP does not hold it any more",
        before=before,
        after={"status": bill.status},
    )
    await order_issues.take_bills_off(session, ConnectionId(bill.connection_id), [bill_id])
    return True


async def follow(session: AsyncSession, connection: ConnectionRow, bill_id: BillId) -> list[OutboxMessage]:
    """Match a bill again that went back to accounts payable; return what its order's workflow is owed of the bill.

    An order whose workflow has ended is notified by the next sync of what it has again.
    """
    bill = await retractions.lock(session, bill_id)
    orders = await bills_in_review.orders_of(session, bill_id)
    await requeue_notification(await session.connection(), sorted(orders))
    name = f"{bill_id} {bill.version}"
    if bill.status == BillStatus.AWAITING_APPROVAL:
        await review.rematch_bill(session, connection, bill, "it was sent back to accounts payable")
        return [await outbox.add_for_bill(session, bill, MessageKind.BILL_ACCEPTED, bill.id, name)]
    return [
        await outbox.add_for_bill(session, bill, MessageKind.BILL_OFF_ORDER, f"{order} {bill.id}", name)
        for order in sorted(orders)
    ]


async def restore(
    session: AsyncSession, bill: BillRow, *, actor: str, why: str, request_key: str
) -> list[OutboxMessage]:
    """Make a locked bill anew that was deleted, disputed or abandoned. Returns what workflows are owed.

    It is matched with what holds now and approved again, and goes to the ERP under a new key.

    Raises:
        Refused: There is nothing to restore, or its number was used again.
    """
    bill_id = BillId(bill.id)
    what = plan(bill, await retractions.facts(session, bill_id), BillEvent.RESTORE)
    if what.does is None:
        raise what.obstacles[0]
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    before = bill.status
    await settled_parts.forget(session, bill_id)
    if before == BillStatus.DELETED:
        await retractions.begin_generation(session, bill)
        bill.paid = bill.paid * 0
    elif before == BillStatus.ABANDONED:
        assert bill.external_key is not None, "a bill of ours has its key from the start"
        await writes.reopen(session, ExternalKey(bill.external_key))
    await retractions.reserve(session, bill_id, reserves=True)
    await _ask_for_approval(session, connection, bill)
    bill.status = BillStatus.ON_HOLD
    await bill_edits.changed(
        session, bill, "restored", actor=actor, why=why, before={"status": before}, after={"status": bill.status}
    )
    await review.rematch_bill(session, connection, bill, "it was restored")
    await session.refresh(bill)
    return [
        await outbox.add_for_bill(session, bill, kind, bill.id, request_key)
        for kind in (MessageKind.BILL_ACCEPTED, MessageKind.BILL_DECIDED)
    ]


async def _ask_for_approval(session: AsyncSession, connection: ConnectionRow, bill: BillRow) -> None:
    """Name the approvers of a locked bill anew: whoever approved it approved what the ERP holds no more."""
    await session.flush()
    bill.approved_at = None
    if connection.approvals_enabled:
        bill.approval = await assign_approvers(session, connection, BillId(bill.id))
    else:
        bill.approval = ApprovalState.NOT_REQUIRED
        await steps.replace(session, BillId(bill.id), [])
    session.add(bill)
