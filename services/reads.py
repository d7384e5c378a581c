"""Keep what is known of a connection's metered reads in the database, for all workers: a `ReadMeter`."""

from collections.abc import Callable
from datetime import datetime

from erp.storage import Refusals
from models.domain.ids import ConnectionId
from models.store.base.database import Database
from models.store.connections import usage
from models.store.connections.usage import RefusedReads


class StoredReads:
    """The metered reads of one connection."""

    def __init__(self, database: Database, connection_id: ConnectionId) -> None:
        self._database = database
        self._connection_id = connection_id

    async def count(self) -> None:
        """Count one successful read; it ends a run of refusals."""
        async with self._database.transaction() as session:
            await usage.count(session, self._connection_id)

    async def refused(self, after: Callable[[Refusals | None, datetime], Refusals]) -> Refusals:
        """Store the run of refusals as `after` makes it of the present one, by the database's clock."""
        async with self._database.transaction() as session:
            before, now = await usage.lock_refused(session, self._connection_id)
            run = after(None if before is None else Refusals(*before), now)
            await usage.keep_refused(session, self._connection_id, RefusedReads(*run))
        return run

    async def refusals(self) -> Refusals | None:
        """Return the present run of refusals; None: the last read succeeded."""
        async with self._database.statement() as session:
            run = await usage.refused(session, self._connection_id)
        return None if run is None else Refusals(*run)
