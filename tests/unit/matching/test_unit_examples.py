"""The worked examples of units of measure, each by its id."""

from decimal import Decimal
from fractions import Fraction

import pytest

from matching.kernel.exact import add
from matching.kernel.lines import in_order_unit
from matching.kernel.units import UnitFactor
from tests.builders.matching import (
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    codes,
    of_two_way,
)

DOZEN = {"unit": "Case", "units": (UnitFactor(unit="Each", factor=Fraction(1, 12)),)}


def cases(ledger=None):
    """10 cases of 12 each, at 24.00 a case."""
    return an_order(ledger or a_ledger(10), price="24.00", line=DOZEN)


def each(quantity, price="2.00", unit="Each"):
    return a_bill(quantity, price=price, unit=unit)


def in_cases(bill, order=None):
    return in_order_unit((order or cases()).lines[0], bill.lines[0])


def test_u01_120_each_are_10_cases_at_the_same_price():
    result = of_two_way(cases(), each(120), a_policy(price=block(pct=0, direction="both")))

    assert result.outcome == "OK"
    assert in_cases(each(120)) == 10


def test_u02_two_halves_fill_the_line():
    """U02: 60 each, then 60 each."""
    half = in_cases(each(60))
    after = a_ledger(10, pending=half)

    assert half == 5
    assert of_two_way(cases(after), each(60)).outcome == "OK"
    assert a_ledger(10, pending=add(half, half)).remaining == 0


def test_u03_125_each_are_more_than_10_cases():
    result = of_two_way(cases(), each(125))

    assert (result.outcome, codes(result)) == ("BLOCK", ["QTY_OVER_CEILING"])
    assert result.findings[0].values["b"] == "125/12"
    assert "125/12 (about 10.4167) billed" in result.findings[0].message


def test_u04_7_and_113_each_are_exactly_10_cases():
    """U04: twelfths do not end as decimals; a hair too much or too little would be wrong."""
    first = in_cases(each(7))
    after = a_ledger(10, pending=first)

    assert first == Fraction(7, 12)
    assert of_two_way(cases(after), each(113)).outcome == "OK"
    assert of_two_way(cases(after), each(Decimal("113.0000001"))).outcome == "BLOCK"
    assert add(first, in_cases(each(113))) == Decimal(10)


def test_u05_a_unit_nobody_explained_is_asked_about_and_never_guessed():
    result = of_two_way(cases(), each(10, unit="box"))

    assert (result.outcome, codes(result)) == ("HOLD", ["UOM_UNKNOWN"])
    assert "enter once how much of Case one box of ITEM-1 is" in result.findings[0].fix[0]
    assert in_cases(each(10, unit="box")) is None


@pytest.mark.parametrize("unit", ["", "  ", "Case", "case", " CASE "])
def test_a_blank_unit_or_the_orders_own_needs_no_factor(unit):
    """Matching rules 3.6."""
    assert in_cases(each(3, unit=unit)) == 3


def test_a_price_is_converted_the_other_way():
    """2.10 each are 25.20 a case, 5 % above 24.00."""
    policy = a_policy(price=block(pct=5))

    assert of_two_way(cases(), each(12, price="2.10"), policy).outcome == "OK"
    (finding,) = of_two_way(cases(), each(12, price="2.11"), policy).findings
    assert finding.values["p_bill"] == "25.32"
    assert finding.money_at_stake == Decimal("1.32")


def test_a_unit_may_be_larger_than_the_orders():
    """A pallet of 40 cases on an order in cases."""
    order = an_order(a_ledger(100), line={"unit": "Case", "units": (UnitFactor(unit="Pallet", factor=Fraction(40)),)})

    assert codes(of_two_way(order, each(2, unit="pallet"))) == ["PRICE_DIFFERS"]  # to our favour
    assert of_two_way(order, each(3, unit="pallet")).outcome == "BLOCK"
