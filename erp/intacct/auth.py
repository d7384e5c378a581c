"""Sign in to Sage Intacct: the credentials, a session per level, and the hosts passwords may be sent to (reference 1
and 2.1)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed, Rejected
from erp.intacct import wire
from erp.intacct.preferences import VENDOR_ON_LINES
from erp.intacct.wire import Result
from erp.sign_in import Credentials, CredentialsSpec, Question, SignInKind
from erp.transport import host_of, is_trusted, malformed
from models.domain.unapproved_orders import SHOWN, UNAPPROVED_ORDERS

GATEWAY = "https://api.intacct.com/ia/xml/xmlgw.phtml"
"""The address everybody signs in at first; the answer names the company's own address."""

CREDENTIALS_SPECS = CredentialsSpec(
    kind=SignInKind.FORM,
    what="a Sage Intacct company",
    company="company",
    credentials=(
        Question("company", "The company id."),
        Question("user", "The Web Services user."),
        Question("sender_id", "The sender id."),
        Question("password", "The Web Services user's password.", secret=True),
        Question("sender_password", "The password that belongs to the sender id.", secret=True),
    ),
    may_be_given=("entity",),
    entity=Question("entity", "Limit the sync to this entity."),
    preferences=(
        Question("po_template", "Transaction definition of orders; case-sensitive.", default="Purchase Order"),
        Question("vendor_invoice_template", "Transaction definition of vendor invoices.", default="Vendor Invoice"),
        Question("receiver_template", "Transaction definition of receivers; 3-way matching needs it."),
        Question("return_template", "Transaction definition of returns to vendors; without it none come in."),
        Question("bank_account", "The account bills are paid from."),
        Question(
            VENDOR_ON_LINES,
            "`true`: the vendor stands on each line of bills; `false`: on none. Default: on those of bills on orders.",
        ),
        Question(
            UNAPPROVED_ORDERS,
            f"`{SHOWN}`: orders that are not approved yet come in, too, and take no bill. Default: they stay out.",
        ),
    ),
    default_endpoint=lambda credentials: GATEWAY,
    max_in_flight=1,  # the standard service level does one call of a company at a time and queues the next
)

RENEW_BEFORE_SECONDS = 120
"""A session that ends within this many seconds is replaced before use (section 1.5)."""

UNKNOWN_SESSION_SECONDS = 600
"""How many seconds a session is used if the gateway does not say how long it lives."""


class Session(NamedTuple):
    """A session: valid for one user, company, level and endpoint."""

    id: str
    endpoint: str
    lifetime: float
    """Seconds the session lives after each successful call, by the gateway's own clock."""


Ask = Callable[[str, str], Awaitable[tuple[etree._Element, Result]]]
"""Sends `getAPISession` with a login to an endpoint; returns the whole answer and the function's result."""


class Sessions:
    """The sessions of one connection's user, one per level (an entity's id, or None for the top level)."""

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, ask: Ask) -> None:
        self._settings = settings
        self._secrets = credentials
        self._ask = ask
        self._sessions: dict[str | None, Session] = {}
        self._good_until: dict[str | None, float] = {}
        self._login_lock = asyncio.Lock()

    async def of(self, level: str | None) -> Session:
        """Return a session with enough time left; sign in if needed.

        Raises:
            AuthenticationFailed: the gateway refused the sign-in.
        """
        existing = self._open_session(level)
        if existing is not None:
            return existing
        async with self._login_lock:
            # A caller that waited here uses the session that the first one opened.
            existing = self._open_session(level)
            return existing if existing is not None else await self._log_in(level)

    async def afresh(self, home_level: str | None) -> Session:
        """Check the credentials as they are now, by signing in at the connection's own level.

        A wrong entity and a wrong password have the same error number (section 6.2). If the texts do not tell them
        apart, signing in without the entity does.

        Raises:
            AuthenticationFailed: the gateway refused the sign-in.
        """
        self._sessions.clear()
        try:
            return await self.of(home_level)
        except AuthenticationFailed as refused:
            if refused.code != "AUTH_BAD_CREDENTIALS" or home_level is None:
                raise
            try:
                await self.of(None)
            except AuthenticationFailed:
                raise refused from None
            refused.code = "AUTH_ENTITY_NOT_ALLOWED"
            raise

    def forget(self, level: str | None, session: Session) -> None:
        """Drop a session that the gateway no longer takes. If another call has replaced it already, there is nothing to
        drop."""
        if self._sessions.get(level) is session:
            del self._sessions[level]

    def used(self, level: str | None, session: Session) -> None:
        """Record that a session was valid just now: its lifetime counts from here."""
        if self._sessions.get(level) is session:
            self._keep(level, session)

    def _open_session(self, level: str | None) -> Session | None:
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
        if absent := CREDENTIALS_SPECS.missing(values):
            raise AuthenticationFailed(f"The connection lacks {', '.join(absent)}.", code="AUTH_CREDENTIALS_MISSING")
        login = wire.login(values["user"], values["company"], values["password"], level)
        endpoint = self._trusted(self._settings.endpoint)
        root, result = await self._ask(endpoint, login)
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
            raise malformed("Signing in was answered without a session.", writing=False)
        session = Session(session_id, self._trusted(api.findtext("endpoint") or endpoint), _lifetime(root))
        self._keep(level, session)
        return session

    def _trusted(self, endpoint: str) -> str:
        """Return the endpoint, if passwords may be sent there (section 1.5).

        Raises:
            AuthenticationFailed: ENDPOINT_NOT_TRUSTED.
        """
        if is_trusted(endpoint, vendor=_is_intacct, allow_loopback=self._settings.allow_loopback):
            return endpoint
        raise AuthenticationFailed(
            f"The address {endpoint[:100]} is not Intacct's; nothing was sent to it.",
            code="ENDPOINT_NOT_TRUSTED",
            evidence={"host": host_of(endpoint)},
        )


def _is_intacct(host: str) -> bool:
    return host.endswith(".intacct.com")


def _lifetime(root: etree._Element) -> float:
    """Return how many seconds a session lives by the gateway's own clock, so that an error of our clock does not
    matter."""
    opened = root.findtext("operation/authentication/sessiontimestamp")
    ends = root.findtext("operation/authentication/sessiontimeout")
    try:
        lifetime = (datetime.fromisoformat(ends or "") - datetime.fromisoformat(opened or "")).total_seconds()
    except (ValueError, TypeError):
        return UNKNOWN_SESSION_SECONDS
    return lifetime if lifetime > 0 else UNKNOWN_SESSION_SECONDS
