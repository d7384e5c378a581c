"""The real servers every test may use: PostgreSQL, Temporal (dev server and time skipping) and the sandbox.

Session fixtures start a server once, lazily; what a test writes goes into a database, a namespace or a sandbox of its
own, so that tests may run in any order.
"""

import asyncio
import contextlib
import gc
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import hypothesis
import pytest
import uvicorn
from sqlalchemy import util
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from cli.local.embedded import (
    THROWAWAY_POSTGRES,
    EmbeddedPostgres,
    installed_program,
)
from models.contract import SEARCH_ATTRIBUTES
from models.store.base.database import Database
from tests.harness.temporal_server import temporal_server

T = TypeVar("T")

# Nothing that is imported for the tests becomes garbage: looking for some in it takes time for nothing.
gc.disable()

# A machine that is busy with other tests is no fault of the code under test.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose the switches of the QuickBooks sandboxes (tests/conformance/quickbooks_positions.py and
    desktop_positions.py)."""
    parser.addoption(
        "--quickbooks-switches",
        choices=("unkind", "each", "together"),
        default="unkind",
        help="run their conformance suites also with all unkind positions at once, in each single one, or in few sets"
        " that have each position once",
    )


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


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """Compile each SQL statement once per process: every test has an engine of its own, which would compile it anew."""
    compiled = util.LRUCache[Any, Any](5_000)
    begin = Database.__init__

    def begin_compiled(self: Database, *of: Any, **named: Any) -> None:
        begin(self, *of, **named)
        self._engine.sync_engine._compiled_cache = compiled
        self._single.sync_engine._compiled_cache = compiled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "__init__", begin_compiled)
        # The cache's keys begin with the dialect; all of ours are set alike.
        patch.setattr(PGDialect_asyncpg, "__eq__", lambda one, other: type(one) is type(other), raising=False)
        patch.setattr(PGDialect_asyncpg, "__hash__", lambda one: hash(type(one)), raising=False)
        yield


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on a test that it failed, for the fixtures that clean up behind it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


WITHOUT_LONG = "not long"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the fuzz test out where the long ones are: to make up what it tries takes half of all collecting."""
    return True if config.option.markexpr == WITHOUT_LONG and collection_path.name == "test_fuzz.py" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take minutes each: none of them is then what everybody waits for at the end."""
    items.sort(key=lambda item: "end_to_end/real_processes/" not in item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """State the minutes per room, over all processes."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[room_of(report.nodeid)] += report.duration
    if len(seconds) > 1:
        terminalreporter.section("minutes per room, of all processes together")
        for room, took in seconds.most_common():
            terminalreporter.write_line(f"{took / 60:6.1f}  {room}")


def room_of(test: str) -> str:
    """Return the folder of tests/README.md that a test lies in."""
    parts = test.split("/")
    return "/".join(parts[1:3] if parts[1] == "end_to_end" else parts[1:2])


def pytest_collection_finish() -> None:
    """Collect the garbage of tests only, and not after every 700 objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


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
    from models.store.base.database import Database

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
    with temporal_server(server_directory / "temporal.log") as address:
        yield address


@pytest.fixture
async def temporal(temporal_address: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of the dev server, with the data converter all our processes use.

    What a failed test leaves running is ended: the next test's workers serve the same queues, and would fail with it.
    """
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    yield client
    if request.node.stash.get(FAILED, False):
        async for left in client.list_workflows("ExecutionStatus = 'Running'"):
            with contextlib.suppress(RPCError):  # it ended meanwhile
                await client.get_workflow_handle(left.id).terminate("its test has failed")


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


class SandboxServer:
    """The sandbox of one test at a time over real HTTP; `control` speaks to its control room."""

    def __init__(self, url: str, control: httpx.Client) -> None:
        self.url = url
        self.control = control
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    def post(self, path: str, body: Any = None) -> Any:
        """Call the control room: `post("/faults", {...})`. Raises HTTPStatusError with the sandbox's own words."""
        answer = self.control.post(f"/sandbox{path}", json=body if body is not None else {})
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.control.get(f"/sandbox{path}")
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    """One port for all tests: starting and stopping a server takes longer than most of them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        # Plain HTTP: certificates cost 20 ms.
        httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60, verify=False) as control,
    ):
        created = SandboxServer(str(control.base_url).rstrip("/"), control)
        config = uvicorn.Config(
            created, log_config=None, date_header=False, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.01)
        yield created
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def sandbox(sandbox_server: SandboxServer) -> SandboxServer:
    """A fresh sandbox: nothing another test loaded or broke is in it."""
    from sandbox.server import create_app

    sandbox_server.app = create_app()
    return sandbox_server
