"""Store what vendor credits made in the ERP take back from orders: C of the ledger (spec/matching.md 3.1, R01..R10).

C is only true beside the E that it was read with, so it comes with an order that is read whole (`order_refresh.py`).
This module finds the orders that must be read whole, and stores C.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.bills import ErpBill
from models.domain.ids import ConnectionId, ErpId, PurchaseOrderId
from models.domain.orders import OrderCredit, PurchaseOrder
from models.domain.sync import DeletedKind, Deletion
from models.store.orders.order_rows import lock_orders


class CreditedOrder(NamedTuple):
    """A mirrored order that a credit concerns."""

    id: PurchaseOrderId
    erp_id: ErpId


_BY_EARLIER_CREDITS = """
select o.id, o.erp_id
  from bills b
  join bill_lines l on l.bill_id = b.id and l.amount < 0
  join purchase_orders o on o.id = l.purchase_order_id and o.connection_id = :c and o.deleted_at is null
 where b.connection_id = :c and b.kind = 'credit' and b.status not in ('deleted', 'abandoned')
   and b.payable_id is not null
"""


async def of_page(
    connection: AsyncConnection, connection_id: ConnectionId, bills: Iterable[ErpBill]
) -> list[CreditedOrder]:
    """Return the orders whose C the credits among these bills may change: those they name now or named before."""
    credits = {bill.erp_id: bill for bill in bills if bill.total <= 0}
    if not credits:
        return []
    stored = await connection.execute(
        text(
            "select payable_id, max(payable_revision) as revision from bills"
            " where connection_id = :c and (origin = 'erp' or kind = 'credit')"
            "   and payable_id = any(cast(:ids as text[])) group by 1"
        ),
        {"c": connection_id, "ids": list(credits)},
    )
    revisions = {row.payable_id: row.revision or "" for row in stored}
    newer = [bill for erp_id, bill in credits.items() if bill.revision > revisions.get(erp_id, "")]
    documents = {line.order_document or bill.order_document for bill in newer for line in bill.lines if line.order_line}
    rows = await connection.execute(
        text(
            "select id, erp_id from purchase_orders"
            " where connection_id = :c and document_id = any(cast(:documents as text[])) and deleted_at is null"
            f" union {_BY_EARLIER_CREDITS} and b.payable_id = any(cast(:news as text[])) order by 1"
        ),
        {"c": connection_id, "documents": sorted(filter(None, documents)), "news": [bill.erp_id for bill in newer]},
    )
    return [CreditedOrder(row.id, row.erp_id) for row in rows]


async def of_deleted(
    connection: AsyncConnection, connection_id: ConnectionId, deletions: Iterable[Deletion]
) -> list[CreditedOrder]:
    """Return the orders that a deleted credit had taken something back from."""
    gone = sorted({deletion.erp_id for deletion in deletions if deletion.kind is DeletedKind.BILL})
    if not gone:
        return []
    rows = await connection.execute(
        text(f"{_BY_EARLIER_CREDITS} and b.payable_id = any(cast(:gone as text[])) group by 1, 2 order by 1"),
        {"c": connection_id, "gone": gone},
    )
    return [CreditedOrder(row.id, row.erp_id) for row in rows]


async def among(
    connection: AsyncConnection, connection_id: ConnectionId, orders: Sequence[PurchaseOrder]
) -> list[CreditedOrder]:
    """Return those of these orders whose C may have changed since they were read last.

    That is so when credits we have take something back from them, or when the ERP counts less as billed than before: a
    credit that we do not have yet may have done that.
    """
    if not orders:
        return []
    lines = [line for order in orders for line in order.lines]
    rows = await connection.execute(
        text(
            f"{_BY_EARLIER_CREDITS} and o.erp_id = any(cast(:ids as text[]))"
            " union select o.id, o.erp_id from purchase_orders o"
            " join purchase_order_lines k on k.purchase_order_id = o.id and not k.deleted"
            " join unnest(cast(:lines as text[]), cast(:billed as numeric[])) as n(line, billed) on n.line = k.erp_id"
            " where o.connection_id = :c and o.erp_id = any(cast(:ids as text[])) and o.deleted_at is null"
            "   and (k.credited <> 0 or n.billed < k.converted) order by 1"
        ),
        {
            "c": connection_id,
            "ids": [order.erp_id for order in orders],
            "lines": [line.erp_id for line in lines],
            "billed": [line.billed for line in lines],
        },
    )
    return [CreditedOrder(row.id, row.erp_id) for row in rows]


async def forget(connection: AsyncConnection, order_id: PurchaseOrderId) -> None:
    """Set C of an order to zero because its credits changed: what they freed is not free any more.

    A C below zero stays: to remove it would free something.
    """
    await lock_orders(connection, [order_id])
    await connection.execute(
        text(
            "update purchase_order_lines"
            " set credited = least(credited - credited_by_returns, 0) + credited_by_returns,"
            "   credited_amount = least(credited_amount - credited_by_returns_amount, 0) + credited_by_returns_amount"
            " where purchase_order_id = :id and (credited > 0 or credited_amount > 0)"
        ),
        {"id": order_id},
    )


async def take_in(connection: AsyncConnection, order_id: PurchaseOrderId, read: Sequence[OrderCredit]) -> bool:
    """Store C of every line of a locked order, zero for lines that are not named; return whether a value changed.

    What was credited on returns is counted into T by `order_links.count_receipts`.
    """
    moved = await connection.execute(
        text(
            "update purchase_order_lines l set credited = n.quantity + l.credited_by_returns,"
            "   credited_amount = n.amount + l.credited_by_returns_amount,"
            "   returned_by_credits = n.returned, returned_on = n.returned_on from ("
            "    select k.line_no, coalesce(t.quantity, 0) as quantity, coalesce(t.amount, 0) as amount,"
            "           coalesce(t.returned, 0) as returned, t.returned_on"
            "      from purchase_order_lines k"
            "      left join unnest(cast(:lines as text[]), cast(:quantities as numeric[]),"
            "                       cast(:amounts as numeric[]), cast(:returned as numeric[]),"
            "                       cast(:returned_on as date[]))"
            "        as t(line, quantity, amount, returned, returned_on) on t.line = k.erp_id"
            "     where k.purchase_order_id = :id) n"
            " where l.purchase_order_id = :id and l.line_no = n.line_no"
            "   and (l.credited - l.credited_by_returns, l.credited_amount - l.credited_by_returns_amount,"
            "        l.returned_by_credits)"
            "       is distinct from (n.quantity, n.amount, n.returned)"
        ),
        {
            "id": order_id,
            "lines": [credit.order_line for credit in read],
            "quantities": [credit.quantity for credit in read],
            "amounts": [credit.amount for credit in read],
            "returned": [credit.returned for credit in read],
            "returned_on": [credit.returned_on for credit in read],
        },
    )
    return moved.rowcount > 0
