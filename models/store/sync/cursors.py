"""Store how far each stream of a connection was read, by the ERP's own clock."""

from sqlalchemy import delete, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.tables import CursorRow


async def positions(s: AsyncSession, connection_id: ConnectionId) -> dict[Stream, str]:
    """Return the cursors that exist. A stream without one was never read to its end."""
    rows = await s.exec(
        select(CursorRow.stream, CursorRow.position).where(col(CursorRow.connection_id) == connection_id)
    )
    return {Stream(stream): position for stream, position in rows}


async def move(s: AsyncSession, connection_id: ConnectionId, stream: Stream, position: str) -> None:
    """Move a cursor forward, in the transaction of the page that was read; never back."""
    connection = await s.connection()
    await connection.execute(
        text(
            "insert into cursors as held (connection_id, stream, position) values (:c, :stream, :position)"
            " on conflict (connection_id, stream) do update set position = excluded.position, updated_at = now()"
            " where held.position < excluded.position"
        ),
        {"c": connection_id, "stream": stream.value, "position": position},
    )


async def rewind(s: AsyncSession, connection_id: ConnectionId, stream: Stream, position: str) -> None:
    """Read the stream again from `position` on; a stream that was never read starts at its beginning anyway."""
    connection = await s.connection()
    await connection.execute(
        text(
            "update cursors set position = least(position, :position), updated_at = now()"
            " where connection_id = :c and stream = :stream"
        ),
        {"c": connection_id, "stream": stream.value, "position": position},
    )


async def forget(s: AsyncSession, connection_id: ConnectionId, stream: Stream) -> None:
    """Make the next run read the stream from its beginning."""
    await s.exec(
        delete(CursorRow).where(col(CursorRow.connection_id) == connection_id, col(CursorRow.stream) == stream.value)
    )
