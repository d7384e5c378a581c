"""What changed, in three calls for a whole connection, and what was deleted (reference 3.3, 5.1).

One search shows changed transactions of every kind, whole, because a receipt or bill tells by its lines which orders
it moved. Deletions are a feed of their own. Lists have no search in common: vendors and items are looked at in turn,
one of them per peek, and an order that names a vendor or item we do not hold has the lists read at once; the small
lists carry no stamps, so all lists are read whole once an hour.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from lxml import etree

from erp.connector import BadRecord, Page, Peek, Stamp
from erp.netsuite import transactions, translate, wire
from erp.netsuite.lists import Lists, closed_through
from erp.netsuite.orders import Orders, Seen, stamp_of
from erp.netsuite.reader import Found, Reader
from erp.netsuite.transactions import BILL, CREDIT, ORDER, PAYMENT, RECEIPT, changed, look_back
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import Held
from models.domain import DeletedKind, Deletion, ErpId, ListKind, Stream

DELETE_OVERLAP = timedelta(minutes=30)

LISTS_EVERY = timedelta(hours=1)

TOGETHER = timedelta(days=1)
"""How far apart the streams' windows may begin and still be read as one when there is more than a page."""

MOST_PAGES = 10
"""How much a peek reads; what it has read, the sync that follows need not read again."""

KINDS: Mapping[Stream, tuple[str, ...]] = {
    # Receipts and bills move lines of orders; credits and payments move what is due on bills.
    Stream.PURCHASE_ORDERS: (ORDER, RECEIPT, BILL),
    Stream.RECEIPTS: (RECEIPT,),
    Stream.BILLS: (BILL, CREDIT, PAYMENT),
    Stream.PAYMENTS: (PAYMENT,),
}
"""By stream: the kinds of transaction whose change may be news of it."""

OF_STREAM: Mapping[str, Stream] = {
    "PurchaseOrder": Stream.PURCHASE_ORDERS,
    "ItemReceipt": Stream.RECEIPTS,
    "VendorBill": Stream.BILLS,
    "VendorCredit": Stream.BILLS,
    "VendorPayment": Stream.PAYMENTS,
}

FEED: Mapping[str, tuple[tuple[DeletedKind, ListKind | None], ...]] = {
    "purchaseOrder": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None),),
    "itemReceipt": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None),),
    # A vendor bill is the document and the payable in one.
    "vendorBill": ((DeletedKind.PURCHASE_ORDER_DOCUMENT, None), (DeletedKind.BILL, None)),
    "vendorCredit": ((DeletedKind.BILL, None),),
    "vendorPayment": ((DeletedKind.PAYMENT, None),),
    "vendor": ((DeletedKind.LIST_ENTRY, ListKind.VENDOR),),
    "term": ((DeletedKind.LIST_ENTRY, ListKind.TERM),),
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
"""What the delete feed can tell of (accounts, departments, locations, classes, subsidiaries and units it cannot)."""


class Quiet(NamedTuple):
    """Until when a stream is known to have no news beyond its cursor: the window need not begin there again."""

    cursor: str
    until: str


class Changes:
    """Changes and deletions of one connection."""

    def __init__(self, source: Reader, orders: Orders, lists: Lists, entity: str | None) -> None:
        self._reader = source
        self._orders = orders
        self._lists = lists
        self._entity = entity
        self._quiet: dict[Stream, Quiet] = {}

    # --- peek ---------------------------------------------------------------------------------------------------

    async def peek(self, since: Mapping[Stream, str]) -> Peek:
        """Stamps of all that changed, streams without a cursor left out. Three calls while little has changed."""
        if not since:
            return Peek((), frozenset(), closed_through(await self._lists.periods()))
        cursors = {stream: cursor for stream, cursor in since.items() if stream in KINDS}
        documents, deleted, listed = await asyncio.gather(
            self._documents(cursors), self._deleted(since.get(Stream.DELETIONS)), self._listed(since.get(Stream.LISTS))
        )
        stamps = [*documents.stamps, *deleted.stamps, *listed.stamps]
        if Stream.LISTS not in since:
            stamps = [stamp for stamp in stamps if stamp.stream is not Stream.LISTS]
        return Peek(stamps, documents.unread | deleted.unread | listed.unread, listed.closed_through)

    async def _documents(self, cursors: Mapping[Stream, str]) -> Peek:
        if not cursors:
            return Peek((), frozenset())
        starts = {stream: self._start(stream, cursor) for stream, cursor in cursors.items()}
        first, last = min(starts.values()), max(starts.values())
        found = await self._look(cursors, first)
        documents = {record.id: record for record in found.records}
        unread: set[Stream] = set()
        if found.after is not None:
            # A stream that was quiet for long makes the window in common long: then each has one of its own.
            together = last - first <= TOGETHER
            windows = [list(cursors)] if together else [[stream] for stream in cursors]
            for streams in windows:
                whole = await self._rest(
                    streams, min(starts[stream] for stream in streams), found if together else None
                )
                if whole is None:
                    unread.update(streams)
                else:
                    documents |= {record.id: record for record in whole}
        seen = {stream: cursor for stream, cursor in cursors.items() if stream not in unread}
        reached = ""
        if found.after is not None and seen and not _later(documents.values(), max(seen.values())):
            # Many documents share the last stamp (an import, a mass update): without a later one the window would be as
            # long for ever. What was saved while this was read lies within the overlap of the next window.
            reached = wire.moment_text(await self._reader.server_time())
        peek = self._judge(seen, list(documents.values()), reached)
        return peek._replace(unread=peek.unread | unread)

    async def _rest(self, streams: Iterable[Stream], start: datetime, found: Found | None) -> list[Held] | None:
        """All of a window, or None when it is too long for a peek: its streams are read by their own pages then."""
        found = found or await self._look(streams, start)
        records = list(found.records)
        for _ in range(MOST_PAGES - 1):
            if found.after is None:
                return records
            found = await self._look(streams, start, found.after)
            records += found.records
        return records if found.after is None else None

    async def _look(self, streams: Iterable[Stream], start: datetime, after: str | None = None) -> Found:
        kinds = dict.fromkeys(kind for stream in streams for kind in KINDS[stream])
        return await self._reader.page(changed(kinds, start, self._entity, whole=True), after)

    def _start(self, stream: Stream, cursor: str) -> datetime:
        quiet = self._quiet.get(stream)
        return look_back(quiet.until if quiet is not None and quiet.cursor == cursor else cursor)

    def _judge(self, cursors: Mapping[Stream, str], documents: Sequence[Held], reached: str) -> Peek:
        """Stamps of a whole window; what it says of orders is kept for the sync that follows."""
        stamps: list[Stamp] = []
        unread: set[Stream] = set()
        for document in documents:
            stream = OF_STREAM.get(document.kind)
            if stream is None or stream not in cursors:
                continue
            try:
                stamps.append(Stamp(stream, stream.value, ErpId(document.id), translate.revision(document)))
            except Unusable:
                # A record without a stamp is for the stream's own reading to report by name.
                unread.add(stream)
        touched = transactions.latest_touch(documents, "order") if Stream.PURCHASE_ORDERS in cursors else {}
        stamps += _touches(Stream.PURCHASE_ORDERS, touched)
        if Stream.BILLS in cursors:
            stamps += _touches(Stream.BILLS, transactions.latest_touch(documents, "bill"))
        stamps += _named(documents)
        if (cursor := cursors.get(Stream.PURCHASE_ORDERS)) is not None:
            self._remember(cursor, documents, touched)
        self._note_quiet(cursors, stamps, unread, reached)
        return Peek(stamps, frozenset(unread))

    def _remember(self, cursor: str, documents: Iterable[Held], touched: Mapping[str, str]) -> None:
        """What the sync that follows would read of orders, if this window began where that one's does, or before."""
        start = look_back(cursor)
        if self._start(Stream.PURCHASE_ORDERS, cursor) > start:
            return
        begins = wire.moment_text(start)
        orders = [one for one in documents if one.kind == "PurchaseOrder" and stamp_of(one) >= begins]
        recent = {order: stamp for order, stamp in touched.items() if stamp >= begins}
        self._orders.remember(Seen(cursor, time.monotonic(), orders, recent))

    def _note_quiet(
        self, cursors: Mapping[Stream, str], stamps: Sequence[Stamp], unread: set[Stream], reached: str
    ) -> None:
        """NetSuite's clock has reached the latest stamp shown; a stream without news by then has none before it."""
        dated = [stamp for stamp in stamps if stamp.stream in cursors and stamp.revision]
        reached = max(reached, *(stamp.revision for stamp in dated), "")
        news = {stamp.stream for stamp in dated if stamp.revision > cursors[stamp.stream]} | unread
        for stream, cursor in cursors.items():
            if stream in news or reached <= cursor:
                self._quiet.pop(stream, None)
            else:
                self._quiet[stream] = Quiet(cursor, reached)

    async def _listed(self, cursor: str | None) -> Peek:
        if cursor is None:
            return Peek((), frozenset())
        if look_back(cursor, timedelta(0)) < datetime.now(UTC) - LISTS_EVERY:
            # The lists are read whole now; the books go with them.
            books: Mapping[str, date | None] = closed_through(await self._lists.periods())
            return Peek((), frozenset({Stream.LISTS}), books)
        return await self._lists.look(look_back(cursor))

    async def _deleted(self, cursor: str | None) -> Peek:
        if cursor is None:
            return Peek((), frozenset())
        rows, pages = await self._reader.deleted(list(FEED), look_back(cursor, DELETE_OVERLAP), 1)
        if pages > 1:
            return Peek((), frozenset({Stream.DELETIONS}))
        deletions, bad = _deletions(rows)
        stamps = {
            deletion.erp_id: Stamp(Stream.DELETIONS, Stream.DELETIONS.value, deletion.erp_id, deletion.deleted_at)
            for deletion in deletions
        }
        return Peek(list(stamps.values()), frozenset({Stream.DELETIONS} if bad else ()))

    # --- deletions ----------------------------------------------------------------------------------------------

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion]:
        """A page of the delete feed (S5-78), by number: rows are only ever added to it."""
        page = int(after) if after else 1
        rows, pages = await self._reader.deleted(list(FEED), look_back(since, DELETE_OVERLAP), page)
        deletions, bad = _deletions(rows)
        high_water = max((deletion.deleted_at for deletion in deletions), default=None)
        return Page(deletions, str(page + 1) if page < pages else None, high_water, bad)


def _later(documents: Iterable[Held], cursor: str) -> bool:
    """Whether any of them was stamped after a cursor."""
    return any(stamp_of(document) > cursor for document in documents)


def _touches(stream: Stream, touched: Mapping[str, str]) -> list[Stamp]:
    return [Stamp(stream, stream.value, ErpId(target), stamp) for target, stamp in touched.items()]


def _named(documents: Iterable[Held]) -> list[Stamp]:
    """Vendors and items that changed orders name, in no particular revision: any we hold will do."""
    named: dict[tuple[str, str], Stamp] = {}
    for document in documents:
        if document.kind != "PurchaseOrder":
            continue
        vendor = wire.ref_id(document.fields, "entity")
        items = {wire.ref_id(line, "item") for line in document.lines("itemList", "item")}
        wanted = [(ListKind.VENDOR.value, vendor), *((ListKind.ITEM.value, item) for item in items)]
        for kind, known in wanted:
            if known:
                named[kind, known] = Stamp(Stream.LISTS, kind, ErpId(known), "")
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
