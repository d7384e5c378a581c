"""A sandbox in process for every test, and one behind a real port for the clients that need one."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn

from sandbox.server import create_app
from tests.unit.sandbox.netsuite.suite import Suite


@pytest.fixture
async def suite() -> AsyncIterator[Suite]:
    suite = Suite()
    async with suite.http:
        yield suite


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The URL of a sandbox on loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error", lifespan="off", date_header=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(5)
