"""Give connectors the mirrored lists of one connection, for an ERP that refuses reads and takes writes."""

from collections.abc import Sequence

from models.domain.ids import ConnectionId
from models.domain.lists import ListEntry, ListKind
from models.store.base.database import Database
from models.store.sync import list_entries


class MirroredLists:
    """The lists of one connection in the database: a `ListMirror` (`erp/storage.py`)."""

    def __init__(self, database: Database, connection_id: ConnectionId) -> None:
        self._database = database
        self._connection_id = connection_id

    async def entries(self, kind: ListKind) -> Sequence[ListEntry]:
        """Return the active entries of a list."""
        async with self._database.statement() as session:
            return await list_entries.active(session, self._connection_id, kind)
