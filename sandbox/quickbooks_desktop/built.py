"""Request elements made by the sandbox itself, for what people and the loader do."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

Parts = Mapping[str, Any] | Iterable[tuple[str, Any]]


def built(name: str, parts: Parts) -> etree._Element:
    """An element with these children; what is None is left out, a list repeats its name."""
    element = etree.Element(name)
    for child, value in parts.items() if isinstance(parts, Mapping) else parts:
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            if isinstance(one, Mapping):
                element.append(built(child, one))
            else:
                etree.SubElement(element, child).text = _text(one)
    return element


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def named(list_id: str | None) -> dict[str, str] | None:
    """A reference by ListID."""
    return {"ListID": list_id} if list_id else None
