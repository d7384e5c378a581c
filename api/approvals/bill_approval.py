"""Show how far the approval of a bill is, and take people's decisions: approve, deny, delegate, reassign."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.approvals.connection_approvals import NewStep
from api.http.auth import Accountant, Caller, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Id, Input, Named, Reason, Text
from api.http.services import Services, ServiceSet
from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.ids import BillId, PersonId
from models.store.approvals import people, steps
from models.store.approvals.people import Person
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_reads
from services.approvals import decisions
from services.approvals.decisions import Decided
from services.approvals.separation import kept_from_approving

router = APIRouter(prefix="/v1/bills/{bill_id}", tags=["approvals"], route_class=ExactRoute)

AWAITED = ("APPROVAL_NOT_AWAITED", "BILL_IN_REVIEW")
OWN_TURN = (
    "APPROVAL_NEEDS_A_PERSON",
    "APPROVERS_NOT_ASSIGNED",
    "NOT_AN_APPROVER",
    "NOT_THE_APPROVER",
    "SEPARATION_OF_DUTIES",
)


class Approval(Input):
    reason: Text = ""


class Denial(Input):
    reason: Reason = Field(examples=["The delivery was damaged."])


class Delegation(Input):
    to: Named = Field(description="The id of the person who approves instead.")
    reason: Reason = Field(examples=["I am away until Monday."])


class Reassignment(Input):
    steps: Annotated[list[NewStep], Field(min_length=1, max_length=10)] = Field(
        description="Who approves, in order; steps that are approved stay."
    )
    reason: Reason = Field(examples=["Ben has left the company."])


class NamedPerson(Output):
    id: str
    name: str


class ShownStep(Output):
    approvers: list[NamedPerson]
    """Of these people, one approves."""
    approved_by: NamedPerson | None
    approved_at: datetime | None
    is_turn: bool
    """True: this step's decision is awaited."""


class Kept(Output):
    person: NamedPerson
    why: str


class BillApproval(Output):
    bill_id: str
    status: BillStatus
    approval: ApprovalState
    approved_at: datetime | None
    steps: list[ShownStep]
    kept_from_approving: list[Kept]
    """Who may not approve the bill, whatever their roles, and why."""


class ApprovalDecided(Output):
    bill_id: str
    status: BillStatus
    """`pending_push`: the bill is on its way to the ERP."""
    approval: ApprovalState


@router.get(
    "/approval",
    operation_id="getBillApproval",
    summary="How far a bill's approval is",
    responses=answers("NOT_FOUND"),
)
async def read(bill_id: Id, caller: Viewer, services: Services) -> BillApproval:
    """Return who is asked to approve the bill, who did, and who may not. The bill's events tell what happened."""
    async with services.database.transaction() as session:
        row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        all_steps = await steps.of_bill(session, BillId(row.id))
        kept = await kept_from_approving(session, row)
        asked = {one for step in all_steps for one in (*step.approvers, step.approved_by) if one}
        known = await people.named(session, asked | set(kept))
    state = ApprovalState(row.approval)
    turn = next((no for no, step in enumerate(all_steps) if step.approved_by is None), None) if state.is_open else None

    def name(person: PersonId) -> NamedPerson:
        return NamedPerson(id=person, name=known[person].name)

    return BillApproval(
        bill_id=row.id,
        status=BillStatus(row.status),
        approval=state,
        approved_at=row.approved_at,
        steps=[
            ShownStep(
                approvers=[name(one) for one in step.approvers],
                approved_by=name(step.approved_by) if step.approved_by else None,
                approved_at=step.approved_at,
                is_turn=no == turn,
            )
            for no, step in enumerate(all_steps)
        ],
        kept_from_approving=[Kept(person=name(one), why=why) for one, why in kept.items()],
    )


@router.post(
    "/approve",
    operation_id="approveBill",
    summary="Approve a bill",
    response_model=ApprovalDecided,
    responses=answers(*WRITE, *AWAITED, *OWN_TURN),
)
async def approve(
    bill_id: Id, decision: Approval, key: IdempotencyKey, caller: Viewer, services: Services
) -> JSONResponse:
    """Approve the step whose turn it is. With the last step the bill is approved, and goes to the ERP by itself, or
    waits for its first payment."""

    async def decide(session: AsyncSession, person: Person) -> Decided:
        return await decisions.approve(
            session, BillId(bill_id), person, why=decision.reason, actor=caller.actor, request_key=key
        )

    return await _decide_in_person(services, caller, key, bill_id, "approve", decision, decide)


@router.post(
    "/deny",
    operation_id="denyBill",
    summary="Deny a bill",
    response_model=ApprovalDecided,
    responses=answers(*WRITE, *AWAITED, *OWN_TURN),
)
async def deny(bill_id: Id, decision: Denial, key: IdempotencyKey, caller: Viewer, services: Services) -> JSONResponse:
    """Deny a bill, as an approver of any of its steps. It is not sent: an accountant names its approvers anew, or it
    is abandoned."""

    async def decide(session: AsyncSession, person: Person) -> Decided:
        return await decisions.deny(
            session, BillId(bill_id), person, why=decision.reason, actor=caller.actor, request_key=key
        )

    return await _decide_in_person(services, caller, key, bill_id, "deny", decision, decide)


@router.post(
    "/approval/delegate",
    operation_id="delegateApproval",
    summary="Delegate an approval",
    response_model=ApprovalDecided,
    responses=answers(*WRITE, *AWAITED, *OWN_TURN, "ALREADY_THE_APPROVER", "PERSON_UNKNOWN"),
)
async def delegate(
    bill_id: Id, delegation: Delegation, key: IdempotencyKey, caller: Viewer, services: Services
) -> JSONResponse:
    """Give your turn to another approver, who acts for you: whoever may not approve the bill may not delegate it
    either."""

    async def decide(session: AsyncSession, person: Person) -> Decided:
        return await decisions.delegate(
            session,
            BillId(bill_id),
            person,
            PersonId(delegation.to),
            why=delegation.reason,
            actor=caller.actor,
            request_key=key,
        )

    return await _decide_in_person(services, caller, key, bill_id, "approval/delegate", delegation, decide)


@router.post(
    "/approval/reassign",
    operation_id="reassignApproval",
    summary="Name a bill's approvers",
    response_model=ApprovalDecided,
    responses=answers(*WRITE, *AWAITED, "NOT_AN_APPROVER", "NOBODY_CAN_APPROVE", "PERSON_UNKNOWN"),
)
async def reassign(
    bill_id: Id, new: Reassignment, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Name who approves a bill that awaits approval: where no rule applied, instead of other people, or after a
    denial."""

    async def decide(session: AsyncSession) -> Decided:
        return await decisions.reassign(
            session,
            BillId(bill_id),
            [[PersonId(one) for one in dict.fromkeys(step.approvers)] for step in new.steps],
            why=new.reason,
            actor=caller.actor,
            request_key=key,
        )

    return await _decide(services, caller, key, bill_id, "approval/reassign", new.model_dump(mode="json"), decide)


async def _decide_in_person(
    services: ServiceSet,
    caller: Caller,
    key: str,
    bill_id: str,
    action: str,
    body: Input,
    decide: Callable[[AsyncSession, Person], Awaitable[Decided]],
) -> JSONResponse:
    person = caller.person
    if person is None:
        raise Problem("APPROVAL_NEEDS_A_PERSON", f"{caller.actor} is a program's key and names nobody.")

    async def decided(session: AsyncSession) -> Decided:
        return await decide(session, person)

    # The same key of two people is two requests: the second one is not answered with the first one's decision.
    shown = {**body.model_dump(mode="json"), "person": person.id}
    return await _decide(services, caller, key, bill_id, action, shown, decided)


async def _decide(
    services: ServiceSet,
    caller: Caller,
    key: str,
    bill_id: str,
    action: str,
    body: Mapping[str, Any],
    decide: Callable[[AsyncSession], Awaitable[Decided]],
) -> JSONResponse:
    message: OutboxMessage | None = None

    async def work(session: AsyncSession) -> Answer:
        nonlocal message
        if await bill_reads.get(session, BillId(bill_id), caller.organization_id) is None:
            raise not_found("bill", bill_id)
        decided = await decide(session)
        message = decided.message
        return answer(200, ApprovalDecided(bill_id=bill_id, status=decided.status, approval=decided.approval))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/{action}")
    done = await idempotent.run({"bill_id": bill_id, **body}, work)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return done.response()
