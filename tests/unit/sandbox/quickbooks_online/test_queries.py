"""The query language as real clients write it, and what it refuses (reference 3.7)."""

from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of


@pytest.fixture
async def vendors(books: Books) -> Books:
    """Vendors A to E, ids 1 to 5, of which D is inactive; a second apart."""
    await books.room("/clock", {"now": "2026-11-02T16:00:00Z", "frozen": True})
    await books.connect()
    for name in "ABCDE":
        await books.save("Vendor", {"DisplayName": name, "CompanyName": f"{name}'s Store"})
        await books.pass_time(1)
    await books.save("Vendor", {"Id": "4", "SyncToken": "0", "sparse": True, "Active": False})
    return books


@pytest.mark.parametrize(
    ("statement", "ids"),
    [
        ("select * from Vendor orderby Id", "1235"),
        ("SELECT  *  FROM  vendor  ORDER BY DisplayName DESC  ", "5321"),
        ("select *, AcctNum from VENDOR Where active = True order by id", "1235"),
        ("select Id, DisplayName from Vendor where Active IN (true,false) orderby Id asc", "12345"),
        ("select * from Vendor where Id in ('1', '3', '4') orderby Id", "13"),
        ("select * from Vendor where Id IN (1,3) orderby Id", "13"),
        ("select * from Vendor where DisplayName like 'a%'", "1"),
        ("select * from Vendor where CompanyName LIKE '%\\'s St%' and DisplayName >= 'B' orderby Id", "235"),
        ("select * from Vendor where CompanyName = 'B\\'s Store'", "2"),
        ("select * from Vendor where Metadata.LastUpdatedTime >= '2026-11-02T08:00:02-08:00' orderby Id", "35"),
        ("select * from Vendor where MetaData.CreateTime < '2026-11-02T16:00:01Z'", "1"),
        ("select * from Vendor where MetaData.CreateTime <= '2026-11-02' orderby Id", ""),
        ("select * from Vendor where Id > '2' and Active in (false)", "4"),
        ("select * from Vendor orderby Active, DisplayName desc startposition 2 maxresults 2", "32"),
        ("select * from Vendor orderby Id maxresults 1 startposition 4", "5"),
        ("select * from Vendor where Balance = 0 and (DisplayName = 'C')", "3"),
        ("select * from Vendor where Balance > '0.5'", ""),
        ("select * from Vendor;", "5321"),
        ("select * from Customer", ""),
    ],
)
async def test_what_clients_ask(vendors: Books, statement: str, ids: str) -> None:
    """Reference 3.7."""
    assert "".join(record["Id"] for record in await vendors.query(statement)) == ids
    posted = await vendors.call("POST", "query", statement)
    assert posted.status_code == 200, posted.text


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select from Vendor", "4000"),
        ("select * Vendor", "4000"),
        ("select * from Vendor where Id = '1' or Id = '2'", "4000"),
        ("select * from Vendor where not Id = '1'", "4000"),
        ("select * from Vendor where Id != '1'", "4000"),
        ("select * from Vendor where Id = 'open", "4000"),
        ("select * from Vendor where Id =", "4000"),
        ("select * from Vendor maxresults many", "4000"),
        ("select * from Vendor group by Id", "4000"),
        ("", "4000"),
        ("select * from Dragon", "4001"),
        ("select * from Vendor where PrivateNote = 'x'", "4001"),
        ("select * from PurchaseOrder where VendorRef = '1'", "4001"),
        ("select * from PurchaseOrder where POStatus = 'Open'", "4001"),
        ("select * from Vendor where Active = 'maybe'", "4001"),
        ("select * from Bill where TxnDate > 'yesterday'", "4001"),
        ("select * from Bill where TotalAmt > 'much'", "4001"),
        ("select * from Bill where MetaData.CreateTime > 'noon'", "4001"),
        ("select * from Vendor orderby Notes", "4001"),
    ],
)
async def test_what_cannot_be_read_or_filtered(books: Books, statement: str, code: str) -> None:
    """Reference 3.7, 7."""
    assert code_of(await books.call("GET", "query", query=statement)) == code


async def test_counts_pages_and_empty_answers(vendors: Books) -> None:
    """Reference 3.7: no match is an empty object; maxResults is what is returned here."""
    counted = await vendors.get("query", query="select count(*) from Vendor where Active in (true, false)")
    assert counted["QueryResponse"] == {"totalCount": 5}
    assert (await vendors.get("query", query="SELECT COUNT( * ) FROM Customer"))["QueryResponse"] == {"totalCount": 0}
    page = (await vendors.get("query", query="select * from Vendor startposition 3 maxresults 7"))["QueryResponse"]
    assert (page["startPosition"], page["maxResults"]) == (3, 2)
    assert (await vendors.get("query", query="select * from Vendor startposition 9"))["QueryResponse"] == {}


async def test_pages_have_a_hundred_records_and_at_most_a_thousand(books: Books) -> None:
    """Reference 3.7: a larger number is cut."""
    rows = [{"class_id": f"C-{number}"} for number in range(1100)]
    await books.room("/companies/quickbooks_online/load", {"classes": rows})
    assert len(await books.query("select * from Class")) == 100
    assert len(await books.query("select * from Class maxresults 5000")) == 1000
    assert len(await books.query("select * from Class startposition 1001 maxresults 1000")) == 100


async def test_the_order_without_one_is_a_switch(vendors: Books) -> None:
    """Reference 3.7: newest first was seen."""
    assert [record["Id"] for record in await vendors.query("select * from Vendor")] == ["5", "3", "2", "1"]
    await vendors.switch(query_order="oldest")
    assert [record["Id"] for record in await vendors.query("select * from Vendor")] == ["1", "2", "3", "5"]


async def test_an_id_is_compared_as_text(books: Books) -> None:
    """Reference 3.7: paging by key does not work."""
    await books.room("/companies/quickbooks_online/load", {"classes": [{"class_id": f"C-{n}"} for n in range(12)]})
    found = await books.query("select * from Class where Id > '2' orderby Id maxresults 1000")
    assert [record["Id"] for record in found] == ["3", "4", "5", "6", "7", "8", "9"]


async def test_filters_that_are_switches(books: Books) -> None:
    """Reference 3.7: VendorRef of bills, and characters outside ASCII."""
    order = await books.order()
    await books.save("Bill", bill_of(order, (1, "1")))
    assert len(await books.query("select * from Bill where VendorRef = '1'")) == 1
    assert await books.query("select * from Bill where DocNumber = 'Größe'") == []
    await books.switch(bill_vendor_filter="refused", non_ascii_query="refused")
    refused: Any = await books.call("GET", "query", query="select * from Bill where VendorRef = '1'")
    assert code_of(refused) == "4001"
    refused = await books.call("GET", "query", query="select * from Bill where DocNumber = 'Größe'")
    assert code_of(refused) == "4000"
    assert "Lexical error at line 1, column 41" in refused.json()["Fault"]["Error"][0]["Detail"]
    assert len(await books.query("select * from Bill where DocNumber = 'INV-1'")) == 1
