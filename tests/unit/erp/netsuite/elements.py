"""Single elements, for what needs no service."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from tests.unit.erp.netsuite.service import envelope_of, record


def record_element(kind: str, internal_id: str, values: Mapping[str, Any]) -> etree._Element:
    (element,) = etree.fromstring(envelope_of("get", record(kind, internal_id, values)).encode())[1][0]
    return element
