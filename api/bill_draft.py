"""What a bill for the rest of an order would hold (S1-03), and which lines it leaves out and why."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from pydantic import BaseModel

from activities.judging import ledger_of
from api.shapes import Exact
from matching.exact import Exact as Exactly
from matching.exact import line_amount, plain
from models.domain import LineBasis, MatchMode
from models.store.ledger import LedgerLine


class DraftLine(BaseModel):
    order_line_no: int
    item_id: str
    description: str
    unit: str
    quantity: Exact
    price: Exact
    amount: Exact
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    remaining: Exact
    unbilled_received: Exact


class LeftOut(BaseModel):
    order_line_no: int
    code: str
    """FULLY_BILLED | LINE_CLOSED | NOTHING_RECEIVED."""
    reason: str


class BillDraft(BaseModel):
    purchase_order_id: str
    purchase_order_number: str
    vendor_id: str
    vendor_name: str
    currency: str
    match_mode: MatchMode
    number: str
    """Empty: the supplier's invoice number is the caller's to give."""
    bill_date: date
    due_date: date | None
    """By the order's term, else the vendor's; null: there is none we can count by."""
    memo: str
    total: Exact
    lines: list[DraftLine]
    left_out: list[LeftOut]


def draft_lines(mode: MatchMode, held: Sequence[LedgerLine]) -> tuple[list[DraftLine], list[LeftOut]]:
    """The lines to bill, and those left out."""
    lines: list[DraftLine] = []
    left_out: list[LeftOut] = []
    for line in held:
        sums = ledger_of(line)
        reason = _why_left_out(mode, line)
        if reason is not None:
            left_out.append(reason)
            continue
        left = _down(sums.remaining if mode is MatchMode.TWO_WAY else sums.unbilled_received)
        by_amount = line.basis == LineBasis.AMOUNT
        lines.append(
            DraftLine(
                order_line_no=line.line_no,
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
                remaining=_down(sums.remaining),
                unbilled_received=_down(sums.unbilled_received),
            )
        )
    return lines, left_out


def _why_left_out(mode: MatchMode, line: LedgerLine) -> LeftOut | None:
    sums = ledger_of(line)
    if line.closed:
        return LeftOut(order_line_no=line.line_no, code="LINE_CLOSED", reason="The ERP closed this line.")
    if sums.hidden or (mode is MatchMode.TWO_WAY and sums.remaining <= 0):
        billed = f"{plain(sums.net_billed)} of {plain(sums.effective_ordered)} billed"
        return LeftOut(order_line_no=line.line_no, code="FULLY_BILLED", reason=f"Nothing is left to bill: {billed}.")
    if mode is MatchMode.THREE_WAY and sums.unbilled_received <= 0:
        received = f"{plain(sums.net_received)} received, {plain(sums.net_billed)} billed"
        return LeftOut(order_line_no=line.line_no, code="NOTHING_RECEIVED", reason=f"Nothing to bill: {received}.")
    return None


def _down(value: Exactly) -> Decimal:
    """A fraction whose decimals do not end (7 of a dozen), cut to ten of them: what is drafted must fit."""
    return Decimal(int(value * 10**10)).scaleb(-10) if isinstance(value, Fraction) else value
