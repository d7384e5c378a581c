"""The API in process, on a real PostgreSQL, with a fake Temporal and a fake ERP."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from cryptography.fernet import Fernet

from models.store.base.database import Database
from models.store.connections import organizations
from services.outbox import delivery
from settings import Settings
from tests.fakes.fake_erp import FakeErp
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    Organization,
    api_erp,
    served,
)


@pytest.fixture(autouse=True)
def no_parent_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the fake Temporal no order's workflow starts its bills: a message to one need not wait 2.5 s for that."""
    monkeypatch.setattr(delivery, "PAUSES_FOR_PARENT", (timedelta(0),) * len(delivery.PAUSES_FOR_PARENT))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    created = Database(database_url)
    yield created
    await created.close()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, credential_keys=(Fernet.generate_key().decode(),), allow_loopback=True)


@pytest.fixture
def erp() -> FakeErp:
    return api_erp()


@pytest.fixture
def fake_temporal(database: Database) -> FakeTemporal:
    return FakeTemporal(database)


@pytest.fixture
async def http(settings: Settings, fake_temporal: FakeTemporal, erp: FakeErp) -> AsyncIterator[httpx.AsyncClient]:
    async with served(settings, fake_temporal, erp) as client:
        yield client


@pytest.fixture
def make_organization(database: Database) -> Callable[[], Awaitable[Organization]]:
    async def make() -> Organization:
        async with database.transaction() as session:
            organization_id = await organizations.create_organization(session, f"Organization {secrets.token_hex(3)}")
            keys = {
                role: await organizations.create_api_key(session, organization_id, role, role)
                for role in organizations.ROLES
            }
        return Organization(organization_id, keys)

    return make


@pytest.fixture
async def api(http: httpx.AsyncClient, make_organization: Callable[[], Awaitable[Organization]]) -> ApiClient:
    return ApiClient(http, await make_organization())


@pytest.fixture
async def other_api(http: httpx.AsyncClient, make_organization: Callable[[], Awaitable[Organization]]) -> ApiClient:
    return ApiClient(http, await make_organization())
