"""Connecting QuickBooks Online by consent: states, companies, ends (reference 2.1, 2.4, 2.5)."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from erp.connection import ConnectionSettings
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.connector import QuickBooksConnector
from erp.quickbooks_online.oauth import OAuthServer
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.connections import Erp
from models.store.base.database import Database
from models.store.connections import consents
from settings import Settings
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import ApiClient, a_problem
from tests.harness.running_api import running_api
from tests.harness.workflow_client import eventually
from tests.unit.erp.quickbooks_online.service import REALM, Service

APP = App("an-app", "a-secret")
CALLBACK = "/v1/authorizations/qbo"


class Intuit:
    """Intuit's OAuth server beside the small QuickBooks: one code, and what was asked of it."""

    def __init__(self) -> None:
        self.service = Service()
        self.codes = {"a-code"}
        self.revoked: list[str] = []
        self.forms: list[dict[str, str]] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/.well-known/"):
            return httpx.Response(200, json={"authorization_endpoint": "https://appcenter.intuit.com/connect/oauth2"})
        if path.endswith("/tokens/bearer"):
            form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
            self.forms.append(form)
            if form.get("code") not in self.codes:
                return httpx.Response(400, json={"error": "invalid_grant"})
            self.codes.discard(form["code"])
            return httpx.Response(
                200,
                json={"token_type": "bearer", "access_token": "at-1", "expires_in": 3600, "refresh_token": "rt-1",
                      "x_refresh_token_expires_in": 8726400},
            )  # fmt: skip
        if path.endswith("/tokens/revoke"):
            self.revoked.append(json.loads(request.content)["token"])
            return httpx.Response(200)
        if f"/company/{REALM}" not in path:
            error = {
                "Message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
                "code": "3100",
            }
            return httpx.Response(403, json={"Fault": {"Error": [error], "type": "AuthorizationFault"}})
        return self.service.handle(request)


@pytest.fixture
def intuit() -> Intuit:
    return Intuit()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        credential_keys=(Fernet.generate_key().decode(),),
        public_url="https://posync.example.com/",
        qbo_client_id=APP.client_id,
        qbo_client_secret=APP.client_secret,
    )


@pytest.fixture
async def http(settings: Settings, fake_temporal: FakeTemporal, intuit: Intuit) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.MockTransport(intuit.handle)

    def connector(chosen: ConnectionSettings, credentials: Credentials, storage: Storage) -> QuickBooksConnector:
        return QuickBooksConnector(chosen, credentials, storage, APP, transport=transport)

    async with running_api(
        settings,
        temporal=fake_temporal,
        connectors={Erp.QUICKBOOKS_ONLINE: connector},
        oauth_server=partial(OAuthServer, APP, transport=transport),
    ) as client:
        yield client


async def asked(api: ApiClient, connection_id: str | None = None) -> tuple[str, str]:
    """A connection, and the address that a person is to open."""
    if connection_id is None:
        created = await api.post(
            "/v1/connections", {"erp": "quickbooks_online", "name": "Norton & Sons", "purchase_orders": True}
        )
        assert created.status_code == 201, created.text
        assert created.json()["state"] == "pending_authorization"
        connection_id = str(created.json()["id"])
    begun = await api.post(f"/v1/connections/{connection_id}/authorization")
    assert begun.status_code == 201, begun.text
    url = str(begun.json()["url"])
    assert url.startswith(f"https://posync.example.com{CALLBACK}/consent?state=")
    return connection_id, url


class Browser:
    """A person's browser, without any key; `http` has no jar, so that several may share it."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    async def open(self, url: str) -> httpx.Response:
        """Open the address that was passed on, and go on to the ERP's page."""
        parts = urlsplit(url)
        return await self._sent("POST", f"{parts.path}?{parts.query}")

    async def page(self, url: str) -> dict[str, str]:
        """Open it and return the query of the ERP's page."""
        opened = await self.open(url)
        assert opened.status_code == 303, opened.text
        there = urlsplit(opened.headers["location"])
        assert there.hostname == "appcenter.intuit.com"
        return {name: values[0] for name, values in parse_qs(there.query).items()}

    async def back(self, **query: str) -> httpx.Response:
        """Come back from the ERP's page."""
        return await self._sent("GET", CALLBACK, params=query)

    async def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        self._http.cookies.clear()
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self._http.request(method, path, headers={"Cookie": sent} if sent else {}, **more)
        self.set_cookies += answer.headers.get_list("set-cookie")
        self.cookies |= dict(answer.cookies.items())
        return answer


@pytest.fixture
def browser(http: httpx.AsyncClient) -> Browser:
    return Browser(http)


async def started(api: ApiClient, browser: Browser, connection_id: str | None = None) -> tuple[str, dict[str, str]]:
    """A connection, and the query of the ERP's page, which is open in the browser."""
    connection_id, url = await asked(api, connection_id)
    return connection_id, await browser.page(url)


async def test_a_company_is_connected_by_consent(
    browser: Browser, api: ApiClient, intuit: Intuit, fake_temporal: FakeTemporal, database: Database
) -> None:
    """Save, then prove: the realm comes with the callback, the first sync starts, and no token is shown or readable."""
    connection_id, page = await started(api, browser)
    assert page["redirect_uri"] == f"https://posync.example.com{CALLBACK}"
    answer = await browser.back(state=page["state"], code="a-code", realmId=REALM)
    assert answer.status_code == 200, answer.text
    assert "Norton &amp; Sons is connected" in answer.text
    (form,) = intuit.forms
    assert (form["grant_type"], form["redirect_uri"]) == ("authorization_code", page["redirect_uri"])
    connection = (await api.get(f"/v1/connections/{connection_id}")).json()
    assert (connection["state"], connection["company"], connection["base_currency"]) == (
        "needs_preferences",
        REALM,
        "USD",
    )
    assert connection["capabilities"]["po_in"] is True
    assert connection["capabilities"]["receipt_in"] is False
    assert "rt-1" not in json.dumps(connection)
    await eventually(lambda: fake_temporal.started)
    ready = await api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {"bank_account": "Checking"}})
    assert ready.json()["complete"] is True, ready.text
    usage = (await api.get(f"/v1/connections/{connection_id}/usage")).json()
    # Two for the consent: the company and its preferences.
    assert usage["metered_reads"] == len(intuit.service.reads()) == 7
    async with database.statement() as session:
        (sealed,) = (await session.execute(text("select credentials from connections where id = :id"),
                                           {"id": connection_id})).one()  # fmt: skip
    assert b"rt-1" not in bytes(sealed)


async def test_a_state_is_good_once_and_not_for_long(
    browser: Browser, api: ApiClient, intuit: Intuit, database: Database
) -> None:
    """Used, unknown, missing, expired: one answer, and nothing is asked of Intuit."""
    _, page = await started(api, browser)
    assert (await browser.back(state=page["state"], code="a-code", realmId=REALM)).status_code == 200
    intuit.codes.add("a-code")
    a_problem(await browser.back(state=page["state"], code="a-code", realmId=REALM), 400, "CONSENT_UNKNOWN")
    a_problem(await browser.back(state="made-up", code="a-code", realmId=REALM), 400, "CONSENT_UNKNOWN")
    a_problem(await browser.back(code="a-code", realmId=REALM), 400, "CONSENT_UNKNOWN")
    _, late = await started(api, browser)
    async with database.transaction() as session:
        await session.execute(
            text("update consents set expires_at = now() - interval '1 second' where state_digest = :d"),
            {"d": consents.digest(late["state"])},
        )
    a_problem(await browser.back(state=late["state"], code="a-code", realmId=REALM), 400, "CONSENT_UNKNOWN")
    assert len(intuit.forms) == 1
    assert timedelta(minutes=10) == consents.LIVES


async def refused(browser: Browser, query: dict[str, str], status: int, code: str) -> None:
    a_problem(await browser.back(code="a-code", realmId=REALM, state=query["state"]), status, code)


async def test_another_browser_than_the_one_it_was_opened_in(
    browser: Browser, api: ApiClient, http: httpx.AsyncClient, intuit: Intuit
) -> None:
    """Whoever gets hold of a state cannot bring a company of their own with it: neither without a cookie, nor with that
    of a consent of their own; and it is not used up by that."""
    connection_id, page = await started(api, browser)
    stranger = Browser(http)
    await refused(stranger, page, 403, "CONSENT_OTHER_BROWSER")
    await started(api, stranger)
    await refused(stranger, page, 403, "CONSENT_OTHER_BROWSER")
    stranger.cookies = dict.fromkeys(browser.cookies, "made up")
    await refused(stranger, page, 403, "CONSENT_OTHER_BROWSER")
    a_problem(await stranger.back(state=page["state"], error="access_denied"), 403, "CONSENT_OTHER_BROWSER")
    assert intuit.forms == []
    assert (await browser.back(state=page["state"], code="a-code", realmId=REALM)).status_code == 200
    assert (await api.get(f"/v1/connections/{connection_id}")).json()["company"] == REALM


async def test_a_state_that_nobody_opened_completes_nothing(browser: Browser, api: ApiClient, intuit: Intuit) -> None:
    """It was made for a page of ours, so QuickBooks' page cannot have it."""
    _, url = await asked(api)
    state = {"state": parse_qs(urlsplit(url).query)["state"][0]}
    await refused(browser, state, 403, "CONSENT_OTHER_BROWSER")
    assert intuit.forms == []


async def test_another_tenants_state(
    browser: Browser, api: ApiClient, other_api: ApiClient, http: httpx.AsyncClient, intuit: Intuit
) -> None:
    """Each tenant's person has a consent open; one brings the other's state, and nothing of either tenant changes."""
    mine, my_page = await started(api, browser)
    stranger = Browser(http)
    theirs, _ = await started(other_api, stranger)
    await refused(stranger, my_page, 403, "CONSENT_OTHER_BROWSER")
    assert (await api.get(f"/v1/connections/{mine}")).json()["state"] == "pending_authorization"
    assert (await other_api.get(f"/v1/connections/{theirs}")).json()["state"] == "pending_authorization"
    assert intuit.forms == []


async def test_it_is_opened_in_one_browser(browser: Browser, api: ApiClient, http: httpx.AsyncClient) -> None:
    """As often as a person likes in the same one; a second person who got the address is told."""
    _, url = await asked(api)
    page = await browser.page(url)
    assert await browser.page(url) == page
    a_problem(await Browser(http).open(url), 403, "CONSENT_OTHER_BROWSER")


async def test_who_asks_is_shown_first_and_looking_changes_nothing(
    browser: Browser, api: ApiClient, http: httpx.AsyncClient
) -> None:
    """Programs that look at links in mails open the page too; it names who asks: nobody agrees for a stranger."""
    _, url = await asked(api)
    parts = urlsplit(url)
    for _ in range(2):
        shown = await http.get(f"{parts.path}?{parts.query}")
        assert (shown.status_code, shown.headers.get_list("set-cookie")) == (200, [])
        assert "as Norton &amp; Sons" in shown.text
        assert "Go on only if you know" in shown.text
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert (await browser.page(url))["state"] == parse_qs(parts.query)["state"][0]
    (cookie,) = browser.set_cookies
    for word in ("HttpOnly", "Secure", "SameSite=lax", f"Path={CALLBACK}", "Max-Age=600"):
        assert word in cookie
    a_problem(await http.get(f"{CALLBACK}/consent?state=made-up"), 400, "CONSENT_UNKNOWN")
    a_problem(await Browser(http).open(f"{CALLBACK}/consent?state=made-up"), 400, "CONSENT_UNKNOWN")


async def test_a_consent_ends_with_the_key_it_was_started_with(
    browser: Browser, api: ApiClient, intuit: Intuit, database: Database
) -> None:
    """Revoked while the person was on the ERP's page: nothing is connected in the name of who may no longer."""
    _, page = await started(api, browser)
    async with database.transaction() as session:
        await session.execute(
            text("update api_keys set revoked_at = now() where id = (select api_key_id from consents"
                 " where state_digest = :d)"), {"d": consents.digest(page["state"])},
        )  # fmt: skip
    await refused(browser, page, 400, "CONSENT_UNKNOWN")
    assert intuit.forms == []


async def test_a_person_is_refused_by_a_page(http: httpx.AsyncClient) -> None:
    """Whoever came by a browser reads what is wrong and what to do; a program gets the same as a problem."""
    for path in (f"{CALLBACK}/consent?state=made-up", f"{CALLBACK}?state=made-up&code=<b>"):
        page = await http.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert "<h1>This consent is used, too old, or not ours</h1>" in page.text
        assert "<li>Start the consent anew" in page.text
        assert page.headers["cache-control"] == "no-store"
        a_problem(await http.get(path), 400, "CONSENT_UNKNOWN")


async def test_no_consent(browser: Browser, api: ApiClient, intuit: Intuit) -> None:
    """Refused on the page; and a refused state is used up too."""
    connection_id, page = await started(api, browser)
    a_problem(await browser.back(state=page["state"], error="access_denied"), 409, "CONSENT_REFUSED")
    a_problem(await browser.back(state=page["state"], code="a-code", realmId=REALM), 400, "CONSENT_UNKNOWN")
    assert (await api.get(f"/v1/connections/{connection_id}")).json()["state"] == "pending_authorization"
    assert intuit.forms == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"code": "a-code", "realmId": "9130350000000009"}, 422, "WRONG_COMPANY"),
        ({"code": "used-before", "realmId": REALM}, 422, "AUTH_CONSENT_INVALID"),
        ({"code": "a-code", "realmId": "../../elsewhere"}, 400, "CONSENT_INCOMPLETE"),
        ({"code": "a-code"}, 400, "CONSENT_INCOMPLETE"),
    ],
)
async def test_what_comes_back_is_proven(
    browser: Browser, api: ApiClient, http: httpx.AsyncClient, query: dict[str, str], status: int, code: str
) -> None:
    """Another company's realm in the callback, a used code, no realm at all."""
    connection_id, page = await started(api, browser)
    a_problem(await browser.back(state=page["state"], **query), status, code)
    assert (await api.get(f"/v1/connections/{connection_id}")).json()["state"] == "pending_authorization"


async def test_a_connection_is_authorized_anew_for_its_own_company_only(
    browser: Browser, api: ApiClient, intuit: Intuit
) -> None:
    """The identity of a connection stays."""
    connection_id, page = await started(api, browser)
    await browser.back(state=page["state"], code="a-code", realmId=REALM)
    _, page = await started(api, browser, connection_id)
    intuit.codes.add("b-code")
    assert (await browser.back(state=page["state"], code="b-code", realmId=REALM)).status_code == 200
    assert len((await api.get("/v1/connections")).json()["items"]) == 1


async def test_two_organizations_may_connect_one_company(
    browser: Browser, api: ApiClient, other_api: ApiClient, intuit: Intuit
) -> None:
    """A company may belong to several connections; who consented tells them apart."""
    for one, code in ((api, "a-code"), (other_api, "b-code")):
        intuit.codes.add(code)
        _, page = await started(one, browser)
        assert (await browser.back(state=page["state"], code=code, realmId=REALM)).status_code == 200


async def test_a_disconnected_company_is_revoked(browser: Browser, api: ApiClient, intuit: Intuit) -> None:
    """2.5; nobody presents its token afterwards."""
    connection_id, page = await started(api, browser)
    await browser.back(state=page["state"], code="a-code", realmId=REALM)
    path = f"/v1/connections/{connection_id}/authorization"
    ended = await api.delete(path)
    assert ended.status_code == 200, ended.text
    assert (ended.json()["state"], ended.json()["problem"]["code"]) == ("authentication_failed", "AUTH_RECONNECT")
    assert intuit.revoked == ["rt-1"]
    refused = await api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {}})
    a_problem(refused, 422, "AUTH_RECONNECT")
    assert len(intuit.forms) == 1


async def test_another_organization_cannot_start_or_end_it(
    browser: Browser, api: ApiClient, other_api: ApiClient
) -> None:
    """Nothing of another organization is visible."""
    connection_id, _ = await started(api, browser)
    path = f"/v1/connections/{connection_id}/authorization"
    a_problem(await other_api.post(path), 404, "NOT_FOUND")
    a_problem(await other_api.delete(path), 404, "NOT_FOUND")
    a_problem(await api.as_("clerk").post(path), 403, "ROLE_TOO_LOW")


async def test_webhooks_need_the_installations_token(http: httpx.AsyncClient) -> None:
    """Without one there is nothing to prove a sender with."""
    a_problem(await http.post("/v1/webhooks/qbo", content=b"[]"), 404, "WEBHOOK_NOT_SET_UP")
