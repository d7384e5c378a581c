"""The meaning of an ERP's status words, and what happens when a word is unknown (ruling G3).

An unknown word never becomes "other": the last known meaning stays and a person is told once per order.
"""

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connector import ErpConnector, Statuses
from erp.issue_codes import issue_code
from models.domain import ConnectionId, MatchingStatus, MatchMode, PoStatus, PurchaseOrder, PurchaseOrderHeader
from models.store import purchase_orders, sync_issues
from models.store.purchase_orders import MappedOrder
from models.tables import ConnectionRow


async def map_order(
    session: AsyncSession, connection: ConnectionRow, erp: ErpConnector, order: PurchaseOrder
) -> MappedOrder | None:
    """The order with its statuses; None when its word is unknown and there is no earlier meaning to keep."""
    statuses = erp.statuses(order.erp_status, MatchMode(connection.match_mode))
    order_id = purchase_orders.purchase_order_id(ConnectionId(connection.id), order.erp_id)
    if statuses is None:
        await unknown_status(session, connection, order)
        held = await purchase_orders.get(session, order_id)
        if held is None:
            return None
        return MappedOrder(order, PoStatus(held.status), MatchingStatus(held.matching_status))
    if statuses.po is None:  # an order that went back to draft or approval keeps what people saw last (S4-61)
        held = await purchase_orders.get(session, order_id)
        if held is None:
            return None
        return MappedOrder(order, PoStatus(held.status), statuses.matching)
    return MappedOrder(order, statuses.po, statuses.matching)


async def unknown_status(session: AsyncSession, connection: ConnectionRow, order: PurchaseOrderHeader) -> None:
    """Tell a person that the ERP uses a status word we have no meaning for."""
    code = issue_code("UNKNOWN_ERP_STATUS")
    await sync_issues.open_issue(
        session,
        organization_id=connection.organization_id,
        connection_id=connection.id,
        subject_kind="purchase_order",
        subject_id=order.erp_id,
        code=code.code,
        title=f"{code.title}: {order.number}",
        cause=f"The ERP shows {order.number} as {order.erp_status!r}, a status posync has no meaning for.",
        fix=code.fix,
        who=code.who,
        evidence={"number": order.number, "erp_status": order.erp_status},
        workflow_id=None,
    )


def importable(statuses: Statuses) -> bool:
    """Whether an order we do not hold yet comes in: open ones do (S1-14), finished ones do not (S1-15)."""
    return statuses.po is not None and statuses.matching in (MatchingStatus.ACTIVE, MatchingStatus.PARTIALLY_BILLED)
