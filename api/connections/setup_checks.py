"""Check how an ERP is set up for a connection, and keep what a person saw there where a program cannot look."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.connections import erp_sign_in
from api.connections.routes import load, must_be_let_in
from api.http.auth import Accountant, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Code, Id, Input, Line
from api.http.services import Services
from models.domain.ids import ConnectionId
from models.domain.retractions import RetractBy
from models.domain.setup_checks import CONFIRMED_FOR, Breaks, CheckState, Confirmation
from models.store.audit import events
from models.store.connections import setup_checks as stored_checks
from models.tables import SetupCheckRow
from services import setup_checks

router = APIRouter(prefix="/v1/connections/{connection_id}/checks", tags=["connections"], route_class=ExactRoute)


class Confirmed(Output):
    """What a person saw in the ERP."""

    state: CheckState
    value: str
    by: str
    at: datetime
    until: datetime
    """From then on it is asked for again."""


class Check(Output):
    code: str
    title: str
    state: CheckState
    """What counts: what the ERP shows, else what a person confirmed."""
    read: CheckState
    """What the ERP shows to a program."""
    why: str
    seen: str
    """The value that the ERP shows; empty: none was read."""
    breaks: list[Breaks]
    """What is refused while the check fails. `sync` stops by the sync preferences, which stay incomplete."""
    fix: list[str]
    """Where to click in the ERP, in order."""
    checked_at: datetime
    confirmed: Confirmed | None
    reopened_at: datetime | None
    """When the ERP showed something else than the person had seen."""
    version: int


class Checks(Output):
    items: list[Check]
    """What fails first, then what nobody knows, then what is right."""
    failed: int
    unknown: int


class NewConfirmation(Input):
    state: Literal["pass", "fail"] = Field(description="Whether it is as it should be.")
    value: Annotated[Line, Field(min_length=1, description="What the ERP's screen shows.", examples=["off"])]


@router.post(
    "",
    operation_id="runSetupChecks",
    summary="Check how the ERP is set up",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "CONNECTION_PENDING", "ERP_UNAVAILABLE"),
)
async def run(connection_id: Id, caller: Accountant, services: Services) -> Checks:
    """Ask the ERP all there is to ask, without writing anything, and return every check with its answer: the first sync
    of each day does so too."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    must_be_let_in(row)
    preferences = {name: str(value) for name, value in row.preferences.items()}
    async with erp_sign_in.connector(services, row) as connector:
        result = await connector.setup_checks(preferences, retract_by=RetractBy(row.retract_by))
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        await setup_checks.take_in(session, row, result, datetime.now(UTC))
        rows = await stored_checks.all_of(session, ConnectionId(row.id))
    return _listed(rows)


@router.get("", operation_id="listSetupChecks", summary="List the set-up checks", responses=answers("NOT_FOUND"))
async def list_all(connection_id: Id, caller: Viewer, services: Services) -> Checks:
    """Return the last answer to each check; none before the first run."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        rows = await stored_checks.all_of(session, ConnectionId(row.id))
    return _listed(rows)


@router.get("/{code}", operation_id="getSetupCheck", summary="Read a set-up check", responses=answers("NOT_FOUND"))
async def read(connection_id: Id, code: Code, caller: Viewer, services: Services, response: Response) -> Check:
    """Return one check with its last answer."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        stored = await stored_checks.get(session, ConnectionId(row.id), code)
    if stored is None:
        raise not_found("check", code)
    tag(response, stored.version)
    return _shown(stored, datetime.now(UTC))


@router.put(
    "/{code}",
    operation_id="confirmSetupCheck",
    summary="Say what the ERP shows",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED", "CHECK_IS_READ"),
)
async def confirm(
    connection_id: Id,
    code: Code,
    new: NewConfirmation,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    response: Response,
) -> Check:
    """Keep what a person saw of a setting that cannot be read. It stands for 90 days, or until the ERP shows something
    else."""
    now = datetime.now(UTC)
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        stored = await stored_checks.get(session, ConnectionId(row.id), code)
        if stored is None:
            raise not_found("check", code)
        check(if_match, stored.version)
        if stored.state != CheckState.UNKNOWN:
            raise Problem("CHECK_IS_READ", f"{stored.title}: the ERP itself says {stored.state}.")
        before = stored_checks.confirmation_of(stored)
        confirmation = Confirmation(CheckState(new.state), new.value, caller.actor, now)
        await stored_checks.confirm(session, stored, confirmation)
        await events.record_setting(
            session,
            row,
            "setup_check_confirmed",
            actor=caller.actor,
            before={"check": code, "value": None if before is None else before.value},
            after={"check": code, "state": new.state, "value": new.value},
        )
        answer = _shown(stored, now)
    tag(response, stored.version)
    return answer


def _listed(rows: list[SetupCheckRow]) -> Checks:
    now = datetime.now(UTC)
    order = [CheckState.FAIL, CheckState.UNKNOWN, CheckState.PASS]
    shown = sorted((_shown(row, now) for row in rows), key=lambda one: (order.index(one.state), one.code))
    return Checks(
        items=shown,
        failed=sum(one.state is CheckState.FAIL for one in shown),
        unknown=sum(one.state is CheckState.UNKNOWN for one in shown),
    )


def _shown(row: SetupCheckRow, now: datetime) -> Check:
    said = stored_checks.confirmation_of(row)
    return Check(
        code=row.code,
        title=row.title,
        state=setup_checks.state_of(row, now),
        read=CheckState(row.state),
        why=row.why,
        seen=row.seen,
        breaks=[Breaks(one) for one in row.breaks],
        fix=list(row.fix),
        checked_at=row.checked_at,
        confirmed=None
        if said is None
        else Confirmed(state=said.state, value=said.value, by=said.by, at=said.at, until=said.at + CONFIRMED_FOR),
        reopened_at=row.reopened_at,
        version=row.version,
    )
