"""Build the state to start a bill's workflow with when it has ended and the bill is open.

That happens when its last payment was voided, or when an operator ended the workflow.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, PaymentId, PurchaseOrderId
from models.domain.time_zones import start_of_day
from models.messages.bills import BillState, OpenPayment
from models.store.payables.payments import UNFINISHED

IN_ERP = [status for status in BillStatus if status.is_payable or status is BillStatus.RETRACTING]

PAYABLE = [status for status in BillStatus if status.is_payable]
"""A bill that is not in the ERP yet is left out: it has its workflow, or its order's workflow is about to start it."""


async def restart_state(session: AsyncSession, bill_id: BillId) -> BillState | None:
    """Return the state of a bill of ours that the ERP holds and that is open; None for any other bill."""
    return await state_of(session, bill_id, IN_ERP)


async def state_of(session: AsyncSession, bill_id: BillId, statuses: Collection[BillStatus]) -> BillState | None:
    """Return the state of a bill of ours as the mirror has it; None for one whose status is not among `statuses`."""
    bill = (
        await session.execute(
            text(
                """
                select b.connection_id, b.number, b.status, b.document_id, b.total, b.paid, b.version,
                       case when b.edit_pending then b.edition else 0 end as edition,
                       c.erp, o.id as order_id, o.workflow_id, coalesce(o.number, '') as order_number,
                       coalesce(o.vendor_name, b.vendor_name) as vendor_name
                  from bills b
                  join connections c on c.id = b.connection_id
                  left join purchase_orders o on o.id = b.purchase_order_id and b.kind = 'bill'
                 where b.id = :id and b.origin = 'posync' and (b.direct or o.id is not null) and b.status = any(:open)
                """
            ),
            {"id": bill_id, "open": list(statuses)},
        )
    ).one_or_none()
    if bill is None:
        return None
    # As if no payment was started: one that runs already is not started twice, and still reports to the bill.
    payments = await session.execute(
        text(
            "select p.id, p.amount, p.pay_on, c.time_zone"
            " from payments p join connections c on c.id = p.connection_id"
            " where p.bill_id = :id and p.origin = 'posync' and not p.stands_alone"
            "   and p.status = any(:unfinished) order by p.created_at, p.id"
        ),
        {"id": bill_id, "unfinished": list(UNFINISHED)},
    )
    return BillState(
        connection_id=ConnectionId(bill.connection_id),
        erp=Erp(bill.erp),
        bill_id=bill_id,
        purchase_order_id=None if bill.order_id is None else PurchaseOrderId(bill.order_id),
        order_number=bill.order_number,
        order_workflow_id=bill.workflow_id or "",
        vendor=bill.vendor_name,
        number=bill.number,
        total=str(bill.total),
        status=BillStatus(bill.status),
        document_id=bill.document_id,
        paid=str(bill.paid),
        due=str(bill.total - bill.paid),
        payments=[
            OpenPayment(
                payment_id=PaymentId(one.id),
                amount=str(one.amount),
                pay_on=one.pay_on,
                starts_at=start_of_day(one.pay_on, one.time_zone),
            )
            for one in payments
        ],
        edit_requested_version=bill.edition,
        version=bill.version,
    )
