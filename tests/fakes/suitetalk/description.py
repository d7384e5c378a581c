"""Our own small description of SuiteTalk, which the tests of the NetSuite client are bound to.

The client builds its requests from a WSDL. NetSuite's own is no part of this repository, so the tests use the files
beside this module: they describe what the client sends, and refuse everything else.
"""

from pathlib import Path

from lxml import etree

VERSION = "2023_2"
FOLDER = Path(__file__).parent
WSDL = FOLDER / "netsuite.wsdl"
XSDS = tuple(sorted((FOLDER / "xsd").glob("*.xsd")))

_XSD = "{http://www.w3.org/2001/XMLSchema}"


def combined_schema() -> etree.XMLSchema:
    """Return all schemas of the description as one, to check requests against."""
    root = etree.Element(f"{_XSD}schema")
    for file in XSDS:
        namespace = etree.parse(file).getroot().get("targetNamespace", "")
        etree.SubElement(root, f"{_XSD}import", namespace=namespace, schemaLocation=file.as_uri())
    return etree.XMLSchema(root)
