"""Requests under one Idempotency-Key one at a time, so that all of them get the answer of the first.

Where a request is one transaction, claiming its key does that. This is for requests that go beyond the database.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from models.domain.ids import OrganizationId


class RequestGate:
    """One per process. Requests that come to other processes meet at the stored answer: the first one stays."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[OrganizationId, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def one_at_a_time(self, organization_id: OrganizationId, key: str) -> AsyncIterator[None]:
        """Wait until no other request with this key is inside."""
        lock = self._locks.setdefault((organization_id, key), asyncio.Lock())
        async with lock:
            yield
