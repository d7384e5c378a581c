"""The wire itself: documents, namespaces, order of elements, faults, a real zeep client (reference 1, 3.2, 6, 9.1)."""

from functools import cache

import httpx
import pytest
from lxml import etree
from zeep.exceptions import Fault

from sandbox.netsuite.schema.namespaces import GROUPS, VERSIONS, uri
from sandbox.netsuite.schema.shapes import OPERATIONS
from tests.unit.sandbox.netsuite.suite import Reply, Suite, any_of, bill, envelope, passport
from tests.unit.sandbox.netsuite.zeep_client import Zeep


@cache
def _zeep(url: str, version: str = "2023_2") -> Zeep:
    """Loading the WSDL takes longer than everything else here."""
    return Zeep(url, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_served_whole(served: str, version: str) -> None:
    """Reference 1.1, 1.3: the WSDL imports all namespaces in the real order, from the host that was asked."""
    wsdl = etree.fromstring(httpx.get(f"{served}/wsdl/v{version}_0/netsuite.wsdl").content)
    imports = wsdl.findall(".//{http://www.w3.org/2001/XMLSchema}import")
    assert [one.get("namespace") for one in imports] == [uri(group.key, version) for group in GROUPS]
    for one in imports[::9]:
        location = one.get("schemaLocation") or ""
        assert location.startswith(f"{served}/xsd/")
        schema = etree.fromstring(httpx.get(location).content)
        assert schema.get("targetNamespace") == one.get("namespace")


@pytest.mark.parametrize("version", ["2023_2", "2025_2"])
def test_zeep_numbers_the_namespaces_as_for_the_real_wsdl(served: str, version: str) -> None:
    """Reference 1.3: some clients depend on ns0 to ns45."""
    numbered = _zeep(served, version).client.wsdl.types.prefix_map
    assert {name: uri for name, uri in numbered.items() if name != "xsd"} == {
        f"ns{number}": uri(group.key, version) for number, group in enumerate(GROUPS)
    }


def test_zeep_tells_the_whole_story(served: str) -> None:
    """S4-29 to S4-39; reference 9.1: a strict client reads every answer."""
    httpx.post(f"{served}/sandbox/companies/netsuite/sample").raise_for_status()
    suite = _zeep(served)
    ref = suite.type("ns0:RecordRef")
    criteria = suite.type("ns5:TransactionSearchBasic")(
        type=suite.type("ns0:SearchEnumMultiSelectField")(searchValue=["_purchaseOrder"], operator="anyOf"),
        tranId=suite.type("ns0:SearchStringField")(searchValue="PO-1003", operator="is"),
    )
    found = suite.call("search", criteria, bodyFieldsOnly=False, pageSize=50).searchResult
    assert found.status.isSuccess
    [order] = found.recordList.record
    assert (order.status, order.orderStatus) == ("Pending Bill", "_pendingBilling")
    filled = suite.call(
        "initialize",
        suite.type("ns0:InitializeRecord")(
            type="vendorBill",
            reference=suite.type("ns0:InitializeRef")(type="purchaseOrder", internalId=order.internalId),
        ),
    ).readResponse.record
    assert [line.quantity for line in filled.itemList.item] == [8.0, 8.0]
    filled.tranId, filled.externalId, filled.exchangeRate = "INV-9", "posync-9", None
    filled.currencyName = None
    written = suite.call("add", filled).writeResponse
    assert written.status.isSuccess, written.status
    assert written.status.statusDetail[0].afterSubmitFailed is False
    again = suite.call("add", filled).writeResponse
    assert (again.status.isSuccess, again.status.statusDetail[0].code) == (False, "DUP_RCRD")
    [read] = suite.call(
        "getList", [ref(type="purchaseOrder", internalId=order.internalId)]
    ).readResponseList.readResponse
    assert read.record.status == "Fully Billed"
    assert [line.quantityBilled for line in read.record.itemList.item] == [8.0, 8.0]
    assert suite.call("getServerTime").getServerTimeResult.serverTime.utcoffset().total_seconds() == 0


def test_zeep_raises_a_fault_with_its_detail(served: str) -> None:
    """Reference 6.1."""
    with pytest.raises(Fault) as refused:
        _zeep(served).service.getServerTime()
    assert refused.value.code == "soapenv:Server.userException"
    detail = refused.value.detail
    assert detail[0].tag == "{urn:faults_2023_2.platform.webservices.netsuite.com}invalidCredentialsFault"
    assert [child.text for child in detail[0]] == ["INVALID_LOGIN_CREDENTIALS", "Invalid login attempt."]
    assert detail[1].tag == "{http://xml.apache.org/axis/}hostname"


async def test_the_version_of_path_and_namespaces_must_agree(suite: Suite) -> None:
    """Reference 1.1, 6.1."""
    later = envelope("<m:getServerTime/>", passport()).replace("2023_2", "2025_2").encode()
    good = Reply(await suite.http.post("/services/NetSuitePort_2025_2", content=later))
    assert 'isSuccess="true"' in good.http.text
    mixed = Reply(await suite.http.post("/services/NetSuitePort_2024_2", content=later))
    assert mixed.fault[:2] == ("", "")
    retired = Reply(await suite.http.post("/services/NetSuitePort_2019_1", content=later))
    assert retired.fault[:2] == ("invalidVersionFault", "UNSUPPORTED_WS_VERSION")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<p:tranId>INV-1</p:tranId>", "<p:tranId>INV-1</p:tranId><p:entity internalId='501'/>"),
        ("<p:tranId>INV-1</p:tranId>", "<p:tranId>INV-1</p:tranId><p:tranId>INV-2</p:tranId>"),
        ("<p:tranId>", "<p:noSuchElement>1</p:noSuchElement><p:tranId>"),
        ("<p:tranId>INV-1</p:tranId>", "<m:tranId>INV-1</m:tranId>"),
        ("<p:quantity>1</p:quantity>", "<p:quantity>one</p:quantity>"),
        ("<p:orderLine>1</p:orderLine>", "<p:orderLine>1.5</p:orderLine>"),
        ('xsi:type="p:VendorBill"', ""),
        ('xsi:type="p:VendorBill"', 'xsi:type="p:NoSuchBill"'),
        ('xsi:type="p:VendorBill"', 'xsi:type="k:VendorSearchBasic"'),
        ('replaceAll="false"', 'replaceAll="false" other="1"'),
    ],
)
async def test_what_the_schema_does_not_allow_is_a_fault(suite: Suite, old: str, new: str) -> None:
    """Checklist 4: order, names, namespaces, types; nothing is done."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    body = bill(order, (1, "1"))
    assert old in body
    reply = await suite.add(body.replace(old, new))
    assert reply.http.status_code == 500
    assert reply.fault[:2] == ("", "")
    assert reply.fault[2].startswith("org.xml.sax.SAXException: ")
    assert await suite.held("bills") == []
    assert (await suite.add(body)).ok


@pytest.mark.parametrize("body", [b"", b"<", b"<a/>", b"no xml at all", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
async def test_what_is_no_envelope_is_a_fault(suite: Suite, body: bytes) -> None:
    """Checklist 3."""
    reply = Reply(await suite.http.post("/services/NetSuitePort_2023_2", content=body))
    assert reply.http.status_code == 500
    assert reply.fault[:2] == ("", "")
    assert reply.fault[2].startswith("org.xml.sax.SAX")


async def test_an_unknown_operation_is_a_fault(suite: Suite) -> None:
    """Checklist 1."""
    assert (await suite.ask("<m:login/>")).fault[:2] == ("", "")


async def test_calls_are_counted_by_operation_and_record(suite: Suite) -> None:
    """DESIGN 9."""
    await suite.order()
    await suite.room("/calls/reset")
    await suite.search(any_of("type", "_purchaseOrder"))
    await suite.get("vendorBill", "1")
    calls = await suite.room("/calls", method="GET")
    assert calls["by_object"] == {"get vendorBill": 1, "search purchaseOrder": 1}
    assert calls["requests"] == 2


def test_every_operation_is_in_the_wsdl(served: str) -> None:
    """Reference 1.2: with its documentInfo header, so that zeep answers header and body."""
    service = _zeep(served).service
    assert {name for name, _ in service.__iter__()} == set(OPERATIONS)
