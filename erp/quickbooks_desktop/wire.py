"""Write and read the parts of qbXML: elements in strict order, values in QuickBooks' own forms (reference 2.1, 2.2).

QuickBooks stores Windows-1252 and refuses a whole document for one element out of place, so requests are built from
ordered parts, in ASCII with character references.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from erp.errors import Rejected

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")
PRICE_DECIMALS = 5
"""Decimals of prices and quantities that QuickBooks keeps."""

FINEST = Decimal(1).scaleb(-PRICE_DECIMALS)
"""The smallest of them."""

_ROUNDED_BEFORE = Decimal("1E-8")
"""What parts of one quantity come to agree to this, if each was rounded when it was worked out."""

LONGEST = {"bill": 20, "order": 11, "payment": 11}
"""Characters of a document number, by its kind (reference 4)."""

LONGEST_TEXT = 4095
"""Characters of a memo or a description."""


class Part(NamedTuple):
    """One element: its text, or the elements inside it in their order."""

    name: str
    content: "str | tuple[Part, ...]"


Value = str | Decimal | date | bool | None


def part(name: str, value: Value) -> Part | None:
    """Return an element with a value in qbXML's form; None for no value."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return Part(name, "true" if value else "false")
    if isinstance(value, date):
        return Part(name, value.isoformat())
    return Part(name, format(value, "f") if isinstance(value, Decimal) else value)


def group(name: str, *parts: "Part | None") -> Part | None:
    """Return an element of those parts that are given; None if there are none."""
    given = tuple(one for one in parts if one is not None)
    return Part(name, given) if given else None


def reference(name: str, list_id: str | None) -> Part | None:
    """Return a reference to a list entry by its id."""
    return group(name, part("ListID", list_id))


def amount(value: Decimal) -> Decimal:
    """Return an amount of money as QuickBooks takes it: two decimals."""
    return value.quantize(CENT, ROUND_HALF_UP)


def quantity(value: Decimal) -> Decimal:
    """Return a quantity or a price as QuickBooks takes it: without zeros at its end, at most five decimals."""
    return _plain(value.quantize(FINEST, ROUND_HALF_UP))


def part_quantity(value: Decimal) -> Decimal:
    """Return a quantity that may have no end, the third of a box, as QuickBooks takes it: rounded down, as the parts
    must never come to more than the box."""
    return _plain(value.quantize(_ROUNDED_BEFORE, ROUND_HALF_UP).quantize(FINEST, ROUND_DOWN))


def _plain(rounded: Decimal) -> Decimal:
    return rounded.quantize(ONE) if rounded == rounded.to_integral_value() else rounded.normalize()


def request(name: str, *parts: Part | None, key: str = "1", iterated: bool = False) -> str:
    """Return one request of a document as text. `iterated`: its answer may come in several parts."""
    more = ' iterator="Start"' if iterated else ""
    inner = "".join(_xml(one) for one in parts if one is not None)
    return f"<{name}Rq requestID={quoteattr(key[:50])}{more}>{inner}</{name}Rq>"


def _xml(one: Part) -> str:
    if isinstance(one.content, str):
        text = escape(one.content).encode("ascii", "xmlcharrefreplace").decode()
        return f"<{one.name}>{text}</{one.name}>"
    return f"<{one.name}>{''.join(map(_xml, one.content))}</{one.name}>"


# --- texts -----------------------------------------------------------------------------------------------------


def must_be_writable(what: str, text: str) -> str:
    """Return a text that QuickBooks can store. It is never cut: what a person wrote would be lost, or our key.

    Raises:
        Rejected: TEXT_NOT_TAKEN, naming the first character that Windows-1252 does not have; TEXT_TOO_LONG.
    """
    if len(text) > LONGEST_TEXT:
        raise Rejected(
            f"{what[:1].upper()}{what[1:]} has {len(text)} characters; QuickBooks Desktop keeps {LONGEST_TEXT}.",
            code="TEXT_TOO_LONG",
            evidence={"what": what, "length": str(len(text)), "longest": str(LONGEST_TEXT)},
        )
    for character in text:
        try:
            character.encode("cp1252")
        except UnicodeEncodeError:
            raise Rejected(
                f"QuickBooks Desktop cannot store {character!r} in {what}.",
                code="TEXT_NOT_TAKEN",
                evidence={"what": what, "character": character, "code": f"U+{ord(character):04X}"},
            ) from None
        if character < " " and character not in "\n\r\t":
            raise Rejected(
                f"{what} holds a control character that QuickBooks Desktop cannot store.",
                code="TEXT_NOT_TAKEN",
                evidence={"what": what, "code": f"U+{ord(character):04X}"},
            )
    return text


def short_number(number: str, longest: int) -> str:
    """Return a document number as QuickBooks keeps it: a longer one by its beginning and a mark of the whole."""
    number = number.strip()
    if len(number) <= longest:
        return number
    mark = hashlib.sha256(number.encode()).hexdigest()[:5].upper()
    return f"{number[: longest - 6]}~{mark}"


_MARK = re.compile(r"\[posync (?P<key>[^\]\s]{1,100})\]\s*$")


def marked(memo: str, key: str) -> str:
    """Return a memo with our key at its end. Whoever sends it checks its length."""
    return f"{memo.strip()} [posync {key}]".strip()


def key_in(memo: str | None) -> str | None:
    """Return our key from a memo; None: it is not ours."""
    match = _MARK.search(memo or "")
    return None if match is None else match["key"]


def without_key(memo: str | None) -> str:
    """Return a memo without our key."""
    return _MARK.sub("", memo or "").strip()


def words(text: str | None) -> str:
    """Return a text with single spaces, for comparing."""
    return " ".join((text or "").split())


# --- reading ---------------------------------------------------------------------------------------------------


class Fields(dict[str, str]):
    """The texts inside an element by their path, `Quantity` and `ItemRef/ListID`.

    Whoever asks an element for many of them reads it once: to search it for each takes most of a page's time.
    """


def fields_of(element: etree._Element, *, but: Sequence[str] = ()) -> Fields:
    """Return the texts inside an element, down to those of its references, without children of these names. Of several
    of one name it is the first."""
    texts = Fields()
    for child in element:
        name: Any = child.tag
        if name in texts or name in but:
            continue
        value = child.text
        texts[name] = value.strip() if value else ""
        if len(child):  # most are values, for which no search is begun
            for inner in child:
                inner_name: Any = inner.tag
                texts.setdefault(f"{name}/{inner_name}", (inner.text or "").strip())
    return texts


Source = etree._Element | Fields
"""What a field is read from."""


def text(source: Source | None, path: str) -> str | None:
    """Return the text of an element inside; None if it is absent or empty."""
    if source is None:
        return None
    if isinstance(source, Fields):
        return source.get(path) or None
    value: str | None
    if path[0] == ".":
        value = source.findtext(path)
    else:  # several times quicker than a search, and a page of orders asks ten thousand times
        inside = source
        for name in path.split("/") if "/" in path else (path,):
            child = next(inside.iterchildren(name), None)
            if child is None:
                return None
            inside = child
        value = inside.text
    return value.strip() or None if value else None


def flag(source: Source, path: str) -> bool:
    """Return whether an element inside says true."""
    return (text(source, path) or "").lower() == "true"


def ref(source: Source, name: str) -> str | None:
    """Return the id of a reference."""
    return text(source, f"{name}/ListID")


def children(element: etree._Element, names: Sequence[str]) -> Iterator[etree._Element]:
    """Return the elements directly inside that have one of these names, in their order."""
    return element.iterchildren(*names)


def local_time(said: str) -> str:
    """Return a time of QuickBooks' as a cursor: its clock's own text, without the offset, which does not follow
    daylight saving (reference 2.2).

    Raises:
        ValueError: it is no time.
    """
    match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:?\d{2})?", said.strip())
    if match is None:
        raise ValueError(f"{said[:40]!r} is no time")
    return f"{match[1]} {match[2]}"


def sent_time(cursor: str) -> str:
    """Return a cursor as QuickBooks takes it: by its own clock, without offset."""
    return cursor.replace(" ", "T")
