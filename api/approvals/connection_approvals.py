"""Set when a connection's bills are sent, and who approves which of them."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load
from api.http.auth import Admin, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import Id, Input, Money, Name, Named, Switch, UnsignedAmount
from api.http.services import Services
from models.domain.approvals import PushWhen
from models.domain.ids import ConnectionId, PersonId
from models.store.approvals import rules
from models.store.approvals.rules import ApprovalRule
from models.store.audit.outbox import OutboxMessage
from services.approvals.rule_changes import replace_rules
from services.approvals.settings import change_settings, stored
from services.refusal import Refused

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["approvals"], route_class=ExactRoute)

EDIT = ("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED")


class NewApprovals(Input):
    """The settings of approvals; what is null stays as it is."""

    enabled: Switch | None = Field(default=None, description="true: bills need the approval of people.")
    push_when: PushWhen | None = Field(default=None, description="What bills wait for before they are sent.")
    only_approved: Switch | None = Field(default=None, description="true: only approved bills are sent, permanently.")
    draft_order_bills: Switch | None = Field(
        default=None, description="true: an order's bill goes out before its approval, as a draft that this releases."
    )


class Approvals(Output):
    enabled: bool
    push_when: PushWhen
    only_approved: bool
    draft_order_bills: bool
    version: int
    """The connection's."""


class ApprovalsAnswer(Output):
    approvals: Approvals
    notice: str | None
    """What was stored instead of what was asked for; it is kept as a notice too."""


class NewStep(Input):
    approvers: Annotated[list[Named], Field(min_length=1, max_length=20)] = Field(
        description="Ids of people, of whom one approves.", examples=[["person_0123456789abcdef01234567"]]
    )


class NewRule(Input):
    """Who approves bills that meet all conditions; a condition that is null is met by every bill."""

    name: Name = Field(examples=["Above 5,000"])
    total_from: UnsignedAmount | None = Field(default=None, description="The bill's total is this or more.")
    total_below: UnsignedAmount | None = Field(default=None, description="The bill's total is less than this.")
    vendor_id: Named | None = None
    department: Named | None = Field(default=None, description="Any line of the bill has it.")
    entity: Named | None = None
    steps: Annotated[list[NewStep], Field(min_length=1, max_length=10)]


class NewRules(Input):
    rules: Annotated[list[NewRule], Field(max_length=100)] = Field(description="The first one that applies decides.")


class ShownRule(Output):
    name: str
    total_from: Money | None
    total_below: Money | None
    vendor_id: str | None
    department: str | None
    entity: str | None
    steps: list[list[str]]
    """Ids of people: of each step, one approves."""


class Rules(Output):
    rules: list[ShownRule]


@router.get("/approvals", operation_id="getApprovals", summary="Read when bills go out", responses=answers("NOT_FOUND"))
async def read(connection_id: Id, caller: Viewer, services: Services, response: Response) -> Approvals:
    """Return whether bills of this connection need approval, and what they wait for before they are sent."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return Approvals(**stored(row)._asdict(), version=row.version)


@router.put(
    "/approvals",
    operation_id="setApprovals",  # S2-58, S2-59, S5-04..06
    summary="Set when bills go out",
    responses=answers(
        *EDIT,
        "APPROVALS_ARE_OFF",
        "ONLY_APPROVED_IS_PERMANENT",
        "PUSH_BEFORE_APPROVAL_NOT_OFFERED",
        "DRAFTS_OF_ORDER_BILLS_NOT_OFFERED",
    ),
)
async def set_approvals(
    connection_id: Id, new: NewApprovals, if_match: IfMatch, caller: Admin, services: Services, response: Response
) -> ApprovalsAnswer:
    """Set whether bills need approval, and what they wait for. Bills that were not sent follow the new settings at
    once.

    With approvals on, `matched` becomes `approved`, and the answer says so. `only_approved` can never be switched off
    again.
    """
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        asked = stored(row)._replace(**{name: value for name, value in new.model_dump().items() if value is not None})
        try:
            changed = await change_settings(session, row, asked, actor=caller.actor)
        except Refused as refused:
            raise Problem(refused.code, refused.detail, fix=refused.fix) from refused
        row = await load(session, services, caller, connection_id)
    _deliver(services, changed.messages)
    tag(response, row.version)
    return ApprovalsAnswer(approvals=Approvals(**stored(row)._asdict(), version=row.version), notice=changed.notice)


def _deliver(services: Services, messages: list[OutboxMessage]) -> None:
    services.outbox.deliver_behind_answer(*messages)


@router.get(
    "/approval-rules", operation_id="getApprovalRules", summary="Read who approves what", responses=answers("NOT_FOUND")
)
async def read_rules(connection_id: Id, caller: Viewer, services: Services, response: Response) -> Rules:
    """Return the rules in the order in which they are tried."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        listed = await _listed(session, ConnectionId(row.id))
    tag(response, row.version)
    return listed


@router.put(
    "/approval-rules",
    operation_id="replaceApprovalRules",
    summary="Set who approves what",
    responses=answers(*EDIT, "NOBODY_CAN_APPROVE", "APPROVAL_RULE_INVALID", "PERSON_UNKNOWN"),
)
async def set_rules(
    connection_id: Id, new: NewRules, if_match: IfMatch, caller: Admin, services: Services, response: Response
) -> Rules:
    """Replace the rules. They hold for bills entered from now on; a bill that waits keeps its approvers.

    A rule that leaves nobody able to approve is refused: of every step somebody must be left, whoever entered the bill,
    and nobody approves two steps.
    """
    wanted = [
        ApprovalRule(
            name=rule.name,
            total_from=rule.total_from,
            total_below=rule.total_below,
            vendor_id=rule.vendor_id,
            department=rule.department,
            entity=rule.entity,
            steps=[[PersonId(one) for one in dict.fromkeys(step.approvers)] for step in rule.steps],
        )
        for rule in new.rules
    ]
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        try:
            await replace_rules(session, row, wanted, actor=caller.actor)
        except Refused as refused:
            raise Problem(refused.code, refused.detail, fix=refused.fix) from refused
        row = await load(session, services, caller, connection_id)
        listed = await _listed(session, ConnectionId(row.id))
    tag(response, row.version)
    return listed


async def _listed(session: AsyncSession, connection_id: ConnectionId) -> Rules:
    return Rules(
        rules=[
            ShownRule(**{**rule._asdict(), "steps": [list(step) for step in rule.steps]})
            for rule in await rules.of_connection(session, connection_id)
        ]
    )
