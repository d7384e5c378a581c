"""Bill lines sorted to the order lines they bill, with what cannot be judged at all told first (matching rules 3.6)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from matching.exact import EXACT, ZERO, Exact, divide, multiply, plain, sensible, total
from matching.inputs import Basis, BillLineToMatch, BillToMatch, OrderLineToMatch, OrderToMatch
from matching.result import Finding, Outcome
from matching.units import unit_key


class BilledLine(NamedTuple):
    """One order line and everything this bill bills of it. Several bill lines on one order line are one sum."""

    order: OrderToMatch
    home: bool
    """Whether the order is the bill's first."""
    order_line: OrderLineToMatch
    bill_lines: tuple[BillLineToMatch, ...]
    quantities: tuple[Exact, ...]
    """Of each bill line, in the order's unit."""
    prices: tuple[Exact, ...]
    """Of each bill line, per order unit."""
    quantity: Exact
    """b, in the order's unit; of an amount-only line, in money."""
    amount: Decimal

    @property
    def name(self) -> str:
        """For people; of a bill on several orders it says which one."""
        line = f"ine {self.order_line.line_no} ({self.order_line.item})"
        return f"L{line}" if self.home else f"Order {self.order.number}, l{line}"

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(line.line_no for line in self.bill_lines)

    def finding_id(self, code: str) -> str:
        return line_finding_id(code, self.order, self.order_line.line_no, home=self.home)


def line_finding_id(code: str, order: OrderToMatch, line_no: int, *, home: bool) -> str:
    """An id that the same finding keeps when the bill is matched again."""
    return f"{code}:line-{line_no}" if home else f"{code}:{order.id}/line-{line_no}"


def unit_factor(order_line: OrderLineToMatch, unit: str) -> Fraction | None:
    """How much of the order's unit one `unit` is; None where nobody said so yet. Never a guess (U05)."""
    if not unit or unit == order_line.unit:
        return _ONE
    key = unit_key(unit)
    if not key or key == unit_key(order_line.unit):
        return _ONE
    for known in order_line.units:
        if unit_key(known.unit) == key:
            return known.factor
    return None


_ONE = Fraction(1)


def in_order_unit(order_line: OrderLineToMatch, line: BillLineToMatch) -> Exact | None:
    """b of one bill line: exact, in the order's unit; of an amount-only line its amount; None if the unit is unknown.

    This is what a saved bill reserves (P).
    """
    if order_line.basis is Basis.AMOUNT:
        return line.amount
    factor = unit_factor(order_line, line.unit)
    if factor is None:
        return None
    return line.quantity if factor is _ONE else multiply(line.quantity, factor)


def sort_lines(orders: Sequence[OrderToMatch], bill: BillToMatch) -> tuple[list[BilledLine], list[Finding]]:
    """The order lines billed, in the orders' sequence, and a finding for each bill line that cannot be judged."""
    held = {(order.id, line.line_no): line for order in orders for line in order.lines}
    unfit: list[Finding] = []
    billing: dict[tuple[str, int], list[tuple[BillLineToMatch, Fraction]]] = {}
    for line in bill.lines:
        key = (line.purchase_order_id, line.order_line_no)
        order_line = held.get(key)
        if order_line is None:
            unfit.append(_not_on_order(orders, line))
            continue
        factor = unit_factor(order_line, line.unit) if order_line.basis is Basis.QUANTITY else _ONE
        told = _unfit(order_line, line, factor)
        # Left out of the sum: a negative line must not make room for another one.
        if told is not None:
            unfit.append(told)
        elif factor is not None:
            billing.setdefault(key, []).append((line, factor))
    return [
        _billed(order, position == 0, line, billing[order.id, line.line_no])
        for position, order in enumerate(orders)
        for line in order.lines
        if (order.id, line.line_no) in billing
    ], unfit


def _billed(
    order: OrderToMatch, home: bool, order_line: OrderLineToMatch, lines: Sequence[tuple[BillLineToMatch, Fraction]]
) -> BilledLine:
    by_quantity = order_line.basis is Basis.QUANTITY
    amount = ZERO
    quantities: list[Exact] = []
    prices: list[Exact] = []
    for line, factor in lines:
        quantity: Exact = line.quantity if by_quantity else line.amount
        price: Exact = line.price
        if factor is not _ONE:
            quantity, price = multiply(quantity, factor), divide(price, factor)
        quantities.append(quantity)
        prices.append(price)
        amount = EXACT.add(amount, line.amount)
    return BilledLine(
        order,
        home,
        order_line,
        tuple(line for line, _ in lines),
        tuple(quantities),
        tuple(prices),
        total(quantities),
        amount,
    )


def _unfit(order_line: OrderLineToMatch, line: BillLineToMatch, factor: Fraction | None) -> Finding | None:
    """Why a bill line cannot be judged, the first reason."""
    by_quantity = order_line.basis is Basis.QUANTITY
    if not _numbers_are_sensible(order_line, line):
        return _finding(
            line,
            "INVALID_NUMBER",
            f"A number of bill line {line.line_no}, or of the order line it bills, is too large or too precise.",
            rule="LINE.NUMBERS",
            formula="a number is 10^21 or more, or has more than 41 digits or 40 decimal places",
            values={},
            fix=("enter the figures as they are on the invoice",),
        )
    if by_quantity and line.quantity <= 0:
        return _finding(
            line,
            "INVALID_QTY",
            f"Bill line {line.line_no} has quantity {plain(line.quantity)}; a bill needs more than zero.",
            rule="LINE.QUANTITY",
            formula="b <= 0",
            values={"b": plain(line.quantity)},
            fix=("enter the quantity the vendor billed", "or enter a vendor credit in place of a negative quantity"),
        )
    if line.amount < 0 or line.price < 0 or (line.amount == 0 and not by_quantity):
        return _finding(
            line,
            "INVALID_AMOUNT",
            f"Bill line {line.line_no} has amount {plain(line.amount)}; "
            + ("it may not be negative." if by_quantity else "a line billed by amount needs more than zero."),
            rule="LINE.AMOUNT",
            formula="amount < 0 or price < 0" if by_quantity else "b <= 0",
            values={"amount": plain(line.amount), "price": plain(line.price)},
            fix=("enter the amount the vendor billed", "or enter a vendor credit in place of a negative amount"),
        )
    if factor is None:
        wanted = order_line.unit or "the order's unit"
        return _finding(
            line,
            "UOM_UNKNOWN",
            f"Bill line {line.line_no} is in {line.unit}; how much of {wanted} that is was never said.",
            severity=Outcome.HOLD,
            rule="LINE.UNIT",
            formula="no factor from the bill's unit to the order's",
            values={"bill": line.unit, "order": order_line.unit},
            fix=(
                f"say once how much of {wanted} one {line.unit} of {order_line.item} is; it is remembered for this "
                "vendor and item",
                f"or enter the line in {wanted}",
            ),
        )
    return None


def _numbers_are_sensible(order_line: OrderLineToMatch, line: BillLineToMatch) -> bool:
    return (
        sensible(line.quantity)
        and sensible(line.price)
        and sensible(line.amount)
        and sensible(order_line.price)
        and (order_line.release_cap is None or sensible(order_line.release_cap))
        and all(sensible(known.factor) for known in order_line.units)
        and order_line.ledger.sensible
    )


def _not_on_order(orders: Sequence[OrderToMatch], line: BillLineToMatch) -> Finding:
    number = next((order.number for order in orders if order.id == line.purchase_order_id), None)
    where = f"order {number} does not have" if number else f"is on an order ({line.purchase_order_id}) not known here"
    return _finding(
        line,
        "LINE_NOT_ON_ORDER",
        f"Bill line {line.line_no} bills line {line.order_line_no}, which {where}.",
        rule="LINE.ON_ORDER",
        formula="the order has no such line",
        values={"order_line": str(line.order_line_no)},
        fix=("choose a line of the order", "or sync if the line was added in the accounting system just now"),
    )


def _finding(
    line: BillLineToMatch,
    code: str,
    message: str,
    *,
    rule: str,
    formula: str,
    values: dict[str, str],
    fix: tuple[str, ...],
    severity: Outcome = Outcome.BLOCK,
) -> Finding:
    return Finding(
        id=f"{code}:bill-line-{line.line_no}",
        code=code,
        severity=severity,
        message=message,
        purchase_order_id=line.purchase_order_id,
        line=line.order_line_no,
        bill_lines=(line.line_no,),
        rule=rule,
        formula=formula,
        values=values,
        who="ap",
        fix=fix,
    )
