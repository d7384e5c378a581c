"""What of an order's lines is billed: `Received`, summed over the bills and expenses linked to them (reference 6.1)."""

from collections.abc import Iterator
from decimal import Decimal

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.records import Line, Record
from sandbox.quickbooks_online.values import ZERO

_TEXT_LINES = frozenset(["DescriptionOnly"])


def linked_lines(company: Company, order: Record) -> Iterator[tuple[Record, Line, str]]:
    """The lines of other documents that are linked to an order, with the order line each names."""
    for document in company.linked.get(order.id, {}).values():
        for line in document.lines:
            for link in line.links:
                if link.txn_type == "PurchaseOrder" and link.txn_id == order.id:
                    yield document, line, link.line_id


def received(company: Company, order: Record, line: Line, *, but: Record | None = None) -> Decimal:
    """How much of an order line is billed, in its measure; documents other than `but`."""
    found = linked_lines(company, order)
    return sum(
        (counted(line, other) for document, other, name in found if name == line.id and document is not but), ZERO
    )


def counted(line: Line, other: Line) -> Decimal:
    """What a linked line takes of an order line: quantity of an item line, amount of an account line."""
    if line.quantity is None:
        return other.amount or ZERO
    if other.quantity is not None:
        return other.quantity
    price = line.detail.get("UnitPrice") or ZERO
    return (other.amount or ZERO) / price if price else ZERO


def is_done(company: Company, order: Record) -> bool:
    """Whether every line is billed in full or was closed by hand."""
    lines = [line for line in order.lines if line.detail_type not in _TEXT_LINES]
    return all(line.closed or received(company, order, line) >= line.measure for line in lines)


def follow_status(company: Company, order: Record) -> None:
    """The order closes when all of it is billed, and opens again when that ends (reference 6.2)."""
    done = is_done(company, order)
    if done and order["POStatus"] == "Open" and company.linked.get(order.id):
        order.values["POStatus"] = "Closed"
        order.auto_closed = True
    elif not done and order.auto_closed and company.switches.word("reopening") == "automatic":
        order.values["POStatus"] = "Open"
        order.auto_closed = False
    company.redraw(order)


def settle_order(company: Company, order: Record, *, deleted: bool = False) -> None:
    """The order's status and stamp after what is linked to it changed."""
    follow_status(company, order)
    moves = company.switches.word("linked_order_stamp")
    if moves == "moves" or (moves == "still_on_delete" and not deleted):
        company.touch(order)
