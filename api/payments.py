"""Payments: ours and those made in the ERP."""

from fastapi import APIRouter, Response

from api.auth import Viewer
from api.bill_shapes import Event, Payment, Write
from api.conditional import tag
from api.exact import ExactRoute
from api.problems import answers, not_found
from api.services import Services
from api.shapes import Cursor, Filter, Id, Limit, Page, columns
from models.domain import BillId, ConnectionId, PaymentId, PaymentStatus
from models.store import bill_edits, events, payment_reads

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=ExactRoute)


class PaymentWithHistory(Payment):
    write: Write | None
    """null for payments made in the ERP."""
    events: list[Event]


@router.get("", operation_id="listPayments", summary="List payments", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    bill: Filter = None,
    status: PaymentStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Payment]:
    """Newest first."""
    async with services.database.transaction() as session:
        found = await payment_reads.page(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            bill_id=BillId(bill) if bill else None,
            status=status,
            limit=limit,
            cursor=cursor,
        )
    items = [Payment(**columns(row, Payment)) for row in found.items]
    return Page(items=items, next_cursor=found.next_cursor)


@router.get("/{payment_id}", operation_id="getPayment", summary="Read a payment", responses=answers("NOT_FOUND"))
async def read(payment_id: Id, caller: Viewer, services: Services, response: Response) -> PaymentWithHistory:
    """Where it stands: scheduled for its day, submitted, paid once the ERP confirmed it."""
    async with services.database.transaction() as session:
        row = await payment_reads.get(session, PaymentId(payment_id), caller.organization_id)
        if row is None:
            raise not_found("payment", payment_id)
        write = await bill_edits.write_of(session, row.id)
        happened = await events.for_subject(session, caller.organization_id, "payment", row.id)
    tag(response, row.version)
    return PaymentWithHistory(
        **columns(row, PaymentWithHistory),
        write=None if write is None else Write(**columns(write, Write)),
        events=[Event(**columns(event, Event)) for event in happened],
    )
