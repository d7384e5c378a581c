"""Read the bills and payments of ours that need a running workflow, to compare them with the workflows that run."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.types import Interval
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, PaymentId
from models.domain.payments import PaymentStatus
from models.domain.time_zones import start_of_day
from models.messages.payments import PaymentState
from models.store.payables.bill_restart import PAYABLE

SETTLED = (BillStatus.PAID, BillStatus.ABANDONED, BillStatus.DELETED)
"""Statuses in which nothing more happens to a bill by itself."""

STARTED_BY_NOW = timedelta(minutes=1)
"""Younger bills and payments are left out: they may not have reached their workflow, or may not be listed as running
yet."""


class OpenBill(NamedTuple):
    """A bill that is not settled and whose messages are delivered: none of them waits in the outbox."""

    id: BillId
    order_workflow_id: str | None
    """None: it is without an order."""
    reserves: bool
    """Its order does not show it yet, so its order's workflow waits for that."""


class OpenPayment(NamedTuple):
    """A payment that is not finished, and whose bill is in the ERP or settled."""

    state: PaymentState
    """The state to start its workflow with."""
    bill_status: BillStatus


_BILLS = text(
    """
    select b.id, o.workflow_id, exists (select from bill_lines l where l.bill_id = b.id
                                      and l.purchase_order_id = o.id and l.reserves) as reserves
      from bills b left join purchase_orders o on o.id = b.purchase_order_id and b.kind = 'bill'
     where b.connection_id = :connection and b.origin = 'posync' and (b.direct or o.id is not null)
       and b.status not in ('paid', 'abandoned', 'deleted')  -- as the index `bills_open` has it
       and b.created_at <= now() - :age and not exists (select from outbox m where m.subject_id = b.id)
     order by b.id
    """
).bindparams(bindparam("age", type_=Interval))

# A payment whose bill, or an edit of it, is not in the ERP yet is left out: its bill's workflow starts it later.
_PAYMENT_STATE = """
    select p.id, p.bill_id, p.amount, p.pay_on, p.status, b.number, b.status as bill_status, b.vendor_name,
           coalesce(o.number, '') as order_number, c.erp, c.time_zone, p.connection_id, p.stands_alone,
           (select count(*) from payment_shares h where h.payment_id = p.id) as bills
      from payments p
      join bills b on b.id = p.bill_id
      join connections c on c.id = p.connection_id
      left join purchase_orders o on o.id = b.purchase_order_id
"""

_PAYMENTS = text(
    f"""
    {_PAYMENT_STATE}
     where p.connection_id = :connection and p.origin = 'posync'
       and p.status in ('scheduled', 'submitted', 'sync_issue', 'voiding')  -- as the index `payments_open` has it
       and (b.status = any(:in_erp) and not b.edit_pending or b.status = any(:settled))
       and p.created_at <= now() - :age and not exists (select from outbox m where m.subject_id = p.id)
     order by p.id
    """
).bindparams(bindparam("age", type_=Interval))


async def open_bills(session: AsyncSession, connection_id: ConnectionId) -> Sequence[OpenBill]:
    """Return the connection's bills that need a workflow, except those of the last minute."""
    rows = await session.execute(_BILLS, {"connection": connection_id, "age": STARTED_BY_NOW})
    return [OpenBill(BillId(row.id), row.workflow_id, row.reserves) for row in rows]


async def open_payments(session: AsyncSession, connection_id: ConnectionId) -> Sequence[OpenPayment]:
    """Return the connection's payments that need a workflow, except those of the last minute."""
    rows = await session.execute(
        _PAYMENTS,
        {
            "connection": connection_id,
            "in_erp": list(PAYABLE),
            "settled": list(SETTLED),
            "age": STARTED_BY_NOW,
        },
    )
    return [OpenPayment(_state(row), BillStatus(row.bill_status)) for row in rows]


_STANDS_ALONE = text(f"{_PAYMENT_STATE} where p.id = :id and (p.stands_alone or p.status = 'voiding')")


async def payment_alone(session: AsyncSession, payment_id: PaymentId) -> PaymentState | None:
    """Return the state to start the workflow of a payment with that stands alone, or is to be
    voided; None: it is neither."""
    row = (await session.execute(_STANDS_ALONE, {"id": payment_id})).one_or_none()
    return None if row is None else _state(row)


def _state(row: Any) -> PaymentState:
    more = row.bills - 1
    return PaymentState(
        connection_id=ConnectionId(row.connection_id),
        erp=Erp(row.erp),
        payment_id=PaymentId(row.id),
        bill_id=BillId(row.bill_id),
        bill_number=f"{row.number} and {more} more" if more else row.number,
        order_number="" if row.stands_alone else row.order_number,
        vendor=row.vendor_name,
        amount=str(row.amount),
        pay_on=row.pay_on,
        starts_at=start_of_day(row.pay_on, row.time_zone),
        status=PaymentStatus(row.status),
    )
