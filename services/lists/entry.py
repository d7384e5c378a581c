"""Make and change list entries here: one decision each, in the transaction of whoever asked."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ErpId, OrganizationId
from models.domain.list_changes import ACTIVE, NAME, ListAction, VendorIds, WritableList, same
from models.domain.lists import ListKind
from models.store.audit import events
from models.store.audit.outbox import OutboxMessage
from models.store.sync import list_changes, list_entries
from models.store.sync.list_changes import NewChange
from models.store.sync.list_entries import values_of
from models.tables import ConnectionRow, ListChangeRow, ListEntryRow
from services.lists import placing
from services.lists.issues import replace_refused
from services.lists.owed import owe
from services.refusal import Refused

REFERS_TO: Mapping[str, ListKind] = {
    "term": ListKind.TERM,
    "account": ListKind.GL_ACCOUNT,
    "unit_group": ListKind.UNIT_GROUP,
}
"""Fields whose value is an entry of another list."""

ERP_OWNED = frozenset({"bank_account", "payment_method", "external_id", "balance", "key", "erp_id", "revision"})
"""Fields that belong to the ERP whoever is the master: bank data, ids, balances."""


class AskedEntry(NamedTuple):
    """What a person wants of a list entry."""

    fields: Mapping[str, str]
    """By our names, the name and `active` among them."""
    key: str | None = None
    entity: str | None = None
    same_name: bool = False
    """The person decided that a further entry may have this name."""
    seen: Mapping[str, str | None] | None = None
    """The values that the person saw; None: those that are here."""


class Accepted(NamedTuple):
    """What became of what was asked for."""

    change: ListChangeRow | None
    """None: nothing has to be sent."""
    kept_here: tuple[str, ...]
    """Fields that the ERP does not have: they are kept here."""
    messages: tuple[OutboxMessage, ...]


def writable(connection: ConnectionRow, kind: ListKind) -> WritableList:
    """Return what may be written of a list.

    Raises:
        Refused: LIST_NOT_WRITTEN.
    """
    lists = [WritableList.model_validate(one) for one in connection.capabilities.get("lists_out", ())]
    for one in lists:
        if one.kind is kind:
            return one
    names = ", ".join(one.kind.value for one in lists) or "none"
    raise Refused("LIST_NOT_WRITTEN", f"Lists of {connection.name} that are written from here: {names}.")


async def make(
    session: AsyncSession, connection: ConnectionRow, kind: ListKind, asked: AskedEntry, *, request_key: str, actor: str
) -> Accepted:
    """Have a new entry made in the ERP.

    Raises:
        Refused: LIST_NOT_WRITTEN, LIST_FIELD_REFUSED, LIST_KEY_REFUSED, LIST_KEY_TAKEN, LIST_NAME_TAKEN,
            LIST_ENTITY_REFUSED, LIST_VALUE_UNKNOWN.
    """
    shape = writable(connection, kind)
    connection_id = ConnectionId(connection.id)
    fields = _checked(shape, asked.fields, (NAME, *shape.new))
    lacking = [field for field in (NAME, *shape.needed) if not fields.get(field)]
    if lacking:
        raise Refused("LIST_FIELD_REFUSED", f"A new {_said(kind)} needs {', '.join(lacking)}.")
    key = _key(connection, shape, asked.key)
    await list_changes.lock_new(session, connection_id, kind)
    await _is_new(session, connection_id, kind, key, fields[NAME], same_name=asked.same_name)
    fields = await _resolved(session, connection_id, kind, fields)
    entity = await placing.of_new(session, connection, asked.entity)
    if kind is ListKind.LOCATION and entity is not None and connection.capabilities.get("lists_have_levels"):
        fields.setdefault("parent", entity)
    row = await _replacing_refused(
        session,
        NewChange(
            organization_id=OrganizationId(connection.organization_id),
            connection_id=connection_id,
            request_key=request_key,
            kind=kind,
            action=ListAction.CREATE,
            name=fields[NAME],
            key=key,
            erp_id=None,
            entity=entity,
            wanted=fields,
            agreed={},
            actor=actor,
        ),
    )
    return Accepted(row, (), (await owe(session, row, request_key),))


async def change(
    session: AsyncSession, connection: ConnectionRow, entry: ListEntryRow, asked: AskedEntry, *, request_key: str,
    actor: str,
) -> Accepted:  # fmt: skip
    """Have fields of an entry changed in the ERP; those that it does not have are kept here.

    Raises:
        Refused: LIST_NOT_WRITTEN, LIST_FIELD_REFUSED, LIST_ENTRY_SHARED, LIST_CHANGE_UNDER_WAY, LIST_VALUE_UNKNOWN.
    """
    kind, connection_id, erp_id = ListKind(entry.kind), ConnectionId(connection.id), ErpId(entry.erp_id)
    shape = writable(connection, kind)
    fields = _checked(shape, asked.fields, (NAME, ACTIVE, *shape.changes, *shape.kept_here))
    kept = {field: value for field, value in fields.items() if field in shape.kept_here}
    fields = {field: value for field, value in fields.items() if field not in kept}
    if fields:
        await placing.must_be_changed_here(session, connection, entry)
        if await list_changes.under_way(session, connection_id, kind, erp_id):
            raise Refused("LIST_CHANGE_UNDER_WAY", f"Another change of {entry.name} is on its way.")
        fields = await _resolved(session, connection_id, kind, fields)
        await _no_circle(session, entry, fields.get("parent"))
    if kept:
        await _keep_here(session, connection, entry, kept, actor=actor)
    here = values_of(entry)
    wanted = {field: value for field, value in fields.items() if not same(value, here.get(field))}
    if not wanted:
        return Accepted(None, tuple(kept), ())
    seen = here if asked.seen is None else {**here, **asked.seen}
    row = await _replacing_refused(
        session,
        NewChange(
            organization_id=OrganizationId(connection.organization_id),
            connection_id=connection_id,
            request_key=request_key,
            kind=kind,
            action=ListAction.CHANGE,
            name=entry.name,
            key=entry.key,
            erp_id=erp_id,
            entity=entry.entity,
            wanted=wanted,
            agreed={field: seen.get(field) for field in wanted},
            actor=actor,
        ),
    )
    return Accepted(row, tuple(kept), (await owe(session, row, request_key),))


async def _replacing_refused(session: AsyncSession, new: NewChange) -> ListChangeRow:
    """Save a change in place of those that the ERP refused, of which it says the same anew."""
    await replace_refused(session, new)
    return await list_changes.create(session, new)


def _checked(shape: WritableList, given: Mapping[str, str], taken: tuple[str, ...]) -> dict[str, str]:
    owned = sorted(field for field in given if field in ERP_OWNED)
    if owned:
        raise Refused("LIST_FIELD_REFUSED", f"These belong to the ERP and are changed there: {', '.join(owned)}.")
    unknown = sorted(field for field in given if field not in taken)
    if unknown:
        raise Refused(
            "LIST_FIELD_REFUSED",
            f"A {_said(shape.kind)} is not written with {', '.join(unknown)}; it is with {', '.join(taken)}.",
        )
    if given.get(NAME) == "":
        raise Refused("LIST_FIELD_REFUSED", "The name cannot be empty.")
    for field in (ACTIVE, "on_hold"):
        if given.get(field, "true") not in ("true", "false"):
            raise Refused("LIST_FIELD_REFUSED", f"{field} is true or false.")
    return dict(given)


def _key(connection: ConnectionRow, shape: WritableList, given: str | None) -> str | None:
    if not shape.key_given:
        if given is not None:
            raise Refused("LIST_KEY_REFUSED", f"The ERP gives a {_said(shape.kind)} its id: leave the key out.")
        return None
    if shape.numbered and connection.vendor_ids == VendorIds.ERP:
        if given is not None:
            raise Refused("LIST_KEY_REFUSED", "The setting vendor_ids says that the ERP numbers vendors.")
        return None
    if given is None:
        raise Refused("LIST_KEY_REFUSED", f"A new {_said(shape.kind)} needs its id as `key`.")
    return given


async def _is_new(
    session: AsyncSession, connection_id: ConnectionId, kind: ListKind, key: str | None, name: str, *, same_name: bool
) -> None:
    if key is not None and await list_entries.find(session, connection_id, kind, key) is not None:
        raise Refused("LIST_KEY_TAKEN", f"There is a {_said(kind)} {key} already.")
    other = await list_changes.being_made(session, connection_id, kind, key=key, name=name)
    if other is not None and key is not None and other.key == key:
        raise Refused("LIST_KEY_TAKEN", f"A {_said(kind)} {key} is being made: {other.id}.")
    if same_name:
        return
    if other is not None:
        raise Refused("LIST_NAME_TAKEN", f"A {_said(kind)} called {name} is being made: {other.id}.")
    named = await list_entries.named(session, connection_id, kind, [name])
    if named and named.get(name) is not None and named[name].name == name:
        raise Refused("LIST_NAME_TAKEN", f"There is a {_said(kind)} called {name} already: {named[name].number}.")


async def _resolved(
    session: AsyncSession, connection_id: ConnectionId, kind: ListKind, fields: Mapping[str, str]
) -> dict[str, str]:
    """Return the fields with the ERP's ids of what they name. Of a list that never came in nothing is known."""
    resolved = dict(fields)
    for field, of in {**REFERS_TO, "parent": kind}.items():
        given = fields.get(field)
        if not given:
            continue
        entries = await list_entries.named(session, connection_id, of, [given])
        if entries is not None and given not in entries:
            raise Refused("LIST_VALUE_UNKNOWN", f"{field}: the ERP has no {_said(of)} {given!r}.")
        resolved[field] = given if entries is None else entries[given].key
    return resolved


async def _no_circle(session: AsyncSession, entry: ListEntryRow, parent: str | None) -> None:
    if parent and await list_entries.is_under(session, parent, entry):
        raise Refused("LIST_FIELD_REFUSED", f"parent: {parent} is {entry.key} itself, or below it.")


async def _keep_here(
    session: AsyncSession, connection: ConnectionRow, entry: ListEntryRow, kept: Mapping[str, str], *, actor: str
) -> None:
    before = dict(entry.kept_here)
    entry.kept_here = {**before, **kept}
    session.add(entry)
    await session.flush()
    await events.record(
        session,
        organization_id=OrganizationId(connection.organization_id),
        connection_id=ConnectionId(connection.id),
        subject_kind="list_entry",
        subject_id=f"{entry.kind} {entry.erp_id}",
        kind="kept_here",
        actor=actor,
        before=before,
        after=entry.kept_here,
    )


def _said(kind: ListKind) -> str:
    return kind.value.replace("_", " ")
