"""Store changes to list entries that were asked for here, and what became of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import Erp
from models.domain.ids import ConnectionId, ErpId, ExternalKey, ListChangeId, OrganizationId
from models.domain.list_changes import EntryToPush, FieldConflict, ListAction, ListChangeStatus, fields_of
from models.domain.lists import ListKind
from models.domain.writes import WriteKind
from models.messages.list_changes import ListChangeState
from models.store.audit import events, writes
from models.store.base.identity import digest_of, named_id
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import ListChangeRow, ListEntryRow

SUBJECT = "list_change"
_FRESH = {"populate_existing": True}


class NewChange(NamedTuple):
    """A change that somebody asked for."""

    organization_id: OrganizationId
    connection_id: ConnectionId
    request_key: str
    kind: ListKind
    action: ListAction
    name: str
    key: str | None
    erp_id: ErpId | None
    entity: str | None
    wanted: Mapping[str, str]
    agreed: Mapping[str, str | None]
    actor: str


async def create(session: AsyncSession, new: NewChange) -> ListChangeRow:
    """Save a change and plan its write."""
    change_id = named_id("change", new.key or new.name, new.organization_id, new.request_key)
    row = ListChangeRow(
        id=change_id,
        organization_id=new.organization_id,
        connection_id=new.connection_id,
        kind=new.kind.value,
        action=new.action.value,
        status=ListChangeStatus.SENDING.value,
        name=new.name,
        key=new.key,
        erp_id=new.erp_id,
        entity=new.entity,
        wanted=dict(new.wanted),
        agreed=dict(new.agreed),
        conflicts=[],
        external_key="PSL-" + digest_of(change_id)[:16].upper(),
        created_by=new.actor,
    )
    session.add(row)
    await session.flush()
    key = ExternalKey(row.external_key)
    await writes.plan_one(session, key, new.connection_id, WriteKind.LIST_CHANGE, row.id)
    await session.refresh(row)
    await happened(session, row, "asked_for", actor=new.actor, after={"values": dict(new.wanted)})
    return row


async def get(
    session: AsyncSession,
    change_id: ListChangeId,
    organization_id: OrganizationId | None = None,
    *,
    lock: bool = False,
) -> ListChangeRow | None:
    """Return a change; None when there is none, or it is another organization's."""
    statement = select(ListChangeRow).where(col(ListChangeRow.id) == change_id)
    if organization_id is not None:
        statement = statement.where(col(ListChangeRow.organization_id) == organization_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.exec(statement, execution_options=_FRESH)).one_or_none()


async def page(
    session: AsyncSession,
    connection_id: ConnectionId,
    *,
    kind: ListKind | None = None,
    statuses: Collection[ListChangeStatus] = (),
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[ListChangeRow]:
    """Return one page of the connection's changes, newest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(ListChangeRow).where(col(ListChangeRow.connection_id) == connection_id)
    if kind is not None:
        statement = statement.where(col(ListChangeRow.kind) == kind.value)
    if statuses:
        statement = statement.where(col(ListChangeRow.status).in_([status.value for status in statuses]))
    if cursor is not None:
        created_at, change_id = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(col(ListChangeRow.created_at), col(ListChangeRow.id)) < (instant_in_cursor(created_at), change_id)
        )
    statement = statement.order_by(col(ListChangeRow.created_at).desc(), col(ListChangeRow.id).desc())
    rows = (await session.exec(statement.limit(limit + 1), execution_options=_FRESH)).all()
    return listing(rows, limit, lambda one: (one.created_at.isoformat(), one.id))


async def under_way(session: AsyncSession, connection_id: ConnectionId, kind: ListKind, erp_id: ErpId) -> bool:
    """Return whether a change of this entry is on its way to the ERP."""
    rows = await session.execute(
        text(
            "select 1 from list_changes where connection_id = :c and kind = :kind and erp_id = :erp_id"
            " and status = 'sending'"
        ),
        {"c": connection_id, "kind": kind.value, "erp_id": erp_id},
    )
    return rows.first() is not None


async def lock_new(session: AsyncSession, connection_id: ConnectionId, kind: ListKind) -> None:
    """Let new entries of one list be decided one after the other: two people may ask for the same one at once."""
    name = f"list_changes.{connection_id}.{kind.value}"
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


async def being_made(
    session: AsyncSession, connection_id: ConnectionId, kind: ListKind, *, key: str | None, name: str
) -> ListChangeRow | None:
    """Return the new entry with this key or this name that is on its way to the ERP."""
    statement = select(ListChangeRow).where(
        col(ListChangeRow.connection_id) == connection_id,
        col(ListChangeRow.kind) == kind.value,
        col(ListChangeRow.action) == ListAction.CREATE.value,
        col(ListChangeRow.status) == ListChangeStatus.SENDING.value,
        _is_called(key, name),
    )
    return (await session.exec(statement.limit(1), execution_options=_FRESH)).first()


def _is_called(key: str | None, name: str) -> ColumnElement[bool]:
    """Match by key or name. Entries that the ERP numbers have no key that two of them could share."""
    named = col(ListChangeRow.name) == name
    return named if key is None else named | (col(ListChangeRow.key) == key)


def conflicts_of(row: ListChangeRow) -> list[FieldConflict]:
    """Return the fields that both sides had changed when it was sent last."""
    return [FieldConflict.model_validate(one) for one in row.conflicts]


def to_push(row: ListChangeRow, fields: Mapping[str, str] | None = None) -> EntryToPush:
    """Return the change as it is sent; with `fields`, only those."""
    return EntryToPush(
        external_key=ExternalKey(row.external_key),
        kind=ListKind(row.kind),
        erp_id=None if row.erp_id is None else ErpId(row.erp_id),
        key=row.key,
        entity=row.entity,
        fields=row.wanted if fields is None else fields,
    )


_STATE = text(
    "select c.connection_id, n.erp, c.kind, c.action, c.name, c.asks from list_changes c"
    " join connections n on n.id = c.connection_id where c.id = :id and c.status = 'sending'"
)


async def state_of(session: AsyncSession, change_id: ListChangeId) -> ListChangeState | None:
    """Return what the workflow of a change is started with; None: it has ended."""
    row = (await session.execute(_STATE, {"id": change_id})).one_or_none()
    if row is None:
        return None
    return ListChangeState(
        connection_id=ConnectionId(row.connection_id),
        erp=Erp(row.erp),
        change_id=change_id,
        kind=ListKind(row.kind),
        action=ListAction(row.action),
        name=row.name,
        ask=row.asks,
    )


async def open_changes(session: AsyncSession, connection_id: ConnectionId) -> list[ListChangeId]:
    """Return the connection's changes that need a workflow, except those of the last minute."""
    rows = await session.execute(
        text(
            "select id from list_changes c where connection_id = :c and status = 'sending'"
            "   and changed_at <= now() - interval '1 minute'"
            "   and not exists (select from outbox m where m.subject_id = c.id) order by created_at, id"
        ),
        {"c": connection_id},
    )
    return [ListChangeId(row.id) for row in rows]


async def end(
    session: AsyncSession,
    row: ListChangeRow,
    status: ListChangeStatus,
    *,
    actor: str,
    problem: str = "",
    code: str | None = None,
    conflicts: Sequence[FieldConflict] = (),
    why: str = "",
) -> None:
    """Give a locked change the status that it has ended with, and log it with the fields that both sides changed."""
    if (row.status, row.problem) == (status.value, problem):
        return
    before = {"status": row.status}
    row.status, row.problem, row.problem_code = status.value, problem, code
    row.conflicts = [one.model_dump(mode="json") for one in conflicts]
    await touch(session, row)
    after = {"status": status.value, "conflicts": row.conflicts, "problem": problem, "code": code}
    await happened(session, row, status.value, actor=actor, why=why, before=before, after=after)


async def ask_anew(
    session: AsyncSession, row: ListChangeRow, agreed: Mapping[str, str | None], *, actor: str, why: str
) -> None:
    """Send a locked change once more: what both sides agree on now is what a person has seen."""
    row.status, row.asks = ListChangeStatus.SENDING.value, row.asks + 1
    row.problem, row.problem_code = "", None
    row.agreed, row.conflicts = dict(agreed), []
    await touch(session, row)
    await session.execute(
        text(
            "update erp_writes set state = 'planned', sent_at = null, problem_code = null, confirmed_at = null"
            " where external_key = :key and (state in ('rejected', 'planned') or :action = 'change')"
        ),
        {"key": row.external_key, "action": row.action},
    )
    await happened(session, row, "asked_anew", actor=actor, why=why, after={"values": row.wanted})


async def touch(session: AsyncSession, row: ListChangeRow) -> None:
    """Save a locked change as another version."""
    row.version += 1
    session.add(row)
    await session.flush()
    await session.execute(text("update list_changes set changed_at = now() where id = :id"), {"id": row.id})
    await session.refresh(row)


async def fail(
    session: AsyncSession, change_id: ListChangeId, ask: int, problem: str, *, code: str, actor: str
) -> ListChangeRow | None:
    """Record why an ask failed, and return the change; None: it was asked for anew, or has ended. A change that the ERP
    may hold stays under way."""
    row = await get(session, change_id, lock=True)
    assert row is not None, "a change is never removed"
    if row.asks != ask or row.status != ListChangeStatus.SENDING:
        return None
    if row.action == ListAction.CREATE and await writes.in_doubt(session, change_id):
        row.problem, row.problem_code = problem, code
        await touch(session, row)
        after = {"problem": problem, "code": code}
        await happened(session, row, "in_doubt", actor=actor, after=after)
        return row
    await end(session, row, ListChangeStatus.REFUSED, actor=actor, problem=problem, code=code)
    return row


_REFUSED_AND_ENTERED = text(
    "select c.id, e.erp_id, e.key, e.name, e.active, e.attributes, e.deleted_at from list_changes c"
    " join list_entries e on e.connection_id = c.connection_id and e.kind = c.kind and case"
    "   when c.action = 'change' then e.erp_id = c.erp_id"
    "   else e.key = c.key end"
    " where c.connection_id = :c and c.status = 'refused' order by c.id for update of c"
)


class RefusedChange(NamedTuple):
    """A refused change, and the entry as the ERP shows it by now."""

    row: ListChangeRow
    there: Mapping[str, str]
    deleted: bool


async def refused_and_entered(session: AsyncSession, connection_id: ConnectionId) -> list[RefusedChange]:
    """Return the refused changes whose entries the ERP shows, or has shown, held until the transaction ends. Of a new
    entry that the ERP would number nobody knows whether an entry of its name is it."""
    changes = []
    for one in (await session.execute(_REFUSED_AND_ENTERED, {"c": connection_id})).all():
        row = await get(session, ListChangeId(one.id))
        assert row is not None, "a change is never removed"
        there = fields_of(one.name, one.attributes, active=one.active)
        changes.append(RefusedChange(row, there, one.deleted_at is not None))
    return changes


async def refused_of(session: AsyncSession, new: NewChange) -> list[ListChangeRow]:
    """Return the refused changes whose place a new one takes, locked: those of the same fields of the same entry, or of
    a new entry with the same key or name."""
    statement = select(ListChangeRow).where(
        col(ListChangeRow.connection_id) == new.connection_id,
        col(ListChangeRow.kind) == new.kind.value,
        col(ListChangeRow.action) == new.action.value,
        col(ListChangeRow.status) == ListChangeStatus.REFUSED.value,
    )
    if new.action is ListAction.CHANGE:
        statement = statement.where(col(ListChangeRow.erp_id) == new.erp_id)
    else:
        statement = statement.where(_is_called(new.key, new.name))
    rows = (await session.exec(statement.with_for_update(), execution_options=_FRESH)).all()
    return [row for row in rows if new.action is ListAction.CREATE or row.wanted.keys() <= new.wanted.keys()]


async def of_entry(session: AsyncSession, entry: ListEntryRow, *, limit: int) -> Sequence[ListChangeRow]:
    """Return the changes of one entry that were asked for here, newest first, the one that made it among them."""
    statement = select(ListChangeRow).where(
        col(ListChangeRow.connection_id) == entry.connection_id,
        col(ListChangeRow.kind) == entry.kind,
        col(ListChangeRow.erp_id) == entry.erp_id,
    )
    statement = statement.order_by(col(ListChangeRow.created_at).desc(), col(ListChangeRow.id).desc())
    return (await session.exec(statement.limit(limit), execution_options=_FRESH)).all()


async def happened(
    session: AsyncSession,
    row: ListChangeRow,
    kind: str,
    *,
    actor: str,
    why: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Log what happened to a change."""
    await events.record(
        session,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.connection_id),
        subject_kind=SUBJECT,
        subject_id=row.id,
        kind=kind,
        actor=actor,
        why=why,
        before=before,
        after=after,
    )
