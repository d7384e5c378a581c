"""Manage tolerance policies: how much a bill may differ from its order, per scope."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator, Field, WithJsonSchema
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load
from api.http.auth import Accountant, Caller, Viewer
from api.http.etag import IfMatch, check, etag, tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.rematch import match_waiting_bills
from api.http.schemas import LIMIT_SCHEMA, Id, Input, Money, Named, Page, Switch, Text, UnsignedAmount, Whole, page_of
from api.http.services import Services, ServiceSet
from api.policies.listing import WantedOfScope
from matching.policies.policies import MOST_DAYS, Combine, Direction, Level, TolerancePolicy
from matching.policies.policy_checks import check_policy
from models.domain.bills import BillMatchMode
from models.domain.ids import ConnectionId
from models.store.connections import connections
from models.store.policies import tolerance_policies
from models.store.policies.match_facts import StoredPolicy
from models.store.policies.tolerance_policies import Scope, ScopeTaken
from models.tables import TolerancePolicyRow
from services.bills.tolerances import policy_of, stored_policy
from services.capabilities import has_receipts

router = APIRouter(prefix="/v1/tolerance-policies", tags=["tolerance policies"], route_class=ExactRoute)


_NUMBER_OR_NAME = re.compile(r"-?[0-9]+(\.[0-9]+)?|[A-Za-z]*")


def _as_written(limit: Any) -> Any:
    # Python reads 1_000 and other alphabets' digits as numbers. What is no limit of another kind, the check says.
    if isinstance(limit, bool) or (isinstance(limit, str) and not _NUMBER_OR_NAME.fullmatch(limit)):
        raise ValueError("write it with the digits 0 to 9, such as 2.5, or as unlimited")
    return str(limit) if isinstance(limit, Decimal) else limit


Most = Annotated[
    str, Field(max_length=100, coerce_numbers_to_str=True), BeforeValidator(_as_written), WithJsonSchema(LIMIT_SCHEMA)
]
"""The most that is allowed. `0` allows no difference; an absent limit is inherited; no limit at all has to be written
as `unlimited`. What counts as no limit, `check_policy` says."""


Days = Annotated[Whole, Field(ge=0, le=MOST_DAYS)]


class NewScope(Input):
    """The bill lines a policy is for. An empty scope is the whole organization. The more specific policy wins: vendor
    and item together, then item, category, vendor, entity, connection. `connection_id` may be given with each of
    them."""

    connection_id: Named | None = None
    vendor_id: Named | None = Field(default=None, examples=["V-100"])
    item_id: Named | None = None
    category: Named | None = Field(default=None, description="The ERP's category of the item.")
    entity: Named | None = None


class NewBand(Input):
    """A pair of limits. A difference exactly at the limit is allowed. A limit that is absent is inherited from the next
    wider policy."""

    pct: Most | None = Field(default=None, description="Percent of the order's value.", examples=["5"])
    abs: Most | None = Field(
        default=None, description="In the order line's unit for `qty`, in money for all others.", examples=["25.00"]
    )
    direction: Direction | None = Field(
        default=None, description="Which differences count; upper: those where the bill is higher."
    )
    combine: Combine | None = Field(default=None, description="strict: exceeding one limit is enough; lenient: both.")


class NewTolerance(Input):
    """Two levels. A difference beyond `warn` has to be acknowledged. Beyond `block` the bill is put on hold; for `qty`
    it is refused."""

    warn: NewBand = NewBand()
    block: NewBand = NewBand()


class NewChecks(Input):
    qty: NewTolerance | None = Field(default=None, description="Total billed quantity against what may be billed.")
    qty_value: NewTolerance | None = Field(default=None, description="The excess quantity of `qty`, in money.")
    price: NewTolerance | None = Field(default=None, description="The bill's price against the order's.")
    line_amount: NewTolerance | None = Field(default=None, description="The line's amount against quantity x price.")
    po_total: NewTolerance | None = Field(
        default=None, description="Total billed on the order, in money, against the order's total."
    )
    header_sum: NewTolerance | None = Field(
        default=None, description="Sum of lines, charges and tax against the bill's total."
    )
    tax: NewTolerance | None = Field(default=None, description="The bill's tax against the expected tax.")
    charges: NewTolerance | None = Field(default=None, description="Charges of one class, over all bills of the order.")
    off_order: NewTolerance | None = Field(
        default=None, description="Lines on no order, against the lines on orders of the same bill."
    )


class NewPolicy(Input):
    scope: NewScope = NewScope()
    checks: NewChecks = Field(examples=[{"price": {"warn": {"pct": "2"}, "block": {"pct": "5", "abs": "25.00"}}}])
    warn_on_over_receipt: Switch | None = Field(
        default=None, description="Warn before more is billed than was ordered."
    )
    allow_received_before_close: Switch | None = Field(
        default=None, description="Closed lines may be billed for what was received."
    )
    returns_reduce_ordered: Switch | None = Field(
        default=None, description="Returned goods reduce the ordered quantity."
    )
    match_mode: BillMatchMode | None = Field(
        default=None,
        description="How these bills are matched; absent: as the connection's. none: with neither order nor receipts, "
        "while duplicates, approval and the order's quantities are as ever.",
    )
    small_bill_total: UnsignedAmount | None = Field(
        default=None,
        description="A bill at or below this total is not matched, as long as all such bills of its vendor within 30 "
        "days come to no more.",
        examples=["100.00"],
    )
    bill_date_days_back: Days | None = Field(
        default=None, description="A bill date that lies more days before its entry holds the bill; built in: 365."
    )
    bill_date_days_ahead: Days | None = Field(
        default=None, description="A bill date that lies more days after its entry holds the bill; built in: 30."
    )
    why: Text = ""


class ShownScope(Output):
    connection_id: str | None = None
    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None


class Policy(Output):
    """A policy that is in force. `checks` has what it sets itself; it inherits everything else."""

    id: str
    level: Level
    scope: ShownScope
    checks: Annotated[dict[str, Any], WithJsonSchema({"type": "object", "x-shape": "NewChecks"})]
    warn_on_over_receipt: bool | None = None
    allow_received_before_close: bool | None = None
    returns_reduce_ordered: bool | None = None
    match_mode: BillMatchMode | None = None
    small_bill_total: Money | None = None
    bill_date_days_back: int | None = None
    bill_date_days_ahead: int | None = None
    version: int
    created_by: str
    created_at: datetime
    changed_at: datetime


def shown(row: TolerancePolicyRow) -> Policy:
    """Return the policy's stored row as answers show it."""
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
    """Return the policy as it would be stored.

    Raises:
        Problem: POLICY_INVALID, with everything that is wrong with it, or MATCH_MODE_NOT_OFFERED.
    """
    if new.scope.connection_id is not None:
        connection = await load(session, services, caller, new.scope.connection_id)
        if new.match_mode is BillMatchMode.THREE_WAY and not has_receipts(connection):
            raise Problem("MATCH_MODE_NOT_OFFERED", f"No receipts of {connection.name} come in to match 3-way with.")
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
async def list_all(caller: Viewer, services: Services, wanted: WantedOfScope) -> Page[Policy]:
    """Return the policies, oldest first. Where no policy sets a limit, the built-in rules apply."""
    async with services.database.transaction() as session:
        listing = await tolerance_policies.page(session, caller.organization_id, **wanted._asdict())
    return page_of(listing, shown)


@router.get("/{policy_id}", operation_id="getTolerancePolicy", summary="Read a policy", responses=answers("NOT_FOUND"))
async def read(policy_id: Id, caller: Viewer, services: Services, response: Response) -> Policy:
    """Return one policy, with its version as ETag."""
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
    summary="Create a policy",
    response_model=Policy,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "POLICY_INVALID",
        "POLICY_EXISTS",
        "MATCH_MODE_NOT_OFFERED",
    ),
)
async def create(new: NewPolicy, key: IdempotencyKey, caller: Accountant, services: Services) -> JSONResponse:
    """Create the policy of a scope; a scope has at most one. It counts for bills from now on, and bills in review are
    matched again with it.

    Try it first: `POST /v1/tolerance-policies/preview`.
    """
    idempotent = IdempotentRequest(services, caller, key, "POST /v1/tolerance-policies")

    async def work(session: AsyncSession) -> Answer:
        stored = await checked(session, services, caller, new, "new")
        try:
            row = await tolerance_policies.create(
                session, caller.organization_id, _scope(stored), stored.terms, actor=caller.actor, why=new.why
            )
        except ScopeTaken as taken:
            raise _exists(taken) from taken
        return answer(201, shown(row))

    done = await idempotent.run(new.model_dump(mode="json"), work)
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
        "MATCH_MODE_NOT_OFFERED",
    ),
)
async def replace(
    policy_id: Id, new: NewPolicy, if_match: IfMatch, caller: Accountant, services: Services, response: Response
) -> Policy:
    """Replace the whole policy, its scope included. Past match results keep the version they were matched with."""
    async with services.database.transaction() as session:
        row = await _stored(session, caller, policy_id, if_match)
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
    why: Annotated[Text, Query()] = "",
) -> None:
    """Delete a policy. Lines of its scope inherit from the next wider policy from now on."""
    async with services.database.transaction() as session:
        row = await _stored(session, caller, policy_id, if_match)
        await tolerance_policies.delete(session, row, actor=caller.actor, why=why)
    await _match_waiting(services, caller, row.connection_id, f"tolerance policy {row.id} deleted")


async def _stored(session: AsyncSession, caller: Caller, policy_id: str, if_match: str) -> TolerancePolicyRow:
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
    """Ask for a rematch of bills in review, of one connection or of all: the change may have settled them."""
    concerned = [ConnectionId(connection_id)] if connection_id else []
    if not concerned:
        async with services.database.transaction() as session:
            rows: Sequence[Any] = await connections.list_for(session, caller.organization_id)
        concerned = [ConnectionId(row.id) for row in rows]
    await match_waiting_bills(services, concerned, why)


def with_policy(stored: Sequence[TolerancePolicy], new: TolerancePolicy, replaces: str | None) -> list[TolerancePolicy]:
    """Return the policies with the new one added. It takes the place of the one it replaces, or of the one with the
    same scope."""
    return [policy for policy in stored if policy.id != replaces and policy.scope != new.scope] + [new]
