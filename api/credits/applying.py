"""Apply credits to bills without money, and undo that."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load, must_be_let_in
from api.credits.routes import whole
from api.credits.schemas import Credit
from api.http.auth import Accountant
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Id, Input, Name, PositiveAmount, Reason
from api.http.services import Services
from models.domain.bills import BillKind
from models.domain.ids import BillId, CreditApplicationId
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_reads
from services.credits.applying import Wanted, apply_credit, unapply_credit

router = APIRouter(prefix="/v1/credits/{credit_id}", tags=["credits"], route_class=ExactRoute)


class ToApply(Input):
    bill_id: Name
    amount: PositiveAmount | None = Field(default=None, description="null: all that is open of both.")


class Application(Input):
    bills: Annotated[list[ToApply], Field(min_length=1, max_length=100)]
    reason: Reason | None = Field(default=None, description="It is kept with the bills and the credit.")


class Unapplication(Input):
    application_id: Name
    reason: Reason | None = Field(default=None, description="It is kept with the bill and the credit.")


@router.post(
    "/apply",
    operation_id="applyCredit",
    summary="Apply a credit to bills",
    response_model=Credit,
    responses=answers(
        *WRITE, "CREDITS_NOT_TAKEN", "CREDIT_NOT_OPEN", "CREDIT_OF_ANOTHER", "BILL_NOT_CREDITABLE", "MORE_THAN_OPEN"
    ),
)
async def apply(
    credit_id: Id, asked: Application, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Apply a credit to bills of its vendor without money: one made here or in the ERP, as far as both are open.

    Each application goes to the ERP exactly once. `applications` shows where each stands; one that the ERP refused
    applies nothing.
    """
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await bill_reads.get(session, BillId(credit_id), caller.organization_id)
        if row is None or row.kind != BillKind.CREDIT:
            raise not_found("credit", credit_id)
        connection = await load(session, services, caller, row.connection_id)
        must_be_let_in(connection)
        if not connection.capabilities.get("credits"):
            raise Problem("CREDITS_NOT_TAKEN", f"{connection.name} takes no credits from here.")
        wanted = [Wanted(BillId(one.bill_id), one.amount) for one in asked.bills]
        messages[:] = await apply_credit(
            session,
            connection,
            row,
            wanted,
            organization_id=caller.organization_id,
            request_key=key,
            actor=caller.actor,
            why=asked.reason or "",
        )
        return answer(200, await whole(session, caller, row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/credits/{credit_id}/apply")
    done = await idempotent.run(asked.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


@router.post(
    "/unapply",
    operation_id="unapplyCredit",
    summary="Undo an application of a credit",
    response_model=Credit,
    responses=answers(*WRITE, "CREDIT_NOT_APPLIED"),
)
async def unapply(
    credit_id: Id, asked: Unapplication, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Undo an application that was made from here: what it applied is open again on the credit and due on the bill."""
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await bill_reads.get(session, BillId(credit_id), caller.organization_id)
        if row is None or row.kind != BillKind.CREDIT:
            raise not_found("credit", credit_id)
        messages[:] = await unapply_credit(
            session,
            row,
            CreditApplicationId(asked.application_id),
            organization_id=caller.organization_id,
            request_key=key,
            actor=caller.actor,
            why=asked.reason or "",
        )
        return answer(200, await whole(session, caller, row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/credits/{credit_id}/unapply")
    done = await idempotent.run(asked.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()
