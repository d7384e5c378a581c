"""Taking one order, read whole, into the mirror: the step that moves a bill's quantity from P to E."""

from collections import defaultdict
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.statuses import map_order
from erp.connector import ErpConnector
from erp.issue_codes import issue_code
from matching.exact import plain
from models.domain import BillId, ConnectionId, PurchaseOrderSnapshot, Receipt, ReceiptStatus
from models.store import purchase_orders, sync_issues
from models.store.bills import SYNCER
from models.tables import ConnectionRow


async def apply_snapshot(
    session: AsyncSession, connection: ConnectionRow, erp: ErpConnector, snapshot: PurchaseOrderSnapshot
) -> tuple[BillId, ...]:
    """Store the order with its receipts and settle our bills that it shows. Gives the bills settled now."""
    mapped = await map_order(session, connection, erp, snapshot.purchase_order)
    if mapped is None:
        return ()
    if erp.capabilities.credits_name_orders:
        await _tell_of_unclear_credits(session, connection, snapshot)
    return await purchase_orders.apply_snapshot(
        session,
        ConnectionId(connection.id),
        snapshot,
        mapped,
        known_receipts(erp, snapshot.receipts),
        receipts_count_as_billed=erp.capabilities.receipts_count_as_billed,
    )


async def _tell_of_unclear_credits(
    session: AsyncSession, connection: ConnectionRow, snapshot: PurchaseOrderSnapshot
) -> None:
    """Credited quantity that is not freed, because the ERP's figures do not fit together, is told to a person."""
    order = snapshot.purchase_order
    order_id = purchase_orders.purchase_order_id(ConnectionId(connection.id), order.erp_id)
    code = issue_code("CREDIT_UNCLEAR")
    unclear = {credit.order_line: credit.unclear for credit in snapshot.credits if credit.unclear}
    if not unclear:
        await sync_issues.close_for_subject(
            session, ConnectionId(connection.id), "purchase_order", order_id, [code.code], actor=SYNCER
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
        organization_id=connection.organization_id,
        connection_id=connection.id,
        subject_kind="purchase_order",
        subject_id=order_id,
        code=code.code,
        title=f"{code.title}: {order.number}",
        cause=f"{code.cause} {'; '.join(shown)}.",
        fix=code.fix,
        who=code.who,
        evidence={"order": order.number, "document": order.document_id, "lines": shown},
        workflow_id=None,
    )


def known_receipts(erp: ErpConnector, receipts: tuple[Receipt, ...]) -> list[tuple[Receipt, ReceiptStatus]]:
    """The receipts whose status we have a meaning for; the others are reported when their own page is read."""
    mapped = [(receipt, erp.receipt_status(receipt.erp_status)) for receipt in receipts]
    return [(receipt, status) for receipt, status in mapped if status is not None]
