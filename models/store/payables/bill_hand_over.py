"""Build the messages about a bill to an order's workflow, read at the moment they are sent."""

from collections.abc import Collection

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.contract import BILL_ACCEPTED
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, ErpId, PurchaseOrderId
from models.messages.orders import BillAccepted, BillOnOrder, BillPushed, PurchaseOrderState
from models.messages.outbox import SignalToSend
from models.store.orders import order_notifications

STILL_TO_BE_SENT = frozenset(status for status in BillStatus if status.is_unsent)

_TO_HAND_OVER = text(
    """
    select b.connection_id, b.number, b.total, b.status, b.version, b.matched_terms, b.generation > 1 as anew, c.erp,
           o.id as order_id, o.erp_id as order_erp_id, o.workflow_id,
           not exists (
               select from bill_lines l join bills x on x.id = l.bill_id
                where l.purchase_order_id = o.id and x.origin = 'posync' and x.kind = 'bill' and x.id <> b.id
                  and x.status not in ('abandoned', 'deleted') and x.matched_terms <> b.matched_terms
           ) as same_terms
      from bills b
      join connections c on c.id = b.connection_id
      join purchase_orders o on o.id = b.purchase_order_id
     where b.id = :id and b.origin = 'posync' and not b.direct and b.status = any(:statuses)
    """
)


async def bill_accepted(
    session: AsyncSession, bill_id: BillId, statuses: Collection[BillStatus] = STILL_TO_BE_SENT
) -> SignalToSend | None:
    """Return the message that brings a bill to its order's workflow; None for a bill in another status.

    A message that is delivered once more, after the order has settled and forgotten the bill, must not bring it back:
    so only bills that are still to be sent have a message.
    """
    bill = (await session.execute(_TO_HAND_OVER, {"id": bill_id, "statuses": list(statuses)})).one_or_none()
    if bill is None:
        return None
    facts = await order_notifications.facts(session, PurchaseOrderId(bill.order_id))
    assert facts is not None, "a bill's order is never removed from the mirror"
    return SignalToSend(
        bill.workflow_id,
        BILL_ACCEPTED,
        BillAccepted(
            bill_id=bill_id,
            number=bill.number,
            total=str(bill.total),
            status=BillStatus(bill.status),
            version=bill.version,
            facts=facts,
            terms=bill.matched_terms,
            same_terms=bill.same_terms,
            has_workflow=bill.anew,
        ),
        PurchaseOrderState(
            connection_id=ConnectionId(bill.connection_id),
            erp=Erp(bill.erp),
            purchase_order_id=PurchaseOrderId(bill.order_id),
            erp_id=ErpId(bill.order_erp_id),
            facts=facts,
            workflow_id=bill.workflow_id,
        ),
    )


async def on_order(session: AsyncSession, asked: BillOnOrder) -> BillPushed:
    """Return the bill's current status, and whether the ERP's own figures show it on this order."""
    row = (
        await session.execute(
            text(
                """
                select b.status, exists (select from bill_lines l where l.bill_id = b.id
                                            and l.purchase_order_id = :order and l.reserves) as reserves
                  from bills b where b.id = :bill
                """
            ),
            {"bill": asked.bill_id, "order": asked.purchase_order_id},
        )
    ).one()
    status = BillStatus(row.status)
    return BillPushed(bill_id=asked.bill_id, status=status, confirmed=not row.reserves)
