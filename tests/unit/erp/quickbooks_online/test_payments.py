"""Payments by check and by card: what is sent, what is due, and which accounts they name (reference 6.3)."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from erp.errors import Duplicate, OutcomeUnknown, Rejected
from erp.quickbooks_online.connector import QuickBooksConnector
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import PaymentToPush
from tests.unit.erp.quickbooks_online.service import STAMP, Service, fault

PAYABLE_ABROAD = "34"


@pytest.fixture
def service() -> Service:
    """A company with a bill of 40, on a payable account that is not the company's first."""
    created = Service()
    created.documents["Bill"].append(
        {
            "Id": "201", "SyncToken": "0", "DocNumber": "INV-8841", "VendorRef": {"value": "56"},
            "APAccountRef": {"value": PAYABLE_ABROAD}, "TotalAmt": 40, "Balance": 40, "TxnDate": "2026-03-05",
            "MetaData": {"LastUpdatedTime": STAMP}, "Line": [],
        }
    )  # fmt: skip
    return created


@pytest.fixture
def connector(service: Service) -> QuickBooksConnector:
    return service.connector()


def a_payment(**changed: Any) -> PaymentToPush:
    values: dict[str, Any] = {
        "external_key": ExternalKey("PSP-1"), "vendor_id": "56", "bill_document": DocumentId("B201"),
        "bill_erp_id": ErpId("B201"), "payable_hint": None, "amount": Decimal("25.10"), "currency": "USD",
        "paid_on": date(2026, 3, 20), "method": "check", "bank_account": "Checking", "memo": "INV-8841",
    }  # fmt: skip
    return PaymentToPush(**(values | changed))


def sent(service: Service) -> list[dict[str, Any]]:
    return [json.loads(call.content, parse_float=Decimal) for call in service.writes()]


@pytest.mark.parametrize(
    ("method", "account", "means"),
    [
        ("check", "Checking", ("Check", "CheckPayment", {"BankAccountRef": {"value": "35"}, "PrintStatus": "NotSet"})),
        ("ach", "35", ("Check", "CheckPayment", {"BankAccountRef": {"value": "35"}, "PrintStatus": "NotSet"})),
        ("card", "Mastercard", ("CreditCard", "CreditCardPayment", {"CCAccountRef": {"value": "41"}})),
    ],
)
async def test_a_payment_by_check_or_card(
    service: Service, connector: QuickBooksConnector, method: str, account: str, means: tuple[str, str, Any]
) -> None:
    """Its total is the sum of its lines, and it takes the payable account of its bill."""
    payment = a_payment(method=method, bank_account=account)
    erp_id = await connector.payments.create(payment)
    (body,) = sent(service)
    assert (body["PayType"], body[means[1]]) == (means[0], means[2])
    assert body["TotalAmt"] == sum(line["Amount"] for line in body["Line"]) == Decimal("25.10")
    assert body["Line"][0]["LinkedTxn"] == [{"TxnId": "201", "TxnType": "Bill"}]
    assert body["APAccountRef"] == {"value": PAYABLE_ABROAD}
    paid = await connector.payments.read_back(payment, erp_id)
    assert (paid.settled, paid.amount, paid.bill_paid, paid.bill_due) == (
        True, Decimal("25.10"), Decimal("25.10"), Decimal("14.90"),
    )  # fmt: skip


async def test_an_account_of_the_other_kind_is_refused(service: Service, connector: QuickBooksConnector) -> None:
    """A check is not drawn on a card."""
    for method, account in (("check", "Mastercard"), ("card", "Checking")):
        with pytest.raises(Rejected) as caught:
            await connector.payments.create(a_payment(method=method, bank_account=account))
        assert caught.value.code == "ACCOUNT_REFUSED"
    assert not service.writes()


@pytest.mark.parametrize("forgets", [False, True], ids=["replays", "forgets"])
async def test_a_lost_answer_makes_no_second_payment(
    service: Service, connector: QuickBooksConnector, forgets: bool
) -> None:
    """It is found by its number, whether QuickBooks remembers the request id or not."""
    service.forgets_requests = forgets
    payment = a_payment()

    def lost(request: httpx.Request) -> httpx.Response:
        service.handle(request)
        raise httpx.ReadTimeout("too late", request=request)

    service.answer_first("/billpayment?", lost)
    with pytest.raises(OutcomeUnknown):
        await connector.payments.create(payment)
    (stored,) = service.documents["BillPayment"]
    assert await service.connector().payments.find(payment) == stored["Id"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Balance": 0}, "ALREADY_PAID"),
        ({"Balance": 25}, "MORE_THAN_DUE"),
        ({"VendorRef": {"value": "57"}}, "VENDOR_DIFFERS"),
        (None, "PAYABLE_MISSING"),
    ],
)
async def test_what_quickbooks_would_make_a_credit_of_is_not_sent(
    service: Service, connector: QuickBooksConnector, changed: dict[str, Any] | None, code: str
) -> None:
    """A total above what is due is taken there in silence: we compare first."""
    if changed is None:
        service.documents["Bill"].clear()
    else:
        service.documents["Bill"][0].update(changed)
    with pytest.raises(Rejected) as caught:
        await connector.payments.create(a_payment())
    assert caught.value.code == code
    assert not service.writes()


async def test_a_payment_that_went_elsewhere_is_seen(service: Service, connector: QuickBooksConnector) -> None:
    """QuickBooks kept the money and dropped the line: that is no payment of the bill."""
    payment = a_payment()
    erp_id = await connector.payments.create(payment)
    service.documents["BillPayment"][0]["Line"] = []
    with pytest.raises(Rejected) as caught:
        await service.connector().payments.read_back(payment, erp_id)
    assert caught.value.code == "CONTENT_CONFLICT"


async def test_a_number_held_by_another_document_is_for_a_person(
    service: Service, connector: QuickBooksConnector
) -> None:
    """6140 names the holder; one that it does not name stays a duplicate."""
    detail = "DocNumber=PSP-1 is assigned to TxnType=Check with TxnId=77"
    service.answer_first("/billpayment?", lambda _: fault("6140", "Duplicate Document Number Error", detail))
    with pytest.raises(Rejected) as caught:
        await connector.payments.create(a_payment())
    assert (caught.value.code, caught.value.evidence["holder_id"]) == ("NUMBER_TAKEN", "77")
    service.answer_first("/billpayment?", lambda _: fault("6140", "Duplicate Document Number Error"))
    with pytest.raises(Duplicate):
        await connector.payments.create(a_payment())
