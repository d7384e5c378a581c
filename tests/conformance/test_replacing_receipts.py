"""A bill in the place of an item receipt, through the door: whatever dies between its writes, nothing is lost."""

from decimal import Decimal
from typing import Any

import pytest

from erp.errors import OutcomeUnknown, Rejected
from tests.conformance.desktop_books import BOOKED, check_books
from tests.conformance.erp_harness import ErpHarness, a_bill_for, the_order

pytestmark = pytest.mark.trait("polled")

RECEIVED = "PO-1016"
WRITES = ("TxnDel", "BillAdd", "ItemReceiptAdd")


@pytest.mark.parametrize("kind", ["lost_answer", "lost_request"])
@pytest.mark.parametrize("write", WRITES)
async def test_nothing_is_lost_whatever_dies_between(harness: ErpHarness, write: str, kind: str) -> None:
    """Issue 12: each step is journalled; a crash between them is repaired before anything else, by whoever goes on."""
    first = harness.connect(preferences={"replace_item_receipts": "true"})
    bill = a_bill_for(await the_order(first, RECEIVED), "in-place-1", Decimal(5))
    before = harness.held("ledger")
    harness.fault(kind, write)
    created = None
    for _ in range(4):
        # Another process goes on each time, as after a crash.
        connector = harness.connect(preferences={"replace_item_receipts": "true"})
        try:
            created = await connector.bills.find(bill) or await connector.bills.create(bill)
            break
        except OutcomeUnknown:
            continue
    assert created is not None
    assert (await harness.connect().bills.read_back(bill, created)).linked
    assert harness.held("ledger") == before
    assert [one.document_id for one in harness.bills_with("in-place-1")] == [created]


async def test_a_refused_bill_leaves_the_receipt(harness: ErpHarness) -> None:
    """The receipt is there again before anybody learns of the refusal."""
    connector = harness.connect(preferences={"replace_item_receipts": "true"})
    bill = a_bill_for(await the_order(connector, RECEIVED), "in-place-2", Decimal(5))
    before = harness.held("ledger")
    harness.fault("permission_denied", "BillAdd")
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "PERMISSION_DENIED"
    assert harness.held("ledger") == before


async def test_a_bill_of_a_line_partly_received_is_held(harness: ErpHarness) -> None:
    """Issue 12: four of twelve were received, and four are billed: those four, so it would count them twice."""
    connector = harness.connect()
    order = await the_order(connector, "PO-1018")
    harness.person("receive", number="PO-1018", receipt_number="R-3018", lines=[{"line": 1, "quantity": "4"}])
    before = harness.held("ledger")
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(a_bill_for(order, "beside-1", Decimal(4)))
    assert refused.value.code == "RECEIVED_BY_ITEM_RECEIPT"
    assert refused.value.evidence["item_receipts"].startswith("R-3018 of ")
    assert harness.held("ledger") == before
    other = a_bill_for(order, "beside-2", Decimal(3), 2)
    amount = other.lines[1].amount
    other = other.model_copy(update={"lines": other.lines[1:], "total": amount})
    created = await connector.bills.create(other)  # nothing was received of the second line
    assert (await connector.bills.read_back(other, created)).linked
    harness.check_books()


def test_the_books_of_a_doubled_bill_do_not_agree() -> None:
    """The check at the end of every case can fail."""
    line = {"item_id": "A", "quantity": "10", "order_doc": "1", "order_line": "1-1"}
    bill: dict[str, Any] = {
        "vendor_id": "V", "txn_number": 7, "total": "50.00",
        "voided": False, "memo": "[posync PSB-1]", "lines": [line], "number": "I-1",
    }  # fmt: skip
    order = {"record_no": "1", "number": "PO", "lines": [{"line": "1-1", "line_no": 1, "quantity": "10"}]}
    held: dict[str, list[dict[str, Any]]] = {kind: [] for kind in BOOKED}
    held |= {"items": [{"key": "A", "type": "ItemInventory"}], "purchase_orders": [order], "preferences": [{}]}
    held |= {
        "bills": [bill],
        "ledger": [{"book": "payable", "key": "V", "amount": "50"}, {"book": "stock", "key": "A", "amount": "10"}],
    }
    check_books(held)
    with pytest.raises(AssertionError):
        check_books({**held, "ledger": []})
    held["ledger"] = [{**row, "amount": str(2 * Decimal(row["amount"]))} for row in held["ledger"]]
    with pytest.raises(AssertionError, match="more than once"):
        check_books({**held, "bills": [bill, bill]})
    with pytest.raises(AssertionError, match="billed by us beside"):
        check_books({**held, "bills": [bill], "receipts": [{**bill, "memo": None, "txn_number": 8}]})
    with pytest.raises(AssertionError, match="beside an item receipt"):
        check_books({**held, "bills": [bill], "receipts": [{**bill, "memo": None, "txn_number": 6}]})
