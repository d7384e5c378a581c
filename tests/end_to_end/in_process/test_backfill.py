"""Backfills: older orders come in whenever somebody asks, beside the syncs."""

from datetime import timedelta
from typing import Any

import pytest

from models.store.sync import backfills
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


async def backfilled(api: StackClient, **wanted: Any) -> dict[str, Any]:
    """Ask for a backfill, and wait for its end."""
    asked = await api.post(f"/v1/connections/{api.connection_id}/backfills", wanted, role="accountant")
    assert asked.status_code == 202, asked.text
    path = f"/v1/backfills/{asked.json()['id']}"

    async def is_over() -> Any:
        shown = await api.get(path)
        return shown if shown["state"] != "running" else None

    return dict(await api.until(is_over, "the end of the backfill"))


async def test_older_orders_come_in_by_date_vendor_and_number(api: StackClient, company: SandboxCompany) -> None:
    """S1-13: long after the connection was made; closed ones stay out, and what is not there is named."""
    company.order("PO-1")
    company.orders("PO-OLD-1", "PO-OLD-2", days_ago=400)
    company.order("PO-OLD-3", days_ago=500, vendor_id="V-2", vendor_name="Vendor Two")
    company.order("PO-OLDER", days_ago=900)
    company.order("PO-CLOSED", days_ago=410, status="Closed")
    await api.start()
    assert await api.numbers() == {"PO-1"}
    path = f"/v1/connections/{api.connection_id}/backfills"
    refused(await api.post(path, {"numbers": ["PO-OLD-1"]}, role="clerk"), 403, "ROLE_TOO_LOW")
    refused(await api.post(path, {}), 422, "VALIDATION_FAILED")

    done = await backfilled(api, numbers=["po old-2", "PO-CLOSED", "PO-NOWHERE"])
    assert (done["state"], done["not_seen"], done["counts"]["changed"]) == ("completed", ["PO-NOWHERE"], 1)
    assert await api.numbers() == {"PO-1", "PO-OLD-2"}
    assert (await api.skipped())["PO-CLOSED"] == "ALREADY_FINISHED"

    first = (await api.order("PO-1"))["ordered_on"]
    done = await backfilled(api, vendor_id="V-2")
    assert done["counts"]["wanted"] == 1
    assert await api.numbers() == {"PO-1", "PO-OLD-2", "PO-OLD-3"}
    await backfilled(api, ordered_from=f"{int(first[:4]) - 2}-{first[5:7]}-01")
    assert await api.numbers() == {"PO-1", "PO-OLD-1", "PO-OLD-2", "PO-OLD-3"}
    # It is an order like any other.
    await api.billed("PO-OLD-1", {1: "10"})


async def test_it_goes_on_through_an_outage_and_counts_each_page_once(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-13: page by page; an answer that is lost or refused for a while is asked for again."""
    company.orders(*(f"PO-{number}" for number in range(1, 8)), days_ago=400)
    await api.start(settings={"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 5, "page_size": 3})
    assert await api.numbers() == set()
    company.breaks("unavailable", "query", times=3)
    done = await backfilled(api, numbers=[f"PO-{number}" for number in range(1, 8)])
    assert (done["state"], done["not_seen"]) == ("completed", [])
    assert (done["pages"] >= 3, done["counts"]["wanted"], done["counts"]["changed"]) == (True, 7, 7)
    assert len(await api.numbers()) == 7


async def test_one_that_an_operator_ended_is_gone_on_with_by_the_next_sync(
    api: StackClient, company: SandboxCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B11: it was `running` for ever. It goes on behind the pages that it has."""
    monkeypatch.setattr(backfills, "STARTED_BY_NOW", timedelta(0))
    numbers = [f"PO-{number}" for number in range(1, 8)]
    company.orders(*numbers, days_ago=400)
    await api.start(settings={"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 5, "page_size": 3})
    company.breaks("unavailable", "query", times=None)
    asked = await api.post(f"/v1/connections/{api.connection_id}/backfills", {"numbers": numbers}, role="accountant")
    backfill_id = asked.json()["id"]

    async def runs() -> list[str]:
        return [one for one in await api.running() if one.startswith("backfill/")]

    (workflow_id,) = await api.until(runs, "its workflow runs")
    await api.temporal.get_workflow_handle(workflow_id).terminate("by mistake")
    company.mend()
    await api.sync()

    async def is_over() -> Any:
        shown = await api.get(f"/v1/backfills/{backfill_id}")
        return shown if shown["state"] != "running" else None

    done = await api.until(is_over, "the end of the backfill")
    assert (done["state"], done["not_seen"], done["counts"]["changed"]) == ("completed", [], 7)
    assert len(await api.numbers()) == 7


async def test_a_sync_goes_before_a_backfill_and_leaves_its_orders(api: StackClient, company: SandboxCompany) -> None:
    """S1-13: what is new is there as soon as ever, and the backfill goes on behind it."""
    old = [f"PO-OLD-{number}" for number in range(1, 10)]
    company.orders(*old, days_ago=400)
    await api.start(settings={"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 5, "page_size": 3})
    company.breaks("slow", "query", times=None, seconds=0.4)
    asked = await api.post(f"/v1/connections/{api.connection_id}/backfills", {"numbers": old}, role="accountant")
    path = f"/v1/backfills/{asked.json()['id']}"

    async def has_begun() -> bool:
        return bool((await api.get(path))["pages"] > 0)

    await api.until(has_begun, "the first page of the backfill")
    company.order("PO-NEW")
    company.does("edit_purchase_order", number="PO-NEW")
    run = await api.sync()
    assert (await api.get(path))["state"] == "running"
    assert run["counts"]["notified"] == 1, run["counts"]
    assert "PO-NEW" in await api.numbers()
    company.mend()

    async def is_over() -> bool:
        return bool((await api.get(path))["state"] == "completed")

    await api.until(is_over, "the end of the backfill")
    assert await api.numbers() == {"PO-NEW", *old}

    async def all_run() -> bool:
        query = f"PosyncConnection = '{api.connection_id}' and WorkflowType = 'PurchaseOrderWorkflow'"
        return len([one async for one in api.temporal.list_workflows(query)]) == 10

    await api.until(all_run, "a workflow of each order")
    await api.billed("PO-OLD-9", {1: "1"})
