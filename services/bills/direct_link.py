"""Put a bill that was entered without an order on a purchase order, before anything of it was sent.

It is entered anew against the order, under its own number, and the bill without an order is abandoned: both in one
transaction. What it was approved for is another bill now, so approvals begin anew too; who entered or changed it before
is kept from approving it as ever.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ErpId, OrganizationId, PurchaseOrderId
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_edits, bill_reads, reserved_amounts
from models.tables import BillLineRow, BillRow, PurchaseOrderRow
from services.approvals.separation import carry_over
from services.bills.acceptance import Acceptance, accept_bill
from services.bills.ending import abandon_bill
from services.bills.intake import RequestedBill, RequestedCharge, RequestedLine
from services.refusal import Refused


class OrderLine(NamedTuple):
    """The order line that a line of the bill bills, and how much of it, in the order line's unit."""

    order_line_id: ErpId
    quantity: Decimal | None
    """None: a line that is billed by its amount."""


class PutOnOrder(NamedTuple):
    """What became of the bill: the new one, and what workflows are owed."""

    accepted: Acceptance
    messages: list[OutboxMessage]


async def put_on_order(
    session: AsyncSession,
    bill: BillRow,
    order: PurchaseOrderRow,
    lines: Mapping[int, OrderLine],
    *,
    actor: str,
    request_key: str,
) -> PutOnOrder:
    """Enter a locked bill without an order against this order; lines that are not named stay off the order.

    The caller rolls back where the new bill is refused: the bill without an order then stays as it is.

    Raises:
        Refused: LINK_NOT_ALLOWED, LINK_IS_FINAL, BILL_IS_CLOSED, BILL_HAS_PAYMENTS or BILL_LINE_UNKNOWN.
    """
    await _check(session, bill, order)
    stored = await bill_reads.lines(session, BillId(bill.id))
    unknown = sorted(set(lines) - {line.line_no for line in stored})
    if unknown or not lines:
        raise Refused("BILL_LINE_UNKNOWN", f"The bill has no line {unknown[0] if unknown else 'on the order'}.")
    asked = _requested(bill, order, stored, lines)
    why = f"put on order {order.number}"
    messages = await abandon_bill(session, bill, actor=actor, why=why, request_key=request_key)
    accepted = await accept_bill(
        session,
        asked,
        organization_id=OrganizationId(bill.organization_id),
        request_key=request_key,
        actor=actor,
    )
    if accepted.bill_id is not None:
        await carry_over(session, bill, accepted.bill_id)
    return PutOnOrder(accepted, [*messages, *([accepted.message] if accepted.message else [])])


async def _check(session: AsyncSession, bill: BillRow, order: PurchaseOrderRow) -> None:
    if not bill.direct:
        raise Refused("LINK_NOT_ALLOWED", "Only a bill that was entered here without an order is put on one.")
    if BillStatus(bill.status).is_void:
        raise Refused("BILL_IS_CLOSED", f"The bill is {bill.status}.")
    write = await bill_edits.write_of(session, bill.id, lock=True)
    if write is None or write.state not in bill_edits.NEVER_PUSHED:
        raise Refused("LINK_IS_FINAL", "The ERP holds the bill, or may hold it already.")
    if (bill.connection_id, bill.vendor_id) != (order.connection_id, order.vendor_id):
        raise Refused("LINK_NOT_ALLOWED", f"The bill is {bill.vendor_id}'s, order {order.number} {order.vendor_id}'s.")
    if await reserved_amounts.is_any_under_way(session, BillId(bill.id)):
        raise Refused("BILL_HAS_PAYMENTS", "A payment of it is planned: abandon the payment first.")


def _requested(
    bill: BillRow, order: PurchaseOrderRow, stored: Sequence[BillLineRow], lines: Mapping[int, OrderLine]
) -> RequestedBill:
    return RequestedBill(
        purchase_order_id=PurchaseOrderId(order.id),
        number=bill.number,
        bill_date=bill.bill_date,
        posting_date=bill.posting_date,
        due_date=bill.due_date,
        term=bill.term,
        memo=bill.memo,
        vendor_id=bill.vendor_id,
        total=bill.invoice_total,
        tax=bill.tax or None,
        discount=bill.discount,
        charges=[
            RequestedCharge(
                charge_class=charge["class"], amount=Decimal(charge["amount"]), description=charge["description"]
            )
            for charge in bill.charges
        ],
        lines=[_line(line, lines.get(line.line_no)) for line in stored],
    )


def _line(line: BillLineRow, on: OrderLine | None) -> RequestedLine:
    if on is None:
        return RequestedLine(
            off_order=True,
            amount=line.amount,
            account=line.account,
            description=line.description,
            department=line.department,
            location=line.location,
            class_id=line.class_id,
            project=line.project,
            custom=dict(line.custom),
        )
    return RequestedLine(
        order_line_id=on.order_line_id,
        quantity=on.quantity,
        amount=line.amount,
        description=line.description or None,
        department=line.department,
        location=line.location,
        class_id=line.class_id,
        project=line.project,
        custom=dict(line.custom),
    )
