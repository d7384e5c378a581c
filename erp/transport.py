"""Send HTTP requests to an ERP: which hosts are trusted, how long to wait, how much to read, how many calls run at
once.

A client makes one `Transport` for its connection and posts over it. Nothing is retried here: Temporal decides whether
to repeat. What an answer means is decided by the client.
"""

import asyncio
import ssl
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from erp.clock import ErpClock
from erp.connection import ConnectionSettings, longest_call_seconds
from erp.errors import ErpError, MalformedAnswer, OutcomeUnknown, Unavailable

CONNECT_TIMEOUT_SECONDS = 10

LONGEST_ANSWER_BYTES = 100 * 1024 * 1024
"""More bytes than any of our ERPs sends in one message; counted after unpacking, while the answer is read."""

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

# Vendors limit calls per company, whatever the entity or connection, so the limit is shared by all connectors of this
# process. Semaphores belong to one event loop, hence the outer key.
_in_flight: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, weakref.WeakValueDictionary[tuple[str, str, str], asyncio.Semaphore]
] = weakref.WeakKeyDictionary()


class Answer(NamedTuple):
    """An HTTP answer, read to its end."""

    status_code: int
    headers: httpx.Headers
    content: bytes


class Transport:
    """Makes the calls of one connection to its ERP. `erp` is the ERP's name for people."""

    def __init__(
        self,
        erp: str,
        settings: ConnectionSettings,
        *,
        company: str,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._erp = erp
        self._company = company.casefold()
        self._seconds = settings.timeout_seconds
        self._at_once = settings.max_in_flight
        # A sandbox on this machine is not reached through the proxies of the environment.
        trust_env = not settings.allow_loopback
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(settings.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            headers={"Accept-Encoding": "gzip", **headers},
            trust_env=trust_env,
            verify=trusted_authorities(trust_env=trust_env),
        )
        self._limits: dict[str, asyncio.Semaphore] = {}
        self.clock = ErpClock()

    @asynccontextmanager
    async def turn(self, endpoint: str) -> AsyncIterator[None]:
        """Wait until one more call to this company may run, and keep that place during the call."""
        async with self._limit(urlsplit(endpoint).netloc):
            yield

    async def post(
        self, endpoint: str, content: bytes, *, writing: bool, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Post a body and read the answer to its end; raises as `send` does."""
        return await self.send("POST", endpoint, content, writing=writing, headers=headers)

    async def send(
        self,
        method: str,
        endpoint: str,
        content: bytes | None = None,
        *,
        writing: bool,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read the answer to its end.

        Raises:
            Unavailable: no connection was made, or a read was not answered.
            OutcomeUnknown: a write was sent, and its answer was lost or was too long.
            MalformedAnswer: the answer to a read is too long.
        """
        try:
            # httpx limits each step; an answer that drips in would pass every step and never end.
            async with (
                asyncio.timeout(longest_call_seconds(self._seconds)),
                self._http.stream(method, endpoint, content=content, headers=dict(headers or {})) as response,
            ):
                self.clock.take(response.headers.get("date"))
                return Answer(response.status_code, response.headers, await self._whole(response, writing=writing))
        except (httpx.HTTPError, TimeoutError) as error:
            raise no_answer(self._erp, error, writing=writing) from None

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._http.aclose()

    async def _whole(self, response: httpx.Response, *, writing: bool) -> bytes:
        refuse_packed_twice(response, writing=writing)
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > LONGEST_ANSWER_BYTES:
                evidence = {"bytes": f"more than {LONGEST_ANSWER_BYTES}", "problem": "too long"}
                raise malformed(f"{self._erp}'s answer is too long to be one.", writing=writing, evidence=evidence)
            parts.append(part)
        return b"".join(parts)

    def _limit(self, host: str) -> asyncio.Semaphore:
        limit = self._limits.get(host)
        if limit is None:
            shared = _in_flight.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
            key = (self._erp, host, self._company)
            limit = shared.get(key)
            if limit is None:
                limit = shared[key] = asyncio.Semaphore(self._at_once)
            self._limits[host] = limit
        return limit


def refuse_packed_twice(response: httpx.Response, *, writing: bool) -> None:
    """Refuse an answer that is packed more than once: one part of it could unpack to gigabytes before it is counted.

    Raises:
        ErpError: it is packed more than once; after a write, the outcome is unknown.
    """
    packed = response.headers.get("content-encoding", "")
    if "," in packed:
        raise malformed("The answer is packed more than once.", writing=writing, evidence={"content_encoding": packed})


@cache
def trusted_authorities(*, trust_env: bool) -> ssl.SSLContext:
    """Return the certificate authorities that HTTPS connections trust. They are read once per process: reading takes 20
    ms of CPU, more than a call."""
    return httpx.create_ssl_context(trust_env=trust_env)


def is_loopback(endpoint: str) -> bool:
    """Return whether an address is on this machine."""
    return host_of(endpoint) in LOOPBACK_HOSTS


def host_of(endpoint: str) -> str:
    """Return the host of an address; empty if it is no address."""
    try:
        return urlsplit(endpoint).hostname or ""
    except ValueError:
        return ""


def is_trusted(endpoint: str, *, vendor: Callable[[str], bool], allow_loopback: bool) -> bool:
    """Return whether secrets may be sent to an address: HTTPS to a host of the vendor, or the sandbox where it is
    allowed."""
    try:
        parts = urlsplit(endpoint)
        parts.port  # noqa: B018 reading it is what checks it
    except ValueError:
        return False
    if not endpoint.isascii():  # HTTP clients read other alphabets' letters each in their own way
        return False
    if parts.scheme == "https" and vendor(parts.hostname or ""):
        return True
    return allow_loopback and parts.scheme in ("http", "https") and is_loopback(endpoint)


def no_answer(erp: str, error: httpx.HTTPError | TimeoutError, *, writing: bool) -> ErpError:
    """Return the error of a call that got no answer. Only if no connection was made is it certain that nothing was
    written."""
    name = type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Unavailable(f"{erp} cannot be reached ({name}).", code="ERP_UNREACHABLE")
    if writing:
        return OutcomeUnknown(
            f"The answer to a write was lost ({name}); {erp} may have done it.", code="OUTCOME_UNKNOWN"
        )
    return Unavailable(f"{erp} did not answer ({name}).", code="ERP_NO_ANSWER")


def malformed(message: str, *, writing: bool = False, evidence: Mapping[str, str] | None = None) -> ErpError:
    """Return the error of an answer that breaks the protocol. After a write, the outcome is unknown."""
    if writing:
        return OutcomeUnknown(f"{message} The write may have been done.", code="OUTCOME_UNKNOWN", evidence=evidence)
    return MalformedAnswer(message, code="MALFORMED_ANSWER", evidence=evidence)
