"""Order numbers inside free text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.suggest.order_numbers import OrderNumbers

KNOWN = OrderNumbers(["PO-1007", "PO-1008", "PO-0012", "4500012345", "2026/17", "BE-77-A"])


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("PO 1007", "PO-1007"),
        ("P.O.#1007", "PO-1007"),
        ("po-1007", "PO-1007"),
        ("PO1007", "PO-1007"),
        ("P O 1007", "PO-1007"),
        ("P.O. No. 0001007", "PO-1007"),
        ("PO number 1007.", "PO-1007"),
        ("PO: PO-1007", "PO-1007"),
        ("Delivered on your order 1007 of 3 May", "PO-1007"),
        ("Purchase order number: PO-1007, line 3", "PO-1007"),
        ("Order #1007", "PO-1007"),
        ("po_1007", "PO-1007"),
        ("\uff30\uff2f\uff0d\uff11\uff10\uff10\uff17", "PO-1007"),
        ("POs 1007 and 1008", "PO-1007 PO-1008"),
        ("PO 1007/1008", "PO-1007 PO-1008"),
        ("PO 1007, 1008 & PO-12", "PO-1007 PO-1008 PO-0012"),
        ("PO 2026/17", "2026/17"),
        ("bolts, 4500012345", "4500012345"),
        ("be77a", "BE-77-A"),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str, orders: str) -> None:
    found = KNOWN.named_in(text)
    assert found.orders == frozenset(orders.split())
    assert found.unknown == ()


@pytest.mark.parametrize(
    "text",
    [
        "1007 bolts",
        "order 12 pieces",
        "PO Box 1007",
        "purchase order dated 1007",
        "depo 1007",
        "reorder no 1007",
        "Our ref 1007",
        "",
    ],
)
def test_a_number_is_not_an_order_by_chance(text: str) -> None:
    assert KNOWN.named_in(text) == (frozenset(), ())


def test_an_announced_number_that_is_no_known_order_is_told() -> None:
    assert KNOWN.named_in("PO 9999") == (frozenset(), ("9999",))
    assert KNOWN.named_in("PO 9999", "and PO 1007") == (frozenset({"PO-1007"}), ("9999",))


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert KNOWN.named_in(text).orders <= {"PO-1007", "PO-1008", "PO-0012", "4500012345", "2026/17", "BE-77-A"}


@given(
    marker=st.sampled_from(["PO ", "P.O. ", "po#", "PO-", "Purchase order no. ", "your order "]),
    zeros=st.integers(0, 5),
    number=st.integers(1, 99_999),
    before=st.sampled_from(["", "Delivery to ", "(", "see "]),
    after=st.sampled_from(["", ".", ")", ", thank you", " line 2"]),
)
def test_leading_zeros_never_matter(marker: str, zeros: int, number: int, before: str, after: str) -> None:
    known = OrderNumbers([f"PO-{number:06}"])
    assert known.named_in(f"{before}{marker}{'0' * zeros}{number}{after}").orders == {f"PO-{number:06}"}


@pytest.mark.parametrize("text", ["po " * 5000, "p.o." + "1-" * 5000, "po " + "a1," * 5000, "po" + " " * 9999])
def test_hostile_text_is_read_in_no_time(text: str) -> None:
    began = time.process_time()
    KNOWN.named_in(text)
    assert time.process_time() - began < 0.5
