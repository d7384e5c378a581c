"""Quantities without an end in the order's unit: never more than the box, and the last part fills it (A2)."""

from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.quantities import filling, is_same

KEPT = Decimal("0.00000001")


def rounded(exact: Fraction) -> Decimal:
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(KEPT, ROUND_DOWN)


@given(pieces=st.lists(st.integers(1, 40), min_size=1, max_size=60), in_a_box=st.integers(1, 144))
def test_all_pieces_of_all_boxes_fill_the_order(pieces: list[int], in_a_box: int) -> None:
    """A2: one by one or in any parts."""
    pieces = [*pieces, -sum(pieces) % in_a_box]
    ordered = Decimal(sum(pieces)) / in_a_box
    billed = Decimal(0)
    for some in filter(None, pieces):
        sent = filling(rounded(Fraction(some, in_a_box)), ordered - billed)
        billed += sent
        assert billed <= ordered
        assert is_same(rounded(Fraction(some, in_a_box)), sent, rounded=True)
    assert billed == ordered


@pytest.mark.parametrize(("left", "sent"), [("5", "4"), ("4.01", "4"), ("4", "4"), ("3.9", "4"), (None, "4")])
def test_a_real_rest_is_left(left: str | None, sent: str) -> None:
    assert filling(Decimal(4), None if left is None else Decimal(left)) == Decimal(sent)


def test_another_quantity_is_another_one() -> None:
    assert not is_same(Decimal("0.33333333"), Decimal("0.33333334"), rounded=False)
    assert not is_same(Decimal("0.33333333"), Decimal("0.34"), rounded=True)
