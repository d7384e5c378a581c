"""JSON of QuickBooks Online as the XML that Intuit's schema describes, to be checked against it.

The mapping is the vendor's: an attribute and an element both become a JSON name, a reference's text becomes `value`,
a repeated element becomes a list. Names that the schema does not have fail the mapping.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from tests.harness.vendor_schemas import QUICKBOOKS_SCHEMAS

NAMESPACE = "http://schema.intuit.com/finance/v3"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_NOT_AS_IN_XML = frozenset(["POCustomField", "CustomFieldDefinition"])
"""The JSON of these has another shape than the schema says, also in the vendor's own examples."""


class Shape(NamedTuple):
    """A complex type: elements in order with their types, attributes, and whether it is text with attributes."""

    elements: dict[str, str]
    attributes: frozenset[str]
    is_text: bool


class Schema:
    """The vendor's schema, and JSON as its documents."""

    def __init__(self, folder: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(str(folder / "IntuitRestServiceDef.xsd")))
        self._types: dict[str, etree._Element] = {}
        self.objects: dict[str, str] = {}
        """Elements that may stand for an entity, with their types."""
        for name in ("IntuitBaseTypes", "IntuitNamesTypes", "Finance", "IntuitRestServiceDef", "Report"):
            for node in etree.parse(str(folder / f"{name}.xsd")).getroot():
                if node.tag == f"{_XSD}complexType":
                    self._types[node.get("name") or ""] = node
                elif node.tag == f"{_XSD}element" and node.get("substitutionGroup") == "IntuitObject":
                    self.objects[node.get("name") or ""] = node.get("type") or ""
        self._shapes: dict[str, Shape | None] = {}

    def check(self, answer: dict[str, Any]) -> int:
        """Check a whole answer and return how many elements it had; raise when the schema says otherwise."""
        return self._valid("IntuitResponse", "IntuitResponse", answer)

    def check_entity(self, name: str, entity: dict[str, Any]) -> int:
        """Check one entity, as it is sent or answered."""
        return self._valid(name, self.objects[name], entity)

    def _valid(self, name: str, type_name: str, content: Any) -> int:
        element = self._element(name, type_name, content)
        document = etree.fromstring(etree.tostring(element))
        self._schema.assertValid(document)
        return len(list(document.iter()))

    def _shape(self, type_name: str) -> Shape | None:
        if type_name not in self._shapes:
            node = self._types.get(type_name)
            self._shapes[type_name] = None if node is None else self._read(node)
        return self._shapes[type_name]

    def _read(self, node: etree._Element) -> Shape:
        extension = node.find(f".//{_XSD}extension")
        base = self._shape(extension.get("base") or "") if extension is not None else None
        elements = dict(base.elements) if base is not None else {}
        for one in node.iter(f"{_XSD}element"):
            if one.get("ref") == "IntuitObject":
                elements |= self.objects
            else:
                elements[one.get("name") or one.get("ref") or ""] = one.get("type") or "xs:string"
        own = {one.get("name") or "" for one in node.iter(f"{_XSD}attribute")}
        attributes = frozenset(own) | (base.attributes if base is not None else frozenset())
        return Shape(elements, attributes, node.find(f"{_XSD}simpleContent") is not None)

    def _element(self, name: str, type_name: str, content: Any) -> etree._Element:
        element = etree.Element(f"{{{NAMESPACE}}}{name}")
        shape = self._shape(type_name)
        if shape is None:
            assert not isinstance(content, dict), f"{name} is {type_name}, not an object: {content}"
            element.text = _text(content)
            return element
        assert isinstance(content, dict), f"{name} is an object ({type_name}), not {content!r}"
        known = {*shape.elements, *shape.attributes, *(("value",) if shape.is_text else ())}
        assert set(content) - known == set(), f"{name}: {sorted(set(content) - known)} are not in {type_name}"
        for attribute in shape.attributes & set(content):
            element.set(attribute, _text(content[attribute]))
        if shape.is_text:
            element.text = _text(content.get("value", ""))
            return element
        for child, child_type in shape.elements.items():
            for value in _each(content, child):
                element.append(self._element(child, child_type, value))
        return element


def _each(content: dict[str, Any], name: str) -> Iterator[Any]:
    if name in content and name not in _NOT_AS_IN_XML:
        value = content[name]
        yield from value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def vendor_schema() -> Schema | None:
    """Return the vendor's schema where it is on this machine; else None."""
    return Schema(QUICKBOOKS_SCHEMAS) if QUICKBOOKS_SCHEMAS.is_dir() else None
