"""Compute with exact numbers: decimals while their digits end, fractions if they do not (7 of a case of 12), never
floats.

Adding 7/12 and 113/12 gives exactly 10. A fraction whose digits end turns back into a decimal, so almost all arithmetic
is decimal arithmetic, which is many times faster.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import Field

Exact: TypeAlias = Annotated[Decimal | Fraction, Field(union_mode="left_to_right")]
"""An exact quantity. As text it is `2.5` or `7/12`. NaN and infinity are refused where a record is made
(`finite_number`)."""

EXACT = Context(prec=1_000, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Decimal arithmetic that raises instead of rounding: the default 28 digits would round away a tiny excess without
notice."""

ZERO = Decimal(0)

SENSIBLE = Context(prec=41, Emin=0, Emax=20, traps=[Inexact, InvalidOperation, Overflow])
"""Limits of a sensible number: below 10^21, at most 41 digits, 40 of them after the point. Any other is a typing error
or an attack, and a finding says so. For sensible numbers, no sum or product of the rules needs more digits than
`EXACT` has."""

# Bound once: they are called hundreds of times for one bill.
_sum, _difference, _product, _fitted = EXACT.add, EXACT.subtract, EXACT.multiply, SENSIBLE.plus

_ENDING = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
"""Decimal division for results whose digits end. That is nearly every division, and it is then many times faster than
fractions."""

_BITS = 70
"""The most bits of a fraction's parts: 10^20 has 67."""


def add(one: Exact, other: Exact) -> Exact:
    """Return the exact sum."""
    if type(one) is Decimal and type(other) is Decimal:
        return _sum(one, other)
    return simplest(Fraction(one) + Fraction(other))


def subtract(one: Exact, other: Exact) -> Exact:
    """Return the exact difference."""
    if type(one) is Decimal and type(other) is Decimal:
        return _difference(one, other)
    return simplest(Fraction(one) - Fraction(other))


def multiply(one: Exact, other: Exact) -> Exact:
    """Return the exact product."""
    if type(one) is Decimal:
        if type(other) is Decimal:
            return _product(one, other)
        if type(other) is Fraction:
            return divide(EXACT.multiply(one, Decimal(other.numerator)), Decimal(other.denominator))
    return simplest(Fraction(one) * Fraction(other))


def divide(one: Exact, other: Exact) -> Exact:
    """Return the exact quotient.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    if type(one) is Decimal and type(other) is Decimal and other:
        try:
            return _ENDING.divide(one, other)
        except Inexact:
            pass  # its digits do not end, or not soon: only a fraction says it
    return simplest(Fraction(one) / Fraction(other))


def size(value: Exact) -> Exact:
    """Return the number without its sign."""
    return value if value >= 0 else subtract(ZERO, value)


def total(values: Iterable[Exact]) -> Exact:
    """Return the exact sum of any number of values; zero without values."""
    sum_so_far: Exact = ZERO
    for value in values:
        if type(sum_so_far) is Decimal and type(value) is Decimal:
            sum_so_far = _sum(sum_so_far, value)
        else:
            sum_so_far = add(sum_so_far, value)
    return sum_so_far


def simplest(value: Fraction) -> Exact:
    """Return the same number, as a decimal if its digits end."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return value
    places = max(twos, fives)
    return EXACT.scaleb(Decimal(value.numerator * 10**places // value.denominator), -places)


def sensible(*values: Exact | None) -> bool:
    """Return whether all these numbers are finite and of a size and precision that a bill can have. None is no
    number, and so no wrong one."""
    try:
        for value in values:
            if isinstance(value, Decimal):
                if not _fitted(value).is_finite():
                    return False
            elif value is not None and max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
                return False
    except (Inexact, InvalidOperation, Overflow):
        return False
    return True


def rounded(value: Exact, places: int) -> Decimal:
    """Return the number rounded half up to so many places, for display and for money columns."""
    unit = Decimal(1).scaleb(-places)
    if isinstance(value, Decimal):
        return value.quantize(unit, rounding=ROUND_HALF_UP, context=Context(prec=1_000))
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places, context=EXACT)


def as_decimal(value: Exact) -> Decimal:
    """Return a decimal, for readers that take no fractions: a fraction whose digits do not end is rounded half up to
    ten places."""
    return value if isinstance(value, Decimal) else rounded(value, 10)


def plain(value: Exact) -> str:
    """Return a number as people write it, exactly: no exponent, no trailing zeros; `125/12` if digits do not end."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def shown(value: Exact) -> str:
    """Return a number for messages: as `plain` does, and for a fraction also its approximate value."""
    return plain(value) if isinstance(value, Decimal) else f"{value} (about {plain(rounded(value, 4))})"


def money(value: Exact) -> str:
    """Return an amount for messages: as `shown` does, but with cents: 1549.00, and 0.0125."""
    text = shown(value)
    if isinstance(value, Decimal):
        whole, _, part = text.partition(".")
        return f"{whole}.{part:0<2}"
    return text


def line_amount(quantity: Exact, price: Exact) -> Decimal:
    """Return the amount of a line, rounded half up to cents as invoices are: 12 at 0.001 is 0.01."""
    return rounded(multiply(quantity, price), 2)
