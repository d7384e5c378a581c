"""A QuickBooks that writes every number, and yes and no, as text: nothing comes out other than with numbers."""

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp.quickbooks_online.connector import QuickBooksConnector
from models.domain.connections import MatchMode
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.lists import ListKind
from models.domain.payments import PaymentToPush
from models.domain.source_orders import LineToUpload, OrderToUpload, UploadAs
from models.domain.sync import Stream
from tests.unit.erp.quickbooks_online.bills import a_bill
from tests.unit.erp.quickbooks_online.service import STAMP, Service

SINCE = "2026-03-01 00:00:00"


async def orders(connector: QuickBooksConnector) -> Any:
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=MatchMode.TWO_WAY)
    return (await connector.orders.lines(page.records), await connector.orders.read(ErpId("190")))


async def a_bill_and_its_payment(connector: QuickBooksConnector) -> Any:
    bill = a_bill()
    document = await connector.bills.create(bill)
    pushed = await connector.bills.read_back(bill, document)
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), Decimal(40))
    payment = PaymentToPush(
        external_key=ExternalKey("PSP-1"), vendor_id="56", bill_document=DocumentId(document),
        bill_erp_id=ErpId(document), payable_hint=None, amount=Decimal("25.10"), currency="USD",
        paid_on=date(2026, 3, 20), method="check", bank_account="Checking", memo="INV-8841",
    )  # fmt: skip
    paid = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert (paid.amount, paid.bill_due, paid.settled) == (Decimal("25.1"), Decimal("14.9"), True)
    return (
        pushed,
        paid,
        await connector.bills.page(since=None, after=None),
        await connector.payments.page(since=None, after=None),
        await orders(connector),
    )


async def an_edit(connector: QuickBooksConnector) -> Any:
    bill = a_bill()
    document = await connector.bills.create(bill)
    edited = bill.model_copy(update={"memo": "corrected", "edited": frozenset({"memo"}), "is_edit": True})
    await connector.bills.update(edited, document, edition=1)
    return await connector.bills.read_back(edited, document)


async def an_upload(connector: QuickBooksConnector) -> Any:
    line = LineToUpload(line_no=1, item_id="11", quantity=Decimal(3), price=Decimal("8.50"), amount=Decimal("25.50"))
    order = OrderToUpload(
        external_key=ExternalKey("PSS-1"), upload_as=UploadAs.BILL, vendor_id="56", number="INV-1PO-1",
        reference="INV-1PO-1", dated=date(2026, 3, 5), currency="USD", lines=[line],
    )  # fmt: skip
    assert connector.order_sink is not None
    uploaded = await connector.order_sink.read_back(order, await connector.order_sink.create(order))
    assert (uploaded.differences, uploaded.total) == ((), Decimal("25.5"))
    return uploaded


async def the_lists(connector: QuickBooksConnector) -> Any:
    kinds = (ListKind.VENDOR, ListKind.GL_ACCOUNT, ListKind.BANK_ACCOUNT, ListKind.TERM)
    page = await connector.lists.page(kinds, since=None, after=None)
    assert {one.erp_id: one.active for one in page.records}["56"] is False
    return page


async def what_changed(connector: QuickBooksConnector) -> Any:
    found = await connector.changes.detect_changes(dict.fromkeys((Stream.PURCHASE_ORDERS, Stream.BILLS), SINCE))
    return found._replace(window="")


async def the_company(connector: QuickBooksConnector) -> Any:
    return (await connector.check(), await connector.check_preferences({"bank_account": "Checking"}))


def service() -> Service:
    created = Service()
    created.documents["Vendor"].append(
        {"Id": "56", "SyncToken": "0", "DisplayName": "Norton", "Active": False, "MetaData": {"LastUpdatedTime": STAMP}}
    )
    created.documents["Term"].append(
        {"Id": "3", "SyncToken": "0", "Name": "Net 30", "DueDays": 30, "MetaData": {"LastUpdatedTime": STAMP}}
    )
    return created


@pytest.mark.parametrize(
    "story", [orders, a_bill_and_its_payment, an_edit, an_upload, the_lists, what_changed, the_company]
)
async def test_numbers_as_text(story: Callable[[QuickBooksConnector], Awaitable[Any]]) -> None:
    """Issue 11, bad input."""
    with_numbers, with_texts = service(), service()
    with_texts.numbers_as_text = True
    assert await story(with_texts.connector()) == await story(with_numbers.connector())
    written = [[call.content for call in one.writes()] for one in (with_texts, with_numbers)]
    assert written[0] == written[1]
