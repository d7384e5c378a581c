"""The order and form of elements: what QuickBooks refuses whole, what it refuses by status (reference 2.1, 2.2, 4)."""

import random
from collections.abc import Iterator
from copy import deepcopy

import pytest
from lxml import etree

from sandbox.quickbooks_desktop.errors import HResult
from sandbox.quickbooks_desktop.grammar import check
from sandbox.quickbooks_desktop.qbxml import read
from tests.harness.qbxml_schema import qbxml_schema
from tests.harness.vendor_schemas import needs_qbxml_schemas, of_qbxml_schemas
from tests.unit.sandbox.quickbooks_desktop.pc import Pc, bill_add, document

BILL = (
    '<BillAddRq requestID="1"><BillAdd><VendorRef><ListID>8-1</ListID></VendorRef><APAccountRef>'
    "<FullName>A/P</FullName></APAccountRef><TxnDate>2026-10-05</TxnDate><DueDate>2026-11-05</DueDate><RefNumber>INV-1</RefNumber><Memo>m</Memo>"
    "<ExpenseLineAdd><AccountRef><FullName>Freight</FullName></AccountRef><Amount>15.00</Amount><Memo>x</Memo>"
    "</ExpenseLineAdd><ItemLineAdd><Quantity>6</Quantity><Cost>50.00</Cost><LinkToTxn><TxnID>1</TxnID>"
    "<TxnLineID>2</TxnLineID></LinkToTxn></ItemLineAdd></BillAdd></BillAddRq>"
)
ORDERS = (
    '<PurchaseOrderQueryRq requestID="q" iterator="Start"><MaxReturned>50</MaxReturned><ModifiedDateRangeFilter>'
    "<FromModifiedDate>2026-03-01T00:00:00</FromModifiedDate></ModifiedDateRangeFilter><EntityFilter><ListID>8-1</ListID>"
    "</EntityFilter><IncludeLineItems>true</IncludeLineItems><IncludeLinkedTxns>true</IncludeLinkedTxns>"
    "</PurchaseOrderQueryRq>"
)
ORDER_MOD = (
    "<PurchaseOrderModRq><PurchaseOrderMod><TxnID>1</TxnID><EditSequence>2</EditSequence><FOB>x</FOB>"
    "<IsManuallyClosed>true</IsManuallyClosed><Memo>m</Memo><PurchaseOrderLineMod><TxnLineID>3</TxnLineID>"
    "<Quantity>2</Quantity><Rate>1.5</Rate></PurchaseOrderLineMod></PurchaseOrderMod></PurchaseOrderModRq>"
)
PAYMENT = (
    "<BillPaymentCheckAddRq><BillPaymentCheckAdd><PayeeEntityRef><ListID>8-1</ListID></PayeeEntityRef>"
    "<TxnDate>2026-10-05</TxnDate><BankAccountRef><ListID>8-2</ListID></BankAccountRef><RefNumber>101</RefNumber>"
    "<AppliedToTxnAdd><TxnID>1</TxnID><PaymentAmount>5.00</PaymentAmount><SetCredit><CreditTxnID>4</CreditTxnID>"
    "<AppliedAmount>1.00</AppliedAmount></SetCredit></AppliedToTxnAdd></BillPaymentCheckAdd></BillPaymentCheckAddRq>"
)
VENDORS = (
    "<VendorQueryRq><MaxReturned>5</MaxReturned><ActiveStatus>All</ActiveStatus>"
    "<FromModifiedDate>2026-03-01</FromModifiedDate><NameFilter><MatchCriterion>StartsWith</MatchCriterion>"
    "<Name>N</Name></NameFilter><OwnerID>0</OwnerID></VendorQueryRq>"
)
DELETED = (
    "<TxnDeletedQueryRq><TxnDelType>Bill</TxnDelType><DeletedDateRangeFilter><FromDeletedDate>2026-03-01"
    "</FromDeletedDate></DeletedDateRangeFilter></TxnDeletedQueryRq>"
)
REQUESTS = {
    "bill": BILL,
    "orders": ORDERS,
    "mod": ORDER_MOD,
    "payment": PAYMENT,
    "vendors": VENDORS,
    "deleted": DELETED,
}


def parses(text: str, newest: int = 16) -> bool:
    try:
        check(read(text), newest)
    except HResult:
        return False
    return True


@pytest.mark.parametrize("request_text", REQUESTS.values(), ids=REQUESTS)
def test_the_references_own_order_is_taken(request_text: str) -> None:
    assert parses(document(request_text))


def mutants(text: str, seed: int) -> Iterator[str]:
    """The document with one element moved, doubled or taken away."""
    chance = random.Random(seed)
    for _ in range(40):
        root = etree.fromstring(text)
        places = [element for element in root.iter() if len(element) > 1]
        parent = chance.choice(places)
        at = chance.randrange(len(parent))
        what = chance.choice(("move", "double", "drop", "elsewhere"))
        child = parent[at]
        if what == "move":
            parent.remove(child)
            parent.insert(chance.randrange(len(parent) + 1), child)
        elif what == "double":
            parent.insert(at, deepcopy(child))
        elif what == "drop":
            parent.remove(child)
        else:
            other = chance.choice(places)
            if child not in list(other.iterancestors()) and child is not other:
                other.append(deepcopy(child))
        yield etree.tostring(root, encoding="unicode")


@needs_qbxml_schemas
@pytest.mark.parametrize("version", of_qbxml_schemas([13, 16]))
@pytest.mark.parametrize("name", of_qbxml_schemas(REQUESTS))
def test_the_grammar_agrees_with_the_vendor_schema(name: str, version: int) -> None:
    """A document that the vendor's schema refuses is refused here, and the other way round."""
    schema = qbxml_schema(f"{version}0")
    assert schema is not None
    verdicts = set()
    for mutant in mutants(REQUESTS[name], seed=version):
        text = document(mutant, version=version)
        ours = parses(text)
        theirs = schema.validate(etree.fromstring(text.partition("?>")[2]))
        assert ours == theirs, (mutant, schema.error_log)
        verdicts.add(theirs)
    assert verdicts == {True, False}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<QBXML/>",
        "<QBXML><QBXMLMsgsRq onError='stopOnError'><HostQueryRq/></QBXMLMsgsRq></QBXML>",  # no version
        '<?qbxml version="17.0"?><QBXML><QBXMLMsgsRq onError="stopOnError"><HostQueryRq/></QBXMLMsgsRq></QBXML>',
        '<?qbxml version="13.0"?><QBXML><QBXMLMsgsRq><HostQueryRq/></QBXMLMsgsRq></QBXML>',  # no onError
        '<?qbxml version="13.0"?><QBXML><QBXMLMsgsRq onError="carryOn"><HostQueryRq/></QBXMLMsgsRq></QBXML>',
        '<?qbxml version="13.0"?><!DOCTYPE QBXML><QBXML><QBXMLMsgsRq onError="stopOnError"/></QBXML>',
        document("<HostQueryRq>text</HostQueryRq>"),
        document("<EverythingQueryRq/>"),
        document('<HostQueryRq iterator="Start"/>'),
        document("<VendorQueryRq><ActiveStatus>Sleeping</ActiveStatus></VendorQueryRq>"),
    ],
)
def test_what_is_refused_whole(text: str) -> None:
    assert not parses(text)


def test_an_element_newer_than_the_declared_version_is_a_parse_error() -> None:
    newer = BILL.replace("<Memo>m</Memo>", "<ClassRef><FullName>A</FullName></ClassRef><Memo>m</Memo>", 1)
    assert parses(document(newer, version=16))
    assert not parses(document(newer, version=13))
    assert not parses(document(BILL, version=16), newest=13)


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("15.00", "15.5", 3040),
        ("50.00", "50.123456", 3045),
        ("<Quantity>6<", "<Quantity>six<", 3060),
        ("2026-10-05", "05.10.2026", 3020),
        ("2026-10-05", "2026-02-30", 3020),
        ("INV-1", "I" * 21, 3070),
        ("<ListID>8-1<", f"<ListID>{'8' * 37}<", 3000),
    ],
)
async def test_values_of_the_wrong_form_have_a_status(pc: Pc, before: str, after: str, code: int) -> None:
    text = BILL.replace(before, after)
    assert pc.ask(text, schema=False).get("statusCode") == str(code)
    await pc.switch(bad_values="parse_error")
    with pytest.raises(HResult) as caught:
        pc.ask(text, schema=False)
    assert caught.value.code == "0x80040400"


async def test_an_order_number_is_eleven_characters(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    add = (
        "<PurchaseOrderAddRq><PurchaseOrderAdd><RefNumber>PO-123456789</RefNumber><PurchaseOrderLineAdd>"
        "<Desc>text</Desc></PurchaseOrderLineAdd></PurchaseOrderAdd></PurchaseOrderAddRq>"
    )
    assert pc.ask(add, schema=False).get("statusCode") == "3070"


async def test_characters_outside_windows_1252_are_lost_or_refused(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    [vendor] = await pc.held("vendors")
    line = (
        "<ExpenseLineAdd><AccountRef><FullName>Purchases</FullName></AccountRef><Amount>1.00</Amount></ExpenseLineAdd>"
    )
    add = bill_add(vendor["record_no"], "INV-é", line, more="<Memo>Łódź €</Memo>")
    answer = pc.ask(add)
    assert answer.findtext("BillRet/Memo") == "?ód? €"
    assert answer.findtext("BillRet/RefNumber") == "INV-é"
    await pc.switch(foreign_characters="parse_error")
    with pytest.raises(HResult):
        pc.ask(add)


async def test_after_a_refusal_the_rest_is_not_processed(pc: Pc) -> None:
    wrong = "<VendorAddRq><VendorAdd><Name>A</Name></VendorAdd></VendorAddRq>"
    twice = pc.answered(wrong, wrong, wrong)
    assert [one.get("statusCode") for one in twice] == ["0", "3100", "3231"]
    on = pc.answered(wrong, wrong.replace("A<", "B<"), on_error="continueOnError")
    assert [one.get("statusCode") for one in on] == ["3100", "0"]


async def test_a_request_id_has_fifty_characters(pc: Pc) -> None:
    assert pc.ask(f'<HostQueryRq requestID="{"x" * 51}"/>').get("statusCode") == "1060"
    assert pc.ask(f'<HostQueryRq requestID="{"x" * 50}"/>').get("requestID") == "x" * 50


async def test_an_application_that_may_only_read_is_refused_writes(pc: Pc) -> None:
    pc.open(read_only=True)
    assert pc.ask("<VendorAddRq><VendorAdd><Name>A</Name></VendorAdd></VendorAddRq>").get("statusCode") == "3263"
    assert pc.ask("<VendorQueryRq/>").get("statusCode") == "1"
