"""What vendor credits made in the ERP take back of orders: C of the ledger (spec/matching.md 3.1, R01..R10).

C is only true beside the E it was read with, so it comes with an order that is read whole (`order_refresh.py`). Here is
which orders have to be, and how C is stored.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain import (
    ConnectionId,
    DeletedKind,
    Deletion,
    ErpBill,
    ErpId,
    OrderCredit,
    PurchaseOrder,
    PurchaseOrderId,
)
from models.store.order_rows import lock_orders


class CreditedOrder(NamedTuple):
    """An order of the mirror that a credit concerns."""

    id: PurchaseOrderId
    erp_id: ErpId


_BY_CREDITS_HELD = """
select o.id, o.erp_id
  from bills b
  join bill_lines l on l.bill_id = b.id and l.amount < 0
  join purchase_orders o on o.id = l.purchase_order_id and o.connection_id = :c and o.deleted_at is null
 where b.connection_id = :c and b.origin = 'erp' and b.status not in ('deleted', 'abandoned')
"""


async def of_page(
    connection: AsyncConnection, connection_id: ConnectionId, bills: Iterable[ErpBill]
) -> list[CreditedOrder]:
    """The orders whose C the credits among these bills may move: those they name now, and those they named before."""
    credits = {bill.erp_id: bill for bill in bills if bill.total <= 0}
    if not credits:
        return []
    held = await connection.execute(
        text(
            "select payable_id, max(payable_revision) as revision from bills"
            " where connection_id = :c and origin = 'erp' and payable_id = any(cast(:ids as text[])) group by 1"
        ),
        {"c": connection_id, "ids": list(credits)},
    )
    revisions = {row.payable_id: row.revision or "" for row in held}
    news = [bill for erp_id, bill in credits.items() if bill.revision > revisions.get(erp_id, "")]
    documents = {line.order_document or bill.order_document for bill in news for line in bill.lines if line.order_line}
    rows = await connection.execute(
        text(
            "select id, erp_id from purchase_orders"
            " where connection_id = :c and document_id = any(cast(:documents as text[])) and deleted_at is null"
            f" union {_BY_CREDITS_HELD} and b.payable_id = any(cast(:news as text[])) order by 1"
        ),
        {"c": connection_id, "documents": sorted(filter(None, documents)), "news": [bill.erp_id for bill in news]},
    )
    return [CreditedOrder(row.id, row.erp_id) for row in rows]


async def of_deleted(
    connection: AsyncConnection, connection_id: ConnectionId, deletions: Iterable[Deletion]
) -> list[CreditedOrder]:
    """The orders of which a deleted credit took something back."""
    gone = sorted({deletion.erp_id for deletion in deletions if deletion.kind is DeletedKind.BILL})
    if not gone:
        return []
    rows = await connection.execute(
        text(f"{_BY_CREDITS_HELD} and b.payable_id = any(cast(:gone as text[])) group by 1, 2 order by 1"),
        {"c": connection_id, "gone": gone},
    )
    return [CreditedOrder(row.id, row.erp_id) for row in rows]


async def among(
    connection: AsyncConnection, connection_id: ConnectionId, orders: Sequence[PurchaseOrder]
) -> list[CreditedOrder]:
    """Those of these orders, as a page brings them, whose C may move: credits we hold take something back of them, or
    the ERP counts less as billed than before, which a credit may have done that we do not hold yet."""
    if not orders:
        return []
    lines = [line for order in orders for line in order.lines]
    rows = await connection.execute(
        text(
            f"{_BY_CREDITS_HELD} and o.erp_id = any(cast(:ids as text[]))"
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
    """Credits of an order changed: what they freed is free no more. What is below zero stays: to forget it would free
    something."""
    await lock_orders(connection, [order_id])
    await connection.execute(
        text(
            "update purchase_order_lines"
            " set credited = least(credited, 0), credited_amount = least(credited_amount, 0)"
            " where purchase_order_id = :id and (credited > 0 or credited_amount > 0)"
        ),
        {"id": order_id},
    )


async def take_in(connection: AsyncConnection, order_id: PurchaseOrderId, told: Sequence[OrderCredit]) -> bool:
    """Store C of every line of an order that is locked; lines that are not named have none. Whether one moved."""
    moved = await connection.execute(
        text(
            "update purchase_order_lines l set credited = n.quantity, credited_amount = n.amount from ("
            "    select k.line_no, coalesce(t.quantity, 0) as quantity, coalesce(t.amount, 0) as amount"
            "      from purchase_order_lines k"
            "      left join unnest(cast(:lines as text[]), cast(:quantities as numeric[]),"
            "                       cast(:amounts as numeric[])) as t(line, quantity, amount) on t.line = k.erp_id"
            "     where k.purchase_order_id = :id) n"
            " where l.purchase_order_id = :id and l.line_no = n.line_no"
            "   and (l.credited, l.credited_amount) is distinct from (n.quantity, n.amount)"
        ),
        {
            "id": order_id,
            "lines": [credit.order_line for credit in told],
            "quantities": [credit.quantity for credit in told],
            "amounts": [credit.amount for credit in told],
        },
    )
    return moved.rowcount > 0
