"""The ledger of an order's lines, read under a lock when something is about to be reserved (spec/matching.md 3.1).

P is never stored: it is the sum of our bill lines that still `reserves`, so it cannot drift. O, R and E of a back-order
chain are summed over the chain (3.6), everything else is the line's own.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, PurchaseOrderId


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
    closed: bool
    quantity: Decimal
    """The line's own quantity, which in a chain is only what was left."""
    converted: Decimal
    ordered: Decimal
    received: Decimal
    billed: Decimal
    pending: Decimal
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
    pending: Decimal


async def lock_lines(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> None:
    """Hold the order's lines until the transaction ends: check and reservation are one (spec/matching.md 3.6)."""
    await session.execute(
        text("select 1 from purchase_order_lines where purchase_order_id = :order order by line_no for update"),
        {"order": purchase_order_id},
    )


async def lines(
    session: AsyncSession, purchase_order_id: PurchaseOrderId, *, without_bill: BillId | None = None
) -> list[LedgerLine]:
    """The ledger of every line; `without_bill` leaves one bill's own reservation out (Q36)."""
    rows = await session.execute(
        text(
            """
            with chain as (
                select mine.line_no,
                       sum(c.quantity) filter (where c.chain_line = o.connection_id || '/' || c.erp_id) as ordered,
                       sum(c.received) as received,
                       sum(c.billed) as billed
                  from purchase_order_lines mine
                  join purchase_order_lines c on c.chain_line = mine.chain_line and not c.deleted
                  join purchase_orders o on o.id = c.purchase_order_id
                 where mine.purchase_order_id = :order and not mine.deleted
                 group by mine.line_no
            ), ours as (
                select mine.line_no, sum(b.quantity) as pending
                  from purchase_order_lines mine
                  join purchase_order_lines c on c.chain_line = mine.chain_line
                  join bill_lines b on b.purchase_order_id = c.purchase_order_id
                                   and b.purchase_order_line_no = c.line_no and b.reserves
                 where mine.purchase_order_id = :order and b.bill_id is distinct from :without
                 group by mine.line_no
            )
            select l.*, coalesce(chain.ordered, l.quantity) as chain_ordered,
                   coalesce(chain.received, 0) as chain_received,
                   coalesce(chain.billed, 0) as chain_billed, coalesce(ours.pending, 0) as pending
              from purchase_order_lines l
              left join chain using (line_no) left join ours using (line_no)
             where l.purchase_order_id = :order and not l.deleted
             order by l.line_no
            """
        ),
        {"order": purchase_order_id, "without": without_bill},
    )
    return [
        LedgerLine(
            line_no=row.line_no,
            erp_id=row.erp_id,
            item_id=row.item_id,
            description=row.description,
            unit=row.unit,
            price=row.price,
            amount=row.amount,
            closed=row.closed,
            quantity=row.quantity,
            converted=row.converted,
            ordered=row.chain_ordered,
            received=row.chain_received,
            billed=row.chain_billed,
            pending=row.pending,
            department=row.department,
            location=row.location,
            class_id=row.class_id,
            project=row.project,
            warehouse=row.warehouse,
        )
        for row in rows
    ]


async def receipt_sources(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> list[ReceiptSource]:
    """The order's receipt lines, oldest first, with what of them is billed or about to be."""
    rows = await session.execute(
        text(
            """
            with pending as (
                select s.document_id, s.line, sum(s.quantity) as quantity
                  from bill_lines b
                  cross join lateral jsonb_to_recordset(b.sources) as s(document_id text, line text, quantity numeric)
                 where b.purchase_order_id = :order and b.reserves
                 group by 1, 2
            )
            select r.document_id, r.number, l.erp_id as line, l.line_no, l.order_line, r.received_on,
                   l.quantity, l.billed,
                   coalesce(p.quantity, 0) as pending
              from receipts r
              join receipt_lines l on l.receipt_id = r.id
              left join pending p on p.document_id = r.document_id and p.line = l.erp_id
             where r.purchase_order_id = :order and r.deleted_at is null and r.status <> 'deleted'
               and l.order_line is not null
             order by r.received_on, r.number, l.line_no
            """
        ),
        {"order": purchase_order_id},
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
            pending=row.pending,
        )
        for row in rows
    ]
