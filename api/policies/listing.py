"""The query of a listing by connection, vendor and item."""

from typing import Annotated, NamedTuple

from fastapi import Depends

from api.http.schemas import Cursor, Filter, Limit
from models.domain.ids import ConnectionId


class Wanted(NamedTuple):
    """What is listed, by the names the store calls it; None does not restrict."""

    connection_id: ConnectionId | None
    vendor_id: str | None
    item_id: str | None
    limit: int
    cursor: str | None


def _wanted(
    connection: Filter = None,
    vendor: Filter = None,
    item: Filter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Wanted:
    return Wanted(None if connection is None else ConnectionId(connection), vendor, item, limit, cursor)


WantedOfScope = Annotated[Wanted, Depends(_wanted)]
