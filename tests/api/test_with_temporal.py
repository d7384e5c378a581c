"""What the API says to a real Temporal server: starts, updates, queries, schedules; and without a worker."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.mirror import MirrorActivities
from api import durable
from models.domain import ConnectionId, Erp
from models.store.database import Database
from settings import Settings
from tests.api.desk import Office, a_problem, an_order, connected, mirrored, served
from worker import sandboxed_runner
from workflows.bill import BillWorkflow
from workflows.contract import TASK_QUEUE, sync_schedule_id
from workflows.purchase_order import PurchaseOrderWorkflow


@pytest.fixture
async def front(settings: Settings, temporal: Client, office: Office, erp: object) -> AsyncIterator[Office]:
    """The same organization's desk, at an API that talks to the real server."""
    async with served(settings, temporal) as http:
        yield Office(http, office.organization)


async def test_ready_when_database_and_temporal_answer(front: Office) -> None:
    """No key is needed for either."""
    assert (await front.http.get("/healthz")).json() == {"status": "ok"}
    ready = await front.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "database": "ok", "temporal": "ok"})


async def test_not_ready_without_them(settings: Settings, erp: object) -> None:
    nowhere = await Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True)
    dead = Settings("postgresql://nobody:x@127.0.0.1:1/nothing", settings.credential_keys)
    async with served(dead, nowhere) as http:
        ready = await http.get("/readyz")
        assert ready.status_code == 503
        assert "ok" not in (ready.json()["database"], ready.json()["temporal"])
        assert (await http.get("/healthz")).status_code == 200
        key = {"Authorization": "Bearer psk_x"}
        a_problem(await http.get("/v1/connections", headers=key), 503, "DATABASE_UNAVAILABLE")


async def test_without_temporal_reads_go_on_and_writes_can_be_repeated(
    settings: Settings, office: Office, database: Database
) -> None:
    """The API starts without Temporal; what needs it says so, and the mirror is shown all the same."""
    connection_id = await connected(office)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    nowhere = await Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True)
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    async with served(settings, nowhere) as http:
        cut_off = Office(http, office.organization)
        path = f"/v1/purchase-orders/{order_id}/bills"
        a_problem(await cut_off.post(path, body, key="later"), 503, "TEMPORAL_UNAVAILABLE")
        a_problem(await cut_off.post(f"/v1/connections/{connection_id}/sync"), 503, "TEMPORAL_UNAVAILABLE")
        response = await cut_off.put(f"/v1/connections/{connection_id}/schedule", {"every_minutes": 60})
        a_problem(response, 503, "TEMPORAL_UNAVAILABLE")
        shown = await cut_off.get(f"/v1/purchase-orders/{order_id}")
        assert (shown.status_code, shown.json()["live"]) == (200, None)
    assert (await office.post(path, body, key="later")).status_code == 201


async def test_without_a_worker_a_bill_waits_and_the_same_key_takes_it_up(
    front: Office, office: Office, temporal: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost caller loses nothing: the request is claimed, and repeating it gives the answer once a worker is there."""
    connection_id = await connected(office)  # through the stand-in: no sync waits on the shared server
    order = an_order("PO-1")
    order_id = await mirrored(database, connection_id, order)
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    path = f"/v1/purchase-orders/{order_id}/bills"
    monkeypatch.setattr(durable, "WORK_TIMEOUT", timedelta(seconds=1))
    response = await front.post(path, body, key="once")
    a_problem(response, 503, "WORKER_UNAVAILABLE")
    assert response.headers["retry-after"]
    before = time.monotonic()
    shown = await front.get(f"/v1/purchase-orders/{order_id}")
    assert (shown.status_code, shown.json()["live"]) == (200, None)
    assert time.monotonic() - before < 5
    monkeypatch.setattr(durable, "WORK_TIMEOUT", timedelta(seconds=30))
    mirror = MirrorActivities(database)
    async with Worker(
        temporal,
        task_queue=TASK_QUEUE,
        workflows=[PurchaseOrderWorkflow, BillWorkflow],
        activities=[mirror.create_bill, mirror.schedule_payment, mirror.open_issue],
        workflow_runner=sandboxed_runner(),
    ):
        first = await front.post(path, body, key="once")
        assert first.status_code == 201, first.text
        answers = await asyncio.gather(*(front.post(path, body, key="once") for _ in range(3)))
        assert {answer.text for answer in answers} == {first.text}
        blocked = {**body, "number": "INV-2", "lines": [{"order_line_no": 1, "quantity": "7"}]}
        a_problem(await front.post(path, blocked), 422, "MATCH_BLOCKED")
        live = (await front.get(f"/v1/purchase-orders/{order_id}")).json()["live"]
        assert [bill["number"] for bill in live["bills"]] == ["INV-1"]
        bill_id = first.json()["bill"]["id"]
        paid = await front.post(f"/v1/bills/{bill_id}/payments", {"amount": "10.00", "pay_on": "2027-01-01"})
        assert paid.status_code == 201, paid.text
    described = await temporal.get_workflow_handle(f"po/{connection_id}/{order.erp_id}").describe()
    assert await described.static_summary() == "Purchase order PO-1 · Vendor One"
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert {name: value for name, value in attributes.items() if name.startswith("Posync")} == {
        "PosyncConnection": connection_id,
        "PosyncErp": "intacct",
        "PosyncPoNumber": "PO-1",
        "PosyncVendor": "Vendor One",
        "PosyncStatus": "unfilled",
    }
    assert len((await front.get("/v1/bills")).json()["items"]) == 1
    for workflow_id in (f"po/{connection_id}/{order.erp_id}", f"bill/{bill_id}"):
        await temporal.get_workflow_handle(workflow_id).terminate()


async def test_sync_now_finds_the_run_that_is_under_way(front: Office, temporal: Client) -> None:
    """S2-57."""
    connection_id = await connected(front)
    first = await front.post(f"/v1/connections/{connection_id}/sync")
    assert (first.status_code, first.json()["already_running"]) == (200, True)  # the one that connecting started
    handle = temporal.get_workflow_handle(f"sync/{connection_id}")
    assert (await handle.describe()).run_id == first.json()["workflow_run_id"]
    await handle.terminate()
    second = await front.post(f"/v1/connections/{connection_id}/sync")
    assert (second.status_code, second.json()["already_running"]) == (202, False)
    assert second.json()["sync_run_id"] != first.json()["sync_run_id"]
    await handle.terminate()


async def test_a_schedule_is_kept_by_temporal(temporal: Client) -> None:
    """S2-56."""
    connection_id = ConnectionId("intacct-scheduled-100")
    for minutes in (60, 30):
        await durable.set_schedule(temporal, connection_id, Erp.INTACCT, timedelta(minutes=minutes))
        description = await temporal.get_schedule_handle(sync_schedule_id(connection_id)).describe()
        assert description.schedule.spec.intervals[0].every == timedelta(minutes=minutes)
    await durable.set_schedule(temporal, connection_id, Erp.INTACCT, None)
    await durable.set_schedule(temporal, connection_id, Erp.INTACCT, None)
    remaining = [entry.id async for entry in await temporal.list_schedules()]
    assert sync_schedule_id(connection_id) not in remaining
