"""An accountant's console over a client that syncs with NetSuite: 3-way matching on, and off again."""

import asyncio
import json
import secrets
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from models.domain.ids import OrganizationId
from models.store.base.database import Database
from models.store.connections import clients, organizations
from settings import Settings
from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.serving import (
    served,
)
from tests.harness.stack_client import (
    StackClient,
    refused,
)


async def managed(settings: Settings, api: StackClient) -> str:
    """Make the organization a client of a new console; the console's administrator key."""
    database = Database(settings.database_url, pool_size=1)
    async with database.transaction() as session:
        client = await organizations.find_api_key(session, api.keys["admin"])
        assert client is not None
        console = await organizations.create_organization(session, f"Accountants {secrets.token_hex(3)}")
        assert await clients.link(session, OrganizationId(client.organization_id), console)
        key = await organizations.create_api_key(session, console, "admin", "partner")
    await database.close()
    return key


async def test_a_console_switches_three_way_for_its_client(
    api: StackClient,
    company: SandboxCompany,
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
    await api.start()
    key = await managed(whole_settings, api)
    auth = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    (client,) = (await api.http.get("/v1/console/clients", headers=auth)).json()["items"]
    (link,) = client["connections"]
    assert (link["id"], link["match_mode"], link["three_way_refused"]) == (api.connection_id, "two_way", None)
    path = f"/v1/console/clients/{client['id']}/connections/{link['id']}"

    async def switch(**change: object) -> None:
        answer = await api.http.patch(path, json=change, headers=auth)
        assert answer.status_code == 200, answer.text

    own = f"/v1/connections/{api.connection_id}/purchase-orders"
    refused(await api.put(own, {"enabled": True, "match_mode": "three_way"}), 403, "MANAGED_BY_ACCOUNTANT")
    await switch(purchase_orders_enabled=False)
    assert await api.numbers() == set()
    answer = await api.http.patch(path, json={"match_mode": "three_way"}, headers=auth)
    refused(answer, 409, "PO_FEATURE_OFF")
    await switch(purchase_orders_enabled=True)
    assert await api.numbers() == {"PO-1", "PO-2"}

    await api.billed("PO-1", {1: "4"})
    await api.bill("PO-2", {1: "3"})
    alike = await api.enter("PO-2", {1: "3"}, acknowledge=[])
    bill_id = alike.json()["bill"]["id"]

    async def waits_for(*codes: str) -> dict[str, str]:
        """The bill waits for just these findings to be acknowledged; their ids by code."""

        async def so() -> dict[str, str]:
            needs = (await api.get(f"/v1/bills/{bill_id}/match"))["needs"]["acknowledge"]
            found = {finding["code"]: finding["id"] for finding in needs}
            return found if set(found) == set(codes) else {}

        found: dict[str, str] = await api.until(so, f"{bill_id} waits for {codes}")
        return found

    await waits_for("DUPLICATE_SUSPECT")
    partly = await api.order("PO-1")
    assert (partly["erp_status"], partly["matching_status"]) == ("Partially Received", "partially_billed")
    await switch(match_mode="three_way")
    assert (await api.order("PO-1"))["matching_status"] == "active"
    findings = await waits_for("DUPLICATE_SUSPECT", "BILLED_BEYOND_RECEIVED")  # matched again, nothing of it received
    word = {"findings": [findings["DUPLICATE_SUSPECT"]]}
    answer = await api.post(f"/v1/bills/{bill_id}/acknowledgements", word, role="clerk")
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
    assert (await api.order("PO-1"))["matching_status"] == "partially_billed"
    await api.arrived(bill_id)  # in 2-way nothing is left to acknowledge
    assert len(company.held("bills")) == 3
    told = [notice for notice in await api.items("/v1/notices") if notice["code"] == "SWITCHED_BY_ACCOUNTANT"]
    assert [notice["message"].split(": ")[1] for notice in reversed(told)] == [
        "purchase orders off, 2-way matching.",
        "purchase orders on, 2-way matching.",
        "purchase orders on, 3-way matching.",
        "purchase orders on, 2-way matching.",
    ]
    assert await api.issues() == []
