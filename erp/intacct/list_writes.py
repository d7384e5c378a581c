"""Make and change list entries by the generic functions (reference 3.8), at the level that each belongs to.

An entry with a key of its own is found by it. A vendor that Intacct numbers has none that we know before: our key then
ends its comments, and it is found by its name and that.
"""

import hashlib
from collections.abc import Iterator, Mapping

from erp.errors import NotFound, Rejected
from erp.intacct import wire
from erp.intacct.client import IntacctClient
from erp.intacct.lists import SHAPES, ListShape, list_entry, list_query
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query
from erp.transport import malformed
from models.domain.ids import ErpId, ExternalKey
from models.domain.list_changes import ACTIVE, NAME, EntryToPush, WritableList
from models.domain.lists import ListEntry, ListKind

CONTACT = (
    "email", "phone", "company_name", "first_name", "middle_name", "last_name",
    "street_1", "street_2", "city", "state", "zip",
)  # fmt: skip

LISTS_OUT = (
    WritableList(
        kind=ListKind.VENDOR,
        new=("term", "currency", "account", "parent", "on_hold", *CONTACT),
        changes=("term", "account", "parent", "on_hold", *CONTACT),
        key_given=True,
        numbered=True,
    ),
    WritableList(
        kind=ListKind.ITEM,
        new=("item_type", "unit_group", "purchase_description", "gl_group"),
        needed=("item_type",),
        changes=("purchase_description", "gl_group"),
        key_given=True,
    ),
    WritableList(kind=ListKind.DEPARTMENT, new=("parent",), changes=("parent",), key_given=True),
    WritableList(kind=ListKind.LOCATION, new=("parent",), changes=("parent",), key_given=True),
    WritableList(kind=ListKind.CLASS, new=("parent",), changes=("parent",), key_given=True),
)

SHAPE_OF: Mapping[ListKind, ListShape] = {one.kind: next(s for s in SHAPES if s.kind is one.kind) for one in LISTS_OUT}

OWN_KEY = "COMMENTS"
"""Where our key ends what people wrote, of a vendor that Intacct numbers."""

PRINTED_AS = "DISPLAYCONTACT.PRINTAS"


class ListWrites:
    """Writes the lists of one connection."""

    def __init__(self, client: IntacctClient, reader: IntacctReader) -> None:
        self._client = client
        self._reader = reader

    async def find(self, new: EntryToPush) -> ErpId | None:
        """Return the entry with the new one's name, and its key or our own key in its comments."""
        shape = SHAPE_OF[new.kind]
        wanted = {shape.name: new.fields[NAME]}
        if new.key is not None:
            wanted[shape.key] = new.key
        optional = (OWN_KEY,) if new.key is None else ()
        query = Query(
            shape.object,
            ("RECORDNO", shape.key),
            wire.all_of(*(wire.equal(field, value) for field, value in wanted.items())),
            optional=optional,
        )
        (rows,) = await self._reader.all_rows([query], level=_level(shape, new.entity))
        for row in rows:
            if new.key is not None or _written_key(new.external_key) in row.get(OWN_KEY, ""):
                return ErpId(row["RECORDNO"])
        return None

    async def check_new(self, new: EntryToPush) -> None:
        """Check that no entry has the new one's key.

        Raises:
            Rejected: LIST_KEY_TAKEN.
        """
        if new.key is None:
            return
        shape = SHAPE_OF[new.kind]
        query = Query(shape.object, ("RECORDNO", shape.key), wire.equal(shape.key, new.key))
        (rows,) = await self._reader.all_rows([query], level=_level(shape, new.entity))
        if rows:
            raise Rejected(
                f"Intacct has a {new.kind.value} {new.key} already.",
                code="LIST_KEY_TAKEN",
                evidence={"key": new.key, "record": rows[0].get("RECORDNO", "")},
            )

    async def create(self, new: EntryToPush) -> ErpId:
        """Create the entry as one transaction under our key, in a session of the level that it belongs to.

        Raises:
            MalformedAnswer: the answer lacks the new record.
        """
        shape = SHAPE_OF[new.kind]
        fields = dict(_theirs(shape, new.fields))
        if new.key is not None:
            fields = {shape.key: new.key, **fields}
        elif new.kind is ListKind.VENDOR:
            fields[OWN_KEY] = _written_key(new.external_key)
        if new.kind is ListKind.VENDOR:
            fields.setdefault(PRINTED_AS, new.fields[NAME])
        body = f"<create><{shape.object}>{_nested(fields)}</{shape.object}></create>"
        result = await self._client.write(body, control_id=new.external_key, level=_level(shape, new.entity))
        number = result.data.findtext("*/RECORDNO") if result.data is not None else None
        if not number:
            raise malformed(f"Intacct made the {new.kind.value} without naming its record.", writing=True)
        return ErpId(number)

    async def read(self, kind: ListKind, erp_id: ErpId, *, entity: str | None) -> ListEntry:
        """Read one entry by its record number, at the level that it belongs to.

        Raises:
            NotFound: Intacct does not show it there.
        """
        shape = SHAPE_OF[kind]
        query = list_query(shape, None, where=wire.equal("RECORDNO", erp_id))
        (rows,) = await self._reader.all_rows([query], level=_level(shape, entity))
        if not rows:
            raise NotFound(f"Intacct has no {kind.value} with the record number {erp_id}.", code="RECORD_NOT_FOUND")
        return list_entry(shape, rows[0])

    async def update(self, change: EntryToPush, *, edition: str) -> None:
        """Update the record by its number; a field that is given empty is cleared."""
        shape = SHAPE_OF[change.kind]
        fields = {"RECORDNO": str(change.erp_id), **dict(_theirs(shape, change.fields))}
        body = f"<update><{shape.object}>{_nested(fields)}</{shape.object}></update>"
        digest = hashlib.blake2b(f"{edition} {sorted(change.fields.items())}".encode(), digest_size=6).hexdigest()
        level = _level(shape, change.entity)
        await self._client.write(body, control_id=f"{change.external_key}:{digest}", level=level)


def _level(shape: ListShape, entity: str | None) -> str | None:
    """Return the level of an entry. A location is an entity's by what is above it, and lives at the top."""
    return entity if shape.private else None


def _written_key(key: ExternalKey) -> str:
    return f"[{key}]"


def _theirs(shape: ListShape, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return Intacct's fields and their values. What is read from the first of several fields is written to that one,
    and cleared in all of them."""
    for field, value in fields.items():
        if field == NAME:
            yield shape.name, value
        elif field == ACTIVE:
            yield "STATUS", "active" if value == "true" else "inactive"
        else:
            theirs = shape.attributes[field]
            names = (theirs,) if isinstance(theirs, str) else theirs
            for name in names if value == "" else names[:1]:
                yield name, value


def _nested(fields: Mapping[str, str]) -> str:
    """Return the fields as elements; those with dotted names inside each other."""
    inside: dict[str, dict[str, str]] = {}
    parts: list[str] = []
    for name, value in fields.items():
        outer, dot, inner = name.partition(".")
        if dot:
            inside.setdefault(outer, {})[inner] = value
        else:
            parts.append(wire.empty_or(name, value))
    parts += [f"<{outer}>{_nested(inner)}</{outer}>" for outer, inner in inside.items()]
    return "".join(parts)
