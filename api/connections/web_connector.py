"""Set up the Web Connector of a connection to QuickBooks Desktop: its password, and the file that it is given."""

from datetime import datetime

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load
from api.http.auth import Accountant, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import ConnectionProblem, Id, Input, Whole, columns
from api.http.services import Services, ServiceSet
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import SignInKind
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.store.audit import handouts
from models.store.connections import web_connector
from models.tables import ConnectionRow
from services.web_connector import logins

router = APIRouter(prefix="/v1/connections", tags=["connections"], route_class=ExactRoute)


class WebConnectorSetup(Input):
    every_minutes: Whole | None = Field(
        default=None, ge=1, le=1440, description="Minutes between two calls; null: as before, at first 15."
    )


class WebConnectorLogin(Output):
    user_name: str
    password: str | None
    """Shown once, in the answer that made it; null: it was made in an earlier answer to the same request."""
    setup_file: str
    """Address of the .qwc file, below this API's own."""
    every_minutes: int
    made_at: datetime


@router.post(
    "/{connection_id}/web_connector",
    status_code=201,
    operation_id="createWebConnectorPassword",
    summary="Make a password for the Web Connector",
    response_model=WebConnectorLogin,
    responses=answers(
        "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED", "NOT_FOUND", "ROLE_TOO_LOW", "NO_WEB_CONNECTOR"
    ),
)
async def create(
    connection_id: Id, setup: WebConnectorSetup, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Make a password for the Web Connector of this connection. It is shown in this answer only; the one before it is
    good no more. The user name and the mark in the company file stay."""
    route = f"POST /v1/connections/{connection_id}/web_connector"
    idempotent = IdempotentRequest(services, caller, key, route)
    passwords: dict[str, str] = {}

    async def make(session: AsyncSession) -> Answer:
        """Return what is kept for a repeat of the request, which is without the password."""
        row = await load(session, services, caller, connection_id)
        _has_web_connector(row)
        made = await logins.new_password(session, row, setup.every_minutes)
        shown = answer(
            201,
            WebConnectorLogin(
                user_name=made.login.user_name,
                password=None,
                setup_file=f"/v1/connections/{connection_id}/qwc",
                every_minutes=made.login.every_minutes,
                made_at=made.login.password_made_at or made.login.created_at,
            ),
        )
        passwords[shown.body["made_at"]] = made.password
        return shown

    done = await idempotent.run(setup.model_dump(mode="json"), make)
    password = passwords.get(done.body.get("made_at", ""))
    return (done if password is None else done._replace(body={**done.body, "password": password})).response()


class WebConnector(Output):
    user_name: str
    every_minutes: int
    """How often its file sets it to call; a person may have changed that there."""
    password_made_at: datetime | None
    company_file: str
    """The path of the company file on its own computer; empty: it was not recognized yet."""
    recognized_at: datetime | None
    """When the company file of this connection was last open in a session."""
    last_contact_at: datetime | None
    """When it called last, whether anything was exchanged or not; null: never."""
    waiting: int
    """Requests that it has not answered yet."""
    problem: ConnectionProblem | None
    """What keeps it from exchanging; null: nothing that is known of."""


@router.get(
    "/{connection_id}/web_connector",
    operation_id="getWebConnector",
    summary="Read when the Web Connector called last",
    responses=answers("NOT_FOUND", "NO_WEB_CONNECTOR"),
)
async def read(connection_id: Id, caller: Viewer, services: Services) -> WebConnector:
    """Return when the Web Connector of a connection called last, and how much waits for it."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        _has_web_connector(row)
        login = await web_connector.login_of(session, ConnectionId(row.id))
        waiting = await handouts.waiting(session, ConnectionId(row.id))
    if login is None:
        raise Problem("NO_WEB_CONNECTOR", "No password was made yet, so nothing can call.")
    problem = None
    if row.outage_since is not None and row.problem_code:
        problem = ConnectionProblem(code=row.problem_code, message=row.problem_message or "")
    return WebConnector(**columns(login, WebConnector), waiting=waiting, problem=problem)


@router.get(
    "/{connection_id}/qwc",
    operation_id="getWebConnectorFile",
    summary="Download the Web Connector's file",
    response_class=Response,
    responses={
        200: {"content": {"application/xml": {"schema": {"type": "string"}}}, "description": "The .qwc file."},
        **answers("NOT_FOUND", "NO_WEB_CONNECTOR", "PUBLIC_URL_MISSING"),
    },
)
async def file(connection_id: Id, caller: Viewer, services: Services) -> Response:
    """Return the .qwc file by which the Web Connector is set up. It holds no password."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        _has_web_connector(row)
        login = await web_connector.login_of(session, ConnectionId(row.id))
    if login is None:
        raise Problem("NO_WEB_CONNECTOR", "No password was made yet, so there is nothing to sign in with.")
    return Response(
        logins.setup_file(login, row, _address(services)),
        media_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{row.id}.qwc"'},
    )


def _address(services: ServiceSet) -> str:
    base = services.settings.public_url
    if base is None or not logins.is_usable(base):
        raise Problem("PUBLIC_URL_MISSING", "The Web Connector needs an https address with a host's name.")
    return base


def _has_web_connector(row: ConnectionRow) -> None:
    if CREDENTIALS_SPECS[Erp(row.erp)].kind is not SignInKind.WEB_CONNECTOR:
        raise Problem("NO_WEB_CONNECTOR")
