"""Find the order that a file means by its number and its vendor, whatever the file calls the vendor.

A supplier's file knows a vendor by the id that people use, by its name, or by an id of a third system; in NetSuite the
internal id, which orders name, is in nobody's file.
"""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.lists import ListKind
from models.store.orders import purchase_orders
from models.store.sync import list_entries
from models.tables import PurchaseOrderRow


class UnknownOrder(Exception):
    """There is no such order of this vendor; the text says what there is instead."""


async def find_order(
    session: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId | None,
    vendor: str,
    number: str,
) -> PurchaseOrderRow:
    """Return the order of this number whose vendor has this id, number, external id or name.

    Raises:
        UnknownOrder: there is none, or more than one.
    """
    numbered = await purchase_orders.numbered(session, organization_id, number, connection_id=connection_id)
    meant = [order for order in numbered if order.vendor_id == vendor]
    if not meant:
        meant = [order for order in numbered if await _is(session, order, vendor)]
    if len(meant) == 1:
        return meant[0]
    if len(meant) > 1:
        raise UnknownOrder(f"vendor {vendor} has {len(meant)} purchase orders {number}")
    if not numbered:
        raise UnknownOrder(f"vendor {vendor} has no purchase order {number}")
    owners = sorted({f"{order.vendor_id} ({order.vendor_name})" for order in numbered})
    raise UnknownOrder(f"{number} belongs to vendor {' and '.join(owners)}, not to {vendor}")


async def vendor_id(session: AsyncSession, connection_id: ConnectionId, vendor: str) -> str:
    """Return the id of the only vendor of a connection that is called so, else the text as it is."""
    keys = await list_entries.called(session, connection_id, ListKind.VENDOR, vendor)
    return keys.pop() if len(keys) == 1 else vendor


async def _is(session: AsyncSession, order: PurchaseOrderRow, vendor: str) -> bool:
    if " ".join(vendor.split()).casefold() == " ".join(order.vendor_name.split()).casefold():
        return True
    called = await list_entries.called(session, ConnectionId(order.connection_id), ListKind.VENDOR, vendor)
    return called == {order.vendor_id}
