"""Read the lists: vendors, items, accounts, classes, terms, units of measure (reference 3.5).

Keys are QuickBooks' ids: names can change, and documents refer to ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from erp.quickbooks_desktop import fields, wire
from erp.quickbooks_desktop.fields import Unusable
from erp.quickbooks_desktop.reader import Leg, Reader
from erp.roles.pages import BadRecord, Page
from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind

ITEMS = (
    "ItemServiceRet",
    "ItemNonInventoryRet",
    "ItemOtherChargeRet",
    "ItemInventoryRet",
    "ItemInventoryAssemblyRet",
    "ItemFixedAssetRet",
)
"""Kinds of items that can be bought; subtotals, discounts, groups and taxes cannot."""

MAY_BE_OFF = ("ClassQuery", "UnitOfMeasureSetQuery")
"""Questions about features that a company may do without."""

LEGS = (
    Leg(
        ("Account", "Class", "Terms", "UnitOfMeasureSet"),
        False,
        ("AccountRet", "ClassRet", "StandardTermsRet", "DateDrivenTermsRet", "UnitOfMeasureSetRet"),
        MAY_BE_OFF,
    ),
    Leg(("Vendor",), True, ("VendorRet",)),
    Leg(("Item",), True, ITEMS),
)

MONEY = ("Bank", "CreditCard")
"""Types of accounts that bills are paid from."""


class ListShape(NamedTuple):
    """One kind of record: which list it belongs to, and the other fields we use, by our own names."""

    kind: ListKind
    attributes: Mapping[str, str] = {}
    """Our name to the path of QuickBooks' field."""


_ITEM = ListShape(
    ListKind.ITEM,
    {
        "number": "ManufacturerPartNumber",
        "purchase_description": "PurchaseDesc",
        "unit_group": "UnitOfMeasureSetRef/ListID",
        "account": "COGSAccountRef/ListID",
    },
)

SHAPES: Mapping[str, ListShape] = {
    "VendorRet": ListShape(
        ListKind.VENDOR, {"number": "AccountNumber", "term": "TermsRef/ListID", "currency": "CurrencyRef/FullName"}
    ),
    "AccountRet": ListShape(
        ListKind.GL_ACCOUNT, {"number": "AccountNumber", "account_type": "AccountType", "parent": "ParentRef/ListID"}
    ),
    "ClassRet": ListShape(ListKind.CLASS, {"parent": "ParentRef/ListID"}),
    "StandardTermsRet": ListShape(ListKind.TERM, {"due_days": "StdDueDays"}),
    "DateDrivenTermsRet": ListShape(ListKind.TERM, {"day_of_month": "DayOfMonthDue"}),
    "UnitOfMeasureSetRet": ListShape(ListKind.UNIT_GROUP, {"base_unit": "BaseUnit/Name"}),
    **dict.fromkeys(ITEMS, _ITEM),
}


class Lists:
    """Reads the lists of one connection."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """Read a page of list entries of the given kinds: first of the short lists, then of vendors, then of items."""
        listing = await self._reader.page(LEGS, since=since, after=after, lists=True)
        entries: list[ListEntry] = []
        bad: list[BadRecord] = []
        for record in listing.records:
            try:
                entries += [entry for entry in entries_of(record) if entry.kind in kinds]
            except Unusable as error:
                bad.append(fields.bad_record(record, error))
        return Page(entries, listing.after, listing.high_water, bad)

    async def gone(self, kind: ListKind, erp_ids: Sequence[ErpId]) -> Sequence[ErpId]:
        """Return nothing: deletions of list entries have a feed."""
        return ()


def entries_of(record: etree._Element) -> Iterator[ListEntry]:
    """Return the entries that a record stands for: an account that money is kept in is a bank account too, and a set
    of units has units.

    Raises:
        Unusable: the record cannot be used.
    """
    shape = SHAPES[str(record.tag)]
    erp_id = fields.need(record, "ListID")
    attributes = {ours: value for ours, theirs in shape.attributes.items() if (value := wire.text(record, theirs))}
    if record.tag in ITEMS:
        attributes["item_type"] = str(record.tag)[4:-3]
    active = wire.text(record, "IsActive")
    entry = ListEntry(
        kind=shape.kind,
        erp_id=ErpId(erp_id),
        key=erp_id,
        name=wire.text(record, "FullName") or fields.need(record, "Name"),
        active=active is None or active.lower() == "true",
        revision=fields.revision(record),
        attributes=attributes,
    )
    yield entry
    if shape.kind is ListKind.GL_ACCOUNT and attributes.get("account_type") in MONEY:
        yield entry.model_copy(update={"kind": ListKind.BANK_ACCOUNT})
    if shape.kind is ListKind.UNIT_GROUP:
        yield from _units(record, entry)


def _units(record: etree._Element, group: ListEntry) -> Iterator[ListEntry]:
    named = [(wire.text(record, "BaseUnit/Name"), "1")]
    named += [
        (wire.text(unit, "Name"), wire.text(unit, "ConversionRatio") or "")
        for unit in wire.children(record, ("RelatedUnit",))
    ]
    for name, factor in named:
        if name:
            yield ListEntry(
                kind=ListKind.UNIT,
                erp_id=ErpId(f"{group.erp_id}:{name}"),
                key=name,
                name=name,
                active=group.active,
                revision=group.revision,
                attributes={"group": group.erp_id, "factor": factor},
            )
