"""Read again what an ERP changed since its clock was set back: by its time, that lies before what we have read.

Nothing says when the clock was set back, only that it was after the last completed sync began: what changed since then
is dated, by the ERP's clock, at most that long before its present.
"""

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.clock import moment_text
from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.store.sync import beyond_present
from models.tables import ConnectionRow
from services.sync.import_window import first_import_from, start_of

_log = logging.getLogger(__name__)

NOTICED = timedelta(seconds=5)
"""By how much a clock is set back before it counts: an answer tells the time only about so well. What is read again for
nothing costs little."""

MARGIN = timedelta(days=1)
"""How much further back is read: a clock may be set more than once."""


async def reread(
    session: AsyncSession, row: ConnectionRow, streams: Collection[Stream], present: datetime
) -> set[Stream]:
    """Return the streams to read again, as cursors or records of theirs are later than the ERP's `present`; their
    cursors are set back in this transaction. Empty: the clock has only gone forward."""
    connection_id = ConnectionId(row.id)
    if not await beyond_present.exists(session, connection_id, streams, moment_text(present + NOTICED)):
        return set()
    if row.last_synced_at is None:
        position = start_of(first_import_from(row))
    else:
        position = moment_text(present - max(datetime.now(UTC) - row.last_synced_at, timedelta(0)) - MARGIN)
    rewound = await beyond_present.pull_back(session, connection_id, streams, position)
    _log.warning("The ERP's clock was set back (connection %s): read again from %s on", row.id, position)
    return set(rewound)
