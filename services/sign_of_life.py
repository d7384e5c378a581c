"""Tell of a worker process that its event loop runs.

The Temporal SDK asks for work outside of Python: a worker whose event loop hangs goes on asking, and does nothing.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

from models.store.base import workers
from models.store.base.database import FAILURES, Database

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)


async def keep_giving(database: Database, identity: str, stop: asyncio.Event, *, every: timedelta = EVERY) -> None:
    """Give a sign of life now and every few seconds until `stop`; then the worker is forgotten.

    `database` must be for this alone: in a pool that others have emptied the sign would wait.
    """
    while not stop.is_set():
        try:
            async with database.statement() as session:
                await workers.sign_of_life(session, identity)
        except FAILURES:  # no database for a while, which readiness says on its own
            log.warning("the sign of life of %s was not stored; trying again in %s", identity, every)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every.total_seconds())
    with suppress(*FAILURES):  # what stays is old in a moment
        async with database.statement() as session:
            await workers.ended(session, identity)
