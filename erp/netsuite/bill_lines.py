"""A bill's lines as NetSuite takes them: one per order line billed, whatever receipts they come from (reference 5.3).

NetSuite links a bill to lines of orders. Which receipt a quantity came with is our own bookkeeping, so the parts of one
bill line that come from several receipts go out as one line.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from erp.errors import Rejected
from erp.netsuite import translate, wire
from erp.netsuite.wire import Fields, Held
from erp.netsuite.writer import given, reference
from models.domain import BillLineToPush, BillToPush

MAX_PRICE_DECIMALS = 8


class Line(NamedTuple):
    """One line to send. `of` are the parts it was put together from, all alike but for their source."""

    of: tuple[BillLineToPush, ...]
    order: str
    number: str
    expense: bool
    quantity: Decimal
    amount: Decimal

    @property
    def first(self) -> BillLineToPush:
        return self.of[0]


class HeldLine(NamedTuple):
    """One line of a bill in NetSuite. `link` is our id of the order line it bills, None where it bills none."""

    link: str | None
    fields: Fields
    expense: bool


def lines_of(bill: BillToPush) -> list[Line]:
    """The bill's lines, parts that differ only in their receipt put together."""
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
        quantity = sum((line.quantity for line in members), Decimal(0))
        amount = sum((line.amount for line in members), Decimal(0))
        lines.append(Line(tuple(members), order, number, expense, quantity, amount))
    return lines


def order_line(line: Line, orders: dict[str, Held]) -> Fields:
    """The line of the order as NetSuite holds it now. Raises ORDER_LINE_GONE."""
    order = orders[line.order]
    sublist, name = ("expenseList", "expense") if line.expense else ("itemList", "item")
    for found in order.lines(sublist, name):
        if wire.text(found, "line") == line.number:
            return found
    raise Rejected(
        f"Line {line.number} is no longer on order {wire.text(order.fields, 'tranId') or order.id}.",
        code="ORDER_LINE_GONE",
        evidence={"order": order.id, "line": line.number},
    )


def item(line: Line, ordered: Fields) -> dict[str, Any]:
    """A line of `itemList`. The unit is the order line's, whose quantity ours is in; another one is refused."""
    sent = line.first
    unit = wire.ref(ordered, "units")
    if sent.unit and (unit is None or sent.unit not in (unit.name, unit.id)):
        raise Rejected(
            f"The order line is in {unit.name if unit else 'no unit'}, so {sent.unit!r} cannot be billed on it.",
            code="VALUE_REFUSED",
            evidence={"unit": sent.unit},
        )
    by_amount = wire.text(ordered, "quantity") is None
    return given(
        item=reference(sent.item_id),
        orderDoc=int(line.order),
        orderLine=int(line.number),
        quantity=None if by_amount else wire.plain(line.quantity),
        units=reference(unit.id if unit and not by_amount else None),
        description=wire.carried(sent.description),
        rate=None if by_amount else wire.plain(unit_price(line.amount, line.quantity)),
        # The price need not end (100 / 3); the amount is what was agreed.
        amount=wire.plain(line.amount),
        **_dimensions(sent),
    )


def expense(line: Line, ordered: Fields) -> dict[str, Any]:
    """A line of `expenseList`: an amount of the order line's account or category."""
    return given(
        orderDoc=int(line.order),
        orderLine=int(line.number),
        category=reference(wire.ref_id(ordered, "category")),
        account=reference(wire.ref_id(ordered, "account")),
        amount=wire.plain(line.amount),
        memo=wire.carried(line.first.description),
        **_dimensions(line.first),
    )


def _dimensions(sent: BillLineToPush) -> dict[str, Any]:
    return {
        "department": reference(sent.department),
        "class": reference(sent.class_id),
        "location": reference(sent.location),
        "customer": reference(sent.project),
    }


def unit_price(amount: Decimal, quantity: Decimal) -> Decimal:
    """The price with the fewest decimals that gives the amount back to the cent (ruling G12)."""
    if quantity == 0:
        raise Rejected("A bill line needs a quantity.", code="VALUE_REFUSED", evidence={"quantity": "0"})
    exact = amount / quantity
    for decimals in range(2, MAX_PRICE_DECIMALS + 1):
        price = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        if (price * quantity).quantize(wire.CENT, rounding=ROUND_HALF_UP) == amount:
            return price
    return exact.quantize(Decimal(1).scaleb(-MAX_PRICE_DECIMALS), rounding=ROUND_HALF_UP)


# --- what NetSuite holds ---------------------------------------------------------------------------------------


def held_lines(record: Held) -> list[HeldLine]:
    found: list[HeldLine] = []
    for sublist, name in (("itemList", "item"), ("expenseList", "expense")):
        for line in record.lines(sublist, name):
            order, number = wire.text(line, "orderDoc"), wire.text(line, "orderLine")
            is_expense = name == "expense"
            link = translate.line_id(order, number, expense=is_expense) if order and number else None
            found.append(HeldLine(link, line, is_expense))
    return found


def paired(lines: Sequence[Line], held: Sequence[HeldLine]) -> list[tuple[Line, HeldLine | None]]:
    """Each line sent with the one NetSuite holds for it: by its link; where the link is lost, by kind and order."""
    free = list(held)
    pairs: dict[int, HeldLine] = {}
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
