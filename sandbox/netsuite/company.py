"""One pretend NetSuite account: its records, links between them, numbering, time zone and periods."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.netsuite.errors import Refused, bad_reference
from sandbox.netsuite.records import GROUPS, POINTS_TO, RECORD_TYPES, Record, RecordType, Values
from sandbox.netsuite.switches import SWITCHES
from sandbox.netsuite.values import Ref
from sandbox.switches import Switches


class Deleted(NamedTuple):
    """What getDeleted still knows of a record."""

    moment: datetime
    type: RecordType
    internal_id: str
    external_id: str
    name: str


class Company:
    """Everything one account remembers."""

    def __init__(self, account: str, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self.switches = Switches(SWITCHES)
        self._stamp: datetime | None = None
        self.empty()

    def empty(self) -> None:
        """No records at all. Switches stay."""
        self.groups: dict[str, dict[str, Record]] = {group: {} for group in GROUPS}
        self.keys: dict[tuple[str, str], Record] = {}
        """Records by group and the neutral format's key."""
        self.externals: dict[tuple[str, str], Record] = {}
        """Records by group and external id in lower case: they are compared without case (reference 7)."""
        self.deleted: list[Deleted] = []
        self.linked: dict[str, dict[str, Record]] = {}
        """By an order's id, the receipts and bills of its lines."""
        self.bill_numbers: dict[tuple[str, str], set[str]] = {}
        """By a vendor's id and the number it gave, the bills."""
        self.applied: dict[str, dict[str, Record]] = {}
        """By a bill's id, the payments and credits applied to it."""
        self.unsettled: dict[str, Record] = {}
        """Orders that will show something else once a delay has passed."""
        self.own_values: dict[str, dict[str, str]] = {}
        """What custom segments, custom lists and the amortization schedule can have: names by id, by field."""
        self.own_columns: set[str] = set()
        """The ids of the custom fields of lines."""
        self.lists_changed = 0
        """Counts changes of lists: names of references are rendered from them."""
        self._last_id = {group: kinds[0].first_id - 1 for group, kinds in GROUPS.items()}
        self._numbers: dict[str, int] = {}

    # Time

    @property
    def zone(self) -> timezone:
        """The account's time zone."""
        return timezone(timedelta(minutes=self.switches.number("utc_offset_minutes")))

    def now(self) -> datetime:
        """The present moment, or the one that `stamped` set."""
        return self._stamp or self.clock.now()

    def today(self) -> date:
        """The day it is in the account's time zone."""
        return self.now().astimezone(self.zone).date()

    @contextmanager
    def stamped(self, moment: datetime) -> Iterator[None]:
        """What happens inside is dated `moment`: records from before the sandbox began."""
        self._stamp = moment
        try:
            yield
        finally:
            self._stamp = None

    def moment_of(self, day: date, hour: int = 12) -> datetime:
        """A moment on a day of the account's calendar."""
        return datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).astimezone(UTC)

    # Records

    def insert(self, type_name: str, values: Values, *, external_id: str = "", key: str = "") -> Record:
        """A new record. Raises Refused (DUP_RCRD) when its external id is taken in its group."""
        kind = RECORD_TYPES[type_name]
        if external_id and (kind.group, external_id.lower()) in self.externals:
            raise Refused("DUP_RCRD", "This record already exists")
        self._last_id[kind.group] += 1
        record = Record(kind, str(self._last_id[kind.group]), values, external_id, key)
        self.groups[kind.group][record.internal_id] = record
        if external_id:
            self.externals[kind.group, external_id.lower()] = record
        if key:
            self.keys[kind.group, key] = record
        if kind.group != "transaction":
            self.lists_changed += 1
        return record

    def touch(self, record: Record, *, moment: datetime | None = None) -> None:
        """The record changed: its stamp moves."""
        name = "lastModifiedDate"
        if name in record.values:
            record.values[name] = moment or self.now()
        record.changed()
        if record.type.group != "transaction":
            self.lists_changed += 1

    def name_with(self, record: Record, external_id: str) -> None:
        """Give the record this external id. Raises Refused (DUP_RCRD) when another has it."""
        holder = self.externals.get((record.type.group, external_id.lower()))
        if holder is not None and holder is not record:
            raise Refused("DUP_RCRD", "This record already exists")
        if record.external_id:
            del self.externals[record.type.group, record.external_id.lower()]
        record.external_id = external_id
        self.externals[record.type.group, external_id.lower()] = record

    def remove(self, record: Record) -> None:
        """Take the record away; getDeleted tells of it."""
        del self.groups[record.type.group][record.internal_id]
        self.externals.pop((record.type.group, record.external_id.lower()), None)
        if self.keys.get((record.type.group, record.key)) is record:
            del self.keys[record.type.group, record.key]
        gone = Deleted(self.now(), record.type, record.internal_id, record.external_id, self.title(record))
        self.deleted.append(gone)
        if record.type.group != "transaction":
            self.lists_changed += 1

    def all(self, *type_names: str) -> list[Record]:
        """All records of some types, by internal id."""
        groups = {RECORD_TYPES[name].group for name in type_names}
        return [record for group in groups for record in self.groups[group].values() if record.type.name in type_names]

    def get(self, type_name: str, internal_id: str) -> Record | None:
        """A record of this type."""
        record = self.groups[RECORD_TYPES[type_name].group].get(internal_id)
        return record if record is not None and record.type.name == type_name else None

    def find(self, type_name: str, ref: Ref) -> Record | None:
        """What a reference with a type names: by internal id, else by external id."""
        kind = RECORD_TYPES[type_name]
        if ref.internal_id:
            return self.get(type_name, ref.internal_id)
        record = self.externals.get((kind.group, ref.external_id.lower())) if ref.external_id else None
        return record if record is not None and record.type is kind else None

    def pointed(self, field: str, ref: Ref) -> Record:
        """What a field's reference points at. Raises Refused (INVALID_KEY_OR_REF)."""
        group = POINTS_TO[field]
        if ref.internal_id:
            record = self.groups[group].get(ref.internal_id)
        else:
            record = self.externals.get((group, ref.external_id.lower())) if ref.external_id else None
        if record is None:
            raise bad_reference(field.lower(), ref.internal_id or ref.external_id)
        return record

    def keyed(self, group: str, key: str) -> Record | None:
        """The record the neutral format knows by this key."""
        return self.keys.get((group, key))

    def next_number(self, type_name: str, prefix: str) -> str:
        """The next number of a type's own sequence."""
        self._numbers[type_name] = self._numbers.get(type_name, 0) + 1
        return f"{prefix}{self._numbers[type_name]}"

    # Names

    def title(self, record: Record) -> str:
        """What a reference to the record is called."""
        values = record.values
        group = record.type.group
        if group == "transaction":
            number = values.get("tranId") or values.get("transactionNumber") or record.internal_id
            return f"{record.type.title} #{number}"
        if group == "entity":
            return " ".join(part for part in (values["entityId"], values.get("companyName")) if part)
        if group == "item":
            return str(values["itemId"])
        if group == "account":
            return " ".join(part for part in (values.get("acctNumber"), values["acctName"]) if part)
        name = str(values.get("periodName") or values.get("name") or "")
        parent = values.get("parent")
        above = self.groups[group].get(parent.internal_id) if parent is not None else None
        return f"{self.title(above)} : {name}" if above is not None else name

    def name_of(self, field: str, ref: Ref) -> str:
        """The name shown with a reference that stands in a field; empty where nothing is known."""
        group = POINTS_TO.get(field)
        if group is None:
            return ""
        record = self.groups[group].get(ref.internal_id)
        return "" if record is None else self.title(record)

    def ref(self, record: Record) -> Ref:
        """A reference to a record, as documents hold it."""
        return Ref(internal_id=record.internal_id)

    # Periods

    def period_of(self, day: date) -> Record:
        """The posting period of a day, made when it is the first to need it."""
        first = day.replace(day=1)
        found = self.keyed("accountingPeriod", f"{first:%Y-%m}")
        if found is not None:
            return found
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        no = dict.fromkeys(("isAdjust", "isQuarter", "isYear", "closed", "apLocked", "arLocked", "allLocked"), False)
        values = {"periodName": f"{first:%b %Y}", "startDate": first, "endDate": last, **no}
        return self.insert("accountingPeriod", values, key=f"{first:%Y-%m}")

    def open_period(self, day: date) -> Record:
        """The posting period of a day. Raises Refused when it is closed or its payables are locked."""
        period = self.period_of(day)
        if period["closed"] or period["apLocked"] or period["allLocked"]:
            code = self.switches.word("closed_period_code")
            raise Refused(code, f"This transaction cannot be saved: the period {period['periodName']} is closed.")
        return period
