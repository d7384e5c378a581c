"""Read and write the SOAP 1.1 of the Web Connector: one flat element per call (reference 1.1).

Parameters are matched by their local names, whatever the style; answers are in document style.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

from erp import xml_answer

NAMESPACE = "http://developer.intuit.com/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class Operation(NamedTuple):
    """One call of the Web Connector: its parameters in order, with their types, and the type of its result."""

    parameters: tuple[tuple[str, str], ...]
    result: str = "string"


_TEXT = "string"
_SESSION = ("ticket", _TEXT)

OPERATIONS: Mapping[str, Operation] = {
    "serverVersion": Operation((("strVersion", _TEXT),)),
    "clientVersion": Operation((("strVersion", _TEXT),)),
    "authenticate": Operation((("strUserName", _TEXT), ("strPassword", _TEXT)), "ArrayOfString"),
    "sendRequestXML": Operation(
        (
            _SESSION,
            ("strHCPResponse", _TEXT),
            ("strCompanyFileName", _TEXT),
            ("qbXMLCountry", _TEXT),
            ("qbXMLMajorVers", "int"),
            ("qbXMLMinorVers", "int"),
        )
    ),
    "receiveResponseXML": Operation((_SESSION, ("response", _TEXT), ("hresult", _TEXT), ("message", _TEXT)), "int"),
    "connectionError": Operation((_SESSION, ("hresult", _TEXT), ("message", _TEXT))),
    "getLastError": Operation((_SESSION,)),
    "closeConnection": Operation((_SESSION,)),
}


class Call(NamedTuple):
    """One call with its parameters as text; absent ones are empty."""

    name: str
    parameters: Mapping[str, str]


class NotUnderstood(Exception):
    """The body is no call of a Web Connector."""


def read(body: bytes) -> Call:
    """Return the call that a body makes.

    Raises:
        NotUnderstood: it makes none.
    """
    try:
        root = xml_answer.parse(body, remarks=False)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotUnderstood(f"The body is no XML: {error}") from None
    bodies = [child for child in root if _local(child) == "Body"] if _local(root) == "Envelope" else []
    calls = list(bodies[0]) if bodies else []
    if len(calls) != 1 or _local(calls[0]) not in OPERATIONS:
        raise NotUnderstood("The body holds no call of a Web Connector.")
    given = {_local(parameter): parameter.text or "" for parameter in calls[0]}
    name = _local(calls[0])
    return Call(name, {parameter: given.get(parameter, "") for parameter, _ in OPERATIONS[name].parameters})


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def answer(name: str, result: str | int | Sequence[str]) -> str:
    """Return the body of the answer to a call."""
    if isinstance(result, str | int):
        inner = _escaped(str(result))
    else:
        inner = "".join(f"<string>{_escaped(one)}</string>" for one in result)
    return _envelope(f'<{name}Response xmlns="{NAMESPACE}"><{name}Result>{inner}</{name}Result></{name}Response>')


def fault(message: str, *, client: bool) -> str:
    """Return the body of a fault. `client`: the call is wrong, not we."""
    code = "soap:Client" if client else "soap:Server"
    return _envelope(
        f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{_escaped(message)}</faultstring></soap:Fault>"
    )


def _escaped(text: str) -> str:
    return escape(xml_answer.without_what_xml_cannot_hold(text.encode("utf-8", "replace")).decode("utf-8"))


def _envelope(inner: str) -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{ENVELOPE}">'
        f"<soap:Body>{inner}</soap:Body></soap:Envelope>"
    )


def description(address: str) -> str:
    """Return the WSDL of the endpoint at this address."""
    types = "".join(_types(name, operation) for name, operation in OPERATIONS.items())
    messages = "".join(
        f'<wsdl:message name="{name}Soap{way}"><wsdl:part name="parameters" element="tns:{name}{element}"/>'
        "</wsdl:message>"
        for name in OPERATIONS
        for way, element in (("In", ""), ("Out", "Response"))
    )
    port = "".join(
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}SoapIn"/>'
        f'<wsdl:output message="tns:{name}SoapOut"/></wsdl:operation>'
        for name in OPERATIONS
    )
    binding = "".join(
        f'<wsdl:operation name="{name}"><soap:operation soapAction="{NAMESPACE}{name}" style="document"/>'
        '<wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>'
        "</wsdl:operation>"
        for name in OPERATIONS
    )
    service = "QBWebConnectorSvc"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
        f' xmlns:tns="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
        f'<wsdl:types><s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">'
        '<s:complexType name="ArrayOfString"><s:sequence><s:element minOccurs="0" maxOccurs="unbounded" name="string"'
        f' nillable="true" type="s:string"/></s:sequence></s:complexType>{types}</s:schema></wsdl:types>'
        f'{messages}<wsdl:portType name="{service}Soap">{port}</wsdl:portType>'
        f'<wsdl:binding name="{service}Soap" type="tns:{service}Soap">'
        f'<soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>{binding}</wsdl:binding>'
        f'<wsdl:service name="{service}"><wsdl:port name="{service}Soap" binding="tns:{service}Soap">'
        f'<soap:address location="{escape(address)}"/></wsdl:port></wsdl:service></wsdl:definitions>'
    )


def _types(name: str, operation: Operation) -> str:
    parameters = "".join(
        f'<s:element minOccurs="{1 if kind == "int" else 0}" maxOccurs="1" name="{parameter}" type="s:{kind}"/>'
        for parameter, kind in operation.parameters
    )
    kind = "tns:ArrayOfString" if operation.result == "ArrayOfString" else f"s:{operation.result}"
    least = 1 if operation.result == "int" else 0
    return (
        f'<s:element name="{name}"><s:complexType><s:sequence>{parameters}</s:sequence></s:complexType></s:element>'
        f'<s:element name="{name}Response"><s:complexType><s:sequence><s:element minOccurs="{least}" maxOccurs="1"'
        f' name="{name}Result" type="{kind}"/></s:sequence></s:complexType></s:element>'
    )
