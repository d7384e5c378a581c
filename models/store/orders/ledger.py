"""Read the ledger of an order's lines, under a lock when something is about to be reserved (spec/matching.md 3.1).

P is never stored: it is the sum of our bill lines that still reserve (`reserves`), so it cannot drift. C was stored
together with E, from one reading (`credits.py`). O, R, E and C of a back-order chain are summed over the chain (3.6);
everything else is the line's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, PurchaseOrderId
from models.domain.orders import LineBasis

OTHERS_PLACES = 4
ROUNDED_BY = Fraction(1, 10**7)
"""How far an ERP's rounded quantity may be from the sum of our bills on one order line, in the line's unit."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One order line as matching needs it. Quantities are in the line's unit, money is in the order's currency."""

    line_no: int
    erp_id: str
    item_id: str
    description: str
    unit: str
    price: Decimal
    amount: Decimal
    basis: str
    closed: bool
    closed_short: Decimal | None
    """What was not billed of it when it was closed, in what it is measured by; None: it is open."""
    receivable: bool
    """False: no receipt is ever made of it (S4-69)."""
    quantity: Decimal
    """The line's own quantity; in a chain that is only what was left over."""
    converted: Decimal
    ordered: Decimal
    ordered_amount: Decimal
    """O in money: in a chain, what the first document came to."""
    received: Decimal
    returned: Decimal
    """T: went back to the vendor; `received` is without it."""
    returned_by_credits: Decimal
    """How much of that was credited on returns."""
    billed: Decimal | Fraction
    """E, without what it keeps of the bill that is left out."""
    pending: Decimal | Fraction
    """A fraction only where a bill's own unit makes one whose decimals do not end (7 of a dozen)."""
    billed_amount: Decimal
    """E as money."""
    pending_amount: Decimal
    """P as money."""
    credited: Decimal
    """C: credited and still inside E; below zero where E leaves out a credit that only lowered a price."""
    credited_amount: Decimal
    """C as money."""
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None
    custom: Mapping[str, str]
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    ends_on: date | None
    """The last bill date that it accepts, as people set it here."""
    is_kept: bool
    """E keeps a part of the bill that is left out, which was credited."""
    release_cap: Decimal | None
    """The most that one bill may take of it, in money, as people set it here."""

    @property
    def cancelled(self) -> Decimal:
        """Return X, in what the line is measured by: what was not billed when it was closed. A bill that came later
        lowers it."""
        if self.closed_short is None:
            return Decimal(0)
        return min(self.closed_short, self.unbilled_of_ordered)

    @property
    def unbilled_of_ordered(self) -> Decimal:
        """Return O - B, not below zero, in what the line is measured by."""
        if self.basis == LineBasis.AMOUNT:
            billed = self.billed_amount + self.pending_amount - self.credited_amount
            return max(self.ordered_amount - billed, Decimal(0))
        left = Fraction(self.ordered) - Fraction(self.billed) - Fraction(self.pending) + Fraction(self.credited)
        return max(Decimal(left.numerator) / Decimal(left.denominator), Decimal(0))


@dataclass(frozen=True, slots=True)
class ReceiptSource:
    """One receipt line with what is still billable of it: `quantity - billed - pending`."""

    document_id: str
    number: str
    erp_status: str
    line: str
    line_no: int
    order_line: str
    received_on: date
    quantity: Decimal
    billed: Decimal
    pending: Decimal | Fraction


async def lock_lines(session: AsyncSession, purchase_order_ids: Iterable[PurchaseOrderId]) -> None:
    """Lock the orders' lines until the transaction ends: check and reservation are one step (spec/matching.md 3.6).

    Always in one sorted order, so that two bills over the same orders wait for each other but never for ever.
    """
    await session.execute(_LOCK, {"orders": sorted(set(purchase_order_ids))})


_LOCK = text(
    "select 1 from purchase_order_lines where purchase_order_id = any(:orders)"
    " order by purchase_order_id, line_no for update"
)

_LINES = """
with chain as (
    select mine.purchase_order_id, mine.line_no,
           sum(c.quantity) filter (where c.chain_line = o.connection_id || '/' || c.erp_id) as ordered,
           sum(c.amount) filter (where c.chain_line = o.connection_id || '/' || c.erp_id) as ordered_amount,
           sum(c.received) as received, sum(c.returned) as returned,
           sum(c.returned_by_credits + c.credited_by_returns) as returned_by_credits,
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
           sum(b.quantity - b.settled_quantity) filter (where b.exact_quantity is null) as pending,
           array_agg(b.exact_quantity) filter (where b.reserves and b.exact_quantity is not null) as fractions,
           -- Parts of bills that are inside E already: what they billed is pending no more.
           string_agg((select string_agg('-' || coalesce(x.source ->> 'exact', x.source ->> 'quantity'), ' ')
                         from jsonb_array_elements(b.sources) as x(source)
                        where (x.source ->> 'settled')::boolean), ' ')
               filter (where b.reserves and b.exact_quantity is not null and b.settled_quantity <> 0) as settled_parts,
           array_agg(b.exact_quantity) filter (where not b.reserves and exists (
               select from bills x where x.id = b.bill_id
                  and x.status not in ('abandoned', 'deleted', 'disputed'))) as settled,
           sum(b.amount - b.settled_amount) filter (where b.reserves) as pending_amount
      from purchase_order_lines mine
      join purchase_order_lines c on c.chain_line = mine.chain_line
      join bill_lines b on b.purchase_order_id = c.purchase_order_id and b.purchase_order_line_no = c.line_no
                       and (b.reserves or b.exact_quantity is not null)
     where mine.purchase_order_id {which} and b.bill_id is distinct from :without
     group by mine.purchase_order_id, mine.line_no
), given_back as (
    -- Credits of ours in an ERP that does not say which order lines its credits take back.
    select mine.purchase_order_id, mine.line_no, -sum(b.quantity) as quantity, -sum(b.amount) as amount
      from purchase_order_lines mine
      join purchase_order_lines c on c.chain_line = mine.chain_line
      join bill_lines b on b.gives_back and b.purchase_order_id = c.purchase_order_id
                       and b.purchase_order_line_no = c.line_no
      join bills k on k.id = b.bill_id and k.status in ('synced', 'scheduled', 'partially_paid', 'paid')
      join connections n on n.id = k.connection_id
                        and not coalesce((n.capabilities ->> 'credits_name_orders')::boolean, false)
     where mine.purchase_order_id {which}
     group by mine.purchase_order_id, mine.line_no
), kept as (
    -- What E keeps of the bill itself, since an earlier generation of it was credited.
    select mine.purchase_order_id, mine.line_no, sum(k.quantity) as quantity, sum(k.amount) as amount
      from kept_quantities k
      join purchase_order_lines c on c.purchase_order_id = k.purchase_order_id and c.line_no = k.purchase_order_line_no
      join purchase_order_lines mine on mine.chain_line = c.chain_line
     where mine.purchase_order_id {which} and k.bill_id = :without
     group by mine.purchase_order_id, mine.line_no
)
select l.*, coalesce(chain.ordered, l.quantity) as chain_ordered,
       coalesce(chain.ordered_amount, l.amount) as chain_ordered_amount,
       coalesce(chain.received, 0) as chain_received,
       coalesce(chain.returned, 0) as chain_returned,
       coalesce(chain.returned_by_credits, 0) as chain_returned_by_credits,
       greatest(coalesce(chain.billed, 0) - coalesce(kept.quantity, 0), 0) as chain_billed,
       greatest(coalesce(chain.billed_amount, 0) - coalesce(kept.amount, 0), 0) as chain_billed_amount,
       kept.quantity is not null as is_kept,
       coalesce(chain.credited, 0) + coalesce(given_back.quantity, 0) as chain_credited,
       coalesce(chain.credited_amount, 0) + coalesce(given_back.amount, 0) as chain_credited_amount,
       coalesce(ours.pending, 0) as pending, ours.fractions, ours.settled, ours.settled_parts,
       coalesce(ours.pending_amount, 0) as pending_amount, limits.ends_on, limits.release_cap,
       l.receivable and not exists (
           select from list_entries i
            where i.connection_id = (select o.connection_id from purchase_orders o where o.id = l.purchase_order_id)
              and i.kind = 'item' and i.key = l.item_id and i.attributes->>'receivable' = 'false') as awaits_receipt
  from purchase_order_lines l
  left join chain using (purchase_order_id, line_no) left join ours using (purchase_order_id, line_no)
  left join kept using (purchase_order_id, line_no)
  left join given_back using (purchase_order_id, line_no)
  left join order_line_limits limits on limits.purchase_order_id = l.purchase_order_id and limits.order_line = l.erp_id
 where l.purchase_order_id {which} and not l.deleted
 order by l.purchase_order_id, l.line_no
"""
"""`which` narrows to one order or to many: when PostgreSQL knows that it is one, it takes less than half the time."""


async def lines(
    session: AsyncSession, purchase_order_id: PurchaseOrderId, *, without_bill: BillId | None = None
) -> list[LedgerLine]:
    """Return the ledger of every line of the order; `without_bill` leaves out one bill's own reservation (Q36)."""
    statement = text(_LINES.format(which="= :order")).columns(custom=JSONB)
    rows = await session.execute(statement, {"order": purchase_order_id, "without": without_bill})
    return [_line(row) for row in rows]


async def lines_of(
    session: AsyncSession, purchase_order_ids: Iterable[PurchaseOrderId]
) -> dict[PurchaseOrderId, list[LedgerLine]]:
    """Return the ledgers of many orders in one statement. An order without lines is left out."""
    statement = text(_LINES.format(which="= any(:orders)")).columns(custom=JSONB)
    rows = await session.execute(statement, {"orders": list(purchase_order_ids), "without": None})
    result: dict[PurchaseOrderId, list[LedgerLine]] = {}
    for row in rows:
        result.setdefault(row.purchase_order_id, []).append(_line(row))
    return result


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
        closed_short=row.cancelled,
        receivable=row.awaits_receipt,
        quantity=row.quantity,
        converted=row.converted,
        ordered=row.chain_ordered,
        ordered_amount=row.chain_ordered_amount,
        received=row.chain_received,
        returned=row.chain_returned,
        returned_by_credits=row.chain_returned_by_credits,
        billed=_as_billed(row.chain_billed, row.settled or ()),
        pending=_exactly(row.pending, (*(row.fractions or ()), *(row.settled_parts or "").split())),
        billed_amount=row.chain_billed_amount,
        pending_amount=row.pending_amount,
        credited=row.chain_credited,
        credited_amount=row.chain_credited_amount,
        department=row.department,
        location=row.location,
        class_id=row.class_id,
        project=row.project,
        warehouse=row.warehouse,
        custom=row.custom,
        ends_on=row.ends_on,
        is_kept=row.is_kept,
        release_cap=row.release_cap,
    )


def _as_billed(billed: Decimal, settled: Iterable[str]) -> Decimal | Fraction:
    """Return E exactly, where our bills explain how the ERP rounded it.

    The ERP stores 113/12 as 9.4166666667, which leaves too little for 7/12 (U04). What others billed beside our bills
    must have few decimals, else nothing is explained.
    """
    ours = sum((Fraction(quantity) for quantity in settled), Fraction(0))
    if not ours:
        return billed
    others = Fraction(billed) - ours
    rest = Fraction(round(others, OTHERS_PLACES))
    return _exactly(Decimal(0), (str(ours + rest),)) if abs(others - rest) <= ROUNDED_BY else billed


def _exactly(decimals: Decimal, fractions: Iterable[str]) -> Decimal | Fraction:
    """Return the sum of decimals and of fractions whose decimals do not end: 7/12 and 113/12 make 10 (U04)."""
    total = Fraction(decimals)
    for fraction in fractions:
        total += Fraction(fraction)
    if total == Fraction(decimals):
        return decimals
    return Decimal(total.numerator) if total.denominator == 1 else total


async def receipt_sources(
    session: AsyncSession, purchase_order_id: PurchaseOrderId, *, without_bill: BillId | None = None
) -> list[ReceiptSource]:
    """Return the order's receipt lines, oldest first, with what of them is billed or pending.

    The ERP converts neither a draft nor a closed receipt, so what is left of those is no source.

    `without_bill` leaves out one bill's own reservation, and what the ERP keeps as billed of it.
    """
    rows = await session.execute(
        text(
            """
            with pending as (
                select s.document_id, s.line, sum(s.quantity) filter (where s.exact is null) as quantity,
                       array_agg(s.exact) filter (where s.exact is not null) as fractions
                  from bill_lines b
                  cross join lateral jsonb_to_recordset(b.sources)
                        as s(document_id text, line text, quantity numeric, exact text, settled boolean)
                 where b.purchase_order_id = :order and b.reserves and s.settled is not true
                   and b.bill_id is distinct from :without
                 group by 1, 2
            ), kept as (
                select source_document, source_line, sum(quantity) as quantity
                  from kept_quantities where bill_id = :without group by 1, 2
            )
            select r.document_id, r.number, r.erp_status, l.erp_id as line, l.line_no, l.order_line, r.received_on,
                   l.quantity, greatest(l.billed - coalesce(k.quantity, 0), 0) as billed,
                   coalesce(p.quantity, 0) as pending, p.fractions
              from receipts r
              join receipt_lines l on l.receipt_id = r.id
              left join pending p on p.document_id = r.document_id and p.line = l.erp_id
              left join kept k on k.source_document = r.document_id and k.source_line = l.erp_id
             where r.purchase_order_id = :order and r.kind = 'receipt' and r.deleted_at is null
               and (r.status = 'active' or k.quantity is not null) and lower(r.erp_status) <> 'draft'
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
            erp_status=row.erp_status,
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
