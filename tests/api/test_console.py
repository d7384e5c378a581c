"""An accountant's console over its clients: what it sees, what it switches, and what stays closed to it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus
from models.store.audit import events
from models.store.base.database import Database
from models.store.connections import clients, organizations
from tests.fakes.fake_erp import CAPABILITIES, FakeErp
from tests.harness.api_client import (
    ApiClient,
    Organization,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
)

CLIENTS = "/v1/console/clients"
THREE_WAY = {"match_mode": "three_way"}


@pytest.fixture
async def console(
    api: ApiClient,
    http: httpx.AsyncClient,
    make_organization: Callable[[], Awaitable[Organization]],
    database: Database,
) -> ApiClient:
    """An accountant's console; `api` is its client."""
    created = ApiClient(http, await make_organization())
    await link(database, api, created)
    return created


async def link(database: Database, client: ApiClient, console: ApiClient) -> None:
    async with database.transaction() as session:
        assert await clients.link(session, client.organization.id, console.organization.id)


def at(client: ApiClient, connection_id: str) -> str:
    return f"{CLIENTS}/{client.organization.id}/connections/{connection_id}"


async def listed(console: ApiClient) -> dict[str, Any]:
    """The console's only client."""
    [client] = (await console.get(CLIENTS)).json()["items"]
    return client


async def name_of(database: Database, api: ApiClient) -> str:
    """What an organization is called."""
    async with database.transaction() as session:
        return await organizations.name_of(session, api.organization.id)


async def test_a_console_sees_names_connections_and_switches(console: ApiClient, api: ApiClient) -> None:
    """S4-05, S4-44: listed with what can be switched, 2-way at first; nothing a client syncs or signs in with."""
    connection_id = await connected(api)
    client = await listed(console)
    assert client == {
        "id": api.organization.id,
        "name": client["name"],
        "connections": [
            {
                "id": connection_id,
                "erp": "intacct",
                "name": "Acme",
                "state": "ready",
                "purchase_orders_enabled": True,
                "match_mode": "two_way",
                "three_way_refused": None,
                "version": client["connections"][0]["version"],
            }
        ],
    }
    read = await console.get(at(api, connection_id))
    assert read.json() == client["connections"][0]
    assert read.headers["etag"].startswith(f'"{read.json()["version"]}-')


async def test_clients_come_page_by_page_and_without_connections_too(
    console: ApiClient,
    api: ApiClient,
    make_organization: Callable[[], Awaitable[Organization]],
    database: Database,
) -> None:
    others = [ApiClient(console.http, await make_organization()) for _ in range(3)]
    for other in others[:2]:
        await link(database, other, console)
    first = (await console.get(CLIENTS, limit=2)).json()
    rest = (await console.get(CLIENTS, limit=2, cursor=first["next_cursor"])).json()
    names = [client["name"] for client in first["items"] + rest["items"]]
    assert (names, rest["next_cursor"]) == (sorted(names), None)
    ids = {client["id"] for client in first["items"] + rest["items"]}
    assert ids == {api.organization.id, *(other.organization.id for other in others[:2])}
    assert all(client["connections"] == [] for client in first["items"])
    a_problem(await console.get(CLIENTS, cursor="nonsense"), 400, "INVALID_CURSOR")


async def test_it_switches_three_way_on_and_off(console: ApiClient, api: ApiClient, database: Database) -> None:
    """S4-45, S4-47, G4: every order gets the status of the mode; the client sees that it was its accountant."""
    connection_id = await connected(api)
    order_id = await mirrored(
        database, connection_id, an_order("PO-1", erp_status="Converted"), PoStatus.FILLED, MatchingStatus.CLOSED
    )
    on = await console.patch(at(api, connection_id), THREE_WAY)
    assert (on.status_code, on.json()["match_mode"]) == (200, "three_way")
    assert (await api.get(f"/v1/purchase-orders/{order_id}")).json()["matching_status"] == "active"
    assert (await api.get(f"/v1/connections/{connection_id}")).json()["match_mode"] == "three_way"
    off = await console.patch(at(api, connection_id), {"match_mode": "two_way"})
    assert (off.json()["match_mode"], off.json()["purchase_orders_enabled"]) == ("two_way", True)
    assert (await api.get(f"/v1/purchase-orders/{order_id}")).json()["matching_status"] == "closed"
    await console.patch(at(api, connection_id), {"match_mode": "two_way"})  # nothing is switched, nothing is told

    async with database.transaction() as session:
        happened = await events.for_subject(session, api.organization.id, "connection", connection_id)
        [three] = [row for row in happened if row.after == {"purchase_orders_enabled": True, "match_mode": "three_way"}]
    assert [row.after["match_mode"] for row in happened if row.after] == ["three_way", "two_way"]
    assert three.before == {"purchase_orders_enabled": True, "match_mode": "two_way"}
    accountant = await name_of(database, console)
    assert three.actor.startswith("admin (key_")
    assert three.actor.endswith(f") of {accountant}, the accountant's console")
    told = (await api.get("/v1/notices", connection=connection_id)).json()["items"]
    assert [(notice["code"], notice["message"]) for notice in told] == [
        ("SWITCHED_BY_ACCOUNTANT", f"Your accountant {accountant} has set: purchase orders on, {mode} matching.")
        for mode in ("2-way", "3-way")
    ]
    assert (await console.get("/v1/notices")).json()["items"] == []


async def test_a_bill_that_waits_is_matched_again(console: ApiClient, api: ApiClient, database: Database) -> None:
    """S4-45, S4-47: what 3-way warns about is nothing to wait for in 2-way."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    await console.patch(at(api, connection_id), THREE_WAY)
    bill_id = await billed(api, order_id)
    assert (await api.get(f"/v1/bills/{bill_id}")).json()["status"] == "awaiting_acknowledgement"
    await console.patch(at(api, connection_id), {"match_mode": "two_way"})
    assert (await api.get(f"/v1/bills/{bill_id}")).json()["status"] == "pending_push"


async def test_purchase_orders_are_enabled_first(console: ApiClient, api: ApiClient) -> None:
    """S4-05, S4-46, S4-17: 3-way of a client without purchase orders is refused with what to do."""
    connection_id = await connected(api)
    path = at(api, connection_id)
    off = await console.patch(path, {"purchase_orders_enabled": False})
    assert off.json()["purchase_orders_enabled"] is False
    assert off.json()["three_way_refused"]["code"] == "PO_FEATURE_OFF"
    refused = a_problem(await console.patch(path, THREE_WAY), 409, "PO_FEATURE_OFF")
    assert refused["fix"] == ["Switch purchase orders on first, or in the same request."]
    a_problem(await console.patch(path, {"purchase_orders_enabled": False, **THREE_WAY}), 409, "PO_FEATURE_OFF")
    on = await console.patch(path, {"purchase_orders_enabled": True, **THREE_WAY})
    assert (on.json()["purchase_orders_enabled"], on.json()["match_mode"]) == (True, "three_way")
    assert (await console.patch(path, {"purchase_orders_enabled": False})).status_code == 200
    back = await console.patch(path, {"match_mode": "two_way"})  # the way back is open, whatever is off
    assert (back.json()["purchase_orders_enabled"], back.json()["match_mode"]) == (False, "two_way")


async def test_three_way_where_the_erp_offers_it(console: ApiClient, api: ApiClient, erp: FakeErp) -> None:
    """S4-44, S4-08, G5: the list says before it is tried, and why."""
    erp.capabilities = CAPABILITIES.model_copy(update={"match_modes": (MatchMode.TWO_WAY,)})
    connection_id = await connected(api)
    refused = (await listed(console))["connections"][0]["three_way_refused"]
    problem = a_problem(await console.patch(at(api, connection_id), THREE_WAY), 422, "MATCH_MODE_NOT_OFFERED")
    assert refused == {"code": "MATCH_MODE_NOT_OFFERED", "message": problem["detail"]}
    assert problem["detail"] == "intacct offers 2-way matching here, not 3-way."


async def test_an_edit_names_its_version_and_what_it_does_not_name_stays(console: ApiClient, api: ApiClient) -> None:
    connection_id = await connected(api)
    path = at(api, connection_id)
    tag = (await console.get(path)).headers["etag"]
    assert (await console.patch(path, THREE_WAY, if_match=tag)).headers["etag"] != tag
    a_problem(await console.patch(path, {"match_mode": "two_way"}, if_match=tag), 412, "PRECONDITION_FAILED")
    assert (await console.patch(path, {})).json()["match_mode"] == "three_way"
    a_problem(await console.patch(path, {"match_mod": "two_way"}), 422, "VALIDATION_FAILED")


async def test_only_a_console_s_administrator(
    console: ApiClient, api: ApiClient, other_api: ApiClient, database: Database
) -> None:
    """S4-05: the console's administrator; of its own clients, and of nobody else's."""
    connection_id = await connected(api)
    path = at(api, connection_id)
    for role in ("viewer", "clerk", "accountant"):
        a_problem(await console.as_(role).get(CLIENTS), 403, "ROLE_TOO_LOW")
        a_problem(await console.as_(role).patch(path, THREE_WAY), 403, "ROLE_TOO_LOW")
    for outsider in (api, other_api):
        a_problem(await outsider.get(CLIENTS), 403, "NOT_A_CONSOLE")
        a_problem(await outsider.get(path), 403, "NOT_A_CONSOLE")
        a_problem(await outsider.patch(path, THREE_WAY), 403, "NOT_A_CONSOLE")
    theirs = await connected(other_api)
    a_problem(await console.patch(at(other_api, theirs), THREE_WAY), 404, "NOT_FOUND")
    a_problem(await console.get(at(other_api, theirs)), 404, "NOT_FOUND")
    a_problem(await console.patch(at(api, theirs), THREE_WAY), 404, "NOT_FOUND")
    own = await connected(console)
    a_problem(await console.get(at(api, own)), 404, "NOT_FOUND")
    async with database.transaction() as session:
        assert await clients.unlink(session, api.organization.id) == console.organization.id
    a_problem(await console.get(path), 403, "NOT_A_CONSOLE")
    assert (await api.get(f"/v1/connections/{connection_id}")).json()["match_mode"] == "two_way"


async def test_a_console_sees_nothing_else_of_its_clients(
    console: ApiClient, api: ApiClient, database: Database
) -> None:
    """DESIGN section 8: no object is visible across organizations; a console is no exception but for the switches."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    bill_id = await billed(api, order_id)
    for path in (f"/v1/connections/{connection_id}", f"/v1/purchase-orders/{order_id}", f"/v1/bills/{bill_id}"):
        a_problem(await console.get(path), 404, "NOT_FOUND")
    for path in ("/v1/connections", "/v1/purchase-orders", "/v1/bills", "/v1/sync-issues", "/v1/notices"):
        assert (await console.get(path)).json()["items"] == [], path
    a_problem(
        await console.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": False}), 404, "NOT_FOUND"
    )


async def test_a_client_asks_its_accountant(console: ApiClient, api: ApiClient, database: Database) -> None:
    """S4-06: while an accountant manages it, the client's own administrator is told whom to ask; after that, not."""
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    refused = a_problem(await api.put(path, {"enabled": True, **THREE_WAY}), 403, "MANAGED_BY_ACCOUNTANT")
    assert refused["detail"].startswith(await name_of(database, console))
    assert refused["who"] == "accountant"
    assert (await api.get(f"/v1/connections/{connection_id}")).json()["match_mode"] == "two_way"
    async with database.transaction() as session:
        await clients.unlink(session, api.organization.id)
    assert (await api.put(path, {"enabled": True, **THREE_WAY})).json()["match_mode"] == "three_way"
    own = await connected(console)
    path = f"/v1/connections/{own}/purchase-orders"
    assert (await console.put(path, {"enabled": True, **THREE_WAY})).json()["match_mode"] == "three_way"


async def test_a_connection_of_one_s_own_needs_purchase_orders_too(api: ApiClient, database: Database) -> None:
    """S4-17, S4-42: the same refusal, and the same event with who did it."""
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    a_problem(await api.put(path, {"enabled": False, **THREE_WAY}), 409, "PO_FEATURE_OFF")
    await api.put(path, {"enabled": True, **THREE_WAY})
    await api.put(path, {"enabled": False})
    async with database.transaction() as session:
        happened = await events.for_subject(session, api.organization.id, "connection", connection_id)
    assert [row.after for row in happened] == [
        {"purchase_orders_enabled": True, "match_mode": "three_way"},
        {"purchase_orders_enabled": False, "match_mode": "three_way"},
    ]
    assert all(row.actor.startswith("admin (key_") for row in happened)
    assert (await api.get("/v1/notices")).json()["items"] == []
