"""One company: its records with ids, stamps and names, what was deleted, and who listens to changes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from sandbox.clock import Clock
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.errors import inactive, invalid_reference
from sandbox.quickbooks_online.records import Record
from sandbox.quickbooks_online.values import pacific
from sandbox.switches import Switches


class Deleted(NamedTuple):
    """What change data capture still knows of a record."""

    kind: str
    id: str
    moment: datetime


Listener = Callable[[str, str, str, str, datetime], None]
"""Called with realm, entity, id, operation and moment of a change."""


def _no_listener(realm: str, kind: str, identifier: str, operation: str, moment: datetime) -> None:
    """Nobody listens."""


class Company:
    """Everything one company remembers."""

    def __init__(self, realm: str, clock: Clock, switches: Switches, listener: Listener = _no_listener) -> None:
        self.realm = realm
        self.clock = clock
        self.switches = switches
        self._listener = listener
        self._stamp: datetime | None = None
        self.empty()

    def empty(self) -> None:
        """No records at all."""
        self.records: dict[str, dict[str, Record]] = {name: {} for name in ENTITIES}
        self.keys: dict[tuple[str, str], Record] = {}
        """Records by entity and the neutral format's key."""
        self.deleted: list[Deleted] = []
        self.linked: dict[str, dict[tuple[str, str], Record]] = {}
        """By an order's id, the bills and expenses linked to it."""
        self.numbered: dict[tuple[str, str], dict[str, Record]] = {}
        """By entity and document number, the documents that have it."""
        self.lists_changed = 0
        """Counts changes of lists: names in references are rendered from them."""
        self._last_id = dict.fromkeys(ENTITIES, 0)

    # Time

    def now(self) -> datetime:
        """The present moment in whole seconds, or the one that `stamped` set."""
        return self._stamp or self.clock.now().replace(microsecond=0)

    def today(self) -> date:
        """The day it is at the service."""
        return pacific(self.now()).date()

    @contextmanager
    def stamped(self, moment: datetime) -> Iterator[None]:
        """What happens inside is dated `moment`, and nobody is told: it was so before the sandbox began."""
        self._stamp = moment.replace(microsecond=0)
        try:
            yield
        finally:
            self._stamp = None

    @property
    def loading(self) -> bool:
        """Whether what happens now happened before the sandbox began."""
        return self._stamp is not None

    def moment_of(self, day: date, hour: int = 20) -> datetime:
        """A moment of a day, about noon at the service."""
        return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)

    # Records

    def insert(self, kind: str, values: dict[str, Any], *, key: str = "") -> Record:
        """A new record."""
        self._last_id[kind] += 1
        record = Record(ENTITIES[kind], str(self._last_id[kind]), {}, self.now(), key)
        self.assign(record, values)
        self.records[kind][record.id] = record
        if key:
            self.keys[kind, key] = record
        self._told(record, "Create")
        return record

    def touch(self, record: Record, operation: str = "Update") -> None:
        """The record changed: token and stamp move, and the listener hears of it."""
        record.sync_token += 1
        record.updated = self.now()
        self._told(record, operation)

    def assign(self, record: Record, values: dict[str, Any]) -> None:
        """Give a record its values, and let it be found by its document number."""
        kind, before, now = record.type.name, record["DocNumber"], values.get("DocNumber")
        if before and before != now:
            self.numbered[kind, before].pop(record.id, None)
        if now:
            self.numbered.setdefault((kind, now), {})[record.id] = record
        record.values = values

    def redraw(self, record: Record) -> None:
        """The record shows something else, though its token and stamp stay."""
        record.rendered = (None, "")

    def _told(self, record: Record, operation: str) -> None:
        record.rendered = (None, "")
        if record.type.is_list:
            self.lists_changed += 1
        if self._stamp is None and record.type.listened:
            self._listener(self.realm, record.type.name, record.id, operation, record.updated)

    def remove(self, record: Record) -> None:
        """Take the record away; change data capture tells of it."""
        del self.records[record.type.name][record.id]
        self.assign(record, {**record.values, "DocNumber": None})
        if self.keys.get((record.type.name, record.key)) is record:
            del self.keys[record.type.name, record.key]
        moment = self.now()
        if record.type.listened:
            self.deleted.append(Deleted(record.type.name, record.id, moment))
            if self._stamp is None:
                self._listener(self.realm, record.type.name, record.id, "Delete", moment)

    def all(self, kind: str) -> list[Record]:
        """All records of an entity, oldest first."""
        return list(self.records[kind].values())

    def get(self, kind: str, identifier: str) -> Record | None:
        """One record."""
        return self.records[kind].get(identifier)

    def pointed(self, kind: str, identifier: str, element: str) -> Record:
        """What a reference names, which must be active. Raises Refused."""
        record = self.records[kind].get(identifier)
        if record is None:
            raise invalid_reference(ENTITIES[kind].plural, identifier, element)
        if record["Active"] is False:
            raise inactive()
        return record

    def keyed(self, kind: str, key: str) -> Record | None:
        """The record that the neutral format knows by this key."""
        return self.keys.get((kind, key))

    def key_of(self, kind: str, identifier: str | None) -> str | None:
        """What the neutral format calls a record; its title when it came in another way."""
        record = self.records[kind].get(identifier or "")
        return None if record is None else record.key or record.title

    # The company itself

    @property
    def preferences(self) -> Record:
        """The company's preferences."""
        return self.records["Preferences"]["1"]

    def preference(self, group: str, name: str) -> Any:
        """One preference by group and name; None when it has no value."""
        values: Mapping[str, Any] = self.preferences.values.get(group, {})
        return values.get(name)

    def other_preference(self, name: str) -> str:
        """One of the preferences kept as names and values; empty when it has no value."""
        pairs = self.preferences.values["OtherPrefs"]["NameValue"]
        return next((str(pair["Value"]) for pair in pairs if pair["Name"] == name), "")

    def other_flag(self, name: str) -> bool:
        """One of those that says true or false."""
        return self.other_preference(name).lower() == "true"

    @property
    def home_currency(self) -> str:
        """The currency the books are kept in."""
        return str(self.preference("CurrencyPrefs", "HomeCurrency")["value"])
