"""An ERP's side of an OAuth grant: its access token expires, and a refresh token is good once."""

import asyncio
from collections.abc import Mapping

from erp.errors import AuthenticationFailed

ISSUED: Mapping[str, str] = {"refresh_token": "r-1"}
"""What a person's consent gave."""


class FakeGrant:
    """A second use of a refresh token ends the grant, as some ERPs do it."""

    def __init__(self, good: str = ISSUED["refresh_token"]) -> None:
        self.good = good
        self.asked = 0
        self.lost = False
        self.wait_for_refusals = 0
        """A refresh is not answered before so many calls were refused: then their callers want new tokens at once."""
        self._access_token = ""
        self._refused = 0
        self._more_refused = asyncio.Event()

    def expire(self) -> None:
        """The access token is good no more."""
        self._access_token, self._refused = "", 0

    def accepts(self, tokens: Mapping[str, str]) -> bool:
        """Return whether a call with these tokens is answered."""
        good = not self.lost and bool(self._access_token) and tokens.get("access_token") == self._access_token
        if not good:
            self._refused += 1
            self._more_refused.set()
        return good

    async def refresh(self, tokens: Mapping[str, str]) -> Mapping[str, str]:
        """Return new tokens for a refresh token that was not used yet.

        Raises:
            AuthenticationFailed: it was used before, and a person has to consent again.
        """
        self.asked += 1
        if tokens["refresh_token"] != self.good or self.lost:
            self.lost = True
            raise AuthenticationFailed("invalid_grant", code="AUTH_RECONNECT")
        while self._refused < self.wait_for_refusals:
            self._more_refused.clear()
            await self._more_refused.wait()
        await asyncio.sleep(0.05)
        self.good = f"r-{int(self.good.removeprefix('r-')) + 1}"
        self._access_token = f"a-{self.asked}"
        return {"refresh_token": self.good, "access_token": self._access_token}
