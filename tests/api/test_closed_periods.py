"""How far the books are closed, as an administrator sees and sets it (H07)."""

from datetime import date

import pytest

from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.store.base.database import Database
from models.store.connections import closed_periods
from models.store.sync import list_entries
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    connected,
)


async def test_the_later_of_the_erp_s_day_and_an_administrator_s_counts(api: ApiClient, database: Database) -> None:
    """What the ERP has closed stays closed, whatever is set here."""
    path = f"/v1/connections/{await connected(api)}/closed-periods"
    async with database.transaction() as s:
        await closed_periods.take_in(s, ConnectionId(path.split("/")[3]), {"100": date(2026, 2, 28)})
    closed = await api.put(path, {"entity": "100", "closed_through": "2026-03-31", "why": "quarter end"})
    assert closed.status_code == 200, closed.text
    assert closed.json()["closed_through"] == "2026-03-31"
    whole = await api.put(path, {"closed_through": "2025-12-31"}, if_match='"0"')
    assert (whole.json()["entity"], whole.headers["etag"]) == (None, '"1"')
    opened = await api.put(path, {"entity": "100", "closed_through": None})
    assert opened.json()["closed_through"] == "2026-02-28"
    listed = (await api.get(path)).json()["items"]
    assert [(row["entity"], row["closed_through"], row["set_by"] is not None) for row in listed] == [
        (None, "2025-12-31", True),
        ("100", "2026-02-28", True),
    ]


async def test_two_administrators_do_not_overwrite_each_other(api: ApiClient) -> None:
    path = f"/v1/connections/{await connected(api)}/closed-periods"
    first = await api.put(path, {"entity": "100", "closed_through": "2026-03-31"}, if_match='"0"')
    assert first.status_code == 200
    a_problem(
        await api.put(path, {"entity": "100", "closed_through": None}, if_match='"0"'), 412, "PRECONDITION_FAILED"
    )


async def test_a_misspelt_entity_closes_nothing(api: ApiClient, database: Database) -> None:
    """It would be nobody's date; a company whose entities are not known takes any."""
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}/closed-periods"
    entity = ListEntry(kind=ListKind.ENTITY, erp_id=ErpId("1"), key="100", name="United States")
    async with database.transaction() as s:
        await list_entries.upsert(s, ConnectionId(connection_id), [entity])
    problem = a_problem(await api.put(path, {"entity": "1000", "closed_through": "2026-03-31"}), 422, "ENTITY_UNKNOWN")
    assert "100" in problem["detail"]
    assert (await api.put(path, {"entity": "100", "closed_through": "2026-03-31"})).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "clerk", "accountant"])
async def test_only_administrators_close_books(api: ApiClient, role: str) -> None:
    path = f"/v1/connections/{await connected(api)}/closed-periods"
    refused = await api.as_(role).put(path, {"entity": "100", "closed_through": "2026-03-31"})
    a_problem(refused, 403, "ROLE_TOO_LOW")
    assert (await api.as_(role).get(path)).json() == {"items": []}


async def test_another_organization_s_books_are_not_there(api: ApiClient, other_api: ApiClient) -> None:
    path = f"/v1/connections/{await connected(api)}/closed-periods"
    a_problem(await other_api.get(path), 404, "NOT_FOUND")
    a_problem(await other_api.put(path, {"closed_through": "2026-03-31"}), 404, "NOT_FOUND")
