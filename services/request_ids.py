"""Keep under which request id each write was first sent, for all workers: a `RequestIds`."""

from models.store.audit import writes
from models.store.base.database import Database


class StoredRequestIds:
    """The request ids of writes, stored with what is known of their attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, key: str, proposed: str) -> str:
        """Return the request id that the write with our key has, or store the proposed one."""
        async with self._database.transaction() as session:
            return await writes.keep_request_id(session, key, proposed)
