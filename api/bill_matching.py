"""A bill's match: what was found and decided, whether it can be recomputed; acknowledging, releasing, giving up."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.client import WorkflowUpdateFailedError

from activities.billing import standing
from activities.waiting_bills import needed, words
from api import durable
from api.auth import Accountant, Caller, Clerk, Viewer
from api.bill_shapes import BillSummary, FindingId, OpenNeeds, summary
from api.exact import ExactRoute
from api.idempotency import Answer, IdempotencyKey, Once, answer, refused_by_worker
from api.problems import Problem, answers, not_found
from api.services import Services, ServiceSet
from api.shapes import Id, Input, Reason, Text
from matching.bill import recompute
from matching.decision import for_saved_bill
from matching.result import MatchResult
from models.domain import BillId, BillStatus, ConnectionId, ErpId, PurchaseOrderId
from models.messages import DecideMatch, RequestRef
from models.store import bill_edits, bill_reads, match_results, purchase_orders, waiting_bills
from models.store.bill_edits import EditRefused
from models.tables import BillRow, MatchResultRow
from workflows.contract import purchase_order_workflow_id

router = APIRouter(prefix="/v1/bills/{bill_id}", tags=["bills"], route_class=ExactRoute)

WRITE = ("NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED")


class Decision(BaseModel):
    """A person's word on one finding."""

    kind: str
    """acknowledged | released."""
    finding_id: str
    code: str
    actor: str
    why: str
    at: datetime
    counts: bool
    """False: the finding is gone or got worse since, so the word settles nothing any more."""


class EarlierMatch(BaseModel):
    outcome: str
    why: str
    """Why the bill was matched then."""
    at: datetime
    findings: list[dict[str, Any]]


class Recomputed(BaseModel):
    """The stored inputs matched once more, now."""

    outcome: str
    same: bool
    """Whether outcome and findings are what was stored."""


class BillMatch(BaseModel):
    bill_id: str
    status: BillStatus
    outcome: str
    why: str
    """Why it was matched last: asked for, or what had changed."""
    at: datetime
    needs: OpenNeeds
    decisions: list[Decision]
    result: dict[str, Any]
    """Outcome, findings, the policies that decided, and all inputs with their versions."""
    recomputed: Recomputed
    earlier: list[EarlierMatch]


class Acknowledgement(Input):
    findings: Annotated[list[FindingId], Field(min_length=1, max_length=500)] = Field(
        examples=[["BILLED_BEYOND_RECEIVED:line-1"]]
    )
    reason: Text = ""


class Release(Input):
    reason: Reason = Field(examples=["The buyer agreed to the price by mail of 20 November."])


class Abandonment(Input):
    reason: Reason


class DecisionTaken(BaseModel):
    bill_id: str
    status: BillStatus
    """`pending_push`: nothing is left to decide, the bill is on its way."""
    decided: list[str]
    """The findings this word settled, by id."""
    needs: OpenNeeds


@router.get("/match", operation_id="getBillMatch", summary="How a bill matched", responses=answers("NOT_FOUND"))
async def read(bill_id: Id, caller: Viewer, services: Services) -> BillMatch:
    """The last result with its inputs, what people decided about it, the results before it, and whether the stored
    inputs still give the stored result."""
    async with services.database.transaction() as session:
        row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        results = await match_results.of_bill(session, BillId(bill_id))
        decided = await waiting_bills.decisions(session, BillId(bill_id))
    if not results:  # made in the ERP
        raise not_found("match of bill", bill_id)
    last, *earlier = results
    result = MatchResult.model_validate(last.result)
    acknowledged, released = words(result, decided)
    _, open_needs = standing(result, acknowledged, released)
    counting = {"acknowledged": acknowledged, "released": released}
    return BillMatch(
        bill_id=row.id,
        status=BillStatus(row.status),
        outcome=last.outcome,
        why=last.why,
        at=last.created_at,
        needs=OpenNeeds.model_validate(needed(open_needs)),
        decisions=[
            Decision(
                kind=word.kind,
                finding_id=word.finding["id"],
                code=word.finding["code"],
                actor=word.actor,
                why=word.why,
                at=word.at,
                counts=word.finding["id"] in counting[word.kind],
            )
            for word in decided
        ],
        result=last.result,
        recomputed=_recomputed(last, result),
        earlier=[
            EarlierMatch(outcome=one.outcome, why=one.why, at=one.created_at, findings=one.result["findings"])
            for one in earlier
        ],
    )


def _recomputed(row: MatchResultRow, stored: MatchResult) -> Recomputed:
    again = recompute(stored)
    if row.why != match_results.ASKED_FOR:  # a second look at a saved bill never refuses it
        again = for_saved_bill(again)
    same = (again.outcome, again.findings) == (stored.outcome, stored.findings)
    return Recomputed(outcome=again.outcome, same=same)


@router.post(
    "/acknowledgements",
    operation_id="acknowledgeFindings",
    summary="Acknowledge warnings of a bill's match",
    response_model=DecisionTaken,
    responses=answers(
        *WRITE,
        "BILL_NOT_WAITING",
        "FINDING_UNKNOWN",
        "FINDING_NEEDS_RELEASE",
        "WORKER_UNAVAILABLE",
        "TEMPORAL_UNAVAILABLE",
    ),
)
async def acknowledge(
    bill_id: Id, word: Acknowledgement, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """By finding id, so that nobody acknowledges what they have not seen. Once no warning and no hold is left, the bill
    goes on to the ERP by itself. An id acknowledged before is taken again without effect."""
    return await _decide(services, caller, key, bill_id, "acknowledgements", word.model_dump(mode="json"))


@router.post(
    "/release",
    operation_id="releaseBill",
    summary="Release a bill that is on hold",
    response_model=DecisionTaken,
    responses=answers(
        *WRITE,
        "BILL_NOT_WAITING",
        "NOTHING_ON_HOLD",
        "HOLD_NEEDS_A_FIX",
        "WORKER_UNAVAILABLE",
        "TEMPORAL_UNAVAILABLE",
    ),
)
async def release(
    bill_id: Id, word: Release, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """All holds at once, with a reason that stays with the bill. Warnings are still acknowledged one by one."""
    return await _decide(services, caller, key, bill_id, "release", {"findings": None, **word.model_dump(mode="json")})


async def _decide(
    services: ServiceSet, caller: Caller, key: str, bill_id: str, action: str, body: dict[str, Any]
) -> JSONResponse:
    route = f"POST /v1/bills/{bill_id}/{action}"
    once = Once(services, caller, key, route)
    async with services.database.transaction() as session:
        row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        known = await once.claim(session, {"bill_id": bill_id, **body})
    if known is None:
        decide = DecideMatch(
            request=RequestRef(organization_id=caller.organization_id, key=key), bill_id=BillId(bill_id)
        )
        try:
            decided = None
            if row.origin == "posync":
                decided = await durable.decide_match(services.temporal, BillId(bill_id), decide)
        except WorkflowUpdateFailedError:  # its validator: the bill is closed
            decided = None
        if decided is None:
            return (await once.refuse(_not_waiting(row))).response()
        known = await once.stored()
        if known is None:
            raise Problem("INTERNAL_ERROR", "The bill's workflow answered, but stored no answer.")
    return _rendered(known, bill_id, route)


def _not_waiting(row: BillRow) -> Problem:
    return Problem("BILL_NOT_WAITING", f"The bill is {row.status.replace('_', ' ')}.")


def _rendered(known: Answer, bill_id: str, route: str) -> JSONResponse:
    """The worker's stored decision as the caller sees it; made of nothing else, so that a repeat sees the same."""
    if known.status == 200:
        decided = known.body.get("released") or known.body.get("acknowledged") or []
        body = {"bill_id": bill_id, "status": known.body["status"], "decided": decided, "needs": known.body["needs"]}
        return Answer(200, body).response()
    return refused_by_worker(known, route)


@router.post(
    "/abandon",
    operation_id="abandonBill",
    summary="Give up a bill that was not sent",
    response_model=BillSummary,
    responses=answers(*WRITE, "BILL_IS_CLOSED", "BILL_IS_IN_ERP", "BILL_ON_ITS_WAY"),
)
async def abandon(
    bill_id: Id, word: Abandonment, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Its quantities are free again and its number may be used anew. A bill the ERP holds is deleted there."""

    async def work(session: AsyncSession) -> Answer:
        row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        try:
            await bill_edits.give_up(session, row, actor=caller.actor, why=word.reason)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        return answer(200, summary(row))

    once = Once(services, caller, key, f"POST /v1/bills/{bill_id}/abandon")
    done = await once.run(word.model_dump(mode="json"), work)
    order_id = done.body.get("purchase_order_id")
    if done.status == 200 and order_id is not None:
        await tell_given_up(services, BillId(bill_id), PurchaseOrderId(order_id))
    return done.response()


async def tell_given_up(services: ServiceSet, bill_id: BillId, order_id: PurchaseOrderId) -> None:
    """Also on a repeat: the first attempt may have died between its commit and this word."""
    async with services.database.transaction() as session:
        order = await purchase_orders.get(session, order_id)
        facts = await purchase_orders.facts(session, order_id)
    assert order is not None, "a mirrored order is never removed"
    assert facts is not None, "a mirrored order has facts"
    workflow_id = purchase_order_workflow_id(ConnectionId(order.connection_id), ErpId(order.erp_id))
    await durable.bill_given_up(services.temporal, bill_id, workflow_id, facts)
