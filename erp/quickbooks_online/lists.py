"""Read the lists: vendors, items, accounts, classes, locations, terms (reference 6.5 to 6.8).

Nothing of a list is ever deleted: it becomes inactive, and only a query that asks for inactive ones shows it. Keys are
QuickBooks' ids: names can change, and are not what documents refer to. What QuickBooks calls a department in its data
it shows people as a location.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.accounts import BANK, CARD
from erp.quickbooks_online.orders import look_back
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.translate import Unusable
from erp.quickbooks_online.wire import Entity
from erp.roles.pages import BadRecord, Page
from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind

EVERY = "Active IN (true, false)"


class ListShape(NamedTuple):
    """One list: its kind of record, where its name is, and the other fields we use, by our own names."""

    kind: ListKind
    entity: str
    names: tuple[str, ...]
    attributes: Mapping[str, str] = {}
    """Our name to QuickBooks' field; of a reference it is the id."""


SHAPES: tuple[ListShape, ...] = (
    ListShape(
        ListKind.VENDOR,
        "Vendor",
        ("DisplayName", "CompanyName"),
        {"number": "AcctNum", "term": "TermRef", "account": "APAccountRef", "currency": "CurrencyRef"},
    ),
    ListShape(
        ListKind.ITEM,
        "Item",
        ("FullyQualifiedName", "Name"),
        {
            "number": "Sku",
            "item_type": "Type",
            "purchase_description": "PurchaseDesc",
            "account": "ExpenseAccountRef",
            "category": "ParentRef",
        },
    ),
    ListShape(
        ListKind.GL_ACCOUNT,
        "Account",
        ("FullyQualifiedName", "Name"),
        {
            "number": "AcctNum",
            "account_type": "AccountType",
            "parent": "ParentRef",
            "currency": "CurrencyRef",
            "description": "Description",
        },
    ),
    ListShape(ListKind.CLASS, "Class", ("FullyQualifiedName", "Name"), {"parent": "ParentRef"}),
    ListShape(ListKind.LOCATION, "Department", ("FullyQualifiedName", "Name"), {"parent": "ParentRef"}),
    ListShape(ListKind.TERM, "Term", ("Name",), {"due_date": "DueDays"}),
)

ENTITIES = tuple(shape.entity for shape in SHAPES)

CATEGORY = "Category"
"""The type of items that only group others: no line can name one."""


class Lists:
    """Reads the lists of one connection."""

    def __init__(self, reader: Reader, memory: Memory) -> None:
        self._reader = reader
        self._memory = memory

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """Read the next page of each list; `after` holds, by kind of record, where those go on that have more. The
        first page of a change that was just detected has all of it."""
        wanted = [shape for shape in SHAPES if shape.kind in kinds or _also(shape) in kinds]
        window = self._memory.window([shape.entity for shape in wanted], since) if after is None else None
        if window is not None:
            changed = [(shape, one) for shape in wanted for one in window.changed.get(shape.entity, [])]
            return _page(kinds, changed, None, None)._replace(began=window.began)
        places: Mapping[str, str | None] = (
            json.loads(after) if after is not None else {shape.entity: None for shape in wanted}
        )
        start = None if since is None else look_back(since)
        read: list[tuple[ListShape, Entity]] = []
        resume: dict[str, str] = {}
        began: str | None = None
        for shape in wanted:
            if shape.entity not in places:
                continue
            listing = await self._reader.page(shape.entity, places[shape.entity], since=start, where=[EVERY])
            read += [(shape, one) for one in listing.records]
            began = began or listing.began
            if listing.after is not None:
                resume[shape.entity] = listing.after
        return _page(kinds, read, json.dumps(resume) if resume else None, began)

    async def gone(self, kind: ListKind, erp_ids: Sequence[ErpId]) -> Sequence[ErpId]:
        """Return nothing: no list is read whole for its deletions."""
        return ()


def _page(
    kinds: Sequence[ListKind], read: Iterable[tuple[ListShape, Entity]], resume: str | None, began: str | None
) -> Page[ListEntry]:
    entries: list[ListEntry] = []
    bad: list[BadRecord] = []
    for shape, record in read:
        try:
            entries += [entry for entry in entries_of(shape, record) if entry.kind in kinds]
        except Unusable as error:
            bad.append(translate.bad_record(record, error))
    return Page(entries, resume, translate.high_water(began, (one.revision or "" for one in entries)), bad)


def entries_of(shape: ListShape, record: Entity) -> Iterable[ListEntry]:
    """Return the entries that a record stands for: an account that money is kept in is a bank account too.

    Raises:
        Unusable: the record cannot be used.
    """
    attributes: dict[str, str] = {}
    for ours, theirs in shape.attributes.items():
        value = wire.ref(record, theirs) if theirs.endswith("Ref") else wire.text(record, theirs)
        if value:
            attributes[ours] = value
    erp_id = translate.need(record, "Id")
    entry = ListEntry(
        kind=shape.kind,
        erp_id=ErpId(erp_id),
        key=erp_id,
        name=next((value for name in shape.names if (value := wire.text(record, name))), erp_id),
        active=(wire.text(record, "Active") or "").casefold() != "false" and attributes.get("item_type") != CATEGORY,
        revision=translate.revision(record),
        attributes=attributes,
    )
    yield entry
    if shape.kind is ListKind.GL_ACCOUNT and attributes.get("account_type") in (BANK, CARD):
        yield entry.model_copy(update={"kind": ListKind.BANK_ACCOUNT})


def _also(shape: ListShape) -> ListKind | None:
    return ListKind.BANK_ACCOUNT if shape.kind is ListKind.GL_ACCOUNT else None
