"""Store vendors, accounts, items and the other lists that are imported from the ERP (S2-06)."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ErpId, SyncRunId
from models.domain.list_changes import fields_of
from models.domain.lists import ListEntry, ListKind
from models.store.base.pages import Listing, decode_cursor, listing, page_size
from models.store.orders.order_pages import Upserted
from models.store.sync import list_history
from models.tables import ConnectionRow, ListEntryRow

_FRESH = {"populate_existing": True}


_STORED = text(
    "select l.kind, l.erp_id, l.revision, l.content_hash, l.deleted_at from list_entries l"
    " join unnest(cast(:kinds as text[]), cast(:ids as text[])) as n(kind, erp_id)"
    "   on l.kind = n.kind and l.erp_id = n.erp_id where l.connection_id = :c"
)

_WRITE = text(
    "insert into list_entries as held (connection_id, kind, erp_id, key, name, active, entity, revision,"
    "   attributes, content_hash)"
    " select :c, e.kind, e.erp_id, e.key, e.name, e.active, e.entity, w.revision, e.attributes, w.hash"
    " from unnest(cast(:contents as text[]), cast(:revisions as text[]), cast(:hashes as text[]))"
    "   as w(content, revision, hash),"
    "   json_to_record(cast(w.content as json)) as e(kind text, erp_id text, key text, name text,"
    "     active boolean, entity text, attributes jsonb)"
    " on conflict (connection_id, kind, erp_id) do update set key = excluded.key, name = excluded.name,"
    "   active = excluded.active, entity = excluded.entity, attributes = excluded.attributes,"
    "   revision = coalesce(excluded.revision, held.revision), content_hash = excluded.content_hash,"
    "   deleted_at = null, seen_at = now()"
    " where coalesce(held.revision <= excluded.revision, true)"
)


async def upsert(
    s: AsyncSession, connection_id: ConnectionId, entries: Sequence[ListEntry], *, log: bool = False
) -> Upserted:
    """Store a page of entries. Equal content writes nothing; an older revision never overwrites a newer one.

    An entry without a revision counts as the newest: some lists have no revision until their first change. `log`: what
    the ERP changed of entries that are here already is logged as events.
    """
    newest = _newest(entries)
    connection = await s.connection()
    rows = await connection.execute(
        _STORED,
        {"c": connection_id, "kinds": [kind for kind, _ in newest], "ids": [erp_id for _, erp_id in newest]},
    )
    stored = {(row.kind, row.erp_id): row for row in rows}
    writes: list[tuple[ListEntry, str, str]] = []
    others: list[str] = []
    changed = 0
    for key, entry in newest.items():
        content = entry.model_dump_json(exclude={"revision"})
        digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        row = stored.get(key)
        same = row is not None and row.content_hash == digest and row.deleted_at is None
        if row is not None and (_is_older(entry, row) or (same and entry.revision in (None, row.revision))):
            continue
        changed += not same
        if row is not None and not same:
            others.append(content)
        writes.append((entry, content, digest))
    if others and log:
        await list_history.changed(connection, connection_id, others)
    if writes:
        await connection.execute(
            _WRITE,
            {
                "c": connection_id,
                "contents": [content for _, content, _ in writes],
                "revisions": [entry.revision for entry, _, _ in writes],
                "hashes": [digest for _, _, digest in writes],
            },
        )
    return Upserted(len(entries), changed)


def _newest(entries: Sequence[ListEntry]) -> dict[tuple[str, str], ListEntry]:
    """Return each entry of a page once, in its newest revision, by kind and ERP id."""
    newest: dict[tuple[str, str], ListEntry] = {}
    for entry in entries:
        key = (entry.kind.value, str(entry.erp_id))
        other = newest.get(key)
        if other is None or (other.revision or "") <= (entry.revision or other.revision or ""):
            newest[key] = entry
    return newest


def _is_older(entry: ListEntry, row: Any) -> bool:
    """Return whether the stored row is newer. A deletion stands until a later revision."""
    if row.deleted_at is not None and (entry.revision or "") <= (row.revision or ""):
        return True
    return entry.revision is not None and row.revision is not None and entry.revision < row.revision


_SEEN = text(
    "update list_entries l set seen_at = now()"
    " from unnest(cast(:kinds as text[]), cast(:ids as text[])) as n(kind, erp_id)"
    " where l.connection_id = :c and l.kind = n.kind and l.erp_id = n.erp_id and l.deleted_at is null"
)


async def seen(s: AsyncSession, connection_id: ConnectionId, entries: Collection[tuple[ListKind, ErpId]]) -> None:
    """Record that the ERP shows these entries now."""
    shown = sorted({(kind.value, str(erp_id)) for kind, erp_id in entries})
    if shown:
        values = {"c": connection_id, "kinds": [kind for kind, _ in shown], "ids": [erp_id for _, erp_id in shown]}
        await s.execute(_SEEN, values)


_NOT_SEEN = text(
    "select l.kind, array_agg(l.erp_id order by l.erp_id) as ids from list_entries l join sync_runs r on r.id = :run"
    " where l.connection_id = :c and l.kind = any(cast(:kinds as text[])) and l.deleted_at is null"
    "   and l.seen_at < r.started_at group by l.kind order by l.kind"
)


async def not_seen_in(
    s: AsyncSession, connection_id: ConnectionId, run_id: SyncRunId, kinds: Collection[ListKind]
) -> dict[ListKind, list[ErpId]]:
    """Return the entries of these lists that a sync run, which has read them whole, did not show."""
    if not kinds:
        return {}
    values = {"c": connection_id, "run": run_id, "kinds": sorted(kind.value for kind in kinds)}
    return {ListKind(row.kind): [ErpId(one) for one in row.ids] for row in await s.execute(_NOT_SEEN, values)}


async def has_entities(s: AsyncSession, connection: ConnectionRow) -> bool:
    """Return whether the connection's company has entities, as far as its lists show."""
    if connection.entity is not None:
        return True
    return bool((await page(s, ConnectionId(connection.id), ListKind.ENTITY, limit=1)).items)


def values_of(entry: ListEntryRow) -> dict[str, str]:
    """Return the values that are here of an entry, by field."""
    return fields_of(entry.name, entry.attributes, active=entry.active)


async def by_erp_id(
    s: AsyncSession, connection_id: ConnectionId, kind: ListKind, erp_id: ErpId, *, lock: bool = False
) -> ListEntryRow | None:
    """Return an entry by the ERP's id, one that the ERP deleted too."""
    statement = select(ListEntryRow).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.erp_id) == erp_id,
    )
    if lock:
        statement = statement.with_for_update()
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def find(s: AsyncSession, connection_id: ConnectionId, kind: ListKind, key: str) -> ListEntryRow | None:
    """Return the active or inactive entry that people know by this key (vendor id, account number ...).

    Deleted ones never.
    """
    statement = select(ListEntryRow).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.key) == key,
        col(ListEntryRow.deleted_at).is_(None),
    )
    # Two records may share a key at two entities; the one in use wins.
    statement = statement.order_by(col(ListEntryRow.active).desc(), col(ListEntryRow.erp_id))
    return (await s.exec(statement.limit(1), execution_options=_FRESH)).first()


_ABOVE = text(
    """
    with recursive above as (
        select e.key, e.attributes ->> 'parent' as parent, 1 as steps from list_entries e
         where e.connection_id = :c and e.kind = :kind and e.key = :parent and e.deleted_at is null
        union all
        select e.key, e.attributes ->> 'parent', a.steps + 1 from above a join list_entries e
            on e.connection_id = :c and e.kind = :kind and e.key = a.parent and e.deleted_at is null
         where a.steps < 100
    )
    select 1 from above where key = :key limit 1
    """
)


async def is_under(s: AsyncSession, key: str, entry: ListEntryRow) -> bool:
    """Return whether the entry with this key is that entry of the same list, or below it."""
    values = {"c": entry.connection_id, "kind": entry.kind, "parent": key, "key": entry.key}
    return (await s.execute(_ABOVE, values)).first() is not None


_SHARED = text(
    "select distinct kind from list_entries where connection_id = :c and kind = any(cast(:kinds as text[]))"
    " and entity is null and deleted_at is null order by kind"
)


async def shared_lists(s: AsyncSession, connection_id: ConnectionId, kinds: Collection[str]) -> list[str]:
    """Return which of these lists have entries that all entities share."""
    return list((await s.execute(_SHARED, {"c": connection_id, "kinds": list(kinds)})).scalars())


async def active(s: AsyncSession, connection_id: ConnectionId, kind: ListKind) -> list[ListEntry]:
    """Return the active entries of a list, by the ERP's id."""
    statement = select(ListEntryRow).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.active),
        col(ListEntryRow.deleted_at).is_(None),
    )
    rows = await s.exec(statement.order_by(col(ListEntryRow.erp_id)), execution_options=_FRESH)
    return [
        ListEntry(kind=kind, erp_id=ErpId(row.erp_id), key=row.key, name=row.name, attributes=row.attributes)
        for row in rows
    ]


async def unknown(
    s: AsyncSession, connection_id: ConnectionId, given: Collection[tuple[ListKind, str]]
) -> set[tuple[ListKind, str]]:
    """Return what is in no list, by the key or the ERP's id. Of a list that is empty nothing is known yet."""
    kinds = sorted({kind for kind, _ in given})
    if not kinds:
        return set()
    statement = text(
        """
        select w.kind, w.value from unnest(cast(:kinds as text[]), cast(:names as text[])) as w (kind, value)
        where exists (select from list_entries e where e.connection_id = :connection and e.kind = w.kind)
          and not exists (
            select from list_entries e
            where e.connection_id = :connection and e.kind = w.kind and e.deleted_at is null
              and (e.key = w.value or e.erp_id = w.value)
          )
        """
    )
    wanted = {
        "connection": connection_id,
        "kinds": [kind.value for kind, _ in given],
        "names": [value for _, value in given],
    }
    return {(ListKind(kind), value) for kind, value in (await s.execute(statement, wanted)).all()}


async def no_keys(
    s: AsyncSession, connection_id: ConnectionId, given: Collection[tuple[ListKind, str]]
) -> set[tuple[ListKind, str]]:
    """Return what is no key of an entry that came in, whether its list is empty or not."""
    statement = text(
        "select w.kind, w.value from unnest(cast(:kinds as text[]), cast(:keys as text[])) as w (kind, value)"
        " where not exists (select from list_entries e where e.connection_id = :c and e.kind = w.kind"
        "   and e.key = w.value and e.deleted_at is null)"
    )
    asked = {"kinds": [kind.value for kind, _ in given], "keys": [value for _, value in given]}
    rows = await s.execute(statement, {"c": connection_id, **asked})
    return {(ListKind(row.kind), row.value) for row in rows}


_NO_VALUES = text(
    """
    select w.dimension, w.value from unnest(cast(:dimensions as text[]), cast(:names as text[])) as w (dimension, value)
     where exists (select from list_entries e where e.connection_id = :c and e.kind = :kind
                      and e.attributes ->> 'dimension' = w.dimension)
       and not exists (select from list_entries e where e.connection_id = :c and e.kind = :kind and e.active
                          and e.attributes ->> 'dimension' = w.dimension and e.deleted_at is null and e.key = w.value)
    """
)


async def no_values(
    s: AsyncSession, connection_id: ConnectionId, given: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return which pairs of a dimension of the company's own and a value's key the ERP does not have. Of a dimension
    whose values never came in nothing is known."""
    if not given:
        return set()
    values = {"c": connection_id, "kind": ListKind.CUSTOM_DIMENSION.value}
    wanted = {"dimensions": [name for name, _ in given], "names": [value for _, value in given]}
    return {(row.dimension, row.value) for row in await s.execute(_NO_VALUES, values | wanted)}


class Entry(NamedTuple):
    """One entry of a list, by each name that people may know it by."""

    key: str
    """The ERP's id, as documents name it."""
    number: str
    """The number that people know it by; the key where the ERP has no other."""
    name: str
    active: bool
    attributes: Mapping[str, str] = {}
    """Other values we use, under our own names."""


async def unusable(
    s: AsyncSession, connection_id: ConnectionId, given: Collection[tuple[ListKind, str]]
) -> dict[tuple[ListKind, str], str]:
    """Return what cannot be used, by the key or the ERP's id, and why: `unknown` or `inactive`.

    Of a list that is empty nothing is known yet. A project may be a customer where the ERP has one field for both.
    """
    if not given:
        return {}
    statement = text(
        """
        select w.kind, w.value, case when e.kind is null then 'unknown' else 'inactive' end as why
          from unnest(cast(:kinds as text[]), cast(:names as text[])) as w (kind, value)
          left join lateral (
              select e.kind, e.active from list_entries e
               where e.connection_id = :connection and e.deleted_at is null
                 and (e.kind = w.kind or (e.kind = 'customer' and w.kind = 'project' and exists (
                     select from connections c
                      where c.id = :connection and (c.capabilities ->> 'projects_or_customers')::boolean)))
                 and (e.key = w.value or e.erp_id = w.value)
               order by e.active desc limit 1) e on true
         where exists (select from list_entries x where x.connection_id = :connection and x.kind = w.kind)
           and (e.kind is null or not e.active)
        """
    )
    wanted = {
        "connection": connection_id,
        "kinds": [kind.value for kind, _ in given],
        "names": [value for _, value in given],
    }
    rows = (await s.execute(statement, wanted)).all()
    return {(ListKind(kind), value): why for kind, value, why in rows}


async def named(
    s: AsyncSession, connection_id: ConnectionId, kind: ListKind, texts: Collection[str]
) -> dict[str, Entry] | None:
    """Return the entries that people mean by these texts, by text: a key counts before a number, a number before a
    name, and an active entry before another. None: the list is empty, and nothing is known."""
    rows = await s.execute(
        text(
            """
            select w.value, e.key, coalesce(e.attributes ->> 'number', e.key) as number, e.name, e.active,
                   e.attributes,
                   exists (select from list_entries any_one
                            where any_one.connection_id = :connection and any_one.kind = :kind) as known
              from unnest(cast(:texts as text[])) as w (value)
              left join lateral (
                  select e.key, e.attributes, e.name, e.active from list_entries e
                   where e.connection_id = :connection and e.kind = :kind and e.deleted_at is null
                     and w.value in (e.key, e.attributes ->> 'number', e.name)
                   order by e.active desc, w.value <> e.key,
                            w.value is distinct from e.attributes ->> 'number', e.erp_id
                   limit 1
              ) e on true
            """
        ),
        {"connection": connection_id, "kind": kind.value, "texts": list(texts)},
    )
    entries: dict[str, Entry] = {}
    for row in rows:
        if not row.known:
            return None
        if row.key is not None:
            entries[row.value] = Entry(row.key, row.number, row.name, row.active, row.attributes)
    return entries


async def called(s: AsyncSession, connection_id: ConnectionId, kind: ListKind, given: str) -> set[str]:
    """Return the keys of the entries that are called so: by key, number, the id of a third system, or name. A name is
    compared without regard to case and blanks."""
    statement = text(
        """
        select distinct e.key from list_entries e
         where e.connection_id = :connection and e.kind = :kind and e.deleted_at is null
           and (:given in (e.key, e.attributes ->> 'number', e.attributes ->> 'external_id')
                or lower(regexp_replace(btrim(e.name), '\\s+', ' ', 'g')) = lower(:name))
        """
    )
    wanted = {"connection": connection_id, "kind": kind.value, "given": given, "name": " ".join(given.split())}
    return set((await s.execute(statement, wanted)).scalars())


async def of_other_entities(
    s: AsyncSession, connection_id: ConnectionId, locations: Collection[str], entity: str
) -> dict[str, str]:
    """Return the entity of each of these locations, by key or the ERP's id, that belongs to another one than this.

    A location that is an entity itself belongs to itself. One of which the ERP does not say it is left out.
    """
    statement = text(
        """
        with stated as (
            select w.location, case e.kind when 'entity' then e.key else e.attributes ->> 'entity' end as entity
              from unnest(cast(:locations as text[])) as w (location)
              join list_entries e on e.connection_id = :connection and e.kind in ('location', 'entity')
                                 and e.deleted_at is null and (e.key = w.location or e.erp_id = w.location)
        )
        select location, min(entity) as entity from stated where entity <> ''
         group by location having bool_and(entity <> :entity)
        """
    )
    wanted = {"connection": connection_id, "locations": list(locations), "entity": entity}
    return {row.location: row.entity for row in (await s.execute(statement, wanted)).all()}


async def item_codes(s: AsyncSession, connection_id: ConnectionId, item_ids: Collection[str]) -> dict[str, str]:
    """Return the names that people print, by item id, for items whose id is the ERP's own record number.

    Items whose id is a code of their own are left out.
    """
    statement = select(ListEntryRow.key, ListEntryRow.name).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == ListKind.ITEM,
        col(ListEntryRow.key).in_(set(item_ids)),
        col(ListEntryRow.key) == col(ListEntryRow.erp_id),
        col(ListEntryRow.deleted_at).is_(None),
    )
    return dict((await s.exec(statement)).all())


async def page(
    s: AsyncSession,
    connection_id: ConnectionId,
    kind: ListKind,
    *,
    q: str | None = None,
    active: bool | None = None,
    closed: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[ListEntryRow]:
    """Return one page of a list's entries by key, without those that the ERP deleted; `closed`: only those.

    `q` narrows by a part of the key or the name, or by another number of the entry (NetSuite's entity id, its external
    id).

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(ListEntryRow).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.deleted_at).is_not(None) if closed else col(ListEntryRow.deleted_at).is_(None),
    )
    if q:
        statement = statement.where(
            or_(
                col(ListEntryRow.key).icontains(q, autoescape=True),
                col(ListEntryRow.name).icontains(q, autoescape=True),
                col(ListEntryRow.attributes)["number"].astext == q,
                col(ListEntryRow.attributes)["external_id"].astext == q,
            )
        )
    if active is not None:
        statement = statement.where(col(ListEntryRow.active).is_(active))
    if cursor is not None:
        key, erp_id = decode_cursor(cursor, 2)
        statement = statement.where(tuple_(col(ListEntryRow.key), col(ListEntryRow.erp_id)) > (key, erp_id))
    statement = statement.order_by(col(ListEntryRow.key), col(ListEntryRow.erp_id)).limit(limit + 1)
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.key, row.erp_id))
