"""Let a connection's lines have other dimensions and fields of the company's own."""

from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.line_fields import line_fields_given
from models.domain.sync import Stream
from models.store.orders import purchase_orders
from models.store.sync import cursors
from models.tables import ConnectionRow


async def settle(session: AsyncSession, row: ConnectionRow, given: Mapping[str, str]) -> None:
    """Have the lists and the open orders read again where the connection names other fields than before: the values
    that their lines have are not here. `row` holds what was set before."""
    if line_fields_given(given) == line_fields_given(row.preferences):
        return
    connection_id = ConnectionId(row.id)
    await cursors.forget(session, connection_id, Stream.LISTS)
    oldest = await purchase_orders.reread_open(session, connection_id)
    if oldest is not None:
        await cursors.rewind(session, connection_id, Stream.PURCHASE_ORDERS, oldest)
