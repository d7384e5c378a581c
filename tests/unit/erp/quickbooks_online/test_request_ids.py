"""The request id of a new document: stored before the first attempt, the same on every repeat (issue 11; 3.6)."""

from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from erp.errors import OutcomeUnknown
from erp.quickbooks_online.connector import QuickBooksConnector
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import PaymentToPush
from models.domain.source_orders import LineToUpload, OrderToUpload, UploadAs
from tests.fakes.kept_reads import KeptRequestIds
from tests.unit.erp.quickbooks_online.bills import a_bill, line
from tests.unit.erp.quickbooks_online.service import STAMP, Service, token_refused

NEW_TOKENS = {"token_type": "bearer", "access_token": "at-2", "expires_in": 3600, "refresh_token": "rt-2"}


async def a_bills(connector: QuickBooksConnector, attempt: int) -> None:
    """The order's class was changed between two attempts, so the bill's line names another one."""
    await connector.bills.create(a_bill(line(1, "190:1", "11", "1", "25.00", class_id=f"class {attempt}")))


async def a_payments(connector: QuickBooksConnector, attempt: int) -> None:
    payment = PaymentToPush(
        external_key=ExternalKey("PSP-1"), vendor_id="56", bill_document=DocumentId("B201"), bill_erp_id=ErpId("B201"),
        payable_hint=None, amount=Decimal(5), currency="USD", paid_on=date(2026, 3, 5), method="check",
        bank_account="Checking", memo=f"attempt {attempt}",
    )  # fmt: skip
    await connector.payments.create(payment)


async def an_uploads(connector: QuickBooksConnector, attempt: int) -> None:
    lines = (LineToUpload(line_no=1, item_id="11", account_id=None, description=f"attempt {attempt}",
                          quantity=Decimal(1), price=Decimal(5), amount=Decimal(5)),)  # fmt: skip
    order = OrderToUpload(
        external_key=ExternalKey("PSO-1"), upload_as=UploadAs.PURCHASE_ORDER, number="PO-9", reference="PO-9",
        vendor_id="56", dated=date(2026, 3, 5), due_on=None, memo="", currency="USD", lines=lines,
    )  # fmt: skip
    assert connector.order_sink is not None
    await connector.order_sink.create(order)


WRITES = {"bill": (a_bills, "PSB-1"), "billpayment": (a_payments, "PSP-1"), "purchaseorder": (an_uploads, "PSO-1")}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.documents["Bill"].append(
        {"Id": "201", "SyncToken": "0", "VendorRef": {"value": "56"}, "TotalAmt": 40, "Balance": 40,
         "MetaData": {"LastUpdatedTime": STAMP}, "Line": []}
    )  # fmt: skip
    return service


def sent(service: Service) -> list[str]:
    return [parse_qs(urlsplit(str(call.url)).query)["requestid"][0] for call in service.writes()]


@pytest.mark.parametrize("kind", WRITES)
async def test_it_is_stored_before_it_is_sent_and_stays_whatever_the_document_says_by_then(
    service: Service, kind: str
) -> None:
    """Each attempt is another process's, and the first one's answer is lost."""
    create, key = WRITES[kind]
    kept = KeptRequestIds()
    stored: list[dict[str, str]] = []

    def lost(request: httpx.Request) -> httpx.Response:
        stored.append(dict(kept.ids))
        raise httpx.ReadTimeout("too late", request=request)

    for attempt in (1, 2):
        service.answer_first(f"/{kind}?", lost)
        with pytest.raises(OutcomeUnknown):
            await create(service.connector(requests=kept), attempt)
    await create(service.connector(requests=kept), 3)
    first, second, third = sent(service)
    assert first == second == third
    assert stored == [{key: first}] * 2


@pytest.mark.parametrize("kind", WRITES)
async def test_the_repeat_after_a_refused_token_has_it_too(service: Service, kind: str) -> None:
    """2.7: the one after a 401 included."""
    create, _ = WRITES[kind]
    service.answer_first(f"/{kind}?", lambda _: token_refused())
    service.answer_first("/tokens/bearer", lambda _: httpx.Response(200, json=NEW_TOKENS))
    await create(service.connector(), 1)
    first, second = sent(service)
    assert first == second
