"""Tokens: one refresh at a time, stored before use, and a superseded one never presented on purpose (reference 2)."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed, ErpError, Throttled, Unavailable
from erp.quickbooks_online import access
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.oauth import OAuthServer
from tests.unit.erp.quickbooks_online.service import ENDPOINT, KeptTokens, Service

PAST = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()


def tokens(number: int) -> httpx.Response:
    return httpx.Response(
        200,
        json={"token_type": "bearer", "access_token": f"at-{number}", "expires_in": 3600,
              "refresh_token": f"rt-{number}", "x_refresh_token_expires_in": 8726400},
    )  # fmt: skip


def presented(service: Service) -> list[str]:
    """The refresh tokens that were presented, in order."""
    calls = [call for call in service.calls if call.url.path.endswith("/tokens/bearer")]
    return [parse_qs(call.content.decode())["refresh_token"][0] for call in calls]


async def test_two_hundred_calls_cause_one_refresh() -> None:
    """And it is authorized by the app, in the form that the reference shows."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    service.answer_first("/tokens/bearer", lambda _: tokens(2))
    connector = service.connector(kept)
    await asyncio.gather(*(connector.check() for _ in range(100)))
    assert presented(service) == ["rt-1"]
    (call,) = [call for call in service.calls if call.url.path.endswith("/tokens/bearer")]
    assert call.headers["authorization"] == "Basic " + base64.b64encode(b"an-app:a-secret").decode()
    assert (kept.tokens["refresh_token"], kept.tokens["realm"]) == ("rt-2", "9130350000000001")


async def test_a_grant_that_ended_is_final() -> None:
    """2.4: one refusal, and no further call with it, from any worker."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    service.answer_first("/tokens/bearer", lambda _: httpx.Response(400, content=b'{"error":"invalid_grant"}'))
    for connector in (service.connector(kept), service.connector(kept)):
        for _ in range(2):
            with pytest.raises(AuthenticationFailed) as caught:
                await connector.check()
            assert caught.value.code == "AUTH_RECONNECT"
    assert presented(service) == ["rt-1"]


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too late", request=request)


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("peer closed connection without sending complete message body", request=request)


def answered(status: int, content: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, content=content)


UNKNOWN = [
    lost,
    cut,
    answered(200, b"<html>fine</html>"),
    answered(200, b'{"access_token": "at-2", "refresh_tok'),
    answered(200, b'{"access_token": "at-2", "refresh_token": null}'),
    answered(200, b""),
    answered(500, b"<html/>"),
    answered(500, b'{"error": "server_error"}'),
    answered(502, b"<html/>"),
    answered(504, b"<html/>"),
    answered(400, b'{"error": "inval'),
]
"""Answers after which nobody knows whether the token was changed: lost ones, and those of a gateway."""


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the time pass after which a token is presented once more."""
    return lambda: monkeypatch.setattr(access, "ONCE_MORE_AFTER", timedelta(0))


async def outcome(service: Service, kept: KeptTokens) -> str:
    """What a call comes to, from a worker of its own."""
    try:
        await service.connector(kept).check()
    except ErpError as error:
        return error.code
    return "goes on"


@pytest.mark.parametrize("how", UNKNOWN)
async def test_after_a_lost_answer_the_old_token_is_presented_once_more(
    how: Callable[[httpx.Request], httpx.Response], later: Callable[[], None]
) -> None:
    """2.4: nothing else is at hand; whether it still works is QuickBooks' choice."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    service.answer_first("/tokens/bearer", how)
    assert await outcome(service, kept) == "ERP_NO_ANSWER"
    later()
    service.answer_first("/tokens/bearer", lambda _: tokens(3))
    assert await outcome(service, kept) == "goes on"
    assert presented(service) == ["rt-1", "rt-1"]
    assert (kept.tokens["refresh_token"], "answer_lost_at" in kept.tokens) == ("rt-3", False)


@pytest.mark.parametrize("first", UNKNOWN)
@pytest.mark.parametrize("second", [lost, answered(502, b""), answered(400, b'{"error":"invalid_grant"}')])
async def test_a_second_lost_answer_loses_the_grant(
    first: Callable[[httpx.Request], httpx.Response],
    second: Callable[[httpx.Request], httpx.Response],
    later: Callable[[], None],
) -> None:
    """2.4: never a loop, whichever way the answers were lost; afterwards all workers say the same."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    for how in (first, second):
        service.answer_first("/tokens/bearer", how)
    assert await outcome(service, kept) == "ERP_NO_ANSWER"
    later()
    assert [await outcome(service, kept) for _ in range(5)] == ["AUTH_RECONNECT"] * 5
    assert presented(service) == ["rt-1", "rt-1"]


async def test_the_one_repetition_is_not_spent_at_once() -> None:
    """What lost the answer, mostly a gateway, goes on for some minutes: two calls within them do not end a grant."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    for _ in range(2):
        service.answer_first("/tokens/bearer", answered(502, b""))
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            await service.connector(kept).check()
        assert caught.value.retry_after is not None
        assert timedelta(seconds=100) < caught.value.retry_after <= timedelta(minutes=2)
    assert presented(service) == ["rt-1"]


async def test_what_surely_was_not_done_does_not_spend_the_repetition(later: Callable[[], None]) -> None:
    """A throttle after a lost answer: the token is presented when the throttle is over."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    service.answer_first("/tokens/bearer", lost)
    assert await outcome(service, kept) == "ERP_NO_ANSWER"
    later()
    service.answer_first("/tokens/bearer", answered(429, b""))
    assert await outcome(service, kept) == "ERP_THROTTLED"
    service.answer_first("/tokens/bearer", lambda _: tokens(3))
    assert await outcome(service, kept) == "goes on"


@pytest.mark.parametrize(
    ("answer", "family", "code"),
    [
        (httpx.Response(429, content=b"<html/>"), Throttled, "ERP_THROTTLED"),
        (httpx.Response(503, content=b"<html/>"), Unavailable, "ERP_OUTAGE"),
        (httpx.Response(404, content=b"<html/>"), Unavailable, "ENDPOINT_REFUSED"),
        (httpx.Response(400, json={"error": "invalid_request"}), AuthenticationFailed, "AUTH_APP_REFUSED"),
        (httpx.Response(401, json={"error": "invalid_client"}), AuthenticationFailed, "AUTH_APP_REFUSED"),
    ],
)
async def test_what_the_server_surely_did_not_do(answer: httpx.Response, family: type[ErpError], code: str) -> None:
    """The token was not used: it stays, and is presented later."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    before = dict(kept.tokens)
    service.answer_first("/tokens/bearer", lambda _: answer)
    with pytest.raises(family) as caught:
        await service.connector(kept).check()
    assert (caught.value.code, kept.tokens) == (code, before)


async def test_tokens_of_another_company_are_not_used() -> None:
    """The connection names one realm."""
    service = Service()
    with pytest.raises(AuthenticationFailed) as caught:
        await service.connector(KeptTokens(realm="9130350000000009")).check()
    assert (caught.value.code, service.calls) == ("WRONG_COMPANY", [])


@pytest.mark.parametrize("pkce", [False, True])
async def test_the_consent_page(pkce: bool) -> None:
    """2.1: no PKCE unless the discovery document has it."""
    methods = {"code_challenge_methods_supported": ["S256"]} if pkce else {}
    document = {"authorization_endpoint": "https://appcenter.intuit.com/connect/oauth2", **methods}
    server = OAuthServer(
        App("an-app", "a-secret"),
        ConnectionSettings(endpoint=ENDPOINT),
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=document)),
    )
    discovery = await server.discover()
    url = server.authorization_url(
        discovery, redirect="https://posync.example.com/back", state="a-state", verifier="v" * 43 if pkce else None
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith("https://appcenter.intuit.com/connect/oauth2?")
    assert (query["client_id"], query["state"], query["response_type"]) == ("an-app", "a-state", "code")
    assert query["redirect_uri"] == "https://posync.example.com/back"
    assert query["scope"] == "com.intuit.quickbooks.accounting"
    assert ("code_challenge" in query) is pkce


async def test_a_discovery_document_that_leads_elsewhere() -> None:
    """No secret and no person is sent to an address that is not Intuit's."""
    document = {"authorization_endpoint": "https://intuit.com.example.org/connect"}
    server = OAuthServer(
        App("an-app", "a-secret"),
        ConnectionSettings(endpoint=ENDPOINT),
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=document)),
    )
    with pytest.raises(AuthenticationFailed) as caught:
        await server.discover()
    assert caught.value.code == "ENDPOINT_NOT_TRUSTED"


async def test_an_answer_with_the_same_access_token_ends_the_attempt() -> None:
    """2.3: a refresh within a day may give what there was; it is asked once, and a refusal of it is final."""
    service, kept = Service(), KeptTokens(access_expires_at=PAST)
    service.answer_first("/tokens/bearer", lambda _: tokens(1))
    assert await outcome(service, kept) == "goes on"
    assert presented(service) == ["rt-1"]


@pytest.mark.parametrize(("said", "days"), [({}, 1825), ({"x_refresh_token_hard_expires_in": 8_640_000}, 100)])
async def test_a_grant_ends_after_five_years_whether_quickbooks_says_so_or_not(said: dict[str, int], days: int) -> None:
    """2.2: the field may be absent, and somebody is told before the end all the same."""
    answer = {"token_type": "bearer", "access_token": "at-1", "expires_in": 3600, "refresh_token": "rt-1", **said}
    server = OAuthServer(
        App("an-app", "a-secret"),
        ConnectionSettings(endpoint=ENDPOINT),
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)),
    )
    issued = await server.exchange("a-code", redirect="https://posync.example.com/back", verifier=None)
    left = datetime.fromisoformat(issued["grant_ends_at"]) - datetime.now(UTC)
    assert timedelta(days=days, minutes=-1) < left <= timedelta(days=days)
    refreshed = await server.refresh(issued)
    assert said or refreshed["grant_ends_at"] == issued["grant_ends_at"]
