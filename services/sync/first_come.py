"""Let a connection's sync go before its backfill: the sync brings what people wait for, the backfill what is old."""

import asyncio
from datetime import date
from time import monotonic

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BackfillId, ConnectionId
from models.store.base.database import Database
from models.store.sync import backfills, sync_runs
from models.tables import ConnectionRow
from services.sync.import_window import first_import_from

LOOK_EVERY_SECONDS = 1.0

WAITS_AT_MOST_SECONDS = 30.0
"""How long one page of a backfill waits: beside a sync that lasts for hours, it goes on slowly all the same."""


async def let_sync_go_first(database: Database, connection_id: ConnectionId) -> None:
    """Return once no sync run of the connection is under way, at the latest after a while."""
    ends = monotonic() + WAITS_AT_MOST_SECONDS
    while monotonic() < ends:
        async with database.statement() as session:
            if await sync_runs.under_way(session, connection_id) is None:
                return
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def is_backfill(session: AsyncSession, run_id: str) -> bool:
    """Return whether it is a backfill that has orders notified, and not a sync run."""
    return await backfills.get(session, BackfillId(run_id)) is not None


async def oldest_to_notify(session: AsyncSession, row: ConnectionRow) -> date | None:
    """Return before which order date new orders are left to a backfill to notify; None: none is under way."""
    if not await backfills.is_under_way(session, ConnectionId(row.id)):
        return None
    return first_import_from(row)
