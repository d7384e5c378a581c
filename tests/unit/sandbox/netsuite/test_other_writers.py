"""What other clients write: lists, orders, receipts (reference 3.5, 4, 5)."""

import pytest

from tests.unit.sandbox.netsuite.suite import Suite

_VENDOR = (
    '<m:record xsi:type="r:Vendor"{}><r:entityId>{}</r:entityId><r:companyName>Acme</r:companyName>'
    '<r:subsidiary internalId="1"/></m:record>'
)


async def test_vendors_are_made_changed_and_found(suite: Suite) -> None:
    """Reference 4, 6.2."""
    created = (await suite.add(_VENDOR.format(' externalId="v-1"', "V-7"))).id
    assert (await suite.add(_VENDOR.format("", "V-7"))).codes == ["UNIQUE_CUST_ID_REQD"]
    assert (await suite.add(_VENDOR.format(' externalId="V-1"', "V-8"))).codes == ["DUP_RCRD"]
    assert (await suite.add('<m:record xsi:type="r:Vendor"/>')).codes == ["USER_ERROR"]
    await suite.add(
        f'<m:record xsi:type="r:Vendor" internalId="{created}"><r:isInactive>true</r:isInactive></m:record>', "update"
    )
    reply = await suite.get("vendor", external_id="v-1")
    assert (reply.text("//r:companyName"), reply.text("//r:isInactive")) == ("Acme", "true")
    assert reply.text("//r:currency/c:name") == "USA"


@pytest.mark.parametrize(
    ("record", "kind", "title"),
    [
        ('<m:record xsi:type="a:Department"><a:name>Ops</a:name></m:record>', "department", "Ops"),
        ('<m:record xsi:type="a:Term"><a:name>Net 45</a:name></m:record>', "term", "Net 45"),
        ('<m:record xsi:type="a:ServicePurchaseItem"><a:itemId>HOUR</a:itemId></m:record>', "servicePurchaseItem", ""),
        (
            '<m:record xsi:type="a:Account"><a:acctType>_expense</a:acctType><a:acctNumber>7</a:acctNumber>'
            "<a:acctName>Fuel</a:acctName></m:record>",
            "account",
            "",
        ),
    ],
)
async def test_lists_take_records_once(suite: Suite, record: str, kind: str, title: str) -> None:
    """Reference 3.5."""
    created = (await suite.add(record)).id
    assert (await suite.get(kind, created)).ok
    assert not (await suite.add(record)).ok
    assert (await suite.delete(kind, created)).ok
    assert (await suite.get(kind, created)).codes == ["RCRD_DSNT_EXIST"]
    assert (title == "") or (await suite.add(record)).ok


async def test_what_documents_name_stays(suite: Suite) -> None:
    """Reference 6.2."""
    await suite.order()
    assert (await suite.delete("vendor", "501")).codes == ["CANT_DELETE_RCRD"]
    assert (await suite.delete("nonInventoryPurchaseItem", "301")).codes == ["CANT_DELETE_RCRD"]
    assert (await suite.delete("vendorBill", "101")).codes == ["RCRD_DSNT_EXIST"]
    assert (await suite.delete("partner", "1")).codes == ["INVALID_RCRD_TYPE"]


async def test_an_inactive_vendor_or_dimension_cannot_be_used(suite: Suite) -> None:
    """Reference 6.2."""
    await suite.order(department="OPS")
    record = (
        '<m:record xsi:type="p:PurchaseOrder"><p:entity internalId="501"/><p:itemList><p:item>{}</p:item></p:itemList>'
    )
    line = '<p:item internalId="301"/><p:quantity>2</p:quantity><p:rate>7.5</p:rate><p:department internalId="21"/>'
    order = record.format(line) + "</m:record>"
    created = (await suite.add(order)).id
    reply = await suite.get("purchaseOrder", created)
    assert (reply.text("//p:total"), reply.text("//p:tranId")) == ("15.0", "PUR1")
    await suite.add(
        '<m:record xsi:type="a:Department" internalId="21"><a:isInactive>true</a:isInactive></m:record>', "update"
    )
    assert (await suite.add(order)).codes == ["INVALID_KEY_OR_REF"]
    await suite.act("edit_vendor", key="V-1", status="inactive")
    assert (await suite.add(order)).codes == ["INVALID_KEY_OR_REF"]


async def test_a_dimension_of_another_subsidiary_is_refused(suite: Suite) -> None:
    """Reference 6.2: INVALID_KEY_OR_REF names the subsidiary."""
    await suite.order()
    await suite.room("/companies/netsuite/load", {"locations": [{"location_id": "LON", "entity": "200"}]})
    [place] = await suite.held("locations")
    record = (
        '<m:record xsi:type="p:VendorBill"><p:entity internalId="501"/><p:expenseList><p:expense>'
        f'<p:account internalId="205"/><p:amount>5</p:amount><p:location internalId="{place["record_no"]}"/>'
        "</p:expense></p:expenseList></m:record>"
    )
    reply = await suite.add(record)
    assert reply.reasons == f"Invalid location reference key {place['record_no']} for subsidiary 1."
    assert reply.codes == ["INVALID_KEY_OR_REF"]


async def test_a_receipt_is_initialised_and_added(suite: Suite) -> None:
    """S4-32; reference 3.4, 4: a line is received only with itemReceive."""
    order = await suite.order()
    filled = await suite.initialize("itemReceipt", "purchaseOrder", order["record_no"])
    assert filled.texts("//p:orderLine") == ["1", "4"]
    assert filled.texts("//p:quantityRemaining") == ["10.0", "10.0"]
    receipt = (
        f'<m:record xsi:type="p:ItemReceipt"><p:createdFrom internalId="{order["record_no"]}"/><p:itemList>'
        "<p:item><p:itemReceive>true</p:itemReceive><p:orderLine>1</p:orderLine><p:quantity>4</p:quantity></p:item>"
        "<p:item><p:itemReceive>false</p:itemReceive><p:orderLine>4</p:orderLine></p:item></p:itemList></m:record>"
    )
    created = (await suite.add(receipt)).id
    lines = (await suite.one("purchase_orders", "PO-1"))["lines"]
    assert [line["received"] for line in lines] == ["4", "0"]
    reply = await suite.get("itemReceipt", created)
    assert reply.text("//p:createdFrom/c:name") == "Purchase Order #PO-1"
    over = receipt.replace("<p:quantity>4<", "<p:quantity>7<")
    assert (await suite.add(over)).codes == ["OVERAGE_DISALLWD"]
    assert (await suite.add(receipt.replace("<p:orderLine>1<", "<p:orderLine>9<"))).codes == ["INVALID_KEY_OR_REF"]
    assert (await suite.add(receipt.replace("<p:quantity>4<", "<p:quantity>-4<"))).codes == ["POSITIVE_QTY_REQD"]


async def test_inventory_needs_a_location(suite: Suite) -> None:
    """Reference 4."""
    await suite.room("/companies/netsuite/load", {"items": [{"item_id": "BOLT", "item_type": "Inventory"}]})
    order = await suite.order("PO-1", 1, item_id="BOLT")
    receipt = (
        f'<m:record xsi:type="p:ItemReceipt"><p:createdFrom internalId="{order["record_no"]}"/><p:itemList><p:item>'
        "<p:itemReceive>true</p:itemReceive><p:orderLine>1</p:orderLine></p:item></p:itemList></m:record>"
    )
    assert (await suite.add(receipt)).reasons == "Please enter value(s) for: Location"


async def test_a_received_line_cannot_be_taken_away(suite: Suite) -> None:
    """Reference 6.2."""
    order = await suite.order()
    await suite.act("receive", number="PO-1", lines=[{"line": 1, "quantity": "1"}])
    reply = await suite.add(
        f'<m:record xsi:type="p:PurchaseOrder" internalId="{order["record_no"]}"><p:itemList><p:item>'
        "<p:line>4</p:line><p:quantity>3</p:quantity></p:item></p:itemList></m:record>",
        "update",
    )
    assert reply.codes == ["CANT_DELETE_TRAN_LINE"]
    assert len((await suite.one("purchase_orders", "PO-1"))["lines"]) == 2
