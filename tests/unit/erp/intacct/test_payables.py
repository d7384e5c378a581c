"""Bills and payments as Accounts Payable holds them; payments on their way out (S5-33..42, S1-20, ruling G8)."""

from decimal import Decimal

import pytest

from erp.errors import OutcomeUnknown, Rejected
from models.domain.ids import ErpId
from tests.builders.intacct_answers import BILL, BILL_ITEM, PAYMENT, PAYMENT_SHARE, whole_record
from tests.builders.outgoing_bills import (
    ORDER,
    a_payment,
)
from tests.fakes.intacct_gateway import (
    Gateway,
    page,
    response,
    result,
)

CHANGED = response(page("APBILL", {"RECORDNO": "90", "WHENMODIFIED": "07/06/2031 10:00:00"}))


INVOICE = {
    "RECORDNO": "50",
    "DOCID": "Vendor Invoice-b-0001",
    "DOCNO": "b-0001",
    "PRRECORDKEY": "90",
    "PONUMBER": "PO-1",
}
INVOICE_LINE = {
    "RECORDNO": "501",
    "DOCHDRNO": "50",
    "LINE_NO": "0",
    "ITEMID": "PAPER",
    "UIQTY": "4",
    "SOURCE_DOCID": ORDER,
    "SOURCE_DOCLINEKEY": "11",
}
ORDER_LINE = {"RECORDNO": "11", "DOCHDRID": ORDER, "DOCPARID": "Purchase Order"}
RECEIPT_LINE = {"RECORDNO": "11", "DOCHDRID": "PO Receiver-R-1", "DOCPARID": "PO Receiver", "SOURCE_DOCLINEKEY": "3"}


def _purchasing_bill(source: dict[str, str]) -> Gateway:
    return Gateway(
        CHANGED,
        response(whole_record("APBILL", BILL, "APBILLITEMS", "APBILLITEM", BILL_ITEM)),
        response(page("PODOCUMENT", INVOICE)),
        response(page("PODOCUMENTENTRY", INVOICE_LINE)),
        response(page("PODOCUMENTENTRY", source)),
    )


async def test_a_bill_made_from_an_order() -> None:
    """Ruling G8: the link Intacct itself keeps; our key is the vendor invoice's number."""
    found = await _purchasing_bill(ORDER_LINE).connector().bills.page(since="2031-07-01 00:00:00", after=None)
    (bill,) = found.records
    assert (bill.erp_id, bill.number, bill.vendor_id, bill.state) == ("90", "INV-77", "V-100", "Partially Paid")
    assert (bill.total, bill.paid, bill.due) == (Decimal(17), Decimal(7), Decimal(10))
    assert (bill.order_document, bill.receipt_document) == (ORDER, None)
    assert (bill.source_document, bill.external_key) == ("Vendor Invoice-b-0001", "b-0001")
    (line,) = bill.lines
    assert (line.account, line.item_id, line.quantity, line.amount) == ("6100", "PAPER", Decimal(4), Decimal(17))
    assert (line.order_line, line.source_line) == ("11", "11")


async def test_a_bill_made_from_a_receipt_is_not_linked_to_the_order() -> None:
    """S1-20: the receipt is named instead; the line still tells which order line it bills."""
    found = await _purchasing_bill(RECEIPT_LINE).connector().bills.page(since=None, after=None)
    (bill,) = found.records
    assert (bill.order_document, bill.receipt_document) == (None, "PO Receiver-R-1")
    assert (bill.lines[0].order_line, bill.lines[0].source_line) == ("3", "11")


async def test_a_bill_typed_in_carries_its_reference_only() -> None:
    """S4-64: the order's number in the reference field; no purchasing document is asked for."""
    typed = {**BILL, "MODULEKEY": "3.AP", "DOCNUMBER": "PO-1"}
    gateway = Gateway(CHANGED, response(whole_record("APBILL", typed, "APBILLITEMS", "apbillitem", BILL_ITEM)))
    (bill,) = (await gateway.connector().bills.page(since=None, after=None)).records
    assert (bill.reference, bill.order_document, bill.external_key) == ("PO-1", None, None)
    assert bill.lines[0].account == "6100"
    assert len(gateway.calls) == 2


async def test_a_bad_bill_does_not_stop_the_others() -> None:
    """Fault F13."""
    rows = [{"RECORDNO": n, "WHENMODIFIED": "07/06/2031 10:00:00"} for n in ("90", "91")]
    broken = {name: value for name, value in BILL.items() if name != "VENDORID"} | {"MODULEKEY": "3.AP"}
    good = {**BILL, "RECORDNO": "91", "MODULEKEY": "3.AP"}
    both = (
        whole_record("APBILL", broken).replace("</data></result>", "")
        + whole_record("APBILL", good).split('count="1">')[1]
    )
    gateway = Gateway(response(page("APBILL", *rows)), response(both))
    found = await gateway.connector().bills.page(since=None, after=None)
    assert [bill.erp_id for bill in found.records] == ["91"]
    assert [(bad.erp_id, bad.code) for bad in found.bad] == [("90", "MISSING_FIELD")]


INVOICE_NOW = response(page("PODOCUMENT", {"RECORDNO": "50", "PRRECORDKEY": "92"}))


async def test_payments_come_in_with_their_shares() -> None:
    """What was paid in Intacct, and on which bill."""
    gateway = Gateway(
        response(page("APPYMT", {"RECORDNO": "70", "WHENMODIFIED": "07/31/2031 10:00:00"})),
        response(whole_record("APPYMT", {**PAYMENT, "STATE": "V"}, "APPYMTDETAILS", "appymtdetail", PAYMENT_SHARE)),
    )
    (payment,) = (await gateway.connector().payments.page(since=None, after=None)).records
    assert (payment.amount, payment.document_number, payment.voided) == (Decimal(17), "p-0001", True)
    assert [(share.bill_erp_id, share.amount) for share in payment.shares] == [("90", Decimal(17))]


async def test_a_payment_pays_the_bill_that_stands_there_now() -> None:
    """S5-33..42 in Intacct's names; the payable is looked up because an edit replaces it (reference 3.4)."""
    created = result('<data listtype="objects" count="1"><appymt><RECORDNO>70</RECORDNO></appymt></data>', "create")
    gateway = Gateway(INVOICE_NOW, response(created))
    assert await gateway.connector().payments.create(a_payment(payable_hint=ErpId("90"))) == "70"
    sent = gateway.calls[1].find(".//APPYMT")
    assert sent.findtext("VENDORID") == "V-100"
    assert sent.findtext("PAYMENTDATE") == "07/31/2031"
    assert sent.findtext("DOCNUMBER") == "p-0001"
    assert (sent.findtext("CURRENCY"), sent.findtext("FINANCIALENTITY")) == ("USD", "BOA")
    assert (sent.findtext("PAYMENTMETHOD"), sent.findtext("ACTION")) == ("EFT", "Submit")
    assert sent.findtext(".//RECORDKEY") == "92"
    assert sent.findtext(".//TRX_PAYMENTAMOUNT") == "17"
    assert gateway.calls[1].find(".//function").get("controlid") == "p-0001"


@pytest.mark.parametrize("answer", [page("PODOCUMENT"), page("PODOCUMENT", {"RECORDNO": "50"})])
async def test_nothing_to_pay_is_refused(answer: str) -> None:
    """The invoice is gone, or posted no bill."""
    with pytest.raises(Rejected) as caught:
        await Gateway(response(answer)).connector().payments.create(a_payment())
    assert caught.value.code == "PAYABLE_MISSING"


INVOICE_WITH_90 = page("PODOCUMENT", {"RECORDNO": "50", "PRRECORDKEY": "90"})
INVOICE_WITH_92 = page("PODOCUMENT", {"RECORDNO": "50", "PRRECORDKEY": "92"})


def _due(number: str) -> str:
    return page("APBILL", {"RECORDNO": number, "TRX_TOTALPAID": "17.00", "TRX_TOTALDUE": "0", "TOTALPAID": "17.00"})


def _held(state: str = "C") -> str:
    return whole_record("APPYMT", {**PAYMENT, "STATE": state}, "APPYMTDETAILS", "APPYMTDETAIL", PAYMENT_SHARE)


@pytest.mark.parametrize(
    ("state", "settled"),
    [("C", True), ("Posted", True), ("Complete", True), ("S", False), ("Submitted", False), ("A", False), ("V", False)],
)
async def test_a_payment_is_read_back_with_what_is_due(state: str, settled: bool) -> None:
    """Paid only once Intacct has posted it; an approval there keeps it waiting (S2-38). One request."""
    gateway = Gateway(response(_due("90"), INVOICE_WITH_90, _held(state)))
    found = await gateway.connector().payments.read_back(a_payment(), ErpId("70"))
    assert (found.settled, found.state, found.amount) == (settled, state, Decimal(17))
    assert (found.payable_id, found.bill_paid, found.bill_due) == ("90", Decimal(17), Decimal(0))


async def test_what_is_due_is_read_of_the_bill_that_stands_there_now() -> None:
    """Field note U-8: the number we knew is not its number any more."""
    gateway = Gateway(response(page("APBILL"), INVOICE_WITH_92, _held()), response(_due("92")))
    found = await gateway.connector().payments.read_back(a_payment(), ErpId("70"))
    assert (found.payable_id, found.bill_due) == ("92", Decimal(0))


async def test_the_payment_itself_tells_what_it_paid() -> None:
    """Should the invoice not be shown; reading back never refuses."""
    gateway = Gateway(response(_due("90"), page("PODOCUMENT"), _held()))
    assert (await gateway.connector().payments.read_back(a_payment(), ErpId("70"))).payable_id == "90"


@pytest.mark.parametrize(
    "answers",
    [
        (response(_due("90"), INVOICE_WITH_90, result('<data listtype="APPYMT" count="0"></data>', "read")),),
        (response(page("APBILL"), INVOICE_WITH_90, _held()),),
        (response(_due("90"), INVOICE_WITH_92, _held()), response(page("APBILL"))),
    ],
)
async def test_a_payment_not_shown_yet_is_in_doubt(answers: tuple[str, ...]) -> None:
    """Reference 2.5 point 4."""
    with pytest.raises(OutcomeUnknown):
        await Gateway(*answers).connector().payments.read_back(a_payment(), ErpId("70"))


async def test_a_payment_is_found_by_our_key() -> None:
    """S5-38: the document number."""
    gateway = Gateway(response(page("APPYMT", {"RECORDNO": "70"})), response(page("APPYMT")))
    connector = gateway.connector()
    assert await connector.payments.find(a_payment()) == "70"
    assert await connector.payments.find(a_payment()) is None
