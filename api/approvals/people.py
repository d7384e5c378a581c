"""Manage the people of an organization: who may do what, and who may approve bills."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import Admin, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import ONE_LINE_RULES, Id, Input, Name, Switch, columns
from api.http.services import Services
from models.domain.ids import PersonId
from models.domain.people import PersonRole
from models.store.approvals import people
from models.store.approvals.people import EmailTaken
from models.tables import PersonRow
from services.approvals.people import change_person

router = APIRouter(prefix="/v1/people", tags=["approvals"], route_class=ExactRoute)

WRITE = ("ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED")

Email = Annotated[
    str,
    Field(min_length=3, max_length=200, pattern=r"^[^\s@()<>]+@[^\s@()<>]+$", examples=["ana@acme.example"]),
    *ONE_LINE_RULES,
]
Roles = Annotated[list[PersonRole], Field(min_length=1, max_length=5, examples=[["clerk", "approver"]])]


class NewPerson(Input):
    name: Name = Field(examples=["Ana Lima"])
    email: Email
    roles: Roles


class PersonEdit(Input):
    """What to change of a person; what is null stays."""

    name: Name | None = None
    roles: Roles | None = None
    active: Switch | None = Field(default=None, description="false: their keys are refused, and they approve nothing.")


class ShownPerson(Output):
    id: str
    name: str
    email: str
    roles: list[PersonRole]
    active: bool
    version: int
    created_at: datetime


class ChangedPerson(Output):
    person: ShownPerson
    stuck_rules: list[str]
    """Approval rules that now leave nobody able to approve, as `connection: rule: why`. Change these rules."""


class People(Output):
    items: list[ShownPerson]


def shown(row: PersonRow) -> ShownPerson:
    """Return the person's row as answers show it."""
    return ShownPerson(**columns(row, ShownPerson))


@router.get("", operation_id="listPeople", summary="List people", responses=answers())
async def list_all(caller: Viewer, services: Services) -> People:
    """Return all people of the organization by name, inactive ones too."""
    async with services.database.transaction() as session:
        rows = await people.everybody(session, caller.organization_id)
    return People(items=[shown(row) for row in rows])


@router.get("/{person_id}", operation_id="getPerson", summary="Read a person", responses=answers("NOT_FOUND"))
async def read(person_id: Id, caller: Viewer, services: Services, response: Response) -> ShownPerson:
    """Return one person."""
    async with services.database.transaction() as session:
        row = await people.get(session, caller.organization_id, PersonId(person_id))
    if row is None:
        raise not_found("person", person_id)
    tag(response, row.version)
    return shown(row)


@router.post(
    "",
    status_code=201,
    operation_id="addPerson",
    summary="Add a person",
    response_model=ShownPerson,
    responses=answers(*WRITE, "PERSON_EXISTS"),
)
async def add(new: NewPerson, key: IdempotencyKey, caller: Admin, services: Services) -> JSONResponse:
    """Add a person. An administrator of the installation makes keys for them: `posync key create --person`."""

    async def work(session: AsyncSession) -> Answer:
        try:
            row = await people.add(
                session, caller.organization_id, name=new.name, email=new.email, roles=set(new.roles)
            )
        except EmailTaken as error:
            raise Problem("PERSON_EXISTS", f"{new.email} is another person's address.") from error
        return answer(201, shown(row))

    done = await IdempotentRequest(services, caller, key, "POST /v1/people").run(new.model_dump(mode="json"), work)
    return done.response(location=f"/v1/people/{done.body['id']}" if done.status == 201 else None)


@router.patch(
    "/{person_id}",
    operation_id="editPerson",
    summary="Change a person",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED"),
)
async def edit(
    person_id: Id, change: PersonEdit, if_match: IfMatch, caller: Admin, services: Services, response: Response
) -> ChangedPerson:
    """Change a person's name, roles, or whether they are active. It holds at once, also for bills that wait.

    A person who leaves is set inactive, never removed: events name them. The answer lists the approval rules that
    now leave nobody able to approve.
    """
    async with services.database.transaction() as session:
        row = await people.get(session, caller.organization_id, PersonId(person_id), lock=True)
        if row is None:
            raise not_found("person", person_id)
        check(if_match, row.version)
        stuck = await change_person(
            session, row, name=change.name, roles=change.roles, active=change.active, actor=caller.actor
        )
        person = shown(row)
    tag(response, person.version)
    return ChangedPerson(person=person, stuck_rules=stuck)
