"""Show the money in what was stored as it was computed (match results, events) with its currency's decimals."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from matching.kernel.exact import rounded
from models.domain.currencies import DECIMALS

AT_STAKE = "money_at_stake"
"""The one amount that is rounded: it is a product of a quantity and a price."""

AMOUNTS = frozenset(
    {
        *("amount", "total", "tax", "expected_tax", "discount", "billed_amount", "release_cap", "paid", "due"),
        # values of findings
        *("this_bill", "billed_before", "order_total", "charged_before", "goods_ordered", "off_order", "on_orders"),
        *("expected", "product", "lines", "charges"),
    }
)
"""The fields that are money wherever they are text. A quantity, a price or a share is under another name."""

BY_KIND = "billed_charges"
"""The field whose own fields are kinds of charges, each with its amount."""


def with_decimals(stored: Any) -> Any:
    """Return the same with its amounts written out: `37.5` is `37.50`. What has more decimals keeps them: it explains
    a computation."""
    if isinstance(stored, list | tuple):
        return [with_decimals(part) for part in stored]
    if not isinstance(stored, Mapping):
        return stored
    return {name: _shown(name, value) for name, value in stored.items()}


def _shown(name: str, value: Any) -> Any:
    if name == BY_KIND and isinstance(value, Mapping):
        return {kind: _written_out(amount) for kind, amount in value.items()}
    if not isinstance(value, str):
        return with_decimals(value)
    if name == AT_STAKE:
        return _rounded(value)
    return _written_out(value) if name in AMOUNTS else value


def _rounded(value: str) -> str:
    try:
        return format(rounded(Fraction(value), DECIMALS), "f")
    except (ValueError, ZeroDivisionError):
        return value


def _written_out(value: Any) -> Any:
    try:
        amount = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return value
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):  # NaN, infinity
        return value
    return f"{amount:.{max(DECIMALS, -exponent)}f}"
