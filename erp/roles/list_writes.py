"""The role that makes and changes list entries."""

from typing import Protocol

from models.domain.ids import ErpId
from models.domain.list_changes import EntryToPush
from models.domain.lists import ListEntry, ListKind


class ListWrites(Protocol):
    """Writes vendors, items and the like. What it writes of each list is the capability `lists_out`."""

    async def find(self, new: EntryToPush) -> ErpId | None:
        """Return the entry that an earlier attempt with this external key made; None: there is none."""
        ...

    async def check_new(self, new: EntryToPush) -> None:
        """Check that nothing else has the new entry's key.

        Raises:
            Rejected: another entry has it.
        """
        ...

    async def create(self, new: EntryToPush) -> ErpId:
        """Make the entry, at the level that it names. A repeat with the same key never makes a second one: it raises
        Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has an entry with this key.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def read(self, kind: ListKind, erp_id: ErpId, *, entity: str | None) -> ListEntry:
        """Read one entry as it is now.

        Raises:
            NotFound: the ERP does not have it.
        """
        ...

    async def update(self, change: EntryToPush, *, edition: str) -> None:
        """Set the fields that the change names, and nothing else. Values are absolute; an edition that was taken before
        raises Duplicate or changes nothing more.

        Raises:
            Duplicate: the ERP took this edition before.
            NotFound: the ERP does not have the entry.
            Rejected: a business rule of the ERP refused it.
        """
        ...
