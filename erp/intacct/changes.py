"""Detect what changed, in one request for a whole connection, and what was deleted (reference 2.5, section 4)."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from erp.intacct import adjustments_in, translate, wire
from erp.intacct.client import IntacctClient
from erp.intacct.documents import changed_since, look_back
from erp.intacct.lists import SHAPES, ListShape
from erp.intacct.preferences import GLDIM, Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Result, Row
from erp.roles.pages import ChangeSet, Page, RecordVersion
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Deletion, Stream

_log = logging.getLogger(__name__)

VALUES_EVERY = timedelta(hours=1)
"""How often the values of the company's own dimensions are read."""

DELETE_OVERLAP = timedelta(hours=2, minutes=30)
"""Deletions become visible later than other changes, so reads look further back for them (reference 2.5 point 4)."""

AUDITED: Mapping[str, tuple[DeletedKind, ListKind | None, str]] = {
    "podocument": (DeletedKind.PURCHASE_ORDER_DOCUMENT, None, ""),
    "apbill": (DeletedKind.BILL, None, ""),
    "apadjustment": (DeletedKind.BILL, None, ""),
    "appymt": (DeletedKind.PAYMENT, None, ""),
    **{shape.object.lower(): (DeletedKind.LIST_ENTRY, shape.kind, shape.ids_begin) for shape in SHAPES},
}
"""The audit trail's object types, spelled in lower case there (section 4), and what our ids of them begin with."""

NOT_READABLE = frozenset({"PERMISSION_DENIED", "QUERY_REFUSED"})
"""The refusals that mean that this user, or this company, has no audit trail. Which of the two it is, is not
documented."""

RECORD_SUFFIX = "--REC"
"""One spelling of the audit trail's OBJECTKEY is `<RECORDNO>--REC` (section 4)."""


class Look(NamedTuple):
    """One query for changes, and how its rows become record versions."""

    stream: Stream
    kind: str
    query: Query
    id_field: str = "RECORDNO"
    version_fields: tuple[str, ...] = ("WHENMODIFIED", "AUWHENCREATED")
    named: Callable[[str], ErpId] = ErpId
    """Names the record as the mirror knows it."""


class Changes:
    """Detects the changes and deletions of one connection."""

    def __init__(self, client: IntacctClient, reader: IntacctReader, preferences: Preferences) -> None:
        self._client = client
        self._reader = reader
        self._preferences = preferences
        self._level = client.home_level

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        """Return the versions of all records that changed, and how far the books are closed, in one request. Streams
        without a cursor are left out.

        The books are read together with the lists, and before the first import.
        """
        looks = list(self._looks(since))
        queries = [look.query for look in looks]
        closed_through: Mapping[str, date | None] = {}
        if with_books or Stream.LISTS in since or not looks:
            pages, books = await self._reader.pages_and_result(queries, wire.closed_books(), level=self._level)
            closed_through = closed_books(books, self._level)
        else:
            pages = await self._reader.first_pages(queries, level=self._level)
        record_versions: list[RecordVersion] = []
        unread: set[Stream] = set()
        deletions_feed = not (self._preferences.sweeps and Stream.DELETIONS in since)
        for look, page in zip(looks, pages, strict=True):
            if page.absent and look.stream is Stream.DELETIONS:
                deletions_feed = False
            if page.more:
                unread.add(look.stream)
            for row in page.rows:
                version = _version(look, row)
                if version is None:
                    # The stream's own reading reports a record without a number or a time, by name.
                    unread.add(look.stream)
                else:
                    record_versions.append(version)
        if self._values_are_due(since.get(Stream.LISTS)):
            unread.add(Stream.LISTS)
        return ChangeSet(record_versions, frozenset(unread), closed_through, deletions_feed)

    def _values_are_due(self, cursor: str | None) -> bool:
        """Return whether the lists are to be read though no entry changed: values of the company's own dimensions have
        no time of their last change."""
        if cursor is None or not any(field.startswith(GLDIM) for field in self._preferences.line_fields.values()):
            return False
        return datetime.fromisoformat(cursor).replace(tzinfo=UTC) < self._client.clock.now() - VALUES_EVERY

    def _looks(self, since: Mapping[Stream, str]) -> Iterable[Look]:
        preferences = self._preferences
        if cursor := since.get(Stream.LISTS):
            for shape in SHAPES:
                yield _list_look(shape, cursor)
        if (cursor := since.get(Stream.PURCHASE_ORDERS)) and preferences.po_template:
            yield from _document_looks(Stream.PURCHASE_ORDERS, preferences.po_template, cursor)
        if (cursor := since.get(Stream.RECEIPTS)) and preferences.receiver_template:
            yield from _document_looks(Stream.RECEIPTS, preferences.receiver_template, cursor)
        if (cursor := since.get(Stream.RECEIPTS)) and preferences.return_template:
            yield from _document_looks(Stream.RECEIPTS, preferences.return_template, cursor)
        for stream, name in ((Stream.BILLS, "APBILL"), (Stream.PAYMENTS, "APPYMT")):
            if cursor := since.get(stream):
                query = Query(name, ("RECORDNO", "WHENMODIFIED"), changed_since(cursor), optional=("AUWHENCREATED",))
                yield Look(stream, stream.value, query)
        if cursor := since.get(Stream.BILLS):
            query = Query(
                adjustments_in.OBJECT,
                ("RECORDNO", "WHENMODIFIED"),
                changed_since(cursor),
                optional=("AUWHENCREATED",),
                absent_by=adjustments_in.NOT_READABLE,
            )
            yield Look(Stream.BILLS, Stream.BILLS.value, query, named=adjustments_in.erp_id_of)
        if (cursor := since.get(Stream.DELETIONS)) and not preferences.sweeps:
            query = _audit_query(look_back(cursor, DELETE_OVERLAP))
            yield Look(Stream.DELETIONS, Stream.DELETIONS.value, query, "OBJECTKEY", ("ACCESSTIME",))

    async def has_audit_trail(self) -> bool:
        """Return whether deletions can be read from the audit trail, by the cheapest test: reading one row of it
        (reference 2.3)."""
        if self._preferences.sweeps:
            return False
        probe = Query("AUDITHISTORY", ("ID",), "", key="ID").xml(page_size=1, show_private=False)
        (result,) = await self._client.read([probe], level=self._level)
        return result.fault is None or result.fault.code not in NOT_READABLE

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        """Read a page of the audit trail's deletions, resumed by entry number. None: the user may not read it."""
        if self._preferences.sweeps:
            return None
        query = _audit_query(look_back(since, DELETE_OVERLAP), after)
        (page,) = await self._reader.first_pages([query], level=self._level)
        if page.absent:
            return None
        deletions, bad = translate.usable(page.rows, _deletion)
        high_water = max((deletion.deleted_at for deletion in deletions), default=None)
        return Page(deletions, page.last if page.more else None, high_water, bad)


def closed_books(books: Result, level: str | None) -> Mapping[str, date | None]:
    """Return the last closed day of the level that was asked, by entity; nothing where the user may not know it.

    Only the function is documented, not the content of its answer: the date is read as one text or in three parts.
    """
    if books.fault is not None or books.data is None:
        _log.info("Intacct does not say how far its books are closed: %s", books.fault or "an answer without data")
        return {}
    shown = {str(node.tag).lower(): node.text.strip() for node in books.data.iter() if node.text and node.text.strip()}
    try:
        if {"year", "month", "day"} <= shown.keys():
            return {level or "": date(int(shown["year"]), int(shown["month"]), int(shown["day"]))}
        said = next((value for name, value in shown.items() if "date" in name), None)
        return {level or "": None if said is None else wire.day(said)}
    except ValueError:
        _log.warning("Intacct's closed books date cannot be read: %s", shown)
        return {}


def _list_look(shape: ListShape, cursor: str) -> Look:
    query = Query(
        shape.object,
        ("RECORDNO", "WHENMODIFIED"),
        changed_since(cursor, "WHENCREATED"),
        optional=("WHENCREATED",),
        absent_by=shape.absent_by,
    )
    return Look(
        Stream.LISTS,
        shape.kind.value,
        query,
        version_fields=("WHENMODIFIED", "WHENCREATED"),
        named=partial(_behind, shape.ids_begin),
    )


def _behind(ids_begin: str, number: str) -> ErpId:
    return ErpId(ids_begin + number)


def _document_looks(stream: Stream, template: str, cursor: str) -> Iterable[Look]:
    changed = wire.all_of(wire.equal("DOCPARID", template), changed_since(cursor))
    query = Query("PODOCUMENT", ("RECORDNO", "WHENMODIFIED"), changed, optional=("AUWHENCREATED",), docparid=template)
    yield Look(stream, stream.value, query)
    # A line can change without its header (reference 2.5 point 5): one row per document, its latest line change.
    touched = wire.all_of(wire.equal("DOCPARID", template), wire.at_least("WHENMODIFIED", look_back(cursor)))
    query = Query("PODOCUMENTENTRY", ("DOCHDRNO",), touched, key="DOCHDRNO", maxima=("WHENMODIFIED",))
    yield Look(stream, stream.value, query, "DOCHDRNO", ("MAX.WHENMODIFIED",))


def _audit_query(start: str, after: str | None = None) -> Query:
    where = wire.all_of(
        wire.one_of("OBJECTTYPE", AUDITED),
        wire.equal("ACCESSMODE", "D"),
        wire.at_least("ACCESSTIME", start),
    )
    fields = ("ID", "OBJECTTYPE", "OBJECTKEY", "ACCESSTIME", "ACCESSMODE")
    return Query("AUDITHISTORY", fields, where, key="ID", after=after, absent_by=NOT_READABLE)


def _version(look: Look, row: Row) -> RecordVersion | None:
    number = row.get(look.id_field)
    version = next((row[field] for field in look.version_fields if field in row), None)
    if number is None or version is None:
        return None
    try:
        revision = wire.sortable_time(version)
    except ValueError:
        return None
    return RecordVersion(look.stream, look.kind, look.named(number.removesuffix(RECORD_SUFFIX)), revision)


def _deletion(row: Row) -> Deletion:
    object_type = translate.need(row, "OBJECTTYPE").lower()
    if object_type not in AUDITED:
        raise translate.Unusable(
            "VALUE_NOT_READABLE", f"A deleted {object_type} was not asked for.", {"OBJECTTYPE": object_type}
        )
    kind, list_kind, ids_begin = AUDITED[object_type]
    at = translate.readable("ACCESSTIME", translate.need(row, "ACCESSTIME"), wire.sortable_time)
    number = translate.need(row, "OBJECTKEY").removesuffix(RECORD_SUFFIX)
    return Deletion(
        kind=kind,
        list_kind=list_kind,
        erp_id=adjustments_in.erp_id_of(number) if object_type == "apadjustment" else ErpId(ids_begin + number),
        deleted_at=at,
    )
