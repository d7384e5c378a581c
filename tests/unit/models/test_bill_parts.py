"""Dividing a bill and its payments over its parts: to the cent, and nothing twice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.bill_parts import (
    PartOrder,
    carries_the_rest,
    divided,
    number_behind,
    part_key,
    part_of,
    shares_of_payment,
    sources_of,
)
from models.domain.bills import AccountLineToPush, BillLineSource, ChargeKind, ChargeToPush
from models.domain.ids import DocumentId, ErpId, ExternalKey
from tests.builders.outgoing_bills import a_bill, a_bill_line

FIRST, SECOND = DocumentId("PO Receiver-R-1"), DocumentId("PO Receiver-R-2")
ORDER = PartOrder(document_id=DocumentId("Purchase Order-PO-1"), number="PO-1", owner_entity="100")
cents = st.decimals("0.01", "99999.99", places=2)


def a_line(source: DocumentId, amount: str, **changed: object) -> object:
    where = BillLineSource(document_id=source, line=ErpId("1"))
    return a_bill_line(source=where, amount=Decimal(amount), **changed)


def test_the_parts_add_up_and_the_rest_goes_on_the_larger_one() -> None:
    charges = (
        ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal("3.00")),
        ChargeToPush(kind=ChargeKind.DISCOUNT, amount=Decimal("-40.00")),
    )
    off_order = AccountLineToPush(line_no=4, account="6600", amount=Decimal("1.00"))
    bill = a_bill(
        lines=(a_line(FIRST, "20.00"), a_line(SECOND, "50.00", line_no=2), a_line(FIRST, "10.00", line_no=3)),
        account_lines=(off_order,),
        charges=charges,
        total=Decimal("44.00"),
    )
    assert sources_of(bill.lines) == (FIRST, SECOND)
    assert carries_the_rest(bill) == SECOND
    first, second = (
        part_of(bill, source, key=part_key(bill.external_key, no), number=bill.number, order=ORDER)
        for no, source in enumerate(sources_of(bill.lines), start=1)
    )
    assert [(line.line_no, line.amount) for line in first.lines] == [(1, 20), (2, 10)]
    assert (first.charges, first.account_lines, first.total) == ((), (), 30)
    assert (second.charges, second.account_lines, second.total) == (charges, (off_order,), 14)
    assert first.total + second.total == bill.total
    assert [first.external_key, second.external_key] == ["b-0001-P1", "b-0001-P2"]


@given(amount=cents, quantities=st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_a_divided_line_adds_up(amount: Decimal, quantities: list[int]) -> None:
    parts = [Decimal(quantity) for quantity in quantities]
    shares = divided(amount, sum(parts, Decimal(0)), parts)
    assert sum(shares) == amount
    assert all(share == share.quantize(Decimal("0.01")) for share in shares)


@given(due=st.lists(cents, min_size=1, max_size=6), data=st.data())
def test_a_payment_pays_no_part_more_than_is_due(due: list[Decimal], data: st.DataObject) -> None:
    by_part = {f"p{place}": amount for place, amount in enumerate(due)}
    amount = data.draw(st.decimals("0.01", sum(due), places=2))
    shares = shares_of_payment(amount, by_part)
    assert sum(shares.values()) == amount
    assert all(0 < share <= by_part[name] for name, share in shares.items())


def test_a_payment_of_all_names_every_part_that_has_something_due() -> None:
    due = {"one": Decimal("50.00"), "two": Decimal(0), "three": Decimal("25.00")}
    assert shares_of_payment(Decimal("75.00"), due) == {"one": Decimal("50.00"), "three": Decimal("25.00")}
    with pytest.raises(ValueError, match="more than"):
        shares_of_payment(Decimal("75.01"), due)


def test_the_number_behind_the_supplier_s_fits_what_the_erp_keeps() -> None:
    assert number_behind("INV-7", 3) == "INV-7-3"
    assert number_behind("A" * 21, 2, longest=21) == "A" * 19 + "-2"
    assert part_key(ExternalKey("PSB-1"), 2, times_remade=1) == "PSB-1-P2R"
