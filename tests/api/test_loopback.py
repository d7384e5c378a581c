"""A tenant cannot make the API call machines on our own network."""

import httpx
from asgi_lifespan import LifespanManager

from api.app import create_app
from settings import Settings
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    Organization,
    a_problem,
    new_connection,
    served,
)


async def test_a_loopback_connection_is_refused_unless_the_operator_allows_it(
    api: ApiClient, settings: Settings, fake_temporal: FakeTemporal
) -> None:
    organization: Organization = api.organization
    async with served(settings.model_copy(update={"allow_loopback": False}), fake_temporal) as http:
        response = await ApiClient(http, organization).post("/v1/connections", new_connection())
        a_problem(response, 422, "LOOPBACK_NOT_ALLOWED")
        body = new_connection(settings={})
        assert (await ApiClient(http, organization).post("/v1/connections", body)).status_code == 201


async def test_credentials_are_never_sent_to_a_strange_host(
    api: ApiClient, settings: Settings, fake_temporal: FakeTemporal
) -> None:
    """The real connector refuses hosts that are not the vendor's before it opens a connection."""
    app = create_app(settings.model_copy(update={"allow_loopback": False}), temporal=fake_temporal)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://posync") as http:
            for endpoint in ("https://intacct.com.example.org/ia", "http://127.0.0.1:1/ia", "http://169.254.169.254/"):
                body = new_connection(settings={}, endpoint=endpoint)
                response = await ApiClient(http, api.organization).post("/v1/connections", body)
                assert response.status_code == 422, response.text
                assert response.headers["content-type"] == "application/problem+json"
                assert response.json()["fix"]
