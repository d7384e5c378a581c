"""The whole product: PostgreSQL, Temporal, the worker, the API and a pretend ERP over real HTTP, in one process.

Servers, database and worker are started once; every test has an organization, a company and a connection of its own.
"""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

import activities.connector_pool
from activities.connector_pool import Connections
from cli.local.setup import examine
from erp.quickbooks_online.auth import App
from erp.registry import connectors
from models.store.base.database import Database
from models.store.connections import organizations
from models.store.connections.credentials import CredentialVault
from settings import Settings
from tests.harness.repeated_activities import RepeatedActivities
from tests.harness.running_api import running_api
from tests.harness.sandbox_company import (
    SandboxCompany,
    all_closed,
    open_for_business,
)
from tests.harness.serving import served
from tests.harness.stack_client import (
    StackClient,
)
from tests.harness.temporal_server import temporal_server
from tests.harness.typed_commands import Typed, terminal
from worker import build_workers
from workflows import policies

SANDBOX_APP = App("ABsandboxClientId", "sandbox-client-secret")
"""The app that the sandbox's QuickBooks knows."""


@pytest.fixture(scope="session")
def temporal_address(server_directory: Path) -> Iterator[str]:
    """A server of this folder's own: its worker serves the real queues, which other tests serve with stand-ins."""
    with temporal_server(server_directory / "temporal-whole.log") as address:
        yield address


@pytest.fixture(scope="session")
def whole_settings(make_database: Callable[[], str]) -> Settings:
    keys = (Fernet.generate_key().decode(),)
    return Settings(
        database_url=make_database(),
        credential_keys=keys,
        allow_loopback=True,
        public_url="https://posync.test",
        qbo_client_id=SANDBOX_APP.client_id,
        qbo_client_secret=SANDBOX_APP.client_secret,
    )


@pytest.fixture(scope="session")
def repeated_activities() -> RepeatedActivities:
    """What makes the worker run activities twice; off, but for tests that switch it on."""
    return RepeatedActivities()


@pytest.fixture
def twice(repeated_activities: RepeatedActivities) -> Iterator[RepeatedActivities]:
    repeated_activities.on = True
    repeated_activities.names.clear()
    yield repeated_activities
    repeated_activities.on = False


@pytest.fixture(scope="session")
def whole_worker(
    whole_settings: Settings, temporal_address: str, repeated_activities: RepeatedActivities
) -> Iterator[None]:
    """The real worker in a thread with an event loop of its own, as `python -m worker` builds it."""
    ready, failures = threading.Event(), []
    stops: list[Callable[[], None]] = []

    async def serve() -> None:
        database = Database(whole_settings.database_url, pool_size=whole_settings.pool_size)
        connections = Connections(database, CredentialVault(whole_settings.credential_keys), connectors(SANDBOX_APP))
        client = await Client.connect(
            temporal_address, data_converter=pydantic_data_converter, interceptors=[repeated_activities]
        )
        workers = build_workers(client, database, connections)
        running = [asyncio.create_task(worker.run()) for worker in workers]
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        ready.set()
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running)
        await connections.close()
        await database.close()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 raised again at the end of the session
            failures.append(error)
            ready.set()

    with pytest.MonkeyPatch.context() as patch:
        # The production sandbox: the strict one of tests/workflows imports the policies anew and would not see this.
        # An administrator's minute is a test's second, and a second's pause a fifth of one.
        patch.setattr(activities.connector_pool, "PROBE_EVERY_SECONDS", 1.0)
        retry = replace(policies.ERP_RETRY, initial_interval=timedelta(seconds=0.2))
        patch.setattr(policies, "ERP_RETRY", retry)
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait(30)
        if failures:
            raise failures[0]
        yield
        for stop in stops:
            stop()
        thread.join(60)
    if failures:
        raise failures[0]


@pytest.fixture(scope="session")
def street() -> Iterator[None]:
    yield
    all_closed()


@pytest.fixture
def company(street: None) -> Iterator[SandboxCompany]:
    with open_for_business() as created:
        yield created


@pytest.fixture
def api_settings(whole_settings: Settings) -> Settings:
    """What the API works with."""
    return whole_settings


@pytest.fixture
async def api(
    api_settings: Settings, whole_worker: None, temporal: Client, company: SandboxCompany
) -> AsyncIterator[StackClient]:
    """The API in process, for a new organization with a key of every role, in front of a new company."""
    database = Database(api_settings.database_url, pool_size=2)
    async with database.transaction() as session:
        organization = await organizations.create_organization(session, f"Organization {secrets.token_hex(3)}")
        keys = {
            role: await organizations.create_api_key(session, organization, role, role) for role in organizations.ROLES
        }
    await database.close()
    async with running_api(api_settings, temporal=temporal, timeout=60) as http:
        created = StackClient(http, temporal, keys, company)
        yield created
        await _go_home(created)
    await _examine(api_settings)


@pytest.fixture
def typed(
    whole_settings: Settings, temporal_address: str, monkeypatch: pytest.MonkeyPatch, api: StackClient
) -> Iterator[Typed]:
    """A terminal in which somebody with a key of the organization types commands."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)  # read when the API starts
    with served(whole_settings) as url:
        yield terminal(url, api.keys)


async def _examine(settings: Settings) -> None:
    """Issue 10, G15: whatever a story did, each bill and payment is in a state with a way on (`posync doctor`)."""
    assert list(await examine(settings.database_url)) == []


async def _go_home(api: StackClient) -> None:
    """End what a story left open, so that it does not knock at a company that is gone."""
    if not api.connection_id:
        return
    for workflow_id in await api.running():
        try:
            await api.temporal.get_workflow_handle(workflow_id).terminate("the test is over")
        except RPCError:
            continue  # it ended meanwhile
