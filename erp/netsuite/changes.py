"""Detect what changed, in three calls for a whole connection, and what was deleted (reference 3.3, 5.1).

One search returns the changed transactions of every kind, whole, because the lines of a receipt or bill show which
orders it changed. Deletions have a feed of their own. The lists have no common search: each call looks at vendors or
items in turn. An order that names a vendor or item we do not have makes the lists be read at once. The small lists
carry no modification time, so once an hour all lists are read whole.
"""

import asyncio
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from lxml import etree

from erp.clock import ErpClock, moment_text
from erp.netsuite import transactions, translate, wire
from erp.netsuite.lists import Lists, closed_through
from erp.netsuite.orders import Orders, Seen, version_of
from erp.netsuite.reader import Listing, Reader
from erp.netsuite.transactions import BILL, CREDIT, ORDER, PAYMENT, RECEIPT, RETURN, changed, look_back
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import NsRecord
from erp.roles.pages import BadRecord, ChangeSet, Page, RecordVersion
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Deletion, Stream

DELETE_OVERLAP = timedelta(minutes=30)

LISTS_EVERY = timedelta(hours=1)

TOGETHER = timedelta(days=1)
"""How far apart the streams' windows may begin and still be read as one, if there is more than a page."""

MOST_PAGES = 10
"""How many pages one detection of changes reads. The sync run that follows need not read them again."""

KINDS: Mapping[Stream, tuple[str, ...]] = {
    # Receipts and bills move lines of orders; credits and payments move what is due on bills.
    Stream.PURCHASE_ORDERS: (ORDER, RECEIPT, BILL),
    # A return authorization changes as its goods leave.
    Stream.RECEIPTS: (RECEIPT, RETURN),
    Stream.BILLS: (BILL, CREDIT, PAYMENT),
    Stream.PAYMENTS: (PAYMENT,),
}
"""By stream: the kinds of transaction whose change may be a change of the stream."""

OF_STREAM: Mapping[str, Stream] = {
    "PurchaseOrder": Stream.PURCHASE_ORDERS,
    "ItemReceipt": Stream.RECEIPTS,
    "VendorReturnAuthorization": Stream.RECEIPTS,
    "VendorBill": Stream.BILLS,
    "VendorCredit": Stream.BILLS,
    "VendorPayment": Stream.PAYMENTS,
}

FEED: Mapping[str, tuple[tuple[DeletedKind, ListKind | None], ...]] = {
    "purchaseOrder": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None),),
    "itemReceipt": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None),),
    "vendorReturnAuthorization": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None),),
    # A vendor bill is the document and the payable in one.
    "vendorBill": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None), (DeletedKind.BILL, None)),
    "vendorCredit": ((DeletedKind.BILL, None),),
    "vendorPayment": ((DeletedKind.PAYMENT, None),),
    "vendor": ((DeletedKind.LIST_ENTRY, ListKind.VENDOR),),
    "term": ((DeletedKind.LIST_ENTRY, ListKind.TERM),),
    "job": ((DeletedKind.LIST_ENTRY, ListKind.PROJECT),),
    "customer": ((DeletedKind.LIST_ENTRY, ListKind.CUSTOMER),),
    "employee": ((DeletedKind.LIST_ENTRY, ListKind.EMPLOYEE),),
    **dict.fromkeys(
        (
            "inventoryItem",
            "nonInventoryPurchaseItem",
            "nonInventoryResaleItem",
            "servicePurchaseItem",
            "serviceResaleItem",
            "otherChargePurchaseItem",
            "otherChargeResaleItem",
            "assemblyItem",
            "lotNumberedInventoryItem",
            "lotNumberedAssemblyItem",
            "serializedInventoryItem",
            "serializedAssemblyItem",
        ),
        ((DeletedKind.LIST_ENTRY, ListKind.ITEM),),
    ),
}
"""What the delete feed can report. It has no accounts, departments, locations, classes, subsidiaries and units."""


class Quiet(NamedTuple):
    """The time until which a stream is known to have no changes beyond its cursor: the next window need not begin
    before it."""

    cursor: str
    until: str


class Changes:
    """Detects the changes and deletions of one connection."""

    def __init__(self, source: Reader, orders: Orders, lists: Lists, entity: str | None, clock: ErpClock) -> None:
        self._reader = source
        self._orders = orders
        self._lists = lists
        self._entity = entity
        self._clock = clock
        self._quiet: dict[Stream, Quiet] = {}

    # --- changes ---------------------------------------------------------------------------------------------------

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        """Return the versions of all records that changed; streams without a cursor are left out. This takes three
        calls while little has changed, and one more with the books, which are else read with the lists once an hour."""
        self._orders.remember(None)
        if not since:
            return ChangeSet((), frozenset(), closed_through(await self._lists.periods()))
        began = datetime.now(UTC)
        cursors = {stream: cursor for stream, cursor in since.items() if stream in KINDS}
        relied_on = max((quiet.until for quiet in self._quiet.values()), default="")
        documents, deleted, listed = await asyncio.gather(
            self._documents(cursors, began),
            self._deleted(since.get(Stream.DELETIONS)),
            self._listed(since.get(Stream.LISTS), with_books),
        )
        if relied_on > moment_text(self._clock.now()):
            # NetSuite's clock was set back: what changed since then lies before the time until which it was quiet.
            self._quiet.clear()
            documents = await self._documents(cursors, began)
        record_versions = [*documents.record_versions, *deleted.record_versions, *listed.record_versions]
        if Stream.LISTS not in since:
            record_versions = [version for version in record_versions if version.stream is not Stream.LISTS]
        unread = documents.unread | deleted.unread | listed.unread
        return ChangeSet(record_versions, unread, listed.closed_through, window=self._orders.window)

    async def _documents(self, cursors: Mapping[Stream, str], began: datetime) -> ChangeSet:
        if not cursors:
            return ChangeSet((), frozenset())
        starts = {stream: self._start(stream, cursor) for stream, cursor in cursors.items()}
        first, last = min(starts.values()), max(starts.values())
        result = await self._look(cursors, first)
        documents = {record.id: record for record in result.records}
        unread: set[Stream] = set()
        if result.after is not None:
            # A stream quiet for long would make the common window long: then each stream gets its own window.
            together = last - first <= TOGETHER
            windows = [list(cursors)] if together else [[stream] for stream in cursors]
            for streams in windows:
                whole = await self._rest(
                    streams, min(starts[stream] for stream in streams), result if together else None
                )
                if whole is None:
                    unread.update(streams)
                else:
                    documents |= {record.id: record for record in whole}
        seen = {stream: cursor for stream, cursor in cursors.items() if stream not in unread}
        reached = ""
        if result.after is not None and seen and not _later(documents.values(), max(seen.values())):
            # Many documents share the last modification time (an import, a mass update): without a later one the window
            # would stay as long. What was saved during this reading is in the overlap of the next window.
            reached = wire.moment_text(await self._reader.server_time())
        change_set = self._change_set(seen, list(documents.values()), reached, began)
        return change_set._replace(unread=change_set.unread | unread)

    async def _rest(self, streams: Iterable[Stream], start: datetime, result: Listing | None) -> list[NsRecord] | None:
        """Return all transactions of a window, or None if it is too long for one detection: its streams are then read
        page by page."""
        result = result or await self._look(streams, start)
        records = list(result.records)
        for _ in range(MOST_PAGES - 1):
            if result.after is None:
                return records
            result = await self._look(streams, start, result.after)
            records += result.records
        return records if result.after is None else None

    async def _look(self, streams: Iterable[Stream], start: datetime, after: str | None = None) -> Listing:
        kinds = dict.fromkeys(kind for stream in streams for kind in KINDS[stream])
        return await self._reader.page(changed(kinds, start, self._entity, whole=True), after)

    def _start(self, stream: Stream, cursor: str) -> datetime:
        quiet = self._quiet.get(stream)
        return look_back(quiet.until if quiet is not None and quiet.cursor == cursor else cursor)

    def _change_set(
        self, cursors: Mapping[Stream, str], documents: Sequence[NsRecord], reached: str, began: datetime
    ) -> ChangeSet:
        """Return the record versions of a whole window. What it shows of orders is kept for the next sync run."""
        record_versions: list[RecordVersion] = []
        unread: set[Stream] = set()
        for document in documents:
            stream = OF_STREAM.get(document.kind)
            if stream is None or stream not in cursors:
                continue
            try:
                record_versions.append(
                    RecordVersion(stream, stream.value, ErpId(document.id), translate.revision(document))
                )
            except Unusable:
                # The stream's own reading reports a record without a modification time, by name.
                unread.add(stream)
        touched = transactions.latest_touch(documents, "order") if Stream.PURCHASE_ORDERS in cursors else {}
        record_versions += _touches(Stream.PURCHASE_ORDERS, touched)
        if Stream.BILLS in cursors:
            record_versions += _touches(Stream.BILLS, transactions.latest_touch(documents, "bill"))
        record_versions += _named(documents)
        if (cursor := cursors.get(Stream.PURCHASE_ORDERS)) is not None:
            self._remember(cursor, documents, touched, began)
        self._note_quiet(cursors, record_versions, unread, reached, began)
        return ChangeSet(record_versions, frozenset(unread))

    def _remember(
        self, cursor: str, documents: Iterable[NsRecord], touched: Mapping[str, str], began: datetime
    ) -> None:
        """Keep what the sync run that follows would read of orders, if this window began where that run's begins, or
        before."""
        start = look_back(cursor)
        if self._start(Stream.PURCHASE_ORDERS, cursor) > start:
            return
        begins = wire.moment_text(start)
        orders = [one for one in documents if one.kind == "PurchaseOrder" and version_of(one) >= begins]
        recent = {order: version for order, version in touched.items() if version >= begins}
        self._orders.remember(Seen(uuid.uuid4().hex, cursor, began, orders, recent))

    def _note_quiet(
        self,
        cursors: Mapping[Stream, str],
        record_versions: Sequence[RecordVersion],
        unread: set[Stream],
        reached: str,
        began: datetime,
    ) -> None:
        """Record which streams are quiet: NetSuite's clock has reached the latest time shown, so a stream without
        changes until then has none before it. A time that its clock has not reached says nothing."""
        dated = [version for version in record_versions if version.stream in cursors and version.revision]
        reached = max(reached, *(version.revision for version in dated), "")
        reached = min(reached, moment_text(self._clock.at(began)))
        changed = {version.stream for version in dated if version.revision > cursors[version.stream]} | unread
        for stream, cursor in cursors.items():
            if stream in changed or reached <= cursor:
                self._quiet.pop(stream, None)
            else:
                self._quiet[stream] = Quiet(cursor, reached)

    async def _listed(self, cursor: str | None, with_books: bool) -> ChangeSet:
        whole = cursor is not None and look_back(cursor, timedelta(0)) < datetime.now(UTC) - LISTS_EVERY
        books: Mapping[str, date | None] = {}
        if whole or with_books:
            books = closed_through(await self._lists.periods())
        if whole or cursor is None:
            return ChangeSet((), frozenset({Stream.LISTS} if whole else ()), books)
        return (await self._lists.look(look_back(cursor)))._replace(closed_through=books)

    async def _deleted(self, cursor: str | None) -> ChangeSet:
        if cursor is None:
            return ChangeSet((), frozenset())
        rows, pages = await self._reader.deleted(list(FEED), look_back(cursor, DELETE_OVERLAP), 1)
        if pages > 1:
            return ChangeSet((), frozenset({Stream.DELETIONS}))
        deletions, bad = _deletions(rows)
        record_versions = {
            deletion.erp_id: RecordVersion(
                Stream.DELETIONS, Stream.DELETIONS.value, deletion.erp_id, deletion.deleted_at
            )
            for deletion in deletions
        }
        return ChangeSet(list(record_versions.values()), frozenset({Stream.DELETIONS} if bad else ()))

    # --- deletions ----------------------------------------------------------------------------------------------

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion]:
        """Read a page of the delete feed by page number: rows are only ever added to it."""
        page = int(after) if after else 1
        rows, pages = await self._reader.deleted(list(FEED), look_back(since, DELETE_OVERLAP), page)
        deletions, bad = _deletions(rows)
        high_water = max((deletion.deleted_at for deletion in deletions), default=None)
        return Page(deletions, str(page + 1) if page < pages else None, high_water, bad)


def _later(documents: Iterable[NsRecord], cursor: str) -> bool:
    """Return whether any of them has a modification time after the cursor."""
    return any(version_of(document) > cursor for document in documents)


def _touches(stream: Stream, touched: Mapping[str, str]) -> list[RecordVersion]:
    return [RecordVersion(stream, stream.value, ErpId(target), version) for target, version in touched.items()]


def _named(documents: Iterable[NsRecord]) -> list[RecordVersion]:
    """Return the vendors and items that changed orders name, without a particular revision: any that we have is good
    enough."""
    named: dict[tuple[str, str], RecordVersion] = {}
    for document in documents:
        if document.kind != "PurchaseOrder":
            continue
        vendor = wire.ref_id(document.fields, "entity")
        items = {wire.ref_id(line, "item") for line in document.lines("itemList", "item")}
        wanted = [(ListKind.VENDOR.value, vendor), *((ListKind.ITEM.value, item) for item in items)]
        for kind, known in wanted:
            if known:
                named[kind, known] = RecordVersion(Stream.LISTS, kind, ErpId(known), "")
    return list(named.values())


def _deletions(rows: Iterable[etree._Element]) -> tuple[list[Deletion], list[BadRecord]]:
    deletions: list[Deletion] = []
    bad: list[BadRecord] = []
    for row in rows:
        shown = wire.fields(row)
        record = shown.get("record")
        kind = (record.get("type") or "") if record is not None else ""
        erp_id = (record.get("internalId") or "") if record is not None else ""
        said = wire.text(shown, "deletedDate") or ""
        try:
            at = wire.sortable_time(said)
        except ValueError:
            message = f"A deletion of {kind} {erp_id} came without a date that can be read."
            bad.append(BadRecord(erp_id=erp_id, code="VALUE_NOT_READABLE", message=message, evidence={"date": said}))
            continue
        for deleted_kind, list_kind in FEED.get(kind, ()):
            deletions.append(Deletion(kind=deleted_kind, list_kind=list_kind, erp_id=ErpId(erp_id), deleted_at=at))
    return deletions, bad
