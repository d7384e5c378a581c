"""A tenant cannot make the API call machines on our own network."""

from dataclasses import replace

from settings import Settings
from tests.api.desk import Office, Organization, StandInTemporal, a_problem, new_connection, served


async def test_a_loopback_connection_is_refused_unless_the_operator_allows_it(
    office: Office, settings: Settings, temporal_stand_in: StandInTemporal
) -> None:
    organization: Organization = office.organization
    async with served(replace(settings, allow_loopback=False), temporal_stand_in) as http:
        response = await Office(http, organization).post("/v1/connections", new_connection())
        a_problem(response, 422, "LOOPBACK_NOT_ALLOWED")
        body = new_connection(settings={})
        assert (await Office(http, organization).post("/v1/connections", body)).status_code == 201
