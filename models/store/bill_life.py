"""What a bill's workflow is started with when it had ended and the bill is open again: its last payment was voided."""

from collections.abc import Callable

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, BillStatus, ConnectionId, Erp, ErpId, PaymentId, PurchaseOrderId
from models.messages import BillState, OpenPayment
from models.store.payments import UNFINISHED

OPEN = (BillStatus.SYNCED, BillStatus.SCHEDULED, BillStatus.PARTIALLY_PAID)
"""Of bills the ERP holds. One that is not there yet has its workflow, or its order's is about to start it."""


async def again(
    session: AsyncSession, bill_id: BillId, *, order_workflow_id: Callable[[ConnectionId, ErpId], str]
) -> BillState | None:
    """The state of a bill of ours that the ERP holds and that is open; None of any other. `order_workflow_id` names
    its order's workflow."""
    bill = (
        await session.execute(
            text(
                """
                select b.connection_id, b.number, b.status, b.document_id, b.total, b.paid, b.version,
                       case when b.edit_pending then b.edition else 0 end as edition,
                       c.erp, o.id as order_id, o.erp_id as order_erp_id, o.number as order_number, o.vendor_name
                  from bills b
                  join connections c on c.id = b.connection_id
                  join purchase_orders o on o.id = b.purchase_order_id
                 where b.id = :id and b.origin = 'posync' and b.status = any(:open)
                """
            ),
            {"id": bill_id, "open": list(OPEN)},
        )
    ).one_or_none()
    if bill is None:
        return None
    # As if none was started: where one runs already, the bill asks to be told how it ends.
    payments = await session.execute(
        text(
            "select id, amount, pay_on from payments"
            " where bill_id = :id and origin = 'posync' and status = any(:unfinished) order by created_at, id"
        ),
        {"id": bill_id, "unfinished": list(UNFINISHED)},
    )
    return BillState(
        connection_id=ConnectionId(bill.connection_id),
        erp=Erp(bill.erp),
        bill_id=bill_id,
        purchase_order_id=PurchaseOrderId(bill.order_id),
        order_number=bill.order_number,
        order_workflow_id=order_workflow_id(ConnectionId(bill.connection_id), ErpId(bill.order_erp_id)),
        vendor=bill.vendor_name,
        number=bill.number,
        total=str(bill.total),
        status=BillStatus(bill.status),
        document_id=bill.document_id,
        paid=str(bill.paid),
        due=str(bill.total - bill.paid),
        payments=[
            OpenPayment(payment_id=PaymentId(one.id), amount=str(one.amount), pay_on=one.pay_on) for one in payments
        ],
        edit_asked=bill.edition,
        version=bill.version,
    )
