"""What changed, in few calls, and what was deleted (reference 3.3, 5.1)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Stream
from tests.unit.erp.netsuite.service import (
    Service,
    bill,
    bill_item,
    clock,
    deleted,
    found,
    got,
    order,
    order_item,
    payment,
    receipt,
    record,
    ref,
)

PO, RECEIPTS, BILLS, PAYMENTS, LISTS, DELETIONS = (
    Stream.PURCHASE_ORDERS,
    Stream.RECEIPTS,
    Stream.BILLS,
    Stream.PAYMENTS,
    Stream.LISTS,
    Stream.DELETIONS,
)
CURSOR = "2031-07-01 00:00:00"


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


def cursors(*streams: Stream) -> dict[Stream, str]:
    return {stream: now() if stream is LISTS else CURSOR for stream in streams}


async def test_detecting_changes_is_three_calls(service: Service) -> None:
    """Issue 4: one search for all transactions, the delete feed, and vendors or items in turn."""
    service.script |= {"search": found(), "getDeleted": deleted()}
    connector = service.connect()
    for _ in range(2):
        change_set = await connector.changes.detect_changes(cursors(*Stream))
        assert (list(change_set.record_versions), change_set.unread) == ([], frozenset())
    assert sorted(service.operations()) == ["getDeleted"] * 2 + ["search"] * 4
    searched = [
        search[0].xpath("string(@*[local-name()='type'])").rpartition(":")[2] for search in service.sent("search")
    ]
    assert sorted(searched) == [
        "ItemSearchBasic",
        "TransactionSearchBasic",
        "TransactionSearchBasic",
        "VendorSearchBasic",
    ]


async def test_receipts_and_bills_touch_their_orders(service: Service) -> None:
    """Reference 5.1: lines of an order change without its own stamp; payments move what is due on bills."""
    documents = [receipt("201", "101"), bill("301", lines=[bill_item("102"), bill_item("103")]), payment("401", "301")]
    service.script["search"] = found(*documents)
    change_set = await service.connect().changes.detect_changes(cursors(PO, RECEIPTS, BILLS, PAYMENTS))
    latest: dict[tuple[Stream, str], str] = {}
    for stamp in change_set.record_versions:
        name = (stamp.stream, stamp.erp_id)
        latest[name] = max(stamp.revision, latest.get(name, ""))
    assert latest == {
        (RECEIPTS, "201"): "2031-07-01 08:00:00",
        (PO, "101"): "2031-07-01 08:00:00",
        (PO, "102"): "2031-07-01 09:00:00",
        (PO, "103"): "2031-07-01 09:00:00",
        # The payment came after the bill's own change; unapplied lines of its list say nothing.
        (BILLS, "301"): "2031-07-01 10:00:00",
        (PAYMENTS, "401"): "2031-07-01 10:00:00",
    }


async def test_streams_without_a_cursor_are_left_out(service: Service) -> None:
    """A first import asks nothing of what it has not read yet, but for how far the books are closed."""
    service.script["search"] = found(order(lines=[order_item()]), receipt())
    change_set = await service.connect().changes.detect_changes({PAYMENTS: CURSOR})
    assert not change_set.record_versions
    (search,) = service.sent("search")
    assert "_vendorPayment" in "".join(search.itertext())
    assert "_purchaseOrder" not in "".join(search.itertext())


async def test_an_order_names_vendors_and_items_we_may_not_hold(service: Service) -> None:
    """Vendors and items have their own turn; one that a changed order names is looked for at once."""
    service.script |= {"search": [found(order(lines=[order_item()])), found()], "getDeleted": deleted()}
    change_set = await service.connect().changes.detect_changes(cursors(PO, LISTS))
    named = {
        (stamp.kind, stamp.erp_id, stamp.revision) for stamp in change_set.record_versions if stamp.stream is LISTS
    }
    assert named == {("vendor", "5", ""), ("item", "31", "")}


async def test_what_a_change_set_named_is_not_read_again(service: Service) -> None:
    """Issue 4: a sync of few changed orders is the question for changes, and no call more."""
    service.script["search"] = found(order("101", lines=[order_item()]), order("102", "PO-2", lines=[order_item()]))
    connector = service.connect()
    window = (await connector.changes.detect_changes(cursors(PO))).window
    page = await connector.orders.headers(since=CURSOR, ordered_from=None, after=None, open_in=None, window=window)
    orders = await connector.orders.lines(page.records)
    assert [one.number for one in orders.records] == ["PO-1007", "PO-2"]
    assert [name for name in service.operations() if name != "getAll"] == ["search"]
    # What was used is used up: another reading asks again.
    await connector.orders.headers(since=CURSOR, ordered_from=None, after=None, open_in=None)
    assert len(service.sent("search")) > 1


async def test_what_another_run_detected_is_not_taken_for_this_runs(service: Service) -> None:
    """B8: an idle detection kept its empty window, and the run that followed within a minute found nothing new."""
    service.script["search"] = [found(), found(order("101", lines=[order_item()])), found()]
    connector = service.connect()
    assert (await connector.changes.detect_changes(cursors(PO))).window
    page = await connector.orders.headers(since=CURSOR, ordered_from=None, after=None, open_in=None, window="other")
    assert [one.number for one in page.records] == ["PO-1007"]


async def test_a_detection_that_reads_no_window_leaves_no_older_one(service: Service) -> None:
    """B8: 50 orders more than a page, after an idle detection."""
    pages = [
        found(*(order(str(number), lines=[order_item()]) for number in range(at, at + 100)), total=5001 - at, size=100)
        for at in range(1, 1101, 100)
    ]
    service.script["search"] = [found(), *pages]
    connector = service.connect()
    await connector.changes.detect_changes(cursors(PO))
    change_set = await connector.changes.detect_changes(cursors(PO))
    assert (change_set.unread, change_set.window) == (frozenset({PO}), "")


async def test_a_document_of_the_far_future_says_nothing_about_the_present(service: Service) -> None:
    """G7: the next window would begin in 2999, and no change came in any more."""
    service.script["search"] = found(payment("301", lastModifiedDate="2999-01-01T00:00:00.000-08:00"))
    connector = service.connect()
    for _ in range(2):
        await connector.changes.detect_changes(cursors(PO, PAYMENTS))
    said = service.sent("search")[-1].xpath("string(//*[local-name()='lastModifiedDate'])")
    assert said[:4] == "2031"


async def test_an_order_touched_after_it_was_shown_is_read_again(service: Service) -> None:
    """The search loads its rows one by one: a receipt behind the order may have moved it meanwhile."""
    service.script |= {
        "search": found(order("101", lines=[order_item()]), receipt("201", "101")),
        "getList": got(order("101", lines=[order_item(quantityReceived="4.0", quantityBilled="2.0")])),
    }
    connector = service.connect()
    await connector.changes.detect_changes(cursors(PO, RECEIPTS))
    page = await connector.orders.headers(since=CURSOR, ordered_from=None, after=None, open_in=None)
    (one,) = (await connector.orders.lines(page.records)).records
    assert (one.revision, one.lines[0].billed) == ("2031-07-01 08:00:00", 2)
    assert len(service.sent("getList")) == 1


async def test_an_order_that_did_not_change_itself_comes_with_its_receipt(service: Service) -> None:
    """Reference 5.1: known by the receipt alone, and read whole once."""
    quiet = order("101", lastModifiedDate="2031-01-01T00:00:00.000-08:00", lines=[order_item()])
    service.script |= {"search": [found(), found(receipt("201", "101"))], "getList": got(quiet)}
    connector = service.connect()
    page = await connector.orders.headers(since=CURSOR, ordered_from=None, after=None, open_in=None)
    (one,) = (await connector.orders.lines(page.records)).records
    assert (one.erp_id, one.revision, page.high_water) == ("101", "2031-07-01 08:00:00", "2031-07-01 08:00:00")
    assert len(service.sent("getList")) == 1


async def test_more_than_a_page_is_read_on_while_windows_are_close(service: Service) -> None:
    """250 changed orders: three pages, and no detail call after them."""
    pages = [
        found(*(order(str(number), f"PO-{number}", lines=[order_item()]) for number in numbers), total=left, size=100)
        for numbers, left in ((range(1, 101), 250), (range(101, 201), 150), (range(201, 251), 50))
    ]
    service.script["search"] = list(pages)
    connector = service.connect()
    change_set = await connector.changes.detect_changes(cursors(PO, RECEIPTS))
    assert not change_set.unread
    page = await connector.orders.headers(
        since=CURSOR, ordered_from=None, after=None, open_in=None, window=change_set.window
    )
    assert len((await connector.orders.lines(page.records)).records) == 250
    # The clock is asked once, because none of the 250 is later than the cursor: the next window begins there.
    assert [name for name in service.operations() if name != "getAll"] == ["search"] * 3 + ["getServerTime"]


async def test_a_stream_that_was_quiet_for_long_gets_a_window_of_its_own(service: Service) -> None:
    """Else a payment cursor of last year would have every order of a year read each time."""
    many = found(*(order(str(number), lines=[order_item()]) for number in range(1, 101)), total=5000, size=100)
    service.script["search"] = [many, found(order("101", lines=[order_item()])), found()]
    connector = service.connect()
    change_set = await connector.changes.detect_changes({PO: CURSOR, PAYMENTS: "2030-07-01 00:00:00"})
    assert not change_set.unread
    starts = [search.xpath("string(//*[local-name()='lastModifiedDate'])") for search in service.sent("search")]
    assert [start[:4] for start in starts] == ["2030", "2031", "2030"]
    # By now NetSuite's clock has reached that order's stamp: there was no payment before it.
    service.script["search"] = found()
    await connector.changes.detect_changes({PO: "2031-07-01 00:00:00", PAYMENTS: "2030-07-01 00:00:00"})
    assert service.sent("search")[-1].xpath("string(//*[local-name()='lastModifiedDate'])")[:4] == "2031"


async def test_a_clock_that_was_set_back_ends_what_is_known_to_be_quiet(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind 4: a payment of 07:00 came in at 08:00 only, as there had been none until then."""
    service.script["search"] = found(receipt())
    connector = service.connect()
    since = {PO: CURSOR, PAYMENTS: "2031-06-01 00:00:00"}
    await connector.changes.detect_changes(since)
    monkeypatch.setattr("tests.unit.erp.netsuite.service.DATE", "Tue, 01 Jul 2031 07:00:00 GMT")
    service.script["search"] = [found(receipt()), found(receipt(), payment("401", "301"))]
    change_set = await connector.changes.detect_changes(since)
    assert (PAYMENTS, "401") in {(one.stream, one.erp_id) for one in change_set.record_versions}
    *_, before, last = [one.xpath("string(//*[local-name()='lastModifiedDate'])") for one in service.sent("search")]
    assert last[:7] == "2031-05"
    assert before[:7] == "2031-06"


async def test_a_window_that_is_too_long_is_left_to_the_pages(service: Service) -> None:
    """After a long outage: the stream is read by its own pages, whatever we hold."""
    endless = [
        found(*(receipt(str(page * 100 + row)) for row in range(1, 101)), total=5000 - page * 100, size=100)
        for page in range(10)
    ]
    service.script["search"] = endless
    change_set = await service.connect().changes.detect_changes(cursors(RECEIPTS))
    assert (list(change_set.record_versions), change_set.unread) == ([], frozenset({RECEIPTS}))


async def test_lists_are_read_whole_once_an_hour(service: Service) -> None:
    """Accounts, departments and the other small lists carry no stamps; the closed books go with them."""
    period = {"periodName": "x", "isQuarter": "false", "isYear": "false"}
    periods = [
        record(
            "AccountingPeriod",
            str(number),
            {**period, "startDate": f"2031-0{number}-01T00:00:00-08:00", "endDate": f"2031-0{number}-28T00:00:00-08:00",
             "apLocked": locked},
            prefix="a",
        )
        for number, locked in ((1, "true"), (2, "true"), (3, "false"), (4, "true"))
    ]  # fmt: skip
    service.script["search"] = found(*periods)
    old = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%d %H:%M:%S}"
    change_set = await service.connect().changes.detect_changes({LISTS: old})
    assert change_set.unread == {LISTS}
    assert change_set.closed_through == {"": date(2031, 2, 28)}
    assert len(service.sent("search")) == 1
    lately = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    assert (await service.connect().changes.detect_changes({LISTS: lately})).closed_through == {}
    waited_for = await service.connect().changes.detect_changes({LISTS: lately}, with_books=True)
    assert waited_for.closed_through == {"": date(2031, 2, 28)}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("purchaseOrder", [(DeletedKind.PURCHASE_ORDER_DOCUMENT, None)]),
        ("itemReceipt", [(DeletedKind.PURCHASE_ORDER_DOCUMENT, None)]),
        ("vendorBill", [(DeletedKind.PURCHASE_ORDER_DOCUMENT, None), (DeletedKind.BILL, None)]),
        ("vendorCredit", [(DeletedKind.BILL, None)]),
        ("vendorPayment", [(DeletedKind.PAYMENT, None)]),
        ("vendor", [(DeletedKind.LIST_ENTRY, ListKind.VENDOR)]),
        ("inventoryItem", [(DeletedKind.LIST_ENTRY, ListKind.ITEM)]),
        ("job", [(DeletedKind.LIST_ENTRY, ListKind.PROJECT)]),
        ("customer", [(DeletedKind.LIST_ENTRY, ListKind.CUSTOMER)]),
        ("salesOrder", []),
    ],
)
async def test_deletions(service: Service, kind: str, expected: list[tuple[DeletedKind, ListKind | None]]) -> None:
    """S5-78, reference 3.3: a vendor bill is the document and the payable in one."""
    service.script["getDeleted"] = deleted((kind, "77"))
    page = await service.connect().changes.deletions(since=CURSOR, after=None)
    assert [(one.kind, one.list_kind) for one in page.records] == expected
    assert {(one.erp_id, one.deleted_at) for one in page.records} <= {(ErpId("77"), "2031-07-01 08:00:00")}


async def test_the_delete_feed_is_paged_by_number(service: Service) -> None:
    """Rows are only ever added to it."""
    service.script["getDeleted"] = [deleted(("purchaseOrder", "1"), pages=2), deleted(("purchaseOrder", "2"), pages=2)]
    connector = service.connect()
    first = await connector.changes.deletions(since=CURSOR, after=None)
    second = await connector.changes.deletions(since=CURSOR, after=first.after)
    assert (first.after, second.after) == ("2", None)
    assert [request.xpath("string(*[local-name()='pageIndex'])") for request in service.sent("getDeleted")] == [
        "1",
        "2",
    ]


async def test_lists_come_with_what_we_use_of_them(service: Service) -> None:
    """S2-06: keys are internal ids; banks are accounts, units are lines of their group."""
    stamp = {"lastModifiedDate": "2031-06-30T17:00:00.000-07:00"}
    vendor = {
        "entityId": "V100",
        "companyName": "Acme Tools",
        "isInactive": "true",
        "terms": ref("3", "Net 30"),
        **stamp,
    }
    units = {"name": "Box", "uomList": {"uom": [{"internalId": "4", "unitName": "Box", "conversionRate": "12.0"}]}}
    service.script["getServerTime"] = clock("2031-07-01T10:00:00.000Z")
    service.script["search"] = [
        found(record("Vendor", "5", {**vendor, "currency": ref("1")}, prefix="r")),
        found(
            record("InventoryItem", "31", {"itemId": "PAPER-A4", "unitsType": ref("2"), **stamp}, prefix="a"),
            record("ServicePurchaseItem", "32", {"itemId": "CLEAN", "class": ref("4", "Upkeep"), **stamp}, prefix="a"),
        ),
        found(
            record("Account", "7", {"acctType": "_bank", "acctNumber": "1000", "acctName": "Checking"}, prefix="a"),
            record("Account", "8", {"acctType": "_expense", "acctName": "Rent", "isInactive": "true"}, prefix="a"),
        ),
        found(record("Term", "3", {"name": "Net 30", "daysUntilNetDue": "30"}, prefix="a")),
        found(record("UnitsType", "2", units, prefix="a")),
    ]
    wanted = "vendor item gl_account bank_account term unit_group unit"
    kinds = [ListKind(kind) for kind in wanted.split()]
    page = await service.connect().lists.page(kinds, since=None, after=None)
    entries = {(entry.kind, entry.key): entry for entry in page.records}
    acme = entries[ListKind.VENDOR, "5"]
    assert (acme.name, acme.active, acme.revision) == ("Acme Tools", False, "2031-07-01 00:00:00")
    assert acme.attributes == {"number": "V100", "term": "3", "currency": "USD", "company_name": "Acme Tools"}
    assert entries[ListKind.ITEM, "31"].attributes == {"unit_group": "2", "item_type": "InventoryItem"}
    service_item = entries[ListKind.ITEM, "32"].attributes
    assert (service_item["category"], service_item["receivable"]) == ("Upkeep", "false")
    assert entries[ListKind.BANK_ACCOUNT, "7"].attributes == {"number": "1000", "account_type": "bank"}
    assert (ListKind.GL_ACCOUNT, "7") in entries
    assert not entries[ListKind.GL_ACCOUNT, "8"].active
    assert entries[ListKind.TERM, "3"].attributes == {"due_date": "30"}
    assert entries[ListKind.UNIT, "Box"].attributes == {"group": "2", "factor": "12"}
    # NetSuite's clock before reading: lists without stamps were read whole then.
    assert page.high_water == "2031-07-01 10:00:00"
