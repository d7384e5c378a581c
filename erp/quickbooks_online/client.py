"""Call one company's API: tokens, the limit of calls in flight, and errors raised as typed ones.

One method is one HTTP request; only after a refused access token it is sent once more, with the same request id.
Nothing else is retried here: Temporal decides whether to repeat.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from erp.clock import ErpClock
from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed, MalformedAnswer, Throttled
from erp.quickbooks_online import faults, wire
from erp.quickbooks_online.access import Access
from erp.quickbooks_online.auth import REALM, App, addresses
from erp.quickbooks_online.oauth import OAuthServer
from erp.quickbooks_online.pause import Pause
from erp.quickbooks_online.quota import ReadQuota
from erp.quickbooks_online.wire import Entity
from erp.storage import Storage
from erp.tokens import Tokens
from erp.transport import Answer, Transport

MINOR_VERSION = "75"

LONGEST_QUERY = 1500
"""Characters of a statement that goes into the address; a longer one is posted."""


class QuickBooksClient:
    """The API as one connection's tokens see it."""

    def __init__(
        self,
        settings: ConnectionSettings,
        realm: str,
        app: App | None,
        storage: Storage,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self.realm = realm
        self._access = Access(OAuthServer(app, settings, transport=transport), storage.tokens)
        self._transport = Transport(
            "QuickBooks", settings, company=realm, headers={"Accept": "application/json"}, transport=transport
        )
        self._pause = Pause()
        self._quota = ReadQuota(storage.reads)
        self._requests = storage.requests

    def __repr__(self) -> str:
        return f"QuickBooksClient(realm={self.realm!r})"

    @property
    def endpoint(self) -> str:
        """Return the address calls go to."""
        return self._settings.endpoint

    @property
    def clock(self) -> ErpClock:
        """Return QuickBooks' clock, as its last answer had it."""
        return self._transport.clock

    async def get(self, path: str, name: str, **params: str) -> Entity:
        """Read a resource below the company and return the whole answer; `name` is what must be in it.

        Raises:
            MalformedAnswer: it is not in it: that is not the same as empty.
        """
        answer = await self._read("GET", path, params)
        if not isinstance(answer.get(name), Mapping | list):
            raise MalformedAnswer(f"QuickBooks answered without a {name}.", code="MALFORMED_ANSWER")
        return answer

    async def query(self, statement: str, *, look_up: bool = False) -> Entity:
        """Run a query and return the whole answer; a long statement is posted. `look_up`: it looks for what a write may
        have made, and is sent even while the month's reads are used up: a refused read costs nothing.

        Raises:
            MalformedAnswer: it does not say what was found: that is not the same as nothing.
        """
        if len(statement) <= LONGEST_QUERY:
            answer = await self._read("GET", "query", {"query": statement}, look_up=look_up)
        else:
            content = statement.encode()
            answer = await self._read("POST", "query", {}, content, "application/text", look_up=look_up)
        records = answer.get("QueryResponse")
        if not isinstance(records, Mapping) or not all(map(wire.is_readable, records.values())):
            raise MalformedAnswer("QuickBooks answered a query without a QueryResponse.", code="MALFORMED_ANSWER")
        return answer

    async def write(self, path: str, body: Entity, *, request_id: str, **params: str) -> Entity:
        """Post a document and return the answer. `request_id` is the same on every repeat of the same write.

        Raises:
            OutcomeUnknown: the answer was lost: the document may be there.
            ErpError: any other refusal or failure.
        """
        content = wire.encode(body)
        answer = await self._send(
            "POST", path, {**params, "requestid": request_id}, content, "application/json", writing=True
        )
        try:
            return faults.evaluate(answer.status_code, answer.headers, answer.content, writing=True)
        except Throttled as throttled:
            self._pause.begin(throttled)
            raise

    async def request_id(self, key: str, proposed: str) -> str:
        """Return the id to create a document under: the one that was stored before its first attempt, while nobody
        knows what became of that; else the proposed one, which is stored now."""
        return proposed if self._requests is None else await self._requests.keep(key, proposed)

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._transport.close()

    async def renew(self) -> None:
        """Refresh the access token now: a grant that nobody uses would end."""
        await self._access.renew(await self._access.current())

    # --- reads, which are metered --------------------------------------------------------------------------------

    async def _read(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        content: bytes | None = None,
        content_type: str | None = None,
        *,
        look_up: bool = False,
    ) -> Entity:
        if not look_up:
            await self._quota.must_be_left()
        answer = await self._send(method, path, params, content, content_type, writing=False)
        try:
            value = faults.evaluate(answer.status_code, answer.headers, answer.content, writing=False)
        except Throttled as throttled:
            meaning = await self._quota.refused(throttled)
            if meaning is throttled:
                self._pause.begin(throttled)
            raise meaning from None
        await self._quota.read()
        return value

    # --- one request ---------------------------------------------------------------------------------------------

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        content: bytes | None,
        content_type: str | None,
        *,
        writing: bool,
    ) -> Answer:
        self._pause.must_be_over()
        tokens = await self._tokens()
        answer = await self._once(tokens, method, path, params, content, content_type, writing=writing)
        if not _token_refused(answer, writing=writing):
            return answer
        # A refused token means that nothing was done.
        tokens = await self._access.renew(tokens)
        return await self._once(tokens, method, path, params, content, content_type, writing=writing)

    async def _tokens(self) -> Tokens:
        tokens = await self._access.current()
        if tokens.get("realm") != self.realm or not REALM.fullmatch(self.realm):
            raise AuthenticationFailed("The tokens are another company's.", code="WRONG_COMPANY")
        return tokens

    async def _once(
        self,
        tokens: Tokens,
        method: str,
        path: str,
        params: Mapping[str, str],
        content: bytes | None,
        content_type: str | None,
        *,
        writing: bool,
    ) -> Answer:
        where = addresses(self._settings.endpoint, allow_loopback=self._settings.allow_loopback)
        query = urlencode({**params, "minorversion": MINOR_VERSION}, quote_via=quote)
        url = f"{where.api}/v3/company/{self.realm}/{path}?{query}"
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        async with self._transport.turn(where.api):
            return await self._transport.send(method, url, content, writing=writing, headers=headers)


def _token_refused(answer: Answer, *, writing: bool) -> bool:
    """Return whether QuickBooks refused the token. For a write only its own words say so: a bare status may come from a
    proxy, after the write was done."""
    if answer.status_code == 401 and not writing:
        return True
    if answer.status_code == 200 and not _may_be_fault(answer.content):
        return False
    return any(fault.code in faults.TOKEN_CODES for fault in faults.read_body(answer.content).faults)


LARGEST_FAULT = 5_000
"""Bytes of an answer that is nothing but a fault; larger ones have records, and are not read twice."""


def _may_be_fault(content: bytes) -> bool:
    return len(content) <= LARGEST_FAULT and b"fault" in content.lower()


def clock_of(answer: Mapping[str, Any]) -> datetime:
    """Return the server's clock as an answer has it; ours if it has none that can be read."""
    try:
        return wire.instant(str(answer.get("time") or ""))
    except ValueError:
        return datetime.now(UTC)
