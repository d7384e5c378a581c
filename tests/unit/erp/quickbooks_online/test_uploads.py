"""Orders of another system on the wire: as the reference shows them, and as the vendor's schema has them."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from models.domain.bills import BillLineSource, BillLineToPush, BillToPush
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.source_orders import LineToUpload, OrderToUpload, UploadAs
from tests.unit.erp.quickbooks_online.service import Service


def an_order(upload_as: UploadAs, **changes: Any) -> OrderToUpload:
    values: dict[str, Any] = {
        "external_key": ExternalKey("PSS-1"),
        "upload_as": upload_as,
        "vendor_id": "56",
        "number": "INV-2026-000123PO-100",
        "reference": "INV-2026-000123PO-100045-A",
        "dated": date(2026, 3, 2),
        "due_on": date(2026, 4, 1),
        "currency": "USD",
        "memo": "for the site",
        "lines": (
            LineToUpload(line_no=1, item_id="11", quantity=Decimal(2), price=Decimal(25), amount=Decimal(50)),
            LineToUpload(line_no=2, item_id="11", quantity=Decimal(3), price=Decimal("1.115"), amount=Decimal("3.34")),
            LineToUpload(line_no=3, account_id="77", description="Freight", amount=Decimal(15), class_id="5"),
        ),
        **changes,
    }
    return OrderToUpload(**values)


@pytest.mark.parametrize(("upload_as", "path"), [(UploadAs.BILL, "bill"), (UploadAs.PURCHASE_ORDER, "purchaseorder")])
async def test_the_document_that_is_sent(upload_as: UploadAs, path: str) -> None:
    """S3-04, 06, 13: 21 characters, the whole reference in the note; items and accounts by id; no link to any order."""
    service = Service()
    sink = service.connector().order_sink
    await sink.create(an_order(upload_as))
    (call,) = service.writes()
    body = json.loads(call.content)
    assert call.url.path.endswith(f"/{path}")
    assert (body["DocNumber"], body["TxnDate"], body["DueDate"]) == (
        "INV-2026-000123PO-100",
        "2026-03-02",
        "2026-04-01",
    )
    assert body["PrivateNote"] == "for the site\nReference: INV-2026-000123PO-100045-A\n[posync PSS-1]"
    assert "LinkedTxn" not in body
    items = [line.get("ItemBasedExpenseLineDetail") for line in body["Line"]]
    assert items[:2] == [
        {"ItemRef": {"value": "11"}, "Qty": 2, "UnitPrice": 25},
        {"ItemRef": {"value": "11"}, "Qty": 3},  # 3 times 1.115 is 3.345, not 3.34: QuickBooks works the price out
    ]
    assert body["Line"][2]["AccountBasedExpenseLineDetail"] == {
        "AccountRef": {"value": "77"},
        "ClassRef": {"value": "5"},
    }


ITEM, ACCOUNT = "ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail"
AN_ORDER = [{"TxnId": "190", "TxnType": "PurchaseOrder", "TxnLineId": "1"}]

DIFFERENCES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda one: one["VendorRef"].update(value="57"), "the vendor"),
    (lambda one: one.update(DocNumber="OTHER"), "the number"),
    (lambda one: one.update(PrivateNote=one["PrivateNote"].replace("PSS-1", "PSS-2")), "our key"),
    (lambda one: one.update(PrivateNote=one["PrivateNote"].replace("Reference", "Other")), "the memo"),
    (lambda one: one.update(TxnDate="2026-03-03"), "the date"),
    (lambda one: one.update(DueDate="2026-04-02"), "the due date"),
    (lambda one: one.update(CurrencyRef={"value": "CAD"}), "the currency"),
    (lambda one: one.update(TotalAmt=68.33), "the total"),
    (lambda one: one["Line"].pop(), "the number of lines"),
    (lambda one: one["Line"][0][ITEM]["ItemRef"].update(value="12"), "line 1, the item"),
    (lambda one: one["Line"][0][ITEM].update(Qty=3), "line 1, the quantity"),
    (lambda one: one["Line"][0][ITEM].pop("Qty"), "line 1, the quantity"),
    (lambda one: one["Line"][0][ITEM].update(UnitPrice=24), "line 1, the price"),
    (lambda one: one["Line"][0].update(Amount=49), "line 1, the amount"),
    (lambda one: one["Line"][2].update(Description="Fright"), "line 3, the description"),
    (lambda one: one["Line"][2][ACCOUNT]["AccountRef"].update(value="78"), "line 3, the account"),
    (lambda one: one["Line"][2][ACCOUNT].pop("ClassRef"), "line 3, the class"),
    (lambda one: one["Line"][0].update(LinkedTxn=AN_ORDER), "the orders it is linked to"),
]


@pytest.mark.parametrize(("change", "what"), DIFFERENCES, ids=[what for _, what in DIFFERENCES])
@pytest.mark.parametrize("upload_as", list(UploadAs))
async def test_whatever_differs_in_quickbooks_is_told(
    upload_as: UploadAs, change: Callable[[Any], Any], what: str
) -> None:
    """Issue 11: the answer is the read-back: total, every line, every link compared."""
    service = Service()
    sink = service.connector().order_sink
    order = an_order(upload_as)
    erp_id = await sink.create(order)
    kind = {UploadAs.BILL: "Bill", UploadAs.PURCHASE_ORDER: "PurchaseOrder"}[upload_as]
    stored = service.one(kind, erp_id)
    stored["TotalAmt"] = 68.34
    assert (await service.connector().order_sink.read_back(order, erp_id)).differences == ()
    change(stored)
    (difference,) = (await service.connector().order_sink.read_back(order, erp_id)).differences
    assert difference.startswith(f"{what}: sent ")


def a_bill(key: str, *, may_repeat_number: bool) -> BillToPush:
    line = BillLineToPush(
        line_no=1,
        item_id="11",
        description="Fence post",
        quantity=Decimal(1),
        unit="",
        price=Decimal(25),
        amount=Decimal(25),
        order_line=ErpId("190:1"),
        source=BillLineSource(document_id=DocumentId("190"), line=ErpId("190:1")),
    )
    return BillToPush(
        external_key=ExternalKey(key),
        vendor_id="56",
        number=f"INV-{key}",
        order_document=DocumentId("190"),
        order_number="PO-1007",
        bill_date=date(2026, 3, 5),
        posting_date=date(2026, 3, 5),
        currency="USD",
        total=Decimal(25),
        lines=(line,),
        may_repeat_number=may_repeat_number,
    )


async def test_only_a_persons_decision_lets_a_number_repeat() -> None:
    """6.2: `allowduplicatedocnum` goes out for the document that somebody decided on, and for no other."""
    service = Service()
    connector = service.connector()
    for key, may_repeat in (("PSB-1", False), ("PSB-2", True)):
        await connector.bills.create(a_bill(key, may_repeat_number=may_repeat))
    await connector.order_sink.create(an_order(UploadAs.BILL, may_repeat_number=True))
    included = [parse_qs(urlsplit(str(call.url)).query).get("include") for call in service.writes()]
    assert included == [None, ["allowduplicatedocnum"], ["allowduplicatedocnum"]]
