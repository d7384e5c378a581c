"""The real servers every test may use: PostgreSQL, Temporal (dev server and time skipping) and the sandbox.

Session fixtures start a server once, lazily; what a test writes goes into a database, a namespace or a sandbox of its
own, so that tests may run in any order.
"""

import asyncio
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import uvicorn
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from cli.embedded import (
    THROWAWAY_POSTGRES,
    EmbeddedPostgres,
    free_port,
    installed_program,
    temporal_command,
    temporal_is_ready,
)
from cli.processes import ChildProcess
from workflows.contract import SEARCH_ATTRIBUTES

T = TypeVar("T")


def in_own_loop(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine from a synchronous fixture without touching the event loop of the tests."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(make()))
        except BaseException as error:  # noqa: BLE001 handed on to the fixture below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """The Temporal SDK's threads abort the interpreter when it ends within milliseconds of their last call."""
    time.sleep(0.3)


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """A short path: Unix sockets allow some 100 characters."""
    directory = Path(tempfile.mkdtemp(prefix="posync-t-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_directory: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(server_directory / "pg", THROWAWAY_POSTGRES)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """The administrator's URL of an empty database on a real PostgreSQL."""
    return postgres.url()


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """The name of a database with our schema; cloning it takes a fraction of migrating again."""
    from models.store.database import Database

    url = postgres.create_database("posync_template")

    async def migrate() -> None:
        database = Database(url)
        try:
            await database.migrate()
        finally:
            await database.close()

    in_own_loop(migrate)
    return "posync_template"


@pytest.fixture(scope="session")
def make_database(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Callable[[], str]]:
    """Each call makes a fresh migrated database and answers its URL; all are dropped at the end."""
    names: list[str] = []

    def make() -> str:
        name = f"posync_{secrets.token_hex(6)}"
        names.append(name)
        return postgres.create_database(name, template=migrated_template)

    yield make
    for name in names:
        postgres.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="module")
def database_url(make_database: Callable[[], str]) -> str:
    """A fresh migrated database for one test module."""
    return make_database()


@pytest.fixture
def empty_database_url(make_database: Callable[[], str]) -> str:
    """A fresh migrated database for one test alone."""
    return make_database()


@pytest.fixture(scope="session")
def temporal_address(server_directory: Path) -> Iterator[str]:
    """A Temporal dev server as `posync up` starts it, in memory and without UI."""
    port = free_port()
    server = ChildProcess(
        "temporal",
        temporal_command(port=port, ui_port=None, database=None),
        log=server_directory / "temporal.log",
    )
    server.start()
    address = f"127.0.0.1:{port}"
    try:
        server.wait_until(lambda: temporal_is_ready(address))
        yield address
    finally:
        server.stop()


@pytest.fixture
async def temporal(temporal_address: str) -> Client:
    """A client of the dev server, with the data converter all our processes use."""
    return await Client.connect(temporal_address, data_converter=pydantic_data_converter)


@pytest.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server on which months pass in a moment; one per test, for its clock is shared.

    Its search attributes must exist before the first workflow: update-with-start fails misleadingly without them.
    """
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=installed_program("temporal-test-server"), data_converter=pydantic_data_converter
    ) as environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=environment.client.namespace,
                search_attributes={key.name: key.indexed_value_type for key in SEARCH_ATTRIBUTES},
            )
        )
        yield environment


@dataclass
class SandboxServer:
    """A sandbox of the test's own over real HTTP; `control` speaks to its control room."""

    url: str
    control: httpx.Client

    def post(self, path: str, body: Any = None) -> Any:
        """Call the control room: `post("/faults", {...})`. Raises HTTPStatusError with the sandbox's own words."""
        answer = self.control.post(f"/sandbox{path}", json=body if body is not None else {})
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.control.get(f"/sandbox{path}")
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A fresh sandbox: nothing another test loaded or broke is in it."""
    from sandbox.server import create_app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(), log_config=None, log_level="warning", access_log=False, lifespan="auto")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(base_url=url, timeout=60, verify=False) as control:  # plain HTTP: certificates cost 20 ms
        yield SandboxServer(url=url, control=control)
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture
def one_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pretend NetSuite accounts speak alike: their schemas are read once, not once per port."""
    from erp.netsuite import soap
    from erp.netsuite.address import Address

    def name(address: Address) -> str:
        return f"{'pretend ' if address.loopback else ''}{address.version}"

    monkeypatch.setattr(soap, "_name", name)
