"""Bills on their way out: once, linked, and compared (reference 6.2, 8)."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from erp.errors import AuthenticationFailed, OutcomeUnknown, Rejected, Throttled
from erp.quickbooks_online.connector import QuickBooksConnector
from models.domain.bills import ChargeKind, ChargeToPush
from tests.fakes.kept_reads import used_up_at_once
from tests.unit.erp.quickbooks_online.bills import a_bill, line
from tests.unit.erp.quickbooks_online.service import (
    Service,
    fault,
    throttle,
    token_refused,
)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def connector(service: Service) -> QuickBooksConnector:
    return service.connector()


def request_ids(service: Service) -> list[str]:
    return [parse_qs(urlsplit(str(call.url)).query)["requestid"][0] for call in service.writes()]


async def test_a_bill_is_linked_at_both_levels_and_read_back(service: Service, connector: QuickBooksConnector) -> None:
    """S3-03: as in the reference's example; item or account as on the order, the order's payable account, our key in
    the note."""
    bill = a_bill()
    pushed = await connector.bills.read_back(bill, await connector.bills.create(bill))
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), Decimal("40.00"))
    (call,) = service.writes()
    body = json.loads(call.content)
    assert body["LinkedTxn"] == [{"TxnId": "190", "TxnType": "PurchaseOrder"}]
    assert [one["LinkedTxn"] for one in body["Line"]] == [
        [{"TxnId": "190", "TxnType": "PurchaseOrder", "TxnLineId": number}] for number in ("1", "2")
    ]
    assert body["Line"][0]["ItemBasedExpenseLineDetail"]["Qty"] == 1
    assert body["Line"][1]["AccountBasedExpenseLineDetail"]["AccountRef"] == {"value": "77"}
    assert (body["APAccountRef"], body["DocNumber"]) == ({"value": "33"}, "INV-8841")
    assert body["PrivateNote"] == "a memo\n[posync PSB-1]"
    assert pushed.snapshot is not None
    order = pushed.snapshot.purchase_order
    assert (order.erp_status, [one.billed for one in order.lines]) == ("Open, partly billed", [Decimal(1), Decimal(1)])
    assert {(one.order_line, one.document_number) for one in pushed.snapshot.billings} == {
        ("190:1", "PSB-1"),
        ("190:2", "PSB-1"),
    }


async def test_a_first_push_costs_two_reads_and_one_write(service: Service, connector: QuickBooksConnector) -> None:
    """The number and the order are looked up; the write's own answer is the read-back."""
    await connector.check()
    service.calls.clear()
    bill = a_bill()
    document = await connector.bills.create(bill)
    assert (len(service.reads()), len(service.writes())) == (2, 1)
    await connector.bills.read_back(bill, document)
    assert (len(service.reads()), len(service.writes())) == (3, 1)  # the order, which those of other pushes share


async def test_the_look_for_duplicates_serves_the_push_once(service: Service, connector: QuickBooksConnector) -> None:
    """Two reads and one write with the check for a bill that somebody entered meanwhile; any repeat looks anew."""
    await connector.check()
    service.calls.clear()
    bill = a_bill()
    assert list(await connector.bills.numbered(bill.vendor_id, bill.number)) == []
    document = await connector.bills.create(bill)
    assert (len(service.reads()), len(service.writes())) == (2, 1)
    service.calls.clear()
    assert await connector.bills.create(bill) == document
    assert (len(service.reads()), len(service.writes())) == (1, 0)
    await connector.bills.numbered(bill.vendor_id, bill.number)
    service.calls.clear()
    assert await connector.bills.find(bill) == document
    assert len(service.reads()) == 1


@pytest.mark.parametrize("forgets", [False, True], ids=["replays", "forgets"])
async def test_run_twice_makes_one(service: Service, connector: QuickBooksConnector, forgets: bool) -> None:
    """Whether QuickBooks remembers the request id or not."""
    service.forgets_requests = forgets
    bill = a_bill()
    assert await connector.bills.create(bill) == await connector.bills.create(bill)
    assert len(service.documents["Bill"]) == 1


async def test_a_lost_answer_is_looked_up_and_the_request_id_stays(
    service: Service, connector: QuickBooksConnector
) -> None:
    """Committed or not: the repeat of another process has the same request id."""

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too late", request=request)

    bill = a_bill()
    service.answer_first("/bill?", lost)
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    assert await connector.bills.find(bill) is None
    document = await service.connector().bills.create(bill)
    assert await connector.bills.find(bill) == document
    first, second = request_ids(service)
    assert first == second
    other = Service()
    await other.connector().bills.create(a_bill(memo="corrected"))
    assert request_ids(other) != [first]


async def test_a_refused_token_is_refreshed_and_the_same_request_sent_once_more(
    service: Service, connector: QuickBooksConnector
) -> None:
    """2.7: once; the repeat has the same request id."""
    service.answer_first("/bill?", lambda _: token_refused())
    service.answer_first("/tokens/bearer", lambda _: httpx.Response(200, json=NEW_TOKENS))
    await connector.bills.create(a_bill())
    first, second = request_ids(service)
    assert first == second
    assert [call.headers["authorization"] for call in service.writes()] == ["Bearer at-1", "Bearer at-2"]


async def test_a_token_refused_inside_http_200_is_refreshed_too(
    service: Service, connector: QuickBooksConnector
) -> None:
    """Issue 11: faults inside HTTP 200 too; of a read and of a write."""
    for path in ("/query?", "/bill?"):
        service.answer_first(path, lambda _: httpx.Response(200, content=token_refused().content))
        service.answer_first("/tokens/bearer", lambda _: httpx.Response(200, json=NEW_TOKENS))
    await connector.bills.create(a_bill())
    first, second = request_ids(service)
    assert first == second
    assert len(service.documents["Bill"]) == 1


async def test_a_second_refusal_is_final(service: Service, connector: QuickBooksConnector) -> None:
    """2.7."""
    service.answer_first("/query?", lambda _: token_refused())
    service.answer_first("/query?", lambda _: token_refused())
    service.answer_first("/tokens/bearer", lambda _: httpx.Response(200, json=NEW_TOKENS))
    with pytest.raises(AuthenticationFailed) as caught:
        await connector.bills.create(a_bill())
    assert caught.value.code == "AUTH_TOKEN_REFUSED"


NEW_TOKENS = {"token_type": "bearer", "access_token": "at-2", "expires_in": 3600, "refresh_token": "rt-2",
              "x_refresh_token_expires_in": 8726400}  # fmt: skip


async def test_a_dropped_link_is_seen(service: Service, connector: QuickBooksConnector) -> None:
    """LINK_MISSING: accepted, and pointing nowhere."""
    service.drops_links = True
    bill = a_bill()
    pushed = await connector.bills.read_back(bill, await connector.bills.create(bill))
    assert not pushed.linked
    assert pushed.snapshot is not None
    assert not pushed.snapshot.billings


@pytest.mark.parametrize(
    "memo", ["see a memo\n[posync PSB-9]", "[posync PSB-9] [posync PSB-8] there", "[posync PSB-1]"]
)
async def test_a_key_in_the_memo_is_the_memos_text(connector: QuickBooksConnector, memo: str) -> None:
    """Somebody copied another document's note: our key is the last one, and the copied one is no difference."""
    bill = a_bill(memo=memo)
    document = await connector.bills.create(bill)
    assert (await connector.bills.read_back(bill, document)).differences == ()
    assert await connector.bills.find(bill) == document
    assert await connector.bills.find(a_bill(external_key="PSB-9")) is None


ITEM, ACCOUNT = "ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail"

DIFFERENCES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda one: one["VendorRef"].update(value="57"), "the vendor"),
    (lambda one: one.update(DocNumber="OTHER"), "the supplier's invoice number"),
    (lambda one: one.update(PrivateNote="a memo"), "our key"),
    (lambda one: one.update(PrivateNote="another\n[posync PSB-1]"), "the memo"),
    (lambda one: one.update(TxnDate="2026-03-06"), "the bill date"),
    (lambda one: one.update(DueDate="2026-04-05"), "the due date"),
    (lambda one: one.update(CurrencyRef={"value": "CAD"}), "the currency"),
    (lambda one: one.update(TotalAmt=44), "the total"),
    (lambda one: one["Line"].pop(), "the number of lines"),
    (lambda one: one["Line"][0][ITEM]["ItemRef"].update(value="12"), "line 1, the item"),
    (lambda one: one["Line"][0][ITEM].update(Qty=2), "line 1, the quantity"),
    (lambda one: one["Line"][0][ITEM].pop("Qty"), "line 1, the quantity"),
    (lambda one: one["Line"][0][ITEM].update(UnitPrice=12.5), "line 1, the price"),
    (lambda one: one["Line"][0].update(Amount=24), "line 1, the amount"),
    (lambda one: one["Line"][0].update(Description="Post"), "line 1, the description"),
    (lambda one: one["Line"][0][ITEM].pop("ClassRef"), "line 1, the class"),
    (lambda one: one["Line"][1][ACCOUNT]["AccountRef"].update(value="78"), "line 2, the account"),
    (lambda one: one["Line"][2].update(Amount=4), "the freight, the amount"),
    (lambda one: one["Line"][2][ACCOUNT]["AccountRef"].update(value="78"), "the freight, the account"),
    (lambda one: one["Line"][2].update(Description="by sea"), "the freight, the description"),
]


@pytest.mark.parametrize(("change", "what"), DIFFERENCES, ids=[what for _, what in DIFFERENCES])
async def test_whatever_differs_in_quickbooks_is_told(change: Callable[[Any], Any], what: str) -> None:
    """Issue 11: the answer is the read-back: total, every line and charge compared."""
    service = Service()
    bill = a_bill(
        line(1, "190:1", "11", "1", "25.00", class_id="5"),
        line(2, "190:2", "account:77", "1", "15.00"),
        charges=(ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal(5), description="by road"),),
        total=Decimal(45),
    )
    preferences = {"charge_account.freight": "6010"}
    document = await service.connector(preferences=preferences).bills.create(bill)
    pushed = await service.connector(preferences=preferences).bills.read_back(bill, document)
    assert (pushed.linked, pushed.differences) == (True, ())
    change(service.one("Bill", document.removeprefix("B")))
    (difference,) = (await service.connector(preferences=preferences).bills.read_back(bill, document)).differences
    assert difference.startswith(f"{what}: sent ")


@pytest.mark.parametrize("header", [True, False], ids=["both levels", "lines"])
async def test_every_link_is_compared(service: Service, connector: QuickBooksConnector, header: bool) -> None:
    """6.2: one line that lost its link is enough, and so is one that bills another line of the order."""
    bill = a_bill()
    document = await connector.bills.create(bill)
    stored = service.one("Bill", "200")
    if not header:
        del stored["LinkedTxn"]
    assert (await service.connector().bills.read_back(bill, document)).linked
    stored["Line"][1]["LinkedTxn"][0]["TxnLineId"] = "1"
    assert not (await service.connector().bills.read_back(bill, document)).linked
    del stored["Line"][1]["LinkedTxn"]
    assert not (await service.connector().bills.read_back(bill, document)).linked


@pytest.mark.parametrize("orders_read", [True, False], ids=["the order read", "reads used up"])
async def test_an_item_line_of_an_amount_has_no_quantity(
    service: Service, monkeypatch: pytest.MonkeyPatch, orders_read: bool
) -> None:
    """6.2: what its quantity says means nothing, so none is sent, whether the order can be read or not."""
    used_up_at_once(monkeypatch)
    del service.documents["PurchaseOrder"][0]["Line"][0][ITEM]["Qty"]
    del service.documents["PurchaseOrder"][0]["Line"][0][ITEM]["UnitPrice"]
    if not orders_read:
        service.answer_first("/query?", lambda _: throttle(403))
    connector = service.connector()
    bill = a_bill(line(1, "190:1", "11", "0.5", "25.00", by_amount=True))
    pushed = await connector.bills.read_back(bill, await connector.bills.create(bill))
    assert (pushed.linked, pushed.differences) == (True, ())
    assert service.documents["Bill"][0]["Line"][0][ITEM] == {"ItemRef": {"value": "11"}, **TAX[orders_read]}


TAX = {True: {"TaxCodeRef": {"value": "NON"}}, False: {}}


async def test_the_same_order_line_twice_is_added_up(service: Service, connector: QuickBooksConnector) -> None:
    """6.2: QuickBooks may drop the second link."""
    bill = a_bill(line(1, "190:1", "11", "1", "25.00"), line(2, "190:1", "11", "1", "25.00"))
    pushed = await connector.bills.read_back(bill, await connector.bills.create(bill))
    (stored,) = service.documents["Bill"]
    assert [one["Amount"] for one in stored["Line"]] == [50.0]
    assert (pushed.linked, pushed.differences) == (True, ())


@pytest.mark.parametrize("same_vendor", [True, False])
async def test_a_number_that_the_vendor_has_is_for_a_person(
    service: Service, connector: QuickBooksConnector, same_vendor: bool
) -> None:
    """QuickBooks need not mind, so we do; another vendor's number is no matter."""
    vendor = "56" if same_vendor else "57"
    service.documents["Bill"].append(
        {"Id": "150", "DocNumber": "INV-8841", "VendorRef": {"value": vendor}, "SyncToken": "0"}
    )
    if not same_vendor:
        await connector.bills.create(a_bill())
        return
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(a_bill())
    assert (caught.value.code, caught.value.evidence["holder_id"]) == ("NUMBER_TAKEN", "150")
    assert not service.writes()


@pytest.mark.parametrize(
    ("note", "said"),
    [("", "posync did not make it."), ("[posync PSB-OLD]", "posync made it earlier: delete it in QuickBooks")],
)
async def test_a_person_is_told_who_made_the_one_that_has_the_number(
    service: Service, connector: QuickBooksConnector, note: str, said: str
) -> None:
    """After a reset for reimport it is the bill of the first import."""
    holder = {"Id": "150", "DocNumber": "INV-8841", "VendorRef": {"value": "56"}, "SyncToken": "0", "PrivateNote": note}
    service.documents["Bill"].append(holder)
    with pytest.raises(Rejected, match="Bill 150") as caught:
        await connector.bills.create(a_bill())
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("holder", "code"),
    [("TxnType=VendorCredit with TxnId=160", "NUMBER_TAKEN"), ("TxnType=Bill with TxnId=150", "NUMBER_TAKEN")],
)
async def test_the_holder_of_a_number_is_read(
    service: Service, connector: QuickBooksConnector, holder: str, code: str
) -> None:
    """6140: of another type or not ours, it is a person's."""
    service.documents["Bill"].append({"Id": "150", "VendorRef": {"value": "56"}, "DocNumber": "OTHER"})
    detail = f"You must specify a different number. DocNumber=INV-8841 is assigned to {holder}"
    service.answer_first("/bill?", lambda _: fault("6140", "Duplicate Document Number Error", detail))
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(a_bill())
    assert caught.value.code == code


async def test_a_holder_that_is_ours_is_adopted(service: Service, connector: QuickBooksConnector) -> None:
    """6140: the look-up before did not show it yet."""
    service.documents["Bill"].append({"Id": "150", "DocNumber": "LATER", "PrivateNote": "[posync PSB-1]"})
    detail = "DocNumber=INV-8841 is assigned to TxnType=Bill with TxnId=150"
    service.answer_first("/bill?", lambda _: fault("6140", "Duplicate Document Number Error", detail))
    assert await connector.bills.create(a_bill()) == "B150"


@pytest.mark.parametrize("number", ["INV-2026-000123PO-100045-A", "Rechnung-Nr. 7/ö", "O'Neill 7"])
async def test_numbers_that_are_long_or_cannot_be_asked_for(
    service: Service, connector: QuickBooksConnector, number: str
) -> None:
    """S3-06: 21 characters are kept, the whole number goes into the note; a query may not hold every character."""
    bill = a_bill(number=number)
    pushed = await connector.bills.read_back(bill, await connector.bills.create(bill))
    assert pushed.differences == ()
    (stored,) = service.documents["Bill"]
    assert stored["DocNumber"] == number[:21]
    assert await connector.bills.find(bill) == "B200"
    assert await service.connector().bills.create(bill) == "B200"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"POStatus": "Closed"}, "ALREADY_CONVERTED"),
        ({"VendorRef": {"value": "57"}}, "VENDOR_DIFFERS"),
        ({"received": 2}, "ALREADY_CONVERTED"),
        ({"received": 1.5}, "MORE_THAN_ORDERED"),
        ({"lines": []}, "ORDER_LINE_GONE"),
        (None, "ORDER_NOT_FOUND"),
    ],
)
async def test_what_quickbooks_would_drop_a_link_for_is_not_sent(
    service: Service, connector: QuickBooksConnector, changed: dict[str, Any] | None, code: str
) -> None:
    """6.2: a client checks before it sends."""
    (order,) = service.documents["PurchaseOrder"]
    if changed is None:
        service.documents["PurchaseOrder"].clear()
    elif "received" in changed:
        order["Line"][0]["Received"] = changed["received"]
    elif "lines" in changed:
        order["Line"] = changed["lines"]
    else:
        order.update(changed)
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(a_bill())
    assert caught.value.code == code
    assert not service.writes()


async def test_writes_go_on_when_the_reads_are_used_up(
    service: Service, connector: QuickBooksConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4: writes are free; a first attempt needs no read. A repeat in doubt waits."""
    used_up_at_once(monkeypatch)
    for _ in range(4):
        service.answer_first("/query?", lambda _: throttle(403))
    with pytest.raises(Throttled) as caught:
        await connector.bills.find(a_bill())
    assert caught.value.code == "ERP_QUOTA"
    document = await connector.bills.create(a_bill())
    pushed = await connector.bills.read_back(a_bill(), document)
    assert (pushed.linked, pushed.snapshot) == (True, None)
    with pytest.raises(Throttled) as caught:
        await connector.bills.find(a_bill())
    assert caught.value.code == "ERP_QUOTA"
    assert len(service.reads()) == 3  # look-ups, which are sent all the same; neither of the order's readings was


async def test_another_posting_date_is_refused(connector: QuickBooksConnector) -> None:
    """There is only the bill's own date."""
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(a_bill(posting_date=date(2026, 4, 1)))
    assert caught.value.code == "POSTING_DATE_NOT_TAKEN"


async def test_an_edit_keeps_lines_and_links(service: Service, connector: QuickBooksConnector) -> None:
    """3.3: a list is replaced as a whole."""
    bill = a_bill()
    document = await connector.bills.create(bill)
    first = bill.lines[0].model_copy(update={"class_id": "5", "edited": frozenset({"class_id"})})
    edit = bill.model_copy(update={"lines": (first, *bill.lines[1:]), "memo": "other", "edited": frozenset({"memo"})})
    await connector.bills.update(edit, document, edition=1)
    pushed = await connector.bills.read_back(edit, document)
    assert (pushed.linked, pushed.differences) == (True, ())
    body = json.loads(service.writes()[-1].content)
    assert (body["sparse"], body["SyncToken"], len(body["Line"])) == (True, "0", 2)
    assert body["Line"][0]["LinkedTxn"][0]["TxnLineId"] == "1"
    assert service.one("Bill", "200")["PrivateNote"] == "other\n[posync PSB-1]"
    with pytest.raises(Rejected) as caught:
        await connector.bills.update(edit, document, edition=1)
    assert caught.value.code == "ALREADY_SENT"
