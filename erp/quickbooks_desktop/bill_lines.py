"""Build a bill's lines from those of its orders, and check that QuickBooks will link them (reference 3.2)."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from lxml import etree

from erp.errors import Rejected
from erp.prices import unit_price
from erp.quantities import filling
from erp.quickbooks_desktop import billed_apart, contents, fields, wire
from erp.quickbooks_desktop.wire import ZERO, Part
from models.domain.bills import BillLineToPush, BillToPush
from models.domain.ids import ErpId

ONE_EACH = ("class_id", "project")
"""Fields of a bill line of QuickBooks, of which a line that stands for several of ours has one."""


class Line(NamedTuple):
    """What a bill bills of one order line: lines for the same one go out as one, as QuickBooks links each once, in the
    order's own sequence (reference 3.2)."""

    order: str
    place: str
    """QuickBooks' own id of the order's line."""
    parts: tuple[BillLineToPush, ...]
    quantity: Decimal
    amount: Decimal
    rounded: bool = False
    """Whether the quantity has more decimals than QuickBooks keeps, or is one of parts of which some may: pieces of a
    box."""

    @property
    def first(self) -> BillLineToPush:
        """Return the bill's line that names it."""
        return self.parts[0]

    @property
    def order_line(self) -> ErpId:
        """Return our id of the order's line."""
        return self.first.order_line

    @property
    def description(self) -> str:
        """Return the descriptions of its lines, each once."""
        return "; ".join(dict.fromkeys(part.description for part in self.parts if part.description))

    @property
    def edited(self) -> frozenset[str]:
        """Return what an edit changed on any of its lines."""
        return frozenset[str]().union(*(part.edited for part in self.parts))


def lines_of(bill: BillToPush) -> list[Line]:
    """Return the lines to write, in the order in which the bill first names them. Their quantities are as QuickBooks
    keeps them: everything that is worked out of them is worked out of what is sent."""
    named: dict[str, list[BillLineToPush]] = {}
    for line in bill.lines:
        named.setdefault(line.order_line, []).append(line)
    lines: list[Line] = []
    for order_line_id, parts in named.items():
        order, _, place = order_line_id.partition(":")
        quantities = [one.quantity if one.order_quantity is None else one.order_quantity for one in parts]
        amount = sum((one.amount for one in parts), ZERO)
        quantity = sum(quantities, ZERO)
        kept = wire.part_quantity(quantity)
        rounded = kept != quantity or any(one.order_quantity is not None for one in parts)
        lines.append(Line(order, place, tuple(parts), kept, amount, rounded))
    return lines


def filling_orders(
    lines: Sequence[Line],
    orders: Mapping[str, etree._Element],
    *,
    bills: Sequence[etree._Element] | None,
    on_receipts: Mapping[ErpId, Decimal],
) -> list[Line]:
    """Return the lines with quantities that fill their order lines, where only what was rounded off before would stay
    open. `bills` as in `must_have_room`; `on_receipts` is what item receipts hold of them: a bill may take their
    place."""
    filled: list[Line] = []
    for line in lines:
        order = orders.get(line.order)
        if line.rounded and order is not None:
            taken, ordered = _taken(line, order, bills)
            released = on_receipts.get(line.order_line, ZERO)
            left = None if taken is None or ordered is None else ordered - taken + released
            line = line._replace(quantity=filling(line.quantity, left, rounded_off(order)))
        filled.append(line)
    return filled


def rounded_off(order: etree._Element) -> Decimal:
    """Return what may have been rounded off an order line: by this bill, and by each that is linked to the order."""
    return wire.FINEST * (1 + len(contents.linked(order, *contents.BILLING_TYPES)))


def must_be_one_line_each(lines: Sequence[Line]) -> None:
    """Check that lines for the same order line have one class and one customer: they go out as one line.

    Raises:
        Rejected: LINES_OF_ONE_ORDER_LINE_DIFFER.
    """
    for line in lines:
        for field in ONE_EACH:
            values = list(dict.fromkeys(getattr(part, field) or "" for part in line.parts))
            if len(values) > 1:
                numbers = ", ".join(str(part.line_no) for part in line.parts)
                what = field.removesuffix("_id")
                raise _rejected(
                    "LINES_OF_ONE_ORDER_LINE_DIFFER",
                    f"Lines {numbers} bill the same order line, which QuickBooks bills in one line, and differ in"
                    f" their {what}.",
                    lines=numbers,
                    field=what,
                    values=", ".join(value or "none" for value in values),
                )


def in_orders_sequence(lines: Sequence[Line], orders: Mapping[str, etree._Element]) -> list[Line]:
    """Return the lines as QuickBooks links them: one order after the other, each in its own sequence."""
    places = {
        wire.text(one, "TxnLineID"): number
        for order in orders.values()
        for number, one in enumerate(contents.lines_in(order, contents.ORDER_LINES))
    }
    first = {order: number for number, order in reversed(list(enumerate(line.order for line in lines)))}
    return sorted(lines, key=lambda line: (first[line.order], places.get(line.place, 0)))


def must_be_linkable(bill: BillToPush, lines: Sequence[Line], orders: Mapping[str, etree._Element]) -> None:
    """Check that the orders and their lines are there and take links of this bill, of whatever quantity.

    Raises:
        Rejected: ORDER_NOT_FOUND, VENDOR_DIFFERS, ALREADY_CONVERTED, ORDER_LINE_GONE or ORDER_LINE_WITHOUT_QUANTITY.
    """
    for order_id in dict.fromkeys(line.order for line in lines):
        order = orders.get(order_id)
        if order is None:
            raise _rejected("ORDER_NOT_FOUND", f"QuickBooks shows no purchase order {order_id}.", order=order_id)
        number = wire.text(order, "RefNumber") or order_id
        if wire.ref(order, "VendorRef") != bill.vendor_id:
            raise _rejected(
                "VENDOR_DIFFERS",
                f"Order {number} is another vendor's; QuickBooks would not link the bill to it.",
                order=number,
                vendor=wire.ref(order, "VendorRef") or "",
            )
        if wire.flag(order, "IsManuallyClosed"):
            raise _rejected(
                "ALREADY_CONVERTED", f"Order {number} is closed in QuickBooks.", order=number, status="Closed"
            )
    for line in lines:
        order = orders[line.order]
        theirs = order_line(line, order)
        name, number = f"Line {line.first.line_no}", wire.text(order, "RefNumber") or line.order
        if wire.flag(theirs, "IsManuallyClosed"):
            raise _rejected("ALREADY_CONVERTED", f"{name}: its line of order {number} is closed in QuickBooks.")
        if not fields.number(theirs, "Quantity"):
            # Neither would its receipts tell what of it was booked (reference 3.2: only a line that can receive).
            raise _rejected(
                "ORDER_LINE_WITHOUT_QUANTITY",
                f"{name}: its line of order {number} has an amount and no quantity; QuickBooks links no bill to it.",
                order=number,
                order_line=line.order_line,
            )


def must_have_room(
    lines: Sequence[Line],
    orders: Mapping[str, etree._Element],
    *,
    bills: Sequence[etree._Element] | None,
    released: Mapping[ErpId, Decimal] = {},
) -> None:
    """Check that no more is billed than is left of the order lines. `bills`, where receiving is the enhanced one, are
    those that tell what is billed of them; `released` is what item receipts will no longer hold of them when the bill
    is written.

    Raises:
        Rejected: ALREADY_CONVERTED or MORE_THAN_ORDERED.
    """
    for line in lines:
        _must_have_room(line, orders[line.order], released.get(line.order_line, ZERO), bills)


def _must_have_room(
    line: Line, order: etree._Element, released: Decimal, bills: Sequence[etree._Element] | None
) -> None:
    name, number = f"Line {line.first.line_no}", wire.text(order, "RefNumber") or line.order
    taken, ordered = _taken(line, order, bills)
    if taken is not None:
        taken -= released
    if ordered is None or taken is None or line.quantity <= ordered - taken:
        return
    evidence = {"order": number, "order_line": line.order_line, "ordered": str(ordered), "taken": str(taken)}
    if taken >= ordered:
        raise Rejected(
            f"{name}: everything of its line of order {number} is billed in QuickBooks already.",
            code="ALREADY_CONVERTED",
            evidence=evidence,
        )
    raise Rejected(
        f"{name}: {line.quantity} is more than the {ordered - taken} left on its line of order {number}.",
        code="MORE_THAN_ORDERED",
        evidence=evidence,
    )


def _taken(
    line: Line, order: etree._Element, bills: Sequence[etree._Element] | None
) -> tuple[Decimal | None, Decimal | None]:
    """Return what bills, and with ordinary receiving item receipts, took of an order's line, and what was ordered.

    Raises:
        Rejected: ORDER_LINE_GONE.
    """
    theirs = order_line(line, order)
    ordered = fields.number(theirs, "Quantity")
    if bills is None:
        return fields.number(theirs, "ReceivedQuantity"), ordered
    return billed_apart.billed(order, bills).get(line.place), ordered


def order_line(line: Line, order: etree._Element) -> etree._Element:
    """Return the order's own line.

    Raises:
        Rejected: ORDER_LINE_GONE.
    """
    for candidate in contents.lines_in(order, contents.ORDER_LINES):
        if wire.text(candidate, "TxnLineID") == line.place:
            return candidate
    raise _rejected(
        "ORDER_LINE_GONE",
        f"The order no longer has the line that line {line.first.line_no} bills.",
        order=wire.text(order, "RefNumber") or line.order,
        order_line=line.order_line,
    )


def class_of_order_line(line: Line, orders: Mapping[str, etree._Element]) -> str | None:
    """Return the class of the order's own line; None: it has none, or is not at hand."""
    order = orders.get(line.order)
    if order is None:
        return None
    lines = contents.lines_in(order, contents.ORDER_LINES)
    return next((wire.ref(one, "ClassRef") for one in lines if wire.text(one, "TxnLineID") == line.place), None)


def item_line(line: Line) -> Part | None:
    """Return a bill's line. What it buys is that of the order's line: naming it beside the link is refused."""
    price = _price(line)
    return wire.group(
        "ItemLineAdd",
        wire.part("Desc", line.description),
        wire.part("Quantity", line.quantity),
        wire.part("Cost", price),
        wire.part("Amount", wire.amount(line.amount) if price is None else None),
        wire.reference("CustomerRef", line.first.project),
        wire.reference("ClassRef", line.first.class_id),
        wire.group("LinkToTxn", wire.part("TxnID", line.order), wire.part("TxnLineID", line.place)),
    )


def _price(line: Line) -> Decimal | None:
    """Return the price at which quantity and amount agree; None: QuickBooks is to compute it from the amount.

    Raises:
        Rejected: VALUE_REFUSED, nothing is left of the quantity.
    """
    one_line = len(line.parts) == 1 and line.first.order_quantity is None and line.quantity == line.first.quantity
    own = line.first.price if one_line else None
    price = wire.quantity(unit_price(line.amount, line.quantity, own, decimals=wire.PRICE_DECIMALS))
    # What is sent is rounded, and QuickBooks multiplies that.
    return price if (price * line.quantity).quantize(wire.CENT, ROUND_HALF_UP) == line.amount else None


def _rejected(code: str, message: str, **evidence: str) -> Rejected:
    return Rejected(message, code=code, evidence=evidence)
