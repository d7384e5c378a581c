"""Signing in: senders, users, sessions that slide and expire (reference 1.5)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.envelope import Login
from sandbox.intacct.errors import AuthenticationError, ErrorLine

SENDERS = {"posync": "sandbox-sender", "unlisted": "sandbox-sender"}
"""`unlisted` is a good sender that the company did not authorise."""
AUTHORISED_SENDERS = frozenset({"posync"})


@dataclass
class Cursor:
    """What readMore continues: the records still to come."""

    object_name: str
    fields: list[str]
    numbers: list[int]
    total: int
    page_size: int


@dataclass
class Session:
    """One signed-in user at one level and one endpoint. `entity` empty is the top level.

    It remembers the password it was opened with: a changed password ends it.
    """

    id: str
    user: str
    password: str
    company: str
    entity: str
    endpoint: str
    started: datetime
    expires: datetime
    cursors: dict[str, Cursor] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who acts in this session."""
        return Actor(self.user, self.entity)


def _refused(text: str) -> AuthenticationError:
    return AuthenticationError(ErrorLine("XL03000006", text, "Check the sign-in information."))


class Sessions:
    """All live sessions of a company."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._by_id: dict[str, Session] = {}
        self._by_login: dict[tuple[str, str, str], Session] = {}

    def forget(self) -> None:
        """Every session ends, as after maintenance."""
        self._by_id.clear()
        self._by_login.clear()

    def expire(self, session_id: str) -> None:
        """End one session early."""
        self._by_id.pop(session_id, None)

    def __len__(self) -> int:
        return len(self._by_id)

    def authenticate(self, sender: str, login: Login | None, session_id: str, endpoint: str) -> Session:
        """The session for this request, its expiry moved. Raises AuthenticationError."""
        now = self._company.now()
        if login is None:
            session = self._by_id.get(session_id)
            if session is None or session.expires <= now or session.password != self._company.users.get(session.user):
                self._by_id.pop(session_id, None)
                raise _refused("Invalid or expired session. Please log in again.")
            if self._company.switches.flag("check_endpoint") and session.endpoint != endpoint:
                raise _refused("The session was established at another endpoint.")
            self._check_sender(sender)
            self._slide(session, now)
            return session
        if login.company != self._company.id or self._company.users.get(login.user) != login.password:
            raise _refused("Sign-in information is incorrect")
        self._check_sender(sender)
        entity = login.entity or ""
        self._check_entity(entity)
        # Signing in with a name in every request: readMore still finds its result, as one user at one level.
        session = self._by_login.get((login.user, entity, endpoint))
        if session is None:
            session = self._new(login.user, entity, endpoint)
            self._by_login[(login.user, entity, endpoint)] = session
        self._slide(session, now)
        return session

    def open(self, base: Session, entity: str | None) -> Session:
        """getAPISession: a session at the same level, or slid to `entity` ("" for the top level).

        Raises:
            AuthenticationError: the sign-in is wrong, or the user may not go to that entity.
        """
        if entity is not None and entity != base.entity:
            if not self._company.switches.flag("entity_slide"):
                raise _refused("The user is not allowed to slide to another entity.")
            self._check_entity(entity)
        session = self._new(base.user, base.entity if entity is None else entity, base.endpoint)
        self._by_id[session.id] = session
        return session

    def _new(self, user: str, entity: str, endpoint: str) -> Session:
        now = self._company.now()
        password = self._company.users[user]
        session = Session(secrets.token_urlsafe(24), user, password, self._company.id, entity, endpoint, now, now)
        self._slide(session, now)
        return session

    def _slide(self, session: Session, now: datetime) -> None:
        session.expires = now + timedelta(seconds=self._company.switches.number("session_seconds"))

    def _check_sender(self, sender: str) -> None:
        if sender not in AUTHORISED_SENDERS:
            raise AuthenticationError(
                ErrorLine(
                    "XL03000006",
                    f"Invalid Web Services Authorization: the sender ID '{sender}' is not authorised for this company.",
                    "Ask a company administrator to add the sender ID to the Web Services authorisations.",
                )
            )

    def _check_entity(self, entity: str) -> None:
        if entity and self._company["LOCATIONENTITY"].first("LOCATIONID", entity) is None:
            raise _refused(f"The location '{entity}' is invalid or not allowed for this user.")
