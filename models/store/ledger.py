"""The ledger of an order's lines, read under a lock when something is about to be reserved (spec/matching.md 3.1).

P is never stored: it is the sum of our bill lines that still `reserves`, so it cannot drift. C came in
with E, from one reading (`credits.py`). O, R, E and C of a back-order chain are summed over the chain (3.6), everything
else is the line's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, PurchaseOrderId

OTHERS_PLACES = 4
ROUNDED_BY = Fraction(1, 10**7)
"""How far an ERP's rounded quantity may be from what our bills come to, on one order line."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One order line as matching needs it. Quantities in the line's unit."""

    line_no: int
    erp_id: str
    item_id: str
    description: str
    unit: str
    price: Decimal
    amount: Decimal
    basis: str
    closed: bool
    receivable: bool
    """False: no receipt is ever made of it (S4-69)."""
    quantity: Decimal
    """The line's own quantity, which in a chain is only what was left."""
    converted: Decimal
    ordered: Decimal
    received: Decimal
    billed: Decimal | Fraction
    pending: Decimal | Fraction
    """Fractions only where a bill's own unit makes one whose decimals do not end (7 of a dozen)."""
    billed_amount: Decimal
    """E in money."""
    pending_amount: Decimal
    """P in money."""
    credited: Decimal
    """C: credited and still inside E; below zero where E lacks what only lowered a price."""
    credited_amount: Decimal
    """C in money."""
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None


@dataclass(frozen=True, slots=True)
class ReceiptSource:
    """One receipt line with what is left of it to bill: `quantity - billed - pending`."""

    document_id: str
    number: str
    line: str
    line_no: int
    order_line: str
    received_on: date
    quantity: Decimal
    billed: Decimal
    pending: Decimal | Fraction


async def lock_lines(session: AsyncSession, purchase_order_ids: Iterable[PurchaseOrderId]) -> None:
    """Hold the orders' lines until the transaction ends: check and reservation are one (spec/matching.md 3.6).

    Always in one sorted order, so that two bills over the same orders wait for each other and never for ever.
    """
    await session.execute(
        text(
            "select 1 from purchase_order_lines where purchase_order_id = any(:orders)"
            " order by purchase_order_id, line_no for update"
        ),
        {"orders": sorted(set(purchase_order_ids))},
    )


_LINES = """
with chain as (
    select mine.purchase_order_id, mine.line_no,
           sum(c.quantity) filter (where c.chain_line = o.connection_id || '/' || c.erp_id) as ordered,
           sum(c.received) as received,
           sum(c.billed) as billed,
           sum(c.billed_amount) as billed_amount,
           sum(c.credited) as credited, sum(c.credited_amount) as credited_amount
      from purchase_order_lines mine
      join purchase_order_lines c on c.chain_line = mine.chain_line and not c.deleted
      join purchase_orders o on o.id = c.purchase_order_id
     where mine.purchase_order_id {which} and not mine.deleted
     group by mine.purchase_order_id, mine.line_no
), ours as (
    select mine.purchase_order_id, mine.line_no,
           sum(b.quantity) filter (where b.exact_quantity is null) as pending,
           array_agg(b.exact_quantity) filter (where b.reserves and b.exact_quantity is not null) as fractions,
           array_agg(b.exact_quantity) filter (where not b.reserves and exists (
               select from bills x where x.id = b.bill_id and x.status not in ('abandoned', 'deleted'))) as settled,
           sum(b.amount) filter (where b.reserves) as pending_amount
      from purchase_order_lines mine
      join purchase_order_lines c on c.chain_line = mine.chain_line
      join bill_lines b on b.purchase_order_id = c.purchase_order_id and b.purchase_order_line_no = c.line_no
                       and (b.reserves or b.exact_quantity is not null)
     where mine.purchase_order_id {which} and b.bill_id is distinct from :without
     group by mine.purchase_order_id, mine.line_no
)
select l.*, coalesce(chain.ordered, l.quantity) as chain_ordered,
       coalesce(chain.received, 0) as chain_received,
       coalesce(chain.billed, 0) as chain_billed,
       coalesce(chain.billed_amount, 0) as chain_billed_amount,
       coalesce(chain.credited, 0) as chain_credited,
       coalesce(chain.credited_amount, 0) as chain_credited_amount,
       coalesce(ours.pending, 0) as pending, ours.fractions, ours.settled,
       coalesce(ours.pending_amount, 0) as pending_amount,
       l.receivable and not exists (
           select from list_entries i
            where i.connection_id = (select o.connection_id from purchase_orders o where o.id = l.purchase_order_id)
              and i.kind = 'item' and i.key = l.item_id and i.attributes->>'receivable' = 'false') as awaits_receipt
  from purchase_order_lines l
  left join chain using (purchase_order_id, line_no) left join ours using (purchase_order_id, line_no)
 where l.purchase_order_id {which} and not l.deleted
 order by l.purchase_order_id, l.line_no
"""
"""`which` narrows to one order or to many: told that it is one, PostgreSQL takes less than half the time."""


async def lines(
    session: AsyncSession, purchase_order_id: PurchaseOrderId, *, without_bill: BillId | None = None
) -> list[LedgerLine]:
    """The ledger of every line; `without_bill` leaves one bill's own reservation out (Q36)."""
    rows = await session.execute(
        text(_LINES.format(which="= :order")), {"order": purchase_order_id, "without": without_bill}
    )
    return [_line(row) for row in rows]


async def lines_of(
    session: AsyncSession, purchase_order_ids: Iterable[PurchaseOrderId]
) -> dict[PurchaseOrderId, list[LedgerLine]]:
    """The ledgers of many orders in one statement. An order without a line is not there."""
    rows = await session.execute(
        text(_LINES.format(which="= any(:orders)")), {"orders": list(purchase_order_ids), "without": None}
    )
    found: dict[PurchaseOrderId, list[LedgerLine]] = {}
    for row in rows:
        found.setdefault(row.purchase_order_id, []).append(_line(row))
    return found


def _line(row: Any) -> LedgerLine:
    return LedgerLine(
        line_no=row.line_no,
        erp_id=row.erp_id,
        item_id=row.item_id,
        description=row.description,
        unit=row.unit,
        price=row.price,
        amount=row.amount,
        basis=row.basis,
        closed=row.closed,
        receivable=row.awaits_receipt,
        quantity=row.quantity,
        converted=row.converted,
        ordered=row.chain_ordered,
        received=row.chain_received,
        billed=_as_billed(row.chain_billed, row.settled or ()),
        pending=_exactly(row.pending, row.fractions or ()),
        billed_amount=row.chain_billed_amount,
        pending_amount=row.pending_amount,
        credited=row.chain_credited,
        credited_amount=row.chain_credited_amount,
        department=row.department,
        location=row.location,
        class_id=row.class_id,
        project=row.project,
        warehouse=row.warehouse,
    )


def _as_billed(billed: Decimal, settled: Iterable[str]) -> Decimal | Fraction:
    """E exactly, where bills of ours explain how the ERP rounded it: it keeps 113/12 as 9.4166666667, which leaves too
    little for 7/12 (U04). What others billed beside ours has few decimals, else nothing is explained."""
    ours = sum((Fraction(quantity) for quantity in settled), Fraction(0))
    if not ours:
        return billed
    others = Fraction(billed) - ours
    told = Fraction(round(others, OTHERS_PLACES))
    return _exactly(Decimal(0), (str(ours + told),)) if abs(others - told) <= ROUNDED_BY else billed


def _exactly(decimals: Decimal, fractions: Iterable[str]) -> Decimal | Fraction:
    """The sum of what ends in decimals and what does not: 7/12 and 113/12 make 10 (U04)."""
    total = Fraction(decimals)
    for fraction in fractions:
        total += Fraction(fraction)
    if total == Fraction(decimals):
        return decimals
    return Decimal(total.numerator) if total.denominator == 1 else total


async def receipt_sources(
    session: AsyncSession, purchase_order_id: PurchaseOrderId, *, without_bill: BillId | None = None
) -> list[ReceiptSource]:
    """The order's receipt lines, oldest first, with what of them is billed or about to be; `without_bill` as above."""
    rows = await session.execute(
        text(
            """
            with pending as (
                select s.document_id, s.line, sum(s.quantity) filter (where s.exact is null) as quantity,
                       array_agg(s.exact) filter (where s.exact is not null) as fractions
                  from bill_lines b
                  cross join lateral jsonb_to_recordset(b.sources)
                        as s(document_id text, line text, quantity numeric, exact text)
                 where b.purchase_order_id = :order and b.reserves and b.bill_id is distinct from :without
                 group by 1, 2
            )
            select r.document_id, r.number, l.erp_id as line, l.line_no, l.order_line, r.received_on,
                   l.quantity, l.billed,
                   coalesce(p.quantity, 0) as pending, p.fractions
              from receipts r
              join receipt_lines l on l.receipt_id = r.id
              left join pending p on p.document_id = r.document_id and p.line = l.erp_id
             where r.purchase_order_id = :order and r.deleted_at is null and r.status <> 'deleted'
               and l.order_line is not null
             order by r.received_on, r.number, l.line_no
            """
        ),
        {"order": purchase_order_id, "without": without_bill},
    )
    return [
        ReceiptSource(
            document_id=row.document_id,
            number=row.number,
            line=row.line,
            line_no=row.line_no,
            order_line=row.order_line,
            received_on=row.received_on,
            quantity=row.quantity,
            billed=row.billed,
            pending=_exactly(row.pending, row.fractions or ()),
        )
        for row in rows
    ]
