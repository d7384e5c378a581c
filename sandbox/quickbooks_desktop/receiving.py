"""What of an order's lines was received and billed, and what may still be linked to them (reference 3.1, 3.2)."""

from decimal import Decimal
from typing import NamedTuple

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.records import ZERO, Line, Txn


class Taken(NamedTuple):
    """Of one order line."""

    received: Decimal
    """Ordinary receiving: by receipts, bills and checks, not told apart; enhanced: not by bills."""
    billed: Decimal
    """By bills and checks."""


def taken(company: Company, order: Txn, line: Line, *, but: str = "") -> Taken:
    """What linked documents took of a line, those of one document left out."""
    received = billed = ZERO
    for document in company.linked.get(order.txn_id, {}).values():
        if document.txn_id == but or document.voided:
            continue
        for one in document.lines:
            if one.link is None or one.link.txn_id != order.txn_id or one.link.line_id != line.id:
                continue
            quantity = one.quantity or ZERO
            if document.kind != "ItemReceipt":
                billed += quantity
            if document.kind != "Bill" or not company.enhanced:
                received += quantity
    return Taken(received, billed)


def receivable(line: Line) -> bool:
    """Whether a line is for a quantity of an item: lines of text alone are received by nobody."""
    return line.values.get("ItemRef") is not None and line.quantity is not None


def left_to_receive(company: Company, order: Txn, line: Line) -> Decimal:
    """What of a line is not received."""
    if not receivable(line) or line.quantity is None:
        return ZERO
    return line.quantity - taken(company, order, line).received


def left_to_bill(company: Company, order: Txn, line: Line) -> Decimal:
    """What of a line is not billed."""
    if not receivable(line) or line.quantity is None:
        return ZERO
    return line.quantity - taken(company, order, line).billed


def fully_received(company: Company, order: Txn) -> bool:
    """Whether each line is received in full or closed by hand."""
    lines = [line for line in order.lines if receivable(line)]
    return bool(lines) and all(line.closed or left_to_receive(company, order, line) <= 0 for line in lines)


def is_closed(company: Company, order: Txn) -> bool:
    """Whether nothing more may be linked to the order: by hand, or because all of it came."""
    if order.values.get("IsManuallyClosed"):
        return True
    if not fully_received(company, order):
        return False
    return not company.enhanced or all(line.closed or left_to_bill(company, order, line) <= 0 for line in order.lines)
