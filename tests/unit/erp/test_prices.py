"""The unit price that a bill line is sent with (A1, S5-147, ruling G12)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.errors import Rejected
from erp.prices import unit_price

CENT = Decimal("0.01")


@pytest.mark.parametrize(
    ("amount", "quantity", "own", "price"),
    [
        ("33.33", "0.3333", "99.99", "99.99"),
        ("1.00", "3", "0.333333", "0.333333"),
        ("2.68", "1", "2.675", "2.675"),
        ("-25.00", "1", "-25.00", "-25.00"),
        ("17.00", "4", None, "4.25"),
        ("100.00", "3", None, "33.3333333333"),
        ("0.01", "1000", None, "0.00001"),
        ("90.00", "1", "100.00", "90.00"),  # a price that does not come to the amount
        ("33.33", "1", "33.3333333333333", "33.33"),  # more decimals than the ERP keeps
    ],
)
def test_the_price_that_was_written_or_the_one_that_gives_the_amount(
    amount: str, quantity: str, own: str | None, price: str
) -> None:
    """A1: the bill's own price as given; where it must be derived, amount / quantity at the ERP's precision."""
    written = None if own is None else Decimal(own)
    assert unit_price(Decimal(amount), Decimal(quantity), written, decimals=10) == Decimal(price)


@given(st.decimals("0.01", "999999.99", places=2), st.decimals("0.001", "99999", places=3))
def test_every_price_gives_its_amount_back_to_the_cent(amount: Decimal, quantity: Decimal) -> None:
    """Ruling G12, over all sizes."""
    assert (unit_price(amount, quantity, None, decimals=10) * quantity).quantize(CENT) == amount


def test_no_price_without_a_quantity() -> None:
    """Nothing is divided by zero."""
    with pytest.raises(Rejected):
        unit_price(Decimal(1), Decimal(0), None, decimals=10)
