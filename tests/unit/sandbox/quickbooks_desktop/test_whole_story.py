"""A company's life from the order to the payment, every answer as the vendor's schemas have it."""

from typing import Any

import pytest

from sandbox.quickbooks_desktop.switches import UNKIND
from tests.harness.qbxml_schema import check_qbxml, qbxml_schema
from tests.unit.sandbox.quickbooks_desktop.pc import Pc, bill_add, document, linked

LISTS = ("Vendor", "Account", "Item", "Class", "Terms", "UnitOfMeasureSet")
DOCUMENTS = ("PurchaseOrder", "Bill", "ItemReceipt", "VendorCredit")
PAYMENTS = ("BillPaymentCheck", "BillPaymentCreditCard")
WITH_ALL = "<IncludeLineItems>true</IncludeLineItems><IncludeLinkedTxns>true</IncludeLinkedTxns>"


@pytest.mark.parametrize("enhanced", [False, True], ids=["ordinary", "enhanced"])
@pytest.mark.parametrize("positions", [{}, UNKIND], ids=["as a new sandbox", "all unkind"])
async def test_a_whole_story_is_what_the_vendor_schemas_say(pc: Pc, positions: dict[str, Any], enhanced: bool) -> None:
    await pc.switch(**positions)
    await pc.room("/companies/quickbooks_desktop/sample")
    if enhanced:
        assert (await pc.does("enable_enhanced_receiving"))["receipts_made"] > 0
    order = await pc.one("purchase_orders", "PO-1007")
    vendor = next(one["record_no"] for one in await pc.held("vendors") if one["key"] == "V-120")
    await pc.does("pay_bill", number="BL-20417", method="CreditCard")
    await pc.does("apply_credit", number="HF-CR-12", bill="HF-3310")
    requests = [
        "<HostQueryRq/>",
        "<CompanyQueryRq/>",
        "<PreferencesQueryRq/>",
        bill_add(vendor, "BL-1", linked(order, 1, Quantity="4"), linked(order, 2, Quantity="2")),
        *(f"<{name}QueryRq/>" for name in LISTS),
        *(f"<{name}QueryRq>{WITH_ALL}</{name}QueryRq>" for name in DOCUMENTS),
        *(f"<{name}QueryRq><IncludeLineItems>true</IncludeLineItems></{name}QueryRq>" for name in PAYMENTS),
        "<TxnDeletedQueryRq><TxnDelType>Bill</TxnDelType></TxnDeletedQueryRq>",
    ]
    checked = 0
    for request in requests:
        asked = document(request, on_error="continueOnError")
        answer = pc.session.process(asked)
        assert 'statusSeverity="Error"' not in answer, answer[:400]
        checked += check_qbxml(asked) + check_qbxml(answer)
    schemas = sum(qbxml_schema(version) is not None for version in ("130", "160"))
    assert checked == 2 * len(requests) * schemas


async def test_the_ledger_is_what_the_documents_add_up_to(pc: Pc) -> None:
    """Payables are what bills and receipts owe, less what was paid and credited; nothing else moves them."""
    await pc.room("/companies/quickbooks_desktop/sample")
    await pc.does("edit_bill", number="HF-3310", line=1, quantity="150")
    await pc.does("delete", kind="bill", number="CO-4471")
    await pc.does("void_payment", document_number="4402")
    total = sum(float(amount) for (book, _), amount in (await pc.ledger()).items() if book == "payable")
    bills = sum(float(bill["due"]) for bill in await pc.held("bills"))
    credits = sum(float(credit["due"]) for credit in await pc.held("credits"))
    receipts = sum(float(receipt["total"]) for receipt in await pc.held("receipts"))
    assert total == pytest.approx(bills + receipts - credits)
