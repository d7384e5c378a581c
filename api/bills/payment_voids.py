"""Void payments that the ERP holds."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.schemas import Payment, about_payments, payment_shown
from api.http.auth import Accountant
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import answers, not_found
from api.http.schemas import Day, Id, Input, Reason
from api.http.services import Services
from models.domain.ids import PaymentId
from models.store.audit.outbox import OutboxMessage
from models.store.payables import payment_reads
from services.payments.voiding import void_payment

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=ExactRoute)


class NewVoid(Input):
    reason: Reason
    on: Day | None = Field(default=None, description="The day of the void, where the ERP dates it; null: today.")


@router.post(
    "/{payment_id}/void",
    operation_id="voidPayment",
    summary="Void a payment in the ERP",
    response_model=Payment,
    responses=answers(*WRITE, "PAYMENT_MADE_IN_ERP", "VOID_NOT_OFFERED", "PAYMENT_NOT_PAID", "VOID_BEFORE_PAYMENT"),
)
async def void(
    payment_id: Id, asked: NewVoid, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Void a payment that the ERP has posted. Once the ERP has voided it, its amount is due again on its bills."""
    message: OutboxMessage | None = None

    async def work(session: AsyncSession) -> Answer:
        nonlocal message
        if await payment_reads.get(session, PaymentId(payment_id), caller.organization_id) is None:
            raise not_found("payment", payment_id)
        message = await void_payment(
            session, PaymentId(payment_id), on=asked.on, actor=caller.actor, why=asked.reason, request_key=key
        )
        row = await payment_reads.get(session, PaymentId(payment_id))
        assert row is not None, "a payment is never removed"
        return answer(200, payment_shown(row, await about_payments(session, [row.id])))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/payments/{payment_id}/void")
    done = await idempotent.run(asked.model_dump(mode="json"), work)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return done.response()
