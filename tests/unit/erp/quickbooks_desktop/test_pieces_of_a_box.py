"""Boxes that are billed by the piece: never more than was ordered, and the last piece fills the order (A2).

Real: the connector, and the sandbox's company file with its ledger. The journal answers at once.
"""

import asyncio
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.errors import Rejected
from models.domain.bills import BillLineSource, BillLineToPush, BillToPush
from models.domain.orders import PurchaseOrder
from sandbox.quickbooks_desktop.switches import UNKIND
from tests.conformance.desktop_books import BOOKED, check_books
from tests.conformance.erp_harness import a_bill_for, all_orders
from tests.unit.erp.quickbooks_desktop.company_file import connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

STORED_PLACES = 10


def bill_of(order: PurchaseOrder, key: str, pieces: int, in_a_box: int) -> BillToPush:
    """A bill of so many pieces at 1.00, as they are worked out for an order in boxes: rounded down."""
    exact = Fraction(pieces, in_a_box)
    boxes = Decimal(exact.numerator * 10**STORED_PLACES // exact.denominator).scaleb(-STORED_PLACES)
    (line,) = order.lines
    sent = BillLineToPush(
        line_no=1,
        item_id=line.item_id,
        description="",
        quantity=Decimal(pieces),
        unit="Each",
        price=Decimal(1),
        amount=Decimal(pieces),
        order_quantity=boxes,
        order_unit="Box",
        order_line=line.erp_id,
        source=BillLineSource(document_id=order.document_id, line=line.erp_id),
    )
    return a_bill_for(order, key).model_copy(update={"lines": (sent,), "total": Decimal(pieces)})


async def bill_all(pieces: list[int], in_a_box: int, *, enhanced: bool, received: bool, unkind: bool) -> None:
    pc = Pc()
    boxes = sum(pieces) // in_a_box
    await pc.switch(**(UNKIND if unkind else {}))
    await pc.order("PO-1", str(boxes), price=str(in_a_box))
    if enhanced:
        await pc.does("enable_enhanced_receiving")
    if received:
        await pc.does("receive", number="PO-1", receipt_number="R-1")
    for no, some in enumerate(pieces, 1):
        connector, _ = connected(pc, enhanced=enhanced, replace_item_receipts="true")
        bill = bill_of((await all_orders(connector))["PO-1"], f"PSB-{no}", some, in_a_box)
        created = await connector.bills.create(bill)
        back = await connector.bills.read_back(bill, created)
        assert (back.differences, back.linked, back.total) == ((), True, some)
    if not enhanced:
        check_books({kind: await pc.held(kind) for kind in BOOKED})
    held = await pc.held("bills")
    assert sum(Decimal(line["quantity"]) for one in held for line in one["lines"]) == boxes
    connector, _ = connected(pc, enhanced=enhanced, replace_item_receipts="true")
    order = (await all_orders(connector))["PO-1"]
    assert order.lines[0].billed == boxes
    assert order.erp_status == "Received in full" or (enhanced and not received)
    assert (await pc.held("receipts") == []) is not (enhanced and received)
    ledger = {key: Decimal(amount) for key, amount in (await pc.ledger()).items()}
    assert ledger["payable", "V-1"] == sum(pieces)
    if not enhanced:
        assert ledger["stock", "ITEM-1"] == boxes
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill_of(order, "PSB-over", 1, in_a_box))
    assert refused.value.code == "ALREADY_CONVERTED"


WAYS: list[dict[str, Any]] = [
    {"enhanced": False, "received": False},
    {"enhanced": False, "received": True},
    {"enhanced": True, "received": True},
    {"enhanced": True, "received": False},
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("pieces", "in_a_box"), [([1] * 12, 12), ([8, 8, 8], 12), ([4, 116], 12), ([2, 1], 3), ([1, 1, 62], 64)]
)
async def test_all_pieces_fill_the_order(pieces: list[int], in_a_box: int, way: dict[str, Any]) -> None:
    """A2: thrice 8 of 12 are two boxes, not 2.00001, more than was ordered; twelve times 0.08333 are one. 62 of 64 are
    0.96875, and 0.96876 behind two that were rounded."""
    await bill_all(pieces, in_a_box, unkind=False, **way)


@settings(max_examples=15, deadline=None, database=None)
@given(
    pieces=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    in_a_box=st.integers(1, 144),
    way=st.sampled_from(WAYS[:3]),
    unkind=st.booleans(),
)
def test_in_any_parts(pieces: list[int], in_a_box: int, way: dict[str, Any], unkind: bool) -> None:
    rest = -sum(pieces) % in_a_box
    asyncio.run(bill_all([*pieces, *([rest] if rest else [])], in_a_box, unkind=unkind and not way["enhanced"], **way))
