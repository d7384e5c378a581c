"""Payments: ours and those made in the ERP."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api import durable
from api.auth import Accountant, Viewer
from api.bill_matching import WRITE, Abandonment
from api.bill_shapes import Event, Payment, Write
from api.conditional import tag
from api.exact import ExactRoute
from api.idempotency import Answer, IdempotencyKey, Once, answer
from api.problems import Problem, answers, not_found
from api.services import Services
from api.shapes import Cursor, Filter, Id, Limit, Page, columns
from models.domain import BillId, ConnectionId, PaymentId, PaymentStatus
from models.messages import PaymentGivenUp
from models.store import bill_edits, events, payment_reads, payments

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


@router.post(
    "/{payment_id}/abandon",
    operation_id="abandonPayment",
    summary="Give up a payment that was not sent",
    response_model=Payment,
    responses=answers(*WRITE, "PAYMENT_IS_IN_ERP"),
)
async def abandon(
    payment_id: Id, word: Abandonment, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Before its day, or after the ERP refused it. What it was to pay is open on the bill again."""

    async def work(session: AsyncSession) -> Answer:
        row = await payment_reads.get(session, PaymentId(payment_id), caller.organization_id)
        if row is None:
            raise not_found("payment", payment_id)
        await payments.lock_bill(session, BillId(row.bill_id))  # bills before payments, as everywhere
        given_up = row.origin == "posync" and await payments.abandon(
            session, PaymentId(row.id), actor=caller.actor, why=word.reason
        )
        row = await payment_reads.get(session, PaymentId(payment_id))
        assert row is not None, "a payment is never removed"
        if not given_up:
            raise Problem("PAYMENT_IS_IN_ERP", f"The payment is {row.status}.")
        return answer(200, Payment(**columns(row, Payment)))

    once = Once(services, caller, key, f"POST /v1/payments/{payment_id}/abandon")
    done = await once.run(word.model_dump(mode="json"), work)
    if done.status == 200:
        # Also on a repeat: the first attempt may have died between its commit and this word.
        async with services.database.transaction() as session:
            now = await payments.bill_now(session, PaymentId(payment_id))
        given_up = PaymentGivenUp(actor=caller.actor, why=word.reason, bill=now)
        await durable.payment_given_up(services.temporal, PaymentId(payment_id), BillId(done.body["bill_id"]), given_up)
    return done.response()
