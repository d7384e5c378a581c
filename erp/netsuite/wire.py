"""SuiteTalk's shapes: answers as lxml elements, statuses, records, references, dates and numbers (reference 3.2).

Names are compared without their namespace: which namespace an element is in depends on where it sits and on the
version, and its local name says all we use.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

DECIMALS = 8
"""NetSuite's numbers are doubles: digits beyond these are noise of the binary form (reference 9.1)."""
_SMALLEST = Decimal(1).scaleb(-DECIMALS)


_names: dict[Any, str] = {}
"""Tags to names without their namespace, each worked out once: a page of answers has a million tags, few names."""

MOST_NAMES = 10_000
"""How many are remembered: an answer of names nobody knows must not fill the memory."""


def parse(body: bytes) -> etree._Element:
    """The answer's root. Raises `etree.XMLSyntaxError` or ValueError; no entity, DTD or network is ever loaded."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(body, parser)
    if root.getroottree().docinfo.doctype:
        raise ValueError("the answer carries a DOCTYPE")
    return root


def local(tag: Any) -> str:
    """An element's name without its namespace."""
    name = _names.get(tag)
    if name is None:
        name = str(tag).rpartition("}")[2]
        if len(_names) < MOST_NAMES:
            _names[tag] = name
    return name


Fields = Mapping[str, etree._Element]


def fields(element: etree._Element) -> dict[str, etree._Element]:
    """The children by name; of repeated ones the last."""
    try:
        return {_names[child.tag]: child for child in element}
    except KeyError:  # once per name
        return {local(child.tag): child for child in element}


def child(element: etree._Element, *path: str) -> etree._Element | None:
    """The first descendant along the given names."""
    found: etree._Element | None = element
    for name in path:
        if found is None:
            return None
        found = next((inner for inner in found if local(inner.tag) == name), None)
    return found


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    return iter(()) if element is None else (inner for inner in element if local(inner.tag) == name)


def text(found: Fields, name: str) -> str | None:
    """A field's text; empty means null."""
    element = found.get(name)
    return (element.text or None) if element is not None else None


def flag(found: Fields, name: str) -> bool:
    return text(found, name) in ("true", "1")


class Ref(NamedTuple):
    """A reference as answers carry it: internal id and, mostly, a name."""

    id: str
    name: str


def ref(found: Fields, name: str) -> Ref | None:
    """A reference field, or None when it is absent or points nowhere."""
    element = found.get(name)
    internal_id = element.get("internalId") if element is not None else None
    if element is None or not internal_id:
        return None
    for inner in element:  # the name is all a reference has inside
        return Ref(internal_id, inner.text or "")
    return Ref(internal_id, "")


def ref_id(found: Fields, name: str) -> str | None:
    element = found.get(name)
    return (element.get("internalId") or None) if element is not None else None


Row = Mapping[str, str]
"""A line flat: texts by name; of a reference its internal id, and for some its name as `item.name`."""

_NAMED = frozenset({"item", "units", "account", "category"})
"""References of lines whose names are used."""


def row(element: etree._Element) -> Row:
    """A line of a sublist, in one pass: order lines are most of what is read."""
    found: dict[str, str] = {}
    names = _names
    for inner in element:
        tag = inner.tag
        name = names[tag] if tag in names else local(tag)
        said = inner.text
        if said and not said.isspace():
            found[name] = said
            continue
        internal_id = inner.get("internalId")
        if internal_id:
            found[name] = internal_id
            if name in _NAMED:
                for shown in inner:
                    found[f"{name}.name"] = shown.text or ""
    return found


class Held(NamedTuple):
    """A record as NetSuite holds it."""

    kind: str
    """The schema's type: PurchaseOrder, ItemReceipt, VendorBill ..."""
    id: str
    external_id: str | None
    fields: Fields

    def lines(self, sublist: str, line: str) -> list[Fields]:
        """The lines of a sublist, in NetSuite's order."""
        return [fields(element) for element in children(self.fields.get(sublist), line)]

    def rows(self, sublist: str, line: str) -> list[Row]:
        """The same lines flat."""
        return [row(element) for element in children(self.fields.get(sublist), line)]


def held(element: etree._Element) -> Held:
    kind = element.get(XSI_TYPE, "").rpartition(":")[2]
    return Held(kind, element.get("internalId", ""), element.get("externalId") or None, fields(element))


class Detail(NamedTuple):
    """One `statusDetail`."""

    code: str
    message: str
    type: str


class Status(NamedTuple):
    """The outcome of one operation. Only `success` decides: a success may carry details, too (reference 3.2)."""

    success: bool
    details: tuple[Detail, ...]


def status(parent: etree._Element) -> Status | None:
    """The `status` of a response or record answer, or None where it has none."""
    element = child(parent, "status")
    if element is None:
        return None
    details = []
    for detail in children(element, "statusDetail"):
        shown = fields(detail)
        details.append(Detail(text(shown, "code") or "", text(shown, "message") or "", detail.get("type", "ERROR")))
    return Status(element.get("isSuccess") in ("true", "1"), tuple(details))


# --- values ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def sortable_time(value: str) -> str:
    """An instant as `2031-07-01 10:00:00` in UTC, with thousandths where it has any; sorts as text.

    Raises ValueError on anything else: an odd stamp that sorts high would become a cursor and hide all that follows.
    """
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {value!r}")
    return moment_text(moment)


def moment_text(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    thousandths = moment.microsecond // 1000
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{thousandths:03}" if thousandths else "")


def moment_of(cursor: str) -> datetime:
    """A cursor or revision as an instant. Raises ValueError."""
    return datetime.fromisoformat(cursor).replace(tzinfo=UTC)


def day(value: str) -> date:
    """The calendar day of a date field: a dateTime at midnight of the account, so the date as written (3.2)."""
    return date.fromisoformat(value[:10])


def offset(value: str) -> timezone:
    """The offset from UTC a time is written in. Raises ValueError."""
    shift = datetime.fromisoformat(value).utcoffset()
    return timezone(shift if shift is not None else timedelta(0))


def zone(shown: str | None) -> timezone:
    """The account's offset from UTC, as one of its dates is written (3.2); UTC where that says nothing."""
    try:
        return offset(shown) if shown else UTC
    except ValueError:
        return UTC


def noon(on: date, zone: timezone) -> datetime:
    """A day as we write it: noon by the account's clock. Midnight would fall into the day before in half of the year,
    because the offset we know may be that of the other half."""
    return datetime(on.year, on.month, on.day, 12, tzinfo=zone)


@lru_cache(maxsize=16384)
def decimal(value: str) -> Decimal:
    """A finite number without the noise of doubles. Raises ValueError. Remembered: quantities and prices repeat."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not a finite number: {value!r}")
    return number if exponent >= -DECIMALS else number.quantize(_SMALLEST, rounding=ROUND_HALF_EVEN)


CENT = Decimal("0.01")
_NOISE = Decimal("0.00001")


@lru_cache(maxsize=16384)
def money(value: str) -> Decimal:
    """An amount, to the cent where finer digits are the noise of doubles. Raises ValueError."""
    return cents(decimal(value))


def cents(value: Decimal) -> Decimal:
    """An amount to the cent. Some prices have more decimals that mean something; noise has its digits far behind."""
    rounded = round(value, 2)
    return rounded if abs(value - rounded) < _NOISE else value.normalize()


def plain(number: Decimal) -> str:
    """A decimal as NetSuite takes it: point, no exponent, no needless zeros."""
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


_FORBIDDEN = {code: " " for code in range(32) if chr(code) not in "\t\n\r"} | {0xFFFE: " ", 0xFFFF: " "}


def words(value: str) -> str:
    """Free text as it survives XML: what XML cannot carry is dropped, white space is one space."""
    return " ".join(value.translate(_FORBIDDEN).split())


def carried(value: str) -> str:
    """Free text without what XML cannot carry."""
    return "".join(letter for letter in value.translate(_FORBIDDEN) if not 0xD800 <= ord(letter) <= 0xDFFF)


def refs(ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"internalId": internal_id} for internal_id in ids]
