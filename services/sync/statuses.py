"""Translate an ERP's status texts, also when one is unknown (ruling G3).

An unknown status never becomes "other": the last known meaning stays, and people are notified once per order.
"""

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connector import ErpConnector, offered
from erp.roles.orders import Statuses
from models.domain.connections import MatchMode
from models.domain.ids import ConnectionId
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrder, PurchaseOrderHeader
from models.store.audit import sync_issues
from models.store.orders import purchase_orders
from models.store.orders.purchase_orders import MappedOrder
from models.tables import ConnectionRow


async def map_order(
    session: AsyncSession, connection: ConnectionRow, erp: ErpConnector, order: PurchaseOrder
) -> MappedOrder | None:
    """Return the order with its statuses; None when its status is unknown and there is no earlier meaning to keep."""
    statuses = offered(erp.orders, "purchase orders").statuses(order.erp_status, MatchMode(connection.match_mode))
    order_id = purchase_orders.purchase_order_id(ConnectionId(connection.id), order.erp_id)
    if statuses is None:
        await unknown_status(session, connection, order)
        stored = await purchase_orders.get(session, order_id)
        if stored is None:
            return None
        return MappedOrder(order, PoStatus(stored.status), MatchingStatus(stored.matching_status))
    if statuses.po is None:  # back in draft or approval: people keep seeing the last status (S4-61)
        stored = await purchase_orders.get(session, order_id)
        if stored is None:
            return None
        return MappedOrder(order, PoStatus(stored.status), statuses.matching)
    return MappedOrder(order, statuses.po, statuses.matching)


async def unknown_status(session: AsyncSession, connection: ConnectionRow, order: PurchaseOrderHeader) -> None:
    """Open an issue that the ERP uses a status that has no meaning here."""
    await sync_issues.open_issue(
        session,
        "UNKNOWN_ERP_STATUS",
        connection_id=connection.id,
        subject_kind="purchase_order",
        subject_id=order.erp_id,
        subject_name=order.number,
        cause=f"The ERP shows {order.number} as {order.erp_status!r}, a status posync has no meaning for.",
        evidence={"number": order.number, "erp_status": order.erp_status},
    )


def importable(statuses: Statuses) -> bool:
    """Return whether an order that is new here is imported: open ones are (S1-14), finished ones are not (S1-15).

    Those in approval are where the connection shows them: their `po` is not None then (ruling G13).
    """
    return statuses.po is not None and statuses.matching in (
        MatchingStatus.ACTIVE,
        MatchingStatus.PARTIALLY_BILLED,
        MatchingStatus.PENDING_APPROVAL,
    )
