"""Pages of a listing: newest first by a key that never repeats, with an opaque cursor.

A keyset cursor names the last row seen, so rows that arrive meanwhile neither shift nor repeat a page.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

LARGEST_PAGE = 500


class Listing(NamedTuple, Generic[T]):
    """One page. `next_cursor` None: there is no more."""

    items: Sequence[T]
    next_cursor: str | None


class CursorUnreadable(ValueError):
    """The cursor was not made by us. The caller should start again without one."""

    code = "CURSOR_UNREADABLE"


def encode_cursor(*key: str) -> str:
    """The key of the last row on the page, as text a URL can carry."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> tuple[str, ...]:
    """The key back again. Raises CursorUnreadable."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise CursorUnreadable("the cursor is not one of ours") from error
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):
        raise CursorUnreadable("the cursor belongs to another listing")
    return tuple(key)


def date_in_cursor(part: str) -> date:
    """A date inside a cursor. Raises CursorUnreadable."""
    try:
        return date.fromisoformat(part)
    except ValueError as error:
        raise CursorUnreadable("the cursor belongs to another listing") from error


def instant_in_cursor(part: str) -> datetime:
    """An instant inside a cursor. Raises CursorUnreadable."""
    try:
        return datetime.fromisoformat(part)
    except ValueError as error:
        raise CursorUnreadable("the cursor belongs to another listing") from error


def page_size(limit: int) -> int:
    """How many rows a caller gets: at least one, at most LARGEST_PAGE."""
    return max(1, min(limit, LARGEST_PAGE))


def listing(rows: Sequence[T], limit: int, key: Callable[[T], tuple[str, ...]]) -> Listing[T]:
    """A page out of `limit + 1` rows read: the one too many only tells that there is more."""
    if len(rows) <= limit:
        return Listing(rows, None)
    kept = rows[:limit]
    return Listing(kept, encode_cursor(*key(kept[-1])))
