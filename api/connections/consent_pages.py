"""The pages on which a person lets an ERP's company in: who asks, on to the ERP, and what came of it.

Who consents is often not who asked, and has no API key: an accountant asks, the company's administrator agrees in a
browser. So the address that is passed on is a page of ours. It says who asks for what, and the browser in which it is
opened gets a cookie; only this browser may bring the ERP's answer. A browser is refused by a page as well: its person
reads no JSON.
"""

import html
import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.connections import erp_sign_in
from api.connections.authorization import CALLBACK, OPENED
from api.http.exact_json import ExactRoute
from api.http.problems import Problem, answers, erp_refusal
from api.http.services import Services, ServiceSet
from erp.errors import ErpError
from models.domain.connections import ConnectionState, Erp
from models.domain.ids import ConnectionId, OrganizationId
from models.store.connections import connections, consents
from models.tables import ConnectionRow, ConsentRow
from services.connections import authorization

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
}

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}button{font:inherit}"
)


class _PageRoute(ExactRoute):
    """A route that refuses a browser by a page, and programs by problem+json."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def by_page(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                return _refused(problem)

        return by_page


router = APIRouter(tags=["connections"], route_class=_PageRoute)


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


def _page(body: str, status: int = 200) -> HTMLResponse:
    head = f'<meta charset="utf-8"><title>posync</title><style>{_STYLE}</style>'
    return HTMLResponse(f'<!doctype html><html lang="en">{head}{body}</html>', status, headers=_PRIVATE)


def _refused(problem: Problem) -> HTMLResponse:
    said = dict.fromkeys([problem.title, problem.detail])
    steps = "".join(f"<li>{html.escape(step)}</li>" for step in problem.fix)
    first, *more = (html.escape(text) for text in said)
    whole = f"<h1>{first}</h1>" + "".join(f"<p>{text}</p>" for text in more) + (f"<ul>{steps}</ul>" if steps else "")
    return _page(f"{whole}<p><small>{html.escape(problem.code)}</small></p>", problem.status)


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
            row, first = await authorization.let_in(session, services.vault, row, consent, tokens, result)
    except connections.ConnectionTaken as taken:
        raise Problem("CONNECTION_EXISTS", str(taken)) from taken
    services.outbox.deliver_behind_answer(*first)
    return row
