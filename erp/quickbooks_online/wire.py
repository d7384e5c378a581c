"""Read and write QuickBooks' JSON: exact numbers, references, instants (reference 1.5).

Only fields that have a value are there; an absent field means empty. Numbers may come as text.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from models.domain import exact_json

Entity = Mapping[str, Any]
"""One record or part of one, as QuickBooks writes it."""

_LARGE = 10**18

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")

LONGEST_NUMBER = 21
"""Characters of a `DocNumber` (section 6)."""
LONGEST_NOTE = 4000

BILL = "B"
CREDIT = "VC"
"""In front of the ids of bills and credits: QuickBooks may count the ids of each kind of record apart, and an order
must never be taken for the bill with the same number."""


def parse(content: bytes) -> Any:
    """Return the value of a JSON text, its numbers exact.

    Raises:
        ValueError: it is no JSON, or says a thing twice.
    """
    return exact_json.read(content)


def encode(value: Any) -> bytes:
    """Return a request's JSON. Decimals are written as they are, never through a float."""
    return "".join(_parts(value)).encode()


def _parts(value: Any) -> Iterator[str]:
    if isinstance(value, Decimal):
        yield f"{value:f}"
    elif isinstance(value, Mapping):
        yield "{"
        for place, (name, inner) in enumerate(value.items()):
            yield f"{', ' if place else ''}{json.dumps(name)}: "
            yield from _parts(inner)
        yield "}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield "["
        for place, inner in enumerate(value):
            if place:
                yield ", "
            yield from _parts(inner)
        yield "]"
    else:
        yield json.dumps(value)


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are there: an absent field is QuickBooks' word for empty."""
    return {name: value for name, value in values.items() if value is not None}


# --- values ----------------------------------------------------------------------------------------------------


def part(entity: Entity, name: str) -> Entity:
    """Return an object inside another one; an empty one if it is absent."""
    value = entity.get(name)
    # Most values are plain: asking for their very type is many times faster than asking for what they may be used as.
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def parts(entity: Entity, name: str) -> list[Entity]:
    """Return a list of objects inside another one; an empty one if it is absent."""
    value = entity.get(name)
    if isinstance(value, list):
        return [inner for inner in value if type(inner) is dict or isinstance(inner, Mapping)]
    return [value] if isinstance(value, Mapping) else []


def are_records(value: Any) -> bool:
    """Return whether a value is a list of objects, or one object: anything else would be read as an empty list."""
    if isinstance(value, list):
        return all(type(one) is dict or isinstance(one, Mapping) for one in value)
    return isinstance(value, Mapping)


def is_readable(member: Any) -> bool:
    """Return whether a member of a query's answer can be read: records, or a count."""
    return are_records(member) or isinstance(member, int | Decimal) or (isinstance(member, str) and member.isdecimal())


def text(entity: Entity, name: str) -> str | None:
    """Return a field as text; None if it is absent or empty."""
    value = entity.get(name)
    if type(value) is str:
        return value or None
    if value is None or isinstance(value, Mapping | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) or None


def flag(entity: Entity, name: str) -> bool:
    """Return whether a yes-or-no field is set; some of them come as text."""
    return (text(entity, name) or "").casefold() == "true"


def ref(entity: Entity, name: str) -> str | None:
    """Return the id that a reference field holds."""
    return text(part(entity, name), "value")


def reference(value: str | None) -> dict[str, str] | None:
    """Return a reference to write; None for no id."""
    return {"value": value} if value else None


def decimal(entity: Entity, name: str) -> Decimal | None:
    """Return a number, exact; None if it is absent.

    Raises:
        ValueError: it is no number.
    """
    value = entity.get(name)
    if type(value) is int and -_LARGE < value < _LARGE:
        return Decimal(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{name} is {value!r}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{name} is {value!r}") from None
    if not number.is_finite() or number.adjusted() > 18:
        raise ValueError(f"{name} is {value!r}")
    return number


def day(value: str) -> date:
    """Return a calendar date.

    Raises:
        ValueError: it is none.
    """
    return date.fromisoformat(value[:10])


_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r"(?:(?P<zulu>[Zz])|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?"
)


def instant(value: str) -> datetime:
    """Return a point in time, aware, in UTC. Offsets come with and without a colon, fractions with up to nine digits;
    without an offset it is taken as UTC.

    Raises:
        ValueError: it is none.
    """
    match = _INSTANT.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is no point in time")
    if match["sign"] and match["hours"] < "24" and not match["fraction"]:  # as QuickBooks writes it
        return datetime.fromisoformat(match[0].replace(" ", "T")).astimezone(UTC)
    at = datetime.fromisoformat(f"{match['day']}T{match['time']}+00:00")
    at += timedelta(microseconds=int((match["fraction"] or "0").ljust(6, "0")[:6]))
    if match["sign"]:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        at -= offset if match["sign"] == "+" else -offset
    return at


def moment_text(at: datetime) -> str:
    """Return a point in time as cursors and revisions have it: UTC, whole seconds, sortable."""
    return at.astimezone(UTC).isoformat(" ", "seconds")[:19]


def moment(cursor: str) -> datetime:
    """Return the point in time of a cursor or revision."""
    return datetime.fromisoformat(f"{cursor[:10]}T{(cursor[11:19] or '00:00:00')}+00:00")


def query_time(at: datetime) -> str:
    """Return a point in time as queries and change data capture take it."""
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def quoted(value: str) -> str:
    """Return a text as a query's literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def can_be_asked(value: str) -> bool:
    """Return whether a query may hold this text: other characters than ASCII can fail however they are written (section
    3.7)."""
    return value.isascii() and value.isprintable()


# --- our key ---------------------------------------------------------------------------------------------------

_MARK = re.compile(r"\[posync (?P<key>[!-~]{1,60}?)\]")


def marked(note: str, key: str) -> str:
    """Return a private note that ends with our key."""
    mark = f"[posync {key}]"
    room = LONGEST_NOTE - len(mark) - 1
    return f"{note[:room].rstrip()}\n{mark}" if note.strip() else mark


def key_of(entity: Entity) -> str | None:
    """Return our key from a private note; None: the record is not one of ours."""
    matches = _MARK.findall(text(entity, "PrivateNote") or "")
    return matches[-1] if matches else None


def note_of(entity: Entity) -> str:
    """Return a private note without our key, which is the last one: another one is somebody's text, most often a note
    that was copied from another document."""
    note = text(entity, "PrivateNote") or ""
    ours = [*_MARK.finditer(note)][-1:]
    return (note[: ours[0].start()] + note[ours[0].end() :] if ours else note).strip()


def doc_number(number: str) -> str:
    """Return what QuickBooks keeps of a document's number: its first 21 characters."""
    return number.strip()[:LONGEST_NUMBER].strip()


def words(value: str | None) -> str:
    """Return a free text as it is compared: white space does not count."""
    return " ".join((value or "").split())
