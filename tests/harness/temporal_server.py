"""Temporal for the tests of one process. Real: the dev server, as `posync up` starts it, in memory and without UI."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.local.embedded import free_port, temporal_command, temporal_is_ready
from cli.local.processes import ChildProcess

FOR_ONE_TEST_AT_A_TIME = {"GOMAXPROCS": "1", "GOGC": "400"}
"""What Go programs do to use every processor and to save memory took three tenths of the server's CPU (measured)."""


@contextmanager
def temporal_server(log: Path, dynamic_config: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a dev server with our search attributes; its address."""
    port = free_port()
    command = temporal_command(port=port, ui_port=None, database=None, dynamic_config=dynamic_config)
    server = ChildProcess("temporal", command, log=log, environment=FOR_ONE_TEST_AT_A_TIME)
    server.start()
    address = f"127.0.0.1:{port}"
    try:
        server.wait_until(lambda: temporal_is_ready(address))
        yield address
    finally:
        server.stop()
