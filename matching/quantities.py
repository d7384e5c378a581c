"""The quantity rules, per order line: 2-way (S4-28) and 3-way (S4-40, S4-41 as ruled in G1).

3-way: the ceiling is the higher of what remains of the order and what was received and not billed; the lower of the two
is where the warnings start. 2-way: the ceiling is what remains of the order, receipts are not looked at.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from matching.inputs import BillLineToMatch, BillToMatch, OrderLineToMatch, OrderToMatch
from matching.ledger import EXACT, ZERO, LineLedger
from matching.result import Finding, Outcome
from models.domain import MatchMode


def check_quantities(mode: MatchMode, order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    """Findings of the lines, by order line. Bill lines on the same order line are judged as one sum."""
    order_lines = {line.line_no: line for line in order.lines}
    billing: dict[int, list[BillLineToMatch]] = defaultdict(list)
    for line in bill.lines:
        if line.order_line_no not in order_lines:
            yield _not_on_order(order, line)
        elif line.quantity <= 0:
            # Left out of the sum: a negative line must not make room for another one.
            yield _invalid_quantity(line)
        else:
            billing[line.order_line_no].append(line)
    for line_no, lines in sorted(billing.items()):
        order_line = order_lines[line_no]
        if order_line.closed:
            yield _line_closed(order, order_line, lines)
        elif mode == MatchMode.TWO_WAY:
            yield from _two_way(order_line, lines)
        else:
            yield from _three_way(order_line, lines)


def _two_way(order_line: OrderLineToMatch, lines: Sequence[BillLineToMatch]) -> Iterator[Finding]:
    quantity = _total(lines)
    ledger = order_line.ledger
    if quantity > ledger.remaining:
        yield _over_ceiling(
            order_line, lines, quantity, ledger.remaining, rule="2WAY.BLOCK", formula="b > O_eff - B", received=False
        )


def _three_way(order_line: OrderLineToMatch, lines: Sequence[BillLineToMatch]) -> Iterator[Finding]:
    quantity = _total(lines)
    ledger = order_line.ledger
    ceiling = max(ledger.remaining, ledger.unbilled_received)
    unquestioned = min(ledger.remaining, ledger.unbilled_received)
    if quantity > ceiling:
        yield _over_ceiling(
            order_line,
            lines,
            quantity,
            ceiling,
            rule="3WAY.BLOCK",
            formula="b > max(O_eff - B, R_net - B)",
            received=True,
        )
    elif quantity > unquestioned:
        if ledger.net_received < ledger.effective_ordered:
            yield _beyond_received(order_line, lines, quantity, unquestioned)
        else:
            yield _beyond_ordered(order_line, lines, quantity, unquestioned)


def _over_ceiling(
    order_line: OrderLineToMatch,
    lines: Sequence[BillLineToMatch],
    quantity: Decimal,
    ceiling: Decimal,
    *,
    rule: str,
    formula: str,
    received: bool,
) -> Finding:
    ledger = order_line.ledger
    allowed = "of the order and of the goods received" if received else "of the order"
    fixes = [_lower_to(ceiling)] if ceiling > 0 else ["take this line off the bill"]
    fixes.append("have the order raised in the accounting system and sync")
    return Finding(
        id=f"QTY_OVER_CEILING:line-{order_line.line_no}",
        code="QTY_OVER_CEILING",
        severity=Outcome.BLOCK,
        message=(
            f"Line {order_line.line_no} ({order_line.item_id}): {plain(quantity)} billed, but only "
            f"{plain(max(ceiling, ZERO))} is left {allowed}."
        ),
        line=order_line.line_no,
        bill_lines=_numbers(lines),
        rule=rule,
        formula=formula,
        values=_values(ledger, quantity, received=received),
        limit=ceiling,
        margin=EXACT.subtract(ceiling, quantity),
        money_at_stake=_at_stake(order_line, quantity, ceiling),
        who="ap",
        fix=tuple(fixes),
    )


def _beyond_received(
    order_line: OrderLineToMatch, lines: Sequence[BillLineToMatch], quantity: Decimal, limit: Decimal
) -> Finding:
    fixes = ["wait for the receipt"]
    if limit > 0:
        fixes.append(_lower_to(limit))
    return _warning(
        "BILLED_BEYOND_RECEIVED",
        f"Line {order_line.line_no} ({order_line.item_id}): {plain(quantity)} billed, but only "
        f"{plain(max(limit, ZERO))} received and not billed.",
        order_line,
        lines,
        quantity,
        limit,
        who="receiving",
        fix=tuple(fixes),
    )


def _beyond_ordered(
    order_line: OrderLineToMatch, lines: Sequence[BillLineToMatch], quantity: Decimal, limit: Decimal
) -> Finding:
    fixes = ["have the order raised in the accounting system, or the surplus returned"]
    if limit > 0:
        fixes.append(_lower_to(limit))
    return _warning(
        "BILLED_BEYOND_ORDERED",
        f"Line {order_line.line_no} ({order_line.item_id}): {plain(quantity)} billed, but only "
        f"{plain(max(limit, ZERO))} of the order is left; more was received than ordered.",
        order_line,
        lines,
        quantity,
        limit,
        who="purchasing",
        fix=tuple(fixes),
    )


def _warning(
    code: str,
    message: str,
    order_line: OrderLineToMatch,
    lines: Sequence[BillLineToMatch],
    quantity: Decimal,
    limit: Decimal,
    *,
    who: str,
    fix: tuple[str, ...],
) -> Finding:
    return Finding(
        id=f"{code}:line-{order_line.line_no}",
        code=code,
        severity=Outcome.WARN,
        message=message,
        line=order_line.line_no,
        bill_lines=_numbers(lines),
        rule="3WAY.WARN",
        formula="b > min(O_eff - B, R_net - B)",
        values=_values(order_line.ledger, quantity, received=True),
        limit=limit,
        margin=EXACT.subtract(limit, quantity),
        money_at_stake=_at_stake(order_line, quantity, limit),
        who=who,
        fix=fix,
    )


def _line_closed(order: OrderToMatch, order_line: OrderLineToMatch, lines: Sequence[BillLineToMatch]) -> Finding:
    return Finding(
        id=f"LINE_CLOSED:line-{order_line.line_no}",
        code="LINE_CLOSED",
        severity=Outcome.BLOCK,
        message=f"Line {order_line.line_no} ({order_line.item_id}) of order {order.number} is closed.",
        line=order_line.line_no,
        bill_lines=_numbers(lines),
        rule="LINE.CLOSED",
        formula="b > 0 on a closed line",
        values={"b": plain(_total(lines))},
        limit=ZERO,
        margin=EXACT.minus(_total(lines)),
        money_at_stake=_at_stake(order_line, _total(lines), ZERO),
        who="purchasing",
        fix=("take this line off the bill", "or reopen the line in the accounting system and sync"),
    )


def _not_on_order(order: OrderToMatch, line: BillLineToMatch) -> Finding:
    return Finding(
        id=f"LINE_NOT_ON_ORDER:bill-line-{line.line_no}",
        code="LINE_NOT_ON_ORDER",
        severity=Outcome.BLOCK,
        message=f"Bill line {line.line_no} bills line {line.order_line_no}, which order {order.number} does not have.",
        line=line.order_line_no,
        bill_lines=(line.line_no,),
        rule="LINE.ON_ORDER",
        formula="the order has no such line",
        values={"order_line": str(line.order_line_no)},
        who="ap",
        fix=("choose a line of the order", "or sync if the line was added in the accounting system just now"),
    )


def _invalid_quantity(line: BillLineToMatch) -> Finding:
    return Finding(
        id=f"INVALID_QTY:bill-line-{line.line_no}",
        code="INVALID_QTY",
        severity=Outcome.BLOCK,
        message=f"Bill line {line.line_no} has quantity {plain(line.quantity)}; a bill needs more than zero.",
        line=line.order_line_no,
        bill_lines=(line.line_no,),
        rule="LINE.QUANTITY",
        formula="b <= 0",
        values={"b": plain(line.quantity)},
        who="ap",
        fix=("enter the quantity the vendor billed", "or enter a vendor credit in place of a negative quantity"),
    )


def _total(lines: Sequence[BillLineToMatch]) -> Decimal:
    total = ZERO
    for line in lines:
        total = EXACT.add(total, line.quantity)
    return total


def _at_stake(order_line: OrderLineToMatch, quantity: Decimal, limit: Decimal) -> Decimal:
    # Where the line was over its limit before this bill, this bill answers for its own quantity only.
    excess = min(quantity, EXACT.subtract(quantity, limit))
    return EXACT.multiply(excess, order_line.price)


def _values(ledger: LineLedger, quantity: Decimal, *, received: bool) -> dict[str, str]:
    values = {"O_eff": ledger.effective_ordered}
    if received:
        values["R_net"] = ledger.net_received
    values |= {"B": ledger.net_billed, "E": ledger.billed, "P": ledger.pending, "C": ledger.credited, "b": quantity}
    return {letter: plain(value) for letter, value in values.items()}


def _numbers(lines: Sequence[BillLineToMatch]) -> tuple[int, ...]:
    return tuple(line.line_no for line in lines)


def _lower_to(quantity: Decimal) -> str:
    return f"lower the quantity to {plain(quantity)}"


def plain(value: Decimal) -> str:
    """A quantity as people write it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
