"""Keep one connection's access token fresh: of all workers one refreshes, and stores before anybody uses the result.

A refresh token that was superseded is not presented on purpose. After a lost answer it is presented once more, as
nothing else is at hand; then the grant counts as lost, and a person connects again (reference 2.3, 2.4). That one time
is not spent at once: what lost the answer, mostly a gateway, may go on for some minutes.

A worker that is killed has lost the answer too, and can tell nobody. So that a token is about to be presented is stored
first, in a transaction of its own; the next one then holds the row's lock while it is presented.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from erp.errors import AuthenticationFailed, ErpError, Unavailable
from erp.quickbooks_online.oauth import AnswerLost, GrantEnded, OAuthServer
from erp.tokens import Tokens, TokenStore

EARLY = timedelta(minutes=2)
"""How long before its end an access token is refreshed."""

ONCE_MORE_AFTER = timedelta(minutes=2)
"""How long after a lost answer the refresh token is presented once more."""

ENDED = "ended"
"""The name under which the reason is stored why the grant is over."""

LOST = "answer_lost_at"
"""The name under which it is stored that the answer to a refresh was lost."""

PRESENTED = "presented_at"
"""The name under which it is stored, before, that the refresh token is presented."""

PRESENTED_BY = "presented_by"
"""The name of the attempt that presents it."""

TAKEN_OVER_AFTER = timedelta(seconds=5)
"""How long nobody need hold the row's lock for an attempt until its worker counts as killed: it takes the lock at once,
and presents the token only if it still finds its own name."""

LOOK_EVERY_SECONDS = 0.05
"""How often whoever waits for another worker's attempt to begin looks."""


class Access:
    """The access tokens of one connection, for one process."""

    def __init__(self, server: OAuthServer, store: TokenStore) -> None:
        self._server = server
        self._store = store
        self._tokens: Tokens | None = None
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> Tokens:
        """Return tokens whose access token can be used now; it is refreshed first if it is about to expire.

        Raises:
            AuthenticationFailed: AUTH_CREDENTIALS_MISSING or AUTH_RECONNECT.
            ErpError: the refresh failed and may succeed later.
        """
        if self._tokens is None:
            self._tokens = await self._store.current()
        tokens = self._tokens
        _must_be_usable(tokens)
        return tokens if _is_fresh(tokens) else await self.renew(tokens)

    async def renew(self, old: Tokens) -> Tokens:
        """Return newer tokens than `old`, which QuickBooks refused or which expire.

        Raises:
            AuthenticationFailed: AUTH_RECONNECT, when the grant is over.
            ErpError: the refresh failed and may succeed later.
        """
        async with self._one_at_a_time:
            if self._tokens is None or self._tokens == old:
                self._tokens = await self._renewed(old)
            tokens = self._tokens
        _must_be_usable(tokens)
        if tokens.get(LOST):
            raise Unavailable(
                "QuickBooks' answer to a refresh of the access token was lost.",
                code="ERP_NO_ANSWER",
                retry_after=ONCE_MORE_AFTER,
            )
        return tokens

    async def _renewed(self, old: Tokens) -> Tokens:
        """Return what is stored after one attempt at a refresh, by this worker or by another one."""
        attempt, refused = _Attempt(self._server), old.get("access_token")
        while True:
            try:
                tokens = await self._store.rotate(old, attempt.announce)
                if tokens.get(PRESENTED_BY) == attempt.name:
                    tokens = await self._store.rotate(tokens, attempt.present)
            except _AboutToBegin:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                continue
            if attempt.failure is not None:
                raise attempt.failure
            if attempt.answered or tokens == old:
                return tokens
            others = tokens.get(PRESENTED) is not None
            # Another worker's attempt may have failed without having used the token.
            unchanged = tokens.get("access_token") == refused and not (tokens.get(ENDED) or tokens.get(LOST))
            if not others and not unchanged:
                return tokens
            old = tokens


class _AboutToBegin(Exception):
    """Another worker is about to present the token."""


class _Attempt:
    """One worker's attempt at a refresh."""

    def __init__(self, server: OAuthServer) -> None:
        self._server = server
        self.name = secrets.token_hex(8)
        self.failure: ErpError | None = None
        self.answered = False
        """The token was presented, whatever became of it."""

    async def announce(self, tokens: Tokens) -> Tokens:
        """Return the tokens with the note that this attempt presents the refresh token.

        Raises:
            Unavailable: an answer was lost a moment ago.
        """
        if tokens.get(ENDED):
            return tokens
        if tokens.get(PRESENTED):
            # Nobody holds the row's lock, so that one has not begun yet, or was killed.
            presented = expiry(tokens, PRESENTED)
            if datetime.now(UTC) < presented + TAKEN_OVER_AFTER:
                raise _AboutToBegin
            if tokens.get(LOST):
                _must_have_waited(presented)
                return _ended(tokens, f"answers lost at {tokens[LOST]} and {tokens[PRESENTED]}")
            tokens = {**tokens, LOST: tokens[PRESENTED]}
        elif tokens.get(LOST):
            _must_have_waited(expiry(tokens, LOST))
        return {**tokens, PRESENTED: datetime.now(UTC).isoformat(), PRESENTED_BY: self.name}

    async def present(self, announced: Tokens) -> Tokens:
        """Present the refresh token and return what is to be stored; `failure` is why it was not taken up."""
        tokens = _without_note(announced)
        self.answered = True
        try:
            return await self._server.refresh(tokens)
        except GrantEnded as ended:
            return _ended(tokens, str(ended))
        except AnswerLost:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            if tokens.get(LOST):
                return _ended(tokens, f"answers lost at {tokens[LOST]} and {now}")
            return {**tokens, "access_token": "", LOST: now}
        except ErpError as error:
            self.failure = error
            return tokens


def _without_note(tokens: Tokens) -> Tokens:
    return {name: value for name, value in tokens.items() if name not in (PRESENTED, PRESENTED_BY)}


def _ended(tokens: Tokens, why: str) -> Tokens:
    return {**_without_note(tokens), "access_token": "", ENDED: why}


def _must_be_usable(tokens: Tokens) -> None:
    if tokens.get(ENDED):
        raise AuthenticationFailed(
            f"QuickBooks has ended this connection's authorization ({tokens[ENDED]}).",
            code="AUTH_RECONNECT",
            evidence={"reason": tokens[ENDED]},
        )
    if not tokens.get("refresh_token") or not tokens.get("realm"):
        raise AuthenticationFailed("Nobody has authorized this connection yet.", code="AUTH_CREDENTIALS_MISSING")


def _must_have_waited(lost_at: datetime) -> None:
    left = lost_at + ONCE_MORE_AFTER - datetime.now(UTC)
    if left > timedelta(0):
        raise Unavailable(
            "QuickBooks' answer to a refresh of the access token was lost a moment ago; this connection waits.",
            code="ERP_NO_ANSWER",
            retry_after=left,
        )


def _is_fresh(tokens: Tokens) -> bool:
    return bool(tokens.get("access_token")) and datetime.now(UTC) + EARLY < expiry(tokens, "access_expires_at")


def expiry(tokens: Mapping[str, str], name: str) -> datetime:
    """Return when a token ends; long ago if nothing is known of it."""
    said = tokens.get(name)
    return datetime.fromisoformat(said) if said else datetime(2000, 1, 1, tzinfo=UTC)
