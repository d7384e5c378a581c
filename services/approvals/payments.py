"""Send a bill with its first payment, and hold it again when that payment is abandoned in time."""

from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ConnectionId
from models.domain.writes import WriteState
from models.store.connections import connections
from models.store.payables import bill_edits, bills_in_review
from services.approvals.decisions import follow, status_now


async def let_go_with_payment(session: AsyncSession, bill_id: BillId, *, actor: str, pay_on: date) -> None:
    """Let a locked bill go out that waited for the payment that was just scheduled."""
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "the caller has locked the bill"
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    await follow(
        session,
        connection,
        bill,
        BillStatus.PENDING_PUSH,
        kind="status",
        actor=actor,
        why=f"payment on {pay_on}",
        before={},
        after={},
    )


async def hold_without_payment(session: AsyncSession, bill_id: BillId, *, actor: str) -> None:
    """Keep a locked bill back whose only payment was abandoned, if it goes out with a payment and was not sent."""
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "the caller has locked the bill"
    if bill.status != BillStatus.PENDING_PUSH:
        return
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    if await status_now(session, connection, bill, BillStatus.PENDING_PUSH) is BillStatus.PENDING_PUSH:
        return
    write = await bill_edits.write_of(session, bill_id, lock=True)
    if write is not None and write.state in (WriteState.HELD, WriteState.PLANNED):
        await follow(
            session,
            connection,
            bill,
            BillStatus.PENDING_PUSH,
            kind="status",
            actor=actor,
            why="its payment was abandoned",
            before={},
            after={},
        )
