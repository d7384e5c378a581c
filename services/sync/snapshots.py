"""Store one order that was read whole: the step that moves a bill's quantity from P to E."""

from collections import defaultdict
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connector import ErpConnector
from matching.kernel.exact import plain
from models.domain.ids import SYNCER, BillId, ConnectionId
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.receipts import Receipt, ReceiptStatus
from models.store.audit import sync_issues
from models.store.orders import purchase_orders
from models.store.orders.order_pages import leave_out, take_back
from models.tables import ConnectionRow
from services.sync.statuses import map_order

CREDIT_UNCLEAR = "CREDIT_UNCLEAR"


async def apply_snapshot(
    session: AsyncSession,
    connection: ConnectionRow,
    erp: ErpConnector,
    snapshot: PurchaseOrderSnapshot,
    *,
    frees: bool = False,
) -> tuple[BillId, ...]:
    """Store the order with its receipts and settle our bills that it shows; return the bills settled now. `frees`: a
    bill of the order was just taken back."""
    order = snapshot.purchase_order
    if order.currency not in (None, connection.base_currency):
        reason = f"it is in {order.currency} now"
        await leave_out(session, ConnectionId(connection.id), [(order.erp_id, reason, order.revision)])
        return ()
    mapped = await map_order(session, connection, erp, order)
    if mapped is None:
        await take_back(session, ConnectionId(connection.id), [(order.erp_id, order.revision)])
        return ()
    if erp.capabilities.credits_name_orders:
        await _notify_unclear_credits(session, connection, snapshot)
    return await purchase_orders.apply_snapshot(
        session,
        ConnectionId(connection.id),
        snapshot,
        mapped,
        known_receipts(erp, snapshot.receipts),
        receipts_count_as_billed=erp.capabilities.receipts_count_as_billed,
        frees=frees,
    )


async def _notify_unclear_credits(
    session: AsyncSession, connection: ConnectionRow, snapshot: PurchaseOrderSnapshot
) -> None:
    """Open an issue for credited quantity that is not freed because the ERP's figures do not fit together."""
    order = snapshot.purchase_order
    order_id = purchase_orders.purchase_order_id(ConnectionId(connection.id), order.erp_id)
    unclear = {credit.order_line: credit.unclear for credit in snapshot.credits if credit.unclear}
    if not unclear:
        await sync_issues.close_for_subject(
            session, ConnectionId(connection.id), "purchase_order", order_id, [CREDIT_UNCLEAR], actor=SYNCER
        )
        return
    by_bills: dict[str, Decimal] = defaultdict(Decimal)
    for billing in snapshot.billings:
        by_bills[billing.order_line] += billing.quantity
    shown = [
        f"line {line.line_no}: {plain(line.billed)} billed, {plain(by_bills[line.erp_id])} of it by bills, "
        f"{plain(unclear[line.erp_id])} credited"
        for line in order.lines
        if line.erp_id in unclear
    ]
    await sync_issues.open_issue(
        session,
        CREDIT_UNCLEAR,
        connection_id=connection.id,
        subject_kind="purchase_order",
        subject_id=order_id,
        subject_name=order.number,
        cause=f"{'; '.join(shown)}: what is billed fits neither with the credit nor without it.",
        evidence={"order": order.number, "document": order.document_id, "lines": shown},
    )


def known_receipts(erp: ErpConnector, receipts: tuple[Receipt, ...]) -> list[tuple[Receipt, ReceiptStatus]]:
    """Return the receipts whose status has a meaning here; the others are reported when their own page is read."""
    if erp.receipts is None:
        return []
    mapped = [(receipt, erp.receipts.status(receipt.erp_status)) for receipt in receipts]
    return [(receipt, status) for receipt, status in mapped if status is not None]
