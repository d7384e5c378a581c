"""Link an order to other documents: the back-order chain that it continues, and the receipts against it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.ids import ConnectionId
from models.store.orders.order_rows import sent_bills

_LONGEST_CHAIN = 100
"""How many steps a back-order chain is followed: documents that name each other in a circle must not stop a sync."""


_BACK_ORDERS = """
select b.id from purchase_orders b where b.connection_id = :c and b.created_from is not null
 and (b.id = any(cast(:ids as text[])) or b.created_from in (
     select document_id from purchase_orders where id = any(cast(:ids as text[]))))
"""

_ADOPT_RECEIPTS = """
update receipts r set purchase_order_id = o.id from purchase_orders o
 where o.id = any(cast(:ids as text[])) and r.connection_id = :c and r.purchase_order_id is null
   and r.order_document = o.document_id
returning o.id
"""

_ADOPT_BILLS = """
update bills b set purchase_order_id = o.id, linked_in_erp = true, changed_at = now() from purchase_orders o
 where (cast(:ids as text[]) is null or o.id = any(cast(:ids as text[]))) and b.connection_id = :c
   and o.connection_id = :c and b.purchase_order_id is null
   and b.origin = 'erp' and b.order_document = o.document_id and b.receipt_document is null
"""

_ADOPT_ALL = text(f"with receipts_found as ({_ADOPT_RECEIPTS}), bills_found as ({_ADOPT_BILLS}) {_BACK_ORDERS}")


async def link_chains(connection: AsyncConnection, connection_id: ConnectionId, order_ids: Sequence[str]) -> None:
    """Give back orders the chain of the order that they continue (S5-25), whichever of the two arrived first."""
    rows = await connection.execute(text(_BACK_ORDERS), {"c": connection_id, "ids": order_ids})
    await _follow_chains(connection, connection_id, list(rows.scalars()))


async def adopt_all(connection: AsyncConnection, connection_id: ConnectionId, order_ids: Sequence[str]) -> None:
    """Link what was stored before these orders to them: receipts, bills made in the ERP, and back orders."""
    rows = await connection.execute(_ADOPT_ALL, {"c": connection_id, "ids": order_ids})
    await _follow_chains(connection, connection_id, list(rows.scalars()))


async def _follow_chains(connection: AsyncConnection, connection_id: ConnectionId, affected: list[str]) -> None:
    for _ in range(_LONGEST_CHAIN):
        if not affected:
            return
        moved = await connection.execute(
            text(
                "update purchase_order_lines l set chain_line = f.chain_line"
                " from purchase_orders b, purchase_orders o, purchase_order_lines f"
                " where b.id = any(cast(:ids as text[])) and o.connection_id = :c and o.document_id = b.created_from"
                "   and l.purchase_order_id = b.id and f.purchase_order_id = o.id and f.erp_id = l.source_line"
                "   and o.id <> b.id and l.chain_line <> f.chain_line"
                " returning l.purchase_order_id"
            ),
            {"c": connection_id, "ids": affected},
        )
        moved_orders = sorted(set(moved.scalars()))
        further = await connection.execute(
            text(
                "select b.id from purchase_orders o join purchase_orders b"
                " on b.connection_id = o.connection_id and b.created_from = o.document_id"
                " where o.id = any(cast(:ids as text[]))"
            ),
            {"ids": moved_orders},
        )
        affected = list(further.scalars())


async def adopt_receipts(
    connection: AsyncConnection, connection_id: ConnectionId, order_ids: Sequence[str]
) -> Sequence[str]:
    """Link receipts that were stored before their order to it; return the orders that got some."""
    rows = await connection.execute(text(_ADOPT_RECEIPTS), {"c": connection_id, "ids": order_ids})
    return sorted(set(rows.scalars()))


_HAS_EFFECT = "r.status in ('active', 'closed') and lower(r.erp_status) <> 'draft' and r.deleted_at is null"
COUNTS = f"r.kind = 'receipt' and {_HAS_EFFECT}"
"""Whether a receipt `r` has received anything. A draft has not yet."""

SENT_BACK = f"r.kind = 'return' and {_HAS_EFFECT}"
"""Whether a return `r` has sent anything back."""

RECEIVED = f"""
case when rl.billed < rl.quantity and exists (
         select from receipt_lines c join receipts rest on rest.id = c.receipt_id
          where c.source_line = rl.erp_id and rest.connection_id = r.connection_id
            and {COUNTS.replace("r.", "rest.")})
     then rl.billed else rl.quantity end
"""
"""What a line `rl` of a receipt `r` stands for: all of it; where the rest went on as a back order, what was billed."""

# Receipts in another unit are rounded at ten places: three times 3.3333333333 cases count as ten.
#
# T is what went back by the returns' own documents. A credit on a return shows it as well, where those are not shown,
# so T is the larger of the two, and never their sum. A return that posts its credit itself is part of C, but no more
# than E still has of it: the ERP may have taken the return off E.
_COUNT_RECEIPTS = f"""
update purchase_order_lines l
set received = n.received, receipts_billed = n.receipts_billed, billed = n.billed, billed_amount = n.billed_amount,
    returned = n.returned, credited = n.credited, credited_amount = n.credited_amount,
    credited_by_returns = n.freed, credited_by_returns_amount = n.freed_amount
from (
    select c.*, greatest(c.gross - c.returned, 0) as received,
           case when c.by_value then c.value_billed
                when c.billed = c.converted then c.converted_amount else c.billed * c.price end as billed_amount,
           c.credited_else + c.freed as credited, c.credited_amount_else + c.freed_amount as credited_amount
    from (
        select b.*, freed.quantity as freed, trim_scale(round(freed.quantity * b.price, 2)) as freed_amount
        from (
            select k.purchase_order_id, k.line_no, r.gross, k.credited - k.credited_by_returns as credited_else,
                   k.credited_amount - k.credited_by_returns_amount as credited_amount_else,
                   r.billed - least(back.of_receipts, r.billed) as receipts_billed,
                   k.converted, k.converted_amount, k.price, back.credited as credited_by_returns,
                   greatest(back.quantity, k.returned_by_credits) as returned,
                   case when :counted and r.gross > 0
                        then greatest(k.converted - r.gross + r.billed - least(back.of_receipts, r.billed),
                                      ours.settled, 0)
                        else k.converted end as billed,
                   :counted and r.gross > 0 and k.basis = 'amount' as by_value,
                   -- A line that converts by price counts no converted quantity: what was received is taken off its
                   -- value.
                   greatest(k.converted_amount
                            - (r.gross - r.billed + least(back.of_receipts, r.billed)) * k.price, ours.value_settled, 0)
                       as value_billed
            from purchase_order_lines k
            left join (
                -- The ERP counts a receipt's line that was sent back as converted, as if it were billed.
                select r.purchase_order_id, rl.order_line,
                       sum({RECEIVED}) filter (where {COUNTS}) as gross,
                       sum(rl.billed) filter (where {COUNTS}) as billed,
                       sum(rl.quantity) filter (where {SENT_BACK}) as sent_back,
                       sum(rl.quantity) filter (where {SENT_BACK} and rl.source_line is not null) as of_receipts,
                       sum(rl.credited) filter (where {SENT_BACK}) as credited
                from receipts r join receipt_lines rl on rl.receipt_id = r.id
                where r.purchase_order_id = any(cast(:ids as text[]))
                group by 1, 2
            ) sums on sums.purchase_order_id = k.purchase_order_id and sums.order_line = k.erp_id
            cross join lateral (
                select trim_scale(round(coalesce(sums.gross, 0), 9)) as gross,
                       trim_scale(round(coalesce(sums.billed, 0), 9)) as billed
            ) r
            cross join lateral (
                select trim_scale(round(coalesce(sums.sent_back, 0), 9)) as quantity,
                       coalesce(sums.of_receipts, 0) as of_receipts,
                       trim_scale(round(coalesce(sums.credited, 0), 9)) as credited
            ) back
            cross join lateral (
                select coalesce(sum(bl.quantity), 0) as settled, coalesce(sum(bl.amount), 0) as value_settled
                from bill_lines bl join bills b on b.id = bl.bill_id
                where :counted and bl.purchase_order_id = k.purchase_order_id
                  and bl.purchase_order_line_no = k.line_no
                  and not bl.reserves and b.status not in ('deleted', 'abandoned', 'disputed')
            ) ours
            where k.purchase_order_id = any(cast(:ids as text[]))
              and (k.received <> 0 or k.receipts_billed <> 0 or k.billed <> k.converted
                   or k.returned <> k.returned_by_credits or k.credited_by_returns <> 0
                   or exists (select from receipts x where x.purchase_order_id = k.purchase_order_id))
        ) b
        cross join lateral (
            select coalesce(sum(bl.quantity), 0) as known
            from bill_lines bl join bills x on x.id = bl.bill_id
            where b.credited_by_returns > 0 and bl.purchase_order_id = b.purchase_order_id
              and bl.purchase_order_line_no = b.line_no and not bl.reserves and x.kind = 'bill'
              and x.status not in ('deleted', 'abandoned', 'disputed')
        ) ours
        cross join lateral (
            select least(b.credited_by_returns, greatest(b.billed - ours.known + b.credited_by_returns, 0)) as quantity
        ) freed
    ) c
) n
where l.purchase_order_id = n.purchase_order_id and l.line_no = n.line_no
  and (l.received, l.receipts_billed, l.billed, l.billed_amount, l.returned, l.credited, l.credited_amount,
       l.credited_by_returns, l.credited_by_returns_amount)
      is distinct from
      (n.received, n.receipts_billed, n.billed, n.billed_amount, n.returned, n.credited, n.credited_amount, n.freed,
       n.freed_amount)
returning l.purchase_order_id
"""


async def count_receipts(
    connection: AsyncConnection, order_ids: Sequence[str], *, receipts_count_as_billed: bool
) -> frozenset[str]:
    """Recompute R, T and E of every line of these orders; return the orders where a value changed.

    Where a receipt is a conversion of the order, what the ERP counts as converted includes what was received; E is the
    rest. Order and receipts are read at different moments, so that rest may be too low for a while: E never falls below
    the bills we know to be inside it. A draft receipt has received nothing yet.
    """
    rows = await connection.execute(
        text(_COUNT_RECEIPTS), {"ids": list(order_ids), "counted": receipts_count_as_billed}
    )
    return frozenset(rows.scalars())


async def adopt_bills(
    connection: AsyncConnection, connection_id: ConnectionId, order_ids: Sequence[str] | None
) -> None:
    """Link bills made in the ERP that were stored before their order to it, by the ERP's own link (ruling G8).

    None: of every order.
    """
    ids = None if order_ids is None else list(order_ids)
    await connection.execute(text(_ADOPT_BILLS), {"c": connection_id, "ids": ids})


async def recount(connection: AsyncConnection, order_ids: Sequence[str], *, receipts_count_as_billed: bool) -> None:
    """Recompute R and E of these orders after their receipts changed, and queue a notification to their workflows.

    The caller has locked the orders. While a bill of ours is in flight, an order's figures stay until its own refresh
    brings the evidence.
    """
    in_flight = {order for order, waiting in (await sent_bills(connection, order_ids)).items() if waiting}
    countable = [order for order in order_ids if order not in in_flight]
    moved = await count_receipts(connection, countable, receipts_count_as_billed=receipts_count_as_billed)
    await connection.execute(
        text(
            "update purchase_orders set notified_hash = '',"
            "   figures_due = figures_due or id = any(cast(:in_flight as text[])),"
            "   snapshot = snapshot + case when id = any(cast(:moved as text[])) then 1 else 0 end,"
            "   changed_at = case when id = any(cast(:moved as text[])) then now() else changed_at end"
            " where id = any(cast(:moved as text[])) or id = any(cast(:in_flight as text[]))"
        ),
        {"moved": sorted(moved), "in_flight": sorted(in_flight)},
    )
