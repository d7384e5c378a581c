"""The whole product on one machine: every server posync needs, started, watched and stopped together.

State lives in one directory; nothing listens beyond this machine. Servers named by the environment
(`TEMPORAL_ADDRESS`, `POSYNC_DATABASE_URL`) are used instead of our own.
"""

import asyncio
import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx

from cli.addresses import Addresses
from cli.embedded import (
    DURABLE_POSTGRES,
    THROWAWAY_POSTGRES,
    EmbeddedPostgres,
    free_port,
    queue_has_poller,
    temporal_command,
    temporal_is_ready,
)
from cli.processes import ChildProcess, ProcessFailed
from cli.setup import key_is_in_use, migrate_database, prepare_namespace, sign_up

TEMPORAL_PORT, UI_PORT, API_PORT, SANDBOX_PORT = 7233, 8233, 8000, 8900
ASKING_SECONDS = 0.3
"""Asking Temporal starts a program; asking all the time would slow down what we wait for."""
FAST_CRASH_SECONDS = 5.0
FAST_CRASHES_ALLOWED = 3


class StackFailed(Exception):
    """The stack cannot start or cannot go on; the message says why and where to look."""


@dataclass(frozen=True)
class StackOptions:
    state_dir: Path
    with_sandbox: bool = True
    throwaway: bool = False
    """Nobody will miss the data after a power cut (demo, tests): PostgreSQL does not wait for the disk."""
    use_environment: bool = True
    """Take TEMPORAL_ADDRESS and POSYNC_DATABASE_URL when they are set."""
    fixed_ports: bool = True
    """Prefer the well-known ports; else any free ones."""


def say_nothing(_: str) -> None:
    """For those who do not want to hear how the stack is doing."""


class Stack:
    """Use as a context manager: started inside, nothing left behind outside."""

    def __init__(self, options: StackOptions, *, tell: Callable[[str], None] = say_nothing) -> None:
        self.options = options
        self.failure: StackFailed | None = None
        self._tell = tell
        self._children: dict[str, ChildProcess] = {}
        self._restartable: set[str] = set()
        self._fast_crashes: dict[str, int] = {}
        self._postgres: EmbeddedPostgres | None = None
        self._addresses: Addresses | None = None
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._lock: IO[str] | None = None

    @property
    def addresses(self) -> Addresses:
        if self._addresses is None:
            raise StackFailed("the stack is not started")
        return self._addresses

    @property
    def logs(self) -> Path:
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
        """Start everything and wait until it is ready. Raises StackFailed or ProcessFailed."""
        self._claim_state_dir()
        temporal_address, ui_url = self._start_temporal()
        sandbox_url = self._start_sandbox()
        database_url = self._start_postgres()

        self._tell("PostgreSQL: schema")
        asyncio.run(migrate_database(database_url))
        self._children_ready(temporal_address, sandbox_url)
        if ui_url is None:
            for problem in asyncio.run(prepare_namespace()):
                self._tell(problem)

        environment = {
            "TEMPORAL_ADDRESS": temporal_address,
            "POSYNC_DATABASE_URL": database_url,
            "POSYNC_CREDENTIAL_KEYS": self._credential_keys(),
            "POSYNC_ALLOW_LOOPBACK": "1" if sandbox_url else "0",
        }
        from workflows.contract import TASK_QUEUE

        api_port = self._port(API_PORT)
        api_url = f"http://127.0.0.1:{api_port}"
        self._start_child("worker", [sys.executable, "-m", "worker"], environment, restart=True)
        api = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--host", "127.0.0.1"]
        api += ["--port", str(api_port), "--no-access-log"]
        self._start_child("api", api, environment, restart=True)

        api_key = self._api_key(database_url)
        self._children["api"].wait_until(lambda: _answers(f"{api_url}/readyz"))
        self._children["worker"].wait_until(
            lambda: queue_has_poller(temporal_address, TASK_QUEUE), every_seconds=ASKING_SECONDS
        )
        self._addresses = Addresses(
            api_url=api_url,
            api_key=api_key,
            temporal_address=temporal_address,
            ui_url=ui_url,
            database_url=database_url,
            sandbox_url=sandbox_url,
        )
        self._write_private("stack.json", json.dumps(asdict(self._addresses), indent=2))
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
        external = os.environ.get("TEMPORAL_ADDRESS") if self.options.use_environment else None
        if external:
            self._tell(f"Temporal: {external} (from TEMPORAL_ADDRESS)")
            return external, None
        port, ui_port = self._port(TEMPORAL_PORT), self._port(UI_PORT)
        self._tell("Temporal: dev server")
        database = self.options.state_dir / "temporal.db"
        self._start_child("temporal", temporal_command(port=port, ui_port=ui_port, database=database), {})
        return f"127.0.0.1:{port}", f"http://127.0.0.1:{ui_port}"

    def _start_sandbox(self) -> str | None:
        if not self.options.with_sandbox:
            return None
        port = self._sandbox_port()
        self._tell("Sandbox")
        self._start_child("sandbox", [sys.executable, "-m", "sandbox.server", "--port", str(port)], {})
        return f"http://127.0.0.1:{port}"

    def _start_postgres(self) -> str:
        external = os.environ.get("POSYNC_DATABASE_URL") if self.options.use_environment else None
        if external:
            self._tell("PostgreSQL: from POSYNC_DATABASE_URL")
            return external
        self._tell("PostgreSQL: embedded")
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
            self._children["sandbox"].wait_until(lambda: _answers(f"{sandbox_url}/sandbox/health"))

    def _start_child(
        self, name: str, command: list[str], environment: dict[str, str], *, restart: bool = False
    ) -> None:
        child = ChildProcess(name, command, log=self.logs / f"{name}.log", environment=environment)
        self._children[name] = child
        if restart:
            self._tell(name)
            self._restartable.add(name)
        child.start()

    def _port(self, well_known: int) -> int:
        return free_port(well_known if self.options.fixed_ports else None)

    def _sandbox_port(self) -> int:
        """The port it had the last time: connections keep the address of their ERP."""
        kept = self.options.state_dir / "sandbox-port"
        port = free_port(int(kept.read_text())) if kept.exists() else self._port(SANDBOX_PORT)
        kept.write_text(str(port))
        return port

    def _write_private(self, name: str, text: str) -> None:
        path = self.options.state_dir / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)

    def _credential_keys(self) -> str:
        """The keys that seal ERP credentials: the environment's, else one kept in the state directory."""
        given = os.environ.get("POSYNC_CREDENTIAL_KEYS")
        if given:
            return given
        path = self.options.state_dir / "credential-keys"
        if not path.exists():
            from cryptography.fernet import Fernet

            self._write_private(path.name, Fernet.generate_key().decode())
        return path.read_text().strip()

    def _api_key(self, database_url: str) -> str:
        """An administrator's key of the first organization, made once and kept in the state directory."""
        path = self.options.state_dir / "api-key"
        kept = path.read_text().strip() if path.exists() else ""
        if not kept or not asyncio.run(key_is_in_use(database_url, kept)):
            made = asyncio.run(sign_up(database_url, "Our company", label="posync up"))
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
        self._tell(f"{name} {what}; started again. Its log: {child.log}")
        child.stop()
        child.start()

    def kill(self, name: str) -> int | None:
        """SIGKILL one process, as the machine would; the watcher starts worker and API again. Answers its pid."""
        child = self._children[name]
        pid = child.pid
        child.kill()
        return pid

    # --- stopping -------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything in order, PostgreSQL last. Ctrl-C cannot interrupt it; it is over in bounded time."""
        if self._lock is None:
            return  # the directory is another's: nothing in it was started by us
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


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False
