"""Receipts are billed first in, first out."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from matching.kernel.receipts import ReceiptLineToBill, allocate_to_receipts


def a_receipt(number, received, day=1, consumed=0, line_no=1):
    return ReceiptLineToBill(
        document_id=f"PO Receiver-{number}",
        number=number,
        received_on=date(2026, 3, day),
        line_no=line_no,
        line=f"line-{number}-{line_no}",
        received=Decimal(received),
        consumed=Decimal(consumed),
    )


def taken(quantity, *receipts):
    allocated = allocate_to_receipts(Decimal(quantity), receipts)
    return [(str(part.line), str(part.quantity)) for part in allocated.allocations], allocated.unallocated


def test_the_oldest_receipt_is_billed_first_and_by_number_on_the_same_day():
    parts, left = taken(7, a_receipt("R-10", 5), a_receipt("R-9", 4), a_receipt("R-1", 9, day=2))

    assert parts == [("line-R-9-1", "4"), ("line-R-10-1", "3")]
    assert left == 0


def test_what_is_billed_beyond_the_receipts_is_left_over():
    """S4-41: the unallocated part is what was billed beyond received."""
    parts, left = taken(10, a_receipt("R-1", 4))

    assert parts == [("line-R-1-1", "4")]
    assert left == 6


def test_what_was_billed_before_is_not_taken_again():
    """R05: one receipt of 30, billed 25 and then 5."""
    first, _ = taken(25, a_receipt("R-1", 30))
    second, left = taken(5, a_receipt("R-1", 30, consumed=25))

    assert (first, second, left) == ([("line-R-1-1", "25")], [("line-R-1-1", "5")], 0)


def test_a_receipt_billed_beyond_itself_gives_nothing():
    parts, left = taken(2, a_receipt("R-1", 3, consumed=5), a_receipt("R-2", 2))

    assert parts == [("line-R-2-1", "2")]
    assert left == 0


def test_without_receipts_nothing_is_allocated():
    assert taken(3) == ([], 3)


amounts = st.decimals(min_value="0", max_value="50", places=3)
receipts = st.lists(
    st.builds(
        a_receipt,
        number=st.sampled_from(["R-1", "R-2", "R-11"]),
        received=amounts,
        day=st.integers(1, 4),
        consumed=amounts,
        line_no=st.integers(1, 3),
    ),
    max_size=6,
)


@given(quantity=st.decimals(min_value="0.001", max_value="100", places=3), lines=receipts)
def test_nothing_is_lost_or_taken_twice(quantity, lines):
    allocated = allocate_to_receipts(quantity, lines)

    assert sum(part.quantity for part in allocated.allocations) + allocated.unallocated == quantity
    assert all(part.quantity > 0 for part in allocated.allocations)
    available = sum(max(line.received - line.consumed, Decimal(0)) for line in lines)
    assert allocated.unallocated == max(quantity - available, Decimal(0))
