"""Log what the ERP changes of list entries that are mirrored, and read an entry's history."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, ConnectionId, ListChangeId
from models.store.audit import events
from models.store.sync.list_changes import SUBJECT as CHANGE
from models.tables import EventRow, ListEntryRow

SUBJECT = "list_entry"
CHANGED = "changed_in_erp"
DELETED = "deleted_in_erp"

_CHANGED = text(
    events.ADD
    + """
    select c.organization_id, c.id, :subject, l.kind || ' ' || l.erp_id, :kind, :actor, '',
           (select jsonb_object_agg(b.key, b.value) from jsonb_each(d.before) b
             where b.value is distinct from d.after -> b.key),
           (select jsonb_object_agg(a.key, a.value) from jsonb_each(d.after) a
             where a.value is distinct from d.before -> a.key)
      from unnest(cast(:contents as text[])) as w(content),
           json_to_record(cast(w.content as json)) as e(kind text, erp_id text, key text, name text, active boolean,
             entity text, attributes jsonb),
           list_entries l, connections c,
           lateral (select l.attributes || jsonb_build_object('key', l.key, 'name', l.name, 'active', l.active,
                       'entity', l.entity, 'deleted', l.deleted_at is not null) as before,
                    e.attributes || jsonb_build_object('key', e.key, 'name', e.name, 'active', e.active,
                       'entity', e.entity, 'deleted', false) as after) d
     where c.id = :c and l.connection_id = c.id and l.kind = e.kind and l.erp_id = e.erp_id
       and d.before is distinct from d.after
    """
)


async def changed(connection: AsyncConnection, connection_id: ConnectionId, contents: Sequence[str]) -> None:
    """Log by field what the mirror held of these entries, and what the ERP shows now. Comes before they are stored."""
    values = {"c": connection_id, "subject": SUBJECT, "kind": CHANGED, "actor": SYNCER, "contents": list(contents)}
    await connection.execute(_CHANGED, values)


_DELETED = text(
    events.ADD
    + """
    select c.organization_id, c.id, :subject, l.kind || ' ' || l.erp_id, :kind, :actor, '', null,
           jsonb_build_object('key', l.key, 'name', l.name)
      from unnest(cast(:kinds as text[]), cast(:ids as text[])) as d(kind, erp_id)
      join connections c on c.id = :c
      join list_entries l on l.connection_id = c.id and l.kind = d.kind and l.erp_id = d.erp_id
     where l.deleted_at is null
    """
)


async def deleted(
    connection: AsyncConnection, connection_id: ConnectionId, kinds: Sequence[str], erp_ids: Sequence[str]
) -> None:
    """Log that the ERP does not have these entries any more. Comes before they are marked so."""
    values = {"c": connection_id, "subject": SUBJECT, "kind": DELETED, "actor": SYNCER}
    await connection.execute(_DELETED, {**values, "kinds": list(kinds), "ids": list(erp_ids)})


async def of_entry(
    s: AsyncSession, entry: ListEntryRow, changes: Sequence[ListChangeId], *, limit: int
) -> Sequence[EventRow]:
    """Return the newest events of an entry and of these changes of it, oldest first."""
    of_it = (col(EventRow.subject_kind) == SUBJECT) & (col(EventRow.subject_id) == f"{entry.kind} {entry.erp_id}")
    of_changes = (col(EventRow.subject_kind) == CHANGE) & col(EventRow.subject_id).in_(changes)
    statement = select(EventRow).where(col(EventRow.connection_id) == entry.connection_id, of_it | of_changes)
    rows = (await s.exec(statement.order_by(col(EventRow.id).desc()).limit(limit))).all()
    return rows[::-1]
