"""A harness per test on a database per module."""

from collections.abc import AsyncIterator

import pytest

from models.store.base.database import Database
from tests.harness.activity_harness import (
    ActivityHarness,
    new_activity_harness,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=12)
    yield database
    await database.close()


@pytest.fixture
async def harness(database: Database) -> ActivityHarness:
    return await new_activity_harness(database)
