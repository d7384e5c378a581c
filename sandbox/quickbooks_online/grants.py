"""Consents and their tokens (reference 2): codes, access tokens, rotating refresh tokens, revocation."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.switches import Switches

_DAY = timedelta(hours=24)


class TokenRefused(Exception):
    """The token endpoint refuses; `error` is the word of the standard."""

    def __init__(self, error: str, status: int = 400, description: str = "") -> None:
        super().__init__(description or error)
        self.error = error
        self.status = status
        self.description = description


@dataclass
class Grant:
    """One consent: an app may use one company."""

    realm: str
    scope: str
    begun: datetime
    ended: str = ""
    """Why nothing of it works any more."""
    refresh_token: str = ""
    refresh_given: datetime | None = None
    superseded: dict[str, datetime] = field(default_factory=dict)
    """Earlier refresh tokens, with when each got a successor."""
    refreshes: int = 0
    reused: int = 0
    """How often a superseded refresh token came."""


@dataclass
class _Access:
    grant: Grant
    ends: datetime


@dataclass
class _Code:
    grant: Grant
    redirect_uri: str
    ends: datetime
    used: bool = False


class Grants:
    """All consents of the one app that is registered."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.grants: list[Grant] = []
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, Grant] = {}

    def _later(self, name: str) -> datetime:
        return self._clock.now() + timedelta(seconds=self._switches.number(name))

    def consent(self, realm: str, scope: str, redirect_uri: str) -> str:
        """A person agrees; the answer is an authorization code."""
        grant = Grant(realm, scope, self._clock.now())
        self.grants.append(grant)
        code = f"XAB1{secrets.token_hex(20)}"
        self._codes[code] = _Code(grant, redirect_uri, self._later("code_seconds"))
        return code

    def exchange(self, code: str, redirect_uri: str) -> dict[str, Any]:
        """Tokens for a code, once. Raises TokenRefused."""
        known = self._codes.get(code)
        if known is None or known.redirect_uri != redirect_uri or known.grant.ended:
            raise TokenRefused("invalid_grant", description="Token invalid")
        if known.used:
            known.grant.ended = "the authorization code was used twice"
            raise TokenRefused("invalid_grant", description="Token invalid")
        if self._clock.now() >= known.ends:
            raise TokenRefused("invalid_grant", description="Token expired")
        known.used = True
        self._give_refresh(known.grant)
        return self._tokens(known.grant)

    def refresh(self, token: str) -> dict[str, Any]:
        """Fresh tokens; the refresh token is another one as the switch says. Raises TokenRefused."""
        grant = self._refresh.get(token)
        if grant is None:
            raise TokenRefused("invalid_grant", description="Incorrect Token type or clientID")
        self._check_grant(grant)
        now = self._clock.now()
        if token in grant.superseded:
            self._reused(grant, token, now)
        given = grant.refresh_given or now
        if now >= given + timedelta(seconds=self._switches.number("refresh_token_seconds")):
            raise TokenRefused("invalid_grant", description="Token expired")
        grant.refreshes += 1
        rotates = self._switches.word("refresh_rotation") == "every_refresh" or now >= given + _DAY
        if rotates and token not in grant.superseded:
            grant.superseded[grant.refresh_token] = now
            self._give_refresh(grant)
        return self._tokens(grant)

    def _reused(self, grant: Grant, token: str, now: datetime) -> None:
        """A refresh token that has a successor came again. Raises TokenRefused unless it is still good."""
        grant.reused += 1
        word = self._switches.word("superseded_token")
        if word == "kills_grant":
            grant.ended = "a superseded refresh token was used"
        if word != "grace_24_hours" or now >= grant.superseded[token] + _DAY:
            raise TokenRefused("invalid_grant", description="Token invalid")

    def _check_grant(self, grant: Grant) -> None:
        if grant.ended:
            raise TokenRefused("invalid_grant", description="Token invalid")
        if self._clock.now() >= self._hard_end(grant):
            raise TokenRefused("invalid_grant", description="Token expired")

    def _hard_end(self, grant: Grant) -> datetime:
        return grant.begun + timedelta(days=self._switches.number("grant_days"))

    def _give_refresh(self, grant: Grant) -> None:
        grant.refresh_token = f"AB11{secrets.token_urlsafe(36)}"
        grant.refresh_given = self._clock.now()
        self._refresh[grant.refresh_token] = grant

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        # As long as real ones are: more than a thousand characters.
        content = base64.urlsafe_b64encode(secrets.token_bytes(780)).decode()
        token = f"eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..{content}"
        self._access[token] = _Access(grant, self._later("access_token_seconds"))
        now = self._clock.now()
        left = round((self._hard_end(grant) - now).total_seconds())
        ends = (grant.refresh_given or now) + timedelta(seconds=self._switches.number("refresh_token_seconds"))
        answer: dict[str, Any] = {
            "token_type": "bearer",
            "access_token": token,
            "expires_in": int(self._switches.number("access_token_seconds")),
            "refresh_token": grant.refresh_token,
            "x_refresh_token_expires_in": min(round((ends - now).total_seconds()), left),
        }
        if self._switches.flag("hard_expiry_shown"):
            answer["x_refresh_token_hard_expires_in"] = left
        return answer

    def revoke(self, token: str) -> None:
        """Either token ends the whole grant. Raises TokenRefused for an unknown one."""
        access = self._access.get(token)
        grant = access.grant if access is not None else self._refresh.get(token)
        if grant is None or grant.ended:
            raise TokenRefused("invalid_request")
        grant.ended = "revoked by the app"

    def holder(self, token: str) -> Grant | None:
        """The grant that an access token uses now."""
        access = self._access.get(token)
        if access is None or access.grant.ended or self._clock.now() >= access.ends:
            return None
        return access.grant

    def expire_access(self, token: str = "") -> int:
        """Access tokens end now: one, or all of them."""
        ending = [self._access[token]] if token in self._access else [] if token else list(self._access.values())
        for access in ending:
            access.ends = self._clock.now()
        return len(ending)

    def end_all(self, realm: str, why: str) -> int:
        """Grants of a company end; the app hears of it only when it calls."""
        ending = [grant for grant in self.grants if grant.realm == realm and not grant.ended]
        for grant in ending:
            grant.ended = why
        return len(ending)
