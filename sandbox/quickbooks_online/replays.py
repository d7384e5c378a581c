"""First answers by `requestid` (reference 3.6): a repeat gets them again, and waits while the first is under way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.quickbooks_online.errors import Refused
from sandbox.responses import Answer
from sandbox.switches import Switches

_LONGEST = 50
_LONGEST_OF_BATCH = 36
_LONGEST_ITEM = 10


class _Kept(NamedTuple):
    answer: Answer
    moment: datetime


class Replays:
    """What was answered to requests that carried an id, by company and id."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._under_way: dict[tuple[str, str], asyncio.Lock] = {}

    @asynccontextmanager
    async def turn(self, realm: str, request_id: str) -> AsyncIterator[None]:
        """One request of an id at a time."""
        lock = self._under_way.setdefault((realm, request_id), asyncio.Lock())
        async with lock:
            yield

    def known(self, realm: str, request_id: str) -> Answer | None:
        """The first successful answer, where it is remembered."""
        kept = self._kept.get((realm, request_id))
        word = self._switches.word("request_id")
        if kept is None or word == "ignored":
            return None
        hours = timedelta(hours=self._switches.number("request_id_hours"))
        if word == "forgotten" and self._clock.now() >= kept.moment + hours:
            return None
        return kept.answer

    def keep(self, realm: str, request_id: str, answer: Answer) -> None:
        """Remember an answer; one that failed does not use the id up."""
        self._kept[realm, request_id] = _Kept(answer, self._clock.now())


def check_request_id(request_id: str, batch_ids: list[str] | None = None) -> None:
    """Its length, and in a batch those of the items. Raises Refused (2130)."""
    longest = _LONGEST if batch_ids is None else _LONGEST_OF_BATCH
    too_long = len(request_id) > longest or any(len(one) > _LONGEST_ITEM for one in batch_ids or ())
    if too_long:
        raise Refused("2130", "Invalid request id", f"The request id has at most {longest} characters")
