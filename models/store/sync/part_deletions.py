"""Apply the ERP's deletions to bills in parts: one part that is gone stops the bill, the last one ends it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartState
from models.domain.bills import BillStatus
from models.domain.ids import SYNCER, BillId, ConnectionId
from models.store.orders import settled_parts
from models.store.orders.order_pages import requeue_notification
from models.store.payables import bill_parts, bills
from models.tables import ConnectionRow


async def apply(
    s: AsyncSession, row: ConnectionRow, documents: Sequence[str], payables: Sequence[str]
) -> tuple[list[BillId], list[BillId]]:
    """Store which parts are gone. Returns the bills of which the ERP holds no part any more, and those that are stopped
    because it still holds another: their own workflows must know.

    What a part billed is reserved again until a person decides. The payable behind a part that is gone is not the part:
    an edit of the document makes a new one.
    """
    await s.connection()
    await s.execute(
        text(
            "update bill_parts set payable_id = null, payable_revision = null"
            " where connection_id = :c and payable_id = any(cast(:payables as text[]))"
        ),
        {"c": row.id, "payables": list(payables)},
    )
    gone = await bill_parts.deleted_there(s, ConnectionId(row.id), documents) if documents else {}
    whole: list[BillId] = []
    parted: list[BillId] = []
    for bill_id, parts in sorted(gone.items()):
        await s.execute(text("select 1 from bills where id = :id for update"), {"id": bill_id})
        for part in parts:
            await bill_parts.mark(s, part, PartState.DELETED)
        now = await bills.balance(s, bill_id)
        # While the bill is taken back, its own workflow finds that the part is gone.
        if now.status is not BillStatus.RETRACTING and not await bill_parts.last_first(s, bill_id):
            whole.append(bill_id)
            continue
        parted.append(bill_id)
        if now.status is BillStatus.RETRACTING:
            continue
        for part in parts:
            await settled_parts.unsettle(s, bill_id, part.source_document)
            await requeue_notification(await s.connection(), [part.purchase_order_id])
        names = ", ".join(part.document_id or part.external_key for part in parts)
        await bills.set_status(s, bill_id, BillStatus.SYNC_ISSUE, actor=SYNCER, why=f"deleted in the ERP: {names}")
    return whole, parted
