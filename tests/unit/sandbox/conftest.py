"""A sandbox in process for every test: nothing is shared, no socket is opened."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.sandbox.wire import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    async with wire.http:
        yield wire
