"""One order read whole by its own workflow: the step that moves a bill's quantity from P to E (matching spec 3.1).

The page path leaves the billed quantities of an order alone while a bill of ours is on its way. Here the order, its
receipts and the documents that bill it or credit that were read at one moment, so what the evidence names is inside E
and stops reserving in the same transaction: E + P - C is right before and after.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId, OrderBilling, PurchaseOrderSnapshot, Receipt, ReceiptStatus
from models.store import credits
from models.store.order_links import adopt_all, count_receipts
from models.store.order_rows import (
    MappedOrder,
    OrderWrite,
    lock_lines,
    order_write,
    same_content,
    write_headers,
    write_lines,
)
from models.store.receipt_rows import drop_others, write_receipts


async def apply_snapshot(
    s: AsyncSession,
    connection_id: ConnectionId,
    snapshot: PurchaseOrderSnapshot,
    mapped: MappedOrder,
    receipts: Sequence[tuple[Receipt, ReceiptStatus]],
    *,
    receipts_count_as_billed: bool,
) -> tuple[BillId, ...]:
    """Take one order in whole and settle the bills of ours it shows. Gives the bills that are wholly inside E now.

    `receipts` are the snapshot's with the meaning of their status; one whose status is unknown keeps what we hold of
    it. A snapshot older than what we hold changes nothing: its evidence may be true, its quantities are not.
    """
    await s.flush()
    connection = await s.connection()
    write = order_write(connection_id, mapped)
    held = await _lock(connection, write)
    if held is not None and (
        write.revision < held.revision or (held.deleted_at is not None and write.revision == held.revision)
    ):
        return ()
    # Same second, yet a bill we saw inside E is not in it: an older read. A bill the ERP deleted has its own feed.
    stale = (
        held is not None
        and write.revision == held.revision
        and await _lacks_a_settled_bill(connection, write, snapshot.billings)
    )
    changed = held is None or not same_content(held, write)
    if changed:
        await write_headers(connection, connection_id, [write], told=True)
    lines_changed = await write_lines(
        connection,
        connection_id,
        [write],
        held=[] if held is None else [write],
        in_flight=[write.id] if stale else [],
    )
    await adopt_all(connection, connection_id, [write.id])
    if stale:
        return ()
    await write_receipts(connection, connection_id, receipts)
    await drop_others(connection, write.id, [receipt.erp_id for receipt in snapshot.receipts])
    settled = await _settle(connection, write, snapshot.billings)
    counted = await count_receipts(connection, [write.id], receipts_count_as_billed=receipts_count_as_billed)
    credited = await credits.take_in(connection, write.id, snapshot.credits)
    if not changed:
        await _tell(connection, write, moved=lines_changed or bool(counted) or bool(settled) or credited)
    return settled


async def _lock(connection: AsyncConnection, write: OrderWrite) -> Any:
    """Hold the order and its lines (`lock_orders`), and the order as it is behind the lock; None: we have none."""
    held = (
        await connection.execute(
            text(
                "select id, revision, content_hash, status, matching_status, deleted_at"
                " from purchase_orders where id = :id for no key update"
            ),
            {"id": write.id},
        )
    ).one_or_none()
    if held is not None:
        await lock_lines(connection, [write.id])
    return held


async def _tell(connection: AsyncConnection, write: OrderWrite, *, moved: bool) -> None:
    """The order's workflow gets the facts with this answer: it need not be woken for them."""
    await connection.execute(
        text(
            "update purchase_orders set revision = :revision, woken_hash = content_hash,"
            "   snapshot = snapshot + cast(:moved as int),"
            "   changed_at = case when :moved then now() else changed_at end"
            " where id = :id and (:moved or revision <> :revision or woken_hash <> content_hash)"
        ),
        {"id": write.id, "revision": write.revision, "moved": moved},
    )


async def _lacks_a_settled_bill(
    connection: AsyncConnection, write: OrderWrite, billings: Sequence[OrderBilling]
) -> bool:
    found = await connection.execute(
        text(
            "select 1 from bill_lines l join bills b on b.id = l.bill_id"
            " where l.purchase_order_id = :id and not l.reserves and b.origin = 'posync'"
            "   and b.status not in ('deleted', 'abandoned')"
            "   and b.external_key <> all(cast(:numbers as text[])) limit 1"
        ),
        {"id": write.id, "numbers": sorted({billing.document_number for billing in billings})},
    )
    return found.one_or_none() is not None


async def _settle(
    connection: AsyncConnection, write: OrderWrite, billings: Sequence[OrderBilling]
) -> tuple[BillId, ...]:
    """Lines of our bills the evidence names are inside E from now on. Gives the bills with no line on this order left
    outside; those on other orders are settled by theirs."""
    if not billings:
        return ()
    settled = await connection.execute(
        text(
            "with settled as ("
            "    update bill_lines l set reserves = false"
            "    from bills b, purchase_order_lines o,"
            "         unnest(cast(:numbers as text[]), cast(:lines as text[])) as e(number, line)"
            "    where b.external_key = e.number and l.purchase_order_id = :id and l.bill_id = b.id and l.reserves"
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
            "lines": [billing.order_line for billing in billings],
        },
    )
    return tuple(BillId(bill) for bill in settled.scalars())
