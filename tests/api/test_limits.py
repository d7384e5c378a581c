"""How much one caller may take: requests in a minute, and the time for a head and a body (H5)."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from api.app import create_app
from api.http import exact_json, server
from api.http.server import bounded
from models.store.base.database import Database
from settings import Settings
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    served,
)

MOST = 12


@pytest.fixture
async def processes(
    settings: Settings, fake_temporal: FakeTemporal
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Two APIs on one database, as in production."""
    limited = settings.model_copy(update={"requests_per_minute": MOST})
    async with served(limited, fake_temporal) as one, served(limited, fake_temporal) as other:
        yield one, other


async def test_a_key_has_a_limit_over_all_processes(
    api: ApiClient, other_api: ApiClient, processes: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    """H5"""
    if time.time() % 60 > 50:  # what is counted ends with the minute
        await asyncio.sleep(61 - time.time() % 60)
    calls = [process.get("/v1/bills", headers=api.organization.auth()) for process in processes * MOST]
    answers = await asyncio.gather(*calls)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) - len(refused) == MOST
    for answer in refused:
        a_problem(answer, 429, "TOO_MANY_REQUESTS")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    for process in processes:
        assert (await process.get("/v1/bills", headers=api.organization.auth("clerk"))).status_code == 200, "other key"
        assert (await process.get("/v1/bills", headers=other_api.organization.auth())).status_code == 200


async def test_the_next_minute_is_counted_anew(
    api: ApiClient, settings: Settings, fake_temporal: FakeTemporal, database: Database
) -> None:
    """H5"""
    async with served(settings.model_copy(update={"requests_per_minute": 1}), fake_temporal) as process:
        limited = ApiClient(process, api.organization)
        statuses = {(await limited.get("/v1/bills")).status_code for _ in range(3)}
        assert 429 in statuses
        async with database.statement() as session:
            await session.execute(text("update api_key_use set minute = minute - interval '1 minute'"))
        assert (await limited.get("/v1/bills")).status_code == 200


async def test_what_is_refused_for_its_number_stores_nothing(
    api: ApiClient, settings: Settings, fake_temporal: FakeTemporal
) -> None:
    """H5: the key is not claimed."""
    body = {"checks": {"price": {"block": {"pct": "5"}}}}
    async with served(settings.model_copy(update={"requests_per_minute": 1}), fake_temporal) as process:
        limited = ApiClient(process, api.organization)
        await asyncio.gather(*(limited.get("/v1/bills") for _ in range(3)))
        a_problem(await limited.post("/v1/tolerance-policies", body, key="k"), 429, "TOO_MANY_REQUESTS")
    assert (await api.post("/v1/tolerance-policies", {**body, "why": "another"}, key="k")).status_code == 201


@pytest.fixture
def address(settings: Settings, fake_temporal: FakeTemporal, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An API in the server that `posync api` runs, with little patience; its port."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(server, "MESSAGE_SECONDS", 1.2)
    monkeypatch.setattr(exact_json, "BODY_SECONDS", 0.4)
    app = create_app(settings, temporal=fake_temporal)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running = uvicorn.Server(bounded(app, log_level="error"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    running.should_exit = True
    thread.join(10)


DRIPS = 400
"""Parts that drip in for 40 s, so that a busy machine too ends the caller long before the last."""


async def said(port: int, *parts: bytes, every: float = 0.0) -> tuple[bytes, int]:
    """What the server answers until it closes, and how many parts, sent one by one, it did not wait for.

    An answer may be lost to a caller who is still sending: the system cuts the connection then.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    left = list(parts)

    async def send() -> None:
        with suppress(ConnectionError):
            while left:
                writer.write(left.pop(0))
                await writer.drain()
                await asyncio.sleep(every)

    sending = asyncio.create_task(send())
    answer = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(90):
            while part := await reader.read(65_536):
                answer += part
    sending.cancel()
    writer.close()
    return answer, len(left)


HALF_BODY = (
    b"POST /v1/bills/b/abandon HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)


async def test_a_head_that_does_not_end_is_ended(address: int) -> None:
    """H5: 900 half-sent heads were never closed. Bytes that drip in gain no time."""
    for parts in ([], [b"GET /healthz HTTP/1.1\r\nHost:"], [b"GET /healthz HTTP/1.1\r\n", *[b"X: 1\r\n"] * DRIPS]):
        answer, left = await said(address, *parts, every=0.1)
        drips = len(parts) > DRIPS
        assert answer.startswith(b"HTTP/1.1 408 ") or (drips and answer == b"")
        assert (left > 0) == drips


async def test_a_later_head_on_the_same_connection_has_its_limit_too(address: int) -> None:
    """H5"""
    whole = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    answer, left = await said(address, whole, b"GET /hea", *[b"l"] * DRIPS, every=0.1)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer or answer.endswith(b"}")
    assert left > 0


async def test_a_body_that_does_not_end_is_ended(address: int) -> None:
    """H5: 300 half-sent bodies were never closed."""
    for parts in ([HALF_BODY], [HALF_BODY, *[b" "] * DRIPS]):
        answer, left = await said(address, *parts, every=0.1)
        drips = len(parts) > DRIPS
        assert (answer.startswith(b"HTTP/1.1 408 ") and b"REQUEST_TIMEOUT" in answer) or (drips and answer == b"")
        assert (left > 0) == drips


async def test_a_body_that_nobody_reads_is_ended(address: int) -> None:
    """H5: the answer is there long before the body is, and the connection would be kept for it."""
    asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
    answer, left = await said(address, asked, *[b" "] * DRIPS, every=0.1)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert left > 0


async def test_a_head_is_only_so_long(address: int) -> None:
    """H5: its brother; uvicorn keeps a head of any length in memory."""
    answer, _ = await said(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n", *[b"X: " + b"x" * 1000 + b"\r\n"] * 100)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")  # closed while the rest was still on its way


async def test_many_slow_callers_hinder_nobody(address: int) -> None:
    """H5"""
    slow = [asyncio.create_task(said(address, b"GET /healthz HTTP/1.1\r\n")) for _ in range(200)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{address}") as http:
        for _ in range(20):
            assert (await http.get("/healthz")).status_code == 200
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer, _ in await asyncio.gather(*slow))


async def test_a_resting_connection_is_closed_by_the_caller_first(address: int) -> None:
    """Issue 10: callers keep a connection for five seconds, as long as uvicorn did. A request that was sent as the
    server closed got no answer."""
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", address)
    for pause in (5.5, 0.0):
        writer.write(head)
        async with asyncio.timeout(90):
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
        assert answer.startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(pause)
    writer.close()
