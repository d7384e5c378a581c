"""Taking one order, read whole, into the mirror: the step that moves a bill's quantity from P to E."""

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.statuses import map_order
from erp.connector import ErpConnector
from models.domain import BillId, ConnectionId, PurchaseOrderSnapshot, Receipt, ReceiptStatus
from models.store import purchase_orders
from models.tables import ConnectionRow


async def apply_snapshot(
    session: AsyncSession, connection: ConnectionRow, erp: ErpConnector, snapshot: PurchaseOrderSnapshot
) -> tuple[BillId, ...]:
    """Store the order with its receipts and settle our bills that it shows. Gives the bills settled now."""
    mapped = await map_order(session, connection, erp, snapshot.purchase_order)
    if mapped is None:
        return ()
    return await purchase_orders.apply_snapshot(
        session,
        ConnectionId(connection.id),
        snapshot,
        mapped,
        known_receipts(erp, snapshot.receipts),
        receipts_count_as_billed=erp.capabilities.receipts_count_as_billed,
    )


def known_receipts(erp: ErpConnector, receipts: tuple[Receipt, ...]) -> list[tuple[Receipt, ReceiptStatus]]:
    """The receipts whose status we have a meaning for; the others are reported when their own page is read."""
    mapped = [(receipt, erp.receipt_status(receipt.erp_status)) for receipt in receipts]
    return [(receipt, status) for receipt, status in mapped if status is not None]
