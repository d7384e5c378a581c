"""A connected company in process for every test, and a sandbox behind a real port for the clients that need one."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn

from sandbox.server import create_app
from tests.unit.sandbox.quickbooks_online.books import Books


@pytest.fixture
async def books() -> AsyncIterator[Books]:
    books = Books()
    async with books.http:
        await books.connect()
        yield books


@pytest.fixture
def served() -> Iterator[str]:
    """The URL of a sandbox on loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error", lifespan="off", date_header=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(5)
