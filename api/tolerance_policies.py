"""Tolerance policies: how much a bill may differ from its order, per scope (matching rules 3.4)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.tolerances import policy_of, stored_policy
from api.auth import Accountant, Caller, Viewer
from api.conditional import IfMatch, check, etag, tag
from api.connections import load
from api.exact import ExactRoute
from api.idempotency import Answer, IdempotencyKey, Once, answer
from api.problems import Problem, answers, not_found
from api.services import Services, ServiceSet
from api.shapes import LIMIT_SCHEMA, Cursor, Filter, Id, Input, Limit, Named, Page, Text
from api.waiting import match_waiting_bills
from matching.policies import Combine, Direction, Level, TolerancePolicy
from matching.policy_checks import check_policy
from models.domain import ConnectionId
from models.store import connections, tolerance_policies
from models.store.match_facts import StoredPolicy
from models.store.tolerance_policies import Scope, ScopeTaken
from models.tables import TolerancePolicyRow

router = APIRouter(prefix="/v1/tolerance-policies", tags=["tolerance policies"], route_class=ExactRoute)


def _as_written(limit: Any) -> Any:
    return str(limit) if isinstance(limit, Decimal) else limit


Most = Annotated[
    str, Field(max_length=100, coerce_numbers_to_str=True), BeforeValidator(_as_written), WithJsonSchema(LIMIT_SCHEMA)
]
"""`0` allows nothing, absent inherits, and no limit at all is written out. What is no limit, `check_policy` says."""


class NewScope(Input):
    """Which bill lines it is for. Nothing given: the whole organization. More specific wins: vendor and item together,
    then item, category, vendor, entity, connection. `connection_id` may be given with each of them."""

    connection_id: Named | None = None
    vendor_id: Named | None = Field(default=None, examples=["V-100"])
    item_id: Named | None = None
    category: Named | None = Field(default=None, description="The ERP's category of the item.")
    entity: Named | None = None


class NewBand(Input):
    """A pair of limits. Exactly at the limit is allowed; what is left out is inherited from the next wider policy."""

    pct: Most | None = Field(default=None, description="Percent of the order's side.", examples=["5"])
    abs: Most | None = Field(
        default=None, description="Order units for `qty`, money for all others.", examples=["25.00"]
    )
    direction: Direction | None = Field(default=None, description="Which differences count; upper: the bill is higher.")
    combine: Combine | None = Field(default=None, description="strict: either limit is enough; lenient: only both.")


class NewTolerance(Input):
    """Beyond `warn` somebody acknowledges; beyond `block` the bill is held, or, for `qty`, refused."""

    warn: NewBand = NewBand()
    block: NewBand = NewBand()


class NewChecks(Input):
    qty: NewTolerance | None = Field(default=None, description="Quantity billed in all against what may be billed.")
    qty_value: NewTolerance | None = Field(default=None, description="That excess in money.")
    price: NewTolerance | None = Field(default=None, description="The bill's price against the order's.")
    line_amount: NewTolerance | None = Field(default=None, description="The line's amount against quantity x price.")
    po_total: NewTolerance | None = Field(default=None, description="All that is billed on the order, in money.")
    header_sum: NewTolerance | None = Field(default=None, description="Lines, charges, tax against the bill's total.")
    tax: NewTolerance | None = Field(default=None, description="The bill's tax against the expected tax.")
    charges: NewTolerance | None = Field(default=None, description="One class of charges on all bills of the order.")


class NewPolicy(Input):
    scope: NewScope = NewScope()
    checks: NewChecks = Field(examples=[{"price": {"warn": {"pct": "2"}, "block": {"pct": "5", "abs": "25.00"}}}])
    warn_on_over_receipt: bool | None = Field(default=None, description="Ask before more than ordered is billed.")
    allow_received_before_close: bool | None = Field(default=None, description="Bill closed lines for what came in.")
    returns_reduce_ordered: bool | None = Field(default=None, description="Goods sent back lower the order.")
    why: Text = ""


class ShownScope(BaseModel):
    connection_id: str | None = None
    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None


class Policy(BaseModel):
    """A policy as it is in force. `checks` has what it says itself; everything else it inherits."""

    id: str
    level: Level
    scope: ShownScope
    checks: dict[str, Any]
    warn_on_over_receipt: bool | None = None
    allow_received_before_close: bool | None = None
    returns_reduce_ordered: bool | None = None
    version: int
    created_by: str
    created_at: datetime
    changed_at: datetime


def shown(row: TolerancePolicyRow) -> Policy:
    """The policy as callers see it."""
    stored = stored_policy(row)
    return Policy(
        id=row.id,
        level=policy_of(stored).scope.level,
        scope=ShownScope(**stored.scope),
        **row.terms,
        version=row.version,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


async def checked(session: AsyncSession, services: ServiceSet, caller: Caller, new: NewPolicy, id: str) -> StoredPolicy:
    """The policy as it would be stored. Raises Problem POLICY_INVALID with everything that is wrong with it."""
    if new.scope.connection_id is not None:
        await load(session, services, caller, new.scope.connection_id)
    scope = new.scope.model_dump(mode="json", exclude_none=True)
    terms = new.model_dump(mode="json", exclude_none=True, exclude={"scope", "why"})
    said = {**terms, "id": id, "scope": scope}
    problems = check_policy(said)
    if problems:
        raise Problem(
            "POLICY_INVALID",
            " ".join(problem.message for problem in problems),
            fix=list(dict.fromkeys(problem.fix for problem in problems)),
            extra={
                "errors": [
                    {"where": problem.where, "message": problem.message, "rule": problem.code} for problem in problems
                ]
            },
        )
    read = TolerancePolicy.model_validate(said)
    return StoredPolicy(
        id, 1, scope, read.model_dump(mode="json", exclude_none=True, exclude={"id", "version", "scope"})
    )


@router.get("", operation_id="listTolerancePolicies", summary="List policies", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    vendor: Filter = None,
    item: Filter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Policy]:
    """Oldest first. Without any policy only quantities and the bill's own sum are checked."""
    async with services.database.transaction() as session:
        found = await tolerance_policies.page(
            session,
            caller.organization_id,
            connection_id=None if connection is None else ConnectionId(connection),
            vendor_id=vendor,
            item_id=item,
            limit=limit,
            cursor=cursor,
        )
    return Page(items=[shown(row) for row in found.items], next_cursor=found.next_cursor)


@router.get("/{policy_id}", operation_id="getTolerancePolicy", summary="Read a policy", responses=answers("NOT_FOUND"))
async def read(policy_id: Id, caller: Viewer, services: Services, response: Response) -> Policy:
    """One policy, with its version as ETag."""
    async with services.database.transaction() as session:
        row = await tolerance_policies.get(session, policy_id, caller.organization_id)
    if row is None:
        raise not_found("tolerance policy", policy_id)
    tag(response, row.version)
    return shown(row)


@router.post(
    "",
    status_code=201,
    operation_id="createTolerancePolicy",
    summary="Make a policy",
    response_model=Policy,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "POLICY_INVALID",
        "POLICY_EXISTS",
    ),
)
async def create(new: NewPolicy, key: IdempotencyKey, caller: Accountant, services: Services) -> JSONResponse:
    """One policy per scope. It counts for bills from now on; bills that wait for somebody are matched again with it.
    Try it first: `POST /v1/tolerance-policies/preview`."""
    once = Once(services, caller, key, "POST /v1/tolerance-policies")

    async def work(session: AsyncSession) -> Answer:
        stored = await checked(session, services, caller, new, "new")
        try:
            row = await tolerance_policies.create(
                session, caller.organization_id, _scope(stored), stored.terms, actor=caller.actor, why=new.why
            )
        except ScopeTaken as taken:
            raise _exists(taken) from taken
        return answer(201, shown(row))

    done = await once.run(new.model_dump(mode="json"), work)
    if done.status == 201:
        await _match_waiting(services, caller, done.body["scope"]["connection_id"], "a new tolerance policy")
        return done.response(location=f"/v1/tolerance-policies/{done.body['id']}", etag=etag(done.body["version"]))
    return done.response()


@router.put(
    "/{policy_id}",
    operation_id="replaceTolerancePolicy",
    summary="Replace a policy",
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "PRECONDITION_REQUIRED",
        "PRECONDITION_FAILED",
        "POLICY_INVALID",
        "POLICY_EXISTS",
    ),
)
async def replace(
    policy_id: Id, new: NewPolicy, if_match: IfMatch, caller: Accountant, services: Services, response: Response
) -> Policy:
    """The whole policy, scope included. Results of the past keep the version they were judged by."""
    async with services.database.transaction() as session:
        row = await _held(session, caller, policy_id, if_match)
        before = row.connection_id
        stored = await checked(session, services, caller, new, policy_id)
        try:
            row = await tolerance_policies.replace(
                session, row, _scope(stored), stored.terms, actor=caller.actor, why=new.why
            )
        except ScopeTaken as taken:
            raise _exists(taken) from taken
    concerned = row.connection_id if row.connection_id == before else None
    await _match_waiting(services, caller, concerned, f"tolerance policy {row.id}, version {row.version}")
    tag(response, row.version)
    return shown(row)


@router.delete(
    "/{policy_id}",
    status_code=204,
    operation_id="deleteTolerancePolicy",
    summary="Delete a policy",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED"),
)
async def delete(
    policy_id: Id,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    why: Annotated[str, Query(max_length=1000)] = "",
) -> None:
    """Lines of its scope inherit from the next wider policy from now on."""
    async with services.database.transaction() as session:
        row = await _held(session, caller, policy_id, if_match)
        await tolerance_policies.delete(session, row, actor=caller.actor, why=why)
    await _match_waiting(services, caller, row.connection_id, f"tolerance policy {row.id} deleted")


async def _held(session: AsyncSession, caller: Caller, policy_id: str, if_match: str) -> TolerancePolicyRow:
    row = await tolerance_policies.get(session, policy_id, caller.organization_id, lock=True)
    if row is None:
        raise not_found("tolerance policy", policy_id)
    check(if_match, row.version)
    return row


def _scope(stored: StoredPolicy) -> Scope:
    values: dict[str, Any] = {name: stored.scope.get(name) for name in Scope._fields}
    return Scope(**values)


def _exists(taken: ScopeTaken) -> Problem:
    return Problem(
        "POLICY_EXISTS",
        f"Policy {taken.policy_id} is for exactly this scope.",
        extra={"evidence": {"policy_id": taken.policy_id}},
    )


async def _match_waiting(services: ServiceSet, caller: Caller, connection_id: str | None, why: str) -> None:
    """Bills that wait may need nobody any more, of one connection or of them all."""
    concerned = [ConnectionId(connection_id)] if connection_id else []
    if not concerned:
        async with services.database.transaction() as session:
            rows: Sequence[Any] = await connections.list_for(session, caller.organization_id)
        concerned = [ConnectionId(row.id) for row in rows]
    await match_waiting_bills(services, concerned, why)


def with_policy(held: Sequence[TolerancePolicy], new: TolerancePolicy, replaces: str | None) -> list[TolerancePolicy]:
    """The set as it would be with the new policy: in place of the one it replaces, or of the one of its scope."""
    return [policy for policy in held if policy.id != replaces and policy.scope != new.scope] + [new]
