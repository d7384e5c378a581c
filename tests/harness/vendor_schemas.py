"""Find the vendors' own schemas, no part of this repository, for the few tests that compare ours with them."""

from collections.abc import Iterable
from typing import TypeVar

import pytest

from bench.labelled_data import shared_folder

T = TypeVar("T")

NETSUITE_SCHEMAS = shared_folder() / "schemas" / "netsuite-suitetalk-2023_2"
"""Holds `netsuite.wsdl` and the folder `xsd`."""

NO_NETSUITE_SCHEMAS = (
    "NetSuite's own WSDL is not on this machine; with netsuite.wsdl and xsd/ in"
    " DIR/schemas/netsuite-suitetalk-2023_2 run: POSYNC_SHARED=DIR pytest -k real_schema"
)

needs_netsuite_schemas = pytest.mark.skipif(not NETSUITE_SCHEMAS.is_dir(), reason=NO_NETSUITE_SCHEMAS)

QUICKBOOKS_SCHEMAS = shared_folder() / "schemas" / "qbo-finance-xsd"
"""Holds `IntuitRestServiceDef.xsd` and what it includes."""

needs_quickbooks_schemas = pytest.mark.skipif(
    not QUICKBOOKS_SCHEMAS.is_dir(),
    reason="Intuit's own schema is not on this machine; with the Finance.xsd family in"
    " DIR/schemas/qbo-finance-xsd run: POSYNC_SHARED=DIR pytest -k vendor_schema",
)

QBXML_SCHEMAS = shared_folder() / "schemas" / "qbxml"
"""Holds `qbxmlops130.xsd`, `qbxmlops160.xsd` and what they include."""

WEB_CONNECTOR_WSDL = shared_folder() / "schemas" / "qbwc" / "QBWebConnectorSvc.wsdl"

_HAS_QBXML_SCHEMAS = QBXML_SCHEMAS.is_dir() and WEB_CONNECTOR_WSDL.is_file()

needs_qbxml_schemas = pytest.mark.skipif(
    not _HAS_QBXML_SCHEMAS,
    reason="Intuit's qbXML schemas and the Web Connector's WSDL are not on this machine; with them in"
    " DIR/schemas/qbxml and DIR/schemas/qbwc run: POSYNC_SHARED=DIR pytest -k vendor_schema",
)


def of_qbxml_schemas(cases: Iterable[T]) -> list[T]:
    """Return all cases where those schemas are, and else the first alone: one is skipped, and says how to run them."""
    return list(cases)[: None if _HAS_QBXML_SCHEMAS else 1]
