"""An accountant's console over a client that syncs with NetSuite: 3-way matching on, and off again."""

import asyncio
import json
import secrets
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from models.domain import OrganizationId
from models.store import clients, organizations
from models.store.database import Database
from settings import Settings
from tests.whole.company import Company
from tests.whole.desk import Desk, refused
from tests.whole.serving import served


async def managed(settings: Settings, desk: Desk) -> str:
    """Make the desk's organization a client of a new console; the console's administrator key."""
    database = Database(settings.database_url, pool_size=1)
    async with database.transaction() as session:
        client = await organizations.find_api_key(session, desk.keys["admin"])
        assert client is not None
        console = await organizations.create_organization(session, f"Accountants {secrets.token_hex(3)}")
        assert await clients.link(session, OrganizationId(client.organization_id), console)
        key = await organizations.create_api_key(session, console, "admin", "partner")
    await database.close()
    return key


async def test_a_console_switches_three_way_for_its_client(
    desk: Desk,
    company: Company,
    whole_settings: Settings,
    temporal_address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S4-05, S4-06, S4-44..47: orders first. On, orders get their 3-way status and a waiting bill is matched again, by
    receipts too; off, both go back, and the bill goes on. The client sees who it was."""
    company.switch(bill_in_advance=True)
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "4"}])
    company.order("PO-2", "10")
    await desk.start()
    key = await managed(whole_settings, desk)
    auth = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    (client,) = (await desk.http.get("/v1/console/clients", headers=auth)).json()["items"]
    (link,) = client["connections"]
    assert (link["id"], link["match_mode"], link["three_way_refused"]) == (desk.connection_id, "two_way", None)
    path = f"/v1/console/clients/{client['id']}/connections/{link['id']}"

    async def switch(**change: object) -> None:
        answer = await desk.http.patch(path, json=change, headers=auth)
        assert answer.status_code == 200, answer.text

    own = f"/v1/connections/{desk.connection_id}/purchase-orders"
    refused(await desk.put(own, {"enabled": True, "match_mode": "three_way"}), 403, "MANAGED_BY_ACCOUNTANT")
    await switch(purchase_orders_enabled=False)
    assert await desk.numbers() == set()
    answer = await desk.http.patch(path, json={"match_mode": "three_way"}, headers=auth)
    refused(answer, 409, "PO_FEATURE_OFF")
    await switch(purchase_orders_enabled=True)
    assert await desk.numbers() == {"PO-1", "PO-2"}

    await desk.billed("PO-1", {1: "4"})
    await desk.bill("PO-2", {1: "3"})
    alike = await desk.enter("PO-2", {1: "3"}, acknowledge=[])
    bill_id = alike.json()["bill"]["id"]

    async def waits_for(*codes: str) -> dict[str, str]:
        """The bill waits for just these findings to be acknowledged; their ids by code."""

        async def so() -> dict[str, str]:
            needs = (await desk.get(f"/v1/bills/{bill_id}/match"))["needs"]["acknowledge"]
            found = {finding["code"]: finding["id"] for finding in needs}
            return found if set(found) == set(codes) else {}

        found: dict[str, str] = await desk.until(so, f"{bill_id} waits for {codes}")
        return found

    await waits_for("DUPLICATE_SUSPECT")
    partly = await desk.order("PO-1")
    assert (partly["erp_status"], partly["matching_status"]) == ("Partially Received", "partially_billed")
    await switch(match_mode="three_way")
    assert (await desk.order("PO-1"))["matching_status"] == "active"
    findings = await waits_for("DUPLICATE_SUSPECT", "BILLED_BEYOND_RECEIVED")  # matched again, nothing of it received
    word = {"findings": [findings["DUPLICATE_SUSPECT"]]}
    answer = await desk.post(f"/v1/bills/{bill_id}/acknowledgements", word, role="clerk")
    assert answer.json()["status"] == "awaiting_acknowledgement", answer.text

    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)

    def typed(*words: str) -> Any:
        with served(whole_settings) as url:
            env = {"POSYNC_API_URL": url, "POSYNC_API_KEY": key}
            done = CliRunner().invoke(app, ["clients", *words, "--json"], env=env, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    switched = await asyncio.to_thread(typed, "three-way", "off", client["name"])
    assert (switched["id"], switched["match_mode"]) == (link["id"], "two_way")
    assert (await desk.order("PO-1"))["matching_status"] == "partially_billed"
    await desk.arrived(bill_id)  # in 2-way nothing is left to acknowledge
    assert len(company.held("bills")) == 3
    told = [notice for notice in await desk.items("/v1/notices") if notice["code"] == "SWITCHED_BY_ACCOUNTANT"]
    assert [notice["message"].split(": ")[1] for notice in reversed(told)] == [
        "purchase orders off, 2-way matching.",
        "purchase orders on, 2-way matching.",
        "purchase orders on, 3-way matching.",
        "purchase orders on, 2-way matching.",
    ]
    assert await desk.issues() == []
