"""Waiting until something is true, in real time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.service import RPCError, RPCStatusCode

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T] | T], *, within: float = 90.0) -> T:
    """Look until something true is there; the last thing seen is in the error. Waits in real time, and
    long: a machine that has other work is slow, and a wait that ends well costs no more for a late end.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            seen = look()
            if isinstance(seen, Awaitable):
                seen = await seen
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
            seen = None  # a child that its parent is only just starting
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true within {within} s: {seen!r}")
        await asyncio.sleep(0.02)
