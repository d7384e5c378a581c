"""Show how a bill matched and what people decided, and take their decisions: acknowledge, release, abandon."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.schemas import BillSummary, FindingId, OpenNeeds, summary
from api.http.auth import Accountant, Caller, Clerk, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, StoredFinding, StoredMatch, answers, not_found
from api.http.schemas import Id, Input, Reason, Text
from api.http.services import Services, ServiceSet
from matching.bill import recompute
from matching.kernel.result import MatchResult
from matching.rules.decision import for_saved_bill, same_findings
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_edits, bill_reads, bills_in_review
from models.store.payables.bill_edits import EditRefused
from models.store.policies import match_results
from models.tables import MatchResultRow
from services.bills import review
from services.bills.ending import abandon_bill
from services.bills.intake import status_after_match
from services.bills.review import effective_decisions, needed
from services.sync.repeated_numbers import allow_repeated_number

router = APIRouter(prefix="/v1/bills/{bill_id}", tags=["bills"], route_class=ExactRoute)


class Decision(Output):
    """What a person decided on one finding."""

    kind: str
    """acknowledged | released."""
    finding_id: str
    code: str
    actor: str
    why: str
    at: datetime
    counts: bool
    """False: the finding is gone or has become worse since, so the decision no longer settles it."""


class EarlierMatch(Output):
    outcome: str
    why: str
    """Why the bill was matched at that time."""
    at: datetime
    findings: list[StoredFinding]


class Recomputed(Output):
    """The result of matching the stored inputs once more, now."""

    outcome: str
    same: bool
    """True: outcome and findings equal the stored ones."""


class BillMatch(Output):
    bill_id: str
    status: BillStatus
    outcome: str
    why: str
    """Why it was last matched: somebody asked for the bill, or something changed that the match depends on."""
    at: datetime
    needs: OpenNeeds
    decisions: list[Decision]
    result: StoredMatch
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


class DecisionTaken(Output):
    bill_id: str
    status: BillStatus
    """`pending_push`: nothing is left to decide, and the bill is on its way to the ERP."""
    decided: list[str]
    """Ids of the findings that this decision settled."""
    needs: OpenNeeds


@router.get("/match", operation_id="getBillMatch", summary="How a bill matched", responses=answers("NOT_FOUND"))
async def read(bill_id: Id, caller: Viewer, services: Services) -> BillMatch:
    """Return the last match result with all its inputs, the decisions people took on it, and the results before it.

    `recomputed` says whether matching the stored inputs again gives the same result.
    """
    async with services.database.transaction() as session:
        row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        results = await match_results.of_bill(session, BillId(bill_id))
        decided = await bills_in_review.decisions(session, BillId(bill_id))
    if not results:  # made in the ERP
        raise not_found("match of bill", bill_id)
    last, *earlier = results
    result = MatchResult.model_validate(last.result)
    acknowledged, released = effective_decisions(result, decided)
    _, open_needs = status_after_match(result, acknowledged, released)
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
                kind=decision.kind,
                finding_id=decision.finding["id"],
                code=decision.finding["code"],
                actor=decision.actor,
                why=decision.why,
                at=decision.at,
                counts=decision.finding["id"] in counting[decision.kind],
            )
            for decision in decided
        ],
        result=last.result,
        recomputed=_recomputed(last, result),
        earlier=[
            EarlierMatch(outcome=one.outcome, why=one.why, at=one.created_at, findings=one.result["findings"])
            for one in earlier
        ],
    )


def _recomputed(row: MatchResultRow, stored: MatchResult) -> Recomputed:
    recomputed = recompute(stored)
    if row.why != match_results.ASKED_FOR:  # a second look at a saved bill never refuses it
        recomputed = for_saved_bill(recomputed)
    same = recomputed.outcome == stored.outcome and same_findings(recomputed.findings, stored.findings)
    return Recomputed(outcome=recomputed.outcome, same=same)


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
    ),
)
async def acknowledge(
    bill_id: Id, decision: Acknowledgement, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Accept warnings of the match, each by its finding id, so that nobody accepts a warning they have not seen.

    When no warning and no hold is left, the bill goes to the ERP by itself. Acknowledging an id again has no further
    effect.
    """
    return await _decide(services, caller, key, bill_id, "acknowledgements", decision.model_dump(mode="json"))


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
    ),
)
async def release(
    bill_id: Id, decision: Release, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Release all holds of the bill at once. The reason is stored with the bill. Warnings still have to be acknowledged
    one by one."""
    return await _decide(
        services, caller, key, bill_id, "release", {"findings": None, **decision.model_dump(mode="json")}
    )


async def _decide(
    services: ServiceSet, caller: Caller, key: str, bill_id: str, action: str, body: dict[str, Any]
) -> JSONResponse:
    message: OutboxMessage | None = None

    async def work(session: AsyncSession) -> Answer:
        nonlocal message
        if await bill_reads.get(session, BillId(bill_id), caller.organization_id) is None:
            raise not_found("bill", bill_id)
        decision = await review.decide(
            session,
            BillId(bill_id),
            body["findings"],
            reason=body["reason"],
            actor=caller.actor,
            request_key=key,
        )
        message = decision.message
        taken = DecisionTaken(
            bill_id=bill_id,
            status=decision.status,
            decided=decision.decided,
            needs=OpenNeeds.model_validate(decision.needs),
        )
        return answer(200, taken)

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/{action}")
    done = await idempotent.run({"bill_id": bill_id, **body}, work)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return done.response()


@router.post(
    "/abandon",
    operation_id="abandonBill",
    summary="Abandon a bill that was not sent",
    response_model=BillSummary,
    responses=answers(*WRITE, "BILL_IS_CLOSED", "BILL_IS_IN_ERP", "BILL_ON_ITS_WAY"),
)
async def abandon(
    bill_id: Id, decision: Abandonment, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Abandon a bill that the ERP does not hold. Its quantities are free again, and its invoice number may be used
    again.

    A bill that the ERP holds is deleted in the ERP instead.
    """

    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        try:
            messages[:] = await abandon_bill(session, row, actor=caller.actor, why=decision.reason, request_key=key)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        return answer(200, summary(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/abandon")
    done = await idempotent.run(decision.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


@router.post(
    "/repeat-number",
    operation_id="repeatBillNumber",
    summary="Let a bill be sent although another document has its number",
    response_model=BillSummary,
    responses=answers(*WRITE, "NUMBER_NOT_REFUSED", "ISSUE_IS_CLOSED", "ISSUE_BEING_ABANDONED"),
)
async def repeat_number(
    bill_id: Id, decision: Abandonment, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Decide, where the ERP refused the bill because another document has its number, that both are right. The bill is
    sent again, and the ERP told that the number may come twice. posync never decides that by itself."""
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        message = await allow_repeated_number(session, row, actor=caller.actor, why=decision.reason, request_key=key)
        messages[:] = [] if message is None else [message]
        return answer(200, summary(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/repeat-number")
    done = await idempotent.run(decision.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()
