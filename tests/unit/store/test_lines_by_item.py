"""Which order lines the lines of a bill bill, where the ERP's lines name items alone."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import ErpId
from models.store.payables.lines_by_item import named_by_items

Figures = tuple[str, str, str]
"""Item, quantity and amount; of a line of ours the first is the order line's place and item, `1A`."""


def _ours(place: str, quantity: str, amount: str) -> Any:
    return SimpleNamespace(
        purchase_order_id="po",
        order_line=f"PO:{place[0]}",
        order_line_no=int(place[0]),
        item_id=place[1],
        quantity=Decimal(quantity),
        billed_quantity=None,
        amount=Decimal(amount),
    )


def _theirs(lines: list[Figures]) -> ErpBill:
    return ErpBill(
        erp_id=ErpId("1"), number="I", vendor_id="V", bill_date=date(2026, 3, 1), currency="USD", total=Decimal(1),
        paid=Decimal(0), due=Decimal(1), state="Open", revision="1", items_name_order_lines=True,
        lines=tuple(
            ErpBillLine(line_no=place, item_id=item or None, quantity=Decimal(quantity), amount=Decimal(amount))
            for place, (item, quantity, amount) in enumerate(lines, 1)
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "named"),
    [
        pytest.param([("1A", "4", "50")], [("A", "4", "52")], [("PO:1", "4", "52")], id="another price"),
        pytest.param([("1A", "4", "50")], [("A", "3", "37.50")], [("PO:1", "3", "37.50")], id="fewer"),
        pytest.param(
            [("1A", "0.3333333333", "50")], [("A", "0.33333", "50")], [("PO:1", "0.3333333333", "50")], id="rounded"
        ),
        pytest.param(
            [("1A", "0.3333333333", "50")],
            [("A", "0.33333", "60")],
            [("PO:1", "0.3333333333", "60")],
            id="rounded, at another price",
        ),
        pytest.param(
            [("2A", "1", "10"), ("1A", "2", "20")],
            [("A", "2", "20"), ("A", "1", "11")],
            [("PO:1", "2", "20"), ("PO:2", "1", "11")],
            id="an item twice, in the order's sequence",
        ),
        pytest.param(
            [("1A", "1", "10"), ("2A", "2", "20")], [("A", "2", "20")], [("", "2", "20")], id="which one is gone?"
        ),
        pytest.param(
            [("1A", "1", "10"), ("2B", "2", "20")], [("B", "2", "20")], [("PO:2", "2", "20")], id="one item is gone"
        ),
        pytest.param(
            [("1A", "1", "10")],
            [("A", "1", "10"), ("A", "5", "1"), ("Z", "1", "9")],
            [("PO:1", "1", "10"), ("", "5", "1"), ("", "1", "9")],
            id="more than was sent",
        ),
        pytest.param(
            [("1A", "1", "10"), ("1A", "2", "22")],
            [("A", "3", "32")],
            [("PO:1", "1", "10"), ("PO:1", "2", "22")],
            id="two of ours went out as one",
        ),
        pytest.param(
            [("1A", "1", "10"), ("1A", "2", "22")], [("A", "3", "33")], [("PO:1", "3", "33")], id="and were changed"
        ),
        pytest.param([("1A", "4", "50")], [("", "0", "5")], [("", "0", "5")], id="an account"),
    ],
)
def test_lines_are_named_by_their_items(ours: list[Figures], theirs: list[Figures], named: list[Figures]) -> None:
    """Issue 12: a line of QuickBooks Desktop does not tell which order line it came from; our own mapping does."""
    lines = named_by_items([_ours(*one) for one in ours], _theirs(theirs)).lines
    assert [(line.order_line or "", line.quantity, line.amount) for line in lines] == [
        (order_line, Decimal(quantity), Decimal(amount)) for order_line, quantity, amount in named
    ]
