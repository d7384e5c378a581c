"""Call the gateway: sessions, envelopes, the limit of calls in flight, and faults raised as typed errors.

One `call` is one HTTP request and may carry several functions. Nothing is retried here, with one exception: a session
the gateway no longer takes is replaced once and the request is sent again, because a refused sign-in executed nothing
(reference section 1.5).
"""

import itertools
import uuid
from collections.abc import Sequence

import httpx
from lxml import etree

from erp.clock import ErpClock
from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed
from erp.intacct import answers, wire
from erp.intacct.auth import Session, Sessions
from erp.intacct.wire import Result
from erp.sign_in import Credentials
from erp.transport import Transport


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
        self._transport = Transport(
            "Intacct",
            settings,
            company=self.company,
            headers={"Content-Type": "application/xml"},
            transport=transport,
        )
        self._sessions = Sessions(settings, credentials, self._ask_for_session)
        self._numbers = itertools.count(1)
        self._prefix = uuid.uuid4().hex[:12]

    def __repr__(self) -> str:
        return f"IntacctClient(company={self.company!r}, entity={self.home_level!r})"

    async def read(self, functions: Sequence[str], *, level: str | None) -> list[Result]:
        """Send reading functions in one request, and return each one's result in order. Each may fail by itself."""
        named = [wire.function(f"r{number}", body) for number, body in enumerate(functions, start=1)]
        root = await self._with_session(named, level, unique=False)
        return answers.results(root, len(functions), writing=False)

    async def write(self, body: str, *, control_id: str, level: str | None) -> Result:
        """Send one writing function as a transaction under its idempotency key (section 5).

        Raises:
            ErpError: the function's own error.
        """
        root = await self._with_session([wire.function(control_id, body)], level, unique=True)
        (result,) = answers.results(root, 1, writing=True)
        if result.fault is not None:
            raise result.fault
        return result

    async def sign_in_afresh(self) -> Session:
        """Check the credentials as they are now, by signing in at the connection's own level.

        Raises:
            AuthenticationFailed: the gateway refused the sign-in.
        """
        return await self._sessions.afresh(self.home_level)

    @property
    def clock(self) -> ErpClock:
        """Return the ERP's clock, as its answers show it."""
        return self._transport.clock

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._transport.close()

    # --- sending ------------------------------------------------------------------------------------------------

    async def _with_session(self, functions: Sequence[str], level: str | None, *, unique: bool) -> etree._Element:
        session = await self._sessions.of(level)
        try:
            root = await self._authenticated(session, functions, unique=unique)
        except AuthenticationFailed as refused:
            if refused.code not in ("AUTH_SESSION_REFUSED", "AUTH_BAD_CREDENTIALS"):
                raise
            self._sessions.forget(level, session)
            session = await self._sessions.of(level)
            root = await self._authenticated(session, functions, unique=unique)
        self._sessions.used(level, session)
        return root

    async def _ask_for_session(self, endpoint: str, login: str) -> tuple[etree._Element, Result]:
        functions = [wire.function("session", "<getAPISession/>")]
        root = await self._send(endpoint, login, functions, unique=False, writing=False)
        (result,) = answers.results(root, 1, writing=False)
        return root, result

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
        async with self._transport.turn(self._settings.endpoint):
            answer = await self._transport.post(endpoint, body, writing=writing)
        return answers.read(answer, writing=writing)
