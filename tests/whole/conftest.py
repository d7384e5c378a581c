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

import httpx
import pytest
from asgi_lifespan import LifespanManager
from cryptography.fernet import Fernet
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

import activities.connections
import activities.erp
from activities.connections import Connections
from api.app import create_app
from cli.embedded import free_port, temporal_command, temporal_is_ready
from cli.processes import ChildProcess
from erp.registry import CONNECTORS
from models.store import organizations
from models.store.credentials import CredentialVault
from models.store.database import Database
from settings import Settings
from tests.whole.company import Company, all_closed, open_for_business
from tests.whole.desk import Desk
from worker import build_workers
from workflows import policies


@pytest.fixture(scope="session")
def temporal_address(server_directory: Path) -> Iterator[str]:
    """A server of this folder's own: its worker serves the real queues, which other tests serve with stand-ins."""
    port = free_port()
    command = temporal_command(port=port, ui_port=None, database=None)
    server = ChildProcess("temporal of the whole", command, log=server_directory / "temporal-whole.log")
    server.start()
    try:
        server.wait_until(lambda: temporal_is_ready(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="session")
def whole_settings(make_database: Callable[[], str]) -> Settings:
    keys = [Fernet.generate_key().decode()]
    return Settings(database_url=make_database(), credential_keys=keys, allow_loopback=True)


@pytest.fixture(scope="session")
def whole_worker(whole_settings: Settings, temporal_address: str) -> Iterator[None]:
    """The real worker in a thread with an event loop of its own, as `python -m worker` builds it."""
    ready, failures = threading.Event(), []
    stops: list[Callable[[], None]] = []

    async def serve() -> None:
        database = Database(whole_settings.database_url, pool_size=whole_settings.pool_size)
        connections = Connections(database, CredentialVault(whole_settings.credential_keys), CONNECTORS)
        client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
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
        # An administrator's minute is a test's second, and a second's pause a fifth of one.
        patch.setattr(activities.connections, "PROBE_EVERY_SECONDS", 1.0)
        patch.setattr(activities.erp, "TURN", timedelta(seconds=0.4))
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
def company(street: None) -> Iterator[Company]:
    with open_for_business() as made:
        yield made


@pytest.fixture
async def desk(whole_settings: Settings, whole_worker: None, temporal: Client, company: Company) -> AsyncIterator[Desk]:
    """The API in process, for a new organization with a key of every role, in front of a new company."""
    database = Database(whole_settings.database_url, pool_size=2)
    async with database.transaction() as session:
        organization = await organizations.create_organization(session, f"Organization {secrets.token_hex(3)}")
        keys = {
            role: await organizations.create_api_key(session, organization, role, role) for role in organizations.ROLES
        }
    await database.close()
    async with LifespanManager(create_app(whole_settings, temporal=temporal)) as manager:
        transport = httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://posync", timeout=60, verify=False) as http:
            made = Desk(http, temporal, keys, company)
            yield made
            await _go_home(made)


async def _go_home(desk: Desk) -> None:
    """End what a story left open, so that it does not knock at a company that is gone."""
    if not desk.connection_id:
        return
    for workflow_id in await desk.running():
        try:
            await desk.temporal.get_workflow_handle(workflow_id).terminate("the test is over")
        except RPCError:
            continue  # it ended meanwhile
