"""Orders as QuickBooks holds them, in our form (reference 6.1, 6.2)."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from erp.quickbooks_online import statuses, translate
from erp.quickbooks_online.translate import Unusable
from models.domain import exact_json
from models.domain.connections import MatchMode
from models.domain.orders import LineBasis, MatchingStatus, PoStatus, PurchaseOrder
from tests.unit.erp.quickbooks_online.service import PO, Service


def order(status: str = "Open", received: tuple[Any, Any] = (0, 0), **changed: Any) -> PurchaseOrder:
    copy = json.loads(json.dumps(PO)) | {"POStatus": status} | changed
    for line, billed in zip(copy["Line"], received, strict=False):
        if billed is None:
            del line["Received"]
        else:
            line["Received"] = billed
    return translate.order(exact_json.read(json.dumps(copy)), "USD")


@pytest.mark.parametrize(
    ("status", "received", "text", "po", "matching"),
    [
        ("Open", (0, 0), "Open", PoStatus.UNFILLED, MatchingStatus.ACTIVE),
        ("Open", (1, 0), "Open, partly billed", PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED),
        ("Open", (0, 7.5), "Open, partly billed", PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED),
        ("Closed", (2, 15), "Closed, all billed", PoStatus.FILLED, MatchingStatus.CLOSED),
        ("Closed", (3, 20), "Closed, all billed", PoStatus.FILLED, MatchingStatus.CLOSED),
        ("Closed", (1, 15), "Closed", PoStatus.CLOSED, MatchingStatus.CLOSED),
        ("Closed", (0, 0), "Closed", PoStatus.CLOSED, MatchingStatus.CLOSED),
    ],
)
def test_every_status(
    status: str, received: tuple[Any, Any], text: str, po: PoStatus, matching: MatchingStatus
) -> None:
    """Two words of QuickBooks, four of ours: "partly" is read from the lines."""
    read = order(status, received)
    assert read.erp_status == text
    for mode in MatchMode:
        assert statuses.order_statuses(text, mode) == (po, matching)


def test_an_unknown_status_stays_as_it_is() -> None:
    """UNKNOWN_ERP_STATUS, never a silent default."""
    assert order("Draft").erp_status == "Draft"
    assert statuses.order_statuses("Draft", MatchMode.TWO_WAY) is None
    assert statuses.order_statuses(order("").erp_status, MatchMode.TWO_WAY) is None


def test_the_lines_of_the_reference() -> None:
    """An item by quantity, an account by amount; numbers exact, and as text too."""
    read = order(received=("1", "7.5"), TotalAmt="65.00")
    item, account = read.lines
    assert (item.erp_id, item.item_id, item.quantity, item.price, item.amount, item.billed, item.billed_amount) == (
        "190:1", "11", 2, 25, 50, 1, 25,
    )  # fmt: skip
    assert (account.erp_id, account.item_id, account.basis) == ("190:2", "account:77", LineBasis.AMOUNT)
    assert (account.quantity, account.price, account.billed, account.billed_amount) == (
        1, 15, Decimal("0.5"), Decimal("7.5"),
    )  # fmt: skip
    assert (read.number, read.vendor_id, read.total, read.due_on is not None) == ("PO-1007", "56", 65, True)
    assert read.revision == "2026-03-02 16:15:22 0000000000"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Line": []}, "NO_LINES"),
        ({"VendorRef": {}}, "MISSING_FIELD"),
        ({"TxnDate": "soon"}, "VALUE_NOT_READABLE"),
        ({"TotalAmt": "many"}, "VALUE_NOT_READABLE"),
        ({"TotalAmt": True}, "VALUE_NOT_READABLE"),
        ({"MetaData": {}}, "MISSING_FIELD"),
        ({"MetaData": {"LastUpdatedTime": "yesterday"}}, "VALUE_NOT_READABLE"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], code: str) -> None:
    """One bad order never stops the others."""
    with pytest.raises(Unusable) as caught:
        order(**changed)
    assert caught.value.code == code


@pytest.mark.parametrize("unsaid", [{}, {"Received": None}, {"Received": ""}], ids=["absent", "null", "empty"])
async def test_what_is_billed_where_quickbooks_does_not_say(unsaid: dict[str, Any]) -> None:
    """Without Received the linked bills are added up."""
    service = Service()
    (stored,) = service.documents["PurchaseOrder"]
    for line in stored["Line"]:
        del line["Received"]
        line.update(unsaid)
    stored["LinkedTxn"] = [{"TxnId": "201", "TxnType": "Bill"}]
    link = {"TxnId": "190", "TxnType": "PurchaseOrder", "TxnLineId": "1"}
    service.documents["Bill"].append(
        {"Id": "201", "SyncToken": "0", "MetaData": stored["MetaData"], "DocNumber": "THEIRS",
         "Line": [{"Id": "1", "Amount": 25, "LinkedTxn": [link], "DetailType": "ItemBasedExpenseLineDetail",
                   "ItemBasedExpenseLineDetail": {"ItemRef": {"value": "11"}, "Qty": 1}}]}
    )  # fmt: skip
    connector = service.connector()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=MatchMode.TWO_WAY)
    (read,) = (await connector.orders.lines(page.records)).records
    assert (read.erp_status, [line.billed for line in read.lines]) == ("Open, partly billed", [1, 0])
    snapshot = await connector.orders.read(read.erp_id)
    assert [(one.order_line, one.document_number, one.quantity) for one in snapshot.billings] == [
        ("190:1", "THEIRS", 1)
    ]


async def test_many_readers_share_their_queries() -> None:
    """What a run pushes is read again together."""
    service = Service()
    service.documents["PurchaseOrder"] = [
        json.loads(json.dumps(PO)) | {"Id": str(number), "DocNumber": f"PO-{number}"} for number in range(1, 51)
    ]
    connector = service.connector()
    await connector.check()
    service.calls.clear()
    read = await asyncio.gather(*(connector.orders.read(str(number)) for number in range(1, 51)))
    assert [one.purchase_order.number for one in read] == [f"PO-{number}" for number in range(1, 51)]
    assert len(service.reads()) == 1
