"""A company's life from sign-in to payment, every answer as the vendor's schema has it."""

from typing import Any

import pytest

from sandbox.quickbooks_online.switches import UNKIND
from tests.harness.quickbooks_xml import vendor_schema
from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of, payment_of


@pytest.mark.parametrize("positions", [{}, UNKIND], ids=["as a new sandbox", "all unkind"])
async def test_a_whole_story_is_what_the_vendor_schema_says(books: Books, positions: dict[str, Any]) -> None:
    """Reference 1.5, 3, 6, 7: names, types and enumerations of everything that is answered."""
    await books.switch(**positions)
    await books.room("/companies/quickbooks_online/sample")
    for entity in ("PurchaseOrder", "Bill", "BillPayment", "VendorCredit", "Purchase", "Vendor", "Account", "Item"):
        assert await books.query(f"select * from {entity} maxresults 1000"), entity
    for entity in ("Class", "Department", "Term", "CompanyInfo", "Preferences"):
        assert await books.query(f"select * from {entity}"), entity
    await books.get("preferences")
    await books.get(f"companyinfo/{books.realm}")
    [order] = await books.query("select * from PurchaseOrder where DocNumber = 'PO-1007'")
    bill = await books.save("Bill", bill_of(order, (1, "4"), (2, "2"), number="BL-1"))
    payment = await books.save("BillPayment", payment_of(bill, "100"))
    await books.call("POST", "billpayment", {**_named(payment), "sparse": True}, operation="update", include="void")
    await books.call("POST", "bill", _named(await books.read("Bill", bill["Id"])), operation="delete")
    items = [{"bId": "1", "Query": "select * from Term"}, {"bId": "2", "operation": "delete", "Bill": {"Id": "77"}}]
    await books.call("POST", "batch", {"BatchItemRequest": items})
    await books.get("cdc", entities="Bill,PurchaseOrder,Vendor,Term", changedSince="2026-11-20")
    assert code_of(await books.call("GET", "bill/4711")) == "610"
    assert books.checked > 3000 or vendor_schema() is None


def _named(record: dict[str, object]) -> dict[str, object]:
    return {"Id": record["Id"], "SyncToken": record["SyncToken"]}
