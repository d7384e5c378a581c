"""Queries: filters, iterators, what is missing, what is asked of the fields (reference 2.4, 3.5)."""

from datetime import datetime
from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_desktop.pc import Pc

FIRST = '<PurchaseOrderQueryRq iterator="Start"><MaxReturned>2</MaxReturned></PurchaseOrderQueryRq>'
NEXT = '<PurchaseOrderQueryRq iterator="Continue" iteratorID="{}"><MaxReturned>2</MaxReturned></PurchaseOrderQueryRq>'


def numbers(answer: Any) -> list[str | None]:
    return [one.findtext("RefNumber") for one in answer]


async def five(pc: Pc) -> None:
    for at in range(1, 6):
        await pc.order(f"PO-{at}", "1", po_date=f"2026-10-0{at}", modified_at=f"2026-10-0{at}T12:00:00Z")


async def test_an_iterator_goes_through_all_pages(pc: Pc) -> None:
    await five(pc)
    first = pc.ask(FIRST)
    assert (numbers(first), first.get("iteratorRemainingCount")) == (["PO-1", "PO-2"], "3")
    more = pc.ask(NEXT.format(first.get("iteratorID")))
    last = pc.ask(NEXT.format(first.get("iteratorID")))
    assert (numbers(more), numbers(last)) == (["PO-3", "PO-4"], ["PO-5"])
    assert last.get("iteratorRemainingCount") == "0"
    assert pc.ask(NEXT.format(first.get("iteratorID"))).get("statusCode") == "3391"


async def test_an_iterator_ends_with_its_session(pc: Pc) -> None:
    await five(pc)
    first = pc.ask(FIRST)
    pc.open()
    assert pc.ask(NEXT.format(first.get("iteratorID"))).get("statusCode") == "3391"


async def test_stop_frees_an_iterator(pc: Pc) -> None:
    await five(pc)
    first = pc.ask(FIRST)
    stop = f'<PurchaseOrderQueryRq iterator="Stop" iteratorID="{first.get("iteratorID")}"/>'
    assert pc.ask(stop).get("statusCode") == "0"
    assert pc.ask(NEXT.format(first.get("iteratorID"))).get("statusCode") == "3391"


@pytest.mark.parametrize(("word", "seen"), [("new_state", ["PO-3", "PO-4"]), ("missed", ["PO-4"])])
async def test_what_changes_meanwhile_may_be_missed(pc: Pc, word: str, seen: list[str]) -> None:
    await five(pc)
    await pc.switch(iterator_changes=word)
    first = pc.ask(FIRST)
    await pc.does("edit_purchase_order", number="PO-3", memo="changed")
    more = pc.ask(NEXT.format(first.get("iteratorID")))
    assert numbers(more) == seen
    assert more[0].findtext("Memo") == ("changed" if word == "new_state" else None)


async def test_what_is_deleted_meanwhile_does_not_come(pc: Pc) -> None:
    await five(pc)
    first = pc.ask(FIRST)
    await pc.does("delete", kind="purchase_order", number="PO-3")
    assert numbers(pc.ask(NEXT.format(first.get("iteratorID")))) == ["PO-4"]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<RefNumber>po-2</RefNumber>", ["PO-2"]),
        ("<RefNumberCaseSensitive>po-2</RefNumberCaseSensitive>", []),
        ("<MaxReturned>2</MaxReturned>", ["PO-1", "PO-2"]),
        (
            "<TxnDateRangeFilter><FromTxnDate>2026-10-02</FromTxnDate><ToTxnDate>2026-10-03</ToTxnDate></TxnDateRangeFilter>",
            ["PO-2", "PO-3"],
        ),
        (
            "<ModifiedDateRangeFilter><FromModifiedDate>2026-10-04</FromModifiedDate></ModifiedDateRangeFilter>",
            ["PO-4", "PO-5"],
        ),
        ("<EntityFilter><FullName>v-1</FullName></EntityFilter>", ["PO-1", "PO-2", "PO-3", "PO-4", "PO-5"]),
        ("<EntityFilter><FullName>V-9</FullName></EntityFilter>", []),
        (
            "<RefNumberFilter><MatchCriterion>EndsWith</MatchCriterion><RefNumber>-5</RefNumber></RefNumberFilter>",
            ["PO-5"],
        ),
        (
            "<RefNumberRangeFilter><FromRefNumber>PO-4</FromRefNumber></RefNumberRangeFilter>",
            ["PO-4", "PO-5"],
        ),
    ],
)
async def test_filters(pc: Pc, inner: str, expected: list[str]) -> None:
    await five(pc)
    answer = pc.ask(f"<PurchaseOrderQueryRq>{inner}</PurchaseOrderQueryRq>")
    assert numbers(answer) == expected
    assert answer.get("statusCode") == ("0" if expected else "1")


async def test_a_range_that_ends_before_it_begins_is_3030(pc: Pc) -> None:
    inner = "<FromModifiedDate>2026-10-04</FromModifiedDate><ToModifiedDate>2026-10-03</ToModifiedDate>"
    asked = f"<PurchaseOrderQueryRq><ModifiedDateRangeFilter>{inner}</ModifiedDateRangeFilter></PurchaseOrderQueryRq>"
    assert pc.ask(asked).get("statusCode") == "3030"


async def test_ids_that_are_missing_are_a_warning(pc: Pc) -> None:
    await five(pc)
    order = await pc.one("purchase_orders", "PO-1")
    some = pc.ask(f"<PurchaseOrderQueryRq><TxnID>{order['record_no']}</TxnID><TxnID>9-9</TxnID></PurchaseOrderQueryRq>")
    assert (some.get("statusCode"), some.get("statusSeverity"), len(some)) == ("500", "Warn", 1)
    none = "<PurchaseOrderQueryRq><TxnID>9-9</TxnID></PurchaseOrderQueryRq>"
    assert pc.ask(none).get("statusCode") == "500"
    await pc.switch(missing_ids="1")
    assert pc.ask(none).get("statusCode") == "1"


async def test_lines_and_links_are_missing_unless_asked_for(pc: Pc) -> None:
    await five(pc)
    await pc.does("bill", number="PO-1", invoice_number="INV-1")
    bare = pc.ask("<PurchaseOrderQueryRq><RefNumber>PO-1</RefNumber></PurchaseOrderQueryRq>")[0]
    assert bare.find("PurchaseOrderLineRet") is None
    assert bare.find("LinkedTxn") is None


async def test_fields_may_be_chosen_and_counted(pc: Pc) -> None:
    await five(pc)
    chosen = "<IncludeRetElement>TxnID</IncludeRetElement><IncludeRetElement>RefNumber</IncludeRetElement>"
    answer = pc.ask(f'<PurchaseOrderQueryRq metaData="MetaDataAndResponseData">{chosen}</PurchaseOrderQueryRq>')
    assert answer.get("retCount") == "5"
    assert [child.tag for child in answer[0]] == ["TxnID", "RefNumber"]
    counted = pc.ask('<PurchaseOrderQueryRq metaData="MetaDataOnly"/>')
    assert (counted.get("retCount"), len(counted)) == ("5", 0)


async def test_lists_show_active_entries_unless_asked(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    await pc.does("edit_vendor", number="V-1", status="inactive")
    assert pc.ask("<VendorQueryRq/>").get("statusCode") == "1"
    everybody = pc.ask("<VendorQueryRq><ActiveStatus>All</ActiveStatus></VendorQueryRq>")
    assert everybody[0].findtext("IsActive") == "false"


@pytest.mark.parametrize(
    ("request_name", "expected"),
    [
        ("AccountQueryRq", "AccountRet"),
        ("TermsQueryRq", "StandardTermsRet"),
        ("ItemQueryRq", "ItemInventoryRet"),
        ("ItemInventoryQueryRq", "ItemInventoryRet"),
        ("ClassQueryRq", "ClassRet"),
        ("UnitOfMeasureSetQueryRq", "UnitOfMeasureSetRet"),
        ("VendorQueryRq", "VendorRet"),
    ],
)
async def test_every_list_can_be_read(pc: Pc, request_name: str, expected: str) -> None:
    units = [
        {"unit_group": "Boxes", "unit": "Each", "factor": "1"},
        {"unit_group": "Boxes", "unit": "Box", "factor": "12"},
    ]
    items = [{"item_id": "ITEM-1", "item_type": "Inventory", "unit_group": "Boxes"}]
    classes = [{"class_id": "A", "name": "Alpha"}, {"class_id": "B", "name": "Beta", "parent_id": "A"}]
    await pc.load(units=units, items=items, classes=classes)
    await pc.order("PO-1", "1")
    answer = pc.ask(f"<{request_name}/>")
    assert {child.tag for child in answer} == {expected}
    if request_name == "ClassQueryRq":
        assert [one.findtext("FullName") for one in answer] == ["Alpha", "Alpha:Beta"]
        assert answer[1].findtext("ParentRef/FullName") == "Alpha"


async def test_accounts_may_be_asked_by_type(pc: Pc) -> None:
    answer = pc.ask("<AccountQueryRq><AccountType>Bank</AccountType></AccountQueryRq>")
    assert {one.findtext("AccountType") for one in answer} == {"Bank"}


async def test_deleted_entries_of_lists_are_told(pc: Pc) -> None:
    await pc.load(vendors=[{"vendor_id": "V-9", "name": "Nobody"}])
    await pc.does("delete", kind="vendor", number="V-9")
    told = pc.ask("<ListDeletedQueryRq><ListDelType>Vendor</ListDelType></ListDeletedQueryRq>")
    assert told[0].findtext("FullName") == "Nobody"


async def test_an_entry_that_is_used_cannot_be_deleted(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    assert await pc.refused("delete", kind="vendor", number="V-1") == "3160"


@pytest.mark.parametrize(
    ("word", "expected"), [("created", ["PO-1", "PO-5"]), ("newest", ["PO-5", "PO-1"]), ("modified", ["PO-2", "PO-1"])]
)
async def test_the_order_of_what_is_found(pc: Pc, word: str, expected: list[str]) -> None:
    await five(pc)
    await pc.room("/clock", {"now": datetime(2026, 11, 1).isoformat()})  # noqa: DTZ001
    await pc.does("edit_purchase_order", number="PO-1", memo="newest change")
    await pc.switch(query_order=word)
    found = numbers(pc.ask("<PurchaseOrderQueryRq/>"))
    assert [found[0], found[-1]] == expected


async def test_a_merged_vendor_looks_deleted_and_its_orders_are_the_others(pc: Pc) -> None:
    await pc.order("PO-1", "10")
    await pc.load(vendors=[{"vendor_id": "V-2", "name": "Two"}])
    await pc.does("receive", number="PO-1")
    await pc.does("merge", kind="vendor", number="V-1", into="V-2")
    told = pc.ask("<ListDeletedQueryRq><ListDelType>Vendor</ListDelType></ListDeletedQueryRq>")
    assert told[0].findtext("FullName") == "V-1"
    assert (await pc.one("purchase_orders", "PO-1"))["vendor_id"] == "V-2"
    assert ("payable", "V-2") in await pc.ledger()
