"""Remember orders of which a sync left figures out while a bill of ours was on its way, until they are read whole.

A page leaves such an order's billed quantities alone, since the push that is under way brings them. A push that ends in
a refusal brings none, and the page does not come again: the order's workflow then reads the order once more.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, PurchaseOrderId

IN_FLIGHT = """
exists (select from bill_lines f join erp_writes w on w.subject_id = f.bill_id and w.kind = 'bill'
         where f.purchase_order_id = {order} and f.reserves and w.sent_at is not null)
"""
"""Whether a bill of ours may be in the ERP and is not inside the order's billed quantity yet."""

_REQUEUE = text(
    "update purchase_orders o set notified_hash = ''"
    f" where o.connection_id = :c and o.figures_due and o.notified_hash <> '' and not {IN_FLIGHT.format(order='o.id')}"
)


async def mark_figures_due(connection: AsyncConnection, order_ids: Sequence[str]) -> None:
    """Mark orders of which a page was not taken in whole."""
    if order_ids:
        await connection.execute(
            text(
                "update purchase_orders set figures_due = true where id = any(cast(:ids as text[])) and not figures_due"
            ),
            {"ids": list(order_ids)},
        )


async def figures_are_in(connection: AsyncConnection, order_id: PurchaseOrderId) -> None:
    """Take the mark off an order that was read whole."""
    await connection.execute(
        text("update purchase_orders set figures_due = false where id = :id and figures_due"), {"id": order_id}
    )


async def keep_time_of(connection: AsyncConnection, order_id: PurchaseOrderId, began: datetime | None) -> None:
    """Keep when the reading began that freed quantity of an order: a bill was credited or taken back."""
    await connection.execute(
        text("update purchase_orders set credits_read_at = :began where id = :id"), {"id": order_id, "began": began}
    )


async def requeue_due(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Have `to_notify` offer the marked orders without a bill on its way: their workflows read them again."""
    await s.execute(_REQUEUE, {"c": connection_id})
