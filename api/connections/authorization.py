"""Start the consent with which an ERP lets a connection in, and end the authorization that came of it.

The pages that the person meets are in `consent_pages`. A consent's state is bound to the tenant, the connection and the
key it was started with, lives for minutes, and is good once.
"""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api.connections.routes import Connection, load, shown
from api.http.auth import Accountant
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, erp_refusal
from api.http.schemas import Id
from api.http.services import Services
from erp.errors import ErpError
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import SignInKind
from models.domain.connections import Erp
from models.store.connections import consents
from models.tables import ConnectionRow
from services.connections import authorization

router = APIRouter(tags=["connections"], route_class=ExactRoute)

CALLBACK = "/v1/authorizations/qbo"
"""Where QuickBooks sends the browser back to, below the public address. The app at Intuit has it registered."""


OPENED = f"{CALLBACK}/consent"
"""Where a person opens a consent, below the public address."""


class Consent(Output):
    url: str
    """Open it in a browser, go on to the ERP's page and agree there; the connection is ready when the browser comes
    back. It may be passed on to whoever is to agree; it goes on in one browser only."""
    expires_at: datetime


@router.post(
    "/v1/connections/{connection_id}/authorization",
    status_code=201,
    operation_id="startAuthorization",
    summary="Start the consent for a connection",
    response_model=Consent,
    responses=answers(
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "NO_CONSENT_NEEDED",
        "PUBLIC_URL_MISSING",
        "ERP_UNAVAILABLE",
    ),
)
async def start(connection_id: Id, key: IdempotencyKey, caller: Accountant, services: Services) -> JSONResponse:
    """Return the address at which a person agrees to the connection, on the ERP's own page. It is good for ten minutes,
    for one consent and in one browser; a connection that was authorized before is authorized anew."""
    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/connections/{connection_id}/authorization")
    known = await idempotent.begin({})
    if known is None:
        try:
            async with services.database.transaction() as session:
                row = await load(session, services, caller, connection_id)
            _takes_consent(row)
            base = services.settings.public_url
            if base is None:
                raise Problem("PUBLIC_URL_MISSING")
            state = await authorization.begin(
                services.database,
                services.vault,
                services.oauth_server(authorization.settings_of(row)),
                row,
                started_by=caller.actor,
                api_key_id=caller.key_id,
                redirect=f"{base}{CALLBACK}",
            )
            body = Consent(url=f"{base}{OPENED}?state={state}", expires_at=datetime.now(UTC) + consents.LIVES)
            known = await idempotent.finish(answer(201, body))
        except Problem as problem:
            known = await idempotent.refuse(problem)
        except ErpError as error:
            known = await idempotent.refuse(erp_refusal(error, Erp(row.erp)))
    return known.response()


@router.delete(
    "/v1/connections/{connection_id}/authorization",
    operation_id="endAuthorization",
    summary="End the authorization of a connection",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED", "NO_CONSENT_NEEDED"),
)
async def end(
    connection_id: Id, if_match: IfMatch, caller: Accountant, services: Services, response: Response
) -> Connection:
    """Revoke the authorization at the ERP. The connection stays with all it holds, and syncs no more until somebody
    authorizes it anew. Other connections to the same company lose their authorization as well, as it is one at the
    ERP."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    _takes_consent(row)
    check(if_match, row.version)
    try:
        await authorization.end(
            services.database, services.vault, services.oauth_server(authorization.settings_of(row)), row,
            actor=caller.actor,
        )  # fmt: skip
    except ErpError as error:
        raise erp_refusal(error, Erp(row.erp)) from error
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return shown(row)


def _takes_consent(row: ConnectionRow) -> None:
    if CREDENTIALS_SPECS[Erp(row.erp)].kind is not SignInKind.OAUTH:
        raise Problem("NO_CONSENT_NEEDED")
