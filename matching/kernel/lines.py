"""Sort bill lines to the order lines they bill, after a finding for each line that cannot be matched at all."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from matching.kernel.exact import EXACT, ZERO, Exact, divide, multiply, plain, sensible, subtract, total
from matching.kernel.inputs import Basis, BillLineToMatch, BillToMatch, OrderLineToMatch, OrderToMatch
from matching.kernel.result import FIRST_RULES, Finding, Outcome
from models.domain.units import unit_key


class BilledLine(NamedTuple):
    """One order line and everything this bill bills of it. Several bill lines on one order line are added up."""

    order: OrderToMatch
    home: bool
    """True: the order is the bill's first."""
    order_line: OrderLineToMatch
    bill_lines: tuple[BillLineToMatch, ...]
    quantities: tuple[Exact, ...]
    """The quantity of each bill line, in the order line's unit."""
    prices: tuple[Exact, ...]
    """The price of each bill line, per order unit."""
    quantity: Exact
    """b: the total quantity, in the order line's unit; for a line billed by amount, in money, without the sign if the
    line deducts."""
    amount: Decimal
    mirrored: bool = False
    """True: the line's amounts are below zero, and its ledger is checked without the sign too."""

    @property
    def name(self) -> str:
        """Return the line's name for people; for a bill on several orders it includes the order."""
        line = f"ine {self.order_line.line_no} ({self.order_line.item})"
        return f"L{line}" if self.home else f"Order {self.order.number}, l{line}"

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the numbers of the bill lines."""
        return tuple(line.line_no for line in self.bill_lines)

    def finding_id(self, code: str) -> str:
        """Return the id of a finding about this line."""
        return line_finding_id(code, self.order, self.order_line.first_no, home=self.home)


def line_finding_id(code: str, order: OrderToMatch, line_no: int, *, home: bool) -> str:
    """Return an id that the same finding keeps when the bill is matched again."""
    return f"{code}:line-{line_no}" if home else f"{code}:{order.id}/line-{line_no}"


def unit_factor(order_line: OrderLineToMatch, unit: str, substitute: str | None = None) -> Fraction | None:
    """Return how much of the order line's unit one `unit` is, of the substitute where there is one; None: nobody has
    said so yet. It is never guessed."""
    if not unit or unit == order_line.unit:
        return _ONE
    key = unit_key(unit)
    if not key or key == unit_key(order_line.unit):
        return _ONE
    for known in order_line.units:
        if unit_key(known.unit) == key and known.item_id == substitute:
            return known.factor
    return None


_ONE = Fraction(1)


def in_order_unit(order_line: OrderLineToMatch, line: BillLineToMatch) -> Exact | None:
    """Return b of one bill line: exact, in the order line's unit; for a line billed by amount, its amount. None: the
    unit is unknown.

    This is what a saved bill reserves (P).
    """
    if order_line.basis is Basis.AMOUNT:
        return line.amount
    factor = unit_factor(order_line, line.unit, line.substitute)
    if factor is None:
        return None
    return line.quantity if factor is _ONE else multiply(line.quantity, factor)


def sort_lines(orders: Sequence[OrderToMatch], bill: BillToMatch, rules: int) -> tuple[list[BilledLine], list[Finding]]:
    """Return the billed order lines in the orders' sequence, and a finding per bill line that cannot be matched.

    `rules` is the version of the built-in rules: under the first version, no line may be below zero.
    """
    by_line = {(order.id, line.line_no): line for order in orders for line in order.lines}
    unfit: list[Finding] = []
    billing: dict[tuple[str, int], list[tuple[BillLineToMatch, Fraction]]] = {}
    for line in bill.lines:
        key = (line.purchase_order_id, line.order_line_no)
        order_line = by_line.get(key)
        if order_line is None:
            unfit.append(_not_on_order(orders, line))
            continue
        factor = unit_factor(order_line, line.unit, line.substitute) if order_line.basis is Basis.QUANTITY else _ONE
        problem = _unfit(order_line, line, factor, rules)
        # Not added to the sum: a negative line must not make room for another one.
        if problem is not None:
            unfit.append(problem)
        elif factor is not None:
            billing.setdefault(key, []).append((line, factor))
    return [
        _billed(order, position == 0, line, billing[order.id, line.line_no], rules)
        for position, order in enumerate(orders)
        for line in order.lines
        if (order.id, line.line_no) in billing
    ], unfit


def _billed(
    order: OrderToMatch,
    home: bool,
    order_line: OrderLineToMatch,
    lines: Sequence[tuple[BillLineToMatch, Fraction]],
    rules: int,
) -> BilledLine:
    by_quantity = order_line.basis is Basis.QUANTITY
    mirrored = not by_quantity and rules > FIRST_RULES and order_line.deducts
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
    if mirrored:
        quantities = [subtract(ZERO, quantity) for quantity in quantities]
    return BilledLine(
        order,
        home,
        order_line,
        tuple(line for line, _ in lines),
        tuple(quantities),
        tuple(prices),
        total(quantities),
        amount,
        mirrored,
    )


def _unfit(order_line: OrderLineToMatch, line: BillLineToMatch, factor: Fraction | None, rules: int) -> Finding | None:
    """Return the first reason why a bill line cannot be matched; None: there is none."""
    by_quantity = order_line.basis is Basis.QUANTITY
    if line.item_id is not None and line.item_id != order_line.item_id:
        return _other_item(order_line, line)
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
    if by_quantity and line.quantity == 0 and rules > FIRST_RULES:
        return _no_quantity(order_line, line)
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
    if not by_quantity or line.amount < 0 or line.price < 0:
        problem = _sign(order_line, line, rules)
        if problem is not None:
            return problem
    if factor is None:
        wanted = order_line.unit or "the order's unit"
        return _finding(
            line,
            "UOM_UNKNOWN",
            f"Bill line {line.line_no} is in {line.unit}; its conversion to {wanted} is not known.",
            severity=Outcome.HOLD,
            rule="LINE.UNIT",
            formula="no factor from the bill's unit to the order's",
            values={"bill": line.unit, "order": order_line.unit},
            fix=(
                f"enter once how much of {wanted} one {line.unit} of {line.substitute or order_line.item} is; it is "
                "remembered for this vendor and item",
                f"or enter the line in {wanted}",
            ),
        )
    return None


def _sign(order_line: OrderLineToMatch, line: BillLineToMatch, rules: int) -> Finding | None:
    """Return a finding if a line's sign is wrong: a line is above zero, but one that takes money off the order is below
    it."""
    by_quantity = order_line.basis is Basis.QUANTITY
    if rules > FIRST_RULES and order_line.deducts:
        if by_quantity or line.amount < 0:
            return None
        return _finding(
            line,
            "INVALID_AMOUNT",
            f"Bill line {line.line_no} has amount {plain(line.amount)}; the order's line {order_line.line_no} takes "
            "money off, so its amount is below zero.",
            rule="LINE.AMOUNT",
            formula="amount >= 0 on an order line below zero",
            values={"amount": plain(line.amount), "ordered": plain(order_line.ledger.effective_ordered)},
            fix=("enter the amount with its sign", "or choose another line of the order"),
        )
    if line.amount > 0 and line.price >= 0:
        return None
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


def _other_item(order_line: OrderLineToMatch, line: BillLineToMatch) -> Finding:
    """Return a finding for a saved bill's line whose order line was changed into another item: the ERP would bill
    that one."""
    return _finding(
        line,
        "ITEM_DIFFERS",
        f"Bill line {line.line_no} is for {line.item_id}; line {order_line.line_no} of the order is "
        f"{order_line.item or 'without an item'} now.",
        rule="LINE.ITEM",
        formula="item when the bill was entered <> item of the order line now",
        values={"bill": line.item_id or "", "order": order_line.item_id},
        fix=(
            "have the order's line put right in the accounting system and sync",
            "or abandon the bill and enter it on the order as it is now",
        ),
    )


def _no_quantity(order_line: OrderLineToMatch, line: BillLineToMatch) -> Finding:
    """Return a finding for a line without a quantity, saying what to give: the amount alone does not say how much of a
    line of goods was billed."""
    unit = line.unit or order_line.unit
    return _finding(
        line,
        "INVALID_QTY",
        f"Bill line {line.line_no} says no quantity; line {order_line.line_no} ({order_line.item}) is billed by "
        "quantity.",
        rule="LINE.QUANTITY",
        formula="b = 0",
        values={"b": "0", "amount": plain(line.amount)},
        fix=(
            f"give the quantity the vendor billed, in {unit}" if unit else "give the quantity the vendor billed",
            "or take the line off the bill",
        ),
    )


def _numbers_are_sensible(order_line: OrderLineToMatch, line: BillLineToMatch) -> bool:
    return (
        sensible(line.quantity, line.price, line.amount, order_line.price, order_line.release_cap)
        and (not order_line.units or sensible(*[known.factor for known in order_line.units]))
        and order_line.ledger.sensible
    )


def _not_on_order(orders: Sequence[OrderToMatch], line: BillLineToMatch) -> Finding:
    """Return a finding for a line that bills no line of its order. A line that is gone from the order has no number
    that people know: it is told by its item."""
    number = next((order.number for order in orders if order.id == line.purchase_order_id), None)
    if number is None:
        where = f"an order that is not known here ({line.purchase_order_id})"
    elif line.item_id:
        where = f"{line.item_id} on a line that order {number} does not have"
    else:
        where = f"line {line.order_line_no} of order {number}, which has no such line"
    return _finding(
        line,
        "LINE_NOT_ON_ORDER",
        f"Line {line.line_no} of the bill bills {where}.",
        rule="LINE.ON_ORDER",
        formula="the order has no such line",
        values={"order_line": str(line.order_line_no)},
        fix=(
            "choose a line of the order, on a saved bill with `posync bills correct`",
            "or sync if the line was added in the accounting system just now",
        ),
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
