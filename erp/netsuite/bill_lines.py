"""Build a bill's lines as NetSuite takes them: one per order line billed, whatever receipts they come from (reference
5.3).

NetSuite links a bill to order lines. Which receipt a quantity came with is recorded only here, so the parts of one bill
line that come from several receipts are sent as one line.
"""

from collections.abc import Sequence
from datetime import timezone
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple

from erp.errors import Rejected
from erp.netsuite import own_fields, translate, wire
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.wire import Fields, NsRecord
from erp.netsuite.writer import given, reference
from erp.prices import unit_price
from erp.quantities import filling
from models.domain.bills import BillLineToPush, BillToPush

DECIMALS = 8
"""How many decimals of quantities and rates NetSuite keeps."""


class Line(NamedTuple):
    """One line to send. `of` are the parts it is made of, equal except for their source."""

    of: tuple[BillLineToPush, ...]
    order: str
    number: str
    expense: bool
    quantity: Decimal
    amount: Decimal

    @property
    def price(self) -> Decimal | None:
        """Return the bill's own price, if it is per unit of the order line."""
        return None if self.first.order_quantity is not None else self.first.price

    @property
    def first(self) -> BillLineToPush:
        """Return the first of the line's parts."""
        return self.of[0]


class NsLine(NamedTuple):
    """One line of a bill in NetSuite. `link` is our id of the order line it bills, or None."""

    link: str | None
    fields: Fields
    expense: bool


def lines_of(bill: BillToPush) -> list[Line]:
    """Return the bill's lines; parts that differ only in their receipt are merged into one line."""
    grouped: dict[tuple[Any, ...], list[BillLineToPush]] = {}
    for line in bill.lines:
        alike: tuple[Any, ...] = (
            line.order_line,
            line.item_id,
            line.description,
            line.unit,
            line.department,
            line.location,
            line.class_id,
            line.project,
            tuple(sorted(line.custom.items())),
            line.edited,
        )
        # Parts of one bill line follow each other and have sources that differ; a second line of the same source is
        # one the person entered.
        parts = grouped.get(alike)
        if parts is not None and line.source in [part.source for part in parts]:
            alike = (*alike, line.line_no)
        grouped.setdefault(alike, []).append(line)
    lines: list[Line] = []
    for members in grouped.values():
        order, number, expense = translate.split_line_id(members[0].order_line)
        quantity = sum((_in_order_unit(line) for line in members), Decimal(0))
        amount = sum((line.amount for line in members), Decimal(0))
        lines.append(Line(tuple(members), order, number, expense, quantity, amount))
    return lines


def _in_order_unit(line: BillLineToPush) -> Decimal:
    """Return the quantity in the order line's unit: NetSuite bills an order line in no other. A part without an end, a
    third of a box, is rounded down: the parts must never come to more than the box."""
    quantity = line.quantity if line.order_quantity is None else line.order_quantity
    return quantity.quantize(Decimal(1).scaleb(-DECIMALS), rounding=ROUND_DOWN)


def order_line(line: Line, orders: dict[str, NsRecord]) -> Fields:
    """Return the order's line as NetSuite holds it now.

    Raises:
        Rejected: ORDER_LINE_GONE.
    """
    order = orders[line.order]
    sublist, name = ("expenseList", "expense") if line.expense else ("itemList", "item")
    for values in order.lines(sublist, name):
        if wire.text(values, "line") == line.number:
            return values
    raise Rejected(
        f"Line {line.number} is no longer on order {wire.text(order.fields, 'tranId') or order.id}.",
        code="ORDER_LINE_GONE",
        evidence={"order": order.id, "line": line.number},
    )


def item(line: Line, ordered: Fields, own: OwnFields, zone: timezone) -> dict[str, Any]:
    """Return a line of `itemList`. Its unit is the order line's, which our quantity is in. `own`: the company's own
    fields of lines.

    Raises:
        Rejected: the order line's unit is another one by now, or a value is none of its field's kind.
    """
    sent = line.first
    unit = wire.ref(ordered, "units")
    billed_in = sent.order_unit or sent.unit
    if billed_in and (unit is None or billed_in not in (unit.name, unit.id)):
        raise Rejected(
            f"The order line is in {unit.name if unit else 'no unit'}, so {billed_in!r} cannot be billed on it.",
            code="VALUE_REFUSED",
            evidence={"unit": billed_in},
        )
    by_amount = wire.text(ordered, "quantity") is None
    quantity = line.quantity if sent.order_quantity is None else filling(line.quantity, _left(ordered))
    price = None if by_amount else unit_price(line.amount, quantity, line.price, decimals=DECIMALS)
    return given(
        item=reference(sent.item_id),
        orderDoc=int(line.order),
        orderLine=int(line.number),
        quantity=None if by_amount else wire.plain(quantity),
        units=reference(unit.id if unit and not by_amount else None),
        description=wire.carried(sent.description),
        rate=None if price is None else wire.plain(price),
        # The price may have endless decimals (100 / 3); what was agreed is the amount.
        amount=wire.plain(line.amount),
        **_dimensions(sent),
        **own_fields.sent(sent.custom, own, zone),
    )


def _left(ordered: Fields) -> Decimal | None:
    """Return what NetSuite has not billed yet of an order line; None: it does not say."""
    quantity, billed = (translate.optional_decimal(ordered, name) for name in ("quantity", "quantityBilled"))
    return None if quantity is None or billed is None else quantity - billed


def expense(line: Line, ordered: Fields, own: OwnFields, zone: timezone) -> dict[str, Any]:
    """Return a line of `expenseList`: an amount of the order line's account or category."""
    return given(
        orderDoc=int(line.order),
        orderLine=int(line.number),
        category=reference(wire.ref_id(ordered, "category")),
        account=reference(wire.ref_id(ordered, "account")),
        amount=wire.plain(line.amount),
        memo=wire.carried(line.first.description),
        **_dimensions(line.first),
        **own_fields.sent(line.first.custom, own, zone),
    )


def _dimensions(sent: BillLineToPush) -> dict[str, Any]:
    return {
        "department": reference(sent.department),
        "class": reference(sent.class_id),
        "location": reference(sent.location),
        "customer": reference(sent.project),
    }


# --- what NetSuite holds ---------------------------------------------------------------------------------------


def ns_lines(record: NsRecord) -> list[NsLine]:
    """Return the lines of a bill as NetSuite holds them."""
    results: list[NsLine] = []
    for sublist, name in (("itemList", "item"), ("expenseList", "expense")):
        for line in record.lines(sublist, name):
            order, number = wire.text(line, "orderDoc"), wire.text(line, "orderLine")
            is_expense = name == "expense"
            link = translate.line_id(order, number, expense=is_expense) if order and number else None
            results.append(NsLine(link, line, is_expense))
    return results


def paired(lines: Sequence[Line], existing: Sequence[NsLine]) -> list[tuple[Line, NsLine | None]]:
    """Pair each sent line with the one NetSuite holds for it: by its link, or if the link is lost by kind and order."""
    free = list(existing)
    pairs: dict[int, NsLine] = {}
    for number, line in enumerate(lines):
        match = next((one for one in free if one.link == line.first.order_line), None)
        if match is not None:
            free.remove(match)
            pairs[number] = match
    for number, line in enumerate(lines):
        if number not in pairs:
            match = next((one for one in free if one.link is None and one.expense == line.expense), None)
            if match is not None:
                free.remove(match)
                pairs[number] = match
    return [(line, pairs.get(number)) for number, line in enumerate(lines)]
