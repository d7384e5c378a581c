"""Run a transaction again after it met another one: some database errors pass by themselves on a second run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

UNIQUE_VIOLATION = "23505"
"""The other transaction stored the same thing first; on a second run ours sees it."""
DEADLOCK = "40P01"
LOCK_NOT_AVAILABLE = "55P03"

CROSSED = (UNIQUE_VIOLATION, DEADLOCK)

TRIES = 3


class StillLocked(Exception):
    """Another transaction has locked a row for longer than we wait. Nothing was stored."""


def sqlstate(error: DBAPIError) -> str:
    """Return PostgreSQL's own code of an error; empty when PostgreSQL did not answer."""
    return str(getattr(error.orig, "sqlstate", None) or "")


async def rerun_if_crossed(work: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction, and run it again when it crossed another one.

    Raises:
        StillLocked: A lock could not be had in time.
        DBAPIError: The last try failed, or the error is none that passes.
    """
    for left in range(TRIES - 1, -1, -1):
        try:
            return await work()
        except DBAPIError as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                raise StillLocked(str(error.orig)) from error
            if sqlstate(error) not in CROSSED or not left:
                raise
        await asyncio.sleep(0.02 * (TRIES - left))
    raise AssertionError("the last try returns or raises")
