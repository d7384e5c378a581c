"""An office per test on a database per module."""

from collections.abc import AsyncIterator

import pytest

from models.store.database import Database
from tests.activities.office import Office, new_office


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=12)
    yield database
    await database.close()


@pytest.fixture
async def office(database: Database) -> Office:
    return await new_office(database)
