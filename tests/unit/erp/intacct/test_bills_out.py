"""Bills on their way out: what is sent, looked up and compared (S5-136..157, S4-64)."""

from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from erp.errors import Duplicate, OutcomeUnknown, Rejected
from erp.intacct.bills_out import potransaction
from erp.intacct.preferences import Preferences
from models.domain.bills import BillLineSource, ChargeKind, ChargeToPush
from models.domain.ids import DocumentId, ErpId
from tests.builders.intacct_answers import INVOICE, INVOICE_LINE, day_of, read_back_gateway
from tests.builders.outgoing_bills import (
    ORDER,
    a_bill,
    a_bill_line,
)
from tests.fakes.intacct_gateway import (
    PREFERENCES,
    Gateway,
    failed,
    page,
    response,
    result,
)

HEADER_ORDER = [
    "transactiontype", "datecreated", "dateposted", "createdfrom", "vendorid", "documentno", "referenceno",
    "vendordocno", "datedue", "message", "returnto", "payto", "externalid", "currency", "exchratetype", "state",
    "potransitems",
]  # fmt: skip
LINE_ORDER = [
    "itemid", "itemdesc", "taxable", "warehouseid", "quantity", "unit", "price", "sourcelinekey", "locationid",
    "departmentid", "memo", "projectid", "vendorid", "classid", "billable", "sourcedocid", "sourcedoclineid",
]  # fmt: skip
SUBTOTALS = {ChargeKind.FREIGHT: "Freight In", ChargeKind.TAX: "Sales tax", ChargeKind.DISCOUNT: "Discount"}
NAMED = {
    "vendor_invoice_template": "Vendor Invoice",
    **{f"subtotal.{kind}": name for kind, name in SUBTOTALS.items()},
}
CREATED = response(result("<key>Vendor Invoice-b-0001</key>", "create_potransaction"))


def _sent(**changed: object) -> etree._Element:
    bill = a_bill(**changed)
    sources = list(dict.fromkeys(line.source.document_id for line in bill.lines))
    return etree.fromstring(potransaction(bill, Preferences.of(NAMED), sources))


def test_the_header_map() -> None:
    """S5-137..142, S5-152..157, S4-64: dates in three parts, our key, the supplier's number, the order's number."""
    sent = _sent()
    assert [child.tag for child in sent] == HEADER_ORDER
    assert day_of(sent.find("datecreated")) == date(2031, 7, 5)
    assert day_of(sent.find("dateposted")) == date(2031, 7, 6)
    assert day_of(sent.find("datedue")) == date(2031, 8, 4)
    assert sent.findtext("transactiontype") == "Vendor Invoice"
    assert (sent.findtext("vendordocno"), sent.findtext("documentno")) == ("INV-77", "b-0001")
    assert (sent.findtext("vendorid"), sent.findtext("createdfrom")) == ("V-100", ORDER)
    assert (sent.findtext("referenceno"), sent.findtext("state")) == ("PO-1", "Pending")
    assert sent.find("payto/contactname") is not None


def test_the_line_map() -> None:
    """S5-143..151, W11: constants, item, quantity, unit, price, location, the vendor on each line, lines in order; the
    values, not the tags alone."""
    whole = a_bill_line(department="200", class_id="C-1", project="P-1", warehouse="W-1")
    sent = _sent(lines=(whole, a_bill_line(line_no=2, item_id="PEN")))
    first, second = sent.find("potransitems")
    assert [child.tag for child in first] == LINE_ORDER[:-2]
    assert (first.findtext("billable"), first.findtext("taxable")) == ("false", "false")
    assert (first.findtext("itemid"), second.findtext("itemid")) == ("PAPER", "PEN")
    assert (first.findtext("quantity"), first.findtext("unit"), first.findtext("price")) == ("4", "Each", "4.25")
    assert (first.findtext("locationid"), first.findtext("vendorid")) == ("100", "V-100")
    assert (first.findtext("departmentid"), first.findtext("classid")) == ("200", "C-1")
    assert (first.findtext("warehouseid"), first.findtext("projectid")) == ("W-1", "P-1")
    assert first.findtext("itemdesc") == first.findtext("memo") == whole.description
    assert first.findtext("sourcelinekey") == "11"


CHARGES = (
    ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal("9.50"), description="by road"),
    ChargeToPush(kind=ChargeKind.TAX, amount=Decimal("1.70")),
    ChargeToPush(kind=ChargeKind.DISCOUNT, amount=Decimal("-0.50")),
)


def test_money_beyond_the_lines_goes_out_as_subtotals() -> None:
    """H01, H03; reference 3.2: behind the lines, under the definition's own names, a discount below zero."""
    sent = _sent(charges=CHARGES, total=Decimal("27.70"))
    assert [child.tag for child in sent] == [*HEADER_ORDER, "subtotals"]
    assert [[child.tag for child in subtotal] for subtotal in sent.find("subtotals")] == [
        ["description", "total", "locationid"]
    ] * 3
    assert [(row.findtext("description"), row.findtext("total")) for row in sent.find("subtotals")] == [
        ("Freight In", "9.5"),
        ("Sales tax", "1.7"),
        ("Discount", "-0.5"),
    ]
    assert {row.findtext("locationid") for row in sent.find("subtotals")} == {"100"}


async def test_money_without_a_subtotal_is_not_sent() -> None:
    """What has no place in the ERP's bill would be missing from its total."""
    gateway = Gateway()
    connector = gateway.connector(preferences={**PREFERENCES, "subtotal.tax": "Sales tax", "subtotal.freight": ""})
    assert connector.capabilities.charges == (ChargeKind.TAX,)
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(a_bill(charges=CHARGES))
    assert (refused.value.code, refused.value.evidence) == ("CHARGES_NOT_TAKEN", {"kinds": "freight, discount"})
    assert gateway.calls == []


async def test_a_definition_without_subtotals_refuses_them() -> None:
    """Reference 3.2: only if the definition has subtotals on."""
    gateway = Gateway(response(failed("BL03000018", "Subtotals are not enabled for this transaction definition.")))
    connector = gateway.connector(preferences={**PREFERENCES, "subtotal.freight": "Freight In"})
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(a_bill(charges=CHARGES[:1]))
    assert refused.value.code == "CHARGES_NOT_TAKEN"


def test_what_a_supplier_wrote_arrives_as_written() -> None:
    """Text is escaped, never rewritten."""
    sent = _sent(memo="Nuts & <bolts> \u20ac", number='A"1')
    assert (sent.findtext("message"), sent.findtext("vendordocno")) == ("Nuts & <bolts> \u20ac", 'A"1')


async def test_a_bill_is_sent_once_under_its_key() -> None:
    """S5-136, section 5: control id = our key, uniqueid and transaction on, at the level that owns the order."""
    gateway = Gateway(CREATED)
    connector = gateway.connector()
    assert await connector.bills.create(a_bill(owner_entity="200")) == "Vendor Invoice-b-0001"
    (call,) = gateway.calls
    assert call.findtext("control/uniqueid") == "true"
    assert call.find("operation").get("transaction") == "true"
    assert call.find(".//function").get("controlid") == "b-0001"
    assert gateway.sign_ins[0].findtext(".//login/locationid") == "200"


async def test_a_bill_of_a_top_level_order_is_made_at_top_level() -> None:
    """Reference 7.1: a document made at top level is converted there, whatever entity the connection is bound to."""
    gateway = Gateway(CREATED)
    await gateway.connector().bills.create(a_bill(owner_entity=None))
    assert gateway.sign_ins[0].find(".//login/locationid") is None


SEVERAL = (
    a_bill_line(),
    a_bill_line(line_no=2, source=BillLineSource(document_id=DocumentId("PO Receiver-R-1"), line=ErpId("301"))),
)


async def test_several_sources_need_the_preference() -> None:
    """Refused before anything is sent."""
    gateway = Gateway()
    with pytest.raises(Rejected) as caught:
        await gateway.connector().bills.create(a_bill(lines=SEVERAL))
    assert caught.value.code == "SEVERAL_SOURCES"
    assert not gateway.calls
    assert not gateway.sign_ins


async def test_several_sources_are_named_line_by_line() -> None:
    """Reference 3.3: no createdfrom; each line says where it comes from."""
    gateway = Gateway(CREATED)
    connector = gateway.connector(preferences={**PREFERENCES, "several_sources": "true"})
    assert connector.capabilities.several_sources_per_bill
    await connector.bills.create(a_bill(lines=SEVERAL))
    assert gateway.calls[0].find(".//createdfrom") is None
    lines = gateway.calls[0].findall(".//potransitem")
    assert [line.findtext("sourcedocid") for line in lines] == [ORDER, "PO Receiver-R-1"]
    assert [line.findtext("sourcelinekey") for line in lines] == ["11", "301"]


async def test_a_repeated_control_id_is_a_duplicate() -> None:
    """Section 5: matched by its text; the result may come without a status."""
    words = "A successful transaction has already been recorded with the control id b-0001"
    answer = response(failed("BL01", words)).replace("<result><status>failure</status>", "<result>")
    with pytest.raises(Duplicate) as caught:
        await Gateway(answer).connector().bills.create(a_bill())
    assert caught.value.code == "ALREADY_SENT"


async def test_an_aborted_transaction_is_a_failure() -> None:
    """Reference 1.4: any status but success."""
    answer = response(failed("BL03000018", "Missing unit", ("XL03000009", "rolled back"), status="aborted"))
    there = response(page("PODOCUMENTENTRY", {"RECORDNO": "11"}))
    with pytest.raises(Rejected) as caught:
        await Gateway(answer, there).connector().bills.create(a_bill())
    assert (caught.value.code, caught.value.erp_code) == ("VALUE_REFUSED", "BL03000018")


async def test_a_refused_bill_whose_order_line_is_gone_says_so() -> None:
    """B6's brother: Intacct says that a value is wrong; the order's lines tell which, and are read after a refusal
    only. Where that reading fails, the refusal stands."""
    refusal = response(failed("BL03000018", "Invalid source line", ("XL03000009", "rolled back"), status="aborted"))
    lines = (a_bill_line(), a_bill_line(line_no=2, item_id="PEN", source=BillLineSource(document_id=ORDER, line="12")))
    for answer, code in (
        (response(page("PODOCUMENTENTRY", {"RECORDNO": "11"})), "ORDER_LINE_GONE"),
        (response(page("PODOCUMENTENTRY", {"RECORDNO": "11"}, {"RECORDNO": "12"})), "VALUE_REFUSED"),
        (response(failed("PL04000005", "not allowed")), "VALUE_REFUSED"),
    ):
        with pytest.raises(Rejected) as caught:
            await Gateway(refusal, answer).connector().bills.create(a_bill(lines=lines))
        assert (caught.value.code, caught.value.erp_code) == (code, "BL03000018")
        assert ("PEN" in caught.value.message) is (code == "ORDER_LINE_GONE")


async def test_accepted_without_a_name_is_in_doubt() -> None:
    """Something was made; it is looked up by our key."""
    with pytest.raises(OutcomeUnknown):
        await Gateway(response(result("", "create_potransaction"))).connector().bills.create(a_bill())


async def test_reading_back_proves_content_link_and_order_in_one_call() -> None:
    """DESIGN section 5 step 4: total, lines, payable, PO link, and the order as it is now."""
    gateway = read_back_gateway(INVOICE_LINE)
    found = await gateway.connector().bills.read_back(a_bill(), DocumentId("Vendor Invoice-b-0001"))
    assert len(gateway.calls) == 1
    assert (found.erp_id, found.payable_id, found.total) == ("50", "90", Decimal("17.00"))
    assert (found.linked, found.differences) == (True, ())
    assert found.snapshot is not None
    assert found.snapshot.purchase_order.erp_status == "Partially Converted"
    assert found.snapshot.purchase_order.lines[0].billed == Decimal(4)
    assert [billing.document_number for billing in found.snapshot.billings] == ["b-0001"]


@pytest.mark.parametrize(
    ("line", "header", "said"),
    [
        ({"TRX_VALUE": "17.01"}, {}, "line 1, the amount: sent 17.00, Intacct has 17.01"),
        ({"UIQTY": "5"}, {}, "line 1, the quantity: sent 4, Intacct has 5"),
        ({"LOCATIONID": "200"}, {}, "line 1, the location: sent 100, Intacct has 200"),
        ({}, {"TRX_TOTAL": "18.00"}, "the total: sent 17.00, Intacct has 18.00"),
        ({}, {"VENDORDOCNO": "INV-78"}, "the supplier's invoice number: sent INV-77, Intacct has INV-78"),
        ({}, {"PONUMBER": ""}, "the reference number: sent PO-1, Intacct has nothing"),
        ({}, {"WHENPOSTED": "08/01/2031"}, "the posting date: sent 2031-07-06, Intacct has 2031-08-01"),
        ({}, {"MESSAGE": "June paper"}, "the memo: sent July paper, Intacct has June paper"),
        ({}, {"MESSAGE": ""}, "the memo: sent July paper, Intacct has nothing"),
        ({"MEMO": "Paper"}, {}, "line 1, the description: sent Paper A4, Intacct has Paper"),
    ],
)
async def test_differences_are_told_in_words(line: dict[str, str], header: dict[str, str], said: str) -> None:
    """Ruling G12 and DESIGN section 5: what Intacct holds otherwise than we sent."""
    gateway = read_back_gateway({**INVOICE_LINE, **line}, **header)
    found = await gateway.connector().bills.read_back(a_bill(), DocumentId("Vendor Invoice-b-0001"))
    assert found.differences == (said,)


async def test_a_missing_link_is_seen() -> None:
    """LINK_MISSING: the invoice is there and its line points nowhere."""
    loose = {name: value for name, value in INVOICE_LINE.items() if not name.startswith("SOURCE")}
    found = await read_back_gateway(loose).connector().bills.read_back(a_bill(), DocumentId("Vendor Invoice-b-0001"))
    assert not found.linked
    assert found.differences == ()


async def test_a_missing_line_is_seen() -> None:
    """Neither linked nor equal."""
    found = await read_back_gateway().connector().bills.read_back(a_bill(), DocumentId("Vendor Invoice-b-0001"))
    assert not found.linked
    assert "the number of lines: sent 1, Intacct has 0" in found.differences


async def test_an_order_that_is_gone_does_not_undo_the_bill() -> None:
    """The invoice is there; the order's own reading tells of the order."""
    found = await read_back_gateway(INVOICE_LINE, order={}).connector().bills.read_back(a_bill(), DocumentId("X"))
    assert found.snapshot is None
    assert found.linked


async def test_not_shown_yet_is_in_doubt_not_gone() -> None:
    """Reference 2.5 point 4: reads lag writes."""
    nothing = response(*[page("PODOCUMENT")] * 6)
    with pytest.raises(OutcomeUnknown):
        await Gateway(nothing).connector().bills.read_back(a_bill(), DocumentId("Vendor Invoice-b-0001"))


async def test_found_by_our_key_first() -> None:
    """Section 5: our key is the document's number."""
    gateway = Gateway(response(page("PODOCUMENT", INVOICE), page("PODOCUMENT")))
    assert await gateway.connector().bills.find(a_bill()) == "Vendor Invoice-b-0001"
    conditions = {(node.findtext("field"), node.findtext("value")) for node in gateway.calls[0].iter("equalto")}
    assert {
        ("DOCNO", "b-0001"),
        ("CUSTVENDID", "V-100"),
        ("VENDORDOCNO", "INV-77"),
        ("CREATEDFROM", ORDER),
    } <= conditions


async def test_found_by_the_suppliers_number_where_the_sequence_took_over() -> None:
    """Reference 3.2: a preserved sequence may ignore the number we send."""
    numbered = {**INVOICE, "DOCID": "Vendor Invoice-VI-9", "DOCNO": "VI-9"}
    gateway = Gateway(response(page("PODOCUMENT"), page("PODOCUMENT", numbered)))
    assert await gateway.connector().bills.find(a_bill()) == "Vendor Invoice-VI-9"


async def test_not_found() -> None:
    """None, for the recipe to judge by the read lag."""
    assert await Gateway(response(page("PODOCUMENT"), page("PODOCUMENT"))).connector().bills.find(a_bill()) is None
