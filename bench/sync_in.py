"""Sync-in: orders from the ERP into the mirror, with and without Temporal; then their workflows are notified."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import make_url
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import ActivityEnvironment

from activities.connector_pool import Connections
from activities.notify import AT_ONCE
from activities.sync import SyncActivities
from bench import bare
from bench.bare_worker import bare_worker
from bench.company import Bench, orders
from bench.processes import CpuMeter, MemoryWatch, child_named
from bench.report import Figure, Report, at_least, at_most
from erp.registry import connectors
from erp.time_budgets import ErpWork
from models.domain.ids import ConnectionId
from models.domain.sync import Stream, SyncTrigger
from models.messages.sync import StartSyncRun, SyncPage
from models.store.base.database import Database
from models.store.connections.credentials import CredentialVault
from models.tables import ConnectionRow, OrganizationRow
from temporal_gateway.notifier import WorkflowNotifier

LINES = 5
ERP_PAGE = 2_000
"""Records per page at most, by the ERP's own rule."""


class Span(NamedTuple):
    """When something began and ended, in seconds since the epoch."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


async def measure(bench: Bench, report: Report, *, count: int, bare_count: int) -> str:
    """Load `count` orders, sync them in both ways, wake them. Answers the connection's id."""
    bench.sandbox.load({"purchase_orders": orders("PO", count, lines=LINES)})
    connection_id = bench.connect()
    client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)

    bare_rate = await _bare_rate(client, bench, bare_count)
    meter = CpuMeter(bench.stack.options.state_dir)
    direct = await _without_temporal(bench, connection_id, meter, "before")
    direct_cpu = meter.used()

    bench.sandbox.count_calls_anew()
    meter.start()
    with MemoryWatch(child_named("worker")) as memory:
        before = time.time()
        run = bench.sync(connection_id)
    cpu = meter.used()
    calls = bench.sandbox.calls()
    activities = await activities_of(client, run["workflow_id"], run["workflow_run_id"])
    reading, notifying = (
        span_of(activities, "sync_page", Stream.PURCHASE_ORDERS),
        span_of(activities, "notify_changed_orders"),
    )
    middle = (reading.begin + reading.end) / 2
    first_half = memory.peak_between(reading.begin, middle)
    second_half = memory.peak_between(middle, reading.end)

    bench.sandbox.count_calls_anew()
    again = bench.sync(connection_id)
    calls_when_unchanged = bench.sandbox.calls()

    direct_after = await _without_temporal(bench, connection_id, meter, "after")
    # The faster one of the two: whatever else this machine did then, it disturbed that one least.
    rate, direct_rate = count / reading.seconds, count / min(direct, direct_after)
    notify_rate = run["counts"]["notified"] / notifying.seconds
    logins = calls["by_operation"].get("getAPISession", 0)
    other_pages = sum(
        pages
        for name, pages in run["counts"].items()
        if name.endswith(".pages") and not name.startswith(Stream.PURCHASE_ORDERS)
    )
    pages = -(-count // ERP_PAGE) + -(-count * LINES // ERP_PAGE) + other_pages
    report.add(
        f"Sync-in of {count:,} orders with {LINES} lines each",
        [
            at_least("into the mirror, through Temporal", rate, "orders/s", 2_500),
            Figure(
                "the same pipeline without Temporal",
                direct_rate,
                "orders/s",
                note=f"the faster of before and after; {1e6 * sum(direct_cpu.values()) / count:,.0f} us of CPU each",
            ),
            at_least("with / without", rate / direct_rate, "", 0.8),
            at_most(
                "ERP calls beyond login",
                calls["requests"] - logins,
                "requests",
                2 + pages,
                note=f"{pages} pages of up to {ERP_PAGE:,} records, {other_pages} of them of other streams",
            ),
            Figure("worker memory before", memory.peak_between(before, before), "MB"),
            Figure("worker memory, first half of the pages", first_half, "MB, peak"),
            at_most("second half / first half", second_half / first_half, "", 1.15),
            at_least("workflows notified", notify_rate, "orders/s", 0.7 * bare_rate, note="0.7 of bare"),
            Figure("bare signal-with-start", bare_rate, "orders/s", note=f"{bare_count:,} of them, {AT_ONCE} at once"),
            at_most("ERP calls of an unchanged sync", calls_when_unchanged["requests"], "requests", 3),
            at_most("workflows it notifies", again["counts"].get("notified", 0), "orders", 0),
        ],
    )
    report.details["sync_in"] = {
        "calls": calls,
        "calls_unchanged": calls_when_unchanged,
        "counts": run["counts"],
        "cpu_seconds": cpu,
        "direct_cpu_seconds": direct_cpu,
        "reading_seconds": reading.seconds,
        "direct_seconds": {"before": direct, "after": direct_after},
        "waking_seconds": notifying.seconds,
    }
    return connection_id


# --- through Temporal ----------------------------------------------------------------------------------------


class Activity(NamedTuple):
    """One finished activity of a sync run."""

    name: str
    argument: Any
    span: Span
    result: Any = None


async def activities_of(client: Client, workflow_id: str, run_id: str) -> list[Activity]:
    """Every finished activity of a sync run, over all its continued histories."""
    found: list[Activity] = []
    following: str | None = run_id
    while following:
        scheduled: dict[int, Any] = {}
        handle = client.get_workflow_handle(workflow_id, run_id=following)
        following = None
        async for event in handle.fetch_history_events():
            at = event.event_time.ToNanoseconds() / 1e9
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = (event.activity_task_scheduled_event_attributes, at)
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                done = event.activity_task_completed_event_attributes
                attributes, begin = scheduled[done.scheduled_event_id]
                (argument,) = await client.data_converter.decode(attributes.input.payloads)
                results = await client.data_converter.decode(done.result.payloads)
                result = results[0] if results else None
                found.append(Activity(attributes.activity_type.name, argument, Span(begin, at), result))
            elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                continued = event.workflow_execution_continued_as_new_event_attributes
                following = continued.new_execution_run_id
    return found


def span_of(activities: list[Activity], name: str, stream: Stream | None = None) -> Span:
    """From the first beginning of these activities to their last end."""
    spans = [
        activity.span
        for activity in activities
        if activity.name == name and (stream is None or activity.argument["stream"] == stream)
    ]
    return Span(min(span.begin for span in spans), max(span.end for span in spans))


# --- without Temporal ----------------------------------------------------------------------------------------


async def _without_temporal(bench: Bench, connection_id: str, meter: CpuMeter, name: str) -> float:
    """The same activities called one after the other in this process, into an empty database. Answers seconds."""
    keys = (bench.stack.options.state_dir / "credential-keys").read_text().strip()
    async with _twin_database(bench.stack.endpoints.database_url, connection_id, f"bench_{name}") as database:
        opened = Connections(database, CredentialVault([keys]), connectors())
        client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)
        reading = SyncActivities(database, opened, WorkflowNotifier(client))
        environment = ActivityEnvironment()

        async def run(activity: Callable[..., Awaitable[Any]], message: Any) -> Any:
            return await environment.run(activity, message)

        try:
            plan = await run(
                reading.plan_sync,
                StartSyncRun(
                    connection_id=ConnectionId(connection_id), trigger=SyncTrigger.PERSON, workflow_run_id="bench"
                ),
            )
            async with opened.open(ConnectionId(connection_id), ErpWork.PAGE) as connection:
                await connection.erp.check()  # the worker has its session and its imports by now, too
            meter.start()
            began = time.perf_counter()
            page = SyncPage(
                connection_id=ConnectionId(connection_id), run_id=plan.run_id, stream=Stream.PURCHASE_ORDERS
            )
            while True:
                done = await run(reading.sync_page, page)
                if done.after is None:
                    return time.perf_counter() - began
                page = page.model_copy(update={"after": done.after, "high_water": done.high_water})
        finally:
            await opened.close()


@asynccontextmanager
async def _twin_database(url: str, connection_id: str, name: str) -> AsyncIterator[Database]:
    """An empty database on the same server that knows the same connection."""
    parsed = make_url(url)
    twin = parsed.set(database=name)
    administrator = await asyncpg.connect(
        host=str(parsed.query["host"]) if "host" in parsed.query else parsed.host,
        port=parsed.port,
        user=parsed.username,
        password=parsed.password or None,
        database="postgres",
    )
    try:
        await administrator.execute(f'create database "{name}"')
    finally:
        await administrator.close()
    database, original = Database(twin.render_as_string(hide_password=False)), Database(url)
    try:
        await database.migrate()
        async with original.transaction() as session:
            connection = await session.get_one(ConnectionRow, connection_id)
            organization = await session.get_one(OrganizationRow, connection.organization_id)
        async with database.transaction() as session:
            session.add(OrganizationRow(**organization.model_dump()))
            await session.flush()
            session.add(ConnectionRow(**connection.model_dump()))
        yield database
    finally:
        await database.close()
        await original.close()


# --- bare signal-with-start ----------------------------------------------------------------------------------


async def _bare_rate(client: Client, bench: Bench, count: int) -> float:
    """Signal-with-start of workflows that only remember what they are told, as many at once as our sync runs do."""
    gate = asyncio.Semaphore(AT_ONCE)
    facts = {"number": "PO-00000", "vendor": "Vendor", "erp_status": "Pending", "content_hash": "0" * 64}

    async def start(number: int) -> None:
        async with gate:
            await client.start_workflow(
                bare.BareOrderWorkflow.run,
                facts,
                id=f"bare/{number}",
                task_queue=bare.TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="order_changed",
                start_signal_args=[facts],
            )

    async with bare_worker(bench.stack.endpoints.temporal_address, bench.stack.logs):
        await start(0)
        await asyncio.sleep(1)
        began = time.perf_counter()
        await asyncio.gather(*(start(number) for number in range(1, count + 1)))
        return count / (time.perf_counter() - began)
