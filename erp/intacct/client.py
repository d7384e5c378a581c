"""The gateway: sessions, envelopes, the limit of calls in flight, and faults raised as typed errors.

One `call` is one HTTP request and may carry several functions. Nothing is retried here, but for one thing: a session
the gateway no longer takes is replaced once and the request sent again, since a refused sign-in executed nothing
(reference section 1.5).
"""

import asyncio
import itertools
import time
import uuid
import weakref
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from lxml import etree

from erp.authorities import trusted_authorities
from erp.connector import ConnectionSettings, Credentials
from erp.errors import AuthenticationFailed, ErpError, Rejected
from erp.intacct import faults, wire

RENEW_BEFORE_SECONDS = 120
"""A session with less left is replaced before use (section 1.5)."""

UNKNOWN_SESSION_SECONDS = 600
"""What we trust a session for when the gateway does not say how long it lives."""

CONNECT_TIMEOUT_SECONDS = 10

LONGEST_ANSWER = 5
"""How many times the timeout of one step a whole call may take."""

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# Calls in flight are limited per company, whatever the entity or connection, so the limit is shared by all connectors
# of this process. Semaphores belong to one event loop, hence the outer key.
_in_flight: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, weakref.WeakValueDictionary[tuple[str, str], asyncio.Semaphore]
] = weakref.WeakKeyDictionary()


class Session(NamedTuple):
    """A session is good for one user, company, level and endpoint."""

    id: str
    endpoint: str
    lifetime: float
    """Seconds it lives after each successful call, measured in the gateway's own clock."""


class Result(NamedTuple):
    """One function's outcome. `key` is what legacy writes return, `data` what reads and generic writes return."""

    key: str | None
    data: etree._Element | None
    fault: ErpError | None

    def rows_element(self) -> etree._Element:
        """The `data` element. Raises the function's error, or MalformedAnswer when there is none."""
        if self.fault is not None:
            raise self.fault
        if self.data is None:
            raise faults.malformed("A read was answered without data.", writing=False)
        return self.data


class IntacctClient:
    """The gateway as one connection's user sees it. `level` is an entity's id, or None for the top level."""

    def __init__(
        self,
        settings: ConnectionSettings,
        credentials: Credentials,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._secrets = credentials
        self.company = credentials.values.get("company", "")
        self.user = credentials.values.get("user", "")
        self.home_level: str | None = credentials.values.get("entity") or None
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(settings.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            headers={"Content-Type": "application/xml", "Accept-Encoding": "gzip"},
            trust_env=not settings.allow_loopback,
            verify=trusted_authorities(trust_env=not settings.allow_loopback),
        )
        self._sessions: dict[str | None, Session] = {}
        self._good_until: dict[str | None, float] = {}
        self._login_lock = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._prefix = uuid.uuid4().hex[:12]
        self._limit: asyncio.Semaphore | None = None

    def __repr__(self) -> str:
        return f"IntacctClient(company={self.company!r}, entity={self.home_level!r})"

    async def read(self, functions: Sequence[str], *, level: str | None) -> list[Result]:
        """Send reading functions in one request; each has its own outcome, in order."""
        named = [wire.function(f"r{number}", body) for number, body in enumerate(functions, start=1)]
        root = await self._with_session(named, level, unique=False)
        return self._results(root, len(functions), writing=False)

    async def write(self, body: str, *, control_id: str, level: str | None) -> Result:
        """Send one writing function under its idempotency key, as a transaction (section 5). Raises its error."""
        root = await self._with_session([wire.function(control_id, body)], level, unique=True)
        (result,) = self._results(root, 1, writing=True)
        if result.fault is not None:
            raise result.fault
        return result

    async def session(self, level: str | None) -> Session:
        """A session that is good for a while, signing in if needed. Raises AuthenticationFailed."""
        held = self._held(level)
        if held is not None:
            return held
        async with self._login_lock:
            # Whoever waited here finds the session the first one opened.
            held = self._held(level)
            return held if held is not None else await self._log_in(level)

    async def sign_in_afresh(self) -> Session:
        """Prove the credentials as they are now, at the connection's own level.

        A wrong entity and a wrong password share one error number (section 6.2). Where the words do not tell, signing
        in without the entity does.
        """
        self._sessions.clear()
        try:
            return await self.session(self.home_level)
        except AuthenticationFailed as refused:
            if refused.code != "AUTH_BAD_CREDENTIALS" or self.home_level is None:
                raise
            try:
                await self.session(None)
            except AuthenticationFailed:
                raise refused from None
            refused.code = "AUTH_ENTITY_NOT_ALLOWED"
            raise

    async def close(self) -> None:
        await self._http.aclose()

    # --- sessions -----------------------------------------------------------------------------------------------

    def _held(self, level: str | None) -> Session | None:
        session = self._sessions.get(level)
        if session is None or time.monotonic() >= self._good_until[level]:
            return None
        return session

    def _keep(self, level: str | None, session: Session) -> None:
        margin = min(RENEW_BEFORE_SECONDS, session.lifetime / 2)
        self._sessions[level] = session
        self._good_until[level] = time.monotonic() + session.lifetime - margin

    async def _log_in(self, level: str | None) -> Session:
        values = self._secrets.values
        absent = [
            name for name in ("sender_id", "sender_password", "company", "user", "password") if not values.get(name)
        ]
        if absent:
            raise AuthenticationFailed(f"The connection lacks {', '.join(absent)}.", code="AUTH_CREDENTIALS_MISSING")
        login = wire.login(values["user"], values["company"], values["password"], level)
        functions = [wire.function("session", "<getAPISession/>")]
        endpoint = self._trusted(self._settings.endpoint)
        root = await self._send(endpoint, login, functions, unique=False, writing=False)
        (result,) = self._results(root, 1, writing=False)
        if isinstance(result.fault, Rejected):
            # Signed in, but not let into that level (section 7.1).
            raise AuthenticationFailed(
                result.fault.message,
                code="AUTH_ENTITY_NOT_ALLOWED",
                erp_code=result.fault.erp_code,
                evidence=result.fault.evidence,
            )
        api = result.rows_element().find("api")
        session_id = api.findtext("sessionid") if api is not None else None
        if api is None or not session_id:
            raise faults.malformed("Signing in was answered without a session.", writing=False)
        session = Session(session_id, self._trusted(api.findtext("endpoint") or endpoint), _lifetime(root))
        self._keep(level, session)
        return session

    def _trusted(self, endpoint: str) -> str:
        """The endpoint, if passwords may go there (section 1.5)."""
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        try:
            parts.port  # noqa: B018 reading it is what checks it
        except ValueError:
            host = ""
        if parts.scheme == "https" and host.endswith(".intacct.com"):
            return endpoint
        if self._settings.allow_loopback and parts.scheme in ("http", "https") and host in _LOOPBACK:
            return endpoint
        raise AuthenticationFailed(
            f"The address {parts.scheme}://{host} is not Intacct's; nothing was sent to it.",
            code="ENDPOINT_NOT_TRUSTED",
            evidence={"host": host},
        )

    # --- sending ------------------------------------------------------------------------------------------------

    async def _with_session(self, functions: Sequence[str], level: str | None, *, unique: bool) -> etree._Element:
        session = await self.session(level)
        try:
            root = await self._authenticated(session, functions, unique=unique)
        except AuthenticationFailed as refused:
            if refused.code not in ("AUTH_SESSION_REFUSED", "AUTH_BAD_CREDENTIALS"):
                raise
            # Another call may have replaced it already; then there is nothing to forget.
            if self._sessions.get(level) is session:
                del self._sessions[level]
            session = await self.session(level)
            root = await self._authenticated(session, functions, unique=unique)
        if self._sessions.get(level) is session:
            self._keep(level, session)
        return root

    async def _authenticated(self, session: Session, functions: Sequence[str], *, unique: bool) -> etree._Element:
        authentication = f"<sessionid>{wire.text(session.id)}</sessionid>"
        try:
            return await self._send(session.endpoint, authentication, functions, unique=unique, writing=unique)
        except AuthenticationFailed as refused:
            if refused.evidence.get("where") == "authentication" and refused.code == "AUTH_BAD_CREDENTIALS":
                # No password was sent, so it is the session that was refused.
                refused.code = "AUTH_SESSION_REFUSED"
            raise

    async def _send(
        self, endpoint: str, authentication: str, functions: Sequence[str], *, unique: bool, writing: bool
    ) -> etree._Element:
        values = self._secrets.values
        body = wire.request(
            sender_id=values.get("sender_id", ""),
            sender_password=values.get("sender_password", ""),
            control_id=f"{self._prefix}/{next(self._numbers)}",
            authentication=authentication,
            functions=functions,
            unique=unique,
            transaction=writing,
        )
        async with self._semaphore():
            try:
                # httpx limits each step; an answer that drips in would pass every step and never end.
                async with asyncio.timeout(self._settings.timeout_seconds * LONGEST_ANSWER):
                    response = await self._http.post(endpoint, content=body)
            except (httpx.HTTPError, TimeoutError) as error:
                raise faults.transport_error(error, writing=writing) from None
        return _evaluate(response, writing=writing)

    def _semaphore(self) -> asyncio.Semaphore:
        if self._limit is None:
            limits = _in_flight.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
            key = (urlsplit(self._settings.endpoint).netloc, self.company.casefold())
            semaphore = limits.get(key)
            if semaphore is None:
                semaphore = limits[key] = asyncio.Semaphore(self._settings.max_in_flight)
            self._limit = semaphore
        return self._limit

    def _results(self, root: etree._Element, expected: int, *, writing: bool) -> list[Result]:
        found = [_result(node, writing=writing) for node in root.iterfind("operation/result")]
        if len(found) != expected:
            raise faults.malformed(f"{expected} functions were answered by {len(found)} results.", writing=writing)
        return found


def _evaluate(response: httpx.Response, *, writing: bool) -> etree._Element:
    """The answer's root once control and authentication are known to have succeeded (section 1.4)."""
    root: etree._Element | None = None
    problem = ""
    try:
        root = wire.parse(response.content)
    except (etree.XMLSyntaxError, ValueError) as error:
        problem = str(error)
    if response.status_code != 200:
        raise faults.http_error(response, root, writing=writing)
    if root is None or root.tag != "response":
        evidence = {
            "content_type": response.headers.get("Content-Type", ""),
            "bytes": str(len(response.content)),
            "problem": problem or "not an answer of the gateway",
        }
        raise faults.malformed("Intacct's answer is not what its protocol says.", writing=writing, evidence=evidence)
    if root.findtext("control/status") != "success":
        raise faults.to_error(faults.read_errors(root), "control", writing=writing)
    operation = root.find("operation")
    if operation is None:
        raise faults.malformed("Intacct's answer holds no operation.", writing=writing)
    if operation.findtext("authentication/status", "success") != "success":
        raise _sign_in_error(operation)
    return root


def _sign_in_error(operation: etree._Element) -> ErpError:
    error = faults.to_error(faults.read_errors(operation), "authentication", writing=False)
    if error.code != "UNKNOWN_ERP_ERROR":
        return error
    # Whatever the words, signing in failed: an administrator must look, and work waits.
    return AuthenticationFailed(
        error.message, code="AUTH_BAD_CREDENTIALS", erp_code=error.erp_code, evidence=error.evidence
    )


def _result(node: etree._Element, *, writing: bool) -> Result:
    errors = faults.read_errors(node)
    # A result without a status has been seen for a repeated control id (section 5); its errors tell.
    failed = node.findtext("status", "failure" if errors else "success") != "success"
    fault = faults.to_error(errors, "function", writing=writing) if failed else None
    return Result(node.findtext("key"), node.find("data"), fault)


def _lifetime(root: etree._Element) -> float:
    """How long a session lives by the gateway's own clock, so that a skew of ours does not matter."""
    opened = root.findtext("operation/authentication/sessiontimestamp")
    ends = root.findtext("operation/authentication/sessiontimeout")
    try:
        lifetime = (datetime.fromisoformat(ends or "") - datetime.fromisoformat(opened or "")).total_seconds()
    except (ValueError, TypeError):
        return UNKNOWN_SESSION_SECONDS
    return lifetime if lifetime > 0 else UNKNOWN_SESSION_SECONDS
