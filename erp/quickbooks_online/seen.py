"""Keep for a minute what a change detection saw whole: the sync run that follows need not read it again.

It only saves reads. Another worker, or the same one later, reads by query.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from erp.quickbooks_online.wire import Entity

FRESH_SECONDS = 60

MOST_KEPT = 2000

LOOKED_UP_SECONDS = 10
"""How long a look-up by number serves the write that it was made for."""


class Window(NamedTuple):
    """All changes since a cursor, by kind of record, and QuickBooks' clock."""

    since: Mapping[str, str]
    """By kind of record: the cursor from which the window is complete."""
    overflowed: Mapping[str, str]
    """By kind of record of which more changed than one answer holds: the cursor since which that is so."""
    changed: Mapping[str, list[Entity]]
    deleted: Mapping[str, list[Entity]]
    at: datetime
    began: datetime
    """Our own clock before the reading."""
    name: str
    """Names it for the sync run that asked for it."""


class Memory:
    """What one connection's roles have seen within the last minute."""

    def __init__(self) -> None:
        self._window: tuple[float, Window] | None = None
        self._documents: dict[tuple[str, str], tuple[float, Entity, datetime]] = {}
        self._numbered: dict[str, tuple[float, list[Entity]]] = {}
        self._deleted: dict[tuple[str, str], float] = {}

    def keep(self, window: Window) -> None:
        """Keep a window."""
        self._window = (time.monotonic(), window)

    def window(self, kinds: Iterable[str], since: str | None, name: str | None = None) -> Window | None:
        """Return the window if it holds all changes of these kinds since the cursor, and has this name."""
        if self._window is None or since is None or time.monotonic() - self._window[0] > FRESH_SECONDS:
            return None
        window = self._window[1]
        if name is not None and window.name != name:
            return None
        return window if all(window.since.get(kind, "9") <= since for kind in kinds) else None

    def has_overflowed(self, kinds: Iterable[str], since: str) -> bool:
        """Return whether more of these kinds changed since the cursor than one answer holds, as was just seen."""
        if self._window is None or time.monotonic() - self._window[0] > FRESH_SECONDS:
            return False
        overflowed = self._window[1].overflowed
        return any(since <= overflowed[kind] for kind in kinds if kind in overflowed)

    def put(self, kind: str, document: Entity, at: datetime) -> None:
        """Keep a document that QuickBooks just showed or answered a write with; the ones kept longest make room."""
        key = (kind, str(document.get("Id")))
        self._documents.pop(key, None)
        while len(self._documents) >= MOST_KEPT:
            del self._documents[next(iter(self._documents))]
        self._documents[key] = (time.monotonic(), document, at)

    def get(self, kind: str, document_id: str) -> tuple[Entity, datetime] | None:
        """Return a document that was kept within the last minute, and QuickBooks' clock then."""
        kept = self._documents.get((kind, document_id))
        if kept is None or time.monotonic() - kept[0] > FRESH_SECONDS:
            return None
        return kept[1], kept[2]

    def put_numbered(self, number: str, bills: list[Entity]) -> None:
        """Keep which bills have a number, for the write that follows."""
        now = time.monotonic()
        self._numbered = {one: kept for one, kept in self._numbered.items() if now - kept[0] <= LOOKED_UP_SECONDS}
        self._numbered[number] = (now, bills)

    def take_numbered(self, number: str) -> list[Entity] | None:
        """Return, once, which bills have a number, as was looked up just now; None: look it up."""
        at, bills = self._numbered.pop(number, (float("-inf"), []))
        return bills if time.monotonic() - at <= LOOKED_UP_SECONDS else None

    def put_deleted(self, kind: str, document_id: str) -> None:
        """Keep that QuickBooks just answered a deletion with its success."""
        self.forget(kind, document_id)
        now = time.monotonic()
        self._deleted = {one: at for one, at in self._deleted.items() if now - at <= FRESH_SECONDS}
        self._deleted[kind, document_id] = now

    def is_deleted(self, kind: str, document_id: str) -> bool:
        """Return whether QuickBooks said within the last minute that it deleted the document. Ids are never used
        again."""
        return time.monotonic() - self._deleted.get((kind, document_id), float("-inf")) <= FRESH_SECONDS

    def forget(self, kind: str, document_id: str) -> None:
        """Forget a document that was changed."""
        self._documents.pop((kind, document_id), None)
