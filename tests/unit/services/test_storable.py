"""Which records the mirror can hold: absurd numbers are told by name, and long but sane ones come in."""

from decimal import Decimal
from typing import Any

import pytest

from models.domain.orders import PurchaseOrder
from services.sync.storable import storable
from tests.builders.records import an_order


def an_order_with(value: Decimal) -> PurchaseOrder:
    order = an_order()
    (line,) = order.lines
    return order.model_copy(update={"lines": (line.model_copy(update={"price": value}),)})


@pytest.mark.parametrize(
    "value",
    ["0", "12.50", "-3", "999999999999999999", "-99999999999999999.99", "1E-7", "1E+17", "0." + "0" * 99 + "1"],
)
def test_a_number_that_fits_comes_in(value: str) -> None:
    order = an_order_with(Decimal(value))
    assert storable([order]) == ([order], [])


@pytest.mark.parametrize(
    "value",
    [
        "1000000000000000000",
        "1E+18",
        "-1E+400",
        "1E-101",
        "0E-101",
        "0." + "0" * 100 + "1",
        "NaN",
        "NaN123",
        "Infinity",
    ],
)
def test_an_absurd_number_is_told_by_name(value: str) -> None:
    good, (bad,) = storable([an_order_with(Decimal(value)), an_order(1008)])
    assert [one.number for one in good] == ["PO-1008"]
    assert (bad.code, bad.evidence["number"]) == ("VALUE_NOT_READABLE", "PO-1007")
    assert bad.evidence["problem"] == f"line 1's price is {str(Decimal(value))[:40]}"


def test_numbers_of_the_header_are_looked_at_too() -> None:
    values: dict[str, Any] = {"total": Decimal("1E+30")}
    _, (bad,) = storable([an_order().model_copy(update=values)])
    assert bad.evidence["problem"] == "its total is 1E+30"
