"""A scripted SuiteTalk for every test, and the client bound to our small description of its service."""

from collections.abc import AsyncIterator, Iterator

import pytest
import zeep
from lxml import etree

from erp.netsuite import soap
from erp.netsuite.auth import address
from tests.fakes.suitetalk.description import VERSION, WSDL, combined_schema
from tests.unit.erp.netsuite.service import ENDPOINT, Service


@pytest.fixture(scope="session")
def schema() -> etree.XMLSchema:
    """Return the schemas that every request is checked against."""
    return combined_schema()


@pytest.fixture(scope="session")
def language() -> Iterator[soap.Soap]:
    """Load the description as the process would have loaded NetSuite's own."""
    created = soap.Soap(zeep.Client(str(WSDL)), VERSION)
    name = address(ENDPOINT, allow_loopback=False).wsdl
    soap._loaded[name] = created
    yield created
    del soap._loaded[name]


@pytest.fixture
async def service(schema: etree.XMLSchema, language: soap.Soap) -> AsyncIterator[Service]:
    created = Service(schema)
    yield created
    for connector in created.connectors:
        await connector.close()
