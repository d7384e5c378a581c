"""Delete, dispute and restore bills, and send them back to accounts payable; show before what would happen."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.schemas import BillAction, BillSummary, Obstacle, summary
from api.http.auth import Accountant, Caller
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problem_codes import PROBLEM_CODES
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Id, Input, Reason
from api.http.services import Services, ServiceSet
from erp.registry import issue_code
from models.domain.connections import Erp
from models.domain.ids import BillId
from models.domain.retractions import BillEvent
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_edits, bill_reads
from models.store.payables.retractions import RetractionFacts
from models.tables import BillRow
from services.bills.retraction import plans, take_event
from services.bills.taken_back import lock_orders, restore
from services.refusal import Refused

router = APIRouter(prefix="/v1/bills/{bill_id}", tags=["bills"], route_class=ExactRoute)

IN_THE_WAY = (
    "SETUP_CHECK_FAILED",
    "BILL_HAS_ISSUE",
    "BILL_HAS_PAYMENTS",
    "BILL_IS_CLOSED",
    "BILL_MADE_IN_ERP",
    "BILL_ON_ITS_WAY",
    "BILL_PERIOD_CLOSED",
    "EDIT_UNDER_WAY",
    "QUANTITY_STAYS_BILLED",
    "RETRACTION_NOT_OFFERED",
    "RETRACTION_UNDER_WAY",
)

Work = Callable[[AsyncSession, BillRow, str], Awaitable[list[OutboxMessage]]]


class Deletion(Input):
    reason: Reason = Field(examples=["The supplier withdrew the invoice."])


class Dispute(Input):
    reason: Reason = Field(examples=["The price is not the one we agreed on."])


class Retraction(Input):
    reason: Reason = Field(examples=["It is on the wrong cost centre."])


class Restoration(Input):
    reason: Reason = Field(examples=["The supplier sent the missing delivery note."])


def actions(row: BillRow, facts: RetractionFacts) -> list[BillAction]:
    """Return what may be done with a bill of ours as a whole, and what would come of it."""
    return [
        BillAction(
            action=event,
            possible=plan.does is not None,
            does=plan.does,
            way=plan.way,
            dated=plan.dated,
            frees_quantity=plan.frees_quantity,
            obstacles=[_obstacle(one) for one in plan.obstacles],
            unknown_until_tried=[_unknown(facts.erp, code) for code in plan.unknown],
        )
        for event, plan in plans(row, facts).items()
    ]


def _unknown(erp: Erp, code: str) -> Obstacle:
    issue = issue_code(code, erp)
    return Obstacle(code=code, message=f"Unknown until tried: {issue.cause}", fix=issue.steps({}))


def _obstacle(refused: Refused) -> Obstacle:
    fix = PROBLEM_CODES[refused.code].fix if refused.fix is None else refused.fix
    return Obstacle(code=refused.code, message=refused.detail, fix=list(fix))


@router.post(
    "/delete",
    operation_id="deleteBill",  # S5-07
    summary="Delete a bill",
    response_model=BillSummary,
    responses=answers(*WRITE, *IN_THE_WAY, "BILL_IS_IN_ERP"),
)
async def delete(
    bill_id: Id, asked: Deletion, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Delete a bill. One that the ERP holds is taken back from there first: it is `retracting` until the ERP does not
    hold it any more, then `deleted`. One that was not sent is `abandoned` at once. Its quantities are free again.

    `GET /v1/bills/{bill_id}` shows before, under `actions`, how the ERP gives it back and what stands in the way.
    `POST /v1/bills/{bill_id}/restore` undoes it.
    """
    return await _take(services, caller, key, bill_id, BillEvent.DELETE, asked.reason)


@router.post(
    "/dispute",
    operation_id="disputeBill",  # S5-07
    summary="Dispute a bill",
    response_model=BillSummary,
    responses=answers(*WRITE, *IN_THE_WAY),
)
async def dispute(
    bill_id: Id, asked: Dispute, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Dispute a bill. One that the ERP holds is taken back from there first. It stays here as `disputed`: nothing of it
    is reserved, sent or paid until somebody restores or abandons it. Meanwhile it can be edited.
    """
    return await _take(services, caller, key, bill_id, BillEvent.DISPUTE, asked.reason)


@router.post(
    "/retract",
    operation_id="retractBill",  # S5-10, S5-11
    summary="Send a bill back to accounts payable",
    response_model=BillSummary,
    responses=answers(*WRITE, *IN_THE_WAY, "BILL_NOT_IN_ERP", "SENDING_BACK_NEEDS_APPROVALS"),
)
async def retract(
    bill_id: Id, asked: Retraction, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Send a bill back that the ERP holds: it is taken back from there, keeps its quantities, and waits for its
    approval again. Approved again, it goes to the ERP as a new bill, under a new key.
    """
    return await _take(services, caller, key, bill_id, BillEvent.RETRACT, asked.reason)


@router.post(
    "/restore",
    operation_id="restoreBill",  # S5-08
    summary="Restore a bill that was deleted, disputed or abandoned",
    response_model=BillSummary,
    responses=answers(
        *WRITE,
        "NOTHING_TO_RESTORE",
        "RETRACTION_UNDER_WAY",
        "BILL_MADE_IN_ERP",
        "BILL_NOT_LINKED",
        "NUMBER_IN_USE",
        "QUANTITY_STAYS_BILLED",
    ),
)
async def undo(
    bill_id: Id, asked: Restoration, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Make a bill anew that was deleted, here or in the ERP, disputed or abandoned. It takes its quantities again, is
    matched with what holds now and approved again, and goes to the ERP as a new bill.
    """

    async def work(session: AsyncSession, row: BillRow, request_key: str) -> list[OutboxMessage]:
        return await restore(session, row, actor=caller.actor, why=asked.reason, request_key=request_key)

    return await _answer(services, caller, key, bill_id, "restore", asked.reason, work)


async def _take(
    services: ServiceSet, caller: Caller, key: str, bill_id: str, event: BillEvent, reason: str
) -> JSONResponse:
    async def work(session: AsyncSession, row: BillRow, request_key: str) -> list[OutboxMessage]:
        return await take_event(session, row, event, actor=caller.actor, why=reason, request_key=request_key)

    return await _answer(services, caller, key, bill_id, event.value, reason, work)


async def _answer(
    services: ServiceSet, caller: Caller, key: str, bill_id: str, verb: str, reason: str, work: Work
) -> JSONResponse:
    messages: list[OutboxMessage] = []

    async def done(session: AsyncSession) -> Answer:
        if await bill_reads.get(session, BillId(bill_id), caller.organization_id) is None:
            raise not_found("bill", bill_id)
        await lock_orders(session, BillId(bill_id))  # before the bill, as everywhere
        row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
        assert row is not None, "a bill is never removed"
        try:
            messages[:] = await work(session, row, key)
        except Refused as refused:
            raise Problem(refused.code, refused.detail, fix=refused.fix) from refused
        return answer(200, summary(row))

    request = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/{verb}")
    result = await request.run({"reason": reason}, done)
    services.outbox.deliver_behind_answer(*messages)
    return result.response()
