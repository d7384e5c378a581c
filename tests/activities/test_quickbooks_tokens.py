"""QuickBooks' tokens over several workers, on the real store: one refresh, and a worker killed in the middle of one.

Real: the store, the connectors of each worker, and the sandbox's OAuth server. Fake: the kill, which is what a kill
leaves behind: the answer came, and the transaction was never committed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.connector_pool import Connections
from erp.connection import ConnectionSettings
from erp.quickbooks_online.oauth import OAuthServer
from erp.registry import connectors
from erp.time_budgets import ErpWork
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.store.base.database import Database
from models.store.connections.tokens import StoredTokens
from tests.conformance.erp_harness import Sandbox
from tests.conformance.quickbooks_online_harness import APP, granted
from tests.harness.activity_harness import NoVault
from tests.harness.tenant import Tenant, new_tenant

COMPANY = "/companies/quickbooks_online"


@pytest.fixture
async def tenant(database: Database, sandbox: Sandbox) -> Tenant:
    """Connected to the sandbox's company by a person's consent."""
    connected = await new_tenant(database)
    tokens = granted(sandbox.url)
    await connected.execute(
        "update connections set erp = :erp, endpoint = :url, settings = cast(:settings as jsonb),"
        " preferences = '{}', credentials = :tokens where id = :id",
        erp=Erp.QUICKBOOKS_ONLINE.value,
        url=sandbox.url,
        settings=json.dumps({"allow_loopback": True, "max_in_flight": 8}),
        tokens=NoVault().seal(tokens),
        id=connected.connection_id,
    )
    return connected


@pytest.fixture
async def start_worker(database: Database) -> AsyncIterator[Callable[[], Connections]]:
    """Connectors of a worker process of its own: it shares nothing with another but the database."""
    started: list[Connections] = []

    def start() -> Connections:
        started.append(Connections(database, NoVault(), connectors(APP)))
        return started[-1]

    yield start
    for worker in started:
        await worker.close()


async def call(worker: Connections, connection_id: ConnectionId) -> str:
    async with worker.open(connection_id, ErpWork.ORDER) as connection:
        return (await connection.erp.check()).company


async def answered(worker: Connections, connection_id: ConnectionId) -> str:
    """A call as Temporal makes it: once more, if a connection that was kept open has just been closed over there."""
    for _ in range(3):
        try:
            return await call(worker, connection_id)
        except ApplicationError as failure:
            if failure.details[0].code != "ERP_NO_ANSWER":
                raise
    return await call(worker, connection_id)


def consents(sandbox: Sandbox) -> Any:
    (consent,) = sandbox.get(f"{COMPANY}/consents")
    return consent


async def test_two_hundred_calls_of_two_workers_cause_one_refresh(
    tenant: Tenant, sandbox: Sandbox, start_worker: Callable[[], Connections]
) -> None:
    """Issue 11, numbers: the access token is refused to both workers at once, and one of them asks for another."""
    sandbox.post(f"{COMPANY}/switches", {"requests_per_minute": 0, "concurrent_requests": 0})
    workers = [start_worker(), start_worker()]
    for worker in workers:
        await call(worker, tenant.connection_id)
    sandbox.post(f"{COMPANY}/actions", {"action": "expire_access_tokens"})
    calls = [answered(worker, tenant.connection_id) for worker in workers for _ in range(50)]  # of two requests each
    assert len(set(await asyncio.gather(*calls))) == 1
    consent = consents(sandbox)
    assert (consent["refreshes"], consent["superseded_tokens_used"]) == (1, 0)


async def test_two_hundred_api_calls_and_two_workers_cause_one_refresh(
    tenant: Tenant, sandbox: Sandbox, start_worker: Callable[[], Connections]
) -> None:
    """Issue 11, numbers: the API makes a connector for each call, so each of them asks the store by itself."""
    sandbox.post(f"{COMPANY}/switches", {"requests_per_minute": 0, "concurrent_requests": 0})
    workers = [start_worker(), start_worker()]
    for worker in workers:
        await call(worker, tenant.connection_id)
    sandbox.post(f"{COMPANY}/actions", {"action": "expire_access_tokens"})
    calls = [answered(worker, tenant.connection_id) for worker in workers]
    calls += [answered(start_worker(), tenant.connection_id) for _ in range(200)]
    assert len(set(await asyncio.gather(*calls))) == 1
    consent = consents(sandbox)
    assert (consent["refreshes"], consent["superseded_tokens_used"]) == (1, 0)


class Killed(BaseException):
    """Stands for SIGKILL: nobody handles it."""


@pytest.mark.parametrize("reading", ["dead", "grace_24_hours", "kills_grant"])
async def test_a_worker_killed_between_the_answer_and_its_commit(
    tenant: Tenant,
    database: Database,
    sandbox: Sandbox,
    start_worker: Callable[[], Connections],
    reading: str,
) -> None:
    """Reference 2.3: nobody knows what becomes of the old token. Work goes on, or one issue says reconnect; the token
    is presented once more and never again."""
    sandbox.post(f"{COMPANY}/switches", {"superseded_token": reading})
    store = StoredTokens(database, NoVault(), tenant.connection_id)
    server = OAuthServer(APP, ConnectionSettings(endpoint=sandbox.url, allow_loopback=True))

    async def answered_and_killed(tokens: Mapping[str, str]) -> Mapping[str, str]:
        await server.refresh(tokens)
        raise Killed

    with pytest.raises(Killed):
        await store.rotate(await store.current(), answered_and_killed)
    sandbox.post(f"{COMPANY}/actions", {"action": "expire_access_tokens"})

    async def outcome(attempt: Awaitable[str]) -> str:
        try:
            await attempt
        except ApplicationError as failure:
            return str(failure.details[0].code)
        return "goes on"

    workers = [start_worker() for _ in range(3)]
    ends = [await outcome(call(worker, tenant.connection_id)) for worker in workers for _ in range(3)]
    expected = "goes on" if reading == "grace_24_hours" else "AUTH_RECONNECT"
    assert set(ends) == {expected}
    assert consents(sandbox)["superseded_tokens_used"] == 1
    issues = await tenant.fetch(
        "select id from sync_issues where connection_id = :c and state = 'open' and code = 'AUTH_RECONNECT'"
    )
    assert len(issues) == (0 if expected == "goes on" else 1)
