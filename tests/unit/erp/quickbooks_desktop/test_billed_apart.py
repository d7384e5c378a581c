"""What bills took of an order where receipts are kept apart, whichever rest QuickBooks counts as not billed."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from erp.errors import Rejected
from erp.quickbooks_desktop.billed_apart import billed, bills_needed
from tests.conformance.erp_harness import a_bill_for, all_orders, push
from tests.unit.erp.quickbooks_desktop.company_file import connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

ITEMS = ("A", "B")


class Line(NamedTuple):
    """A line of an order, with what came of it and what linked bills took of it."""

    item: str
    ordered: int
    received: int
    billed: int


def an_order(lines: Sequence[Line], *, of_received: bool, kinds: Sequence[str] = ("Bill",)) -> etree._Element:
    """An order as QuickBooks shows it, in one of the two readings."""
    rows = ""
    for place, line in enumerate(lines):
        rest = max((line.received if of_received else line.ordered) - line.billed, 0)
        is_billed = str(line.billed >= line.ordered).lower()
        rows += (
            f"<PurchaseOrderLineRet><TxnLineID>L{place}</TxnLineID><ItemRef><ListID>{line.item}</ListID></ItemRef>"
            f"<Quantity>{line.ordered}</Quantity><ReceivedQuantity>{line.received}</ReceivedQuantity>"
            f"<UnbilledQuantity>{rest}</UnbilledQuantity><IsBilled>{is_billed}</IsBilled>"
            "</PurchaseOrderLineRet>"
        )
    links = "".join(
        f"<LinkedTxn><TxnID>B{place}</TxnID><TxnType>{kind}</TxnType></LinkedTxn>" for place, kind in enumerate(kinds)
    )
    return etree.fromstring(f"<PurchaseOrderRet><TxnID>1</TxnID>{links}{rows}</PurchaseOrderRet>")


def a_bill(lines: Sequence[Line], place: int = 0, *, besides: int = 0, unit: str = "") -> etree._Element:
    """A bill that takes of each line what is billed of it, and so many more of each item for something else."""
    rows = "".join(
        f"<ItemLineRet><ItemRef><ListID>{item}</ListID></ItemRef><Quantity>{quantity}</Quantity>{unit}</ItemLineRet>"
        for item, quantity in (*((one.item, one.billed) for one in lines), *((one, besides) for one in ITEMS))
        if quantity
    )
    return etree.fromstring(f"<BillRet><TxnID>B{place}</TxnID>{rows}</BillRet>")


@st.composite
def a_line(draw: st.DrawFn) -> Line:
    ordered = draw(st.integers(1, 12))
    return Line(draw(st.sampled_from(ITEMS)), ordered, draw(st.integers(0, ordered + 2)), draw(st.integers(0, ordered)))


@given(
    lines=st.lists(a_line(), min_size=1, max_size=4),
    of_received=st.booleans(),
    besides=st.integers(0, 5),
    at_hand=st.booleans(),
)
def test_never_less_than_is_billed(lines: list[Line], of_received: bool, besides: int, at_hand: bool) -> None:
    """Issue 12: a bill is refused rather than counted twice, whatever else stands on the bills, and without them."""
    order = an_order(lines, of_received=of_received)
    bills = [a_bill(lines, besides=besides)] if at_hand else []
    known = billed(order, bills)
    for place, line in enumerate(lines):
        assert known[f"L{place}"] >= line.billed


@given(lines=st.lists(a_line(), min_size=1, max_size=2, unique_by=lambda one: one.item), of_received=st.booleans())
def test_exactly_what_is_billed_where_bills_are_for_this_order_alone(lines: list[Line], of_received: bool) -> None:
    """Issue 12: one line of each item, and bills that hold nothing else: QuickBooks tells, in both readings."""
    order = an_order(lines, of_received=of_received)
    bills = [a_bill(lines)] if bills_needed(order) else []
    assert list(billed(order, bills).values()) == [line.billed for line in lines]


@given(line=a_line(), of_received=st.booleans())
def test_an_order_that_tells_needs_no_bills(line: Line, of_received: bool) -> None:
    order = an_order([line], of_received=of_received)
    if not bills_needed(order):
        assert billed(order) == {"L0": line.billed}


def test_what_cannot_be_told_counts_as_the_larger() -> None:
    """A check whose lines are not read, a bill in another unit, one that is not shown."""
    line = Line("A", 10, 4, 2)
    for kinds, bills in (
        (("Check",), []),
        (("Bill", "CreditCardCharge"), [a_bill([line])]),
        (("Bill",), []),
        (("Bill",), [a_bill([line], unit="<UnitOfMeasure>Box</UnitOfMeasure>")]),
    ):
        assert billed(an_order([line], of_received=True, kinds=kinds), bills) == {"L0": 8}
    assert bills_needed(an_order([line], of_received=True, kinds=("Bill", "Check"))) == []
    assert billed(an_order([line], of_received=True, kinds=())) == {"L0": 0}


def test_a_line_that_says_nothing_is_billed_as_far_as_its_bills_may_be_for_it() -> None:
    """Issue 12: neither UnbilledQuantity nor IsBilled: a bill is refused rather than counted twice."""
    lines = [Line("A", 10, 4, 2), Line("B", 5, 0, 0)]
    order = an_order(lines, of_received=False)
    for row in order.iterfind("PurchaseOrderLineRet"):
        for name in ("UnbilledQuantity", "IsBilled"):
            element = row.find(name)
            assert element is not None
            row.remove(element)
    assert bills_needed(order) == ["B0"]
    assert billed(order, [a_bill(lines)]) == {"L0": 2, "L1": 0}
    assert billed(order) == {"L0": 10, "L1": 5}


ORDER = "PO-1022"
"""One line of three hundred."""


@pytest.mark.parametrize("counted", ["of_ordered", "of_received"])
@pytest.mark.parametrize(("received", "taken"), [(40, 20), (40, 40), (20, 40), (0, 30), (300, 30)])
async def test_what_is_left_may_be_billed_and_no_more(counted: str, received: int, taken: int) -> None:
    """Issue 12: enhanced receiving, an order partly received and partly billed by a person: the mirror shows what is
    billed, our bill of all the rest goes out, and one more is refused."""
    pc = Pc()
    await pc.switch(unbilled_quantity=counted)
    await pc.room("/companies/quickbooks_desktop/sample")
    await pc.does("enable_enhanced_receiving")
    pc.open()
    if received:
        await pc.does("receive", number=ORDER, lines=[{"line": 1, "quantity": str(received)}])
    await pc.does("bill", number=ORDER, invoice_number="BY-HAND", lines=[{"line": 1, "quantity": str(taken)}])
    connector, _ = connected(pc, enhanced=True)
    order = (await all_orders(connector))[ORDER]
    ordered = order.lines[0].quantity
    assert order.lines[0].billed == taken
    assert (await connector.orders.read(order.erp_id)).purchase_order.lines[0].billed == taken
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(a_bill_for(order, "PSB-1", ordered - taken + 1))
    assert refused.value.code == "MORE_THAN_ORDERED"
    pushed = await push(connector, a_bill_for(order, "PSB-2", ordered - taken))
    assert pushed.linked
    assert pushed.snapshot is not None
    assert pushed.snapshot.purchase_order.lines[0].billed == ordered
