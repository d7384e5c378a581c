"""Orders, receipts and bills: links, quantities, and a ledger that shows what was doubled (reference 3.1, 3.2)."""

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from tests.unit.sandbox.quickbooks_desktop.pc import Pc, bill_add, linked


async def vendor_of(pc: Pc) -> str:
    vendor: str = next(row["record_no"] for row in await pc.held("vendors") if row["key"] == "V-1")
    return vendor


async def bill(pc: Pc, number: str, *lines: str, more: str = "") -> etree._Element:
    return pc.ask(bill_add(await vendor_of(pc), number, *lines, more=more))


def order_text(pc: Pc, order: dict[str, Any]) -> etree._Element:
    """The order as a query with lines and links shows it."""
    asked = (
        f"<PurchaseOrderQueryRq><TxnID>{order['record_no']}</TxnID><IncludeLineItems>true</IncludeLineItems>"
        "<IncludeLinkedTxns>true</IncludeLinkedTxns></PurchaseOrderQueryRq>"
    )
    return pc.ask(asked)[0]


async def test_a_linked_line_takes_its_item_and_moves_the_order(pc: Pc) -> None:
    order = await pc.order("PO-1", "10", "4")
    before = order_text(pc, order)
    answer = await bill(pc, "INV-1", linked(order, 1, Quantity="4"), linked(order, 2))
    assert answer.get("statusCode") == "0"
    assert [line.findtext("ItemRef/FullName") for line in answer.iter("ItemLineRet")] == ["ITEM-1", "ITEM-2"]
    assert [line.findtext("Quantity") for line in answer.iter("ItemLineRet")] == ["4", "4"]
    assert answer.findtext("BillRet/AmountDue") == "40.00"
    after = order_text(pc, order)
    assert [line.findtext("ReceivedQuantity") for line in after.iter("PurchaseOrderLineRet")] == ["4", "4"]
    assert after.findtext("EditSequence") != before.findtext("EditSequence")
    assert after.findtext("IsFullyReceived") == "false"
    link = after.find("LinkedTxn")
    assert link is not None
    assert [link.findtext(name) for name in ("TxnType", "RefNumber", "Amount")] == ["Bill", "INV-1", "-8.00"]
    await bill(pc, "INV-2", linked(order, 1))
    assert order_text(pc, order).findtext("IsFullyReceived") == "true"
    assert await pc.ledger() == {("payable", "V-1"): "70", ("stock", "ITEM-1"): "10", ("stock", "ITEM-2"): "4"}


async def test_item_and_link_exclude_each_other(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    line = linked(order, Quantity="1").replace("<Quantity>", "<ItemRef><FullName>ITEM-1</FullName></ItemRef><Quantity>")
    assert (await bill(pc, "INV-1", line)).get("statusCode") == "3210"
    assert await pc.held("bills") == []


@pytest.mark.parametrize(("word", "code"), [("570", "570"), ("530", "530"), ("refused", "3210")])
async def test_a_closed_order_takes_no_link(pc: Pc, word: str, code: str) -> None:
    order = await pc.order("PO-1", "10", status="Closed")
    await pc.switch(closed_order_link=word)
    answer = await bill(pc, "INV-1", linked(order, Quantity="4"))
    assert answer.get("statusCode") == code
    assert len(await pc.held("bills")) == (0 if word == "refused" else 1)
    assert (await pc.one("purchase_orders", "PO-1"))["linked"] == []
    if word != "refused":
        assert answer.get("statusSeverity") == "Warn"
        assert answer.findtext("BillRet/AmountDue") == "20.00"


async def test_header_links_pull_in_all_that_is_left(pc: Pc) -> None:
    order = await pc.order("PO-1", "10", "4")
    await bill(pc, "INV-1", linked(order, 1, Quantity="4"))
    answer = await bill(pc, "INV-2", more=f"<LinkToTxnID>{order['record_no']}</LinkToTxnID>")
    assert [line.findtext("Quantity") for line in answer.iter("ItemLineRet")] == ["6", "4"]
    assert order_text(pc, order).findtext("IsFullyReceived") == "true"
    again = await bill(pc, "INV-3", more=f"<LinkToTxnID>{order['record_no']}</LinkToTxnID>")
    assert again.get("statusCode") == "570"
    both = await bill(pc, "INV-4", linked(order, 1), more=f"<LinkToTxnID>{order['record_no']}</LinkToTxnID>")
    assert both.get("statusCode") == "3210"


async def test_wrong_ids_are_not_found(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    nobody = {**order, "record_no": "99-1"}
    assert (await bill(pc, "INV-1", linked(nobody))).get("statusCode") == "3120"
    order["lines"][0]["line"] = "98-1"
    assert (await bill(pc, "INV-1", linked(order))).get("statusCode") == "3120"
    assert pc.ask(bill_add("97-1", "INV-1", linked(order))).get("statusCode") == "3140"


@pytest.mark.parametrize(("word", "code"), [("refused", "3210"), ("530", "530")])
async def test_another_vendors_order_takes_no_link(pc: Pc, word: str, code: str) -> None:
    order = await pc.order("PO-1", "10")
    await pc.load(vendors=[{"vendor_id": "V-2", "name": "Two"}])
    other = next(row["record_no"] for row in await pc.held("vendors") if row["key"] == "V-2")
    await pc.switch(other_vendor_link=word)
    assert pc.ask(bill_add(other, "INV-1", linked(order, Quantity="1"))).get("statusCode") == code


async def test_linked_lines_follow_the_orders_order(pc: Pc) -> None:
    order = await pc.order("PO-1", "10", "4")
    other = await pc.order("PO-2", "3", "3")
    backwards = (linked(order, 2), linked(order, 1))
    interleaved = (linked(order, 1, Quantity="1"), linked(other, 1, Quantity="1"), linked(order, 2, Quantity="1"))
    assert (await bill(pc, "INV-1", *backwards)).get("statusCode") == "3210"
    assert (await bill(pc, "INV-1", *interleaved)).get("statusCode") == "3210"
    await pc.switch(link_order="accepted")
    assert (await bill(pc, "INV-1", *interleaved)).get("statusCode") == "0"


async def test_more_than_is_left_may_be_accepted(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    await pc.switch(over_receiving="refused")
    assert (await bill(pc, "INV-1", linked(order, Quantity="11"))).get("statusCode") == "3210"
    await pc.switch(over_receiving="accepted")
    assert (await bill(pc, "INV-1", linked(order, Quantity="11"))).get("statusCode") == "0"


async def test_a_credits_link_is_left_out(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    line = linked(order, Quantity="1").replace("<Quantity>1</Quantity>", "<Quantity>1</Quantity><Cost>5</Cost>")
    head = f"<VendorRef><ListID>{await vendor_of(pc)}</ListID></VendorRef>"
    answer = pc.ask(f"<VendorCreditAddRq><VendorCreditAdd>{head}{line}</VendorCreditAdd></VendorCreditAddRq>")
    # Without its link the line has no item, and there is no document without one.
    assert answer.get("statusCode") == "3150"


# --- two ways of receiving -------------------------------------------------------------------------------------------


async def test_ordinary_receiving_a_receipt_owes_and_fills_the_line(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    await pc.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "10"}])
    assert await pc.ledger() == {("payable", "V-1"): "50", ("stock", "ITEM-1"): "10"}
    refused = await bill(pc, "INV-1", linked(order, Quantity="10"))
    assert refused.get("statusCode") == "570"
    assert (await pc.ledger())["payable", "V-1"] == "100"  # the unlinked bill doubled the payable: a person must see it


async def test_a_line_filled_by_a_receipt_is_not_linkable_while_the_order_is_open(pc: Pc) -> None:
    order = await pc.order("PO-1", "10", "4")
    await pc.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "10"}])
    assert (await bill(pc, "INV-1", linked(order, Quantity="10"))).get("statusCode") == "3210"
    await pc.switch(full_line_link="530")
    assert (await bill(pc, "INV-1", linked(order, Quantity="10"))).get("statusCode") == "530"


@pytest.mark.parametrize("listed", ["silent", "listed"])
@pytest.mark.parametrize("identifier", ["new", "same"])
async def test_a_receipt_that_becomes_a_bill_is_no_return(pc: Pc, listed: str, identifier: str) -> None:
    order = await pc.order("PO-1", "10")
    receipt = await pc.does("receive", number="PO-1", receipt_number="R-1")
    before = await pc.ledger()
    await pc.switch(converted_receipt=listed, converted_receipt_id=identifier)
    created = await pc.does("enter_bill_for_receipt", number="R-1", invoice_number="INV-1")
    assert await pc.ledger() == before
    assert (created["record_no"] == receipt["record_no"]) == (identifier == "same")
    assert await pc.held("receipts") == []
    shown = order_text(pc, order)
    assert [link.findtext("TxnType") for link in shown.iter("LinkedTxn")] == ["Bill"]
    assert shown.findtext(".//ReceivedQuantity") == "10"
    deleted = pc.ask("<TxnDeletedQueryRq><TxnDelType>ItemReceipt</TxnDelType></TxnDeletedQueryRq>")
    assert deleted.get("statusCode") == ("0" if listed == "listed" else "1")


async def test_replacing_a_receipt_by_a_linked_bill_keeps_the_ledger(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    receipt = await pc.does("receive", number="PO-1", receipt_number="R-1")
    before = await pc.ledger()
    gone = pc.ask(f"<TxnDelRq><TxnDelType>ItemReceipt</TxnDelType><TxnID>{receipt['record_no']}</TxnID></TxnDelRq>")
    assert gone.get("statusCode") == "0"
    assert await pc.ledger() == {}
    assert (await bill(pc, "INV-1", linked(order))).get("statusCode") == "0"
    assert await pc.ledger() == before


async def test_enhanced_receiving_keeps_received_and_billed_apart(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    old = await pc.order("PO-0", "3")
    await bill(pc, "INV-0", linked(old))
    assert (await pc.does("enable_enhanced_receiving"))["receipts_made"] == 1
    assert pc.ask("<PreferencesQueryRq/>").findtext(".//EnhancedInventoryReceivingEnabled") == "true"
    before = await pc.ledger()
    await pc.does("receive", number="PO-1", receipt_number="R-1")
    shown = order_text(pc, order)
    assert [shown.findtext(f".//{name}") for name in ("ReceivedQuantity", "UnbilledQuantity", "IsBilled")] == [
        "10",
        "10",
        "false",
    ]
    assert (await bill(pc, "INV-1", linked(order))).get("statusCode") == "0"
    shown = order_text(pc, order)
    assert [shown.findtext(f".//{name}") for name in ("ReceivedQuantity", "UnbilledQuantity", "IsBilled")] == [
        "10",
        "0",
        "true",
    ]
    after = await pc.ledger()
    assert Decimal(after["payable", "V-1"]) - Decimal(before["payable", "V-1"]) == 50
    assert Decimal(after["stock", "ITEM-1"]) - Decimal(before["stock", "ITEM-1"]) == 10
    assert ("offset", "V-1") not in after
    assert (await bill(pc, "INV-2", linked(order, Quantity="1"))).get("statusCode") == "3210"


@pytest.mark.parametrize(("word", "code"), [("po_line", "0"), ("refused", "3210"), ("without_link", "530")])
async def test_what_a_bill_may_do_with_a_line_received_in_full(pc: Pc, word: str, code: str) -> None:
    order = await pc.order("PO-1", "10")
    await pc.does("enable_enhanced_receiving")
    await pc.switch(enhanced_link=word)
    await pc.does("receive", number="PO-1")
    assert (await bill(pc, "INV-1", linked(order))).get("statusCode") == code
    stock = (await pc.ledger())["stock", "ITEM-1"]
    assert stock == "10"


@pytest.mark.parametrize(("word", "shown"), [("always", True), ("enhanced_only", False)])
async def test_billed_fields_may_be_absent_in_the_ordinary_way(pc: Pc, word: str, shown: bool) -> None:
    order = await pc.order("PO-1", "10")
    assert order_text(pc, order).find(".//UnbilledQuantity") is not None
    await pc.switch(billed_fields=word)
    assert (order_text(pc, order).find(".//UnbilledQuantity") is not None) == shown


async def test_only_enterprise_receives_in_the_enhanced_way(pc: Pc) -> None:
    await pc.switch(edition="Premier")
    target = "/sandbox/companies/quickbooks_desktop/actions"
    answer = await pc.http.post(target, json={"action": "enable_enhanced_receiving"})
    assert answer.status_code == 400


async def test_a_check_takes_goods_without_a_bill(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    await pc.does("expense", number="PO-1", document_number="101", lines=[{"line": 1, "quantity": "4"}])
    shown = order_text(pc, order)
    assert shown.findtext("LinkedTxn/TxnType") == "Check"
    assert shown.findtext(".//ReceivedQuantity") == "4"
    assert await pc.ledger() == {("stock", "ITEM-1"): "4"}
    await pc.does("delete", kind="expense", number="101")
    assert order_text(pc, order).findtext(".//ReceivedQuantity") == "0"


# --- changing and deleting -------------------------------------------------------------------------------------------


async def test_an_edit_sequence_out_of_date_shows_the_object(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    mod = (
        "<PurchaseOrderModRq><PurchaseOrderMod><TxnID>{}</TxnID><EditSequence>{}</EditSequence><Memo>{}</Memo>"
        "</PurchaseOrderMod></PurchaseOrderModRq>"
    )
    done = pc.ask(mod.format(order["record_no"], order["edit_sequence"], "one"))
    assert done.findtext("PurchaseOrderRet/Memo") == "one"
    stale = pc.ask(mod.format(order["record_no"], order["edit_sequence"], "two"))
    assert stale.get("statusCode") == "3200"
    assert order["edit_sequence"] in (stale.get("statusMessage") or "")
    current = stale.findtext("PurchaseOrderRet/EditSequence")
    assert current != order["edit_sequence"]
    assert pc.ask(mod.format(order["record_no"], current, "two")).get("statusCode") == "0"


async def test_a_line_that_is_only_named_stays_as_it_is(pc: Pc) -> None:
    order = await pc.order("PO-1", "1", "2", price="12.345")
    keep = "".join(
        f"<PurchaseOrderLineMod><TxnLineID>{line['line']}</TxnLineID></PurchaseOrderLineMod>" for line in order["lines"]
    )
    head = f"<TxnID>{order['record_no']}</TxnID><EditSequence>{order['edit_sequence']}</EditSequence>"
    done = pc.ask(f"<PurchaseOrderModRq><PurchaseOrderMod>{head}{keep}</PurchaseOrderMod></PurchaseOrderModRq>")
    shown = [(line.findtext("Rate"), line.findtext("Amount")) for line in done.iter("PurchaseOrderLineRet")]
    assert shown == [("12.345", "12.35"), ("12.345", "24.69")]


async def test_one_line_given_deletes_all_others(pc: Pc) -> None:
    order = await pc.order("PO-1", "10", "4", "2")
    keep = f"<PurchaseOrderLineMod><TxnLineID>{order['lines'][2]['line']}</TxnLineID></PurchaseOrderLineMod>"
    new = (
        "<PurchaseOrderLineMod><TxnLineID>-1</TxnLineID><ItemRef><FullName>ITEM-1</FullName></ItemRef>"
        "<Quantity>7</Quantity><Rate>2</Rate></PurchaseOrderLineMod>"
    )
    head = f"<TxnID>{order['record_no']}</TxnID><EditSequence>{order['edit_sequence']}</EditSequence>"
    done = pc.ask(f"<PurchaseOrderModRq><PurchaseOrderMod>{head}{keep}{new}</PurchaseOrderMod></PurchaseOrderModRq>")
    assert [line.findtext("Quantity") for line in done.iter("PurchaseOrderLineRet")] == ["2", "7"]
    assert done.findtext("PurchaseOrderRet/TotalAmount") == "24.00"


@pytest.mark.parametrize("word", ["kept", "lost"])
async def test_a_changed_line_may_lose_its_link(pc: Pc, word: str) -> None:
    order = await pc.order("PO-1", "10")
    await bill(pc, "INV-1", linked(order, Quantity="4"))
    await pc.switch(edited_line_link=word)
    await pc.does("edit_bill", number="INV-1", line=1, quantity="3")
    received = order_text(pc, order).findtext(".//ReceivedQuantity")
    assert received == ("3" if word == "kept" else "0")


async def test_a_deleted_bill_gives_its_quantity_back(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    created = await bill(pc, "INV-1", linked(order))
    txn_id = created.findtext("BillRet/TxnID")
    gone = pc.ask(f"<TxnDelRq><TxnDelType>Bill</TxnDelType><TxnID>{txn_id}</TxnID></TxnDelRq>")
    assert (gone.findtext("TxnID"), gone.findtext("RefNumber")) == (txn_id, "INV-1")
    shown = order_text(pc, order)
    assert shown.findtext(".//ReceivedQuantity") == "0"
    assert shown.find("LinkedTxn") is None
    told = pc.ask("<TxnDeletedQueryRq><TxnDelType>Bill</TxnDelType></TxnDeletedQueryRq>")
    assert told.findtext("TxnDeletedRet/TxnID") == txn_id
    assert await pc.ledger() == {}


async def test_deletions_are_remembered_for_ninety_days(pc: Pc) -> None:
    await pc.order("PO-1", "10")
    await pc.does("delete", kind="purchase_order", number="PO-1")
    asked = "<TxnDeletedQueryRq><TxnDelType>PurchaseOrder</TxnDelType></TxnDeletedQueryRq>"
    await pc.room("/clock", {"advance_seconds": 89 * 86400})
    assert pc.ask(asked).get("statusCode") == "0"
    await pc.room("/clock", {"advance_seconds": 2 * 86400})
    assert pc.ask(asked).get("statusCode") == "1"


async def test_voiding_leaves_the_bill_with_nothing(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    created = await bill(pc, "INV-1", linked(order))
    txn_id = created.findtext("BillRet/TxnID")
    assert (
        pc.ask(f"<TxnVoidRq><TxnVoidType>Bill</TxnVoidType><TxnID>{txn_id}</TxnID></TxnVoidRq>").get("statusCode")
        == "0"
    )
    shown = pc.ask(f"<BillQueryRq><TxnID>{txn_id}</TxnID></BillQueryRq>")[0]
    assert (shown.findtext("AmountDue"), shown.findtext("OpenAmount")) == ("0.00", "0.00")
    assert order_text(pc, order).findtext(".//ReceivedQuantity") == "0"


async def test_closed_books_refuse_by_their_codes(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    created = await bill(pc, "INV-1", linked(order, Quantity="1"))
    await pc.does("close_period", through="2026-10-31")
    assert pc.ask("<PreferencesQueryRq/>").findtext(".//ClosingDate") == "2026-10-31"
    assert (await bill(pc, "INV-2", linked(order, Quantity="1"))).get("statusCode") == "3171"
    txn_id = created.findtext("BillRet/TxnID")
    gone = pc.ask(f"<TxnDelRq><TxnDelType>Bill</TxnDelType><TxnID>{txn_id}</TxnID></TxnDelRq>")
    assert gone.get("statusCode") == "3161"
    await pc.does("open_period")
    assert (await bill(pc, "INV-2", linked(order, Quantity="1"))).get("statusCode") == "0"


async def test_locks_of_other_users(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    await pc.does("lock", kind="purchase_order", number="PO-1")
    head = f"<TxnID>{order['record_no']}</TxnID><EditSequence>{order['edit_sequence']}</EditSequence>"
    mod = f"<PurchaseOrderModRq><PurchaseOrderMod>{head}<Memo>x</Memo></PurchaseOrderMod></PurchaseOrderModRq>"
    assert pc.ask(mod).get("statusCode") == "3175"
    assert (await bill(pc, "INV-1", linked(order, Quantity="1"))).get("statusCode") == "3176"
    await pc.does("unlock", kind="purchase_order", number="PO-1")
    assert (await bill(pc, "INV-1", linked(order, Quantity="1"))).get("statusCode") == "0"


async def test_without_inventory_there_are_no_orders(pc: Pc) -> None:
    await pc.does("set_preferences", IsUsingInventory=False)
    add = (
        "<PurchaseOrderAddRq><PurchaseOrderAdd><PurchaseOrderLineAdd><Desc>text</Desc></PurchaseOrderLineAdd>"
        "</PurchaseOrderAdd></PurchaseOrderAddRq>"
    )
    assert pc.ask(add).get("statusCode") == "3250"


async def test_an_inactive_vendor_may_be_refused(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    await pc.does("edit_vendor", number="V-1", status="inactive")
    assert (await bill(pc, "INV-1", linked(order, Quantity="1"))).get("statusCode") == "3140"
    await pc.switch(inactive_reference="accepted")
    assert (await bill(pc, "INV-1", linked(order, Quantity="1"))).get("statusCode") == "0"


async def test_a_line_of_text_is_received_by_nobody(pc: Pc) -> None:
    await pc.order("PO-1", "10")
    add = (
        f"<PurchaseOrderAddRq><PurchaseOrderAdd><VendorRef><ListID>{await vendor_of(pc)}</ListID></VendorRef>"
        "<RefNumber>PO-T</RefNumber><PurchaseOrderLineAdd><Desc>As agreed</Desc></PurchaseOrderLineAdd>"
        "<PurchaseOrderLineAdd><ItemRef><FullName>item-1</FullName></ItemRef><Quantity>2</Quantity><Rate>3</Rate>"
        "</PurchaseOrderLineAdd></PurchaseOrderAdd></PurchaseOrderAddRq>"
    )
    shown = pc.ask(add)[0]
    text, item = shown.iter("PurchaseOrderLineRet")
    assert text.find("ItemRef") is None
    assert text.find("ReceivedQuantity") is None
    assert item.findtext("ReceivedQuantity") == "0"
    order = await pc.one("purchase_orders", "PO-T")
    assert (await bill(pc, "INV-1", linked(order, 2))).get("statusCode") == "0"
    assert order_text(pc, order).findtext("IsFullyReceived") == "true"
