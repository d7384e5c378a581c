"""What changed and what was deleted: one call while it is little (reference 3.7, 3.8)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from erp.errors import ErpError, MalformedAnswer, Unavailable
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, MirroredIds, Stream
from tests.unit.erp.quickbooks_online.service import PO, Service

NOW = datetime.now(UTC).replace(microsecond=0)


def moment(ago: timedelta) -> str:
    return f"{NOW - ago:%Y-%m-%d %H:%M:%S}"


def stamp(ago: timedelta) -> str:
    return f"{NOW - ago:%Y-%m-%dT%H:%M:%SZ}"


def order(number: int, ago: timedelta, **changed: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(PO))
    copy |= {"Id": str(number), "DocNumber": f"PO-{number}", "MetaData": {"LastUpdatedTime": stamp(ago)}}
    return copy | changed


@pytest.fixture
async def service() -> Service:
    service = Service()
    service.documents["PurchaseOrder"] = [order(1, timedelta(days=10))]
    service.documents["Account"] = []
    service.now = NOW
    return service


ALL = (Stream.LISTS, Stream.PURCHASE_ORDERS, Stream.BILLS, Stream.PAYMENTS, Stream.DELETIONS)


def cursors(ago: timedelta = timedelta(hours=1)) -> dict[Stream, str]:
    return dict.fromkeys(ALL, moment(ago))


async def test_an_unchanged_sync_is_one_read(service: Service) -> None:
    """Change data capture for all kinds at once."""
    connector = service.connector()
    await connector.check()
    service.calls.clear()
    change_set = await connector.changes.detect_changes(cursors())
    assert (change_set.record_versions, change_set.unread) == ([], frozenset())
    assert len(service.reads()) == 1


TIME = {"time": stamp(timedelta())}


@pytest.mark.parametrize(
    ("said", "family"),
    [
        (TIME, MalformedAnswer),
        ({"CDCResponse": [], **TIME}, MalformedAnswer),
        ({"CDCResponse": None, **TIME}, MalformedAnswer),
        ({"CDCResponse": [None], **TIME}, MalformedAnswer),
        ({"CDCResponse": [{"QueryResponse": None}], **TIME}, MalformedAnswer),
        ({"CDCResponse": [{"QueryResponse": [None]}], **TIME}, MalformedAnswer),
        ({"CDCResponse": [{"QueryResponse": [{"PurchaseOrder": None}]}], **TIME}, MalformedAnswer),
        ({"CDCResponse": [{"Fault": {"Error": [{"code": "10000"}], "type": "SystemFault"}}], **TIME}, Unavailable),
    ],
)
async def test_an_answer_that_says_nothing_is_not_that_nothing_changed(
    service: Service, said: dict[str, Any], family: type[ErpError]
) -> None:
    """Issue 11: faults in all their shapes, inside HTTP 200 too: what changed comes with the next try."""
    connector = service.connector()
    await connector.check()
    service.documents["PurchaseOrder"].append(order(2, timedelta(minutes=1)))
    service.answer_first("cdc", lambda request: httpx.Response(200, json=said))
    with pytest.raises(family):
        await connector.changes.detect_changes(cursors())
    change_set = await connector.changes.detect_changes(cursors())
    assert {version.stream for version in change_set.record_versions} == {Stream.PURCHASE_ORDERS}


async def test_a_query_without_its_answer_finds_no_nothing(service: Service) -> None:
    """A look-up that is answered so is no proof that a document is not there."""
    connector = service.connector()
    await connector.check()
    service.answer_first("query", lambda request: httpx.Response(200, json=TIME))
    with pytest.raises(MalformedAnswer):
        await connector.orders.headers(
            since=moment(timedelta(days=40)), ordered_from=None, after=None, open_in=None, window=None
        )


async def test_what_was_detected_is_not_read_again(service: Service) -> None:
    """The answer has whole records: the sync run that follows reads nothing."""
    connector = service.connector()
    await connector.check()
    service.documents["PurchaseOrder"] += [order(number, timedelta(minutes=1)) for number in range(2, 12)]
    service.deleted = [
        ("Bill", {"Id": "150", "status": "Deleted", "MetaData": {"LastUpdatedTime": stamp(timedelta())}})
    ]
    service.calls.clear()
    change_set = await connector.changes.detect_changes(cursors())
    assert {version.stream for version in change_set.record_versions} == {Stream.PURCHASE_ORDERS, Stream.DELETIONS}
    page = await connector.orders.headers(since=cursors()[Stream.PURCHASE_ORDERS], ordered_from=None, after=None,
                                          open_in=None, window=change_set.window)  # fmt: skip
    orders = await connector.orders.lines(page.records)
    assert len(orders.records) == 10
    deletions = await connector.changes.deletions(since=cursors()[Stream.DELETIONS], after=None)
    assert deletions is not None
    assert [(one.kind, one.erp_id) for one in deletions.records] == [
        (DeletedKind.PURCHASE_ORDER_DOCUMENT, "B150"),
        (DeletedKind.BILL, "B150"),
    ]
    assert len(service.reads()) == 1


async def test_another_worker_reads_the_same(service: Service) -> None:
    """What a connector remembers is a saving, never a truth."""
    service.documents["PurchaseOrder"] += [order(number, timedelta(minutes=1)) for number in range(2, 12)]
    for connector in (service.connector(), service.connector()):
        page = await connector.orders.headers(since=cursors()[Stream.PURCHASE_ORDERS], ordered_from=None, after=None,
                                              open_in=None)  # fmt: skip
        assert len((await service.connector().orders.lines(page.records)).records) == 10


@pytest.mark.parametrize("moves", [True, False])
async def test_a_bill_made_there_moves_its_order(service: Service, moves: bool) -> None:
    """3.8: whether QuickBooks moves the order's own time or not."""
    (ordered,) = service.documents["PurchaseOrder"]
    ordered["Line"][0]["Received"] = 1
    ordered["LinkedTxn"] = [{"TxnId": "300", "TxnType": "Bill"}]
    if moves:
        ordered["MetaData"]["LastUpdatedTime"] = stamp(timedelta(minutes=1))
    link = {"TxnId": "1", "TxnType": "PurchaseOrder", "TxnLineId": "1"}
    service.documents["Bill"].append(
        {
            "Id": "300", "SyncToken": "0", "MetaData": {"LastUpdatedTime": stamp(timedelta(minutes=1))},
            "DocNumber": "THEIRS", "VendorRef": {"value": "56"}, "TxnDate": "2026-03-02", "TotalAmt": 25, "Balance": 25,
            "LinkedTxn": [{"TxnId": "1", "TxnType": "PurchaseOrder"}],
            "Line": [{"Id": "1", "Amount": 25, "DetailType": "ItemBasedExpenseLineDetail", "LinkedTxn": [link],
                      "ItemBasedExpenseLineDetail": {"ItemRef": {"value": "11"}, "Qty": 1}}],
        }
    )  # fmt: skip
    since = cursors()[Stream.PURCHASE_ORDERS]
    connector = service.connector()
    change_set = await connector.changes.detect_changes({Stream.PURCHASE_ORDERS: since})
    assert {version.erp_id for version in change_set.record_versions} == {"1"}
    for reader in (connector, service.connector()):
        page = await reader.orders.headers(since=since, ordered_from=None, after=None, open_in=None)
        (moved,) = (await reader.orders.lines(page.records)).records
        assert (moved.erp_status, moved.lines[0].billed) == ("Open, partly billed", 1)
        assert moved.revision == max(version.revision for version in change_set.record_versions)


async def test_a_thousand_changed_orders(service: Service) -> None:
    """3 calls and 1 more for each 1,000; the scan of the ids, as deletions may lie beyond the answer, comes on top."""
    connector = service.connector()
    await connector.check()
    service.documents["PurchaseOrder"] += [order(number, timedelta(seconds=2000 - number)) for number in range(2, 1002)]
    service.calls.clear()
    change_set = await connector.changes.detect_changes(cursors())
    assert change_set.unread == {Stream.PURCHASE_ORDERS, Stream.DELETIONS}
    since = cursors()[Stream.PURCHASE_ORDERS]
    seen: list[str] = []
    after = None
    while True:
        page = await connector.orders.headers(since=since, ordered_from=None, after=after, open_in=None,
                                              window=change_set.window)  # fmt: skip
        seen += [one.number for one in (await connector.orders.lines(page.records)).records]
        after = page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 1000
    assert await connector.changes.deletions(since=cursors()[Stream.DELETIONS], after=None) is None
    # Of all kinds, of the orders alone, of the others together; and the page of the orders, which one second fills.
    assert len(service.reads()) == 3 + 1, [str(call.url) for call in service.reads()]
    service.calls.clear()
    mirrored = [ErpId(str(number)) for number in range(1, 1002)]
    gone = await connector.scan.scan([MirroredIds(DeletedKind.PURCHASE_ORDER_DOCUMENT, None, mirrored)])
    assert (list(gone.gone), len(service.reads())) == ([], 2)


async def test_a_first_import_reads_each_order_once(service: Service) -> None:
    """Pages beyond what a connector keeps: the orders of the present page are never the ones that make room."""
    service.documents["PurchaseOrder"] = [order(number, timedelta(days=1)) for number in range(1, 4501)]
    connector = service.connector()
    await connector.check()
    service.calls.clear()
    seen, after = 0, None
    while True:
        page = await connector.orders.headers(since=None, ordered_from=None, after=after, open_in=None)
        seen += len((await connector.orders.lines(page.records)).records)
        after = page.after
        if after is None:
            break
    assert (seen, len(service.reads())) == (4500, 5)


async def test_records_of_one_second_neither_loop_nor_are_lost(service: Service) -> None:
    """1,500 records of one time: found by id inside that second."""
    service.documents["PurchaseOrder"] = [order(number, timedelta(minutes=5)) for number in range(1, 1501)]
    service.documents["PurchaseOrder"].append(order(9000, timedelta(minutes=1)))
    connector = service.connector()
    seen: list[str] = []
    after, pages = None, 0
    while True:
        page = await connector.orders.headers(since=cursors()[Stream.PURCHASE_ORDERS], ordered_from=None, after=after,
                                              open_in=None)  # fmt: skip
        seen += [one.erp_id for one in page.records]
        after, pages = page.after, pages + 1
        if after is None:
            break
    assert (len(seen), len(set(seen))) == (1501, 1501)
    assert pages <= 4


async def test_older_than_change_data_capture_reaches(service: Service) -> None:
    """30 days: read by query, deletions by a scan of the ids."""
    connector = service.connector()
    await connector.check()
    service.calls.clear()
    old = cursors() | {Stream.PURCHASE_ORDERS: moment(timedelta(days=40)), Stream.DELETIONS: moment(timedelta(days=40))}
    change_set = await connector.changes.detect_changes(old)
    assert change_set.unread == {Stream.PURCHASE_ORDERS, Stream.DELETIONS}
    (call,) = service.reads()
    assert "changedSince" in str(call.url)
    assert await connector.changes.deletions(since=old[Stream.DELETIONS], after=None) is None


async def test_a_quiet_stream_does_not_lengthen_the_window(service: Service) -> None:
    """A cursor stays while nothing changes; the window begins where the last one ended."""
    connector = service.connector()
    since = cursors() | {Stream.PAYMENTS: moment(timedelta(days=20))}
    await connector.changes.detect_changes(since)
    service.calls.clear()
    await connector.changes.detect_changes(since)
    (call,) = service.reads()
    assert f"changedSince={(NOW - timedelta(days=1)):%Y}" in str(call.url)
    assert (NOW - timedelta(days=20)).strftime("%Y-%m-%d") not in str(call.url)


async def test_a_clock_that_was_set_back_ends_what_is_known_to_be_quiet(service: Service) -> None:
    """Kind 4: what changed after the clock there was set back lies before the time until which a stream was quiet."""
    connector = service.connector()
    since = cursors(timedelta(days=5))
    await connector.changes.detect_changes(since)
    service.now = NOW - timedelta(days=2)
    service.documents["PurchaseOrder"].append(order(2, timedelta(days=2)))
    change_set = await connector.changes.detect_changes(since)
    assert (Stream.PURCHASE_ORDERS, "2") in {(one.stream, one.erp_id) for one in change_set.record_versions}


async def test_the_scan_asks_again_for_what_it_misses(service: Service) -> None:
    """Bills and orders may have the same id; what the ids leave out and a query by id shows is not gone."""
    service.documents["Bill"] = [{"Id": "1"}]
    result = await service.connector().scan.scan(
        [
            MirroredIds(DeletedKind.PURCHASE_ORDER_DOCUMENT, None, [ErpId("1"), ErpId("7"), ErpId("B1"), ErpId("B8")]),
            MirroredIds(DeletedKind.PAYMENT, None, [ErpId("5")]),
        ]
    )
    assert [(group.kind, list(group.erp_ids)) for group in result.gone] == [
        (DeletedKind.PURCHASE_ORDER_DOCUMENT, ["7", "B8"]),
        (DeletedKind.PAYMENT, ["5"]),
    ]
