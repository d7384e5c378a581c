"""Detect what changed in one call for a whole connection, and what was deleted (reference 3.8).

Change data capture answers with whole records, at most 1,000 of them, and at most 30 days back; which 1,000 is nobody's
promise. What it cannot show is read by query, and deletions that may lie beyond are found by a scan of all ids.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from erp.errors import MalformedAnswer
from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.bills_in import BILL, CREDIT
from erp.quickbooks_online.client import QuickBooksClient, clock_of
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.lists import ENTITIES, SHAPES
from erp.quickbooks_online.orders import KIND as ORDER
from erp.quickbooks_online.orders import OVERLAP, touched_by
from erp.quickbooks_online.payments import KIND as PAYMENT
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory, Window
from erp.quickbooks_online.translate import Unusable
from erp.quickbooks_online.wire import Entity
from erp.roles.pages import BadRecord, ChangeSet, Page, RecordVersion, ScanResult
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Deletion, MirroredIds, Stream

MOST = 1000
"""Records of one answer, of all kinds together."""

REACH = timedelta(days=29)
"""How far back change data capture is asked: its limit is 30 days, and clocks differ."""

TRANSACTIONS = (ORDER, BILL, CREDIT, PAYMENT)

KINDS: Mapping[Stream, tuple[str, ...]] = {
    Stream.LISTS: ENTITIES,
    Stream.PURCHASE_ORDERS: (ORDER, BILL),
    Stream.BILLS: (BILL, CREDIT),
    Stream.PAYMENTS: (PAYMENT,),
    Stream.DELETIONS: TRANSACTIONS,
}
"""By stream: the kinds of record whose change may be a change of the stream."""

LIST_KINDS: Mapping[str, ListKind] = {shape.entity: shape.kind for shape in SHAPES}

OF_STREAM: Mapping[str, tuple[Stream, str]] = {
    ORDER: (Stream.PURCHASE_ORDERS, ""),
    BILL: (Stream.BILLS, wire.BILL),
    CREDIT: (Stream.BILLS, wire.CREDIT),
    PAYMENT: (Stream.PAYMENTS, ""),
}
"""By kind of document: its stream, and what its ids begin with here."""

DELETED: Mapping[str, tuple[DeletedKind, ...]] = {
    ORDER: (DeletedKind.PURCHASE_ORDER_DOCUMENT,),
    # A bill is the document and the payable in one.
    BILL: (DeletedKind.PURCHASE_ORDER_DOCUMENT, DeletedKind.BILL),
    CREDIT: (DeletedKind.BILL,),
    PAYMENT: (DeletedKind.PAYMENT,),
}


class Quiet(NamedTuple):
    """The time until which a stream is known to have no changes beyond its cursor."""

    cursor: str
    until: str


class Changes:
    """Detects the changes and deletions of one connection."""

    def __init__(self, client: QuickBooksClient, companies: Companies, memory: Memory) -> None:
        self._client = client
        self._companies = companies
        self._memory = memory
        self._quiet: dict[Stream, Quiet] = {}

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        """Return the versions of all records that changed; streams without a cursor are left out. This takes one call
        while fewer than 1,000 records have changed."""
        books = {"": (await self._companies.current()).closed_through}
        cursors = {stream: cursor for stream, cursor in since.items() if stream in KINDS}
        starts = {stream: self._start(stream, cursor) for stream, cursor in cursors.items()}
        oldest = datetime.now(UTC) - REACH
        unread = {stream for stream, start in starts.items() if start < oldest}
        asked = {stream: start for stream, start in starts.items() if stream not in unread}
        if not asked:
            return ChangeSet((), frozenset(unread), books)
        began = datetime.now(UTC)
        kinds = tuple(dict.fromkeys(kind for stream in asked for kind in KINDS[stream]))
        read = await self._changed(kinds, min(asked.values()))
        if any(quiet.until > wire.moment_text(read.at) for quiet in self._quiet.values()):
            # The clock there was set back: what changed since then lies before the time until which it was quiet.
            self._quiet.clear()
            return await self.detect_changes(since, with_books=with_books)
        unread |= {stream for stream in asked if any(kind not in read.complete for kind in KINDS[stream])}
        self._memory.keep(
            Window(
                {kind: _since(kind, cursors, asked) for kind in read.complete},
                {kind: _since(kind, cursors, asked) for kind in kinds if kind not in read.complete},
                {kind: read.changed[kind] for kind in read.complete},
                {kind: read.deleted[kind] for kind in read.complete},
                read.at,
                began,
                name := secrets.token_hex(8),
            )
        )
        seen = {stream: cursor for stream, cursor in cursors.items() if stream in asked and stream not in unread}
        versions, unclear = _versions(read, seen)
        self._note_quiet(seen, versions, unclear, wire.moment_text(read.at))
        return ChangeSet(versions, frozenset(unread | unclear), books, window=name)

    def _start(self, stream: Stream, cursor: str) -> datetime:
        quiet = self._quiet.get(stream)
        since = quiet.until if quiet is not None and quiet.cursor == cursor else cursor
        return wire.moment(since) - OVERLAP

    def _note_quiet(
        self, cursors: Mapping[Stream, str], versions: Sequence[RecordVersion], unclear: set[Stream], reached: str
    ) -> None:
        changed = {version.stream for version in versions if version.revision > cursors[version.stream]} | unclear
        for stream, cursor in cursors.items():
            if stream in changed or reached <= cursor:
                self._quiet.pop(stream, None)
            else:
                self._quiet[stream] = Quiet(cursor, reached)

    # --- change data capture ------------------------------------------------------------------------------------

    async def _changed(self, kinds: Sequence[str], start: datetime) -> "_Changed":
        """Return what changed. An answer that is full may have left anything out, so the kind that fills it is asked
        for by itself, unless it fills it alone, and the others together."""
        read = await self._captured(kinds, start)
        if read.size < MOST:
            return read
        if len(kinds) == 1:
            return read._replace(complete=frozenset())
        largest = max(kinds, key=lambda kind: len(read.changed[kind]) + len(read.deleted[kind]))
        changed, deleted = {largest: read.changed[largest]}, {largest: read.deleted[largest]}
        alone = _Changed(changed, deleted, frozenset(), read.at, len(changed[largest]) + len(deleted[largest]))
        if alone.size < MOST:
            alone = await self._changed((largest,), start)
        others = await self._changed([kind for kind in kinds if kind != largest], start)
        return _Changed(
            {**alone.changed, **others.changed},
            {**alone.deleted, **others.deleted},
            alone.complete | others.complete,
            min(alone.at, others.at),
            alone.size + others.size,
        )

    async def _captured(self, kinds: Sequence[str], start: datetime) -> "_Changed":
        answer = await self._client.get(
            "cdc", "CDCResponse", entities=",".join(kinds), changedSince=wire.query_time(start)
        )
        changed: dict[str, list[Entity]] = {kind: [] for kind in kinds}
        deleted: dict[str, list[Entity]] = {kind: [] for kind in kinds}
        count = 0
        responses = wire.parts(answer, "CDCResponse")
        if not responses or not all(_says_what_changed(response) for response in responses):
            # An answer that does not say what changed is not one that says that nothing did.
            raise MalformedAnswer("QuickBooks did not say what changed.", code="MALFORMED_ANSWER")
        for response in responses:
            for one in wire.parts(response, "QueryResponse"):
                for kind in kinds:
                    for record in wire.parts(one, kind):
                        count += 1
                        gone = (wire.text(record, "status") or "").casefold() == "deleted"
                        marked = {**record, "_kind": kind} if kind == CREDIT else record
                        (deleted if gone else changed)[kind].append(marked)
        return _Changed(changed, deleted, frozenset(kinds), clock_of(answer), count)

    # --- deletions ----------------------------------------------------------------------------------------------

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        """Return what was deleted since a cursor; None when change data capture cannot show all of it."""
        start = wire.moment(since) - OVERLAP
        window = self._memory.window(TRANSACTIONS, since)
        if window is not None:
            gone, began = window.deleted, window.began
        else:
            began = None
            if self._memory.has_overflowed(TRANSACTIONS, since):
                return None
            if start < datetime.now(UTC) - REACH:
                return None
            read = await self._changed(TRANSACTIONS, start)
            if read.complete != frozenset(TRANSACTIONS):
                return None
            gone = read.deleted
        deletions: list[Deletion] = []
        bad: list[BadRecord] = []
        for kind in TRANSACTIONS:
            for record in gone.get(kind, ()):
                try:
                    deletions += _deletions(kind, record)
                except Unusable as error:
                    bad.append(translate.bad_record(record, error))
        return Page(deletions, None, max((one.deleted_at for one in deletions), default=None), bad, began)


class _Changed(NamedTuple):
    """What changed and what was deleted, by kind of record. `complete` are the kinds of which nothing is left out."""

    changed: Mapping[str, list[Entity]]
    deleted: Mapping[str, list[Entity]]
    complete: frozenset[str]
    at: datetime
    size: int


def _says_what_changed(response: Entity) -> bool:
    members = response.get("QueryResponse")
    return wire.are_records(members) and all(
        wire.is_readable(inner) for member in wire.parts(response, "QueryResponse") for inner in member.values()
    )


def _since(kind: str, cursors: Mapping[Stream, str], asked: Iterable[Stream]) -> str:
    return min(cursors[stream] for stream in asked if kind in KINDS[stream])


def _versions(read: _Changed, cursors: Mapping[Stream, str]) -> tuple[list[RecordVersion], set[Stream]]:
    """Return the record versions of the streams, and the streams with a record whose version cannot be read: their own
    reading reports it by name."""
    versions: list[RecordVersion] = []
    unclear: set[Stream] = set()
    for kind, records in read.changed.items():
        stream, prefix = OF_STREAM.get(kind, (Stream.LISTS, ""))
        if stream not in cursors:
            continue
        named = LIST_KINDS[kind].value if stream is Stream.LISTS else stream.value
        for record in records:
            try:
                erp_id = ErpId(f"{prefix}{translate.need(record, 'Id')}")
                versions.append(RecordVersion(stream, named, erp_id, translate.revision(record)))
            except Unusable:
                unclear.add(stream)
    if Stream.PURCHASE_ORDERS in cursors:
        touched = touched_by(read.changed.get(BILL, []))
        versions += [
            RecordVersion(Stream.PURCHASE_ORDERS, Stream.PURCHASE_ORDERS.value, ErpId(order), version)
            for order, version in touched.items()
        ]
    if Stream.DELETIONS in cursors:
        for kind in TRANSACTIONS:
            for record in read.deleted.get(kind, ()):
                try:
                    (first, *_) = _deletions(kind, record)
                except Unusable:
                    unclear.add(Stream.DELETIONS)
                    continue
                versions.append(RecordVersion(Stream.DELETIONS, Stream.DELETIONS.value, first.erp_id, first.deleted_at))
    return versions, unclear


def _deletions(kind: str, record: Entity) -> list[Deletion]:
    erp_id = ErpId(f"{OF_STREAM[kind][1]}{translate.need(record, 'Id')}")
    at = translate.revision(record)[:19]
    return [Deletion(kind=one, erp_id=erp_id, deleted_at=at) for one in DELETED[kind]]


class DeletionScan:
    """Finds deletions that change data capture cannot show: it compares the ids of mirrored records with all ids that
    QuickBooks has."""

    why = "QuickBooks shows deletions of the last 30 days only, and at most 1,000 changes at a time."

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def scan(self, mirrored: Sequence[MirroredIds]) -> ScanResult:
        """Return which of these records are gone: not among all ids, and not shown when asked for by id either."""
        kept: dict[str, set[str]] = {}
        gone: list[MirroredIds] = []
        for group in mirrored:
            absent: list[ErpId] = []
            for kind, ids in _by_kind(group).items():
                if kind not in kept:
                    kept[kind] = await self._reader.ids(kind)
                suspected = {one: erp_id for one, erp_id in ids.items() if one not in kept[kind]}
                if suspected:
                    shown = await self._reader.by_ids(kind, suspected)
                    absent += [erp_id for one, erp_id in suspected.items() if one not in shown.records]
            if absent:
                gone.append(group._replace(erp_ids=absent))
        return ScanResult(gone)


def _by_kind(group: MirroredIds) -> dict[str, dict[str, ErpId]]:
    """Return the ids of a group by kind of record, as QuickBooks has them, each with ours."""
    by_kind: dict[str, dict[str, ErpId]] = {}
    for erp_id in group.erp_ids:
        kind, one = _kind_of(group.kind, erp_id)
        if kind is not None:
            by_kind.setdefault(kind, {})[one] = erp_id
    return by_kind


def _kind_of(kind: DeletedKind, erp_id: ErpId) -> tuple[str | None, str]:
    if kind is DeletedKind.PAYMENT:
        return PAYMENT, erp_id
    if kind is DeletedKind.LIST_ENTRY:
        return None, erp_id  # nothing of a list is ever deleted
    if erp_id.startswith(wire.CREDIT):
        return CREDIT, erp_id.removeprefix(wire.CREDIT)
    if erp_id.startswith(wire.BILL):
        return BILL, erp_id.removeprefix(wire.BILL)
    return ORDER, erp_id
