"""Which document in the ERP a bill line is converted from."""

from datetime import date
from decimal import Decimal

from matching.kernel.receipts import ReceiptLineToBill
from matching.rules.sources import Source, check_in_use, check_sources, choose_sources
from tests.builders.matching import (
    a_bill,
    a_ledger,
    an_order,
)

ORDER = "Purchase Order-PO-1007"


def a_receipt_line(document, received, consumed=0, line="1", day=1):
    return ReceiptLineToBill(
        document_id=document,
        number=document,
        received_on=date(2026, 3, day),
        line_no=1,
        line=f"{document}/{line}",
        received=Decimal(received),
        consumed=Decimal(consumed),
    )


def chosen(bill, *receipts_per_line):
    order = an_order(*[a_ledger(100)] * len(receipts_per_line), document_id=ORDER)
    lines = tuple(
        line.model_copy(update={"erp_id": f"order/{line.line_no}", "receipts": tuple(receipts)})
        for line, receipts in zip(order.lines, receipts_per_line, strict=True)
    )
    return choose_sources([order.model_copy(update={"lines": lines})], bill)


def test_an_order_without_receipts_is_converted_itself():
    assert chosen(a_bill(3), []) == {1: (Source(ORDER, "order/1", Decimal(3)),)}


def test_a_received_quantity_is_converted_from_its_receipt():
    assert chosen(a_bill(3), [a_receipt_line("R-1", 5)]) == {1: (Source("R-1", "R-1/1", Decimal(3)),)}


def test_what_the_receipts_do_not_cover_comes_from_the_order():
    """S4-41: billed beyond received."""
    sources = chosen(a_bill(6), [a_receipt_line("R-2", 1, day=2), a_receipt_line("R-1", 4, consumed=1)])

    assert sources[1] == (
        Source("R-1", "R-1/1", Decimal(3)),
        Source("R-2", "R-2/1", Decimal(1)),
        Source(ORDER, "order/1", Decimal(2)),
    )


def test_two_bill_lines_on_one_order_line_do_not_take_the_same_receipt_twice():
    sources = chosen(a_bill(3, 3), [a_receipt_line("R-1", 4)])

    assert sources[1] == (Source("R-1", "R-1/1", Decimal(3)),)
    assert sources[2] == (Source("R-1", "R-1/1", Decimal(1)), Source(ORDER, "order/1", Decimal(2)))


def test_several_lines_from_one_document_need_no_permission():
    sources = chosen(a_bill((1, 3), (2, 1)), [a_receipt_line("R-1", 5)], [a_receipt_line("R-1", 5, line="2")])

    assert check_sources(sources, several_allowed=False) == ()


def test_a_bill_from_several_documents_is_refused_with_the_split_that_works():
    """Field note U-22: better told before saving than refused by the ERP after it."""
    sources = chosen(a_bill(6), [a_receipt_line("R-1", 4)])

    (finding,) = check_sources(sources, several_allowed=False)
    assert (finding.code, finding.severity) == ("SEVERAL_SOURCES", "BLOCK")
    assert finding.fix[0] == "bill line 1: 4 from R-1 on a bill of its own"
    assert finding.fix[1] == f"bill line 1: 2 from {ORDER} on a bill of its own"
    assert check_sources(sources, several_allowed=True) == ()


def test_a_document_that_a_draft_is_made_of_holds_the_bills_that_need_it():
    """W4, B10: Intacct makes nothing else of it; a bill of another source is not concerned."""
    in_use = a_receipt_line("R-1", 4).model_copy(update={"in_use": "a draft"})
    order = an_order(a_ledger(100), document_id=ORDER, in_use="bill INV-1, a draft until it is approved,")
    (line,) = order.lines
    order = order.model_copy(update={"lines": (line.model_copy(update={"erp_id": "order/1", "receipts": (in_use,)}),)})

    def held(quantity):
        return [finding.values["document"] for finding in check_in_use([order], choose_sources([order], quantity))]

    assert held(a_bill(4)) == ["R-1"]
    assert sorted(held(a_bill(5))) == [ORDER, "R-1"]
    (finding,) = check_in_use([order], {1: (Source(ORDER, "order/1", Decimal(1)),)})
    assert (finding.code, finding.severity) == ("SOURCE_IN_USE", "HOLD")
    assert finding.message.startswith("In the accounting system bill INV-1, a draft until it is approved, is made of")
