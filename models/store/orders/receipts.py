"""Store and read receipts in the mirror: what was received against an order (S5-113..135)."""

import json
from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, PurchaseOrderId
from models.domain.orders import PurchaseOrder
from models.domain.receipts import Receipt, ReceiptKind, ReceiptStatus
from models.store.orders.in_use import orders_with_other_use
from models.store.orders.order_links import recount
from models.store.orders.order_pages import Upserted
from models.store.orders.order_rows import lock_orders
from models.store.orders.receipt_rows import changed_receipts, write_changed
from models.tables import ReceiptLineRow, ReceiptRow


async def upsert(
    s: AsyncSession,
    connection_id: ConnectionId,
    receipts: Sequence[tuple[Receipt, ReceiptStatus]],
    *,
    receipts_count_as_billed: bool,
) -> Upserted:
    """Store a page of receipts, recompute R and E of their orders and queue a notification to those orders' workflows.

    An order with a bill of ours in flight keeps its figures: its own refresh counts (`order_refresh.py`).
    """
    await s.flush()
    connection = await s.connection()
    changed = await changed_receipts(connection, connection_id, receipts)
    if not changed:
        return Upserted(len(receipts), 0)
    parts = {
        "documents": [write.receipt.document_id for write in changed],
        "shown": [receipt.erp_id for receipt, _ in receipts],
    }
    orders = await connection.execute(
        text(
            "select id from purchase_orders where connection_id = :c and document_id = any(cast(:orders as text[]))"
            " union select purchase_order_id from receipts"
            "   where connection_id = :c and erp_id = any(cast(:erp_ids as text[])) and purchase_order_id is not null"
            f" union select r.purchase_order_id {_OTHER_PARTS} and r.purchase_order_id is not null"
        ),
        {
            "c": connection_id,
            "orders": [write.receipt.order_document for write in changed if write.receipt.order_document],
            "erp_ids": [write.receipt.erp_id for write in changed],
            **parts,
        },
    )
    order_ids = sorted(orders.scalars())
    if order_ids:
        await lock_orders(connection, order_ids)
    used = await orders_with_other_use(
        connection, connection_id, {write.receipt.erp_id: write.receipt.erp_status for write in changed}
    )
    written = await write_changed(connection, connection_id, changed)
    await connection.execute(
        text(
            "update receipts set deleted_at = now(), status = 'deleted'"
            f" where deleted_at is null and id in (select r.id {_OTHER_PARTS})"
        ),
        {"c": connection_id, **parts},
    )
    if used:  # no figure changed by it, but bills of the receipt wait, or have to
        await connection.execute(
            text("update purchase_orders set notified_hash = '' where id = any(cast(:ids as text[]))"), {"ids": used}
        )
    if order_ids:
        await recount(connection, order_ids, receipts_count_as_billed=receipts_count_as_billed)
    return Upserted(len(receipts), written)


_OTHER_PARTS = """
    from receipts r
   where r.connection_id = :c and r.deleted_at is null and strpos(r.erp_id, '/') > 0 and r.kind = 'receipt'
     and split_part(r.erp_id, '/', 1) = any(cast(:documents as text[]))
     and r.erp_id <> all(cast(:shown as text[]))
"""
"""What receipts of several orders, which are here once for each, were to an order that they are not for any more."""


_GONE = """
    from receipts r
    join purchase_orders o on o.id = r.purchase_order_id
    join json_to_recordset(cast(:orders as json)) as n(erp_id text, revision text, receipts jsonb)
      on n.erp_id = o.erp_id and o.revision <= n.revision
   where o.connection_id = :c and r.deleted_at is null and not n.receipts ? r.erp_id
"""


async def drop_unnamed(
    s: AsyncSession, connection_id: ConnectionId, orders: Sequence[PurchaseOrder], *, receipts_count_as_billed: bool
) -> int:
    """Mark receipts as deleted that their orders do not name any more; return how many. A person may have turned them
    into bills, which the ERP need not list as a deletion. An order that is stored in a newer state says nothing."""
    named = [
        {"erp_id": order.erp_id, "revision": order.revision, "receipts": list(order.receipts)}
        for order in orders
        if order.receipts is not None
    ]
    if not named:
        return 0
    await s.flush()
    connection = await s.connection()
    values = {"c": connection_id, "orders": json.dumps(named)}
    rows = await connection.execute(text(f"select distinct r.purchase_order_id {_GONE} order by 1"), values)
    order_ids = list(rows.scalars())
    if not order_ids:
        return 0
    await lock_orders(connection, order_ids)
    gone = await connection.execute(
        text(
            "update receipts set deleted_at = now(), status = 'deleted'"
            f" where deleted_at is null and id in (select r.id {_GONE})"
        ),
        values,
    )
    await recount(connection, order_ids, receipts_count_as_billed=receipts_count_as_billed)
    return gone.rowcount


async def for_order(
    s: AsyncSession, order_id: PurchaseOrderId
) -> Sequence[tuple[ReceiptRow, Sequence[ReceiptLineRow]]]:
    """Return the order's receipts with their lines, oldest first; deleted ones are left out."""
    rows = (
        await s.exec(
            select(ReceiptRow)
            .where(
                col(ReceiptRow.purchase_order_id) == order_id,
                col(ReceiptRow.kind) == ReceiptKind.RECEIPT.value,
                col(ReceiptRow.deleted_at).is_(None),
            )
            .order_by(col(ReceiptRow.received_on), col(ReceiptRow.number), col(ReceiptRow.id)),
            execution_options={"populate_existing": True},
        )
    ).all()
    lines: dict[str, list[ReceiptLineRow]] = {row.id: [] for row in rows}
    for line in await s.exec(
        select(ReceiptLineRow)
        .where(col(ReceiptLineRow.receipt_id).in_(list(lines)))
        .order_by(col(ReceiptLineRow.receipt_id), col(ReceiptLineRow.line_no)),
        execution_options={"populate_existing": True},
    ):
        lines[line.receipt_id].append(line)
    return [(row, lines[row.id]) for row in rows]
