"""What of a bill's lines is sent: figures that agree as QuickBooks keeps them."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.errors import Rejected
from erp.quickbooks_desktop.bill_lines import item_line, lines_of, must_be_one_line_each
from erp.quickbooks_desktop.wire import Part
from models.domain.ids import ErpId
from tests.builders.outgoing_bills import a_bill, a_bill_line


def sent(line: Part | None) -> dict[str, Decimal]:
    """The figures of a line as QuickBooks gets them."""
    assert line is not None
    return {
        one.name: Decimal(one.content)
        for one in line.content
        if isinstance(one, Part) and isinstance(one.content, str) and one.name in ("Quantity", "Cost", "Amount")
    }


@given(
    quantity=st.decimals("0.00001", "99999", places=10),
    amount=st.decimals("0.01", "9999999", places=2),
    converted=st.booleans(),
)
def test_what_is_sent_comes_to_the_amount(quantity: Decimal, amount: Decimal, converted: bool) -> None:
    """A quantity of more than five decimals goes out with five, rounded down: where the price times that is a cent off,
    the amount goes out in its place."""
    figures = {"order_quantity": quantity} if converted else {"quantity": quantity}
    line = a_bill_line(order_line=ErpId("1:2"), amount=amount, **figures)
    (only,) = lines_of(a_bill(lines=(line,), total=amount))
    figures = sent(item_line(only))
    assert figures["Quantity"] == only.quantity == round(only.quantity, 5)
    assert Decimal("-0.00000001") < quantity - figures["Quantity"] < Decimal("0.00001")
    assert ("Cost" in figures) is not ("Amount" in figures)
    total = figures.get("Amount", figures.get("Cost", Decimal(0)) * figures["Quantity"])
    assert total.quantize(Decimal("0.01"), ROUND_HALF_UP) == amount


@pytest.mark.parametrize(
    ("quantity", "amount", "figures"),
    [
        ("0.3333333333", "100000", {"Quantity": "0.33333", "Cost": "300003.00003"}),
        ("99999.3333333333", "100.01", {"Quantity": "99999.33333", "Amount": "100.01"}),
    ],
)
def test_a_quantity_without_end(quantity: str, amount: str, figures: dict[str, str]) -> None:
    """At 300,000 apiece the first would book a dollar less; no price of five decimals comes to the second."""
    line = a_bill_line(order_line=ErpId("1:2"), order_quantity=Decimal(quantity), amount=Decimal(amount))
    (only,) = lines_of(a_bill(lines=(line,), total=Decimal(amount)))
    assert sent(item_line(only)) == {name: Decimal(value) for name, value in figures.items()}


def test_a_quantity_of_which_nothing_is_left_is_refused() -> None:
    line = a_bill_line(order_line=ErpId("1:2"), order_quantity=Decimal("0.000001"), amount=Decimal(1))
    (only,) = lines_of(a_bill(lines=(line,), total=Decimal(1)))
    with pytest.raises(Rejected) as refused:
        item_line(only)
    assert refused.value.code == "VALUE_REFUSED"


def test_lines_of_one_order_line_are_one_line_with_all_descriptions() -> None:
    """QuickBooks links an order's line once per bill, in the order's sequence."""
    texts = ("by air", "by sea", "by air", "")
    lines = [a_bill_line(line_no=at, order_line=ErpId("1:2"), description=one) for at, one in enumerate(texts, 1)]
    (only,) = lines_of(a_bill(lines=tuple(lines), total=Decimal(68)))
    must_be_one_line_each([only])
    assert (only.description, only.quantity, only.amount) == ("by air; by sea", 16, 68)


@pytest.mark.parametrize("field", ["class_id", "project"])
def test_lines_of_one_order_line_with_other_dimensions_are_refused(field: str) -> None:
    """One of the two would be lost."""
    lines = [a_bill_line(line_no=at, order_line=ErpId("1:2"), **{field: one}) for at, one in ((1, "A"), (2, None))]
    with pytest.raises(Rejected) as refused:
        must_be_one_line_each(lines_of(a_bill(lines=tuple(lines), total=Decimal(34))))
    assert refused.value.code == "LINES_OF_ONE_ORDER_LINE_DIFFER"
    assert refused.value.evidence == {"lines": "1, 2", "field": field.removesuffix("_id"), "values": "A, none"}
