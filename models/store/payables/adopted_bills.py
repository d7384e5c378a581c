"""Let a bill that a person made in the ERP, and that is the same as one of ours, count once: as ours."""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import SYNCER, BillId, ConnectionId, ErpId
from models.store.audit import order_issues, sync_issues
from models.store.payables import bills


async def merge_into_ours(
    session: AsyncSession, connection_id: ConnectionId, bill_id: BillId, payable_id: ErpId | None
) -> None:
    """Take the ERP's own row of this payable off the mirror, if a sync has read it before it was taken as ours. From
    now on the ERP's readings of it are of ours."""
    if payable_id is None:
        return
    rows = await session.execute(
        text(
            "select id from bills where connection_id = :c and payable_id = :payable and origin = 'erp' and id <> :id"
            " and status not in ('deleted', 'abandoned') order by id for update"
        ),
        {"c": connection_id, "payable": payable_id, "id": bill_id},
    )
    same = [BillId(one) for one in rows.scalars()]
    for one in same:
        await bills.set_status(session, one, BillStatus.DELETED, actor=SYNCER, why=f"it is {bill_id}, entered here")
    if same:
        await order_issues.take_bills_off(session, connection_id, same)
        await sync_issues.close_for_subjects(session, connection_id, "bill", same, actor=SYNCER)
