"""Vendors, accounts, items, classes, departments, terms, the company and its preferences."""

from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of

Record = dict[str, Any]


async def test_names_are_unique_and_given_free(books: Books) -> None:
    """Reference 3.5, 6.5: an inactive name gets a suffix; the other's id is in the detail."""
    vendor = await books.save("Vendor", {"DisplayName": "Acme", "TaxIdentifier": "123-45-6789"})
    assert (vendor["PrintOnCheckName"], vendor["Active"], vendor["TaxIdentifier"]) == ("Acme", True, "XXXXXXX6789")
    again = await books.call("POST", "vendor", {"DisplayName": "ACME"})
    assert again.json()["Fault"]["Error"][0]["Detail"] == "The name supplied already exists. : Id=1"
    gone = await books.save("Vendor", {"Id": "1", "SyncToken": "0", "sparse": True, "Active": False})
    assert (gone["DisplayName"], gone["Active"]) == ("Acme (deleted)", False)
    assert (await books.save("Vendor", {"DisplayName": "Acme"}))["Id"] == "2"
    assert [vendor["Id"] for vendor in await books.query("select * from Vendor")] == ["2"]
    assert len(await books.query("select * from Vendor where Active in (true, false)")) == 2
    line = {"Amount": 1, "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}}}
    assert await books.refused("Bill", {"VendorRef": {"value": "1"}, "Line": [line]}) == "610"


@pytest.mark.parametrize(
    ("entity", "body", "code"),
    [
        ("Vendor", {}, "6080"),
        ("Vendor", {"DisplayName": "a:b"}, "2040"),
        ("Account", {"Name": "x"}, "2020"),
        ("Account", {"Name": 'x"y', "AccountType": "Expense"}, "2040"),
        ("Account", {"Name": "Other", "AcctNum": "6000", "AccountType": "Expense"}, "6150"),
        ("Account", {"Name": "purchases", "AccountType": "Expense"}, "6240"),
        ("Account", {"Name": "x", "AccountType": "Petty"}, "2170"),
        ("Item", {"Name": "x", "Type": "NonInventory"}, "6000"),
        ("Item", {"Name": "x", "Type": "Inventory", "ExpenseAccountRef": {"value": "7"}}, "2020"),
        ("Class", {}, "2020"),
        ("Class", {"Name": "x" * 101}, "2050"),
        ("Term", {"Name": "x", "DueDays": 1000}, "2140"),
        ("Term", {"Name": "net 30"}, "6240"),
        ("Department", {"Name": "x", "ParentRef": {"value": "9"}}, "2500"),
    ],
)
async def test_a_record_that_is_wrong_is_refused(books: Books, entity: str, body: Record, code: str) -> None:
    """Reference 6.5 to 6.8, 7."""
    assert await books.refused(entity, body) == code


async def test_records_below_others(books: Books) -> None:
    """Reference 6.6, 7: five levels."""
    above: Record = {}
    for level in range(5):
        above = await books.save(
            "Class", {"Name": f"L{level}", **({"ParentRef": {"value": above["Id"]}} if above else {})}
        )
    assert (above["FullyQualifiedName"], above["SubClass"]) == ("L0:L1:L2:L3:L4", True)
    assert await books.refused("Class", {"Name": "L5", "ParentRef": {"value": above["Id"]}}) == "6180"
    account = {"Name": "Paper", "AccountType": "Expense", "ParentRef": {"value": "8"}}
    saved = await books.save("Account", account)
    assert (saved["FullyQualifiedName"], saved["Classification"]) == ("Purchases:Paper", "Expense")
    renamed = {"Id": "8", "SyncToken": "0", "sparse": True, "Name": "Bought"}
    await books.save("Account", renamed)
    bill = {"VendorRef": {"value": (await books.save("Vendor", {"DisplayName": "A"}))["Id"]}}
    bill["Line"] = [{"Amount": 1, "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}}}]
    saved = await books.save("Bill", bill)
    assert saved["Line"][0]["AccountBasedExpenseLineDetail"]["AccountRef"]["name"] == "Bought"


async def test_references_show_new_names(books: Books) -> None:
    """Reference 1.5: a name is for display, read from what is referred to."""
    order = await books.order()
    await books.act("edit_vendor", key="V-1", name="Renamed")
    assert (await books.read("PurchaseOrder", order["Id"]))["VendorRef"]["name"] == "Renamed"


async def test_a_vendor_who_is_owed_stays_active(books: Books) -> None:
    """Reference 7: 6220."""
    order = await books.order()
    await books.save("Bill", bill_of(order, (1, "1")))
    vendor = await books.read("Vendor", "1")
    body = {"Id": "1", "SyncToken": vendor["SyncToken"], "sparse": True, "Active": False}
    assert await books.refused("Vendor", body) == "6220"


async def test_the_company_and_its_preferences(books: Books) -> None:
    """Reference 6.9, 6.10."""
    company = (await books.get(f"companyinfo/{books.realm}"))["CompanyInfo"]
    assert (company["Country"], company["SupportedLanguages"]) == ("US", "en")
    assert {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"} in company["NameValue"]
    changed = {"Id": "1", "SyncToken": company["SyncToken"], "sparse": True, "CompanyName": "New name"}
    assert (await books.save("CompanyInfo", changed))["CompanyName"] == "New name"
    before = (await books.get("preferences"))["Preferences"]
    assert before["CurrencyPrefs"]["HomeCurrency"] == {"value": "USD"}
    assert "BookCloseDate" not in before["AccountingInfoPrefs"]
    flags, labels = before["VendorAndPurchasesPrefs"]["POCustomField"]
    assert flags["CustomField"][0]["BooleanValue"] is True
    assert labels["CustomField"][0]["StringValue"] == "Crew #"
    pairs = {"NameValue": [{"Name": "WarnDuplicateBillNumber", "Value": "true"}]}
    body = {"SyncToken": before["SyncToken"], "sparse": True, "OtherPrefs": pairs, "Nonsense": {"x": 1}}
    body["AccountingInfoPrefs"] = {"TrackDepartments": False}
    after = await books.save("Preferences", body)
    assert pairs["NameValue"][0] in after["OtherPrefs"]["NameValue"]
    assert after["AccountingInfoPrefs"]["TrackDepartments"] is False
    assert await books.refused("Preferences", body) == "5010"


async def test_people_change_lists_in_the_screens(books: Books) -> None:
    await books.order(**{"class": "OPS"})
    assert (await books.act("edit_item", key="IT-1", name="Renamed"))["Name"] == "Renamed"
    assert (await books.act("delete", kind="item", key="IT-2"))["Active"] is False
    assert (await books.act("edit_class", key="OPS", status="inactive"))["Name"] == "OPS (deleted)"
    assert (await books.act("edit_class", key="OPS", status="active"))["Name"] == "OPS"
    assert (await books.act("edit_term", key="Net 30", name="30 days"))["SyncToken"] == "1"
    assert (await books.act("edit_account", key="6000", name="Bought"))["FullyQualifiedName"] == "Bought"
