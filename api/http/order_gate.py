"""Let one request per order in at a time, so that many requests for one order take no database connections from the
others.

The order's lines are locked while a bill is matched, so requests for one order have to wait for one another anyway.
Here they wait without a database connection, in the order they came. This holds within one process; requests of other
processes wait for the lock in the database.

Inside are requests of different orders, no more than there are places: each of the waiting orders gets the next free
place in turn, however many requests one of them has.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta

from api.http.problems import Problem
from models.domain.ids import PurchaseOrderId

MOST_WAITING = 400
"""Most requests for one order at a time, the running one included. At 20 ms each, the last one waits eight seconds."""

PLACES = 6
"""How many requests are inside at a time, each for another order."""

PATIENCE = timedelta(seconds=25)
"""How long a request waits for its turn; shorter than most callers wait for an answer."""


class _Turnstile:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class OrderGate:
    """Queues the requests for each order. There is one gate per process."""

    def __init__(
        self, *, places: int = PLACES, most_waiting: int = MOST_WAITING, patience: timedelta = PATIENCE
    ) -> None:
        self._places = asyncio.Semaphore(places)
        self._most_waiting = most_waiting
        self._patience = patience
        self._turnstiles: dict[PurchaseOrderId, _Turnstile] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def one_at_a_time(self, orders: Collection[PurchaseOrderId]) -> AsyncIterator[None]:
        """Wait until no other request is inside for any of these orders.

        Raises:
            Problem: ORDER_QUEUE_FULL, when too many requests wait already; ORDER_BUSY, when the turn does
                not come in time.
        """
        names = sorted(set(orders))  # always in one order, so that two bills over the same orders never wait crosswise
        for name in names:
            if name in self._turnstiles and self._turnstiles[name].users >= self._most_waiting:
                raise Problem("ORDER_QUEUE_FULL")
        turnstiles = [self._turnstiles.setdefault(name, _Turnstile()) for name in names]
        for turnstile in turnstiles:
            turnstile.users += 1
        self._empty.clear()
        taken: list[_Turnstile] = []
        placed = False
        try:
            try:
                async with asyncio.timeout(self._patience.total_seconds()):
                    for turnstile in turnstiles:
                        await turnstile.lock.acquire()
                        taken.append(turnstile)
                    await self._places.acquire()
                    placed = True
            except TimeoutError:
                raise Problem("ORDER_BUSY") from None
            yield
        finally:
            if placed:
                self._places.release()
            for turnstile in taken:
                turnstile.lock.release()
            for name, turnstile in zip(names, turnstiles, strict=True):
                turnstile.users -= 1
                if not turnstile.users:
                    del self._turnstiles[name]
            if not self._turnstiles:
                self._empty.set()

    async def quiet(self) -> None:
        """Wait until no request is inside or waits."""
        await self._empty.wait()
