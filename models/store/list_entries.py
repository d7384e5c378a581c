"""Vendors, accounts, items and the other lists that come in from the ERP (S2-06)."""

import hashlib
from collections.abc import Collection, Sequence

from sqlalchemy import or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, ErpId, ListEntry, ListKind
from models.store.order_pages import Upserted
from models.store.pages import Listing, decode_cursor, listing, page_size
from models.tables import ListEntryRow

_FRESH = {"populate_existing": True}


async def upsert(s: AsyncSession, connection_id: ConnectionId, entries: Sequence[ListEntry]) -> Upserted:
    """Take a page of entries in. The same content writes nothing, an older revision never overwrites a newer one.

    An entry without a revision is taken as the newest word: some lists have none until their first change.
    """
    newest: dict[tuple[str, str], ListEntry] = {}
    for entry in entries:
        key = (entry.kind.value, str(entry.erp_id))
        other = newest.get(key)
        if other is None or (other.revision or "") <= (entry.revision or other.revision or ""):
            newest[key] = entry
    connection = await s.connection()
    rows = await connection.execute(
        text(
            "select l.kind, l.erp_id, l.revision, l.content_hash, l.deleted_at from list_entries l"
            " join unnest(cast(:kinds as text[]), cast(:ids as text[])) as n(kind, erp_id)"
            "   on l.kind = n.kind and l.erp_id = n.erp_id where l.connection_id = :c"
        ),
        {"c": connection_id, "kinds": [kind for kind, _ in newest], "ids": [erp_id for _, erp_id in newest]},
    )
    held = {(row.kind, row.erp_id): row for row in rows}
    writes: list[tuple[ListEntry, str, str]] = []
    changed = 0
    for (kind, erp_id), entry in newest.items():
        content = entry.model_dump_json(exclude={"revision"})
        digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        row = held.get((kind, erp_id))
        if row is not None:
            if entry.revision is not None and row.revision is not None and entry.revision < row.revision:
                continue
            if row.deleted_at is not None and (entry.revision or "") <= (row.revision or ""):
                continue
            same = row.content_hash == digest and row.deleted_at is None
            if same and (entry.revision is None or entry.revision == row.revision):
                continue
            changed += not same
        else:
            changed += 1
        writes.append((entry, content, digest))
    if writes:
        await connection.execute(
            text(
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
            ),
            {
                "c": connection_id,
                "contents": [content for _, content, _ in writes],
                "revisions": [entry.revision for entry, _, _ in writes],
                "hashes": [digest for _, _, digest in writes],
            },
        )
    return Upserted(len(entries), changed)


async def held_revisions(
    s: AsyncSession, connection_id: ConnectionId, kind: ListKind, erp_ids: Collection[ErpId]
) -> dict[str, str | None]:
    """The revision of each of these entries we hold, by ERP id."""
    rows = await s.exec(
        select(ListEntryRow.erp_id, ListEntryRow.revision).where(
            col(ListEntryRow.connection_id) == connection_id,
            col(ListEntryRow.kind) == kind.value,
            col(ListEntryRow.erp_id).in_(erp_ids),
        )
    )
    return dict(rows.all())


async def find(s: AsyncSession, connection_id: ConnectionId, kind: ListKind, key: str) -> ListEntryRow | None:
    """The living entry people know by this key (vendor id, account number ...)."""
    statement = select(ListEntryRow).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.key) == key,
        col(ListEntryRow.deleted_at).is_(None),
    )
    # Two records may share a key at two entities; the one in use wins.
    statement = statement.order_by(col(ListEntryRow.active).desc(), col(ListEntryRow.erp_id))
    return (await s.exec(statement.limit(1), execution_options=_FRESH)).first()


async def item_codes(s: AsyncSession, connection_id: ConnectionId, item_ids: Collection[str]) -> dict[str, str]:
    """What people print for items whose id is the ERP's own record number (NetSuite): their names, by id. Of items
    that have a code of their own for an id (Intacct) nothing."""
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
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[ListEntryRow]:
    """Living entries of one list by key. `q` narrows by part of the key or the name."""
    limit = page_size(limit)
    statement = select(ListEntryRow).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.deleted_at).is_(None),
    )
    if q:
        statement = statement.where(
            or_(
                col(ListEntryRow.key).icontains(q, autoescape=True),
                col(ListEntryRow.name).icontains(q, autoescape=True),
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
