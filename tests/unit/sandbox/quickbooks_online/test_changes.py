"""Change data capture: what changed, what was deleted, how far back, and which thousand (reference 3.8)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of


async def changes(books: Books, entities: str, since: str = "2026-11-02T00:00:00Z") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await books.get("cdc", entities=entities, changedSince=since))["CDCResponse"][0][
        "QueryResponse"
    ]
    return found


@pytest.fixture
async def noon(books: Books) -> Books:
    await books.room("/clock", {"now": "2026-11-02T20:00:00Z", "frozen": True})
    await books.connect()
    return books


async def test_what_changed_and_what_is_gone(noon: Books) -> None:
    """Reference 3.8: a member for each entity asked for, in that order; deleted ones as tombstones."""
    order = await noon.order()
    await noon.pass_time(1800)
    bill = await noon.save("Bill", bill_of(order, (1, "4")))
    await noon.call("POST", "bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")
    await noon.save("Bill", bill_of(order, (1, "5")))
    bills, terms, orders = await changes(noon, "Bill,Term,purchaseorder", "2026-11-02T20:20:00Z")
    assert terms == {}
    assert [record["Id"] for record in orders["PurchaseOrder"]] == [order["Id"]]
    assert [record.get("status") for record in bills["Bill"]] == [None, "Deleted"]
    gone = bills["Bill"][1]
    assert gone["MetaData"] == {"LastUpdatedTime": "2026-11-02T12:30:00-08:00"}
    assert (bills["startPosition"], bills["maxResults"], bills["totalCount"]) == (1, 2, 2)
    assert (await changes(noon, "Bill", "2026-11-02T20:30:01Z")) == [{}]


async def test_an_entity_that_changed_often_comes_once(noon: Books) -> None:
    """Reference 3.8: in its last state."""
    await noon.save("Class", {"Name": "a"})
    await noon.save("Class", {"Id": "1", "SyncToken": "0", "Name": "b"})
    [found] = await changes(noon, "Class")
    assert [(record["Name"], record["SyncToken"]) for record in found["Class"]] == [("b", "1")]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"entities": "Bill", "changedSince": "2026-10-01T00:00:00Z"}, "2190"),
        ({"entities": "Bill", "changedSince": "2026-11-03T00:00:00Z"}, "2190"),
        ({"entities": "Bill", "changedSince": "lately"}, "2070"),
        ({"entities": "Bill"}, "2020"),
        ({"changedSince": "2026-11-02"}, "2020"),
        ({"entities": "Dragon", "changedSince": "2026-11-02"}, "2000"),
        ({"entities": "TaxCode", "changedSince": "2026-11-02"}, "2000"),
    ],
)
async def test_what_cannot_be_asked(noon: Books, asked: dict[str, str], code: str) -> None:
    """Reference 3.8: thirty days back, not into the future."""
    assert code_of(await noon.call("GET", "cdc", **asked)) == code
    assert await changes(noon, "Bill,Invoice", "2026-10-04") == [{}, {}]
    assert await changes(noon, "Bill", "2026-11-02T12:00:00.123-08:00") == [{}]


@pytest.mark.parametrize(
    ("position", "first", "last"), [("oldest", "3", "1002"), ("newest", "1202", "205"), ("id", "1", "1000")]
)
async def test_which_thousand_come_and_in_which_order(noon: Books, position: str, first: str, last: str) -> None:
    """Reference 3.8: unverified, a switch. Ids 1 and 2 changed late."""
    await noon.switch(cdc_order=position)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    rows = [
        {
            "po_number": f"PO-{number}",
            "vendor_id": "V-1",
            "po_date": "2026-10-01",
            "item_id": "IT-1",
            "quantity": "1",
            "price": "1",
            "modified_at": (start + timedelta(seconds=number if number > 1 else 1200)).isoformat(),
        }
        for number in range(1202)
    ]
    target = "/companies/quickbooks_online/load?create_missing=true"
    assert (await noon.room(target, {"purchase_orders": rows}))["errors"] == []
    [found] = await changes(noon, "PurchaseOrder", "2026-11-01T00:00:00Z")
    ids = [record["Id"] for record in found["PurchaseOrder"]]
    assert (len(ids), ids[0], ids[-1]) == (1000, first, last)
