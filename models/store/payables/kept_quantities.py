"""Store what the ERP keeps as billed of a bill that was taken back by a credit there.

Such a quantity stays in E, and the ERP converts its source no second time. So nothing else may be billed in its place,
and when the bill is made anew, its own lines stand on no source there and reserve nothing: they are in E already.
"""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId
from models.store.orders import settled_parts


async def keep(session: AsyncSession, bill_id: BillId, source: str | None = None) -> None:
    """Store what of a bill stays billed: all of it, or what was converted from one source. A repeat changes nothing."""
    await session.execute(
        text(
            """
            insert into kept_quantities (bill_id, line_no, source_document, source_line, purchase_order_id,
                                         purchase_order_line_no, quantity, amount)
            select l.bill_id, l.line_no, s.source ->> 'document_id', s.source ->> 'line', l.purchase_order_id,
                   l.purchase_order_line_no, (s.source ->> 'quantity')::numeric,
                   coalesce(round(l.amount * (s.source ->> 'quantity')::numeric / nullif(l.quantity, 0), 2), 0)
              from bill_lines l
              cross join lateral jsonb_array_elements(l.sources) as s(source)
             where l.bill_id = :bill and l.purchase_order_line_no is not null
               and (cast(:source as text) is null or s.source ->> 'document_id' = :source)
            on conflict do nothing
            """
        ),
        {"bill": bill_id, "source": source},
    )


async def mark(session: AsyncSession, bill_id: BillId) -> None:
    """Take what stays billed of a bill off what its lines reserve: E has it."""
    await settled_parts.settle_kept(session, bill_id)


async def by_line(session: AsyncSession, bill_id: BillId) -> list[tuple[str, int, str]]:
    """Return what stays billed of a bill by order line: the order, the line's number and the quantity."""
    rows = await session.execute(
        text(
            "select purchase_order_id, purchase_order_line_no, sum(quantity)::text as quantity from kept_quantities"
            " where bill_id = :bill group by 1, 2 order by 1, 2"
        ),
        {"bill": bill_id},
    )
    return [(row.purchase_order_id, row.purchase_order_line_no, row.quantity) for row in rows]
