"""One company file: its lists and transactions, what was deleted, and what applications store in it."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.clock import Clock
from sandbox.quickbooks_desktop import ledger, pc_time
from sandbox.quickbooks_desktop.records import (
    FAMILIES,
    LIST_KINDS,
    TXN_KINDS,
    ZERO,
    Applied,
    Deleted,
    Entry,
    Line,
    Txn,
)
from sandbox.switches import Switches

REMEMBERED = timedelta(days=90)
_COPIED = (
    *("entries", "txns", "keys", "deleted_txns", "deleted_entries", "message_sets", "extensions", "preferences"),
    *("closing_date", "linked", "payers", "_next_list", "_next_txn", "_next_number", "books", "name"),
)


class StoredSet(NamedTuple):
    """The outcome of a message set, as QuickBooks keeps it in the company file."""

    checksum: str
    answers: list[str]
    short_answers: list[str]
    """The same with ErrorRecovery in place of the objects."""


class Company:
    """Everything one company file remembers."""

    def __init__(self, path: str, name: str, clock: Clock, switches: Switches) -> None:
        self.path = path
        self.clock = clock
        self.switches = switches
        self.locks: set[str] = set()
        """TxnIDs and ListIDs that somebody has open."""
        self.multi_user = False
        self.backups: list[dict[str, Any]] = []
        self._stamp: datetime | None = None
        self.name = name
        self.empty()

    def empty(self) -> None:
        """No records at all; applications stay."""
        self.entries: dict[str, dict[str, Entry]] = {kind: {} for kind in LIST_KINDS}
        self.txns: dict[str, dict[str, Txn]] = {kind: {} for kind in TXN_KINDS}
        self.keys: dict[tuple[str, str], Entry] = {}
        """Entries by family and the neutral format's key."""
        self.deleted_txns: list[Deleted] = []
        self.deleted_entries: list[Deleted] = []
        self.message_sets: dict[str, dict[str, StoredSet]] = {}
        """By application."""
        self.extensions: dict[str, dict[str, str]] = getattr(self, "extensions", {})
        """Data extensions of the company by OwnerID: FileID is one."""
        self.preferences: dict[str, bool] = {
            "IsUsingInventory": True,
            "IsUsingClassTracking": True,
            "EnhancedInventoryReceivingEnabled": False,
        }
        self.closing_date: date | None = None
        self.linked: dict[str, dict[str, Txn]] = {}
        """By an order's TxnID, the documents linked to it."""
        self.payers: dict[str, dict[str, Txn]] = {}
        """By a bill's or credit's TxnID, the payments that use it."""
        self.books = ledger.Books()
        self.lists_changed = 0
        """Counts changes of lists: names in references are written from them."""
        self._next_list = 0x80000000
        self._next_txn = 0x10
        self._next_number = 0
        self.locks.clear()

    # Backups

    def back_up(self) -> int:
        """Keep the file as it is; the answer is the backup's number."""
        self.backups.append(copy.deepcopy({name: getattr(self, name) for name in _COPIED}))
        return len(self.backups) - 1

    def restore(self, number: int) -> None:
        """The file is as it was then: later documents and message sets are unknown, their ids are given again."""
        for name, value in copy.deepcopy(self.backups[number]).items():
            setattr(self, name, value)
        self.lists_changed += 1
        self.locks.clear()

    # Time

    def now(self) -> datetime:
        """The present moment in whole seconds, or the one that `stamped` set."""
        return self._stamp or self.clock.now().replace(microsecond=0)

    def today(self) -> date:
        """The day it is at the PC."""
        return pc_time.today(self.now(), self.switches)

    @contextmanager
    def stamped(self, moment: datetime) -> Iterator[None]:
        """What happens inside is dated `moment`."""
        before, self._stamp = self._stamp, moment.replace(microsecond=0)
        try:
            yield
        finally:
            self._stamp = before

    def moment_of(self, day: date, hour: int = 12) -> datetime:
        """A moment of a day at the PC."""
        offset = timedelta(minutes=self.switches.number("utc_offset_minutes"))
        return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - offset

    # Lists

    def add_entry(self, kind: str, values: dict[str, Any], *, key: str = "", parent: Entry | None = None) -> Entry:
        """A new entry of a list."""
        self._next_list += 1
        now = self.now()
        identifier = f"{self._next_list:X}-{int(now.timestamp())}"
        entry = Entry(kind, identifier, now, now, str(int(now.timestamp())), values, key, parent)
        self.entries[kind][identifier] = entry
        if key:
            self.keys[family_of(kind), key] = entry
        self.lists_changed += 1
        return entry

    def entry(self, family: str, identifier: str | None) -> Entry | None:
        """One entry by its ListID."""
        for kind in FAMILIES[family]:
            found = self.entries[kind].get(identifier or "")
            if found is not None:
                return found
        return None

    def named(self, family: str, full_name: str) -> Entry | None:
        """One entry by its full name, whatever the case."""
        wanted = full_name.lower()
        for kind in FAMILIES[family]:
            for entry in self.entries[kind].values():
                if entry.full_name.lower() == wanted:
                    return entry
        return None

    def keyed(self, family: str, key: str) -> Entry | None:
        """The entry that the neutral format knows by this key."""
        return self.keys.get((family, key))

    def key_of(self, family: str, identifier: str | None) -> str | None:
        """What the neutral format calls an entry; its full name when it came in another way."""
        entry = self.entry(family, identifier)
        return None if entry is None else entry.key or entry.full_name

    def touch_entry(self, entry: Entry) -> None:
        """The entry changed."""
        entry.modified = self.now()
        entry.edit_sequence = _following(entry.edit_sequence, entry.modified)
        self.lists_changed += 1

    def remove_entry(self, entry: Entry) -> None:
        """Take an entry away; it is remembered as deleted for a while."""
        del self.entries[entry.kind][entry.list_id]
        self.keys.pop((family_of(entry.kind), entry.key), None)
        self.deleted_entries.append(Deleted(entry.kind, entry.list_id, entry.full_name, entry.created, self.now()))
        self.lists_changed += 1

    # Transactions

    def add_txn(
        self, kind: str, values: dict[str, Any], lines: list[Line], applied: list[Applied], *, txn_id: str = ""
    ) -> Txn:
        """A new transaction; its lines get their ids."""
        now = self.now()
        identifier = txn_id or self._new_id()
        self._next_number += 1
        txn = Txn(kind, identifier, now, now, str(int(now.timestamp())), self._next_number, values, lines, applied)
        for line in lines:
            line.id = line.id or self._new_id()
        self.txns[kind][identifier] = txn
        self.settle(txn)
        return txn

    def new_line_id(self) -> str:
        """An id for a line; lines and transactions share the counter."""
        return self._new_id()

    def _new_id(self) -> str:
        self._next_txn += 1
        return f"{self._next_txn:X}-{int(self.now().timestamp())}"

    def touch(self, txn: Txn) -> None:
        """The transaction changed: its time and edit sequence move."""
        txn.modified = self.now()
        txn.edit_sequence = _following(txn.edit_sequence, txn.modified)
        txn.rendered.clear()

    def settle(self, txn: Txn, *, removed: bool = False) -> None:
        """The books and the links follow what a transaction says now."""
        txn.rendered.clear()
        stays = {} if removed else ledger.postings(txn, enhanced=self.enhanced, in_stock=self.entries["ItemInventory"])
        self.books.post(txn, stays)
        orders = {line.link.txn_id for line in txn.lines if line.link} if not removed else set()
        txn.linked_to = self._follow(self.linked, txn, txn.linked_to, orders)
        used = {one.txn_id for one in txn.applied} | {credit for one in txn.applied for credit, _ in one.credits}
        txn.paid_to = self._follow(self.payers, txn, txn.paid_to, set() if removed or txn.voided else used)

    def _follow(
        self, index: dict[str, dict[str, Txn]], txn: Txn, before: frozenset[str], now: set[str]
    ) -> frozenset[str]:
        for target in before - now:
            index[target].pop(txn.txn_id, None)
            self._redraw(target)
        for target in now:
            index.setdefault(target, {})[txn.txn_id] = txn
            self._redraw(target)
        return frozenset(now)

    def _redraw(self, txn_id: str) -> None:
        found = self.txn(txn_id)
        if found is not None:
            found.rendered.clear()

    def txn(self, txn_id: str) -> Txn | None:
        """One transaction of any kind."""
        for kind in TXN_KINDS:
            found = self.txns[kind].get(txn_id)
            if found is not None:
                return found
        return None

    def remove(self, txn: Txn, *, listed: bool = True) -> None:
        """Take a transaction away; where `listed`, it is remembered as deleted for a while."""
        del self.txns[txn.kind][txn.txn_id]
        self.settle(txn, removed=True)
        if listed:
            self.deleted_txns.append(Deleted(txn.kind, txn.txn_id, txn.ref_number, txn.created, self.now()))

    def open_amount(self, txn: Txn) -> Decimal:
        """What a bill owes still, or a credit is still good for."""
        if txn.voided:
            return ZERO
        used = ZERO
        for payment in self.payers.get(txn.txn_id, {}).values():
            for one in payment.applied:
                if one.txn_id == txn.txn_id:
                    used += one.whole
                used += sum((amount for credit, amount in one.credits if credit == txn.txn_id), ZERO)
        return txn.total - used

    # The company itself

    @property
    def enhanced(self) -> bool:
        """Whether it receives in the enhanced way."""
        return bool(self.preferences["EnhancedInventoryReceivingEnabled"])

    def extension(self, owner_id: str) -> Mapping[str, str]:
        """What the application of that OwnerID stores in the file."""
        return self.extensions.get(owner_id.lower(), {})


def family_of(kind: str) -> str:
    """The family that references name a kind of entry by."""
    return next(family for family, kinds in FAMILIES.items() if kind in kinds)


def _following(sequence: str, moment: datetime) -> str:
    """The next edit sequence: the second it is, and always another one than before."""
    return str(max(int(sequence) + 1, int(moment.timestamp())))
