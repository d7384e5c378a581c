"""Store pages of purchase orders in the mirror: set-based, safe to repeat, never back in time.

Three rules hold here (DESIGN section 5, matching spec 3.1):

- an older revision never overwrites a newer one, and equal content writes nothing;
- while a bill of ours is in flight, a page does not change the order's billed quantities, because the page may show
  the bill that P still counts; it only queues a notification to the order's workflow, whose own refresh brings the
  evidence; if the bill never gets there, the next sync run has the order read whole (`figures_due.py`);
- two reads within the same second carry the same revision. If a bill of ours was ever sent for the order, such a read
  may not lower what is billed, and if one was taken back it may not raise it: it is ignored, and the order's workflow
  is notified.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ErpId
from models.domain.sync import Stream
from models.store.orders import cancelled, excluded_records
from models.store.orders.figures_due import mark_figures_due
from models.store.orders.order_links import adopt_bills, adopt_receipts, count_receipts, link_chains
from models.store.orders.order_rows import (
    LockedLine,
    MappedOrder,
    OrderWrite,
    lock_orders,
    order_write,
    same_content,
    sent_bills,
    write_headers,
    write_lines,
)


class Upserted(NamedTuple):
    """How many records a page had, and how many of them changed something."""

    seen: int
    changed: int


class Known(NamedTuple):
    """What is stored of orders by their ERP ids."""

    revisions: Mapping[str, str]
    """The revision of each order that we have or excluded: these need no new read."""
    imported: Collection[str]
    """Those that are in the mirror. Changes to them always apply (ruling G6)."""


async def known(s: AsyncSession, connection_id: ConnectionId, erp_ids: Sequence[ErpId]) -> Known:
    """Return what is stored of these orders."""
    connection = await s.connection()
    rows = await connection.execute(
        text(
            "select erp_id, revision, true from purchase_orders"
            " where connection_id = :c and erp_id = any(cast(:ids as text[]))"
            " union all "
            "select erp_id, revision, false from skipped_records"
            " where connection_id = :c and stream = 'purchase_orders' and erp_id = any(cast(:ids as text[]))"
        ),
        {"c": connection_id, "ids": list(erp_ids)},
    )
    revisions: dict[str, str] = {}
    mirrored: set[str] = set()
    for erp_id, revision, is_mirrored in rows:
        revisions[erp_id] = max(revision, revisions.get(erp_id, ""))
        if is_mirrored:
            mirrored.add(erp_id)
    return Known(revisions, mirrored)


async def imported(s: AsyncSession, connection_id: ConnectionId, erp_ids: Sequence[ErpId]) -> set[str]:
    """Return those of these orders that are in the mirror."""
    connection = await s.connection()
    rows = await connection.execute(
        text("select erp_id from purchase_orders where connection_id = :c and erp_id = any(cast(:ids as text[]))"),
        {"c": connection_id, "ids": list(erp_ids)},
    )
    return set(rows.scalars())


async def upsert(
    s: AsyncSession, connection_id: ConnectionId, orders: Sequence[MappedOrder], *, receipts_count_as_billed: bool
) -> Upserted:
    """Store a page of orders. `receipts_count_as_billed` is as in the connector's capabilities.

    `changed` counts the orders whose content differs from what was stored. Their snapshot number grows and `to_notify`
    offers them. A stored order that the page has only in an older revision is left as it is.
    """
    newest: dict[str, MappedOrder] = {}
    for mapped in orders:
        other = newest.get(mapped.order.erp_id)
        if other is None or other.order.revision <= mapped.order.revision:
            newest[mapped.order.erp_id] = mapped
    writes = {erp_id: order_write(connection_id, mapped) for erp_id, mapped in newest.items()}
    await s.flush()
    connection = await s.connection()
    stored = await _stored(connection, connection_id, list(writes))
    new = [write for erp_id, write in writes.items() if erp_id not in stored]
    newer = [writes[erp_id] for erp_id, row in stored.items() if _differs(row, writes[erp_id])]
    touched = [write for write in newer if same_content(stored[write.order.erp_id], write)]
    differing = [write for write in newer if not same_content(stored[write.order.erp_id], write)]
    ours: Mapping[str, bool] = {}
    lines: Sequence[LockedLine] = ()
    if differing:
        # Read again behind the lock: a refresh may have changed the rows meanwhile.
        lines = await lock_orders(connection, [write.id for write in differing])
        stored = await _stored(connection, connection_id, [write.order.erp_id for write in differing])
        ours = await sent_bills(connection, [write.id for write in differing])
    changed = [write for write in differing if _differs(stored[write.order.erp_id], write)]
    freed = {row.id for row in stored.values() if row.credits_read_at is not None}
    doubted = ours.keys() | freed
    same_second = [
        write for write in changed if write.revision == stored[write.order.erp_id].revision and write.id in doubted
    ]
    unsure = await _may_be_older(connection, same_second, freed) if same_second else frozenset()
    changed = [write for write in changed if write.id not in unsure]
    if touched:
        await _keep_revisions(connection, touched)
        await _notify_of_refused_bills(connection, touched)
    if unsure:
        await requeue_notification(connection, sorted(unsure))
        await mark_figures_due(connection, sorted(unsure))
    if new or changed:
        in_flight = [write.id for write in changed if ours.get(write.id)]
        await mark_figures_due(connection, in_flight)
        written = [*new, *changed]
        await write_headers(connection, connection_id, written)
        await write_lines(connection, connection_id, written, stored=changed, locked=lines, in_flight=in_flight)
        ids = [write.id for write in written]
        await link_chains(connection, connection_id, ids)
        late = await adopt_receipts(connection, connection_id, ids)
        await adopt_bills(connection, connection_id, ids)
        await excluded_records.mark_imported(
            s, connection_id, Stream.PURCHASE_ORDERS, [write.order.erp_id for write in new]
        )
        to_count = sorted({*late, *(write.id for write in changed)} - set(in_flight))
        if to_count:
            await count_receipts(connection, to_count, receipts_count_as_billed=receipts_count_as_billed)
        await cancelled.follow(s, ids)
    return Upserted(len(orders), len(new) + len(changed))


async def leave_out(s: AsyncSession, connection_id: ConnectionId, orders: Sequence[tuple[str, str, str]]) -> None:
    """Let orders of the mirror take no bill from now on: ERP id, why, and the revision it was seen at.

    They keep the terms they had, and their workflows are notified, so that unsent bills are matched again.
    """
    if not orders:
        return
    ids, reasons, revisions = (list(column) for column in zip(*orders, strict=True))
    await s.flush()
    await (await s.connection()).execute(
        text(
            "update purchase_orders o set left_out = n.reason, revision = n.revision, notified_hash = '',"
            "   snapshot = o.snapshot + 1, changed_at = now()"
            " from unnest(cast(:ids as text[]), cast(:reasons as text[]), cast(:revisions as text[]))"
            "   as n(erp_id, reason, revision)"
            " where o.connection_id = :c and o.erp_id = n.erp_id and o.revision <= n.revision"
            "   and (o.left_out, o.revision) is distinct from (n.reason, n.revision)"
        ),
        {"c": connection_id, "ids": ids, "reasons": reasons, "revisions": revisions},
    )


async def take_back(s: AsyncSession, connection_id: ConnectionId, seen: Sequence[tuple[str, str]]) -> None:
    """Let orders take bills again that were left out and can be used now: ERP id, and the revision it was seen at.

    A reading that is older than the one they were left out by changes nothing.
    """
    if not seen:
        return
    ids, revisions = (list(column) for column in zip(*seen, strict=True))
    await s.flush()
    await (await s.connection()).execute(
        text(
            "update purchase_orders o set left_out = '', notified_hash = '', snapshot = o.snapshot + 1,"
            "   changed_at = now()"
            " from unnest(cast(:ids as text[]), cast(:revisions as text[])) as n(erp_id, revision)"
            " where o.connection_id = :c and o.erp_id = n.erp_id and o.left_out <> '' and o.revision <= n.revision"
        ),
        {"c": connection_id, "ids": ids, "revisions": revisions},
    )
    await excluded_records.mark_included(s, connection_id, Stream.PURCHASE_ORDERS, seen)


async def _stored(connection: AsyncConnection, connection_id: ConnectionId, erp_ids: Sequence[str]) -> dict[str, Any]:
    rows = await connection.execute(
        text(
            "select id, erp_id, revision, content_hash, status, matching_status, deleted_at, credits_read_at"
            " from purchase_orders"
            " where connection_id = :c and erp_id = any(cast(:erp_ids as text[]))"
        ),
        {"c": connection_id, "erp_ids": erp_ids},
    )
    return {row.erp_id: row for row in rows}


def _differs(row: Any, write: OrderWrite) -> bool:
    """Return whether a page may change a stored order: a newer revision, or other content at the same revision."""
    if write.revision < row.revision or (row.deleted_at is not None and write.revision == row.revision):
        return False
    return write.revision > row.revision or not same_content(row, write)


async def _may_be_older(
    connection: AsyncConnection, writes: Sequence[OrderWrite], freed: Collection[str]
) -> frozenset[str]:
    """Return the orders for which these reads show less converted than is stored; or more, where a bill was taken back
    or credited (`freed`)."""
    rows = await connection.execute(
        text(
            "select purchase_order_id, erp_id, converted from purchase_order_lines"
            " where purchase_order_id = any(cast(:ids as text[])) and not deleted"
        ),
        {"ids": [write.id for write in writes]},
    )
    stored = {(row.purchase_order_id, row.erp_id): row.converted for row in rows}
    return frozenset(
        write.id
        for write in writes
        for line in write.order.lines
        if line.billed < (billed := stored.get((write.id, line.erp_id), line.billed))
        or (line.billed > billed and write.id in freed)
    )


async def _keep_revisions(connection: AsyncConnection, touched: Sequence[OrderWrite]) -> None:
    await connection.execute(
        text(
            "update purchase_orders o set revision = t.revision"
            " from unnest(cast(:ids as text[]), cast(:revisions as text[]), cast(:hashes as text[]))"
            "   as t(id, revision, content_hash)"
            " where o.id = t.id and o.revision < t.revision and o.content_hash = t.content_hash"
        ),
        {
            "ids": [write.id for write in touched],
            "revisions": [write.revision for write in touched],
            "hashes": [write.content_hash for write in touched],
        },
    )


async def _notify_of_refused_bills(connection: AsyncConnection, touched: Sequence[OrderWrite]) -> None:
    """Have `to_notify` offer those of these orders of which the ERP refused a bill. The order was changed there and put
    back as it was since it was read: what it was refused for may be gone."""
    await connection.execute(
        text(
            "update purchase_orders o set notified_hash = ''"
            " where o.id = any(cast(:ids as text[])) and o.notified_hash <> ''"
            "   and exists (select from bill_lines l join bills b on b.id = l.bill_id"
            "      where l.purchase_order_id = o.id and l.reserves and b.status = 'sync_issue')"
        ),
        {"ids": [write.id for write in touched]},
    )


async def requeue_notification(connection: AsyncConnection, order_ids: Sequence[str]) -> None:
    """Have `to_notify` offer these orders although their workflows were notified of this content."""
    await connection.execute(
        text(
            "update purchase_orders set notified_hash = '' where id = any(cast(:ids as text[])) and notified_hash <> ''"
        ),
        {"ids": order_ids},
    )
