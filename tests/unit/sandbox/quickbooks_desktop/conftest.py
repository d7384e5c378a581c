"""A PC in process for every test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.sandbox.quickbooks_desktop.pc import Pc


@pytest.fixture
async def pc() -> AsyncIterator[Pc]:
    pc = Pc()
    async with pc.http:
        yield pc
    pc.computer.stop()
