"""The SOAP of the door: other people's programs call it with the vendor's WSDL, and its bodies are what that says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree

from api.web_connector import soap
from tests.harness.vendor_schemas import WEB_CONNECTOR_WSDL, needs_qbxml_schemas, of_qbxml_schemas

RESULTS: Mapping[str, Any] = {
    "serverVersion": "0.1.0",
    "clientVersion": None,
    "authenticate": ["secret", None],
    "sendRequestXML": "<QBXML>a &amp; b</QBXML>",
    "receiveResponseXML": 50,
    "connectionError": "done",
    "getLastError": "nothing",
    "closeConnection": "OK",
}


class Reply:
    """An HTTP answer, as zeep reads it."""

    status_code = 200
    headers: Mapping[str, str] = {"Content-Type": "text/xml; charset=utf-8"}
    encoding = "utf-8"

    def __init__(self, body: str) -> None:
        self.content = body.encode()


def vendor(tmp_path: Path) -> zeep.Client:
    return zeep.Client(str(WEB_CONNECTOR_WSDL))


def ours(tmp_path: Path) -> zeep.Client:
    file = tmp_path / "ours.wsdl"
    file.write_text(soap.description("https://posync.example.com/qbwc"))
    return zeep.Client(str(file))


CALLS = [
    *((ours, name) for name in soap.OPERATIONS),
    *(pytest.param(vendor, name, marks=needs_qbxml_schemas) for name in of_qbxml_schemas(soap.OPERATIONS)),
]


@pytest.mark.parametrize(("client_of", "name"), CALLS)
def test_a_soap_library_calls_the_door(client_of: Any, name: str, tmp_path: Path) -> None:
    """Issue 12: zeep with the vendor's WSDL is a client of our door."""
    client = client_of(tmp_path)
    parameters = {
        parameter: 16 if kind == "int" else f"<a>&{parameter} é" for parameter, kind in soap.OPERATIONS[name].parameters
    }
    call = soap.read(etree.tostring(client.create_message(client.service, name, **parameters)))
    assert call == soap.Call(name, {parameter: str(value) for parameter, value in parameters.items()})
    binding = client.service._binding
    result = RESULTS[name]
    sent = [one or "" for one in result] if isinstance(result, list) else "" if result is None else result
    assert binding.process_reply(client, binding.get(name), Reply(soap.answer(name, sent))) == result


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<a/>",
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><steal/></s:Body></s:Envelope>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    ],
)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(soap.NotUnderstood):
        soap.read(body)


def test_remote_procedure_style_is_read() -> None:
    """Parameters are unqualified there, and carry types."""
    body = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:q1="http://developer.intuit.com/"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body><q1:authenticate>'
        b'<strUserName xsi:type="xsd:string">a</strUserName><strPassword>b</strPassword></q1:authenticate>'
        b"</s:Body></s:Envelope>"
    )
    assert soap.read(body) == soap.Call("authenticate", {"strUserName": "a", "strPassword": "b"})
