"""Connect an ERP by consent: send a person to the ERP's own page, and take in what it sends back.

The page's answer comes from a browser that has no API key. What protects it is the state: it is bound to the tenant,
the connection and who started it, lives for minutes, and is good once.
"""

import html
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.connections import erp_sign_in
from api.connections.routes import Connection, load, shown
from api.http.auth import Accountant
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, erp_refusal
from api.http.schemas import Id
from api.http.services import Services, ServiceSet
from erp.errors import ErpError
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import SignInKind
from models.domain.connections import ConnectionState, Erp
from models.domain.ids import ConnectionId, OrganizationId
from models.store.connections import connections, consents
from models.tables import ConnectionRow, ConsentRow
from services.connections import authorization

router = APIRouter(tags=["connections"], route_class=ExactRoute)

CALLBACK = "/v1/authorizations/qbo"
"""Where QuickBooks sends the browser back to, below the public address. The app at Intuit has it registered."""


class Consent(Output):
    url: str
    """Open it in a browser and agree there; the connection is ready when the browser comes back."""
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
    """Return the address of the ERP's own page, on which a person agrees to the connection. It is good for ten minutes
    and for one consent; a connection that was authorized before is authorized anew."""
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
            consent = await authorization.begin(
                services.database,
                services.vault,
                services.oauth_server(authorization.settings_of(row)),
                row,
                started_by=caller.actor,
                redirect=f"{base}{CALLBACK}",
            )
            body = Consent(url=consent.url, expires_at=datetime.now(UTC) + consents.LIVES)
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


Text = Annotated[str, Query(max_length=2000)]


@router.get(
    CALLBACK,
    operation_id="completeAuthorization",
    summary="Complete a consent",
    response_class=HTMLResponse,
    responses=answers(
        "CONSENT_UNKNOWN", "CONSENT_REFUSED", "CONSENT_INCOMPLETE", "CONNECTION_EXISTS", "CONNECTION_IDENTITY_CHANGED"
    ),
)
async def complete(
    services: Services,
    state: Text = "",
    code: Text = "",
    realmId: Text = "",
    error: Text = "",
    error_description: Text = "",
) -> HTMLResponse:
    """Take in what QuickBooks' page sends the browser back with. It needs no API key: the state is its proof."""
    async with services.database.transaction() as session:
        consent = await consents.take(session, state) if state else None
    if consent is None:
        raise Problem("CONSENT_UNKNOWN")
    if error:
        raise Problem("CONSENT_REFUSED", f"QuickBooks says: {(error_description or error)[:300]}")
    if not code or not authorization.is_company(realmId):
        raise Problem("CONSENT_INCOMPLETE")
    row = await _complete(services, consent, code, realmId)
    name = html.escape(row.name)
    page = f"<!doctype html><title>posync</title><p>{name} is connected. You may close this page.</p>"
    return HTMLResponse(page, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


async def _complete(services: ServiceSet, consent: ConsentRow, code: str, company: str) -> ConnectionRow:
    async with services.database.transaction() as session:
        row = await connections.get(
            session, ConnectionId(consent.connection_id), OrganizationId(consent.organization_id)
        )
    if row is None:
        raise Problem("CONSENT_UNKNOWN")
    try:
        tokens = await authorization.exchange(
            services.vault, services.oauth_server(authorization.settings_of(row)), consent, code, company
        )
        async with erp_sign_in.connector(
            services, row, credentials=tokens, tokens=authorization.GivenTokens(tokens)
        ) as connector:
            result = await connector.check()
    except ErpError as error:
        raise erp_refusal(error, Erp(row.erp)) from error
    pending = row.state == ConnectionState.PENDING_AUTHORIZATION
    if not pending and result.company != row.company:
        raise Problem(
            "CONNECTION_IDENTITY_CHANGED",
            f"The consent is for company {result.company}; this connection is for {row.company}.",
        )
    try:
        async with services.database.transaction() as session:
            row, first_sync = await authorization.let_in(session, services.vault, row, consent, tokens, result)
    except connections.ConnectionTaken as taken:
        raise Problem("CONNECTION_EXISTS", str(taken)) from taken
    services.outbox.deliver_behind_answer(first_sync)
    return row


def _takes_consent(row: ConnectionRow) -> None:
    if CREDENTIALS_SPECS[Erp(row.erp)].kind is not SignInKind.OAUTH:
        raise Problem("NO_CONSENT_NEEDED")
