"""Store tokens that an ERP changes while they are used: OAuth's access and refresh tokens.

They are stored outside the connector because all workers share them. Some ERPs take a refresh token only once, and two
workers that refreshed at the same time would lose the authorization.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

Tokens = Mapping[str, str]
"""Tokens by the ERP's own names, with what has to be known of them (when they expire)."""


class TokenStore(Protocol):
    """Gives the tokens of one connection to all workers."""

    async def current(self) -> Tokens:
        """Return the tokens to use now: the connection's credentials until the first rotation."""
        ...

    async def rotate(self, old: Tokens, refresh: Callable[[Tokens], Awaitable[Tokens]]) -> Tokens:
        """Return newer tokens than `old`.

        One worker at a time runs this. If another one has rotated `old` meanwhile, its tokens are returned and
        `refresh` is not called. Otherwise `refresh` asks the ERP with the tokens it is given, and its result is stored
        before anybody may use it. The connection's credentials do not change, so no connector is made anew. If
        `refresh` raises, the tokens stay as they were.
        """
        ...
