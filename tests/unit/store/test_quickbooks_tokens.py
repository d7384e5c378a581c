"""QuickBooks' tokens in the database: a killed worker, an idle connection, a grant that ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed
from erp.quickbooks_online import access
from erp.quickbooks_online.access import Access
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.oauth import OAuthServer
from models.store.connections import connections
from models.store.connections.credentials import CredentialVault
from models.store.connections.tokens import StoredTokens
from services.connections.upkeep import Upkeep
from tests.harness.tenant import Tenant, new_tenant

NOW = datetime.now(UTC)


class Intuit:
    """A token endpoint that rotates each time. `superseded` is how it reads an old token: dead, grace or kills."""

    def __init__(self, superseded: str) -> None:
        self.superseded = superseded
        self.number = 1
        self.ended = False
        self.presented: list[str] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        token = parse_qs(request.content.decode())["refresh_token"][0]
        self.presented.append(token)
        current = token == f"rt-{self.number}"
        if not current and self.superseded == "kills":
            self.ended = True
        if self.ended or not (current or self.superseded == "grace"):
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.number += 1
        body = {"access_token": f"at-{self.number}", "refresh_token": f"rt-{self.number}", "expires_in": 3600,
                "token_type": "bearer", "x_refresh_token_expires_in": 8726400}  # fmt: skip
        return httpx.Response(200, json=body)


class KilledBeforeCommit(StoredTokens):
    """The store of a worker that dies between Intuit's answer and the commit."""

    def __init__(self, tenant: Tenant, vault: CredentialVault, intuit: Intuit) -> None:
        super().__init__(tenant.database, vault, tenant.connection_id)
        self._intuit = intuit

    async def rotate(
        self, old: Mapping[str, str], refresh: Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]]
    ) -> Mapping[str, str]:
        async def killed(tokens: Mapping[str, str]) -> Mapping[str, str]:
            before = len(self._intuit.presented)
            new = await refresh(tokens)
            if len(self._intuit.presented) > before:
                raise ConnectionAbortedError("the worker was killed here")
            return new

        return await super().rotate(old, killed)


KEY = Fernet.generate_key().decode()


@pytest.fixture
def vault() -> CredentialVault:
    return CredentialVault([KEY])


async def connect(tenant: Tenant, vault: CredentialVault, **changed: str) -> None:
    tokens = {
        "realm": "9130350000000001", "access_token": "at-1", "access_expires_at": NOW.isoformat(),
        "refresh_token": "rt-1", "refreshed_at": NOW.isoformat(), **changed,
    }  # fmt: skip
    async with tenant.database.transaction() as s:
        await connections.save_credentials(s, tenant.connection_id, vault.seal(tokens))


async def be_quickbooks(tenant: Tenant) -> None:
    await tenant.execute(
        "update connections set erp = 'quickbooks_online', state = 'ready' where id = :c", c=tenant.connection_id
    )


def server(intuit: Intuit, settings: ConnectionSettings | None = None) -> OAuthServer:
    chosen = ConnectionSettings(endpoint="https://quickbooks.api.intuit.com")
    return OAuthServer(App("an-app", "a-secret"), chosen, transport=httpx.MockTransport(intuit.handle))


@pytest.mark.parametrize("superseded", ["dead", "grace", "kills"])
async def test_a_worker_killed_between_answer_and_commit(
    tenant: Tenant, vault: CredentialVault, superseded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work goes on, or somebody is told once to connect again; never a loop."""
    monkeypatch.setattr(access, "TAKEN_OVER_AFTER", timedelta(milliseconds=200))
    await connect(tenant, vault)
    intuit = Intuit(superseded)
    killed = Access(server(intuit), KilledBeforeCommit(tenant, vault, intuit))
    with pytest.raises(ConnectionAbortedError):
        await killed.current()
    for _ in range(3):
        worker = Access(server(intuit), StoredTokens(tenant.database, vault, tenant.connection_id))
        if superseded == "grace":
            assert (await worker.current())["access_token"] == "at-3"
        else:
            with pytest.raises(AuthenticationFailed) as caught:
                await worker.current()
            assert caught.value.code == "AUTH_RECONNECT"
    assert intuit.presented == ["rt-1", "rt-1"]


@pytest.mark.parametrize("superseded", ["dead", "grace", "kills"])
async def test_workers_killed_in_refreshes_one_after_another(
    tenant: Tenant, vault: CredentialVault, superseded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 11: a superseded token is presented once after a lost answer, and a kill is one whoever saw the answer."""
    monkeypatch.setattr(access, "TAKEN_OVER_AFTER", timedelta(milliseconds=200))
    await connect(tenant, vault)
    intuit = Intuit(superseded)
    for _ in range(2):
        with pytest.raises(ConnectionAbortedError):
            await Access(server(intuit), KilledBeforeCommit(tenant, vault, intuit)).current()
    monkeypatch.setattr(access, "ONCE_MORE_AFTER", timedelta(milliseconds=200))
    await asyncio.sleep(0.3)
    for _ in range(3):
        with pytest.raises(AuthenticationFailed) as caught:
            await Access(server(intuit), StoredTokens(tenant.database, vault, tenant.connection_id)).current()
        assert caught.value.code == "AUTH_RECONNECT"
    assert intuit.presented == ["rt-1", "rt-1"]


async def test_an_attempt_that_did_not_reach_quickbooks_is_no_lost_answer(
    tenant: Tenant, vault: CredentialVault
) -> None:
    """Each of several workers tries for itself, and none of them takes the old tokens for new ones."""
    await connect(tenant, vault)
    away = httpx.MockTransport(lambda _: httpx.Response(429))
    chosen = ConnectionSettings(endpoint="https://quickbooks.api.intuit.com")
    stored = StoredTokens(tenant.database, vault, tenant.connection_id)
    before = await stored.current()
    refused = OAuthServer(App("an-app", "a-secret"), chosen, transport=away)
    ends = await asyncio.gather(*(Access(refused, stored).current() for _ in range(4)), return_exceptions=True)
    assert [getattr(end, "code", end) for end in ends] == ["ERP_THROTTLED"] * 4
    assert await stored.current() == before
    intuit = Intuit("kills")
    fresh = await asyncio.gather(*(Access(server(intuit), stored).current() for _ in range(4)))
    assert {one["access_token"] for one in fresh} == {"at-2"}
    assert intuit.presented == ["rt-1"]


async def open_codes(tenant: Tenant) -> list[str]:
    async with tenant.database.statement() as s:
        rows = await s.execute(
            text("select code from sync_issues where connection_id = :c and state = 'open' order by code"),
            {"c": tenant.connection_id},
        )
        return list(rows.scalars())


@pytest.mark.parametrize(
    ("idle", "left", "presented", "codes"),
    [
        (31, 59, ["rt-1"], ["AUTH_GRANT_ENDS"]),
        (29, 61, [], []),
        (31, 61, ["rt-1"], []),
        (29, 59, [], ["AUTH_GRANT_ENDS"]),
    ],
)
async def test_idle_connections_are_refreshed_and_ends_are_announced(
    tenant: Tenant, vault: CredentialVault, idle: int, left: int, presented: list[str], codes: list[str]
) -> None:
    """A hundred days without a refresh end a grant, and five years end every one: told sixty days before, once."""
    ends = (NOW + timedelta(days=left)).isoformat()
    await connect(tenant, vault, refreshed_at=(NOW - timedelta(days=idle)).isoformat(), grant_ends_at=ends)
    await be_quickbooks(tenant)
    intuit = Intuit("kills")
    upkeep = Upkeep(tenant.database, vault, partial(server, intuit))
    for _ in range(3):
        await upkeep.look(NOW)
    assert intuit.presented == presented
    assert await open_codes(tenant) == codes
    assert (await StoredTokens(tenant.database, vault, tenant.connection_id).current())["grant_ends_at"] == ends


async def test_a_connection_that_cannot_be_opened_keeps_no_other_from_being_refreshed(
    tenant: Tenant, vault: CredentialVault
) -> None:
    """Its key is gone: the others would end after a hundred days."""
    for company, key in (("first", Fernet.generate_key().decode()), ("second", KEY)):
        other = await new_tenant(tenant.database)
        await connect(other, CredentialVault([key]), refreshed_at=(NOW - timedelta(days=31)).isoformat(), name=company)
        await be_quickbooks(other)
    intuit = Intuit("kills")
    await Upkeep(tenant.database, vault, partial(server, intuit)).look(NOW)
    assert intuit.presented == ["rt-1"]
