"""A database per module and a tenant with one connection per test."""

from collections.abc import AsyncIterator

import pytest

from models.store.base.database import Database
from tests.harness.tenant import (
    Tenant,
    new_tenant,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=4)
    yield database
    await database.close()


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await new_tenant(database)


@pytest.fixture
async def other_tenant(database: Database) -> Tenant:
    return await new_tenant(database)
