"""Let one request per order in at a time, so that many requests for one order take no database connections from the
others.

The order's lines are locked while a bill is matched, so requests for one order have to wait for one another anyway.
Here they wait without a database connection, in the order they came. This holds within one process; requests of other
processes wait for the lock in the database.

Inside are requests of different orders, no more than there are places: each of the waiting orders gets the next free
place in turn, however many requests one of them has.

Before that, requests for one order wait unread: reading and checking two hundred bodies takes half a second, in which
no other request would be answered. Few of an order are read at a time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import Problem, rendered
from models.domain.ids import PurchaseOrderId

READ_AT_ONCE = 2
"""How many requests for one order are read at a time: one is decided, the next one is made ready meanwhile."""

FOR_ONE_ORDER = re.compile(r"/v1/purchase-orders/([^/]+)/(bills|match)")
"""The requests that wait unread."""

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


class _Queue:
    def __init__(self, read_at_once: int) -> None:
        self.places = asyncio.Semaphore(read_at_once)
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
        self._queues: dict[str, _Queue] = {}
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
            self._note_if_empty()

    @asynccontextmanager
    async def read_in_turn(self, order: str) -> AsyncIterator[None]:
        """Wait until few other requests for this order are being read or are inside. `order` is as the caller wrote it.

        Raises:
            Problem: ORDER_QUEUE_FULL or ORDER_BUSY, as above.
        """
        queue = self._queues.setdefault(order, _Queue(READ_AT_ONCE))
        if queue.users >= self._most_waiting:
            raise Problem("ORDER_QUEUE_FULL")
        queue.users += 1
        self._empty.clear()
        placed = False
        try:
            try:
                async with asyncio.timeout(self._patience.total_seconds()):
                    await queue.places.acquire()
                    placed = True
            except TimeoutError:
                raise Problem("ORDER_BUSY") from None
            yield
        finally:
            if placed:
                queue.places.release()
            queue.users -= 1
            if not queue.users:
                del self._queues[order]
            self._note_if_empty()

    def _note_if_empty(self) -> None:
        if not self._turnstiles and not self._queues:
            self._empty.set()

    async def quiet(self) -> None:
        """Wait until no request is inside or waits."""
        await self._empty.wait()


class OrderQueue:
    """Lets requests for one order wait before anything is made of their bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = FOR_ONE_ORDER.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if asked is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        gate: OrderGate = scope["app"].state.services.order_gate
        try:
            arrived = await _whole_body(receive)  # a body that arrives slowly keeps nobody waiting
            async with gate.read_in_turn(asked.group(1)):
                await self._app(scope, _given(arrived, receive), send)
        except Problem as problem:
            await rendered(problem, Request(scope))(scope, receive, send)


async def _whole_body(receive: Receive) -> list[Message]:
    """Return the messages of the body, up to its end or until the caller went away.

    Raises:
        Problem: the body is too large or too slow.
    """
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _given(messages: list[Message], receive: Receive) -> Receive:
    """Give these messages first, and then what else comes."""
    left = iter(messages)

    async def given() -> Message:
        return next(left, None) or await receive()

    return given
