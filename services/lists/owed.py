"""Owe the workflow of a change to a list entry that somebody asked."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.outbox import MessageKind
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.tables import ListChangeRow


async def owe(session: AsyncSession, row: ListChangeRow, request_key: str) -> OutboxMessage:
    """Owe the change's workflow that somebody asked."""
    return await outbox.add(
        session,
        MessageKind.LIST_CHANGE,
        row.id,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.connection_id),
        request_key=request_key,
    )
