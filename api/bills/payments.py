"""List, read and abandon payments: those made here and those made in the ERP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_matching import Abandonment
from api.bills.schemas import (
    Event,
    Payment,
    Write,
    about_payments,
    credits_shown,
    payment_shown,
    shares_shown,
    wait_shown,
)
from api.http.auth import Accountant, Viewer
from api.http.etag import tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Cursor, Day, Filter, Id, Limit, Page, columns, page_of
from api.http.services import Services
from models.domain.bills import Origin
from models.domain.ids import BillId, ConnectionId, PaymentId
from models.domain.payments import PaymentStatus
from models.store.audit import events, writes
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_edits, payment_listing, payment_reads
from models.store.payables.payment_listing import PaymentSort, PaymentsWanted
from services.payments.scheduling import abandon_payment

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=ExactRoute)


class PaymentWithHistory(Payment):
    write: Write | None
    """The payment's write to the ERP; null for a payment made in the ERP."""
    events: list[Event]


@router.get("", operation_id="listPayments", summary="List payments", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    bill: Filter = None,
    status: PaymentStatus | None = None,
    vendor: Annotated[str | None, Query(max_length=200, description="The vendor's id or name.")] = None,
    reference: Annotated[
        str | None, Query(max_length=200, description="The payment's number for people, or its id in your own system.")
    ] = None,
    pay_on_from: Annotated[Day | None, Query(description="Only those of this day and later.")] = None,
    pay_on_to: Annotated[Day | None, Query(description="Only those of this day and earlier.")] = None,
    sort: Annotated[PaymentSort, Query(description="`-` puts the last one first.")] = PaymentSort.CREATED_LAST_FIRST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Payment]:
    """Return the organization's payments, newest first unless `sort` says otherwise: those made here and those made in
    the ERP."""
    wanted = PaymentsWanted(
        organization_id=caller.organization_id,
        connection_id=ConnectionId(connection) if connection else None,
        bill_id=BillId(bill) if bill else None,
        status=status,
        vendor=vendor,
        reference=reference,
        pay_on_from=pay_on_from,
        pay_on_to=pay_on_to,
    )
    async with services.database.transaction() as session:
        listing = await payment_listing.page(session, wanted, sort=sort, limit=limit, cursor=cursor)
        about = await about_payments(session, [row.id for row in listing.items])
    return page_of(listing, lambda row: payment_shown(row, about))


@router.get("/{payment_id}", operation_id="getPayment", summary="Read a payment", responses=answers("NOT_FOUND"))
async def read(payment_id: Id, caller: Viewer, services: Services, response: Response) -> PaymentWithHistory:
    """Return a payment with its status: scheduled for its day, submitted to the ERP, or paid once the ERP has confirmed
    it."""
    async with services.database.transaction() as session:
        row = await payment_reads.get(session, PaymentId(payment_id), caller.organization_id)
        if row is None:
            raise not_found("payment", payment_id)
        write = await bill_edits.write_of(session, row.id)
        happened = await events.for_subject(session, caller.organization_id, "payment", row.id)
        about = await about_payments(session, [row.id])
    tag(response, row.version)
    return PaymentWithHistory(
        **columns(row, PaymentWithHistory),
        waits_for=wait_shown(about.waits.get(PaymentId(row.id))),
        shares=shares_shown(about.shares[row.id]),
        credits=credits_shown(about.credits[row.id]),
        write=None if write is None else Write(**columns(write, Write)),
        events=[Event(**columns(event, Event)) for event in happened],
    )


@router.post(
    "/{payment_id}/abandon",
    operation_id="abandonPayment",
    summary="Abandon a payment that was not sent",
    response_model=Payment,
    responses=answers(*WRITE, "PAYMENT_IS_IN_ERP", "WRITE_IN_DOUBT"),
)
async def abandon(
    payment_id: Id, abandonment: Abandonment, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Abandon a payment before its day, or after the ERP has refused it. Its amount is open on the bill again."""

    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await payment_reads.get(session, PaymentId(payment_id), caller.organization_id)
        if row is None:
            raise not_found("payment", payment_id)
        if row.origin == Origin.POSYNC:
            messages[:] = await abandon_payment(
                session, PaymentId(row.id), actor=caller.actor, why=abandonment.reason, request_key=key
            )
        row = await payment_reads.get(session, PaymentId(payment_id))
        assert row is not None, "a payment is never removed"
        if not messages and row.origin == Origin.POSYNC and await writes.in_doubt(session, row.id):
            raise Problem("WRITE_IN_DOUBT", "The payment was sent, and the ERP may hold it.")
        if not messages:
            raise Problem("PAYMENT_IS_IN_ERP", f"The payment is {row.status}.")
        return answer(200, payment_shown(row, await about_payments(session, [row.id])))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/payments/{payment_id}/abandon")
    done = await idempotent.run(abandonment.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()
