"""Orders, bills and credits: what is filled in, what is refused, full and sparse updates, numbers, closed books."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, code_of

Body = dict[str, Any]


def item_line(quantity: str = "2", price: str = "25", amount: str = "", item: str = "1", **more: Any) -> Body:
    worth = amount or str(Decimal(quantity) * Decimal(price))
    detail = {"ItemRef": {"value": item}, "Qty": float(quantity), "UnitPrice": float(price)}
    line = {"Amount": float(worth), "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail}
    return {**line, **more}


def account_line(amount: float = 15.0, account: str = "8", **more: Any) -> Body:
    detail = {"AccountRef": {"value": account}}
    line = {"Amount": amount, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": detail}
    return {**line, **more}


@pytest.fixture
async def lists(books: Books) -> Books:
    """Vendor 1 with Net 30 and item 1."""
    content = {"vendors": [{"vendor_id": "V-1"}, {"vendor_id": "V-2"}], "items": [{"item_id": "IT-1"}]}
    report = await books.room("/companies/quickbooks_online/load", content)
    assert report["errors"] == []
    return books


def order(*lines: Body, **more: Any) -> Body:
    return {"VendorRef": {"value": "1"}, "TxnDate": "2026-11-02", "Line": list(lines or (item_line(),)), **more}


async def test_an_order_is_as_the_reference_shows_one(lists: Books) -> None:
    """Reference 6.1: its example."""
    body = order(item_line(Description="Fence post"), account_line(Description="Freight"), DocNumber="PO-1007")
    body |= {"PrivateNote": "internal", "Memo": "for the vendor", "ShipMethodRef": {"value": "UPS"}, "FOB": "Reno"}
    saved = await lists.save("PurchaseOrder", body)
    assert (saved["Id"], saved["SyncToken"], saved["domain"], saved["sparse"]) == ("1", "0", "QBO", False)
    assert (saved["POStatus"], saved["EmailStatus"], saved["TotalAmt"]) == ("Open", "NotSet", 65)
    assert saved["CurrencyRef"] == {"value": "USD", "name": "United States Dollar"}
    assert saved["VendorRef"] == {"value": "1", "name": "V-1"}
    assert saved["APAccountRef"] == {"value": "4", "name": "Accounts Payable (A/P)"}
    assert (saved["LinkedTxn"], saved["ShipMethodRef"]) == ([], {"value": "UPS", "name": "UPS"})
    assert [(line["Id"], line["LineNum"], line["Received"]) for line in saved["Line"]] == [("1", 1, 0), ("2", 2, 0)]
    assert saved["Line"][0]["ItemBasedExpenseLineDetail"]["BillableStatus"] == "NotBillable"
    assert await lists.read("PurchaseOrder", "1") == saved


async def test_times_are_pacific_whatever_the_season(lists: Books) -> None:
    """Reference 1.5."""
    for moment, offset in (("2026-03-08T09:59:59Z", "-08:00"), ("2026-03-08T10:00:00Z", "-07:00")):
        await lists.room("/clock", {"now": moment, "frozen": True})
        await lists.connect()
        saved = await lists.save("PurchaseOrder", order())
        assert saved["MetaData"]["LastUpdatedTime"].endswith(offset), moment
    for moment, offset in (("2026-11-01T08:59:59Z", "-07:00"), ("2026-11-01T09:00:00Z", "-08:00")):
        await lists.room("/clock", {"now": moment, "frozen": True})
        await lists.connect()
        answer = await lists.get("preferences")
        assert answer["time"].endswith(offset), moment


async def test_a_bill_is_due_by_its_terms(lists: Books) -> None:
    """Reference 6.2."""
    bill = await lists.save("Bill", order(DocNumber="INV-1"))
    assert (bill["DueDate"], bill["SalesTermRef"]["name"], bill["Balance"]) == ("2026-12-02", "Net 30", 50)
    assert (await lists.save("Bill", order(SalesTermRef={"value": "2"})))["DueDate"] == "2026-11-17"
    driven = {"Name": "The 10th", "DayOfMonthDue": 10, "DueNextMonthDays": 3}
    term = await lists.save("Term", driven)
    terms = {"SalesTermRef": {"value": term["Id"]}}
    assert (await lists.save("Bill", order(**terms)))["DueDate"] == "2026-11-10"
    assert (await lists.save("Bill", order(**{**terms, "TxnDate": "2026-11-08"})))["DueDate"] == "2026-12-10"
    assert "DueDate" not in await lists.save("VendorCredit", order())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"VendorRef": {"value": "1"}}, "2020"),
        ({"Line": [item_line()]}, "2020"),
        (order(VendorRef={"value": "99"}), "2500"),
        (order(item_line(item="99")), "2500"),
        (order(DocNumber="x" * 22), "2050"),
        (order(TxnDate="02.11.2026"), "2070"),
        (order(item_line(amount="49.98")), "6070"),
        (order(account_line(-1)), "2290"),
        (order(item_line(Amount="much")), "2090"),
        (order(APAccountRef={"value": "8"}), "6430"),
        (order(POStatus="Hibernating"), "2170"),
        (order({"DetailType": "JournalEntryLineDetail", "Amount": 1}), "2170"),
        (order({"Amount": 1}), "2020"),
        (order(account_line(), {"DetailType": "AccountBasedExpenseLineDetail", "Amount": 1}), "2020"),
        (order(PrivateNote="a\x00b"), "2040"),
        (order(CurrencyRef={"value": "EUR"}), "2500"),
        (order(CustomField=[{"DefinitionId": "9", "StringValue": "x"}]), "3000"),
        (order(item_line("99999999999", "99999999999")), "2140"),
        (order(VendorAddr="Reno"), "2120"),
        (order(VendorRef={"value": ["1"]}), "2030"),
        (order(CustomField="Crew"), "3000"),
        (order(Memo={"text": "x"}), "2120"),
        (order(LinkedTxn="1"), "2120"),
        (order(Line="one"), "2120"),
        ({"VendorRef": {"value": "1"}, "Line": ["one"]}, "2120"),
        (order(item_line(LinkedTxn={"TxnId": "1"})), "2120"),
        (order({"DetailType": "ItemBasedExpenseLineDetail", "Amount": 1}), "2020"),
        (order(account_line(Amount=None)), "2020"),
        (order(account_line(Amount=True)), "2080"),
        (order(account_line(Amount="NaN")), "2090"),
        ([], "2010"),
        ("not json", "2010"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_document_that_is_wrong_is_refused_by_code(lists: Books, body: Any, code: str) -> None:
    """Reference 7: nothing is kept of it."""
    assert await lists.refused("PurchaseOrder", body) == code
    assert await lists.held("purchase_orders") == []


async def test_what_real_clients_send_is_taken(lists: Books) -> None:
    """Reference 9: numbers as text, empty texts, LineNum 0, unknown fields, an entity in its name."""
    line = item_line(LineNum=0, Amount="50.00", Id=None, LinkedTxn=[{"TxnId": 0, "TxnType": 0, "TxnLineId": 0}])
    line["ItemBasedExpenseLineDetail"] |= {"Qty": "2", "UnitPrice": "25"}
    del line["DetailType"]
    body = order(line, DueDate="", TotalAmt="", ExchangeRate=0, sparse=False, Nonsense=1, TxnTaxDetail=None)
    saved = await lists.save("Bill", {"Bill": body}, format="json", Operation="create")
    assert saved["TotalAmt"] == 50
    assert "Nonsense" not in saved
    body = {"Id": int(saved["Id"]), "SyncToken": 0, "sparse": "true", "PrivateNote": "x", "TotalAmt": 7, "Balance": 1}
    changed = await lists.save("Bill", body, operation="update")
    assert (changed["PrivateNote"], changed["TotalAmt"], changed["Balance"]) == ("x", 50, 50)


async def test_an_item_line_without_item_is_text_and_its_amount_is_ignored(lists: Books) -> None:
    """Reference 6: the total falls short without a fault."""
    text = item_line(Description="Post")
    del text["ItemBasedExpenseLineDetail"]["ItemRef"]
    saved = await lists.save("PurchaseOrder", order(item_line(), text))
    assert (saved["TotalAmt"], saved["Line"][1]["DetailType"]) == (50, "DescriptionOnly")
    assert await lists.refused("PurchaseOrder", order(text)) == "2020"


async def test_an_item_that_cannot_be_bought_is_refused(lists: Books) -> None:
    """Reference 6.7, 6.10."""
    sold = await lists.save("Item", {"Name": "Sold", "Type": "Service", "IncomeAccountRef": {"value": "6"}})
    shelf = await lists.save("Item", {"Name": "Shelf", "Type": "Category"})
    for item in (sold, shelf):
        assert await lists.refused("Bill", order(item_line(item=item["Id"]))) == "6000"
    await lists.act("set_preferences", ForPurchase=False)
    assert await lists.refused("Bill", order()) == "6000"
    assert await lists.save("Bill", order(account_line()))
    await lists.act("set_preferences", PurchaseOrderEnabled=False)
    assert await lists.refused("PurchaseOrder", order(account_line())) == "5030"


async def test_what_is_not_tracked_is_dropped_or_refused(lists: Books) -> None:
    """Reference 6.10: unverified, a switch."""
    await lists.save("Class", {"Name": "Operating"})
    await lists.save("Department", {"Name": "Reno"})
    line = item_line()
    line["ItemBasedExpenseLineDetail"]["ClassRef"] = {"value": "1"}
    body = order(line, DepartmentRef={"value": "1"})
    saved = await lists.save("Bill", body)
    assert saved["DepartmentRef"]["name"] == "Reno"
    assert saved["Line"][0]["ItemBasedExpenseLineDetail"]["ClassRef"]["name"] == "Operating"
    await lists.act("set_preferences", ClassTrackingPerTxnLine=False, TrackDepartments=False)
    saved = await lists.save("Bill", body)
    assert "DepartmentRef" not in saved
    assert "ClassRef" not in saved["Line"][0]["ItemBasedExpenseLineDetail"]
    await lists.switch(untracked_class="refused")
    assert await lists.refused("Bill", body) == "5030"
    assert await lists.refused("Bill", order(DepartmentRef={"value": "1"})) == "5030"


async def test_customers_are_not_tracked_and_there_are_none(lists: Books) -> None:
    """Reference 6.10."""
    line = item_line()
    line["ItemBasedExpenseLineDetail"]["CustomerRef"] = {"value": "7"}
    assert "CustomerRef" not in (await lists.save("Bill", order(line)))["Line"][0]["ItemBasedExpenseLineDetail"]
    await lists.act("set_preferences", TrackingByCustomer=True)
    assert await lists.refused("Bill", order(line)) == "2500"


async def test_custom_fields_of_an_order(lists: Books) -> None:
    """Reference 6.1: three texts of thirty-one characters."""
    field = {"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": "102"}
    empty = {"DefinitionId": "2", "StringValue": ""}
    saved = await lists.save("PurchaseOrder", order(CustomField=[field, empty]))
    assert saved["CustomField"] == [field]
    assert await lists.refused("PurchaseOrder", order(CustomField=[{**field, "StringValue": "x" * 32}])) == "2050"


async def test_a_full_update_clears_and_a_sparse_one_keeps(lists: Books) -> None:
    """Reference 3.2, 3.3: lines are always replaced as a whole."""
    saved = await lists.save("Bill", order(item_line(Description="one"), account_line(), PrivateNote="note", Memo="m"))
    first = saved["Line"][0]
    sparse = {"Id": saved["Id"], "SyncToken": "0", "sparse": True, "Memo": "other"}
    saved = await lists.save("Bill", sparse)
    assert (saved["Memo"], saved["PrivateNote"], len(saved["Line"]), saved["SyncToken"]) == ("other", "note", 2, "1")
    lines = [item_line("3", Id=first["Id"]), account_line(7.0), account_line(8.0, Id="77")]
    saved = await lists.save("Bill", {**sparse, "SyncToken": "1", "Line": lines})
    assert [(line["Id"], line["LineNum"]) for line in saved["Line"]] == [("1", 1), ("3", 2), ("4", 3)]
    assert "Description" not in saved["Line"][0]
    assert (saved["TotalAmt"], saved["Balance"]) == (90, 90)
    full = order(item_line(), Id=saved["Id"], SyncToken="2")
    saved = await lists.save("Bill", full)
    assert "PrivateNote" not in saved
    assert [line["Id"] for line in saved["Line"]] == ["5"]
    assert await lists.refused("Bill", {"Id": saved["Id"], "SyncToken": "3", "VendorRef": {"value": "1"}}) == "2020"


async def test_a_stale_token_and_an_unknown_id(lists: Books) -> None:
    """Reference 3.4, 7."""
    saved = await lists.save("Bill", order())
    body = {"Id": saved["Id"], "SyncToken": "0", "sparse": True, "Memo": "x"}
    await lists.save("Bill", body)
    assert await lists.refused("Bill", body) == "5010"
    assert await lists.refused("Bill", {**body, "Id": "99"}) == "610"
    assert await lists.refused("Bill", {**body, "Id": "seven"}) == "2030"
    assert await lists.refused("Bill", {"Id": saved["Id"], "sparse": True}) == "2020"


async def test_deleting_and_voiding(lists: Books) -> None:
    """Reference 3.5."""
    saved = await lists.save("Bill", order())
    named = {"Id": saved["Id"], "SyncToken": saved["SyncToken"]}
    void = await lists.call("POST", "bill", named, operation="void")
    assert (void.status_code, code_of(void), void.json()["Fault"]["type"]) == (200, "500", "SystemFault")
    gone = await lists.call("POST", "bill", named, operation="delete")
    assert gone.json()["Bill"] == {"domain": "QBO", "status": "Deleted", "Id": saved["Id"]}
    assert code_of(await lists.call("GET", f"bill/{saved['Id']}")) == "610"
    assert await lists.refused("Bill", named, operation="delete") == "610"
    assert await lists.refused("Vendor", {"Id": "1", "SyncToken": "0"}, operation="delete") == "500"
    assert (await lists.save("Bill", order()))["Id"] == "2"


async def test_orders_are_numbered_by_hand_or_by_the_company(lists: Books) -> None:
    """Reference 6.1: the preference of purchases, not the one of sales."""
    assert "DocNumber" not in await lists.save("PurchaseOrder", order())
    await lists.act("set_preferences", UseCustomTxnNumbers=False)
    assert (await lists.save("PurchaseOrder", order()))["DocNumber"] == "1001"
    assert (await lists.save("PurchaseOrder", order(DocNumber="1500")))["DocNumber"] == "1500"
    assert (await lists.save("PurchaseOrder", order()))["DocNumber"] == "1501"
    assert await lists.refused("PurchaseOrder", order(DocNumber="1500")) == "6140"
    assert "DocNumber" not in await lists.save("Bill", order())


@pytest.mark.parametrize(
    ("rule", "warns", "same_vendor", "credit", "other_vendor"),
    [
        ("preference", False, True, True, True),
        ("preference", True, False, True, True),
        ("vendor", False, False, False, True),
        ("company", False, False, False, False),
    ],
)
async def test_a_bill_number_used_twice(
    lists: Books, rule: str, warns: bool, same_vendor: bool, credit: bool, other_vendor: bool
) -> None:
    """Reference 6.2: sources disagree, a switch; the holder is named, and one call may override."""
    await lists.switch(duplicate_numbers=rule)
    await lists.act("set_preferences", WarnDuplicateBillNumber=warns)
    await lists.save("Bill", order(DocNumber="INV-1"))
    again = await lists.call("POST", "bill", order(DocNumber="INV-1"))
    assert (again.status_code == 200) is same_vendor
    if not same_vendor:
        assert again.json()["Fault"]["Error"][0]["Detail"].endswith("is assigned to TxnType=Bill with TxnId=1")
    held = await lists.call("POST", "vendorcredit", order(DocNumber="INV-1"))
    assert (held.status_code == 200) is credit
    other = await lists.call("POST", "bill", order(DocNumber="INV-1", VendorRef={"value": "2"}))
    assert (other.status_code == 200) is other_vendor
    assert await lists.save("Bill", order(DocNumber="INV-1"), include="allowduplicatedocnum")


async def test_closed_books(lists: Books) -> None:
    """Reference 6.2: neither into them nor out of them; an order does not post."""
    saved = await lists.save("Bill", order(TxnDate="2026-10-31"))
    await lists.act("close_period", through="2026-10-31")
    assert (await lists.get("preferences"))["Preferences"]["AccountingInfoPrefs"]["BookCloseDate"] == "2026-10-31"
    assert await lists.refused("Bill", order(TxnDate="2026-10-31")) == "6200"
    moved = {"Id": saved["Id"], "SyncToken": "0", "sparse": True, "TxnDate": "2026-11-02"}
    assert await lists.refused("Bill", moved) == "6200"
    await lists.switch(closed_books_code="6210")
    assert await lists.refused("Bill", {"Id": saved["Id"], "SyncToken": "0"}, operation="delete") == "6210"
    assert await lists.save("PurchaseOrder", order(TxnDate="2026-10-31"))
    assert await lists.save("Bill", order(TxnDate="2026-11-01"))
    await lists.act("open_period")
    assert await lists.save("Bill", moved)


async def test_several_currencies(lists: Books) -> None:
    """Reference 6: named on every transaction once they are on, and the vendor's."""
    await lists.act("set_preferences", MultiCurrencyEnabled=True)
    vendor = await lists.save("Vendor", {"DisplayName": "Rhein", "CurrencyRef": {"value": "EUR"}})
    named = {"VendorRef": {"value": vendor["Id"]}}
    assert await lists.refused("Bill", order(**named)) == "2020"
    assert await lists.refused("Bill", order(CurrencyRef={"value": "USD"}, **named)) == "6000"
    saved = await lists.save("Bill", order(CurrencyRef={"value": "EUR"}, ExchangeRate=1.09, **named))
    assert (saved["CurrencyRef"]["value"], saved["ExchangeRate"]) == ("EUR", Decimal("1.09"))


async def test_an_orders_address_comes_back_in_other_words(lists: Books) -> None:
    """Reference 6.1: never compare it."""
    address = {"Line1": "1 Quay", "City": "Reno", "CountrySubDivisionCode": "NV", "PostalCode": "89501"}
    saved = await lists.save("PurchaseOrder", order(VendorAddr=address, POEmail={"Address": "a@b.test"}))
    assert saved["VendorAddr"]["City"] == "Reno"
    changed = {"Id": saved["Id"], "SyncToken": "0", "sparse": True, "Memo": "x"}
    saved = await lists.save("PurchaseOrder", changed)
    assert saved["VendorAddr"] == {"Id": "2", "Line1": "1 Quay", "Line2": "Reno NV 89501"}
    sent = (await lists.call("POST", f"purchaseorder/{saved['Id']}/send", "", sendTo="c@d.test")).json()[
        "PurchaseOrder"
    ]
    assert (sent["EmailStatus"], sent["POEmail"]["Address"]) == ("EmailSent", "c@d.test")


async def test_paths_and_methods_that_are_nobodys(lists: Books) -> None:
    """Reference 7."""
    for method, path, status, code in (
        ("GET", "dragons/1", 404, "2000"),
        ("GET", "bill/1/2/3", 404, "2000"),
        ("DELETE", "bill/1", 405, "500"),
        ("GET", "batch", 405, "500"),
        ("GET", "customer/1", 400, "610"),
        ("GET", "reports/AgedPayables", 400, "500"),
        ("GET", "bill/1/pdf", 400, "500"),
    ):
        answer = await lists.call(method, path)
        assert (answer.status_code, code_of(answer)) == (status, code), path
    assert await lists.refused("Customer", {"DisplayName": "x"}) == "500"
    assert await lists.refused("Purchase", order()) == "500"
    headers = {"authorization": f"Bearer {lists.token}", "content-type": "application/xml"}
    xml = await lists.http.post(f"/v3/company/{lists.realm}/bill", content=b"<Bill/>", headers=headers)
    assert (xml.status_code, code_of(xml)) == (415, "1050")
    assert (await lists.http.get("/v3/nothing")).status_code == 404


async def test_a_subscription_that_ended(lists: Books) -> None:
    """Reference 7: 6190."""
    await lists.switch(subscription="ended")
    assert code_of(await lists.call("GET", "preferences")) == "6190"
    assert await lists.refused("Bill", order()) == "6190"


async def test_the_headers_of_every_answer(lists: Books) -> None:
    """Reference 1.4."""
    answer = await lists.call("GET", "preferences")
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["intuit_tid"]
    assert "no-store" in answer.headers["cache-control"]
    assert "retry-after" not in answer.headers
