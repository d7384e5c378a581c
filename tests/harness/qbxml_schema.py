"""Check qbXML documents and SOAP bodies against the vendor's own schemas, where these are on the machine."""

from functools import cache

from lxml import etree

from tests.harness.vendor_schemas import QBXML_SCHEMAS, WEB_CONNECTOR_WSDL

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"


@cache
def qbxml_schema(version: str) -> etree.XMLSchema | None:
    """The schema of one version, 130 or 160; None where it is not on this machine."""
    file = QBXML_SCHEMAS / f"qbxmlops{version}.xsd"
    return etree.XMLSchema(etree.parse(str(file))) if file.is_file() else None


@cache
def soap_schema() -> etree.XMLSchema | None:
    """The schema of the Web Connector's calls and answers; None where it is not on this machine."""
    if not WEB_CONNECTOR_WSDL.is_file():
        return None
    schema = etree.parse(str(WEB_CONNECTOR_WSDL)).getroot().find(f".//{_XSD}schema")
    assert schema is not None
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def parsed(text: str) -> etree._Element:
    """A qbXML document, whatever encoding its declaration names."""
    return etree.fromstring(text.partition("?>")[2] if text.startswith("<?xml") else text)


def check_qbxml(text: str, *, versions: tuple[str, ...] = ("130", "160")) -> int:
    """Check a request or response document against each version; return how many checks were made."""
    done = 0
    for version in versions:
        schema = qbxml_schema(version)
        if schema is not None:
            schema.assertValid(parsed(text))
            done += 1
    return done


def check_soap(body: bytes) -> int:
    """Check the content of a SOAP body; return how many checks were made."""
    schema = soap_schema()
    inner = etree.fromstring(body).find(f"{_ENVELOPE}Body")
    assert inner is not None
    if schema is None or inner[0].tag.endswith("Fault"):
        return 0
    schema.assertValid(etree.fromstring(etree.tostring(inner[0])))
    return 1
