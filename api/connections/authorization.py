"""Connect an ERP by consent: send a person to the ERP's own page, and take in what it sends back.

Who consents is often not who asked, and has no API key: an accountant asks, the company's administrator agrees in a
browser. So the address that is passed on is a page of ours. It says who asks for what, and the browser in which it is
opened gets a cookie; only this browser may bring the ERP's answer. The state is bound to the tenant, the connection and
the key it was started with as well, lives for minutes, and is good once.
"""

import html
import secrets
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

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


OPENED = f"{CALLBACK}/consent"
"""Where a person opens a consent, below the public address."""

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
}


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


Text = Annotated[str, Query(max_length=2000)]


@router.get(
    OPENED,
    operation_id="showConsent",
    summary="Show who asks for a consent",
    response_class=HTMLResponse,
    responses=answers("CONSENT_UNKNOWN"),
)
async def show(services: Services, state: Text = "") -> HTMLResponse:
    """Show who asks for a consent, and for what. Nothing happens yet: programs that look at links open this too."""
    async with services.database.statement() as session:
        asked = await consents.asked(session, state)
    if asked is None:
        raise Problem("CONSENT_UNKNOWN")
    organization, connection, by = map(html.escape, asked)
    return _page(
        f"<p><b>{organization}</b> asks to connect a QuickBooks Online company, as {connection}. Asked by {by}.</p>"
        "<p>posync will read its purchase orders, bills and lists, and write bills and payments. Go on only if you know"
        ' who asks.</p><form method="post"><button>Go on to QuickBooks</button></form>'
    )


@router.post(
    OPENED,
    status_code=303,
    operation_id="openConsent",
    summary="Go on to the ERP's page",
    response_class=RedirectResponse,
    responses=answers("CONSENT_UNKNOWN", "CONSENT_OTHER_BROWSER"),
)
async def go_on(services: Services, request: Request, state: Text = "") -> RedirectResponse:
    """Bind the consent to this browser by a cookie, and send it to the ERP's own page."""
    browser = request.cookies.get(_cookie(state)) or secrets.token_urlsafe(32)
    try:
        async with services.database.transaction() as session:
            consent = await consents.open_in(session, state, browser)
    except consents.OtherBrowser:
        raise Problem("CONSENT_OTHER_BROWSER") from None
    if consent is None:
        raise Problem("CONSENT_UNKNOWN")
    response = RedirectResponse(authorization.page_of(services.vault, consent), 303, headers=_PRIVATE)
    where = urlsplit(consent.redirect)
    response.set_cookie(
        _cookie(state),
        browser,
        max_age=int(consents.LIVES.total_seconds()),
        path=where.path,
        secure=where.scheme == "https",
        httponly=True,
        samesite="lax",  # QuickBooks' page sends the browser back by a link
    )
    return response


@router.get(
    CALLBACK,
    operation_id="completeAuthorization",
    summary="Complete a consent",
    response_class=HTMLResponse,
    responses=answers(
        "CONSENT_UNKNOWN",
        "CONSENT_OTHER_BROWSER",
        "CONSENT_REFUSED",
        "CONSENT_INCOMPLETE",
        "CONNECTION_EXISTS",
        "CONNECTION_IDENTITY_CHANGED",
    ),
)
async def complete(
    services: Services,
    request: Request,
    state: Text = "",
    code: Text = "",
    realmId: Text = "",
    error: Text = "",
    error_description: Text = "",
) -> HTMLResponse:
    """Take in what QuickBooks' page sends the browser back with. It needs no API key: the state is its proof, in the
    browser in which the consent was opened."""
    try:
        async with services.database.transaction() as session:
            consent = await consents.take(session, state, request.cookies.get(_cookie(state), ""))
    except consents.OtherBrowser:
        raise Problem("CONSENT_OTHER_BROWSER") from None
    if consent is None:
        raise Problem("CONSENT_UNKNOWN")
    if error:
        raise Problem("CONSENT_REFUSED", f"QuickBooks says: {(error_description or error)[:300]}")
    if not code or not authorization.is_company(realmId):
        raise Problem("CONSENT_INCOMPLETE")
    row = await _complete(services, consent, code, realmId)
    page = _page(f"<p>{html.escape(row.name)} is connected. You may close this page.</p>")
    page.delete_cookie(_cookie(state), path=urlsplit(consent.redirect).path)
    return page


def _cookie(state: str) -> str:
    """Return the name of a consent's cookie: one browser may have several under way."""
    return f"posync_consent_{consents.digest(state)[:16]}"


def _page(body: str) -> HTMLResponse:
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>posync</title>{body}</html>'
    return HTMLResponse(page, headers=_PRIVATE)


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
