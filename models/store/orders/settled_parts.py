"""Mark which shares of bills in parts are inside the ERP's billed quantity: what they billed is pending no more.

A line of such a bill is divided over its sources. While the ERP holds only some of the parts, the line reserves the
rest: `sources` names the shares that are inside E as `settled`, and the line's `settled_quantity` is their sum.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId


async def settle(
    session: AsyncSession, purchase_order_id: str, numbers: Collection[str], documents: Collection[str]
) -> None:
    """Mark what is inside the ERP's billed quantity of lines on this order: the shares of parts that the evidence
    names, by key or document. A line whose parts are all there reserves nothing more."""
    await session.execute(
        text(
            f"""
            with inside as (
                select p.bill_id, p.source_document
                  from bill_parts p join bills b on b.id = p.bill_id and b.generation = p.generation
                 where not p.superseded and p.purchase_order_id = :order
                   and (p.external_key = any(cast(:numbers as text[]))
                        or p.document_id = any(cast(:documents as text[])))
            ), marked as (
                select l.bill_id, l.line_no,
                       jsonb_agg(case when i.bill_id is null then s.source
                                      else s.source || '{{"settled": true}}' end order by s.place) as sources
                  from bill_lines l
                  cross join lateral jsonb_array_elements(l.sources) with ordinality as s(source, place)
                  left join inside i on i.bill_id = l.bill_id and i.source_document = s.source ->> 'document_id'
                 where l.purchase_order_id = :order and l.reserves and l.bill_id in (select bill_id from inside)
                 group by l.bill_id, l.line_no
            )
            {_STORE_MARKS}
            """
        ),
        {"order": purchase_order_id, "numbers": list(numbers), "documents": list(documents)},
    )


_SETTLED = "coalesce((s.source ->> 'settled')::boolean, false)"

_STORE_MARKS = f"""
update bill_lines l
   set sources = m.sources, settled_quantity = case when f.whole then 0 else f.quantity end,
       settled_amount = case when f.whole then 0
                             else coalesce(round(l.amount * f.quantity / nullif(l.quantity, 0), 2), 0) end,
       reserves = not f.whole
  from marked m
  cross join lateral (
      select coalesce(sum((s.source ->> 'quantity')::numeric) filter (where {_SETTLED}), 0) as quantity,
             bool_and({_SETTLED}) as whole
        from jsonb_array_elements(m.sources) as s(source)
  ) f
 where l.bill_id = m.bill_id and l.line_no = m.line_no
"""


async def settle_kept(session: AsyncSession, bill_id: BillId) -> None:
    """Mark the shares of a bill's lines that the ERP keeps as billed from a generation before: they are inside E."""
    await session.execute(
        text(
            f"""
            with marked as (
                select l.bill_id, l.line_no,
                       jsonb_agg(case when k.bill_id is null then s.source
                                      else s.source || '{{"settled": true}}' end order by s.place) as sources
                  from bill_lines l
                  cross join lateral jsonb_array_elements(l.sources) with ordinality as s(source, place)
                  left join kept_quantities k
                    on k.bill_id = l.bill_id and k.line_no = l.line_no
                       and k.source_document = s.source ->> 'document_id' and k.source_line = s.source ->> 'line'
                 where l.bill_id = :bill and l.reserves
                   and exists (select from kept_quantities x where x.bill_id = l.bill_id and x.line_no = l.line_no)
                 group by l.bill_id, l.line_no
            )
            {_STORE_MARKS}
            """
        ),
        {"bill": bill_id},
    )


async def unsettle(session: AsyncSession, bill_id: BillId, source: str) -> None:
    """Reserve the share of a part again that the ERP holds no more."""
    await session.execute(
        text(
            f"""
            with marked as (
                select l.bill_id, l.line_no,
                       jsonb_agg(case when s.source ->> 'document_id' = :source then s.source - 'settled'
                                      when l.reserves then s.source
                                      else s.source || '{{"settled": true}}' end order by s.place) as sources
                  from bill_lines l
                  cross join lateral jsonb_array_elements(l.sources) with ordinality as s(source, place)
                 where l.bill_id = :bill and l.sources @> cast(:named as jsonb)
                 group by l.bill_id, l.line_no
            )
            {_STORE_MARKS}
            """
        ),
        {"bill": bill_id, "source": source, "named": f'[{{"document_id": "{source}"}}]'},
    )


async def forget(session: AsyncSession, bill_id: BillId) -> None:
    """Take the marks off the lines of a bill that the ERP holds nothing of any more."""
    await session.execute(
        text(
            "update bill_lines l set settled_quantity = 0, settled_amount = 0,"
            "   sources = (select coalesce(jsonb_agg(s.source - 'settled' order by s.place), '[]')"
            "                from jsonb_array_elements(l.sources) with ordinality as s(source, place))"
            " where l.bill_id = :bill and l.sources::text like '%settled%'"
        ),
        {"bill": bill_id},
    )
