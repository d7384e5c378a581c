"""Read the lists: vendors, items, accounts, dimensions, subsidiaries, terms, units (reference 4).

Vendors, items, projects, customers and employees have a modification time; the other lists are small and always read
whole. Keys are internal ids: names can change, repeat in a hierarchy, and are not what documents refer to.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from erp.errors import AuthenticationFailed, ErpError, NotFound, Rejected
from erp.netsuite import reader, translate, wire
from erp.netsuite.currencies import Currencies
from erp.netsuite.own_fields import OwnFields, OwnKind
from erp.netsuite.reader import Reader, Search
from erp.netsuite.transactions import look_back
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import NsRecord
from erp.roles.pages import BadRecord, ChangeSet, Page, RecordVersion
from erp.transport import malformed
from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind, masked
from models.domain.sync import Stream

BANK = "_bank"
CARD = "_creditCard"
MONEY = tuple(one.removeprefix("_") for one in (BANK, CARD))
"""The types of accounts that bills are paid from."""
PAYABLE = "_accountsPayable"
EXPENSES = ("_expense", "_otherExpense")

_BREAK = re.compile(r"<br ?/?>|\n")
"""Between the lines of an address."""

BY_NAME = ":name"
"""Ends our name of an attribute that takes the name of what a reference points to, not its id."""


class ListShape(NamedTuple):
    """One list: the type that searches it, where its name is, and the other fields we use, by our own names."""

    kind: ListKind
    basic: str
    names: tuple[str, ...]
    attributes: Mapping[str, str] = {}
    """Our name to NetSuite's field. Of a reference it is the id, or the name if ours ends in `:name`."""
    stamped: bool = False
    """True: its records have a modification time, so that only changed ones are read."""
    looked_for: bool = False
    """True: each sync run looks for its changes; those of the others come in when the lists are read."""
    optional: bool = False
    """True: an account may lack the feature behind the list."""
    whole: bool = False
    """True: its records are read with their lists: the units of a type, the subsidiaries of an account."""
    masked: frozenset[str] = frozenset()
    """Of our names: those of which only the last four characters are kept."""


SHAPES: tuple[ListShape, ...] = (
    ListShape(
        ListKind.VENDOR,
        "VendorSearchBasic",
        ("companyName", "altName", "entityId"),
        {
            "number": "entityId",
            "term": "terms",
            "account": "payablesAccount",
            "category:name": "category",
            "email": "email",
            "phone": "phone",
            "company_name": "companyName",
            "first_name": "firstName",
            "middle_name": "middleName",
            "last_name": "lastName",
            "mobile": "mobilePhone",
            "other_phone": "altPhone",
            "address": "defaultAddress",
            "legal_name": "legalName",
            "account_number": "accountNumber",
            "tax_number": "taxIdNum",
        },
        stamped=True,
        looked_for=True,
        masked=frozenset({"account_number", "tax_number"}),
    ),
    ListShape(
        ListKind.ITEM,
        "ItemSearchBasic",
        ("itemId", "displayName"),
        {
            "unit_group": "unitsType",
            "purchase_description": "purchaseDescription",
            "category:name": "class",
            "account": "expenseAccount",
        },
        stamped=True,
        looked_for=True,
    ),
    ListShape(
        ListKind.GL_ACCOUNT,
        "AccountSearchBasic",
        ("acctName",),
        {"number": "acctNumber", "account_type": "acctType", "parent": "parent", "description": "description"},
        whole=True,
    ),
    ListShape(ListKind.DEPARTMENT, "DepartmentSearchBasic", ("name",), {"parent": "parent"}, optional=True),
    ListShape(ListKind.LOCATION, "LocationSearchBasic", ("name",), {"parent": "parent"}, optional=True),
    ListShape(ListKind.CLASS, "ClassificationSearchBasic", ("name",), {"parent": "parent"}, optional=True),
    ListShape(
        ListKind.PROJECT,
        "JobSearchBasic",
        ("companyName", "altName", "entityId"),
        {"number": "entityId", "customer": "parent", "state:name": "entityStatus"},
        stamped=True,
        optional=True,
    ),
    ListShape(
        ListKind.CUSTOMER,
        "CustomerSearchBasic",
        ("companyName", "altName", "entityId"),
        {"number": "entityId", "parent": "parent"},
        stamped=True,
        optional=True,
    ),
    ListShape(
        ListKind.EMPLOYEE,
        "EmployeeSearchBasic",
        ("altName", "entityId"),
        {"number": "entityId", "department": "department", "location": "location"},
        stamped=True,
        optional=True,
    ),
    ListShape(ListKind.ENTITY, "SubsidiarySearchBasic", ("name",), {"parent": "parent"}, optional=True),
    ListShape(ListKind.TERM, "TermSearchBasic", ("name",), {"due_date": "daysUntilNetDue"}),
    ListShape(ListKind.UNIT_GROUP, "UnitsTypeSearchBasic", ("name",), optional=True, whole=True),
)

ALSO: Mapping[ListKind, ListKind] = {ListKind.BANK_ACCOUNT: ListKind.GL_ACCOUNT, ListKind.UNIT: ListKind.UNIT_GROUP}
"""Lists that are read out of another list's records."""

RECORDS: Mapping[ListKind, str] = {
    ListKind.GL_ACCOUNT: "account",
    ListKind.BANK_ACCOUNT: "account",
    ListKind.DEPARTMENT: "department",
    ListKind.LOCATION: "location",
    ListKind.CLASS: "classification",
    ListKind.ENTITY: "subsidiary",
    ListKind.UNIT_GROUP: "unitsType",
}
"""The lists whose deletions the delete feed does not have, and what a reference calls their records. They are read
whole each time, so what is missing is found by comparing."""

ABSENT = frozenset({"FEATURE_OFF", "PERMISSION_DENIED"})
"""Refusals that mean that an account lacks an optional list; the preflight reports missing rights."""


class Lists:
    """Reads the lists of one connection."""

    def __init__(self, source: Reader, currencies: Currencies, own: OwnFields) -> None:
        self._reader = source
        self._own = {name: field for name, field in own.items() if field.kind is OwnKind.LIST}
        self._currencies = currencies
        self._turn = 0

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """Read a page over several lists: the next page of each, resumed by `after` (`kind=place,...`).

        `high_water` is NetSuite's clock before the reading, because the lists without modification times were read
        whole then.
        """
        resume = dict(part.split("=") for part in after.split(",")) if after else {}
        wanted = {ALSO.get(kind, kind) for kind in kinds}
        high_water = wire.moment_text(await self._reader.server_time()) if after is None else None
        await self._currencies.load()
        entries: list[ListEntry] = []
        bad: list[BadRecord] = []
        behind: list[str] = []
        whole: set[ListKind] = set()
        if ListKind.CUSTOM_DIMENSION in kinds and after is None:
            values, all_read = await self._own_values()
            entries += values
            whole |= {ListKind.CUSTOM_DIMENSION} if all_read else set()
        for shape in SHAPES:
            if shape.kind not in wanted or (after is not None and shape.kind.value not in resume):
                continue
            listing, absent = await self._page(shape, since, resume.get(shape.kind.value))
            tree = await self._tree(listing.records) if shape.kind is ListKind.GL_ACCOUNT else {}
            for record in listing.records:
                try:
                    entries += [entry for entry in self._made(shape, record, tree) if entry.kind in kinds]
                except Unusable as error:
                    bad.append(translate.bad_record(record, error))
            if listing.after is not None:
                behind.append(f"{shape.kind.value}={listing.after}")
            elif not absent:
                whole |= {kind for kind in RECORDS if kind in kinds and ALSO.get(kind, kind) is shape.kind}
        return Page(entries, ",".join(behind) or None, high_water, bad, whole=frozenset(whole))

    async def _own_values(self) -> tuple[list[ListEntry], bool]:
        """Return the values of the company's own dimensions and lists, and whether all could be read: a field that the
        role may not see, or that is on no form, has none."""
        entries: list[ListEntry] = []
        all_read = True
        for name, field in self._own.items():
            try:
                values = await self._reader.select_values(field.id)
            except (AuthenticationFailed, Rejected) as error:
                if isinstance(error, AuthenticationFailed) and error.code not in ABSENT:
                    raise
                all_read = False
                continue
            entries += [
                ListEntry(
                    kind=ListKind.CUSTOM_DIMENSION,
                    erp_id=ErpId(f"{field.id}:{value.id}"),
                    key=value.id,
                    name=value.name or value.id,
                    attributes={"dimension": name},
                )
                for value in values
            ]
        return entries, all_read

    async def _page(self, shape: ListShape, since: str | None, after: str | None) -> tuple[reader.Listing, bool]:
        """Return a page of a list, and whether the account or the role lacks the list."""
        try:
            return await self._reader.page(list_search(shape, since), after), False
        except (AuthenticationFailed, Rejected) as error:
            if shape.optional and error.code in ABSENT:
                return reader.Listing([], None), True
            raise

    async def gone(self, kind: ListKind, erp_ids: Sequence[ErpId]) -> Sequence[ErpId]:
        """Return which of these records NetSuite says do not exist, each asked for by its id."""
        if kind is ListKind.CUSTOM_DIMENSION:
            entries, all_read = await self._own_values()
            there = {entry.erp_id for entry in entries}
            return [erp_id for erp_id in erp_ids if all_read and erp_id not in there]
        shown = await self._reader.records([(RECORDS[kind], erp_id) for erp_id in erp_ids])
        return [erp_id for erp_id in erp_ids if isinstance(shown[erp_id], NotFound)]

    async def look(self, start: datetime) -> ChangeSet:
        """Return the versions of changed vendors or items: one of the two lists, in turn."""
        in_turn = [shape for shape in SHAPES if shape.looked_for]
        shape = in_turn[self._turn % len(in_turn)]
        self._turn += 1
        listing = await self._reader.page(Search(shape.basic, {"lastModifiedDate": reader.since(start)}))
        if listing.after is not None:
            return ChangeSet((), frozenset({Stream.LISTS}))
        record_versions: list[RecordVersion] = []
        unread: set[Stream] = set()
        for record in listing.records:
            try:
                record_versions.append(
                    RecordVersion(Stream.LISTS, shape.kind.value, ErpId(record.id), translate.revision(record))
                )
            except Unusable:
                unread.add(Stream.LISTS)
        return ChangeSet(record_versions, frozenset(unread))

    async def accounts(self, account_type: str) -> list[NsRecord]:
        """Return the active accounts of one type, such as `_bank`; of all types for an empty one."""
        criteria = {"type": reader.any_of(account_type)} if account_type else {}
        records = await self._reader.all(Search("AccountSearchBasic", criteria))
        return [account for account in records if not wire.flag(account.fields, "isInactive")]

    async def entry(self, shape: ListShape, record: NsRecord) -> ListEntry:
        """Return one record of a list as an entry.

        Raises:
            MalformedAnswer: it cannot be read into our form.
        """
        await self._currencies.load()
        try:
            return self._entry(shape, record)
        except Unusable as error:
            raise malformed(f"NetSuite's {shape.kind.value} {record.id} cannot be read: {error}") from error

    async def subsidiaries(self) -> list[NsRecord]:
        """Return the subsidiaries; none if the account is not OneWorld."""
        (shape,) = (shape for shape in SHAPES if shape.kind is ListKind.ENTITY)
        return (await self._page(shape, None, None))[0].records

    async def periods(self) -> list[NsRecord]:
        """Return the accounting periods, as far as the role may see them."""
        try:
            return await self._reader.all(Search("AccountingPeriodSearchBasic"))
        except ErpError as error:
            if error.code not in ABSENT:
                raise
            return []

    # --- entries ------------------------------------------------------------------------------------------------

    async def _tree(self, accounts: Sequence[NsRecord]) -> Mapping[str, str | None]:
        """Return the subsidiaries with the one above each, if an account is for one with all below it."""
        if not any(wire.flag(account.fields, "includeChildren") for account in accounts):
            return {}
        return {one.id: wire.ref_id(one.fields, "parent") for one in await self.subsidiaries()}

    def _made(self, shape: ListShape, record: NsRecord, tree: Mapping[str, str | None]) -> Iterable[ListEntry]:
        entry = self._entry(shape, record)
        if shape.kind is ListKind.GL_ACCOUNT and (entities := _entities(record, tree)):
            # S5-13: all that may use it, each by its id.
            entry = entry.model_copy(update={"attributes": {**entry.attributes, "entities": ",".join(entities)}})
        if shape.kind is ListKind.UNIT_GROUP:
            yield entry
            yield from _units(record)
            return
        yield entry
        if entry.kind is ListKind.GL_ACCOUNT and entry.attributes.get("account_type") in MONEY:
            yield entry.model_copy(update={"kind": ListKind.BANK_ACCOUNT})

    def _entry(self, shape: ListShape, record: NsRecord) -> ListEntry:
        values = record.fields
        attributes: dict[str, str] = {}
        for ours, theirs in shape.attributes.items():
            reference = wire.ref(values, theirs)
            by_name = ours.endswith(BY_NAME)
            value = wire.text(values, theirs) if reference is None else reference.name if by_name else reference.id
            if value:
                shown = masked(value) if ours in shape.masked else value.removeprefix("_")
                if ours == "address":
                    shown = ", ".join(line for one in _BREAK.split(value) if (line := wire.words(one)))
                attributes[ours.removesuffix(BY_NAME)] = shown
        if wire.ref_id(values, "currency"):
            attributes["currency"] = self._currencies.of(values)
        if shape.kind is ListKind.VENDOR and record.external_id:
            attributes["external_id"] = record.external_id
        if shape.kind is ListKind.ITEM:
            attributes["item_type"] = record.kind
            if not _receivable(record):
                attributes["receivable"] = "false"
        return ListEntry(
            kind=shape.kind,
            erp_id=ErpId(record.id),
            key=record.id,
            name=next((value for name in shape.names if (value := wire.text(values, name))), record.id),
            active=not (wire.flag(values, "isInactive") or wire.flag(values, "isInActive")),
            entity=None,
            revision=translate.revision(record) if shape.stamped else None,
            attributes=attributes,
        )


def _entities(account: NsRecord, tree: Mapping[str, str | None]) -> list[str]:
    """Return the subsidiaries that may use an account; none: NetSuite names none, as in an account without them."""
    listed = account.fields.get("subsidiaryList")
    named = {one.get("internalId", "") for one in wire.children(listed, "recordRef")} - {""}
    if wire.flag(account.fields, "includeChildren"):
        named |= {one for one in tree if _is_below(one, named, tree)}
    return sorted(named, key=lambda one: (len(one), one))


def _is_below(one: str, above: Collection[str], tree: Mapping[str, str | None]) -> bool:
    seen: set[str] = set()
    at = tree.get(one)
    while at is not None and at not in seen:
        if at in above:
            return True
        seen.add(at)
        at = tree.get(at)
    return False


STOCKED = ("Inventory", "Assembly")
"""Parts of the names of item types that are always received."""


def _receivable(item: NsRecord) -> bool:
    """Return whether item receipts are made of an item: of stock always, of services and the like if they may be
    received (5.1)."""
    return (any(stocked in item.kind for stocked in STOCKED) and "NonInventory" not in item.kind) or wire.flag(
        item.fields, "isFulfillable"
    )


def list_search(shape: ListShape, since: str | None) -> Search:
    """Return the search for the entries of a list changed since a cursor."""
    if since is None or not shape.stamped:
        return Search(shape.basic, {}, shape.whole)
    return Search(shape.basic, {"lastModifiedDate": reader.since(look_back(since))}, shape.whole)


def _units(record: NsRecord) -> Iterable[ListEntry]:
    """Return the units of a units type, each with its factor to the base unit."""
    for unit in record.lines("uomList", "uom"):
        name = wire.text(unit, "unitName")
        if name is None:
            continue
        factor = translate.optional_decimal(unit, "conversionRate")
        attributes = {"group": record.id} | ({"factor": wire.plain(factor)} if factor is not None else {})
        number = wire.text(unit, "internalId") or name
        yield ListEntry(
            kind=ListKind.UNIT, erp_id=ErpId(f"{record.id}:{number}"), key=name, name=name, attributes=attributes
        )


def closed_through(periods: Iterable[NsRecord]) -> Mapping[str, date | None]:
    """Return the last day through which every period is closed for payables, for the whole account; nothing when
    unknown.

    Quarters and years are sums of months, and adjustment periods lie within a month: so only the months count.
    """
    months: list[tuple[date, date, bool]] = []
    for period in periods:
        values = period.fields
        if any(wire.flag(values, name) for name in ("isQuarter", "isYear", "isAdjust")):
            continue
        start, end = wire.text(values, "startDate"), wire.text(values, "endDate")
        if not start or not end:
            continue
        closed = any(wire.flag(values, name) for name in ("closed", "allLocked", "apLocked"))
        try:
            months.append((wire.day(start), wire.day(end), closed))
        except ValueError:
            continue
    if not months:
        return {}
    last: date | None = None
    for _, last_day, closed in sorted(months):
        if not closed:
            break
        last = last_day
    return {"": last}
