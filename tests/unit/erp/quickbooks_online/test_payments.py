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


@pytest.mark.parametrize("method", ["check", "card"])
@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"VendorRef": {"value": "57"}}, "the vendor: sent 56"),
        ({"DocNumber": "OTHER"}, "the number"),
        ({"PrivateNote": "no key"}, "our key"),
        ({"TxnDate": "2026-03-21"}, "the date"),
        ({"CurrencyRef": {"value": "CAD"}}, "the currency"),
        ({"PayType": "Cash"}, "the way of paying"),
        ({"CheckPayment": {}, "CreditCardPayment": {"CCAccountRef": {"value": "99"}}}, "account"),
        ({"CheckPayment": {"BankAccountRef": {"value": "99"}}, "CreditCardPayment": {}}, "account"),
        ({"TotalAmt": 30}, "the total"),
        ({"Line": []}, "the lines"),
        ({"Line": [{"Amount": 25.1, "LinkedTxn": [{"TxnId": "777", "TxnType": "Bill"}]}]}, "25.10 of Bill 777"),
        ({"Line": [{"Amount": 20, "LinkedTxn": [{"TxnId": "201", "TxnType": "Bill"}]}]}, "20.00 of Bill 201"),
        (
            {
                "Line": [
                    {"Amount": 20, "LinkedTxn": [{"TxnId": "201", "TxnType": "Bill"}]},
                    {"Amount": 5.1, "LinkedTxn": [{"TxnId": "9", "TxnType": "JournalEntry"}]},
                ]
            },
            "5.10 of JournalEntry 9",
        ),
    ],
)
async def test_whatever_quickbooks_made_otherwise_of_a_payment_is_seen(
    service: Service, connector: QuickBooksConnector, method: str, changed: dict[str, Any], what: str
) -> None:
    """Issue 11: its answer is the read-back; the total, every value, every line and every link are compared."""
    payment = a_payment(method=method, bank_account={"check": "Checking", "card": "Mastercard"}[method])
    erp_id = await connector.payments.create(payment)
    await connector.payments.read_back(payment, erp_id)
    service.documents["BillPayment"][0].update(changed)
    with pytest.raises(Rejected) as caught:
        await service.connector().payments.read_back(payment, erp_id)
    assert caught.value.code == "CONTENT_CONFLICT"
    assert what in caught.value.evidence["differences"]


def stored_payment(total: object, *lines: tuple[str, object], by_card: bool = False, **more: Any) -> dict[str, Any]:
    means: dict[str, Any] = (
        {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": {"value": "41"}}}
        if by_card
        else {"PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": "35"}}}
    )
    return {
        "Id": "301", "SyncToken": "0", "VendorRef": {"value": "56"}, "TxnDate": "2026-03-20", "TotalAmt": total,
        "MetaData": {"LastUpdatedTime": STAMP}, **means, **more,
        "Line": [
            {"Amount": amount, "LinkedTxn": [{"TxnId": "201", "TxnType": kind}]} for kind, amount in lines
        ],
    }  # fmt: skip


@pytest.mark.parametrize("by_card", [False, True], ids=["check", "card"])
@pytest.mark.parametrize(
    ("total", "lines", "adds_up"),
    [
        (40, [("Bill", 40)], True),
        (40, [("Bill", 30), ("Bill", 10)], True),
        (35, [("Bill", 40), ("VendorCredit", 5)], True),
        (0, [("Bill", 5), ("VendorCredit", 5)], True),
        (45, [("Bill", 40), ("JournalEntry", 5)], True),
        (35, [("Bill", 40), ("JournalEntry", 5)], True),
        (50, [("Bill", 40)], False),
        (30, [("Bill", 40)], False),
        (45, [("Bill", 40), ("VendorCredit", 5)], False),
        (40, [], False),
    ],
)
async def test_a_payment_that_its_lines_do_not_come_to_is_told_and_not_taken(
    service: Service,
    connector: QuickBooksConnector,
    by_card: bool,
    total: object,
    lines: list[tuple[str, object]],
    adds_up: bool,
) -> None:
    """6.3: QuickBooks takes a total above the lines in silence and keeps the rest as a credit: we compare."""
    service.documents["BillPayment"].append(stored_payment(total, *lines, by_card=by_card))
    page = await connector.payments.page(since=None, after=None)
    assert [one.erp_id for one in page.records] == (["301"] if adds_up else [])
    assert [(one.erp_id, one.code) for one in page.bad] == ([] if adds_up else [("301", "PAYMENT_TOTAL_DIFFERS")])


async def test_a_voided_payment_has_nothing_to_add_up(service: Service, connector: QuickBooksConnector) -> None:
    """3.5: its amounts are zero, or its lines are gone."""
    service.documents["BillPayment"].append(stored_payment(40, status="Voided"))
    (payment,) = (await connector.payments.page(since=None, after=None)).records
    assert payment.voided


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


@pytest.mark.parametrize("named", ["BillPayment", "BillPaymentCheck", "Bill Payment Check"])
async def test_a_payment_of_ours_that_holds_the_number_is_adopted(
    service: Service, connector: QuickBooksConnector, named: str
) -> None:
    """6.2: QuickBooks calls a payment by its means where it names one; ours is adopted, not made twice."""
    first = await connector.payments.create(a_payment())
    service.documents["Bill"][0].update({"Balance": 40})
    detail = f"DocNumber=PSP-1 is assigned to TxnType={named} with TxnId={first}"
    service.answer_first("/billpayment?", lambda _: fault("6140", "Duplicate Document Number Error", detail))
    assert await service.connector().payments.create(a_payment()) == first
    assert len(service.documents["BillPayment"]) == 1
