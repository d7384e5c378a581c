"""Somebody else's SOAP library, by the vendor's WSDL, has whole sessions with our door over HTTP."""

from typing import Any

import httpx
import zeep
from zeep.transports import AsyncTransport

from tests.harness.paired_web_connector import QUESTION, WRITE, Pair, said
from tests.harness.vendor_schemas import WEB_CONNECTOR_WSDL, needs_qbxml_schemas


def a_client(http: httpx.AsyncClient) -> Any:
    """The service by the vendor's WSDL, at our address. The library sets its own headers on the client it is given."""
    own = httpx.AsyncClient(transport=http._transport)
    client = zeep.AsyncClient(str(WEB_CONNECTOR_WSDL), transport=AsyncTransport(client=own, wsdl_client=httpx.Client()))
    client.service._binding_options["address"] = "http://posync/qbwc"
    return client.service


@needs_qbxml_schemas
async def test_a_library_with_the_vendors_wsdl_has_a_session(pair: Pair, http: httpx.AsyncClient) -> None:
    """Issue 12: it greets, signs in, takes and brings documents, hears of an error, and closes."""
    service = a_client(http)
    assert await service.serverVersion()
    assert await service.clientVersion(strVersion="2.3.0.207") in (None, "")
    await pair.asked()
    await pair.wrote()
    secret, verdict = await service.authenticate(strUserName=pair.connector.user, strPassword=pair.connector.password)
    assert verdict in (None, "")
    found_out = said(pair)
    rounds = 0
    while document := await service.sendRequestXML(
        ticket=secret, strHCPResponse=found_out, strCompanyFileName="C:\\books.qbw", qbXMLCountry="US",
        qbXMLMajorVers=16, qbXMLMinorVers=0,
    ):  # fmt: skip
        found_out = ""
        rounds += 1
        answer = pair.company.answer(document)
        assert 0 < await service.receiveResponseXML(ticket=secret, response=answer, hresult="", message="") < 100
    assert rounds == 2
    assert await service.getLastError(ticket=secret) == "There is nothing more to exchange now."
    assert await service.closeConnection(ticket=secret) == "OK"
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    assert len(pair.company.bills) == 1


@needs_qbxml_schemas
async def test_a_library_with_the_vendors_wsdl_hears_what_is_wrong(pair: Pair, http: httpx.AsyncClient) -> None:
    """Issue 12: a wrong password, a ticket that nobody gave, an answer that is none, QuickBooks that does not open."""
    service = a_client(http)
    _, verdict = await service.authenticate(strUserName=pair.connector.user, strPassword="wrong")
    assert verdict == "nvu"
    assert await service.getLastError(ticket="nobody") == "unknown session"
    assert await service.receiveResponseXML(ticket="nobody", response="", hresult="", message="") == -1
    await pair.asked()
    secret, _ = await service.authenticate(strUserName=pair.connector.user, strPassword=pair.connector.password)
    failed = {"ticket": secret, "hresult": "0x80040408", "message": "Could not start QuickBooks"}
    assert await service.connectionError(**failed) == "done"
    assert "could not be opened" in await service.getLastError(ticket=secret)
