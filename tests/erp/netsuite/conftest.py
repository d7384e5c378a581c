"""The vendor's real WSDL where it is at hand: what is sent here is checked against it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import zeep
from lxml import etree

from erp.netsuite import soap
from tests.erp.netsuite.service import COMMON, MESSAGES, PURCHASES, SALES, SCHEMAS, VERSION, Service


@pytest.fixture(scope="session")
def schema() -> Any:
    if not SCHEMAS.exists():
        pytest.skip("the vendor's WSDL and XSDs are not beside the repository")
    documents = {
        MESSAGES: "platform.messages",
        COMMON: "platform.common",
        PURCHASES: "transactions.purchases",
        SALES: "transactions.sales",
    }
    imports = "".join(
        f'<xsd:import namespace="{namespace}" schemaLocation="{SCHEMAS / "xsd" / document}.xsd"/>'
        for namespace, document in documents.items()
    )
    whole = f'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">{imports}</xsd:schema>'
    return etree.XMLSchema(etree.fromstring(whole))


@pytest.fixture(scope="session")
def language(schema: Any) -> Any:
    """The real WSDL as the process would have loaded it from NetSuite."""
    made = soap.Soap(zeep.Client(str(SCHEMAS / "netsuite.wsdl")), VERSION)
    soap._loaded[VERSION] = made
    yield made
    del soap._loaded[VERSION]


@pytest.fixture
async def service(schema: Any, language: Any) -> AsyncIterator[Service]:
    made = Service(schema)
    yield made
    for connector in made.connectors:
        await connector.close()
