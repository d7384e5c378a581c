"""Run the whole product on one machine: every server posync needs is started, watched and stopped together.

The state is in one directory, and nothing listens beyond this machine. Servers that the environment names
(`TEMPORAL_ADDRESS`, `POSYNC_DATABASE_URL`) are used instead of our own.
"""

import asyncio
import fcntl
import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx

from cli.client.endpoints import Endpoints
from cli.local.embedded import (
    DURABLE_POSTGRES,
    THROWAWAY_POSTGRES,
    EmbeddedPostgres,
    free_port,
    temporal_command,
    temporal_is_ready,
)
from cli.local.processes import ChildProcess, ProcessFailed, our_program
from cli.local.setup import key_is_in_use, migrate_database, prepare_namespace, sign_up
from settings import StackSettings, read_stack_settings, temporal_client

TEMPORAL_PORT, UI_PORT, API_PORT, SANDBOX_PORT = 7233, 8233, 8000, 8900
ASKING_SECONDS = 0.3
"""Seconds between two looks: asking all the time would slow down what we wait for."""
WORKFLOW_GENERATION = 2
"""Raised each time this version cannot continue workflows that an older version started.

1: until the signals, activities and messages of the second edition.
"""
FAST_CRASH_SECONDS = 5.0
FAST_CRASHES_ALLOWED = 3

BEHIND_THE_ANSWERS = frozenset({"temporal", "worker"})
"""Nobody waits for these: a bill is accepted by the API and PostgreSQL alone, so on a busy machine they go first."""

SANDBOX_APP = {
    "POSYNC_QBO_CLIENT_ID": "ABsandboxClientId",
    "POSYNC_QBO_CLIENT_SECRET": "sandbox-client-secret",
    "POSYNC_QBO_VERIFIER_TOKEN": "sandbox-verifier-token",
}
"""The app that the pretend Intuit knows."""


class StackFailed(Exception):
    """The stack cannot start or continue. The message says why and where to look."""


@dataclass(frozen=True)
class StackOptions:
    state_dir: Path
    with_sandbox: bool = True
    throwaway: bool = False
    """True: the data may be lost in a power cut (demo, tests), so PostgreSQL does not wait for the disk."""
    use_environment: bool = True
    """True: use TEMPORAL_ADDRESS and POSYNC_DATABASE_URL if they are set."""
    fixed_ports: bool = True
    """True: prefer the well-known ports; otherwise use any free ones."""
    restart_temporal: bool = False
    """True: start our own Temporal server again when it ends, as worker and API always are."""


def say_nothing(_: str) -> None:
    """Ignore a report, for callers that do not want to follow the stack's start."""


class Stack:
    """Runs the product as a context manager: started inside, with nothing left running outside."""

    def __init__(self, options: StackOptions, *, report: Callable[[str], None] = say_nothing) -> None:
        self.options = options
        self.failure: StackFailed | None = None
        self._report = report
        self._children: dict[str, ChildProcess] = {}
        self._restartable: set[str] = set()
        self._fast_crashes: dict[str, int] = {}
        self._postgres: EmbeddedPostgres | None = None
        self._endpoints: Endpoints | None = None
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._lock: IO[str] | None = None
        self._given = StackSettings.model_construct()
        """Servers and keys to use instead of our own."""

    @property
    def endpoints(self) -> Endpoints:
        """Return the addresses of everything that runs.

        Raises:
            StackFailed: the stack was not started.
        """
        if self._endpoints is None:
            raise StackFailed("the stack is not started")
        return self._endpoints

    @property
    def logs(self) -> Path:
        """Return the directory of the log files."""
        return self.options.state_dir / "logs"

    def __enter__(self) -> "Stack":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- starting -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and wait until it is ready.

        Raises:
            StackFailed: the stack cannot run here.
            ProcessFailed: one of its processes ended or did not get ready.
            InvalidSettings: the environment names servers or keys that cannot be used.
            DatabaseUnreachable: the given database cannot be used.
            TemporalUnreachable: the given Temporal does not answer.
        """
        if self.options.use_environment:
            self._given = read_stack_settings()
        self._claim_state_dir()
        temporal_address, ui_url = self._start_temporal()
        sandbox_url = self._start_sandbox()
        database_url = self._start_postgres()

        self._report("PostgreSQL: schema")
        asyncio.run(migrate_database(database_url))
        self._children_ready(temporal_address, sandbox_url)
        if ui_url is None:
            for problem in asyncio.run(prepare_namespace()):
                self._report(problem)

        environment = {
            "TEMPORAL_ADDRESS": temporal_address,
            "POSYNC_DATABASE_URL": database_url,
            "POSYNC_CREDENTIAL_KEYS": self._credential_keys(),
            "POSYNC_ALLOW_LOOPBACK": "1" if sandbox_url else "0",
        }
        from models.contract import TASK_QUEUE

        if sandbox_url:
            # Its computer is switched on again within seconds.
            environment["POSYNC_WEB_CONNECTOR_BUSY_SECONDS"] = "2"
        api_port = self._port(API_PORT)
        api_url = f"http://127.0.0.1:{api_port}"
        if sandbox_url and self._given.qbo_client_id is None:
            # The Web Connector of QuickBooks Desktop takes no address of numbers.
            environment |= {"POSYNC_PUBLIC_URL": f"http://localhost:{api_port}", **SANDBOX_APP}
        self._report("worker")
        self._start_child("worker", our_program("worker"), environment, restart=True)
        self._report("api")
        api = our_program("api", "--host", "127.0.0.1", "--port", str(api_port), "--no-access-log")
        self._start_child("api", api, environment, restart=True)

        api_key = self._api_key(database_url)
        self._children["worker"].wait_until(
            lambda: asyncio.run(_has_poller(temporal_address, TASK_QUEUE)), every_seconds=ASKING_SECONDS
        )
        self._children["api"].wait_until(
            lambda: _says(f"{api_url}/readyz", status="ready", temporal="ok", workers="ok"),
            every_seconds=ASKING_SECONDS,
        )
        self._endpoints = Endpoints(
            api_url=api_url,
            api_key=api_key,
            temporal_address=temporal_address,
            ui_url=ui_url,
            database_url=database_url,
            sandbox_url=sandbox_url,
        )
        self._write_private("stack.json", json.dumps(asdict(self._endpoints), indent=2))
        self._watcher = threading.Thread(target=self._watch, name="watch the stack", daemon=True)
        self._watcher.start()

    def _claim_state_dir(self) -> None:
        self.options.state_dir.mkdir(parents=True, exist_ok=True)
        self._lock = (self.options.state_dir / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            self._lock = None
            raise StackFailed(
                f"{self.options.state_dir} is in use by another posync; stop it or pass --state-dir"
            ) from error

    def _start_temporal(self) -> tuple[str, str | None]:
        external = self._given.temporal_address
        if external:
            self._report(f"Temporal: {external} (from TEMPORAL_ADDRESS)")
            return external, None
        self._check_generation()
        port, ui_port = self._port(TEMPORAL_PORT), self._port(UI_PORT)
        self._report("Temporal: dev server")
        database = self.options.state_dir / "temporal.db"
        if database.exists():  # an older version of posync made it readable by everybody
            database.chmod(0o600)
        command = temporal_command(port=port, ui_port=ui_port, database=database)
        self._start_child("temporal", command, {}, restart=self.options.restart_temporal)
        return f"127.0.0.1:{port}", f"http://127.0.0.1:{ui_port}"

    def _check_generation(self) -> None:
        """Refuse workflows of a version that this one cannot continue: their replay would fail, one by one.

        Raises:
            StackFailed: there are such workflows; the message says how to start afresh.
        """
        workflows, written = self.options.state_dir / "temporal.db", self.options.state_dir / "workflow-generation"
        records = int(written.read_text()) if written.exists() else 1
        if workflows.exists() and records != WORKFLOW_GENERATION:
            raise StackFailed(
                f"the workflows in {workflows} were started by another version of posync and cannot go on: "
                f"delete {workflows} to start afresh; the next sync brings the orders up again"
            )
        written.write_text(str(WORKFLOW_GENERATION))

    def _start_sandbox(self) -> str | None:
        if not self.options.with_sandbox:
            return None
        port = self._sandbox_port()
        self._report("Sandbox")
        self._start_child("sandbox", our_program("sandbox.server", "--port", str(port)), {})
        return f"http://127.0.0.1:{port}"

    def _start_postgres(self) -> str:
        external = self._given.database_url
        if external:
            self._report("PostgreSQL: from POSYNC_DATABASE_URL")
            return external
        self._report("PostgreSQL: embedded")
        settings = THROWAWAY_POSTGRES if self.options.throwaway else DURABLE_POSTGRES
        self._postgres = EmbeddedPostgres(self.options.state_dir / "postgres", settings)
        self._postgres.start()
        return self._postgres.create_database("posync")

    def _children_ready(self, temporal_address: str, sandbox_url: str | None) -> None:
        if "temporal" in self._children:
            self._children["temporal"].wait_until(
                lambda: temporal_is_ready(temporal_address), every_seconds=ASKING_SECONDS
            )
        if sandbox_url is not None:
            sandbox = self._children["sandbox"]
            sandbox.wait_until(lambda: _says(f"{sandbox_url}/sandbox/health", service="posync-sandbox"))

    def _start_child(
        self, name: str, command: list[str], environment: dict[str, str], *, restart: bool = False
    ) -> None:
        child = ChildProcess(
            name,
            command,
            log=self.logs / f"{name}.log",
            environment=environment,
            gives_way=name in BEHIND_THE_ANSWERS,
        )
        self._children[name] = child
        if restart:
            self._restartable.add(name)
        child.start()

    def _port(self, well_known: int) -> int:
        return free_port(well_known if self.options.fixed_ports else None)

    def _sandbox_port(self) -> int:
        """Return the port the sandbox had the last time, because connections store the address of their ERP."""
        kept = self.options.state_dir / "sandbox-port"
        port = free_port(int(kept.read_text())) if kept.exists() else self._port(SANDBOX_PORT)
        kept.write_text(str(port))
        return port

    def _write_private(self, name: str, text: str) -> None:
        # Written under another name first: other commands may read it at any time.
        path = self.options.state_dir / f"{name}.new"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)
        path.replace(self.options.state_dir / name)

    def _credential_keys(self) -> str:
        """Return the keys that encrypt ERP credentials: the environment's, else one stored in the state directory."""
        if self._given.credential_keys:
            return ",".join(self._given.credential_keys)
        path = self.options.state_dir / "credential-keys"
        if not path.exists():
            from cryptography.fernet import Fernet

            self._write_private(path.name, Fernet.generate_key().decode())
        return path.read_text().strip()

    def _api_key(self, database_url: str) -> str:
        """Return an administrator's key of the first organization; it is created once and stored in the state
        directory."""
        path = self.options.state_dir / "api-key"
        kept = path.read_text().strip() if path.exists() else ""
        if not kept or not asyncio.run(key_is_in_use(database_url, kept)):
            made = asyncio.run(sign_up(database_url, "Our company", label="posync up", acts_for_people=True))
            self._write_private(path.name, made.key)
        return path.read_text().strip()

    # --- watching -------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            for name, child in list(self._children.items()):
                code = child.exit_code()
                if code is not None and not self._stopping.is_set():
                    self._ended(name, child, code)
            if self._postgres is not None and not self._postgres.is_running():
                self.failure = StackFailed(f"PostgreSQL stopped by itself. Its log: {self._postgres.log}")
            if self.failure is not None:
                return

    def _ended(self, name: str, child: ChildProcess, code: int) -> None:
        what = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        fast = time.monotonic() - child.started_at < FAST_CRASH_SECONDS
        self._fast_crashes[name] = self._fast_crashes.get(name, 0) + 1 if fast else 0
        if name not in self._restartable or self._fast_crashes[name] >= FAST_CRASHES_ALLOWED:
            self.failure = StackFailed(str(ProcessFailed(name, f"{what}.", child.log)))
            return
        self._report(f"{name} {what}; started again. Its log: {child.log}")
        child.stop()
        child.start()

    def kill(self, name: str) -> int | None:
        """Send SIGKILL to one process, as the machine would, and return its pid. The watcher starts worker and API
        again."""
        child = self._children[name]
        pid = child.pid
        child.kill()
        return pid

    # --- stopping -------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything in order, PostgreSQL last. Ctrl-C cannot interrupt it, and it ends within a bounded time."""
        if self._lock is None:
            return  # another posync uses the directory: we started nothing in it
        in_main = threading.current_thread() is threading.main_thread()
        before = {}
        if in_main:
            before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._stopping.set()
            if self._watcher is not None:
                self._watcher.join()
            for together in (("api", "worker"), ("sandbox", "temporal")):
                children = [self._children[name] for name in together if name in self._children]
                for child in children:
                    child.ask_to_stop()
                for child in children:
                    child.stop()
            if self._postgres is not None:
                self._postgres.stop()
                self._postgres = None
            (self.options.state_dir / "stack.json").unlink(missing_ok=True)
        finally:
            self._lock.close()
            self._lock = None
            for number, handler in before.items():
                signal.signal(number, handler)


async def _has_poller(temporal_address: str, queue: str) -> bool:
    from temporalio.service import RPCError

    from temporal_gateway.pollers import queues_without_poller

    client = await temporal_client(address=temporal_address)
    try:
        return not await queues_without_poller(client, [queue])
    except RPCError:
        return False  # it is asked again


def _says(url: str, **expected: str) -> bool:
    """Return whether the answer at an address says who we expect there: a port may have been taken by somebody else."""
    try:
        answer = httpx.get(url, timeout=5)
        said = answer.json() if answer.is_success else None
    except (httpx.TransportError, ValueError):
        return False
    return isinstance(said, dict) and expected.items() <= said.items()
