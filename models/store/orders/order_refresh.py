"""Store one order read whole by its own workflow: this moves a bill's quantity from P to E (matching spec 3.1).

The page path leaves an order's billed quantities alone while a bill of ours is in flight. Here the order, its receipts
and the documents that bill or credit it were read at one moment. So what the evidence names is inside E and stops
reserving in the same transaction: E + P - C is right before and after.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId
from models.domain.orders import OrderBilling, PurchaseOrderSnapshot
from models.domain.receipts import Receipt, ReceiptStatus
from models.store.orders import cancelled, credits, settled_parts
from models.store.orders.figures_due import figures_are_in, keep_time_of, mark_figures_due
from models.store.orders.order_links import adopt_all, count_receipts
from models.store.orders.order_pages import take_back
from models.store.orders.order_rows import (
    LockedLine,
    MappedOrder,
    OrderWrite,
    lock_lines,
    order_write,
    same_content,
    write_headers,
    write_lines,
)
from models.store.orders.receipt_rows import drop_others, write_receipts


async def apply_snapshot(
    s: AsyncSession,
    connection_id: ConnectionId,
    snapshot: PurchaseOrderSnapshot,
    mapped: MappedOrder,
    receipts: Sequence[tuple[Receipt, ReceiptStatus]],
    *,
    receipts_count_as_billed: bool,
    frees: bool = False,
) -> tuple[BillId, ...]:
    """Store one whole order and settle the bills of ours that it shows; return the bills that are now wholly inside E.

    `receipts` are the snapshot's, with the meaning of their status; a receipt with an unknown status keeps what is
    stored of it. A snapshot older than the stored one changes nothing: its evidence may be true, its quantities are
    not. It `frees` quantity if a bill of the order was just taken back: a reading that began before and carries the
    same revision shows that bill still.
    """
    await s.flush()
    connection = await s.connection()
    write = order_write(connection_id, mapped)
    stored, lines = await _lock(connection, write)
    if stored is not None and stored.left_out:
        await take_back(s, connection_id, [(mapped.order.erp_id, write.revision)])
    if stored is not None and (
        write.revision < stored.revision or (stored.deleted_at is not None and write.revision == stored.revision)
    ):
        return ()
    if stored is not None and _is_overtaken(stored, write, snapshot):
        # The clock of another host may be wrong: the next sync has it read again.
        await mark_figures_due(connection, [write.id])
        return ()
    # Same second, but a bill that we saw inside E is missing: an older read. Deleted bills come by the deletions feed.
    stale = (
        stored is not None
        and write.revision == stored.revision
        and await _lacks_a_settled_bill(connection, write, snapshot.billings)
    )
    changed = stored is None or not same_content(stored, write)
    if changed:
        await write_headers(connection, connection_id, [write], notified=True)
    lines_changed = await write_lines(
        connection,
        connection_id,
        [write],
        stored=[] if stored is None else [write],
        locked=lines,
        in_flight=[write.id] if stale else [],
    )
    await adopt_all(connection, connection_id, [write.id])
    if stale:
        return ()
    if stored is not None and stored.figures_due:
        await figures_are_in(connection, write.id)
    await write_receipts(connection, connection_id, receipts)
    await drop_others(connection, write.id, [receipt.erp_id for receipt in snapshot.receipts])
    settled = await _settle(connection, write, snapshot.billings)
    if stored is not None and stored.bills_in_parts:
        settled += await _settle_parts(s, connection, write, snapshot.billings)
    credited = await credits.take_in(connection, write.id, snapshot.credits)
    if credited or snapshot.credits or frees:
        await keep_time_of(connection, write.id, snapshot.began)
    counted = await count_receipts(connection, [write.id], receipts_count_as_billed=receipts_count_as_billed)
    await cancelled.follow(s, [write.id])
    if not changed:
        await _mark_to_notify(connection, write, moved=lines_changed or bool(counted) or bool(settled) or credited)
    return settled


def _is_overtaken(stored: Any, write: OrderWrite, snapshot: PurchaseOrderSnapshot) -> bool:
    """Return whether the stored figures come from a reading that began later. A credit may leave the order's revision
    as it is, and a bill may be taken back within one second: the revision alone does not say which one is newer."""
    return (
        write.revision == stored.revision
        and stored.credits_read_at is not None
        and snapshot.began is not None
        and snapshot.began < stored.credits_read_at
    )


async def _lock(connection: AsyncConnection, write: OrderWrite) -> tuple[Any, Sequence[LockedLine]]:
    """Lock the order and its lines (`lock_orders`).

    Return the order as it is behind the lock, or None when we have none, and its lines. `bills_in_parts` may be of
    before a wait for the lock: parts that were planned meanwhile are in no evidence that was read before.
    """
    stored = (
        await connection.execute(
            text(
                "select id, revision, content_hash, status, matching_status, deleted_at, figures_due, credits_read_at,"
                "   left_out, exists (select from bill_lines l join bill_parts p on p.bill_id = l.bill_id"
                "      where l.purchase_order_id = o.id and l.reserves) as bills_in_parts"
                " from purchase_orders o where id = :id for no key update"
            ),
            {"id": write.id},
        )
    ).one_or_none()
    return stored, () if stored is None else await lock_lines(connection, [write.id])


async def _mark_to_notify(connection: AsyncConnection, write: OrderWrite, *, moved: bool) -> None:
    """Mark the order's workflow as notified of these facts: it gets them with this answer and needs no message."""
    await connection.execute(
        text(
            "update purchase_orders set revision = :revision, notified_hash = content_hash,"
            "   snapshot = snapshot + cast(:moved as int),"
            "   changed_at = case when :moved then now() else changed_at end"
            " where id = :id and (:moved or revision <> :revision or notified_hash <> content_hash)"
        ),
        {"id": write.id, "revision": write.revision, "moved": moved},
    )


async def _lacks_a_settled_bill(
    connection: AsyncConnection, write: OrderWrite, billings: Sequence[OrderBilling]
) -> bool:
    rows = await connection.execute(
        text(
            "select 1 from bill_lines l join bills b on b.id = l.bill_id"
            " where l.purchase_order_id = :id and not l.reserves and b.origin = 'posync' and b.kind = 'bill'"
            "   and b.status not in ('deleted', 'abandoned', 'disputed')"
            "   and b.external_key <> all(cast(:numbers as text[]))"
            # One that a person made, and that was taken as ours, does not carry our key.
            "   and coalesce(b.document_id <> all(cast(:documents as text[])), true)"
            # Of a bill in parts, each part that bills this order is looked for.
            "   and not exists (select from bill_parts p where p.bill_id = b.id and p.generation = b.generation"
            "      and p.purchase_order_id = :id and (p.external_key = any(cast(:numbers as text[]))"
            "         or p.document_id = any(cast(:documents as text[]))"
            "         or p.superseded or p.state in ('deleted', 'taken_back'))) limit 1"
        ),
        {
            "id": write.id,
            "numbers": sorted({billing.document_number for billing in billings}),
            "documents": sorted({billing.document_id for billing in billings}),
        },
    )
    return rows.one_or_none() is not None


async def _settle(
    connection: AsyncConnection, write: OrderWrite, billings: Sequence[OrderBilling]
) -> tuple[BillId, ...]:
    """Mark the lines of our bills that the evidence names as inside E.

    Returns the bills with no line on this order left outside E; their lines on other orders are settled by those
    orders.
    """
    if not billings:
        return ()
    settled = await connection.execute(
        text(
            "with settled as ("
            "    update bill_lines l set reserves = false"
            "    from bills b, purchase_order_lines o,"
            "         unnest(cast(:numbers as text[]), cast(:documents as text[]), cast(:lines as text[]))"
            "            as e(number, document, line)"
            # One that a person made, and that was taken as ours, does not carry our key.
            "    where (b.external_key = e.number or b.document_id = e.document)"
            "      and l.purchase_order_id = :id and l.bill_id = b.id and l.reserves"
            "      and o.purchase_order_id = l.purchase_order_id and o.line_no = l.purchase_order_line_no"
            "      and o.erp_id = e.line"
            "    returning l.bill_id, l.line_no)"
            " select distinct s.bill_id from settled s where not exists ("
            "    select from bill_lines x where x.bill_id = s.bill_id and x.purchase_order_id = :id and x.reserves"
            "      and (x.bill_id, x.line_no) not in (select bill_id, line_no from settled))"
            " order by s.bill_id"
        ),
        {
            "id": write.id,
            "numbers": [billing.document_number for billing in billings],
            "documents": [billing.document_id for billing in billings],
            "lines": [billing.order_line for billing in billings],
        },
    )
    return tuple(BillId(bill) for bill in settled.scalars())


async def _settle_parts(
    s: AsyncSession, connection: AsyncConnection, write: OrderWrite, billings: Sequence[OrderBilling]
) -> tuple[BillId, ...]:
    """Mark the shares of bills in parts that the evidence names as inside E; return the bills that have nothing outside
    E on this order any more."""
    rows = await connection.execute(
        text(
            "select distinct l.bill_id from bill_lines l join bill_parts p on p.bill_id = l.bill_id"
            " where l.purchase_order_id = :id and l.reserves"
        ),
        {"id": write.id},
    )
    reserving = sorted(rows.scalars())
    if not reserving or not billings:
        return ()
    await settled_parts.settle(
        s,
        write.id,
        [billing.document_number for billing in billings],
        [billing.document_id for billing in billings],
    )
    rows = await connection.execute(
        text(
            "select distinct bill_id from bill_lines"
            " where purchase_order_id = :id and reserves and bill_id = any(cast(:bills as text[]))"
        ),
        {"id": write.id, "bills": reserving},
    )
    still = set(rows.scalars())
    return tuple(BillId(bill_id) for bill_id in reserving if bill_id not in still)
