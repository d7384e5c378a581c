"""What the real service was recorded to take and answer, and the pretend one did not (issue 10, E7 to E15)."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.unit.sandbox.netsuite.rest_client import ask, authorization
from tests.unit.sandbox.netsuite.suite import (
    CORE,
    PORT,
    Reply,
    Suite,
    any_of,
    bill,
    envelope,
    flag,
    is_,
    passport,
    payment,
    preferences,
)
from tests.unit.sandbox.netsuite.zeep_client import Zeep

CORE_TYPES = "urn:types.core_2023_2.platform.webservices.netsuite.com"
RFC = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.1"
READ_ONLY = (
    "You do not have permissions to set a value for element total due to one of the following reasons: 1) The field is"
    " read-only; 2) An associated feature is disabled; 3) The field is available either when a record is created or"
    " updated, but not in both cases."
)


def test_a_client_finds_the_types_of_journal_entries(served: str) -> None:
    """E7: a common client takes its classes out of the WSDL when it is made, journal entries among them."""
    suite = Zeep(served)
    for name in ("JournalEntry", "AdvInterCompanyJournalEntry"):
        line = suite.type(f"ns31:{name}Line")(debit=1.0, memo="x")
        entry = suite.type(f"ns31:{name}")(
            externalId="je-1", lineList=suite.type(f"ns31:{name}LineList")(line=[line], replaceAll=True)
        )
        status = suite.call("upsert", entry).writeResponse.status
        assert not status.isSuccess
        assert status.statusDetail[0].code == "INSUFFICIENT_PERMISSION"


async def test_a_reference_without_an_id_names_nothing(suite: Suite) -> None:
    """E8: clients send `<class type="classification"/>` for "none", on the header and on lines."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    body = bill(order, (1, "4"))
    empty = '<p:class type="classification"/><p:department/>'
    sent = body.replace("<p:itemList", f"{empty}<p:itemList").replace(
        "</p:quantity></p:item>", "</p:quantity><p:department/><p:class type='classification'/></p:item>"
    )
    assert sent.count("<p:class") == 2
    created = await suite.add(sent)
    assert created.ok, created.reasons
    shown = await suite.get("vendorBill", created.id)
    assert shown.all("//p:class | //p:department") == []
    missing = await suite.add(body.replace('<p:entity internalId="501"/>', "<p:entity/>"))
    assert missing.reasons == "Please enter value(s) for: Vendor"
    dead = body.replace("INV-1", "INV-2").replace("<p:itemList", '<p:class internalId="9"/><p:itemList')
    unknown = await suite.add(dead)
    assert unknown.codes == ["INVALID_KEY_OR_REF"]


@pytest.mark.parametrize("name", ["Euro", "EUR", "eur"])
async def test_a_vendors_currency_may_be_given_by_name(suite: Suite, name: str) -> None:
    """E8: a reference that holds a name only."""
    record = (
        '<m:record xsi:type="r:Vendor" externalId="v-9"><r:companyName>Nine</r:companyName>'
        f'<r:subsidiary internalId="1"/><r:currency type="currency"><c:name>{name}</c:name></r:currency></m:record>'
    )
    created = await suite.add(record, "upsert")
    assert created.ok, created.reasons
    shown = await suite.get("vendor", created.id)
    assert shown.text("//r:currency/c:name") == "Euro"
    nobody = await suite.add(record.replace(f">{name}<", ">Doubloon<").replace("v-9", "v-10").replace("Nine", "Ten"))
    assert nobody.ok
    assert (await suite.get("vendor", nobody.id)).text("//r:currency/c:name") == "USA"


@pytest.mark.parametrize(
    ("body", "word", "kind"),
    [
        ('<m:getAll><m:record recordType="vendor"/></m:getAll>', "vendor", "GetAllRecordType"),
        (
            '<m:get><m:baseRef xsi:type="c:RecordRef" type="VendorBill" internalId="1"/></m:get>',
            "VendorBill",
            "RecordType",
        ),
        (
            '<m:get><m:baseRef xsi:type="c:RecordRef" type="vendorbill" internalId="1"/></m:get>',
            "vendorbill",
            "RecordType",
        ),
        (
            '<m:get><m:baseRef xsi:type="c:RecordRef" type="vendor bill" internalId="1"/></m:get>',
            "vendor bill",
            "RecordType",
        ),
        (
            "<m:initialize><m:initializeRecord><c:type>bill</c:type></m:initializeRecord></m:initialize>",
            "bill",
            "InitializeType",
        ),
        (
            "<m:initialize><m:initializeRecord><c:type>vendorBill</c:type><c:reference type='order' internalId='1'/>"
            "</m:initializeRecord></m:initialize>",
            "order",
            "InitializeRefType",
        ),
    ],
)
async def test_a_word_of_no_enumeration_is_a_fault_that_names_its_type(
    suite: Suite, body: str, word: str, kind: str
) -> None:
    """E9, E10: the text names the type, the detail the host only."""
    reply = await suite.ask(body)
    assert reply.http.status_code == 500
    said = f"org.xml.sax.SAXException: {word} is not a legal value for {{{CORE_TYPES}}}{kind}"
    assert reply.fault == ("", "", said)


async def test_a_type_that_is_legal_but_not_held_is_no_fault(suite: Suite) -> None:
    """E9: the vendor has many more record types than this account has records of."""
    for kind in ("salesOrder", "partner", "globalAccountMapping"):
        reply = await suite.get(kind, "1")
        assert (reply.http.status_code, reply.codes) == (200, ["INVALID_RCRD_TYPE"])
    assert (await suite.ask('<m:getAll><m:record recordType="state"/></m:getAll>')).http.status_code == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: b"<a>\n<b", "org.xml.sax.SAXParseException; lineNumber: 2; columnNumber: "),
        (lambda: b"<a>\x03</a>", "org.xml.sax.SAXParseException; lineNumber: 1; columnNumber: "),
        (
            lambda: envelope('<m:get><m:baseRef xsi:type="c:RecordRef" typeId="1"/></m:get>', passport()).encode(),
            f"org.xml.sax.SAXException: typeId not found on {{{CORE}}}RecordRef",
        ),
    ],
)
async def test_what_cannot_be_read_is_a_fault_with_the_host_name_alone(
    suite: Suite, content: Callable[[], bytes], said: str
) -> None:
    """E10. The body is made here, not while tests are collected: its passport is good for five minutes."""
    reply = Reply(await suite.http.post(PORT, content=content()))
    assert reply.http.status_code == 500
    assert [str(part.tag) for part in reply.all("//detail/*")] == ["{http://xml.apache.org/axis/}hostname"]
    assert reply.text("//faultcode") == "soapenv:Server.userException"
    assert reply.text("//faultstring").startswith(said)


async def test_a_read_only_element_is_refused_in_netsuites_words(suite: Suite) -> None:
    """E11."""
    order = await suite.order()
    record = f'<m:record xsi:type="p:PurchaseOrder" internalId="{order["record_no"]}"><p:total>1</p:total></m:record>'
    reply = await suite.add(record, "update")
    assert (reply.codes, reply.reasons) == (["INSUFFICIENT_PERMISSION"], READ_ONLY)


def rels(answer: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"].partition("?")[2] for link in answer["links"]}


async def test_suiteql_names_the_other_pages(suite: Suite) -> None:
    """E12: a client that follows `next` reads all pages."""
    for number in range(5):
        await suite.order(f"PO-{number}", 1)
    text = "SELECT id FROM transaction ORDER BY id"
    first = (await ask(suite, text, limit="2", offset="0")).json()
    assert rels(first) == {"next": "limit=2&offset=2", "last": "limit=2&offset=4", "self": "limit=2&offset=0"}
    middle = (await ask(suite, text, limit="2", offset="2")).json()
    assert rels(middle) == {
        "prev": "limit=2&offset=0",
        "first": "limit=2&offset=0",
        "next": "limit=2&offset=4",
        "last": "limit=2&offset=4",
        "self": "limit=2&offset=2",
    }
    read, page = [item["id"] for item in first["items"]], first
    while "next" in rels(page):
        query = dict(part.split("=") for part in rels(page)["next"].split("&"))
        page = (await ask(suite, text, **query)).json()
        read += [item["id"] for item in page["items"]]
    assert read == ["101", "102", "103", "104", "105"]
    assert rels((await ask(suite, text)).json()) == {"self": "limit=1000&offset=0"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "SELECT nosuch FROM transaction",
            "Unknown identifier 'nosuch'. Available identifiers are: {transaction=transaction}.",
        ),
        (
            "SELECT t.id, l.nosuch FROM transaction t JOIN TransactionLine AS l ON l.transaction = t.id WHERE t.id = 1",
            "Unknown identifier 'l.nosuch'. Available identifiers are: {t=transaction, l=transactionline}.",
        ),
        ("SELECT id FROM customer", "Record 'customer' was not found."),
        ("SELECT id FROM sqlite_master_x", "Record 'sqlite_master_x' was not found."),
        ("SELECT", "Invalid or unsupported search."),
        ("SELECT id FROM transaction WHERE", "Invalid or unsupported search."),
        ("DELETE FROM transaction", "Invalid or unsupported search."),
        ("SELECT 1; SELECT 2", "Invalid or unsupported search."),
        ("SELECT TO_DATE('x', 'YYYY') FROM transaction", "Invalid or unsupported search."),
        ("SELECT NOSUCH(id) FROM transaction", "Invalid or unsupported search."),
    ],
)
async def test_suiteql_says_in_oracles_words_what_it_cannot_answer(suite: Suite, text: str, said: str) -> None:
    """E13: nothing tells what the tables are kept in."""
    await suite.order()
    answer = await ask(suite, text)
    detail = f"Invalid search query. Detailed unprocessed description follows. Search error occurred: {said}"
    assert answer.status_code == 400
    assert answer.json() == {
        "type": RFC,
        "title": "Bad Request",
        "status": 400,
        "o:errorDetails": [{"detail": detail, "o:errorQueryParam": "q", "o:errorCode": "INVALID_PARAMETER"}],
    }


async def test_older_answers_of_rest_are_switches(suite: Suite) -> None:
    """E13: sources of other years."""
    await suite.switch(suiteql_unknown_record="invalid_type", rest_error_type="rfc2616")
    answer = (await ask(suite, "SELECT id FROM customer")).json()
    assert answer["type"] == "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.1"
    detail = "Invalid search query. Detailed unprocessed description follows. Invalid search type: customer."
    assert answer["o:errorDetails"][0]["detail"] == detail


@pytest.mark.parametrize(
    "path", ["/services/rest/record/v1/vendorBill", "/services/rest/nosuch", "/services/rest/record/v1/vendor/1"]
)
async def test_unknown_rest_paths_answer_json(suite: Suite, path: str) -> None:
    """E14."""
    bare = await suite.http.get(path)
    assert (bare.status_code, bare.json()["o:errorDetails"][0]["o:errorCode"]) == (401, "INVALID_LOGIN")
    signed = authorization({}, path=path)
    answer = await suite.http.post(path, headers={"authorization": signed})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/vnd.oracle.resource+json")
    assert answer.json()["type"] == "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.5"
    assert (answer.json()["title"], answer.json()["status"]) == ("Not Found", 404)


def joined(join: str, criteria: str, basic: str = "") -> str:
    """A transaction search with one join."""
    return (
        '<m:search><m:searchRecord xsi:type="s:TransactionSearch"><s:basic>'
        f"{basic}</s:basic><s:{join}>{criteria}</s:{join}></m:searchRecord></m:search>"
    )


async def story(suite: Suite) -> dict[str, str]:
    """PO-1 received and billed as INV-1, which is half paid; PO-2 untouched. Answers ids by name."""
    order = await suite.order()
    other = await suite.order("PO-2")
    receipt = await suite.act("receive", number="PO-1")
    created = (await suite.add(bill(order, (1, "4"), (2, "2")))).id
    paid = (await suite.add(payment(created, "10"))).id
    return {
        "order": order["record_no"],
        "other": other["record_no"],
        "receipt": receipt["record_no"],
        "bill": created,
        "payment": paid,
    }


@pytest.mark.parametrize(
    ("join", "criteria", "expected"),
    [
        ("accountJoin", is_("number", "2000"), ["bill"]),
        ("accountingPeriodJoin", flag("closed", False), ["receipt", "bill", "payment"]),
        ("appliedToTransactionJoin", is_("tranId", "PO-1"), ["receipt", "bill"]),
        ("appliedToTransactionJoin", is_("tranId", "INV-1"), ["payment"]),
        ("applyingTransactionJoin", is_("tranId", "INV-1"), ["order"]),
        ("applyingTransactionJoin", any_of("type", "_vendorPayment"), ["bill"]),
        ("billingTransactionJoin", is_("tranId", "INV-1"), ["order"]),
        ("fulfillingTransactionJoin", any_of("type", "_itemReceipt"), ["order"]),
        ("createdFromJoin", is_("tranId", "PO-1"), ["receipt", "bill"]),
        ("paidTransactionJoin", is_("tranId", "INV-1"), ["payment"]),
        ("payingTransactionJoin", any_of("type", "_vendorPayment"), ["bill"]),
        ("purchaseOrderJoin", is_("tranId", "PO-1"), ["receipt", "bill"]),
        ("subsidiaryJoin", is_("name", "United States"), ["order", "other", "receipt", "bill", "payment"]),
        ("vendorJoin", is_("entityId", "V-1"), ["order", "other", "receipt", "bill", "payment"]),
        ("vendorJoin", is_("entityId", "X"), []),
        ("itemJoin", is_("itemId", "IT-1"), ["order", "other", "receipt", "bill"]),
    ],
)
async def test_joins_of_transaction_searches(suite: Suite, join: str, criteria: str, expected: Sequence[str]) -> None:
    """E15: accepted and applied."""
    ids = await story(suite)
    reply = await suite.ask(joined(join, criteria), preferences())
    assert reply.ok, (reply.codes, reply.reasons)
    assert set(reply.all("//c:record/@internalId")) == {ids[name] for name in expected}


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (is_("amountRemaining", "0", "greaterThan"), ["bill"]),
        (is_("amountPaid", "10", "equalTo"), ["bill"]),
        (is_("daysOpen", "0", "greaterThanOrEqualTo"), ["bill"]),
        (
            '<k:appliedToTransaction operator="anyOf"><c:searchValue internalId="{bill}"/></k:appliedToTransaction>',
            ["payment"],
        ),
        (
            '<k:payingTransaction operator="anyOf"><c:searchValue internalId="{payment}"/></k:payingTransaction>',
            ["bill"],
        ),
        (
            '<k:billingTransaction operator="anyOf"><c:searchValue internalId="{bill}"/></k:billingTransaction>',
            ["order"],
        ),
    ],
)
async def test_more_criteria_of_transaction_searches(suite: Suite, criteria: str, expected: Sequence[str]) -> None:
    """E15."""
    ids = await story(suite)
    reply = await suite.search(criteria.format(**ids))
    assert reply.ok, (reply.codes, reply.reasons)
    assert set(reply.all("//c:record/@internalId")) == {ids[name] for name in expected}


async def test_more_criteria_and_joins_of_vendor_searches(suite: Suite) -> None:
    """E15: addresses, names, contact data, the payables account and the vendor's documents."""
    await story(suite)
    record = (
        '<m:record xsi:type="r:Vendor"><r:companyName>Nine</r:companyName><r:fax>99</r:fax>'
        "<r:comments>seen</r:comments>"
        '<r:subsidiary internalId="1"/><r:payablesAccount internalId="203"/><r:creditLimit>500</r:creditLimit>'
        "<r:is1099Eligible>true</r:is1099Eligible><r:addressbookList><r:addressbook><r:addressbookAddress>"
        "<k:city>Bonn</k:city><k:zip>53111</k:zip></r:addressbookAddress></r:addressbook></r:addressbookList></m:record>"
    )
    created = (await suite.add(record)).id
    for criteria in (
        is_("city", "bonn"),
        is_("zipCode", "531", "startsWith"),
        is_("fax", "99"),
        is_("comments", "seen"),
        is_("creditLimit", "400", "greaterThan"),
        flag("is1099Eligible", True),
    ):
        reply = await suite.search(criteria, "VendorSearchBasic")
        assert reply.all("//c:record/@internalId") == [created], (criteria, reply.reasons)
    search = '<m:search><m:searchRecord xsi:type="r:VendorSearch">{}</m:searchRecord></m:search>'
    by_account = search.format(f"<r:accountJoin>{is_('number', '2000')}</r:accountJoin>")
    assert (await suite.ask(by_account, preferences())).all("//c:record/@internalId") == [created]
    by_bill = search.format(f"<r:transactionJoin>{is_('tranId', 'INV-1')}</r:transactionJoin>")
    assert (await suite.ask(by_bill, preferences())).all("//c:record/@internalId") == ["501"]


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (
            '<m:search><m:searchRecord xsi:type="k:TransactionSearchBasic"><k:gcoBuyerIp operator="is"><c:searchValue>1'
            "</c:searchValue></k:gcoBuyerIp></m:searchRecord></m:search>",
            "SSS_INVALID_SRCH_FILTER",
            "gcoBuyerIp",
        ),
        (joined("revCommittingTransactionJoin", ""), "SSS_INVALID_SRCH_FILTER_JOIN", "revCommittingTransactionJoin"),
        (
            '<m:search><m:searchRecord xsi:type="s:TransactionSearchAdvanced"><s:columns><s:basic><k:vsoePrice/>'
            "</s:basic></s:columns></m:searchRecord></m:search>",
            "SSS_INVALID_SRCH_COL",
            "vsoePrice",
        ),
    ],
)
async def test_what_a_search_may_ask_but_nobody_answers_here_is_refused(
    suite: Suite, body: str, code: str, named: str
) -> None:
    """E15: a result that is not a success, as for a field that an account lacks; not a fault."""
    reply = await suite.ask(body, preferences())
    assert (reply.http.status_code, reply.codes) == (200, [code])
    assert named in reply.reasons
    assert reply.all("//c:searchResult/c:status/@isSuccess") == ["false"]


async def test_tax_details_are_kept_and_added(suite: Suite) -> None:
    """E15: taxDetailsList of bills, orders and credits."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    tax = (
        "<p:taxDetailsList><k:taxDetails><k:taxDetailsReference>a</k:taxDetailsReference><k:taxRate>20</k:taxRate>"
        "<k:taxAmount>4.00</k:taxAmount></k:taxDetails></p:taxDetailsList>"
    )
    override = "<p:taxDetailsOverride>true</p:taxDetailsOverride>"
    body = bill(order, (1, "4"))
    sent = body.replace("<p:entity", f"{override}<p:entity").replace("</m:record>", f"{tax}</m:record>")
    created = await suite.add(sent)
    assert created.ok, created.reasons
    shown = await suite.get("vendorBill", created.id)
    assert (shown.text("//p:userTotal"), shown.text("//p:taxTotal")) == ("24.0", "4.0")
    assert shown.text("//k:taxDetails/k:taxAmount") == "4.0"
    plain = await suite.add(body.replace("INV-1", "INV-2").replace("</m:record>", f"{tax}</m:record>"))
    assert plain.ok, plain.reasons
    shown = await suite.get("vendorBill", plain.id)
    assert (shown.text("//p:userTotal"), shown.all("//k:taxDetails")) == ("20.0", [])
