"""A connection that is to be synced: its sync run is owed a message, in the transaction that makes it so."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.outbox import MessageKind
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.tables import ConnectionRow


async def owe_sync_of(
    session: AsyncSession,
    connection_id: ConnectionId,
    organization_id: OrganizationId,
    *,
    request_key: str,
    run: str | None = None,
) -> OutboxMessage:
    """Have a connection synced, as `owe_sync` does, by its ids."""
    return await outbox.add(
        session,
        MessageKind.SYNC_DUE,
        connection_id if run is None else f"{connection_id} {run}",
        organization_id=organization_id,
        connection_id=connection_id,
        request_key=request_key,
    )


async def owe_sync(
    session: AsyncSession, connection: ConnectionRow, *, request_key: str, run: str | None = None
) -> OutboxMessage:
    """Have the connection synced: a run under way plans once more before it ends, or one is started.

    `run` names a run whose record is there already (`sync_runs.start`); the one that is started takes it over.
    """
    return await owe_sync_of(
        session,
        ConnectionId(connection.id),
        OrganizationId(connection.organization_id),
        request_key=request_key,
        run=run,
    )


async def begin_syncing(
    session: AsyncSession, connection: ConnectionRow, *, request_key: str
) -> tuple[OutboxMessage, ...]:
    """Have a connection that its ERP has just let in synced: now, and from then on by its schedule (S2-56)."""
    return (
        await owe_sync(session, connection, request_key=request_key),
        await owe_schedule(session, connection, request_key=request_key),
    )


async def owe_schedule(session: AsyncSession, connection: ConnectionRow, *, request_key: str) -> OutboxMessage:
    """Have the schedule in Temporal set as the connection has it."""
    return await outbox.add(
        session,
        MessageKind.SCHEDULE_CHANGED,
        connection.id,
        organization_id=OrganizationId(connection.organization_id),
        connection_id=ConnectionId(connection.id),
        request_key=request_key,
    )
