"""How the pretend Intacct remembers: records, tables with indexes, and a journal to roll a request back."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from html import escape

from sandbox.intacct.object_types import ObjectType

Undo = Callable[[], None]


class Values(dict[str, str]):
    """A record's fields as wire text; a field that was never set reads as empty, as Intacct shows null."""

    def __missing__(self, key: str) -> str:
        return ""


class Record:
    """One row. `number` is its RECORDNO."""

    __slots__ = ("_escaped", "number", "older", "values")

    def __init__(self, number: int, values: Values) -> None:
        self.number = number
        self.values = values
        self._escaped: Values | None = None
        self.older: list[tuple[datetime, Values | None]] = []
        """Earlier versions with the moment each ended; kept only while the read lag is on."""

    def __getitem__(self, field: str) -> str:
        return self.values[field]

    def escaped(self) -> Values:
        """The values ready for an answer, worked out once per change: pages are rendered from these."""
        ready = self._escaped
        if ready is None:
            ready = self._escaped = escaped(self.values)
        return ready

    def changed(self) -> None:
        """Forget what was worked out from the old values."""
        self._escaped = None

    def as_of(self, moment: datetime) -> Values | None:
        """The values as a lagging reader sees them; None when the record did not exist for it yet."""
        for ended, values in self.older:
            if moment < ended:
                return values
        return self.values


def escaped(values: Values) -> Values:
    """The same values with XML's special characters escaped; the same object when there are none."""
    # Joined by a character that XML cannot hold, so that one search and one escape serve all fields.
    everything = "\0".join(values.values())
    if "&" not in everything and "<" not in everything and ">" not in everything:
        return values
    return Values(zip(values, escape(everything, quote=False).split("\0"), strict=True))


class Table:
    """All records of one object, in order of RECORDNO, with an index on every field that links or names."""

    def __init__(self, kind: ObjectType, journal: list[Undo]) -> None:
        self.kind = kind
        self.rows: dict[int, Record] = {}
        self.order: list[int] = []
        self._journal = journal
        self._last_number = 0
        self.indexes: dict[str, dict[str, dict[int, Record]]] = {field: {} for field in kind.indexed}
        self.deleted: dict[int, tuple[datetime, Values]] = {}
        self.lagging_since: datetime | None = None
        """While the read lag is on, the moment of the present request; otherwise None."""

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, number: str | int) -> Record | None:
        """By RECORDNO, as text or number."""
        try:
            return self.rows.get(int(number))
        except ValueError:
            return None

    def find(self, field: str, value: str) -> list[Record]:
        """All records with this value in an indexed field, oldest first."""
        return list(self.indexes[field].get(value, {}).values())

    def first(self, field: str, value: str) -> Record | None:
        """The oldest record with this value in an indexed field."""
        return next(iter(self.indexes[field].get(value, {}).values()), None)

    def after(self, number: int) -> Iterable[Record]:
        """Records with a higher RECORDNO, in order; found without looking at the lower ones."""
        rows = self.rows
        return (rows[at] for at in self.order[bisect_right(self.order, number) :])

    def next_number(self) -> int:
        """RECORDNOs are never given twice, not even after a rollback."""
        self._last_number += 1
        return self._last_number

    def insert(self, values: Mapping[str, str], number: int | None = None) -> Record:
        """Add a record; its RECORDNO is filled in."""
        number = self.next_number() if number is None else number
        kept = Values({field: value for field, value in values.items() if value})
        kept["RECORDNO"] = str(number)
        record = Record(number, kept)
        if self.lagging_since is not None:
            record.older.append((self.lagging_since, None))
        self._put(record)
        self._journal.append(lambda: self._take(record))
        return record

    def change(self, record: Record, updates: Mapping[str, str]) -> bool:
        """Set fields; tells whether anything became different."""
        values = record.values
        before = {field: values[field] for field, value in updates.items() if values[field] != value}
        if not before:
            return False
        if self.lagging_since is not None:
            record.older.append((self.lagging_since, Values(values)))
        self._set(record, {field: updates[field] for field in before})
        self._journal.append(lambda: self._set(record, before))
        return True

    def remove(self, record: Record) -> None:
        """Delete a record."""
        if self.lagging_since is not None:
            self.deleted[record.number] = (self.lagging_since, record.values)
        self._take(record)
        self._journal.append(lambda: self._put(record))

    def _put(self, record: Record) -> None:
        number = record.number
        self.rows[number] = record
        if not self.order or number > self.order[-1]:
            self.order.append(number)
        else:
            self.order.insert(bisect_left(self.order, number), number)
        for field, index in self.indexes.items():
            value = record.values[field]
            if value:
                index.setdefault(value, {})[number] = record

    def _take(self, record: Record) -> None:
        number = record.number
        del self.rows[number]
        del self.order[bisect_left(self.order, number)]
        for field in self.indexes:
            self._unindex(field, record)

    def _unindex(self, field: str, record: Record) -> None:
        value = record.values[field]
        if value:
            entries = self.indexes[field][value]
            del entries[record.number]
            if not entries:
                del self.indexes[field][value]

    def _set(self, record: Record, updates: Mapping[str, str]) -> None:
        touched = [field for field in self.indexes if field in updates]
        for field in touched:
            self._unindex(field, record)
        for field, value in updates.items():
            if value:
                record.values[field] = value
            else:
                record.values.pop(field, None)
        for field in touched:
            value = record.values[field]
            if value:
                self.indexes[field].setdefault(value, {})[record.number] = record
        record.changed()
