"""Pages of purchase orders into the mirror: set-based, safe to repeat, never back in time.

Three rules hold here (DESIGN section 5, matching spec 3.1):

- an older revision never overwrites a newer one, and the same content writes nothing;
- while a bill of ours is on its way, a page leaves the order's billed quantities alone, because the page may show the
  bill that P still counts; it only wakes the order's workflow, whose own refresh brings the evidence;
- two reads within the same second carry the same revision. Where a bill of ours ever went out on the order, such a
  read may not take back what is billed: it is left aside, and the order's workflow is woken.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, ErpId, Stream
from models.store import skipped
from models.store.order_links import adopt_bills, adopt_receipts, count_receipts, link_chains
from models.store.order_rows import (
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
    """How many records a page held, and how many of them made a difference."""

    seen: int
    changed: int


async def held_revisions(s: AsyncSession, connection_id: ConnectionId, erp_ids: Sequence[ErpId]) -> dict[str, str]:
    """The revision of each order we hold, or left out on purpose, by ERP id: these need not be read again."""
    connection = await s.connection()
    rows = await connection.execute(
        text(
            "select erp_id, revision from purchase_orders"
            " where connection_id = :c and erp_id = any(cast(:ids as text[]))"
            " union all "
            "select erp_id, revision from skipped_records"
            " where connection_id = :c and stream = 'purchase_orders' and erp_id = any(cast(:ids as text[]))"
        ),
        {"c": connection_id, "ids": list(erp_ids)},
    )
    held: dict[str, str] = {}
    for erp_id, revision in rows:
        held[erp_id] = max(revision, held.get(erp_id, ""))
    return held


async def imported(s: AsyncSession, connection_id: ConnectionId, erp_ids: Sequence[ErpId]) -> set[str]:
    """Those of these orders that are in the mirror. Changes to them always apply (ruling G6)."""
    connection = await s.connection()
    rows = await connection.execute(
        text("select erp_id from purchase_orders where connection_id = :c and erp_id = any(cast(:ids as text[]))"),
        {"c": connection_id, "ids": list(erp_ids)},
    )
    return set(rows.scalars())


async def upsert(
    s: AsyncSession, connection_id: ConnectionId, orders: Sequence[MappedOrder], *, receipts_count_as_billed: bool
) -> Upserted:
    """Take a page of orders in. `receipts_count_as_billed` as in the connector's capabilities.

    `changed` counts the orders whose content differs from what we held. Their snapshot number grows and
    `to_wake` offers them. A held order the page knows only in an older revision is left as it is.
    """
    newest: dict[str, MappedOrder] = {}
    for mapped in orders:
        other = newest.get(mapped.order.erp_id)
        if other is None or other.order.revision <= mapped.order.revision:
            newest[mapped.order.erp_id] = mapped
    writes = {erp_id: order_write(connection_id, mapped) for erp_id, mapped in newest.items()}
    await s.flush()
    connection = await s.connection()
    held = await _held(connection, connection_id, list(writes))
    new = [write for erp_id, write in writes.items() if erp_id not in held]
    news = [writes[erp_id] for erp_id, row in held.items() if _differs(row, writes[erp_id])]
    touched = [write for write in news if same_content(held[write.order.erp_id], write)]
    differing = [write for write in news if not same_content(held[write.order.erp_id], write)]
    ours: Mapping[str, bool] = {}
    if differing:
        # Looked at again behind the lock: a refresh may have been there meanwhile.
        await lock_orders(connection, [write.id for write in differing])
        held = await _held(connection, connection_id, [write.order.erp_id for write in differing])
        ours = await sent_bills(connection, [write.id for write in differing])
    changed = [write for write in differing if _differs(held[write.order.erp_id], write)]
    same_second = [
        write for write in changed if write.revision == held[write.order.erp_id].revision and write.id in ours
    ]
    unsure = await _bills_less(connection, same_second) if same_second else frozenset()
    changed = [write for write in changed if write.id not in unsure]
    if touched:
        await _keep_revisions(connection, touched)
    if unsure:
        await wake_again(connection, sorted(unsure))
    if new or changed:
        in_flight = [write.id for write in changed if ours.get(write.id)]
        written = [*new, *changed]
        await write_headers(connection, connection_id, written)
        await write_lines(connection, connection_id, written, held=changed, in_flight=in_flight)
        ids = [write.id for write in written]
        await link_chains(connection, connection_id, ids)
        late = await adopt_receipts(connection, connection_id, ids)
        await adopt_bills(connection, connection_id, ids)
        await skipped.came_in(s, connection_id, Stream.PURCHASE_ORDERS, [write.order.erp_id for write in new])
        to_count = sorted({*late, *(write.id for write in changed)} - set(in_flight))
        if to_count:
            await count_receipts(connection, to_count, receipts_count_as_billed=receipts_count_as_billed)
    return Upserted(len(orders), len(new) + len(changed))


async def _held(connection: AsyncConnection, connection_id: ConnectionId, erp_ids: Sequence[str]) -> dict[str, Any]:
    rows = await connection.execute(
        text(
            "select id, erp_id, revision, content_hash, status, matching_status, deleted_at from purchase_orders"
            " where connection_id = :c and erp_id = any(cast(:erp_ids as text[]))"
        ),
        {"c": connection_id, "erp_ids": erp_ids},
    )
    return {row.erp_id: row for row in rows}


def _differs(row: Any, write: OrderWrite) -> bool:
    """Whether a page may have something to say on a held order: newer, or other at the same revision."""
    if write.revision < row.revision or (row.deleted_at is not None and write.revision == row.revision):
        return False
    return write.revision > row.revision or not same_content(row, write)


async def _bills_less(connection: AsyncConnection, writes: Sequence[OrderWrite]) -> frozenset[str]:
    """The orders of which these reads show less converted than we hold."""
    rows = await connection.execute(
        text(
            "select purchase_order_id, erp_id, converted from purchase_order_lines"
            " where purchase_order_id = any(cast(:ids as text[])) and not deleted"
        ),
        {"ids": [write.id for write in writes]},
    )
    held = {(row.purchase_order_id, row.erp_id): row.converted for row in rows}
    return frozenset(
        write.id
        for write in writes
        for line in write.order.lines
        if line.billed < held.get((write.id, line.erp_id), line.billed)
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


async def wake_again(connection: AsyncConnection, order_ids: Sequence[str]) -> None:
    """Offer these orders to `to_wake` although their content is the one their workflows were told of."""
    await connection.execute(
        text("update purchase_orders set woken_hash = '' where id = any(cast(:ids as text[])) and woken_hash <> ''"),
        {"ids": order_ids},
    )
