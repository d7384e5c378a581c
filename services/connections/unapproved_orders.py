"""Let a connection show orders that are not approved yet, or stop doing so (ruling G13)."""

from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connection import PreferenceProblem
from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.domain.unapproved_orders import SHOWN, UNAPPROVED_ORDERS, are_shown
from models.store.orders import excluded_records
from models.store.sync import cursors
from models.tables import ConnectionRow
from services.sync.import_window import first_import_from, start_of


def problems(given: Mapping[str, str]) -> list[PreferenceProblem]:
    """Return what is wrong with the preference: it has one value."""
    chosen = given.get(UNAPPROVED_ORDERS, "")
    if chosen in ("", SHOWN):
        return []
    return [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=UNAPPROVED_ORDERS,
            message=f"{UNAPPROVED_ORDERS} is {chosen!r}.",
            fix=(f"Set it to {SHOWN} to have orders in approval come in, or leave it out.",),
        )
    ]


async def settle(session: AsyncSession, row: ConnectionRow, given: Mapping[str, str]) -> None:
    """Have orders read again where the connection begins to show those in approval. `row` holds what was set before.

    Where it stops, those that are here stay until they are approved.
    """
    if are_shown(given) and not are_shown(row.preferences):
        connection_id = ConnectionId(row.id)
        await excluded_records.reconsider(session, connection_id, Stream.PURCHASE_ORDERS, "NOT_APPROVED")
        await cursors.rewind(session, connection_id, Stream.PURCHASE_ORDERS, start_of(first_import_from(row)))
