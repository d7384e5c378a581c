"""Find and pull back what lies beyond the ERP's present, by connection: its clock was set back since that was stored.

the ERP's clock:   ... 19:59  (a record is stored as of 19:59, the cursor is there)   16:32  (set back)
a change of 16:33  lies before the cursor and is older than what we hold: it would come in at 20:00
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.sync import Stream


class _Dated(NamedTuple):
    """Where the revisions of a stream's records are stored."""

    table: str
    column: str


_REVISIONS: Mapping[Stream, _Dated] = {
    Stream.LISTS: _Dated("list_entries", "revision"),
    Stream.PURCHASE_ORDERS: _Dated("purchase_orders", "revision"),
    Stream.RECEIPTS: _Dated("receipts", "revision"),
    Stream.BILLS: _Dated("bills", "payable_revision"),
    Stream.PAYMENTS: _Dated("payments", "erp_revision"),
}

_CURSORS = "from cursors where connection_id = :c and stream = any(cast(:streams as text[])) and position > :present"


async def exists(s: AsyncSession, connection_id: ConnectionId, streams: Iterable[Stream], present: str) -> bool:
    """Return whether a cursor of these streams, or the revision of one of their records, is later than `present`."""
    wanted = sorted(streams)
    looks = [f"exists (select {_CURSORS})"] + [
        f"exists (select from {dated.table} where connection_id = :c and {dated.column} > :present)"
        for stream, dated in _REVISIONS.items()
        if stream in wanted
    ]
    values = {"c": connection_id, "streams": [stream.value for stream in wanted], "present": present}
    return bool((await s.execute(text(f"select {' or '.join(looks)}"), values)).scalar_one())


async def pull_back(
    s: AsyncSession, connection_id: ConnectionId, streams: Iterable[Stream], position: str
) -> list[Stream]:
    """Read these streams again from `position` on: no cursor and no revision stays later. Return the streams whose
    cursor was later.

    What was left out, and why, is decided anew when its record is read.
    """
    wanted = sorted(streams)
    values = {"c": connection_id, "streams": [stream.value for stream in wanted], "position": position}
    moved = await s.execute(
        text(
            "update cursors set position = :position, updated_at = now() where connection_id = :c"
            " and stream = any(cast(:streams as text[])) and position > :position returning stream"
        ),
        values,
    )
    rewound = [Stream(stream) for stream in moved.scalars()]
    for stream in wanted:
        if (dated := _REVISIONS.get(stream)) is not None:
            await s.execute(
                text(
                    f"update {dated.table} set {dated.column} = :position"
                    f" where connection_id = :c and {dated.column} > :position"
                ),
                values,
            )
    await s.execute(
        text(
            "update skipped_records set revision = :position where connection_id = :c"
            " and stream = any(cast(:streams as text[])) and revision > :position"
        ),
        values,
    )
    return rewound
