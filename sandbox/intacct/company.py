"""One pretend Intacct company: its tables, settings, numbering, periods and audit trail."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import wire_date, wire_time
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.switches import SWITCHES
from sandbox.intacct.tables import Record, Table, Undo
from sandbox.switches import Switches


class Actor(NamedTuple):
    """Who does something, and at which level: `entity` empty is the top level."""

    user: str
    entity: str = ""
    source: str = "api"
    """What AUDITHISTORY.SOURCE says: api, ui, csv or system."""


USERS = {"xml_gateway": "sandbox-user"}
SYSTEM = Actor("system", "", "system")

_DEFINITIONS = (
    # name, class, category, updates GL, updates inventory, prefix, created by, conversion, converted from
    ("Purchase Requisition", "Quote", "Quote", "N", "No", "REQ-", "Leave Transaction Open", ""),
    ("Purchase Order", "Order", "Order", "N", "No", "PO-", "Leave Transaction Open", "Purchase Requisition"),
    ("PO Receiver", "List", "Shipping", "N", "Quantity", "RCV-", "Leave Transaction Open", "Purchase Order"),
    (
        "Vendor Invoice",
        "Invoice",
        "Invoice",
        "A",
        "No",
        "VI-",
        "Leave Transaction Open",
        "Purchase Order#~#PO Receiver",
    ),
    (
        "PO Return",
        "Adjustment",
        "Return",
        "A",
        "Quantity",
        "RET-",
        "Leave Transaction Open",
        "Vendor Invoice#~#PO Receiver",
    ),
)


class Company:
    """Everything one company remembers. `begin` and `rollback` bracket what must happen whole or not at all."""

    def __init__(self, company_id: str, clock: Clock) -> None:
        self.id = company_id
        self.clock = clock
        self.switches = Switches(SWITCHES)
        self._stamp: str | None = None
        self.users: dict[str, str] = {}
        self.keep_default_credentials()
        self.empty()

    @property
    def base_currency(self) -> str:
        """What the books are kept in."""
        return self.switches.word("base_currency")

    def keep_default_credentials(self) -> None:
        """The well-known user with its well-known password, and nobody else."""
        self.users = dict(USERS)

    def empty(self) -> None:
        """A company with its configuration, but no masters and no transactions of its own. Switches stay."""
        self.journal: list[Undo] = []
        self.tables = {name: Table(kind, self.journal) for name, kind in OBJECTS.items()}
        self.executed: set[tuple[str, str]] = set()
        """Control ids that succeeded with uniqueid, by sender (reference 5)."""
        self.closed_through: dict[str, date] = {}
        """Last closed day by entity; the key "" holds for all."""
        self.prefixes: dict[str, str] = {}
        self.counters: dict[str, int] = {}
        self.custom_fields: dict[str, set[str]] = {}
        self.dimension_values: dict[str, dict[int, str]] = {}
        """Names by id of the values of each user-defined dimension."""
        self._configure()
        self.journal.clear()

    def left_out(self, object_name: str) -> set[str]:
        """The fields of an object that this company does not show."""
        named = self.switches.word("fields_left_out") if object_name == "PODOCUMENT" else ""
        return {name.strip() for name in named.split(",") if name.strip()}

    def __getitem__(self, object_name: str) -> Table:
        return self.tables[object_name]

    def _configure(self) -> None:
        stamp = self.stamp()
        for name, docclass, category, gl, inventory, prefix, conversion, recalls in _DEFINITIONS:
            self.prefixes[name] = prefix
            self["PODOCUMENTPARAMS"].insert(
                {
                    "DOCID": name,
                    "DOCCLASS": docclass,
                    "CATEGORY": category,
                    "UPDATES_GL": gl,
                    "UPDATES_INV": inventory,
                    "IN_OUT": "Increase" if inventory == "Quantity" else "",
                    "SEQUENCE": name,
                    "PRESERVE_SEQNUM": "false",
                    "INHERIT_SOURCE_DOCNO": "false",
                    "EDITTYPE": "All",
                    "DELTYPE": "All",
                    "CREATETYPE": "New document or Convert",
                    "CONVTYPE": conversion,
                    "RECALLS.RECDOCPAR": recalls,
                    "TD_CREATION_RULE": "Top level or entity",
                    "STATUS": "active",
                    "WHENCREATED": stamp,
                    "CREATEDBY": "1",
                }
            )
        for key, name in (("100", "United States"), ("200", "United Kingdom")):
            self.add_entity(key, name, self.base_currency)
        for name, days in (("Due on receipt", "0"), ("Net 15", "15"), ("Net 30", "30"), ("Net 60", "60")):
            self.add_master("APTERM", {"NAME": name, "DUEDATE": days, "DUEFROM": "from bill date"})
        bank = {"BANKACCOUNTID": "BOA", "BANKNAME": "Bank of America", "BANKACCOUNTTYPE": "checking"}
        self.add_master("CHECKINGACCOUNT", {**bank, "GLACCOUNTNO": "1000", "CURRENCY": self.base_currency})
        for account, title, kind in (
            ("1000", "Cash", "balancesheet"),
            ("2000", "Accounts Payable", "balancesheet"),
            ("6000", "Purchases", "incomestatement"),
        ):
            self.add_master("GLACCOUNT", {"ACCOUNTNO": account, "TITLE": title, "ACCOUNTTYPE": kind})
        for user in self.users:
            known = {"LOGINID": user, "USERNAME": user, "USERTYPE": "business user", "STATUS": "active"}
            self["USERINFO"].insert({**known, "ADMIN": "Full", "LOGINDISABLED": "false", "WHENCREATED": stamp})
        for application, preference, value in (
            ("ME", "DISABLEENTITYSLIDEIN", "false"),
            ("AP", "BILLNUMBERSEQUENCE", ""),
            ("AP", "PAYMENTAPPROVAL", "false"),
            ("AP", "SUMMARYFREQUENCY", "Daily"),
            ("PO", "ENABLEWORKFLOW", "true"),
        ):
            self["COMPANYPREF"].insert({"APPLICATION": application, "PREFERENCE": preference, "PREFVALUE": value})

    def add_entity(self, entity_id: str, name: str, currency: str) -> None:
        """A legal entity: it is a location too."""
        fields = {"LOCATIONID": entity_id, "NAME": name, "CURRENCY": currency}
        if self["LOCATIONENTITY"].first("LOCATIONID", entity_id) is None:
            self.add_master("LOCATIONENTITY", {**fields, "STARTDATE": "01/01/2020"})
        if self["LOCATION"].first("LOCATIONID", entity_id) is None:
            self.add_master("LOCATION", {**fields, "ENTITY": entity_id})

    def add_master(self, object_name: str, fields: Mapping[str, str], actor: Actor = SYSTEM) -> Record:
        """A master record with its stamps; WHENMODIFIED stays empty until the first change (reference 2.5)."""
        stamp = self.stamp()
        stamps = {"WHENCREATED": stamp, "CREATEDBY": actor.user, **self.owner(actor)}
        if self.switches.flag("master_whenmodified_at_creation"):
            stamps["WHENMODIFIED"] = stamp
        return self[object_name].insert({"STATUS": "active", **stamps, **fields})

    # Time and change

    def now(self) -> datetime:
        """The sandbox's clock."""
        return self.clock.now()

    def today(self) -> date:
        """The day in the company's time zone."""
        return (self.now() + timedelta(minutes=self.switches.number("utc_offset_minutes"))).date()

    def stamp(self) -> str:
        """Now, as WHENMODIFIED is written."""
        if self._stamp is not None:
            return self._stamp
        return wire_time(self.now(), int(self.switches.number("utc_offset_minutes")))

    @contextmanager
    def stamped(self, stamp: str) -> Iterator[None]:
        """Everything inside happened at another time: loaded documents are as old as they say."""
        self._stamp = stamp
        try:
            yield
        finally:
            self._stamp = None

    def owner(self, actor: Actor) -> dict[str, str]:
        """Fields that make a new record private to the actor's entity; none at top level."""
        return self.entity_fields(actor.entity)

    def entity_fields(self, entity: str) -> dict[str, str]:
        """MEGAENTITY fields of a record that belongs to `entity`.

        Raises:
            FunctionError: there is no such entity.
        """
        if not entity:
            return {}
        record = self["LOCATIONENTITY"].first("LOCATIONID", entity)
        if record is None:
            raise invalid(f"Entity {entity} does not exist.")
        return {"MEGAENTITYKEY": record["RECORDNO"], "MEGAENTITYID": entity, "MEGAENTITYNAME": record["NAME"]}

    def change(self, object_name: str, record: Record, updates: Mapping[str, str], actor: Actor) -> None:
        """Change fields, stamp the change and log it."""
        if self[object_name].change(record, updates):
            self.touch(object_name, record, actor)
            self.log(object_name, record, "M", actor)

    def touch(self, object_name: str, record: Record, actor: Actor) -> None:
        """Move WHENMODIFIED alone."""
        self[object_name].change(record, {"WHENMODIFIED": self.stamp(), "MODIFIEDBY": actor.user})

    def delete(self, object_name: str, record: Record, actor: Actor) -> None:
        """Delete a record with its own lines and log it."""
        kind = OBJECTS[object_name]
        if kind.owned:
            lines = self[kind.owned]
            for line in lines.find(OBJECTS[kind.owned].owned_by, record["RECORDNO"]):
                lines.remove(line)
        self[object_name].remove(record)
        self.log(object_name, record, "D", actor)

    def log(self, object_name: str, record: Record, mode: str, actor: Actor, workflow: str = "") -> None:
        """One AUDITHISTORY row (reference 4)."""
        if object_name == "PODOCUMENT" and not self.switches.flag("audit_documents"):
            return
        kind = OBJECTS[object_name]
        spelling = self.switches.word("audit_objectkey")
        key = record["RECORDNO"]
        if spelling == "rec":
            key = f"{key}--REC"
        elif spelling == "name":
            key = record[kind.key]
        table = self["AUDITHISTORY"]
        number = table.next_number()
        table.insert(
            {
                "ID": str(number),
                "OBJECTTYPE": object_name.lower(),
                "OBJECTKEY": key,
                "OBJECTDESC": record[kind.key],
                "ACCESSTIME": self.stamp(),
                "ACCESSMODE": mode,
                "USERID": actor.user,
                "SOURCE": actor.source,
                "WORKFLOWACTION": workflow,
                "IPADDRESS": "127.0.0.1",
            },
            number,
        )

    def begin(self) -> None:
        """Start a request: what happened before can no longer be undone."""
        self.journal.clear()
        since = self.now() if self.switches.number("read_lag_seconds") else None
        for table in self.tables.values():
            table.lagging_since = since

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Everything inside happens, or nothing of it."""
        mark = len(self.journal)
        try:
            yield
        except BaseException:
            self.rollback(mark)
            raise

    def rollback(self, mark: int = 0) -> None:
        """Undo what the journal holds behind `mark`, newest first."""
        undone = self.journal[mark:]
        del self.journal[mark:]
        for undo in reversed(undone):
            undo()
        # Undoing goes through the tables' private halves, which write nothing to the journal.
        del self.journal[mark:]

    # Rules shared by every kind of transaction

    def require_open_period(self, day: date, entity: str) -> None:
        """Refuse a date in a closed period of the entity, or of the whole company.

        Raises:
            FunctionError: the day lies in a closed period.
        """
        closed = [self.closed_through[key] for key in {"", entity} if key in self.closed_through]
        if closed and day <= max(closed):
            raise invalid(
                f"Periods are closed through {wire_date(max(closed))}; {wire_date(day)} is in a closed period.",
                f"Enter a date after {wire_date(max(closed))}.",
                self.switches.word("closed_period_errorno"),
            )

    def require_master(self, object_name: str, key: str, what: str) -> Record:
        """The active master record with this natural key, or a validation error naming it.

        Raises:
            FunctionError: there is no such record, or it is inactive.
        """
        record = self[object_name].first(OBJECTS[object_name].key, key)
        if record is None:
            raise invalid(f"Invalid {what} '{key}' specified.", f"Provide a valid {what}.")
        if record["STATUS"] == "inactive":
            raise invalid(f"{what} '{key}' is inactive.", f"Activate the {what} or use another one.")
        return record

    def next_document_number(self, definition: str) -> str:
        """The next free number of the definition's sequence; empty when it has none."""
        prefix = self.prefixes.get(definition, "")
        if not prefix:
            return ""
        return f"{prefix}{self.counters.get(definition, 0) + 1:04d}"

    def note_number(self, definition: str, document_number: str) -> None:
        """A number was used: the sequence goes on behind it."""
        prefix = self.prefixes.get(definition, "")
        count = document_number.removeprefix(prefix)
        if prefix and count != document_number and count.isdigit():
            self.counters[definition] = max(self.counters.get(definition, 0), int(count))
