"""Exact numbers: decimals as long as they end, fractions where they do not (7 of a case of 12), never floats.

Adding 7/12 and 113/12 gives exactly 10 (U04). A fraction that ends turns back into a decimal, so that almost all
arithmetic is decimal arithmetic, which is many times faster.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import Field

Exact: TypeAlias = Annotated[Decimal | Fraction, Field(union_mode="left_to_right")]
"""A quantity. As text `2.5` or `7/12`. NaN and infinity are refused where a record is made (`finite_number`)."""

EXACT = Context(prec=1_000, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic that raises rather than rounds: the default 28 digits would round away a tiny excess unseen."""

ZERO = Decimal(0)

SENSIBLE = Context(prec=41, Emin=0, Emax=20, traps=[Inexact, InvalidOperation, Overflow])
"""Numbers below 10^21 with at most 41 digits, 40 of them after the point; others are a slip or an attack, and are told
so. Among these no sum or product of the rules needs more than the digits of `EXACT`."""

_ENDING = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
"""Division where the digits end, which is nearly always and then many times faster than fractions."""

_BITS = 70
"""Of a fraction's parts: 10^20 has 67."""


def add(one: Exact, other: Exact) -> Exact:
    """The exact sum."""
    if type(one) is Decimal and type(other) is Decimal:
        return EXACT.add(one, other)
    return simplest(Fraction(one) + Fraction(other))


def subtract(one: Exact, other: Exact) -> Exact:
    """The exact difference."""
    if type(one) is Decimal and type(other) is Decimal:
        return EXACT.subtract(one, other)
    return simplest(Fraction(one) - Fraction(other))


def multiply(one: Exact, other: Exact) -> Exact:
    """The exact product."""
    if type(one) is Decimal:
        if type(other) is Decimal:
            return EXACT.multiply(one, other)
        if type(other) is Fraction:
            return divide(EXACT.multiply(one, Decimal(other.numerator)), Decimal(other.denominator))
    return simplest(Fraction(one) * Fraction(other))


def divide(one: Exact, other: Exact) -> Exact:
    """The exact quotient. Raises ZeroDivisionError."""
    if type(one) is Decimal and type(other) is Decimal and other:
        try:
            return _ENDING.divide(one, other)
        except Inexact:
            pass  # its digits do not end, or not soon: only a fraction says it
    return simplest(Fraction(one) / Fraction(other))


def size(value: Exact) -> Exact:
    """The number without its sign."""
    return value if value >= 0 else subtract(ZERO, value)


def total(values: Iterable[Exact]) -> Exact:
    """The exact sum of any number of values; of none, zero."""
    sum_so_far: Exact = ZERO
    for value in values:
        sum_so_far = add(sum_so_far, value)
    return sum_so_far


def simplest(value: Fraction) -> Exact:
    """The same number, as a decimal if its digits end."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return value
    places = max(twos, fives)
    return EXACT.scaleb(Decimal(value.numerator * 10**places // value.denominator), -places)


def sensible(value: Exact) -> bool:
    """Whether a number is finite and of a size and precision that a bill can have."""
    if isinstance(value, Decimal):
        try:
            return SENSIBLE.plus(value).is_finite()
        except (Inexact, InvalidOperation, Overflow):
            return False
    return value.numerator.bit_length() <= _BITS and value.denominator.bit_length() <= _BITS


def rounded(value: Exact, places: int) -> Decimal:
    """For display and for money columns: half up, as people round."""
    unit = Decimal(1).scaleb(-places)
    if isinstance(value, Decimal):
        return value.quantize(unit, rounding=ROUND_HALF_UP, context=Context(prec=1_000))
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places, context=EXACT)


def as_decimal(value: Exact) -> Decimal:
    """For readers who take decimals only: a fraction whose digits do not end is cut to ten places, half up."""
    return value if isinstance(value, Decimal) else rounded(value, 10)


def plain(value: Exact) -> str:
    """A number as people write it, exactly: no exponent, no trailing zeros; `125/12` where the digits do not end."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def shown(value: Exact) -> str:
    """For messages: as `plain`, with about how much it is where that is a fraction."""
    return plain(value) if isinstance(value, Decimal) else f"{value} (about {plain(rounded(value, 4))})"


def money(value: Exact) -> str:
    """For messages: as `shown`, with cents, as people write money: 1549.00, but 0.0125."""
    text = shown(value)
    if isinstance(value, Decimal):
        whole, _, part = text.partition(".")
        return f"{whole}.{part:0<2}"
    return text


def line_amount(quantity: Exact, price: Exact) -> Decimal:
    """What a line comes to, rounded half up to cents as invoices are: 12 at 0.001 is 0.01 (P15)."""
    return rounded(multiply(quantity, price), 2)
