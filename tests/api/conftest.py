"""The API in process, on a real PostgreSQL, with the stand-ins of `desk.py`."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from activities.mirror import MirrorActivities
from models.store import organizations
from models.store.database import Database
from settings import Settings
from tests.api.desk import CAPABILITIES, Office, Organization, StandInErp, StandInTemporal, served


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url)
    yield made
    await made.close()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, credential_keys=[Fernet.generate_key().decode()], allow_loopback=True)


@pytest.fixture
def erp() -> Any:
    """The stand-in ERP's class, as it is at the start of every test."""
    StandInErp.outage = False
    StandInErp.capabilities = CAPABILITIES
    return StandInErp


@pytest.fixture
def temporal_stand_in(database: Database) -> StandInTemporal:
    return StandInTemporal(MirrorActivities(database))


@pytest.fixture
async def http(settings: Settings, temporal_stand_in: StandInTemporal, erp: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with served(settings, temporal_stand_in) as client:
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
async def office(http: httpx.AsyncClient, make_organization: Callable[[], Awaitable[Organization]]) -> Office:
    return Office(http, await make_organization())


@pytest.fixture
async def other_office(http: httpx.AsyncClient, make_organization: Callable[[], Awaitable[Organization]]) -> Office:
    return Office(http, await make_organization())
