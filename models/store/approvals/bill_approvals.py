"""Store the state of a bill's approval, and read what the approval rules ask of a bill."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.ids import BillId, ConnectionId
from models.domain.payments import PaymentStatus
from models.tables import BillRow


class BillFacts(NamedTuple):
    """What rules ask of a bill; the total is in the bill's currency."""

    total: Decimal
    vendor_id: str
    departments: frozenset[str]
    """Of its lines."""
    entity: str | None


async def set_state(session: AsyncSession, bill_id: BillId, state: ApprovalState) -> None:
    """Store the state of the approval of a bill that was just saved."""
    await session.execute(
        text("update bills set approval = :state where id = :bill"), {"bill": bill_id, "state": state.value}
    )


async def facts(session: AsyncSession, bill_id: BillId) -> BillFacts:
    """Return what the rules ask of this bill."""
    row = (
        await session.execute(
            text(
                """
                select abs(b.total) as total, b.vendor_id, coalesce(b.entity, c.entity, o.entity) as entity,
                       array(select distinct l.department from bill_lines l
                              where l.bill_id = b.id and l.department is not null) as departments
                  from bills b
                  join connections c on c.id = b.connection_id
                  left join purchase_orders o on o.id = b.purchase_order_id
                 where b.id = :bill
                """
            ),
            {"bill": bill_id},
        )
    ).one()
    return BillFacts(row.total, row.vendor_id, frozenset(row.departments), row.entity)


_COUNTS = [status.value for status in PaymentStatus if status.is_unfinished or status is PaymentStatus.PAID]


async def payment_scheduled(session: AsyncSession, bill_id: BillId) -> bool:
    """Return whether the bill has a payment that was not abandoned or voided."""
    row = await session.execute(
        text(
            "select 1 from payment_shares s join payments p on p.id = s.payment_id"
            " where s.bill_id = :bill and p.status = any(:counts) limit 1"
        ),
        {"bill": bill_id, "counts": _COUNTS},
    )
    return row.first() is not None


_NOT_SENT = text(
    """
    select b.id from bills b
      join erp_writes w on w.subject_id = b.id and w.kind = 'bill' and w.state in ('held', 'planned')
     where b.connection_id = :connection and b.origin = 'posync' and b.status = any(:unsent)
     order by b.id
       for update
    """
)


async def not_sent(session: AsyncSession, connection_id: ConnectionId) -> Sequence[BillRow]:
    """Return our bills of this connection of which certainly nothing was sent, locked until the transaction ends."""
    unsent = [status.value for status in BillStatus if status.is_unsent]
    ids = (await session.execute(_NOT_SENT, {"connection": connection_id, "unsent": unsent})).scalars().all()
    rows = [await session.get(BillRow, bill_id, populate_existing=True) for bill_id in ids]
    return [row for row in rows if row is not None]
