"""Read the source orders whose upload is under way: each needs a workflow that runs."""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import Erp
from models.domain.ids import ConnectionId, SourceOrderId
from models.domain.source_orders import UploadAs, UploadState
from models.messages.source_orders import SourceOrderState
from models.store.connections import connections
from models.store.source_orders import orders

_OPEN = text(
    """
    select id from source_orders s
     where connection_id = :connection and upload_state = 'uploading' and changed_at <= now() - interval '1 minute'
       and not exists (select from outbox m where m.subject_id = s.id)
     order by id
    """
)


async def open_uploads(session: AsyncSession, connection_id: ConnectionId) -> list[SourceOrderId]:
    """Return the connection's orders that need a workflow, except those of the last minute."""
    rows = await session.execute(_OPEN, {"connection": connection_id})
    return [SourceOrderId(row.id) for row in rows]


async def state_of(session: AsyncSession, order_id: SourceOrderId) -> SourceOrderState | None:
    """Return what the workflow of an upload is started with; None: the upload has ended."""
    row = await orders.get(session, order_id)
    assert row is not None, "a source order is never removed"
    if row.upload_state != UploadState.UPLOADING or row.upload_as is None:
        return None
    connection = await connections.get(session, ConnectionId(row.connection_id))
    assert connection is not None, "a connection with orders is never removed"
    return SourceOrderState(
        connection_id=ConnectionId(row.connection_id),
        erp=Erp(connection.erp),
        source_order_id=order_id,
        reference=row.reference,
        contact=row.contact,
        amount=str(row.total),
        upload_as=UploadAs(row.upload_as),
        ask=row.asks,
    )
