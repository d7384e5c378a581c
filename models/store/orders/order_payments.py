"""Read what was paid and is scheduled on an order: a bill's payments, shared over its lines by their amounts."""

from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import PurchaseOrderId


class LinePayments(NamedTuple):
    """The part of payments that falls to one line of an order, in the order's currency, not rounded.

    `line_no` None: what falls to charges and lines off the order, of bills of this order.
    """

    line_no: int | None
    paid: Decimal
    """Posted by the ERP."""
    scheduled: Decimal
    """Planned, sent, or waiting for the ERP to post it."""


# A bill over several orders pays each by the amounts of its lines; its charges fall to the order that it is entered on.
_PAID = text(
    """
    with on_it as (
        select b.id, b.total from bills b
         where b.kind = 'bill' and b.status not in ('deleted', 'abandoned') and b.total <> 0
           and (b.purchase_order_id = :order
                or b.id in (select l.bill_id from bill_lines l where l.purchase_order_id = :order))
    ), money as (
        select g.bill_id, sum(g.amount) filter (where p.status = 'paid') as paid,
               sum(g.amount) filter (where p.status in ('scheduled', 'submitted', 'sync_issue')) as scheduled
          from payment_shares g join payments p on p.id = g.payment_id
         where g.bill_id in (select id from on_it) group by 1
    ), shares as (
        select o.id, l.purchase_order_line_no as line_no, sum(l.amount) as amount
          from on_it o join bill_lines l on l.bill_id = o.id and l.purchase_order_id = :order group by 1, 2
        union all
        select o.id, null, o.total - coalesce((select sum(l.amount) from bill_lines l
                                                where l.bill_id = o.id and l.purchase_order_id is not null), 0)
          from on_it o join bills b on b.id = o.id and b.purchase_order_id = :order
    )
    select s.line_no, sum(coalesce(m.paid, 0) * s.amount / o.total) as paid,
           sum(coalesce(m.scheduled, 0) * s.amount / o.total) as scheduled
      from shares s join on_it o on o.id = s.id join money m on m.bill_id = s.id
     group by 1 order by 1
    """
)


async def of_order(session: AsyncSession, order_id: PurchaseOrderId) -> list[LinePayments]:
    """Return what was paid and is scheduled, by the order's line."""
    rows = await session.execute(_PAID, {"order": order_id})
    return [LinePayments(row.line_no, row.paid, row.scheduled) for row in rows]


class OffLines(NamedTuple):
    """Money of an order's bills and credits that stands on none of its lines, in the order's currency."""

    billed: Decimal
    """Charges, taxes, discounts, and lines off the order."""
    credited: Decimal
    """What credits take off that give back no quantity, above zero."""


async def off_lines(session: AsyncSession, order_id: PurchaseOrderId) -> OffLines:
    """Return what bills and credits of the order come to beside its lines and the quantities that they give back."""
    rows = await session.execute(
        text(
            """
            select coalesce(sum(b.total - lines.amount) filter (where b.kind = 'bill'), 0) as billed,
                   coalesce(sum(-b.total - lines.given_back) filter (where b.kind = 'credit'), 0) as credited
              from bills b
              cross join lateral (
                  select coalesce(sum(l.amount) filter (where l.purchase_order_id is not null), 0) as amount,
                         coalesce(-sum(l.amount) filter (where l.purchase_order_id is not null
                                                           and l.quantity is not null), 0) as given_back
                    from bill_lines l where l.bill_id = b.id) lines
             where b.purchase_order_id = :order and b.kind <> 'adjustment' and not b.rejected_in_erp
               and b.status not in ('deleted', 'abandoned', 'disputed', 'draft')
               and (b.kind = 'bill' or b.status in ('synced', 'scheduled', 'partially_paid', 'paid'))
            """
        ),
        {"order": order_id},
    )
    row = rows.one()
    return OffLines(row.billed, row.credited)
