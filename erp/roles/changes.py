"""The roles that read lists, and detect what changed and what was deleted."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from erp.roles.pages import ChangeSet, Page, ScanResult
from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.sync import Deletion, MirroredIds, Stream


class Lists(Protocol):
    """Reads vendors, items, accounts, dimensions and the like."""

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """Read a page of list entries of the given kinds."""
        ...

    async def gone(self, kind: ListKind, erp_ids: Sequence[ErpId]) -> Sequence[ErpId]:
        """Return which of these entries the ERP says it does not have; one that it merely does not show is not among
        them. It is asked about lists that `page` says were read whole."""
        ...


class Changes(Protocol):
    """Detects what changed and what was deleted."""

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        """Return what changed since each stream's cursor, the overlap included, in as few calls as the ERP allows.

        Without any cursor it returns only how far the books are closed. `with_books`: somebody waits for them to be
        opened, so that is returned now, whatever it costs; else as often as it costs little.
        """
        ...

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        """Read a page of the ERP's delete feed. None: the feed does not cover this user's records, or does not reach
        back to `since`; the connector's `scan` then finds the deletions."""
        ...


class DeletionScan(Protocol):
    """Finds deletions without a delete feed: it compares the ids of mirrored records with what the ERP still shows."""

    why: str
    """Why there is no delete feed; text for people."""

    async def scan(self, mirrored: Sequence[MirroredIds]) -> ScanResult:
        """Return which of these records are gone. A record that is merely not visible must never be among them: each
        suspected one is asked for again, in another way, before it is reported."""
        ...
