"""Refuse a credit of more than was billed: of an order's line in quantity, of a bill or an order in money (R09)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from matching.kernel.exact import ZERO, Exact


class CreditLineToMatch(NamedTuple):
    """A line of a credit as it is asked for; the amount is above zero."""

    line_no: int
    order_line: tuple[str, int] | None
    """The order and the number of its line."""
    quantity: Decimal | None
    amount: Decimal


class Creditable(NamedTuple):
    """What may be credited, with credits taken off that are on their way."""

    quantities: Mapping[tuple[str, int], Exact]
    """By order line: what is billed of it and not credited yet, in its unit."""
    amount: Decimal | None
    """What was billed by the bill, or of the order, and not credited yet; None: the credit is against neither."""


class OverCredit(NamedTuple):
    """A limit that a credit exceeds."""

    line_no: int | None
    asked: Exact
    limit: Exact
    message: str


def over_credits(lines: Sequence[CreditLineToMatch], creditable: Creditable) -> list[OverCredit]:
    """Return what of a credit is more than was billed; exactly as much is allowed."""
    over: list[OverCredit] = []
    asked: dict[tuple[str, int], Decimal] = {}
    for line in lines:
        if line.order_line is None or line.quantity is None:
            continue
        asked[line.order_line] = asked.get(line.order_line, ZERO) + line.quantity
        limit = max(creditable.quantities.get(line.order_line, ZERO), ZERO)
        if asked[line.order_line] > limit:
            number = line.order_line[1]
            over.append(
                OverCredit(
                    line.line_no,
                    asked[line.order_line],
                    limit,
                    f"Line {line.line_no} credits {asked[line.order_line]} of order line {number}, of which {limit} is"
                    " billed and not credited.",
                )
            )
    total = sum((line.amount for line in lines), ZERO)
    if creditable.amount is not None and total > max(creditable.amount, ZERO):
        limit = max(creditable.amount, ZERO)
        over.append(OverCredit(None, total, limit, f"The credit comes to {total}; {limit} is billed and not credited."))
    return over
