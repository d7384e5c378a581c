"""Bills and vendor credits as QuickBooks holds them, in our form; what is deleted there (reference 3.5, 6.2, 6.4)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.domain.bills import BillKind
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, Stream
from tests.unit.erp.quickbooks_online.service import PREFERENCES, STAMP, Service

LINES: list[dict[str, Any]] = [
    {
        "Id": "1", "Description": "Fence post", "Amount": 25.0, "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {"ItemRef": {"value": "11"}, "Qty": 1, "UnitPrice": 25},
    },
    {
        "Id": "2", "Description": "Freight", "Amount": "15.00", "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "77"}, "ClassRef": {"value": "5"}},
    },
    {"Id": "3", "Amount": 40, "DetailType": "SubTotalLineDetail"},
]  # fmt: skip


def a_document(**changed: Any) -> dict[str, Any]:
    return {
        "Id": "150", "SyncToken": "2", "DocNumber": "CR-7", "VendorRef": {"value": "56"}, "TxnDate": "2026-03-05",
        "TotalAmt": 40, "Balance": 40, "PrivateNote": "broken", "MetaData": {"LastUpdatedTime": STAMP}, "Line": LINES,
        **changed,
    }  # fmt: skip


@pytest.mark.parametrize("left", [40, 30, 0, None], ids=["unused", "used in part", "used up", "not said"])
async def test_a_vendor_credit_comes_in_as_a_bill_below_zero(left: int | None) -> None:
    """6.4: lines by item and by account; its balance is what is not used of it."""
    service = Service()
    service.documents["VendorCredit"].append(a_document(Balance=left))
    (credit,) = (await service.connector().bills.page(since=None, after=None)).records
    assert (credit.kind, credit.erp_id, credit.number, credit.vendor_id) == (BillKind.CREDIT, "VC150", "CR-7", "56")
    unused = 40 if left is None else left
    assert (credit.total, credit.due, credit.paid) == (-40, -unused, unused - 40)
    assert (credit.bill_date, credit.currency, credit.memo, credit.external_key) == (
        date(2026, 3, 5), "USD", "broken", None,
    )  # fmt: skip
    assert [(line.item_id, line.account, line.quantity, line.amount) for line in credit.lines] == [
        ("11", None, Decimal(-1), Decimal(-25)),
        (None, "77", None, Decimal(-15)),
    ]


async def test_a_bill_and_a_credit_with_the_same_id_are_two() -> None:
    """QuickBooks may count the ids of each kind apart; the bill names the order of its lines, the credit none."""
    service = Service()
    link = {"TxnId": "190", "TxnType": "PurchaseOrder", "TxnLineId": "1"}
    lines = [{**LINES[0], "LinkedTxn": [link]}, LINES[1]]
    service.documents["Bill"].append(a_document(Line=lines, Balance=15, LinkedTxn=[link]))
    service.documents["VendorCredit"].append(a_document())
    bill, credit = (await service.connector().bills.page(since=None, after=None)).records
    assert (bill.erp_id, credit.erp_id) == ("B150", "VC150")
    assert (bill.kind, bill.total, bill.due, bill.paid) == (BillKind.BILL, 40, 15, 25)
    assert (bill.order_document, [line.order_line for line in bill.lines]) == ("190", ["190:1", None])
    assert credit.order_document is None


@pytest.mark.parametrize("detected", [True, False], ids=["by the change detection", "by query"])
async def test_a_changed_credit_is_taken_in(detected: bool) -> None:
    """3.8: it is told from a bill in a change window too."""
    service = Service()
    service.now = datetime.now(UTC)
    connector = service.connector()
    since = f"{service.now - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
    changed = {"MetaData": {"LastUpdatedTime": f"{service.now:%Y-%m-%dT%H:%M:%SZ}"}}
    service.documents["Bill"].append(a_document(**changed))
    service.documents["VendorCredit"].append(a_document(**changed))
    if detected:
        change_set = await connector.changes.detect_changes({Stream.BILLS: since})
        assert {one.erp_id for one in change_set.record_versions} == {"B150", "VC150"}
    records = (await connector.bills.page(since=since, after=None)).records
    assert {(one.erp_id, one.kind, one.total) for one in records} == {
        ("B150", BillKind.BILL, 40),
        ("VC150", BillKind.CREDIT, -40),
    }


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"TotalAmt": "forty"}, "VALUE_NOT_READABLE"),
        ({"TotalAmt": None}, "MISSING_FIELD"),
        ({"TxnDate": "soon"}, "VALUE_NOT_READABLE"),
        ({"VendorRef": {}}, "MISSING_FIELD"),
    ],
)
@pytest.mark.parametrize("kind", ["Bill", "VendorCredit"])
async def test_one_that_cannot_be_read_is_named_and_the_others_come(
    kind: str, changed: dict[str, Any], code: str
) -> None:
    """One bad document stops nothing."""
    service = Service()
    service.documents[kind] += [a_document(**changed), a_document(Id="151")]
    page = await service.connector().bills.page(since=None, after=None)
    assert [one.erp_id[-3:] for one in page.records] == ["151"]
    assert [(one.code, one.evidence["number"]) for one in page.bad] == [(code, "CR-7")]


@pytest.mark.parametrize("home", ["USD", "CAD"])
async def test_the_home_currency_is_the_companys(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """6.10: a document that names no currency is in the company's own, which its preferences say."""
    monkeypatch.setitem(PREFERENCES, "CurrencyPrefs", {"HomeCurrency": {"value": home}})
    service = Service()
    service.documents["Bill"].append(a_document())
    service.documents["VendorCredit"].append(a_document(CurrencyRef={"value": "EUR"}))
    del service.documents["PurchaseOrder"][0]["CurrencyRef"]
    connector = service.connector()
    bill, credit = (await connector.bills.page(since=None, after=None)).records
    order = (await connector.orders.read(ErpId("190"))).purchase_order
    assert (bill.currency, credit.currency, order.currency) == (home, "EUR", home)
    assert (await connector.check()).base_currency == home


@pytest.mark.parametrize(
    ("kind", "deletions"),
    [
        ("PurchaseOrder", {(DeletedKind.PURCHASE_ORDER_DOCUMENT, "150")}),
        ("Bill", {(DeletedKind.PURCHASE_ORDER_DOCUMENT, "B150"), (DeletedKind.BILL, "B150")}),
        ("VendorCredit", {(DeletedKind.BILL, "VC150")}),
        ("BillPayment", {(DeletedKind.PAYMENT, "150")}),
    ],
)
@pytest.mark.parametrize("detected", [True, False], ids=["by the change detection", "by itself"])
async def test_deletions_of_each_kind(detected: bool, kind: str, deletions: set[tuple[DeletedKind, str]]) -> None:
    """3.8: the tombstone of each kind of document, under the id it was mirrored by; nobody takes it for a change."""
    service = Service()
    service.now = datetime.now(UTC)
    connector = service.connector()
    since = f"{service.now - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
    at = f"{service.now:%Y-%m-%dT%H:%M:%SZ}"
    service.deleted.append(
        (kind, {"domain": "QBO", "status": "Deleted", "Id": "150", "MetaData": {"LastUpdatedTime": at}})
    )
    if detected:
        streams = (Stream.PURCHASE_ORDERS, Stream.BILLS, Stream.PAYMENTS, Stream.DELETIONS)
        change_set = await connector.changes.detect_changes(dict.fromkeys(streams, since))
        assert {(one.stream, one.erp_id) for one in change_set.record_versions} == {
            (Stream.DELETIONS, next(iter(deletions))[1])
        }
    page = await connector.changes.deletions(since=since, after=None)
    assert page is not None
    assert {(one.kind, one.erp_id) for one in page.records} == deletions
    assert {one.deleted_at for one in page.records} == {at.replace("T", " ").removesuffix("Z")}
    for role in (connector.bills, connector.payments):
        assert list((await role.page(since=since, after=None)).records) == []
