"""Detect what changed in one document for a whole connection, and what was deleted (reference 2.4, 3.6).

QuickBooks remembers deletions for 90 days and has no offset in that list; beyond them a scan compares all ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from lxml import etree

from erp.quickbooks_desktop import fields, lists, payments, preflight, wire
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.fields import Unusable
from erp.quickbooks_desktop.orders import name_of
from erp.quickbooks_desktop.reader import look_back, moment
from erp.roles.pages import BadRecord, ChangeSet, Page, RecordVersion, ScanResult
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Deletion, MirroredIds, Stream

MOST = 100
"""Records of one kind in an answer; where there are as many, the whole stream is read."""

MOST_OF_SWITCHED = 1000
"""The same of a list that may be switched off: all of it is shown, as it may be older than any cursor."""

REACH = timedelta(days=85)
"""How far back the list of deletions is asked: it reaches 90 days, and clocks differ."""

LIST_QUERIES = ("Account", "Class", "Terms", "UnitOfMeasureSet", "Vendor", "Item")

TRANSACTIONS: Mapping[Stream, tuple[str, ...]] = {
    Stream.PURCHASE_ORDERS: ("PurchaseOrder",),
    Stream.RECEIPTS: ("ItemReceipt",),
    Stream.BILLS: ("Bill", "VendorCredit"),
    Stream.PAYMENTS: (payments.CHECK, payments.CARD),
}

DELETED: Mapping[str, tuple[DeletedKind, ...]] = {
    "PurchaseOrder": (DeletedKind.PURCHASE_ORDER_DOCUMENT,),
    # A person turns it into a bill, which may keep its id.
    "ItemReceipt": (DeletedKind.RECEIPT,),
    # A bill is the document and the payable in one.
    "Bill": (DeletedKind.PURCHASE_ORDER_DOCUMENT, DeletedKind.BILL),
    "VendorCredit": (DeletedKind.BILL,),
    payments.CHECK: (DeletedKind.PAYMENT,),
    payments.CARD: (DeletedKind.PAYMENT,),
}

DELETED_LISTS: Mapping[str, ListKind] = {
    "Vendor": ListKind.VENDOR,
    "Account": ListKind.GL_ACCOUNT,
    "Class": ListKind.CLASS,
    "StandardTerms": ListKind.TERM,
    "DateDrivenTerms": ListKind.TERM,
    "UnitOfMeasureSet": ListKind.UNIT_GROUP,
    **dict.fromkeys((one.removesuffix("Ret") for one in lists.ITEMS), ListKind.ITEM),
}


ANY_QUERY = frozenset(
    f"{kind}Query"
    for kind in (*LIST_QUERIES, "TxnDeleted", "ListDeleted", *(one for kinds in TRANSACTIONS.values() for one in kinds))
)
"""A question about what is switched off does not keep the others from being read."""


class Changes:
    """Detects the changes and deletions of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        """Return what changed since each stream's cursor, and how far the books are closed."""
        questions = [preflight.QUESTION]
        for stream, cursor in since.items():
            questions += _questions(stream, cursor)
        answer = await self._client.ask("changes", *questions, may_be_off=ANY_QUERY)
        versions: list[RecordVersion] = []
        unread: set[Stream] = set()
        for stream in since:
            shown, whole = _versions(stream, answer)
            versions += shown
            if not whole or (stream is Stream.DELETIONS and _is_beyond_reach(since[stream])):
                unread.add(stream)
        return ChangeSet(versions, frozenset(unread), closed_through={"": _closed_through(answer)})

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        """Read what was deleted since a cursor, all in one page; None: that is longer ago than QuickBooks remembers."""
        if _is_beyond_reach(since):
            return None
        answer = await self._client.ask(f"deletions/{since}", *_deleted_questions(since))
        deletions: list[Deletion] = []
        bad: list[BadRecord] = []
        for record in records_of(answer.responses, ("TxnDeletedRet", "ListDeletedRet")):
            try:
                at = fields.changed_at(record, "TimeDeleted")
                deletions += _deletions(record, at)
            except Unusable as error:
                bad.append(fields.bad_record(record, error))
        return Page(deletions, None, max((one.deleted_at for one in deletions), default=None), bad)


def _is_beyond_reach(cursor: str) -> bool:
    """Return whether QuickBooks may have forgotten deletions since then."""
    return moment(cursor) < datetime.now(UTC).replace(tzinfo=None) - REACH


def _questions(stream: Stream, cursor: str) -> list[str]:
    begins = wire.sent_time(look_back(cursor))
    most = wire.part("MaxReturned", str(MOST))
    if stream is Stream.LISTS:
        only = [wire.part("IncludeRetElement", one) for one in ("ListID", "TimeModified", "EditSequence")]
        active = wire.part("ActiveStatus", "All")
        return [
            wire.request(
                f"{kind}Query",
                wire.part("MaxReturned", str(_most(kind))),
                active,
                wire.part("FromModifiedDate", None if f"{kind}Query" in lists.MAY_BE_OFF else begins),
                *only,
                key=kind,
            )
            for kind in LIST_QUERIES
        ]
    if stream is Stream.DELETIONS:
        return _deleted_questions(cursor)
    only = [wire.part("IncludeRetElement", one) for one in ("TxnID", "TimeModified", "EditSequence")]
    changed = wire.group("ModifiedDateRangeFilter", wire.part("FromModifiedDate", begins))
    return [wire.request(f"{kind}Query", most, changed, *only, key=kind) for kind in TRANSACTIONS[stream]]


def _most(kind: str) -> int:
    return MOST_OF_SWITCHED if f"{kind}Query" in lists.MAY_BE_OFF else MOST


def _deleted_questions(cursor: str) -> list[str]:
    begins = wire.group("DeletedDateRangeFilter", wire.part("FromDeletedDate", wire.sent_time(look_back(cursor))))
    return [
        wire.request("TxnDeletedQuery", *(wire.part("TxnDelType", one) for one in DELETED), begins, key="deleted"),
        wire.request(
            "ListDeletedQuery", *(wire.part("ListDelType", one) for one in DELETED_LISTS), begins, key="deleted-lists"
        ),
    ]


def _versions(stream: Stream, answer: Answer) -> tuple[list[RecordVersion], bool]:
    """Return the versions of one stream's records, and whether these are all that changed."""
    if stream is Stream.DELETIONS:
        records = records_of(answer.responses, ("TxnDeletedRet", "ListDeletedRet"))
        ids = [wire.text(one, "TxnID") or wire.text(one, "ListID") or "" for one in records]
        whole = all(answer.named(one) is not None for one in ("TxnDeletedQuery", "ListDeletedQuery"))
        return [RecordVersion(stream, "", ErpId(one), "") for one in ids], whole
    versions: list[RecordVersion] = []
    whole = True
    for kind in LIST_QUERIES if stream is Stream.LISTS else TRANSACTIONS[stream]:
        response = answer.named(f"{kind}Query")
        if response is None:
            # What is switched off shows nothing; the reading of the stream says so.
            whole = whole and f"{kind}Query" in lists.MAY_BE_OFF
            continue
        records = [one for one in response.element if str(one.tag).endswith("Ret")]
        whole = whole and len(records) < _most(kind)
        for record in records:
            list_kind = lists.SHAPES[str(record.tag)].kind if str(record.tag) in lists.SHAPES else None
            if stream is Stream.LISTS and list_kind is None:
                continue  # nothing that is mirrored
            try:
                erp_id = ErpId(fields.need(record, "ListID" if stream is Stream.LISTS else "TxnID"))
                versions.append(RecordVersion(stream, str(list_kind or stream), erp_id, fields.revision(record)))
            except Unusable:
                whole = False  # it is reported when the stream is read
    return versions, whole


def _closed_through(answer: Answer) -> date | None:
    response = answer.named("PreferencesQuery")
    return None if response is None else fields.day(response.element, ".//AccountingPreferences/ClosingDate")


def _deletions(record: etree._Element, at: str) -> list[Deletion]:
    if record.tag == "ListDeletedRet":
        kind = DELETED_LISTS.get(fields.need(record, "ListDelType"))
        erp_id = ErpId(fields.need(record, "ListID"))
        if kind is None:
            return []
        kinds = [kind, ListKind.BANK_ACCOUNT] if kind is ListKind.GL_ACCOUNT else [kind]
        return [Deletion(kind=DeletedKind.LIST_ENTRY, list_kind=one, erp_id=erp_id, deleted_at=at) for one in kinds]
    erp_id = ErpId(fields.need(record, "TxnID"))
    return [
        Deletion(kind=kind, erp_id=erp_id, deleted_at=at) for kind in DELETED.get(fields.need(record, "TxnDelType"), ())
    ]


class DeletionScan:
    """Finds deletions that are longer ago than QuickBooks remembers: it asks for every mirrored record by its id."""

    why = "QuickBooks Desktop remembers deletions for 90 days; this connection was not read for longer."

    def __init__(self, client: Client) -> None:
        self._client = client

    async def scan(self, mirrored: Sequence[MirroredIds]) -> ScanResult:
        """Return which of these records are gone. An id is asked for as every kind of document that it may be.

        Raises:
            Deferred: QuickBooks has not answered yet.
            ErpError: an answer does not say what is there. Nothing is gone by it.
        """
        gone: list[MirroredIds] = []
        for group in mirrored:
            shown: set[str] = set()
            for batch in _batches(list(dict.fromkeys(map(_asked, group.erp_ids)))):
                answer = await self._client.ask_what_is_there(
                    f"scan/{group.kind}/{name_of(batch)}", *_scan_questions(group, batch)
                )
                shown |= {
                    value
                    for response in answer.responses
                    for record in response.element
                    if (value := wire.text(record, "TxnID") or wire.text(record, "ListID"))
                }
            absent = [one for one in group.erp_ids if _asked(one) not in shown]
            if absent:
                gone.append(group._replace(erp_ids=absent))
        return ScanResult(gone)


def _asked(mirrored: ErpId) -> str:
    """Return the id by which a mirrored record is asked for: a unit by its set's, a receipt of several orders by its
    own."""
    return str(mirrored).partition(":")[0].partition("/")[0]


def _scan_questions(group: MirroredIds, batch: Sequence[str]) -> list[str]:
    kinds: tuple[str, ...] = tuple(kind for kind, deleted in DELETED.items() if group.kind in deleted)
    if group.kind is DeletedKind.PURCHASE_ORDER_DOCUMENT:  # receipts are among the mirrored documents
        kinds = (*kinds, "ItemReceipt")
    name = "TxnID"
    if group.kind is DeletedKind.LIST_ENTRY:
        kinds, name = LIST_QUERIES, "ListID"
    ids = [wire.part(name, one) for one in batch]
    return [wire.request(f"{kind}Query", *ids, wire.part("IncludeRetElement", name), key=kind) for kind in kinds]


def _batches(ids: Sequence[str], size: int = 200) -> Iterable[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])
