"""Compare what the ERP says is billed of order lines with the bills that the mirror has of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, ConnectionId, PurchaseOrderId


class Unexplained(NamedTuple):
    """An order line of which the ERP counts another quantity, or amount, as billed than its bills say."""

    order_id: PurchaseOrderId
    order_number: str
    line_no: int
    said: Decimal
    """By the ERP, in the line's unit; of a line that is billed by amount, in the order's currency."""
    by_bills: Decimal


# An order with a bill of ours on its way is left out: its figures are about to change. So is one that is older than the
# bills which were read.
_COMPARE = text(
    """
    select o.id, o.number, l.line_no,
           case l.basis when 'amount' then l.billed_amount else l.billed end as said,
           coalesce(case l.basis when 'amount' then b.amount else b.quantity end, 0) as by_bills
      from purchase_orders o
      join purchase_order_lines l on l.purchase_order_id = o.id and not l.deleted
      left join lateral (
          select sum(x.quantity) as quantity, sum(x.amount) as amount
            from bill_lines x join bills b on b.id = x.bill_id
           where x.purchase_order_id = o.id and x.purchase_order_line_no = l.line_no
             and b.status not in ('abandoned', 'deleted') and not b.rejected_in_erp
             and (b.origin = 'posync' and b.kind = 'bill' and b.document_id is not null and b.status <> 'link_missing'
                  or b.origin = 'erp' and b.linked_in_erp)
      ) b on true
     where o.id = any(:orders) and o.connection_id = :connection and o.ordered_on >= :from and o.deleted_at is null
       and not o.figures_due
       and not exists (select from bill_lines f where f.purchase_order_id = o.id and f.reserves)
     order by o.id, l.line_no
    """
)


async def unexplained(
    session: AsyncSession, connection_id: ConnectionId, order_ids: Sequence[str], *, ordered_from: date
) -> list[Unexplained]:
    """Return the lines of these orders whose billed figure is not the sum of their bills."""
    rows = await session.execute(
        _COMPARE, {"connection": connection_id, "orders": list(order_ids), "from": ordered_from}
    )
    results = [Unexplained(PurchaseOrderId(row.id), row.number, row.line_no, row.said, row.by_bills) for row in rows]
    return [one for one in results if one.said != one.by_bills]


async def reported(session: AsyncSession, connection_id: ConnectionId, code: str) -> list[PurchaseOrderId]:
    """Return the orders that have an open issue of this code."""
    rows = await session.execute(
        text(
            "select subject_id from sync_issues where connection_id = :c and code = :code"
            " and subject_kind = 'purchase_order' and state = 'open' order by 1"
        ),
        {"c": connection_id, "code": code},
    )
    return [PurchaseOrderId(order_id) for order_id in rows.scalars()]


async def seen(session: AsyncSession, connection_id: ConnectionId, code: str, order_ids: Sequence[str]) -> set[str]:
    """Return the differences that a person saw and closed the issue of, as `order: lines`."""
    rows = await session.execute(
        text(
            "select subject_id || ': ' || (evidence ->> 'lines') as seen from sync_issues"
            " where connection_id = :c and code = :code and subject_kind = 'purchase_order' and state <> 'open'"
            " and closed_by <> :syncer and subject_id = any(:orders)"
        ),
        {"c": connection_id, "code": code, "orders": list(order_ids), "syncer": SYNCER},
    )
    return set(rows.scalars())
