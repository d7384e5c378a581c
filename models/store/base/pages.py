"""Page through a listing: newest first by a key that never repeats, with an opaque cursor.

The cursor names the last row seen, so rows that arrive meanwhile neither shift nor repeat a page.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlmodel import col
from sqlmodel.sql.expression import SelectOfScalar

T = TypeVar("T")

LARGEST_PAGE = 500


class Listing(NamedTuple, Generic[T]):
    """One page of a listing. `next_cursor` None: there are no more rows."""

    items: Sequence[T]
    next_cursor: str | None


class CursorUnreadable(ValueError):
    """The cursor was not made by us. The caller should start again without one."""

    code = "CURSOR_UNREADABLE"


def encode_cursor(*key: str) -> str:
    """Return the key of the page's last row as text that a URL can carry."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> tuple[str, ...]:
    """Return the key inside a cursor.

    Raises:
        CursorUnreadable: It is not one of ours, or belongs to another listing.
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise CursorUnreadable("the cursor is not one of ours") from error
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):
        raise CursorUnreadable("the cursor belongs to another listing")
    return tuple(key)


def date_in_cursor(part: str) -> date:
    """Return a date inside a cursor.

    Raises:
        CursorUnreadable: The part is no date.
    """
    try:
        return date.fromisoformat(part)
    except ValueError as error:
        raise CursorUnreadable("the cursor belongs to another listing") from error


def instant_in_cursor(part: str) -> datetime:
    """Return an instant inside a cursor.

    Raises:
        CursorUnreadable: The part is no instant.
    """
    try:
        return datetime.fromisoformat(part)
    except ValueError as error:
        raise CursorUnreadable("the cursor belongs to another listing") from error


def page_size(limit: int) -> int:
    """Return how many rows a page has: at least one, at most LARGEST_PAGE."""
    return max(1, min(limit, LARGEST_PAGE))


def narrowed(statement: SelectOfScalar[T], wanted: Mapping[Any, object]) -> SelectOfScalar[T]:
    """Return the statement for rows that have these values in these columns; None does not restrict."""
    return statement.where(*(col(column) == value for column, value in wanted.items() if value is not None))


def listing(rows: Sequence[T], limit: int, key: Callable[[T], tuple[str, ...]]) -> Listing[T]:
    """Build a page from `limit + 1` rows; the extra row only shows that there are more."""
    if len(rows) <= limit:
        return Listing(rows, None)
    kept = rows[:limit]
    return Listing(kept, encode_cursor(*key(kept[-1])))
