"""Match bills without an order again, because something that their match depends on has changed.

A bill of an order is matched again by its order's workflow, one after another. A bill without an order shares nothing
with other bills, so it is matched right here, and its own workflow is owed the result.
"""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, OrganizationId
from models.domain.outbox import MessageKind
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.payables import bills_in_review
from models.tables import BillRow
from services.bills import review


async def rematch_direct_bills(
    session: AsyncSession, connection_id: ConnectionId, why: str, *, vendor_id: str | None = None
) -> list[OutboxMessage]:
    """Match the connection's bills without an order that wait, of this vendor if given; return what their workflows
    are owed."""
    messages = []
    for bill in await bills_in_review.direct_waiting(session, connection_id, vendor_id=vendor_id):
        message = await rematch_direct_bill(session, bill, why)
        if message is not None:
            messages.append(message)
    return messages


async def rematch_direct_bill(session: AsyncSession, bill: BillRow, why: str) -> OutboxMessage | None:
    """Match a locked bill without an order that waits; None: nothing changed."""
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    before = bill.version
    await review.rematch_bill(session, connection, bill, why)
    if bill.version == before:
        return None
    return await outbox.add(
        session,
        MessageKind.BILL_DECIDED,
        BillId(bill.id),
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=f"{bill.id} {bill.version}",
    )
