"""Make and change list entries as records of their own types (reference 3.5, 4, 7). Our key is their external id."""

from collections.abc import Mapping
from typing import Any

from erp.errors import NotFound, Rejected
from erp.netsuite.lists import SHAPES, Lists, ListShape
from erp.netsuite.reader import Reader, Search, any_of_ids
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import Writer, given, reference
from models.domain.ids import ErpId
from models.domain.list_changes import ACTIVE, NAME, EntryToPush, WritableList
from models.domain.lists import ListEntry, ListKind

ITEM_TYPES: Mapping[str, str] = {
    "NonInventoryPurchaseItem": "nonInventoryPurchaseItem",
    "ServicePurchaseItem": "servicePurchaseItem",
    "InventoryItem": "inventoryItem",
}
"""The types of items that can be made from here, and what a reference calls them."""

PERSON = ("first_name", "middle_name", "last_name")

LISTS_OUT = (
    WritableList(
        kind=ListKind.VENDOR,
        new=("number", "term", "account", "email", "phone", *PERSON),
        changes=("number", "term", "account", "email", "phone", *PERSON),
        kept_here=("on_hold",),
    ),
    WritableList(
        kind=ListKind.ITEM,
        new=("item_type", "purchase_description", "account", "unit_group"),
        needed=("item_type", "account"),
        changes=("purchase_description", "account"),
    ),
    WritableList(kind=ListKind.DEPARTMENT, new=("parent",), changes=("parent",)),
    WritableList(kind=ListKind.LOCATION, new=("parent",), changes=("parent",)),
    WritableList(kind=ListKind.CLASS, new=("parent",), changes=("parent",)),
)

SHAPE_OF: Mapping[ListKind, ListShape] = {one.kind: next(s for s in SHAPES if s.kind is one.kind) for one in LISTS_OUT}

RECORDS: Mapping[ListKind, tuple[str, str, str]] = {
    ListKind.VENDOR: ("relationships", "Vendor", "vendor"),
    ListKind.DEPARTMENT: ("accounting", "Department", "department"),
    ListKind.LOCATION: ("accounting", "Location", "location"),
    ListKind.CLASS: ("accounting", "Classification", "classification"),
}
"""By list: the schema, the type there, and what a reference calls it. Of an item the type says it."""

REFERENCES = frozenset({"terms", "payablesAccount", "parent", "unitsType", "expenseAccount"})
"""Fields that refer to another record."""


class ListWrites:
    """Writes the lists of one connection."""

    def __init__(self, reader: Reader, writer: Writer, lists: Lists) -> None:
        self._reader = reader
        self._writer = writer
        self._lists = lists

    async def find(self, new: EntryToPush) -> ErpId | None:
        """Return the record that carries our key."""
        kind = ITEM_TYPES[new.fields["item_type"]] if new.kind is ListKind.ITEM else RECORDS[new.kind][2]
        record = await self._reader.by_external_id(kind, new.external_key)
        return None if record is None else ErpId(record.id)

    async def check_new(self, new: EntryToPush) -> None:
        """Check nothing: NetSuite gives the key, and refuses a name that is taken."""

    async def create(self, new: EntryToPush) -> ErpId:
        """Add the record under our key, in the subsidiary that it belongs to, or in all of them.

        Raises:
            Rejected: ITEM_TYPE_NOT_MADE, or NetSuite's refusal.
        """
        fields = dict(new.fields)
        schema, shape = "accounting", fields.pop("item_type", "")
        if new.kind is not ListKind.ITEM:
            schema, shape, _ = RECORDS[new.kind]
        elif shape not in ITEM_TYPES:
            raise Rejected(
                f"Items of the type {shape} are not made from here; {', '.join(ITEM_TYPES)} are.",
                code="ITEM_TYPE_NOT_MADE",
                evidence={"item_type": shape},
            )
        values = await self._values(new.kind, fields) | await self._placed(new)
        internal_id = await self._writer.add(shape, {"externalId": new.external_key, **values}, schema=schema)
        return ErpId(internal_id)

    async def read(self, kind: ListKind, erp_id: ErpId, *, entity: str | None) -> ListEntry:
        """Read one entry, in the words of the list's own reading.

        Raises:
            NotFound: NetSuite does not show it.
        """
        return await self._lists.entry(SHAPE_OF[kind], await self._record(kind, erp_id))

    async def update(self, change: EntryToPush, *, edition: str) -> None:
        """Update the fields of the record; what is given empty is blanked by name."""
        assert change.erp_id is not None, "what is changed is in NetSuite"
        schema, shape = "accounting", ""
        if change.kind is ListKind.ITEM:
            shape = (await self._record(change.kind, change.erp_id)).kind
        else:
            schema, shape, _ = RECORDS[change.kind]
        set_to = {field: value for field, value in change.fields.items() if value != ""}
        blank = [_field(change.kind, field) for field in change.fields if field not in set_to]
        values = await self._values(change.kind, set_to)
        if blank:
            values["nullFieldList"] = {"name": blank}
        await self._writer.update(shape, {"internalId": change.erp_id, **values}, schema=schema)

    async def _record(self, kind: ListKind, erp_id: ErpId) -> NsRecord:
        if kind is not ListKind.ITEM:
            return await self._reader.record(RECORDS[kind][2], erp_id)
        # Only a search says of which type an item is.
        records = await self._reader.all(Search("ItemSearchBasic", {"internalId": any_of_ids([erp_id])}))
        if not records:
            raise NotFound(f"NetSuite has no item {erp_id}.", code="RECORD_NOT_FOUND")
        return records[0]

    async def _values(self, kind: ListKind, fields: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field, value in fields.items():
            name = _field(kind, field)
            if name == "isInactive":
                values[name] = value != "true"
            else:
                values[name] = reference(value) if name in REFERENCES else value
        if kind is ListKind.VENDOR and NAME in fields:
            values.setdefault("isPerson", False)
        return given(**values)

    async def _placed(self, new: EntryToPush) -> dict[str, Any]:
        """Return where a new record belongs: to one subsidiary, or to the top one with all below it."""
        subsidiaries = await self._lists.subsidiaries()
        if not subsidiaries:
            return {}
        top = next((one.id for one in subsidiaries if one.fields.get("parent") is None), subsidiaries[0].id)
        place = new.entity or top
        if new.kind is ListKind.VENDOR:
            return {"subsidiary": reference(place)}
        values: dict[str, Any] = {"subsidiaryList": {"recordRef": [reference(place)]}}
        if new.entity is None:
            values["includeChildren"] = True
        return values


def _field(kind: ListKind, field: str) -> str:
    """Return NetSuite's field for one of ours."""
    if field == ACTIVE:
        return "isInactive"
    shape = SHAPE_OF[kind]
    return shape.names[0] if field == NAME else shape.attributes[field]
