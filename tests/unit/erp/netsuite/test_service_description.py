"""The description that the client's tests are bound to says nothing that NetSuite does not say (reference 1.2, 3).

It is a cut: what it has must be elsewhere too, in the same order and with the same type. It is compared with what the
sandbox serves, which was written apart from it, and with NetSuite's own files where they are at hand.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree

from sandbox.netsuite.schema.documents import document, wsdl_path, xsd_path
from sandbox.netsuite.schema.namespaces import GROUPS
from tests.fakes.suitetalk.description import VERSION, WSDL, XSDS, combined_schema
from tests.harness.vendor_schemas import NETSUITE_SCHEMAS, needs_netsuite_schemas

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
_PURCHASES = f"urn:purchases_{VERSION}.transactions.webservices.netsuite.com"


class Member(NamedTuple):
    """An element of a type, or an attribute of it."""

    name: str
    type: str
    required: bool
    many: bool
    default: str | None
    """Of attributes only: a default of an element says what its absence means, and the client leaves none out."""


class Kind(NamedTuple):
    """A complex type."""

    base: str
    abstract: bool
    elements: tuple[Member, ...]
    attributes: tuple[Member, ...]


class Operation(NamedTuple):
    """An operation as the binding has it."""

    action: str
    headers: frozenset[str]
    request: str
    response: str


class Description(NamedTuple):
    """A WSDL and its schemas; all names are whole, with their namespaces."""

    kinds: Mapping[str, Kind]
    values: Mapping[str, frozenset[str]]
    """Simple types; one without values takes any text."""
    elements: Mapping[str, str]
    """Elements of their own, by name: their type."""
    operations: Mapping[str, Operation]


def _whole(node: etree._Element, name: str | None) -> str:
    """A prefixed name with its namespace instead."""
    prefix, _, local = (name or "").rpartition(":")
    return f"{{{node.nsmap.get(prefix or None)}}}{local}" if local else ""


def _member(node: etree._Element) -> Member:
    reference = node.get("ref")
    is_element = node.tag == f"{_XSD}element"
    return Member(
        name=_whole(node, reference) if reference else node.get("name", ""),
        type=_whole(node, node.get("type")),
        required=node.get("minOccurs", "1") != "0" if is_element else node.get("use") == "required",
        many=node.get("maxOccurs", "1") != "1",
        default=None if is_element else node.get("default"),
    )


def _kind(node: etree._Element) -> Kind:
    base = next(node.iter(f"{_XSD}extension"), None)
    return Kind(
        base="" if base is None else _whole(base, base.get("base")),
        abstract=node.get("abstract") == "true",
        elements=tuple(map(_member, node.iter(f"{_XSD}element"))),
        attributes=tuple(map(_member, node.iter(f"{_XSD}attribute"))),
    )


def _operations(wsdl: etree._Element) -> Iterator[tuple[str, Operation]]:
    parts = {
        (message.get("name"), part.get("name")): _whole(part, part.get("element"))
        for message in wsdl.iter(f"{_WSDL}message")
        for part in message
    }
    for bound in wsdl.iterfind(f"{_WSDL}binding/{_WSDL}operation"):
        name = bound.get("name", "")
        (offered,) = wsdl.xpath("w:portType/w:operation[@name=$name]", name=name, namespaces={"w": _WSDL[1:-1]})
        request, response = (
            parts[_local(offered.find(f"{_WSDL}{way}").get("message")), "parameters"] for way in ("input", "output")
        )
        headers = frozenset(
            parts[_local(header.get("message")), header.get("part")]
            for header in bound.iterfind(f"{_WSDL}input/{_SOAP}header")
        )
        action = bound.find(f"{_SOAP}operation").get("soapAction")
        yield name, Operation(action, headers, request, response)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _read(wsdl: bytes, schemas: Iterable[bytes]) -> Description:
    kinds: dict[str, Kind] = {}
    values: dict[str, frozenset[str]] = {}
    elements: dict[str, str] = {}
    for root in map(etree.fromstring, schemas):
        for node in root.iterchildren(f"{_XSD}complexType", f"{_XSD}simpleType", f"{_XSD}element"):
            name = f"{{{root.get('targetNamespace')}}}{node.get('name')}"
            if node.tag == f"{_XSD}complexType":
                kinds[name] = _kind(node)
            elif node.tag == f"{_XSD}simpleType":
                values[name] = frozenset(one.get("value", "") for one in node.iter(f"{_XSD}enumeration"))
            else:
                elements[name] = _whole(node, node.get("type"))
    return Description(kinds, values, elements, dict(_operations(etree.fromstring(wsdl))))


def _ours() -> Description:
    return _read(WSDL.read_bytes(), (file.read_bytes() for file in XSDS))


def _sandbox() -> Description:
    paths = [wsdl_path(VERSION), *(xsd_path(group, VERSION) for group in GROUPS)]
    texts = [document(path, "http://127.0.0.1") for path in paths]
    wsdl, *schemas = [text.encode() for text in texts if text is not None]
    return _read(wsdl, schemas)


def _vendor(folder: Path) -> Description:
    files = sorted((folder / "xsd").glob("*.xsd"))
    return _read((folder / "netsuite.wsdl").read_bytes(), (file.read_bytes() for file in files))


def _beyond(ours: Description, theirs: Description) -> list[str]:
    """What ours says that theirs does not say."""
    found = [f"no type {name}" for name in sorted(ours.kinds.keys() - theirs.kinds.keys())]
    for name, kind in ours.kinds.items():
        if name in theirs.kinds:
            found += [f"{name}: {problem}" for problem in _beyond_kind(kind, theirs.kinds[name])]
    for name, allowed in ours.values.items():
        others = theirs.values.get(name)
        if others is None or (others and not allowed <= others):
            found.append(f"{name}: {', '.join(sorted(allowed - (others or frozenset())))}")
    for name, type_ in ours.elements.items():
        # The client reads answers without a schema, so ours gives them no type.
        if name not in theirs.elements or (type_ and theirs.elements[name] != type_):
            found.append(f"{name} is a {type_ or 'message'} here and {theirs.elements.get(name)} there")
    for name, operation in ours.operations.items():
        other = theirs.operations.get(name)
        if (
            other is None
            or operation._replace(headers=frozenset()) != other._replace(headers=frozenset())
            or not operation.headers <= other.headers
        ):
            found.append(f"operation {name}: {operation} here and {other} there")
    return found


def _beyond_kind(ours: Kind, theirs: Kind) -> Iterator[str]:
    if (ours.base, ours.abstract) != (theirs.base, theirs.abstract):
        yield f"is made from {ours.base or 'nothing'} here and from {theirs.base or 'nothing'} there"
    rest = iter(theirs.elements)
    for member in ours.elements:
        # Looks on from where the last one was: what stands further ahead there is out of order here.
        if member not in rest:
            yield f"no {member} at this place"
    yield from (f"no attribute {member}" for member in ours.attributes if member not in theirs.attributes)
    left_out = {*theirs.elements, *theirs.attributes} - {*ours.elements, *ours.attributes}
    yield from (f"{member.name} is required there" for member in left_out if member.required)


def test_it_says_what_the_sandbox_says() -> None:
    """Both were written from the reference, apart from each other."""
    assert _beyond(_ours(), _sandbox()) == []


@needs_netsuite_schemas
def test_it_says_what_the_real_schema_says() -> None:
    """So a request that the tests accept is one that NetSuite's schema accepts."""
    assert _beyond(_ours(), _vendor(NETSUITE_SCHEMAS)) == []


def test_a_difference_is_found() -> None:
    """The comparison itself: names, order, types, values and operations."""
    ours, theirs = _ours(), _sandbox()
    bill = f"{{{_PURCHASES}}}VendorBill"
    swapped = theirs.kinds[bill]._replace(elements=tuple(reversed(theirs.kinds[bill].elements)))
    assert _beyond(ours, theirs._replace(kinds={**theirs.kinds, bill: swapped}))
    assert _beyond(ours, theirs._replace(kinds={name: kind for name, kind in theirs.kinds.items() if name != bill}))
    assert _beyond(ours, theirs._replace(values=dict.fromkeys(theirs.values, frozenset({"other"}))))
    assert _beyond(ours, theirs._replace(elements={}))
    assert _beyond(ours, theirs._replace(operations={}))


@pytest.mark.parametrize(
    ("inside", "accepted"),
    [
        ("<p:tranId>INV-1</p:tranId><p:memo>Paper</p:memo>", True),
        ("<p:memo>Paper</p:memo><p:tranId>INV-1</p:tranId>", False),
        ("<p:memo>Paper</p:memo><p:somethingElse/>", False),
        ("<p:tranDate>soon</p:tranDate>", False),
    ],
)
def test_a_request_must_be_as_described(inside: str, accepted: bool) -> None:
    """Order, names and types: the scripted service asks this of every request."""
    request = etree.fromstring(
        f'<m:add xmlns:m="urn:messages_{VERSION}.platform.webservices.netsuite.com" xmlns:p="{_PURCHASES}"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<m:record xsi:type="p:VendorBill">{inside}</m:record></m:add>'
    )
    assert combined_schema().validate(request) is accepted
