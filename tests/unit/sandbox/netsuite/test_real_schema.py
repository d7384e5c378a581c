"""Requests and answers against the vendor's own schemas, where they are at hand (no part of this repository)."""

import httpx
import pytest
from lxml import etree

from sandbox.netsuite.schema.namespaces import GROUPS, uri
from sandbox.netsuite.schema.record_names import RECORD_TYPES as RECORD_WORDS
from sandbox.netsuite.schema.record_names import may_be_record_type
from sandbox.netsuite.schema.shapes import ENUMERATIONS, OPERATIONS, SHAPES
from tests.harness.vendor_schemas import NETSUITE_SCHEMAS, NO_NETSUITE_SCHEMAS
from tests.unit.sandbox.netsuite.suite import NAMES, Suite, any_of, bill, flag, is_, payment, preferences
from tests.unit.sandbox.netsuite.zeep_client import Zeep

if not NETSUITE_SCHEMAS.is_dir():
    pytest.skip(NO_NETSUITE_SCHEMAS, allow_module_level=True)

_XSD = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """The vendor's namespaces that are used here as one schema."""
    root = etree.Element(f"{_XSD}schema")
    for file in sorted((NETSUITE_SCHEMAS / "xsd").glob("*.xsd")):
        namespace = etree.parse(str(file)).getroot().get("targetNamespace")
        if namespace not in NAMES.values():
            continue
        etree.SubElement(root, f"{_XSD}import", namespace=namespace or "", schemaLocation=file.as_uri())
    return etree.XMLSchema(root)


def check(schema: etree.XMLSchema, document: bytes) -> int:
    """Validates every block of a SOAP header and body; answers how many elements that were."""
    root = etree.fromstring(document)
    count = 0
    for part in root:
        for block in part:
            if etree.QName(block).localname != "Fault":
                schema.assertValid(etree.fromstring(etree.tostring(block)))
                count += len(list(block.iter()))
    return count


async def test_a_whole_story_is_what_the_vendor_schema_says(suite: Suite, schema: etree.XMLSchema) -> None:
    """Reference 3.2, 9.1, appendix: names, order, types and namespaces of everything sent and answered."""
    await suite.room("/companies/netsuite/sample")
    order = await suite.one("purchase_orders", "PO-1003")
    vendor = (await suite.search("", "VendorSearchBasic")).all("//c:record/@internalId")[1]
    types = any_of(
        "type",
        "_purchaseOrder",
        "_itemReceipt",
        "_vendorBill",
        "_vendorPayment",
        "_vendorCredit",
        "_vendorReturnAuthorization",
    )
    await suite.search(types, body_only=False, size=1000)
    await suite.search(flag("mainLine", True) + is_("tranId", "PO-10", "startsWith"), body_only=True)
    for kind in ("Account", "Department", "Classification", "Location", "Subsidiary", "Term", "UnitsType", "Item"):
        reply = await suite.search("", f"{kind}SearchBasic")
        assert reply.ok, kind
        assert reply.records, kind
    await suite.search("", "AccountingPeriodSearchBasic")
    await suite.ask('<m:getAll><m:record recordType="currency"/></m:getAll>')
    await suite.ask(
        '<m:search><m:searchRecord xsi:type="s:TransactionSearchAdvanced"><s:criteria><s:basic>'
        f"{any_of('type', '_purchaseOrder')}</s:basic></s:criteria><s:columns><s:basic><k:internalId/><k:item/>"
        "<k:quantityBilled/><k:quantityShipRecv/><k:status/><k:tranId/></s:basic></s:columns></m:searchRecord></m:search>",
        preferences(),
    )
    for name in ("getServerTime", "getAccountGovernanceInfo", "getIntegrationGovernanceInfo"):
        await suite.ask(f"<m:{name}/>")
    await suite.ask("<m:getDataCenterUrls><m:account>TSTDRV1</m:account></m:getDataCenterUrls>")
    await suite.initialize("vendorBill", "purchaseOrder", order["record_no"])
    await suite.initialize("itemReceipt", "purchaseOrder", (await suite.one("purchase_orders", "PO-1002"))["record_no"])
    created = (await suite.add(bill(order, (1, "4"), (2, "2"), key="k-1").replace("501", vendor))).id
    await suite.add(bill(order, (1, "1"), key="k-1").replace("501", vendor))
    await suite.initialize("vendorPayment", "vendorBill", created)
    paid = (await suite.add(payment(created, "100").replace("501", vendor))).id
    await suite.add(f'<m:record xsi:type="p:VendorBill" internalId="{created}"><p:memo>x</p:memo></m:record>', "update")
    await suite.act("add_credit", vendor_id="V-110", number="CR-1", amount="5", bill="INV-1")
    await suite.ask(
        f'<m:getList><m:baseRef xsi:type="c:RecordRef" type="vendorPayment" internalId="{paid}"/></m:getList>'
    )
    await suite.get("vendorCredit", (await suite.one("credits", "CR-1"))["record_no"])
    await suite.initialize("vendorCredit", "vendorBill", created)
    goods = (await suite.act("authorize_return", record_no=created, lines=[{"line": 1, "quantity": "1"}]))["record_no"]
    await suite.initialize("vendorCredit", "vendorReturnAuthorization", goods)
    await suite.get("vendorReturnAuthorization", goods)
    credit = (await suite.act("credit_return", record_no=goods))["record_no"]
    await suite.get("vendorCredit", credit)
    await suite.delete("vendorCredit", credit)
    await suite.delete("vendorPayment", paid)
    deleted = '<c:type operator="anyOf"><c:searchValue>vendorPayment</c:searchValue></c:type>'
    reply = await suite.ask(
        f"<m:getDeleted><m:getDeletedFilter>{deleted}</m:getDeletedFilter><m:pageIndex>1</m:pageIndex></m:getDeleted>"
    )
    assert reply.text("//c:totalRecords") == "1"
    assert sum(check(schema, document) for document in suite.sent) > 200
    assert sum(check(schema, document) for document in suite.got) > 5000


def test_a_client_of_the_vendors_own_wsdl_works_alike(served: str) -> None:
    """Reference 9.1: zeep, strict, with the real WSDL and only its address changed."""
    httpx.post(f"{served}/sandbox/companies/netsuite/sample").raise_for_status()
    suite = Zeep(served, wsdl=str(NETSUITE_SCHEMAS / "netsuite.wsdl"))
    types = suite.type("ns0:SearchEnumMultiSelectField")(
        searchValue=["_purchaseOrder", "_vendorBill"], operator="anyOf"
    )
    found = suite.call(
        "search", suite.type("ns5:TransactionSearchBasic")(type=types), bodyFieldsOnly=False, pageSize=1000
    )
    records = found.searchResult.recordList.record
    assert len(records) == found.searchResult.totalRecords == 39
    order = next(record for record in records if record.tranId == "PO-1028")
    filled = suite.call(
        "initialize",
        suite.type("ns0:InitializeRecord")(
            type="vendorBill",
            reference=suite.type("ns0:InitializeRef")(type="purchaseOrder", internalId=order.internalId),
        ),
    ).readResponse.record
    filled.externalId, filled.currencyName = "real-1", None
    assert suite.call("add", filled).writeResponse.status.isSuccess
    ref = suite.type("ns0:RecordRef")(type="purchaseOrder", internalId=order.internalId)
    assert suite.call("get", ref).readResponse.record.status == "Fully Billed"


def _real_types() -> dict[tuple[str, str], etree._Element]:
    types: dict[tuple[str, str], etree._Element] = {}
    for file in (NETSUITE_SCHEMAS / "xsd").glob("*.xsd"):
        root = etree.parse(str(file)).getroot()
        for kind in root.findall(f"{_XSD}complexType"):
            types[root.get("targetNamespace") or "", kind.get("name") or ""] = kind
    return types


def test_every_type_keeps_the_vendors_order_of_elements() -> None:
    """Reference 9.1: zeep refuses elements out of order, so what is served here must be the real order."""
    real = _real_types()
    for shape in SHAPES.values():
        name = shape.name
        if name.startswith("GetSelectValueRe") and shape.namespace == "messages":  # the vendor's is in small letters
            name = name[0].lower() + name[1:]
        kind = real[uri(shape.namespace, "2023_2"), name]
        names = [(one.get("name") or one.get("ref") or "").rpartition(":")[2] for one in kind.iter(f"{_XSD}element")]
        own = [one.name for one in shape.own]
        assert [name for name in names if name in own] == own, shape.name
        attributes = {one.get("name") for one in kind.iter(f"{_XSD}attribute")}
        assert {one.name for one in shape.own_attributes} <= attributes, shape.name


def test_every_operation_and_namespace_is_one_of_the_vendors() -> None:
    """Reference 1.2, 1.3."""
    root = etree.parse(str(NETSUITE_SCHEMAS / "netsuite.wsdl")).getroot()
    operations = {one.get("name") for one in root.iter("{http://schemas.xmlsoap.org/wsdl/}operation")}
    assert set(OPERATIONS) <= operations
    files = (NETSUITE_SCHEMAS / "xsd").glob("*.xsd")
    namespaces = {etree.parse(str(file)).getroot().get("targetNamespace") for file in files}
    assert {uri(group.key, "2023_2") for group in GROUPS} == namespaces
    assert set(NAMES.values()) - namespaces == {NAMES["soapenv"], NAMES["xsi"]}


def test_every_word_of_an_enumeration_is_one_of_the_vendors() -> None:
    """E9: what is enforced must not refuse a legal word, and must name words that are."""
    assert NETSUITE_SCHEMAS is not None
    real: dict[tuple[str, str], set[str]] = {}
    for file in (NETSUITE_SCHEMAS / "xsd").glob("*.xsd"):
        root = etree.parse(str(file)).getroot()
        for kind in root.findall(f"{_XSD}simpleType"):
            words = {one.get("value") or "" for one in kind.iter(f"{_XSD}enumeration")}
            real[root.get("targetNamespace") or "", kind.get("name") or ""] = words
    for key, group in ENUMERATIONS.items():
        for name, words in group.items():
            legal = real[uri(key, "2023_2"), name]
            assert set(words) <= legal, (name, set(words) - legal)
            if words and name != "RecordType":
                assert set(words) == legal, (name, legal - set(words))
    assert all(
        may_be_record_type(word) for word in real[uri("types.core", "2023_2"), "RecordType"] - set(RECORD_WORDS.split())
    )
