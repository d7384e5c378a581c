"""Draft a bill for the rest of an order, and say which lines it leaves out and why."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.output import Output
from api.http.schemas import Exact, Money
from matching.kernel.exact import Exact as Exactly
from matching.kernel.exact import line_amount, plain
from models.domain.bills import BillMatchMode
from models.domain.ids import ConnectionId
from models.domain.orders import LineBasis
from models.store.base.today import today_in
from models.store.orders.ledger import LedgerLine
from models.store.payables import payment_terms
from models.tables import ConnectionRow, PurchaseOrderRow
from services.bills.match_modes import mode_of_vendor
from services.bills.matching import ledger_of


class DraftLine(Output):
    order_line_no: int
    order_line_id: str
    """The same line, whatever its number is when the draft is sent."""
    item_id: str
    description: str
    unit: str
    quantity: Exact
    price: Exact
    amount: Money
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None
    custom: dict[str, str]
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    remaining: Exact
    unbilled_received: Exact


class LeftOut(Output):
    order_line_no: int
    order_line_id: str
    """The same line, whatever its number is when the draft is sent."""
    code: str
    """Why the line is left out: FULLY_BILLED | LINE_CLOSED | NOTHING_RECEIVED."""
    reason: str


class DraftHeader(Output):
    """What the order itself says of a bill for it."""

    purchase_order_id: str
    purchase_order_number: str
    vendor_id: str
    vendor_name: str
    currency: str
    match_mode: BillMatchMode
    number: str
    """Always empty: the caller fills in the supplier's invoice number."""
    bill_date: date
    due_date: date | None
    """Counted by the order's payment term, else by the vendor's; null: neither has a term we can count with."""
    memo: str


class BillDraft(DraftHeader):
    total: Money
    lines: list[DraftLine]
    left_out: list[LeftOut]


async def draft_header(s: AsyncSession, order: PurchaseOrderRow, connection: ConnectionRow) -> DraftHeader:
    """Return the header of a bill dated today; its mode is that of the order's vendor or connection."""
    today = today_in(connection.time_zone)
    due_date = await payment_terms.due_on(
        s, ConnectionId(order.connection_id), term=order.term, vendor_id=order.vendor_id, bill_date=today
    )
    return DraftHeader(
        purchase_order_id=order.id,
        purchase_order_number=order.number,
        vendor_id=order.vendor_id,
        vendor_name=order.vendor_name,
        currency=order.currency,
        match_mode=await mode_of_vendor(s, connection, order),
        number="",
        bill_date=today,
        due_date=due_date,
        memo=order.memo,
    )


def draft_lines(mode: BillMatchMode, stored: Sequence[LedgerLine]) -> tuple[list[DraftLine], list[LeftOut]]:
    """Return the lines to bill, and the lines left out with the reason. Quantities are in the order line's unit."""
    lines: list[DraftLine] = []
    left_out: list[LeftOut] = []
    for line in stored:
        sums = ledger_of(line)
        reason = _why_left_out(mode, line)
        if reason is not None:
            left_out.append(reason)
            continue
        left = _down(sums.unbilled_received if mode is BillMatchMode.THREE_WAY else sums.remaining)
        by_amount = line.basis == LineBasis.AMOUNT
        lines.append(
            DraftLine(
                order_line_no=line.line_no,
                order_line_id=line.erp_id,
                item_id=line.item_id,
                description=line.description,
                unit=line.unit,
                quantity=Decimal(1) if by_amount else left,
                price=left if by_amount else line.price,
                amount=left if by_amount else line_amount(left, line.price),
                department=line.department,
                location=line.location,
                class_id=line.class_id,
                project=line.project,
                warehouse=line.warehouse,
                custom=dict(line.custom),
                remaining=_down(sums.remaining),
                unbilled_received=_down(sums.unbilled_received),
            )
        )
    return lines, left_out


def _why_left_out(mode: BillMatchMode, line: LedgerLine) -> LeftOut | None:
    sums = ledger_of(line).without_sign
    if line.closed:
        return _left_out(line, "LINE_CLOSED", "The ERP closed this line.")
    if sums.hidden or (mode is not BillMatchMode.THREE_WAY and sums.remaining <= 0):
        billed = f"{plain(sums.net_billed)} of {plain(sums.effective_ordered)} billed"
        return _left_out(line, "FULLY_BILLED", f"Nothing is left to bill: {billed}.")
    if mode is BillMatchMode.THREE_WAY and sums.unbilled_received <= 0:
        received = f"{plain(sums.net_received)} received, {plain(sums.net_billed)} billed"
        return _left_out(line, "NOTHING_RECEIVED", f"Nothing to bill: {received}.")
    return None


def _left_out(line: LedgerLine, code: str, reason: str) -> LeftOut:
    return LeftOut(order_line_no=line.line_no, order_line_id=line.erp_id, code=code, reason=reason)


def _down(value: Exactly) -> Decimal:
    """Cut a fraction with endless decimals (7 of a dozen) to ten decimals, never up: the drafted quantity must not
    exceed what may be billed."""
    return Decimal(int(value * 10**10)).scaleb(-10) if isinstance(value, Fraction) else value
