"""Keep what was cancelled of order lines (X): what was not billed of them at the moment they, or their order, closed.

A reduced quantity is a new O, and no X. A document that a back order continues is not cancelled: the rest lives on.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import PurchaseOrderId
from models.store.orders import ledger

_MOVED = text(
    """
    select l.purchase_order_id, l.line_no, n.ended
      from purchase_order_lines l join purchase_orders o on o.id = l.purchase_order_id
      cross join lateral (
          select (l.closed or o.status = 'closed') and not exists (
              select from purchase_orders b where b.connection_id = o.connection_id
                 and b.created_from = o.document_id and b.deleted_at is null) as ended) n
     -- Two look-ups: by one condition with `or` every order of the mirror would be read.
     where o.id in (
              select unnest(cast(:orders as text[]))
              union
              select p.id from purchase_orders b
                join purchase_orders p on p.connection_id = b.connection_id and p.document_id = b.created_from
               where b.id = any(cast(:orders as text[])) and b.created_from is not null)
       and not l.deleted and n.ended <> (l.cancelled is not null)
    """
)
"""The lines that have ended since their X was written last, or are open again: of these orders, and of those that they
continue, which may have come in before them."""


async def follow(session: AsyncSession, order_ids: Sequence[str]) -> None:
    """Store X of the lines of these orders that were closed since, and take it off those that are open again, or that
    one of these orders continues. The caller has stored the orders, and holds their lines."""
    rows = (await session.execute(_MOVED, {"orders": list(order_ids)})).all()
    if not rows:
        return
    ended = sorted({row.purchase_order_id for row in rows if row.ended})
    ledgers = await ledger.lines_of(session, [PurchaseOrderId(order) for order in ended]) if ended else {}
    left = {(order, line.line_no): line.unbilled_of_ordered for order, lines in ledgers.items() for line in lines}
    await session.execute(
        text(
            "update purchase_order_lines l set cancelled = n.cancelled"
            " from unnest(cast(:orders as text[]), cast(:lines as int[]), cast(:cancelled as numeric[]))"
            "   as n(id, line_no, cancelled) where l.purchase_order_id = n.id and l.line_no = n.line_no"
        ),
        {
            "orders": [row.purchase_order_id for row in rows],
            "lines": [row.line_no for row in rows],
            "cancelled": [left.get((row.purchase_order_id, row.line_no)) if row.ended else None for row in rows],
        },
    )
