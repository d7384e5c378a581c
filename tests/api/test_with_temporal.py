"""What the API says to a real Temporal server: starts, signals, queries, schedules; and without a worker."""

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.database import MirrorActivities
from api.http import health
from models.contract import TASK_QUEUE, bill_workflow_id, sync_schedule_id
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.messages.bills import BillState, OpenPayment
from models.messages.outbox import ScheduleToSet
from models.store.base import workers
from models.store.base.database import Database
from models.store.sync import sync_runs
from services.outbox.delivery import OutboxDelivery
from services.sign_of_life import keep_giving
from settings import Settings
from temporal_gateway import gateway, pollers
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    connected,
    make_due,
    mirrored,
    served,
)
from tests.harness.waiting import eventually
from workflows.bill import BillWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.runner import strict_runner


@pytest.fixture
async def front(settings: Settings, temporal: Client, api: ApiClient, erp: object) -> AsyncIterator[ApiClient]:
    """The same organization, at an API that talks to the real server."""
    async with served(settings, temporal) as http:
        yield ApiClient(http, api.organization)


async def test_ready_when_database_temporal_and_workers_answer(
    front: ApiClient, temporal: Client, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F11: without a worker on a queue that a connection needs it is not ready, and says which. No key is needed."""
    queue = f"ready-{secrets.token_hex(4)}"  # the tests of this folder share one Temporal
    monkeypatch.setattr(health, "erp_task_queue", lambda erp: f"{queue}-{erp.value}")
    await connected(front)
    ok = {"database": "ok", "temporal": "ok"}
    assert (await front.http.get("/healthz")).json() == {"status": "ok"}

    async def ready() -> bool:
        return bool((await front.http.get("/readyz")).status_code == 200)

    async with (
        living(settings, temporal.identity),
        Worker(temporal, task_queue=TASK_QUEUE, workflows=[BillWorkflow], workflow_runner=strict_runner()),
    ):
        await eventually(lambda: is_served(temporal, TASK_QUEUE))
        without = await front.http.get("/readyz")
        said = {"status": "not ready", **ok, "workers": f"no worker serves {queue}-intacct"}
        assert (without.status_code, without.json()) == (503, said)
        async with Worker(temporal, task_queue=f"{queue}-intacct", activities=[MirrorActivities(database).close_issue]):
            await eventually(ready)
            assert (await front.http.get("/readyz")).json() == {"status": "ready", **ok, "workers": "ok"}
            # Frozen: it is listed still, and asked for nothing for longer than a worker that waits for work does.
            monkeypatch.setattr(pollers, "LAST_POLL_AT_MOST", timedelta(seconds=-1))
            frozen = await front.http.get("/readyz")
            said["workers"] = f"no worker serves posync, {queue}-intacct"
            assert (frozen.status_code, frozen.json()) == (503, said)


async def test_not_ready_while_the_loop_of_the_only_worker_hangs(
    front: ApiClient, temporal: Client, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F11's brother: the SDK asks for work outside of Python, so a worker that hangs goes on asking."""
    queue = f"hanging-{secrets.token_hex(4)}"
    monkeypatch.setattr(health, "TASK_QUEUE", queue)
    monkeypatch.setattr(health, "erp_task_queue", lambda erp: queue)
    monkeypatch.setattr(workers, "SILENT_AFTER", timedelta(seconds=1))

    async def says(workers_are: str) -> bool:
        said = (await front.http.get("/readyz")).json()["workers"]
        return bool(said.startswith(workers_are))

    async def gave_a_sign() -> bool:
        async with database.statement() as session:
            return bool((await session.execute(text("select count(*) from workers"))).scalar_one())

    async with (
        Worker(temporal, task_queue=queue, activities=[MirrorActivities(database).close_issue]),
        living(settings, temporal.identity) as its_loop,
    ):
        await eventually(gave_a_sign)  # one that never gave any counts as a worker of an older version
        await eventually(lambda: says("ok"))
        goes_on = threading.Event()
        its_loop.call_soon_threadsafe(goes_on.wait)
        try:
            await eventually(lambda: says(f"no worker serves {queue}"))
            assert await is_served(temporal, queue), "Temporal alone takes it for a worker that waits for work"
        finally:
            goes_on.set()
        await eventually(lambda: says("ok"))


@asynccontextmanager
async def living(settings: Settings, identity: str) -> AsyncIterator[asyncio.AbstractEventLoop]:
    """Signs of life as a worker process gives them, in an event loop of their own."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def give() -> None:
        own = Database(settings.database_url, pool_size=1)
        await keep_giving(own, identity, stop, every=timedelta(seconds=0.1))
        await own.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(give()), daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        await asyncio.to_thread(thread.join, 10)
    loop.close()


async def is_served(temporal: Client, queue: str) -> bool:
    return not await pollers.queues_without_poller(temporal, [queue])


async def test_not_ready_without_them(settings: Settings, erp: object) -> None:
    nowhere = await Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True)
    dead = settings.model_copy(update={"database_url": "postgresql://nobody:x@127.0.0.1:1/nothing"})
    async with served(dead, nowhere) as http:
        ready = await http.get("/readyz")
        assert ready.status_code == 503
        assert "ok" not in (ready.json()["database"], ready.json()["temporal"])
        assert ready.json()["workers"] == "unknown"
        assert (await http.get("/healthz")).status_code == 200
        key = {"Authorization": "Bearer psk_x"}
        a_problem(await http.get("/v1/connections", headers=key), 503, "DATABASE_UNAVAILABLE")


async def test_without_temporal_bills_are_accepted_and_reads_go_on(
    settings: Settings, api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """G1, G14: the API starts without Temporal and accepts bills, a sync and a schedule; all follow once it answers."""
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    nowhere = await Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True)
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    path = f"/v1/purchase-orders/{order_id}/bills"
    async with served(settings, nowhere) as http:
        cut_off = ApiClient(http, api.organization)
        first = await cut_off.post(path, body, key="now")
        assert first.status_code == 201, first.text
        asked = await cut_off.post(f"/v1/connections/{connection_id}/sync", key="sync")
        assert (asked.status_code, asked.json()["workflow_run_id"]) == (202, None), asked.text
        run = await cut_off.get(asked.headers["location"])
        assert (run.status_code, run.json()["state"]) == (200, "running"), "there at once"
        assert (await cut_off.post(f"/v1/connections/{connection_id}/sync", key="sync")).text == asked.text
        again = await cut_off.post(f"/v1/connections/{connection_id}/sync", key="sync-2")
        assert (again.status_code, again.json()["sync_run_id"]) == (200, asked.json()["sync_run_id"])
        response = await cut_off.put(f"/v1/connections/{connection_id}/schedule", {"every_minutes": 60})
        assert (response.status_code, response.json()["sync_every_minutes"]) == (200, 60)
        shown = await cut_off.get(f"/v1/purchase-orders/{order_id}")
        assert (shown.status_code, shown.json()["live"]) == (200, None)
    assert (await api.post(path, body, key="now")).json() == first.json()
    await make_due(database)
    await OutboxDelivery(database, WorkflowNotifier(fake_temporal)).deliver_due()
    told, accepted = fake_temporal.accepted[first.json()["bill"]["id"]]
    assert (told.startswith(f"po/{connection_id}/"), accepted.status) == (True, "pending_push")
    [schedule] = fake_temporal.schedules.values()
    assert schedule.spec.intervals[0].every == timedelta(minutes=60)
    [state] = [
        state for name, state in fake_temporal.started if name == f"sync/{connection_id}" and state.workflow_run_id
    ]
    async with database.transaction() as session:
        opened = await sync_runs.start(session, ConnectionId(connection_id), state.trigger, state.workflow_run_id)
    assert opened == asked.json()["sync_run_id"], "the run that is started takes the record over"


async def test_a_bill_is_answered_at_once_and_its_workflows_follow_when_a_worker_comes(
    front: ApiClient, api: ApiClient, temporal: Client, database: Database
) -> None:
    """G1, G9: no worker runs; the answer is there all the same, and the same for each of eight callers with its key."""
    connection_id = await connected(api)  # through the stand-in: no sync waits on the shared server
    order = an_order("PO-1")
    order_id = await mirrored(database, connection_id, order)
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    path = f"/v1/purchase-orders/{order_id}/bills"
    answers = await asyncio.gather(*(front.post(path, body, key="once") for _ in range(8)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    blocked = {**body, "number": "INV-2", "lines": [{"order_line_no": 1, "quantity": "7"}]}
    a_problem(await front.post(path, blocked), 422, "MATCH_BLOCKED")
    before = time.monotonic()
    shown = await front.get(f"/v1/purchase-orders/{order_id}")
    assert (shown.status_code, shown.json()["live"]) == (200, None)
    assert time.monotonic() - before < 15
    bill_id = answers[0].json()["bill"]["id"]
    before = time.monotonic()
    paid = await front.post(f"/v1/bills/{bill_id}/payments", {"amount": "10.00", "pay_on": "2027-01-01"})
    assert paid.status_code == 201, paid.text
    assert time.monotonic() - before < 15, "it waits for no workflow"
    mirror = MirrorActivities(database)
    async with Worker(
        temporal,
        task_queue=TASK_QUEUE,
        workflows=[PurchaseOrderWorkflow, BillWorkflow],
        # The payment's message may bring the bill's workflow up first: its order then reads where the bill is.
        activities=[mirror.open_issue, mirror.bill_on_order],
        workflow_runner=strict_runner(),
    ):

        async def payments_known() -> list[OpenPayment]:
            handle = temporal.get_workflow_handle(bill_workflow_id(bill_id))
            state: BillState = await handle.query("state", result_type=BillState)
            return state.payments

        (known,) = await eventually(payments_known)
        assert known.payment_id == paid.json()["payment"]["id"]

        async def live() -> Any:  # on a busy machine the worker may take longer than the API waits
            return (await front.get(f"/v1/purchase-orders/{order_id}", live="true")).json()["live"]

        assert [bill["number"] for bill in (await eventually(live))["bills"]] == ["INV-1"]
    described = await temporal.get_workflow_handle(f"po/{connection_id}/{order.number}/{order.erp_id}").describe()
    assert await described.static_summary() == "Purchase order PO-1 · Vendor One"
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert {name: value for name, value in attributes.items() if name.startswith("Posync")} == {
        "PosyncConnection": connection_id,
        "PosyncErp": "intacct",
        "PosyncNumber": "PO-1",
        "PosyncPoNumber": "PO-1",
        "PosyncAmount": 250.0,
        "PosyncVendor": "Vendor One",
        "PosyncStatus": "unfilled",
    }
    assert len((await front.get("/v1/bills")).json()["items"]) == 1
    for workflow_id in (f"po/{connection_id}/{order.number}/{order.erp_id}", f"bill/{bill_id}"):
        await temporal.get_workflow_handle(workflow_id).terminate()


async def test_sync_now_finds_the_run_that_is_under_way(front: ApiClient, temporal: Client) -> None:
    """S2-57, C9: and its run is there with the answer, though no worker takes the workflow's first step."""
    connection_id = await connected(front)

    async def is_there(answer: Response) -> None:
        assert answer.headers["Location"] == f"/v1/sync-runs/{answer.json()['sync_run_id']}"
        run = await front.get(answer.headers["Location"])
        assert (run.status_code, run.json()["state"]) == (200, "running"), run.text

    async def first_sync_runs() -> bool:
        return bool(await temporal.get_workflow_handle(f"sync/{connection_id}").describe())

    await eventually(first_sync_runs)
    first = await front.post(f"/v1/connections/{connection_id}/sync")
    assert (first.status_code, first.json()["already_running"]) == (200, True)  # the one that connecting started
    await is_there(first)
    handle = temporal.get_workflow_handle(f"sync/{connection_id}")
    assert (await handle.describe()).run_id == first.json()["workflow_run_id"]
    await handle.terminate()
    second = await front.post(f"/v1/connections/{connection_id}/sync")
    assert (second.status_code, second.json()["already_running"]) == (202, False)
    assert second.json()["sync_run_id"] != first.json()["sync_run_id"]
    await is_there(second)
    await handle.terminate()


async def test_a_schedule_is_kept_by_temporal(temporal: Client) -> None:
    """S2-56."""
    connection_id = ConnectionId("intacct-scheduled-100")
    now = datetime.now(UTC)
    wanted = ScheduleToSet(connection_id, Erp.INTACCT, timedelta(days=1), since=now, name="Acme, entity 100")
    handle = temporal.get_schedule_handle(sync_schedule_id(connection_id))
    assert await gateway.sync_schedule(temporal, connection_id) is None
    await gateway.set_schedule(temporal, wanted)
    there = await gateway.sync_schedule(temporal, connection_id)
    assert there is not None
    assert there.next_at is not None
    # A day after the connection was made, and not at once.
    assert abs(there.next_at - now - timedelta(days=1)) < timedelta(seconds=2)
    assert (await handle.describe()).schedule.state.note == "Syncs Acme, entity 100 every day"
    await handle.pause()
    for minutes in (60, 30):
        await gateway.set_schedule(temporal, wanted._replace(every=timedelta(minutes=minutes)))
        there = await gateway.sync_schedule(temporal, connection_id)
        # An operator's pause is not undone by another interval.
        assert there == gateway.SyncSchedule(timedelta(minutes=minutes), None, paused=True)
    await gateway.set_schedule(temporal, wanted._replace(every=None))
    await gateway.set_schedule(temporal, wanted._replace(every=None))
    remaining = [entry.id async for entry in await temporal.list_schedules()]
    assert sync_schedule_id(connection_id) not in remaining
