"""Let the next write of an order go as soon as the one before it is done, where both are sent by one worker process.

The database decides whose turn it is. This only says when to look: without it, each write that waits would look again
and again, and find out late.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from models.domain.ids import ExternalKey

LOOK_EVERY_SECONDS = 0.02
"""How often a write looks whether one that another process sends is done. Only one write of an order looks."""


class Turn:
    """The time in which one write is sent."""

    def __init__(self, under_way: dict[ExternalKey, asyncio.Event]) -> None:
        self._under_way = under_way
        self._key: ExternalKey | None = None
        self._ended = asyncio.Event()

    def is_of(self, key: ExternalKey) -> None:
        """Note which write is sent."""
        self._key = key
        self._under_way[key] = self._ended

    def ends(self) -> None:
        """Note that the write is settled, or that its attempt is over: whoever waits looks now. Twice is once."""
        self._ended.set()
        if self._key is not None and self._under_way.get(self._key) is self._ended:
            del self._under_way[self._key]


class Turns:
    """The writes that one worker process sends now."""

    def __init__(self) -> None:
        self._under_way: dict[ExternalKey, asyncio.Event] = {}

    @contextmanager
    def sending(self) -> Iterator[Turn]:
        """Yield the turn of one attempt; it ends with the attempt at the latest."""
        turn = Turn(self._under_way)
        try:
            yield turn
        finally:
            turn.ends()

    async def end_of(self, key: ExternalKey, within: float) -> None:
        """Wait until this write is done, for `within` seconds at most; for a moment where another process sends it."""
        ended = self._under_way.get(key)
        if ended is None:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(max(within, 0.0)):
                await ended.wait()
