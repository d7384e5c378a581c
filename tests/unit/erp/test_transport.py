"""HTTP to an ERP, written once for all of them."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest

from erp import transport
from erp.connection import ConnectionSettings
from erp.errors import ErpError, MalformedAnswer, OutcomeUnknown
from erp.transport import Transport, is_trusted

ENDPOINT = "https://erp.example/service"


async def answered(content: bytes, *, writing: bool, headers: dict[str, str] | None = None) -> transport.Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=content, headers=headers)

    http = Transport(
        "Example",
        ConnectionSettings(endpoint=ENDPOINT),
        company="ACME",
        headers={},
        transport=httpx.MockTransport(answer),
    )
    try:
        return await http.post(ENDPOINT, b"?", writing=writing)
    finally:
        await http.close()


@pytest.mark.parametrize(("writing", "family"), [(False, MalformedAnswer), (True, OutcomeUnknown)])
async def test_an_answer_that_unpacks_to_too_much_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, writing: bool, family: type[ErpError]
) -> None:
    """A small packed answer may be gigabytes: what counts is what it unpacks to, while it is read."""
    monkeypatch.setattr(transport, "LONGEST_ANSWER_BYTES", 10_000)
    packed = gzip.compress(b"x" * 50_000)
    assert len(packed) < 1_000
    with pytest.raises(family) as caught:
        await answered(packed, writing=writing, headers={"Content-Encoding": "gzip"})
    assert isinstance(caught.value, ErpError)
    assert caught.value.evidence["problem"] == "too long"


async def test_an_answer_within_the_limit_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LONGEST_ANSWER_BYTES", 50_000)
    packed = gzip.compress(b"x" * 50_000)
    answer = await answered(packed, writing=False, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, len(answer.content)) == (200, 50_000)


def packed_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(megabytes)), packer.flush()])


@pytest.mark.parametrize("writing", [False, True])
async def test_a_bomb_takes_little_memory(monkeypatch: pytest.MonkeyPatch, writing: bool) -> None:
    """H1: an answer of 1 GB was 1.95 GB of memory. What one part of it unpacks to is the most that is kept."""
    monkeypatch.setattr(transport, "LONGEST_ANSWER_BYTES", 1_000_000)
    bomb = packed_zeros(400)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n?")
        writer.write(head.encode() + bomb)
        with suppress(ConnectionError):  # it is not read to its end
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/service"
    settings = ConnectionSettings(endpoint=endpoint, allow_loopback=True)
    http = Transport("Example", settings, company="ACME", headers={})
    tracemalloc.start()
    try:
        with pytest.raises(OutcomeUnknown if writing else MalformedAnswer):
            await http.post(endpoint, b"?", writing=writing)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()
        await http.close()
        server.close()


@pytest.mark.parametrize(("writing", "family"), [(False, MalformedAnswer), (True, OutcomeUnknown)])
async def test_an_answer_packed_twice_is_none(writing: bool, family: type[ErpError]) -> None:
    """H1: one part of it could unpack to gigabytes before anything is counted."""
    packed = gzip.compress(gzip.compress(b"x" * 50_000))
    with pytest.raises(family):
        await answered(packed, writing=writing, headers={"Content-Encoding": "gzip, gzip"})


@pytest.mark.parametrize("address", ["https://[", "https://api.intacct.com\uff0fevil", "https://a.intacct.com:99999/"])
def test_what_is_no_address_is_not_trusted(address: str) -> None:
    """H7: it was an error of ours; an ERP's answer names the address to go on with, so it comes from outside too."""
    assert not is_trusted(address, vendor=lambda host: True, allow_loopback=True)
    assert transport.host_of(address) in ("", "a.intacct.com")


async def test_an_answer_that_breaks_off_is_none() -> None:
    """The connection ends in the middle of the body."""

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise httpx.ReadError("reset")

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=half())

    settings = ConnectionSettings(endpoint=ENDPOINT)
    http = Transport("Example", settings, company="ACME", headers={}, transport=httpx.MockTransport(answer))
    with pytest.raises(OutcomeUnknown):
        await http.post(ENDPOINT, b"?", writing=True)
    await http.close()


@pytest.mark.parametrize(
    ("endpoint", "loopback", "trusted"),
    [
        ("https://erp.example/x", False, True),
        ("http://erp.example/x", True, False),
        ("https://other.example/x", True, False),
        ("https://erp.example:notaport/x", True, False),
        ("http://127.0.0.1:9/x", False, False),
        ("http://127.0.0.1:9/x", True, True),
        ("http://[::1]:9/x", True, True),
        ("ftp://127.0.0.1/x", True, False),
    ],
)
def test_secrets_travel_to_the_vendor_or_to_an_allowed_sandbox(endpoint: str, loopback: bool, trusted: bool) -> None:
    assert is_trusted(endpoint, vendor=lambda host: host == "erp.example", allow_loopback=loopback) is trusted
