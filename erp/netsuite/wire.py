"""Read SuiteTalk's answers: lxml elements, statuses, records, references, dates and numbers (reference 3.2).

Names are compared without their namespace: the namespace depends on where an element is and on the version, and its
local name says all we use.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from erp import xml_answer

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

DECIMALS = 8
"""NetSuite's numbers are doubles: digits beyond these are noise of the binary form (reference 9.1)."""
MOST_DIGITS = 17
"""Digits before the point beyond which a number is no quantity and no amount of anything."""
_SMALLEST = Decimal(1).scaleb(-DECIMALS)


_names: dict[Any, str] = {}
"""Tags to names without their namespace, each computed once: a page of answers has a million tags but few names."""

MOST_NAMES = 10_000
"""How many names are remembered: an answer full of unknown names must not fill the memory."""


def parse(body: bytes) -> etree._Element:
    """Return the answer's root.

    Raises:
        etree.XMLSyntaxError: it is not XML.
        ValueError: it is XML of a forbidden form.
    """
    return xml_answer.parse(body, remarks=False)


def local(tag: Any) -> str:
    """Return an element's name without its namespace."""
    name = _names.get(tag)
    if name is None:
        name = str(tag).rpartition("}")[2]
        if len(_names) < MOST_NAMES:
            _names[tag] = name
    return name


Fields = Mapping[str, etree._Element]


def fields(element: etree._Element) -> dict[str, etree._Element]:
    """Return the children by name; of repeated ones the last."""
    try:
        return {_names[child.tag]: child for child in element}
    except KeyError:  # once per name
        return {local(child.tag): child for child in element}


def child(element: etree._Element, *path: str) -> etree._Element | None:
    """Return the first descendant along the given names."""
    result: etree._Element | None = element
    for name in path:
        if result is None:
            return None
        result = next((inner for inner in result if local(inner.tag) == name), None)
    return result


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """Return the children with this name."""
    return iter(()) if element is None else (inner for inner in element if local(inner.tag) == name)


def text(fields: Fields, name: str) -> str | None:
    """Return a field's text; None: it is absent or empty."""
    element = fields.get(name)
    return (element.text or None) if element is not None else None


def flag(fields: Fields, name: str) -> bool:
    """Return whether a field is true."""
    return text(fields, name) in ("true", "1")


class Ref(NamedTuple):
    """A reference as answers carry it: internal id and, mostly, a name."""

    id: str
    name: str


def ref(fields: Fields, name: str) -> Ref | None:
    """Return a reference field; None: it is absent or names nothing."""
    element = fields.get(name)
    internal_id = element.get("internalId") if element is not None else None
    if element is None or not internal_id:
        return None
    for inner in element:  # the name is all a reference has inside
        return Ref(internal_id, inner.text or "")
    return Ref(internal_id, "")


def ref_id(fields: Fields, name: str) -> str | None:
    """Return the internal id of a reference field; None: it is absent or names nothing."""
    element = fields.get(name)
    return (element.get("internalId") or None) if element is not None else None


Row = Mapping[str, str]
"""A line as a flat row: texts by name; of a reference its internal id, and for some also its name as `item.name`."""

_NAMED = frozenset({"item", "units", "account", "category"})
"""References of lines whose names are used."""


def row(element: etree._Element) -> Row:
    """Return a line of a sublist as a flat row, in one pass: order lines are most of what is read. A custom field is
    named by its own id."""
    return _flat(element)


def row_of(fields: Fields) -> Row:
    """Return the children of a line as a flat row."""
    return _flat(fields.values())


def _flat(elements: Iterable[etree._Element]) -> Row:
    result: dict[str, str] = {}
    names = _names
    for inner in elements:
        tag = inner.tag
        name = names[tag] if tag in names else local(tag)
        said = inner.text
        if said and not said.isspace():
            result[name] = said
            continue
        internal_id = inner.get("internalId")
        if internal_id:
            result[name] = internal_id
            if name in _NAMED:
                for shown in inner:
                    result[f"{name}.name"] = shown.text or ""
        elif name == "customFieldList":
            result.update(_custom(inner))
    return result


def _custom(custom_fields: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield the custom fields of a line by their ids in lower case, each with its value, or the id of its value."""
    for field in custom_fields:
        script_id, value = field.get("scriptId"), child(field, "value")
        shown = None if value is None else value.get("internalId") or (value.text or "").strip()
        if script_id and shown:
            yield script_id.casefold(), shown


class NsRecord(NamedTuple):
    """A record as NetSuite holds it."""

    kind: str
    """The schema's type: PurchaseOrder, ItemReceipt, VendorBill ..."""
    id: str
    external_id: str | None
    fields: Fields

    def lines(self, sublist: str, line: str) -> list[Fields]:
        """Return the lines of a sublist, in NetSuite's order."""
        return [fields(element) for element in children(self.fields.get(sublist), line)]

    def rows(self, sublist: str, line: str) -> list[Row]:
        """Return the lines of a sublist as flat rows, in NetSuite's order."""
        return [row(element) for element in children(self.fields.get(sublist), line)]


def ns_record(element: etree._Element) -> NsRecord:
    """Return the record of an element."""
    kind = element.get(XSI_TYPE, "").rpartition(":")[2]
    return NsRecord(kind, element.get("internalId", ""), element.get("externalId") or None, fields(element))


class Detail(NamedTuple):
    """One `statusDetail`."""

    code: str
    message: str
    type: str


class Status(NamedTuple):
    """The result of one operation. Only `success` decides: a success may carry details too (reference 3.2)."""

    success: bool
    details: tuple[Detail, ...]


SUCCESS = frozenset({"true", "1"})
FAILURE = frozenset({"false", "0"})


def status(parent: etree._Element) -> Status | None:
    """Return the `status` of a response or record answer, or None if it has none that says success or failure."""
    element = child(parent, "status")
    said = None if element is None else element.get("isSuccess")
    if element is None or said not in SUCCESS | FAILURE:
        return None
    details = []
    for detail in children(element, "statusDetail"):
        shown = fields(detail)
        details.append(Detail(text(shown, "code") or "", text(shown, "message") or "", detail.get("type", "ERROR")))
    return Status(said in SUCCESS, tuple(details))


# --- values ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def sortable_time(value: str) -> str:
    """Return a time as `2031-07-01 10:00:00` in UTC, with thousandths if it has any; it sorts as text.

    Raises:
        ValueError: any other form. A wrong time that sorts high would become a cursor and hide all that
            follows.
    """
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {value!r}")
    return moment_text(moment)


def moment_text(moment: datetime) -> str:
    """Return a moment in the form of a cursor."""
    moment = moment.astimezone(UTC)
    thousandths = moment.microsecond // 1000
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{thousandths:03}" if thousandths else "")


def moment_of(cursor: str) -> datetime:
    """Return a cursor or revision as a moment.

    Raises:
        ValueError: it is no time.
    """
    return datetime.fromisoformat(cursor).replace(tzinfo=UTC)


def day(value: str) -> date:
    """Return the calendar day of a date field. It is a dateTime at midnight of the account, so the date counts as
    written (3.2)."""
    return date.fromisoformat(value[:10])


def offset(value: str) -> timezone:
    """Return the offset from UTC that a time is written in.

    Raises:
        ValueError: it is no time.
    """
    shift = datetime.fromisoformat(value).utcoffset()
    return timezone(shift if shift is not None else timedelta(0))


def zone(shown: str | None) -> timezone:
    """Return the account's offset from UTC, as one of its dates is written (3.2); UTC if that says nothing."""
    try:
        return offset(shown) if shown else UTC
    except ValueError:
        return UTC


def noon(on: date, zone: timezone) -> datetime:
    """Return a day as we write it: noon by the account's clock. Midnight would fall into the day before in half of the
    year, because the offset we know may be that of the other half."""
    return datetime(on.year, on.month, on.day, 12, tzinfo=zone)


@lru_cache(maxsize=16384)
def decimal(value: str) -> Decimal:
    """Return a finite number without the noise of doubles. Results are cached, because quantities and prices repeat.

    Raises:
        ValueError: the text is no such number.
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not a finite number: {value!r}")
    if number.adjusted() > MOST_DIGITS:
        raise ValueError(f"more than any quantity or amount: {value[:40]!r}")
    return number if exponent >= -DECIMALS else number.quantize(_SMALLEST, rounding=ROUND_HALF_EVEN)


CENT = Decimal("0.01")
_NOISE = Decimal("0.00001")


@lru_cache(maxsize=16384)
def money(value: str) -> Decimal:
    """Return an amount, rounded to the cent if finer digits are the noise of doubles.

    Raises:
        ValueError: the text is no number.
    """
    return cents(decimal(value))


def cents(value: Decimal) -> Decimal:
    """Return an amount to the cent. Some prices have more decimals that mean something; the noise has its digits far
    behind them."""
    rounded = round(value, 2)
    return rounded if abs(value - rounded) < _NOISE else value.normalize()


def plain(number: Decimal) -> str:
    """Return a decimal as NetSuite takes it: point, no exponent, no needless zeros."""
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


_FORBIDDEN = {code: " " for code in range(32) if chr(code) not in "\t\n\r"} | {0xFFFE: " ", 0xFFFF: " "}


def words(value: str) -> str:
    """Return free text as it survives XML: what XML cannot carry is dropped, and white space becomes one space."""
    return " ".join(value.translate(_FORBIDDEN).split())


def carried(value: str) -> str:
    """Return free text without what XML cannot carry."""
    return "".join(letter for letter in value.translate(_FORBIDDEN) if not 0xD800 <= ord(letter) <= 0xDFFF)


def refs(ids: Iterable[str]) -> list[dict[str, str]]:
    """Return references to the ids."""
    return [{"internalId": internal_id} for internal_id in ids]
