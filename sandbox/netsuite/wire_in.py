"""Reads requests against the shapes: names, namespaces, order, number, types. What does not fit is refused."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from sandbox.netsuite.errors import Refused
from sandbox.netsuite.schema.namespaces import key_of, uri
from sandbox.netsuite.schema.record_names import may_be_record_type
from sandbox.netsuite.schema.shapes import ENUMERATION_OF, SHAPES, SIMPLE, Field, Shape
from sandbox.netsuite.values import Fields, Lines, Ref

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


_LARGEST = Decimal("1e15")
"""No amount or quantity of an account is as large."""
_WHOLE = {"l": 2**63, "i": 2**31}


class Malformed(Exception):
    """The request is not what the schema says; the service cannot make sense of it."""


def parse_xml(body: bytes) -> etree._Element:
    """The root element. No entity is resolved and nothing is fetched. Raises Malformed."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise Malformed(
            f"org.xml.sax.SAXParseException; lineNumber: {line}; columnNumber: {column}; {error.msg}"
        ) from None


def local_name(element: etree._Element) -> str:
    """The tag without its namespace."""
    return etree.QName(element).localname


class Reader:
    """Reads elements of one endpoint version. Moments without an offset are of the account's time zone."""

    def __init__(self, version: str, zone: Any) -> None:
        self._version = version
        self._zone = zone

    def read(self, element: etree._Element, kind: str) -> Any:
        """An element of a type as Fields, Lines, Ref or a plain value. Raises Malformed."""
        if kind in SIMPLE:
            return self._plain(element, kind)
        if kind in ENUMERATION_OF:
            return self._one_of(element.text or "", kind)
        shape = self._shape(element, kind)
        attributes = self._attributes(element, shape)
        values = self._children(element, shape)
        if shape.is_a("BaseRef") or shape.name == "ListOrRecordRef":
            return Ref(
                attributes.get("internalId", ""),
                attributes.get("externalId", ""),
                attributes.get("type", ""),
                values.get("name", ""),
            )
        if shape.list_of is not None:
            replace = attributes.get("replaceAll", "true").strip() in ("true", "1")
            lines = Lines(values.get(shape.list_of.name, ()), replace_all=replace)
            if not shape.own_attributes or "replaceAll" in {one.name for one in shape.own_attributes}:
                return lines
        return Fields(shape.name, values, attributes)

    def _shape(self, element: etree._Element, kind: str) -> Shape:
        declared = SHAPES[kind]
        given = element.get(f"{_XSI}type")
        if given is None:
            if declared.abstract:
                raise Malformed(f"org.xml.sax.SAXException: {local_name(element)} needs an xsi:type")
            return declared
        prefix, _, name = given.strip().rpartition(":")
        key = key_of(element.nsmap.get(prefix or None) or "", self._version)
        shape = SHAPES.get(name)
        if shape is None or shape.namespace != key or shape.abstract or not shape.is_a(kind):
            raise Malformed(f"org.xml.sax.SAXException: {given} is not a type that {local_name(element)} can have")
        return shape

    def _attributes(self, element: etree._Element, shape: Shape) -> dict[str, str]:
        known = {one.name: one for one in shape.attributes}
        attributes: dict[str, str] = {}
        for name, value in element.attrib.items():
            text = str(value)
            if str(name).startswith(_XSI):
                continue
            if name not in known:
                owner = f"{{{uri(shape.namespace, self._version)}}}{shape.name}"
                raise Malformed(f"org.xml.sax.SAXException: {name} not found on {owner}")
            kind = known[str(name)].kind
            if kind in ENUMERATION_OF:
                self._one_of(text, kind)
            attributes[str(name)] = text
        return attributes

    def _children(self, element: etree._Element, shape: Shape) -> dict[str, Any]:
        values: dict[str, Any] = {}
        at = 0
        for child in element:
            name = etree.QName(child)
            place = shape.places.get((key_of(name.namespace or "", self._version), name.localname))
            if place is None:
                _refuse_unknown_criterion(shape, name.localname)
                qualified = f"{{{name.namespace or ''}}}{name.localname}"
                raise Malformed(f"org.xml.sax.SAXException: {qualified} is not an element of {shape.name}")
            index, field = place
            if index < at or (index == at and field.name in values and not field.many):
                raise Malformed(f"org.xml.sax.SAXException: {name.localname} is out of order in {shape.name}")
            at = index
            if child.get(f"{_XSI}nil") in ("true", "1"):
                continue
            value = self.read(child, field.kind)
            if field.many:
                values.setdefault(field.name, []).append(value)
            else:
                values[field.name] = value
        _check_required(shape.fields, values, shape)
        return values

    def _one_of(self, text: str, kind: str) -> str:
        """A word of an enumeration. Raises Malformed, naming the type whose word it is not."""
        key, allowed = ENUMERATION_OF[kind]
        word = text.strip()
        if word not in allowed and (allowed if kind != "RecordType" else not may_be_record_type(word)):
            owner = f"{{{uri(key, self._version)}}}{kind}"
            raise Malformed(f"org.xml.sax.SAXException: {word} is not a legal value for {owner}")
        return word

    def _plain(self, element: etree._Element, kind: str) -> Any:
        text = element.text or ""
        if len(element):
            raise Malformed(f"org.xml.sax.SAXException: {local_name(element)} holds no elements")
        return text if kind == "s" else self._typed(text.strip(), kind, local_name(element))

    def _typed(self, text: str, kind: str, name: str) -> Any:
        try:
            if kind == "b":
                return {"true": True, "1": True, "false": False, "0": False}[text]
            if kind == "d":
                number = Decimal(text)
                if not number.is_finite() or abs(number) >= _LARGEST:
                    raise ValueError
                return number
            if kind == "t":
                moment = datetime.fromisoformat(text)
                if not 1900 <= moment.year < 9000:
                    raise ValueError
                return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
            whole = int(text)
            if abs(whole) >= _WHOLE[kind]:
                raise ValueError
            return whole
        except (KeyError, ValueError, InvalidOperation):
            raise Malformed(f"org.xml.sax.SAXException: {text!r} is not a value of {name} ({SIMPLE[kind]})") from None


def _refuse_unknown_criterion(shape: Shape, name: str) -> None:
    """Refuse a criterion, join or column that is not answered here: the vendor's schema has many more.

    Raises:
        Refused: The type is one of a search.
    """
    if shape.is_a("SearchRecordBasic"):
        text = f"An nlobjSearchFilter contains invalid search criteria: {name}."
        raise Refused("SSS_INVALID_SRCH_FILTER", text)
    if shape.is_a("SearchRecord") and name.endswith("Join"):
        text = f"An nlobjSearchFilter contains an invalid join ID, or is not in proper syntax: {name}."
        raise Refused("SSS_INVALID_SRCH_FILTER_JOIN", text)
    if shape.is_a("SearchRow"):
        text = f"An nlobjSearchColumn contains an invalid column, or is not in proper syntax: {name}."
        raise Refused("SSS_INVALID_SRCH_COL", text)


def _check_required(fields: tuple[Field, ...], values: dict[str, Any], shape: Shape) -> None:
    for field in fields:
        if field.required and field.name not in values:
            raise Malformed(f"org.xml.sax.SAXException: {field.name} is missing in {shape.name}")
