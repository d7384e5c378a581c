"""A connection to QuickBooks Desktop whose Web Connector calls."""

import httpx
import pytest

from models.store.base.database import Database
from settings import Settings
from tests.harness.api_client import ApiClient
from tests.harness.paired_web_connector import Pair, new_pair


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "public_url": "https://posync.example.com",
            "web_connector_hold_seconds": 0.0,
            "web_connector_busy_seconds": 0.0,
        }
    )


@pytest.fixture
async def pair(api: ApiClient, database: Database, http: httpx.AsyncClient) -> Pair:
    return await new_pair(api, database, http)
