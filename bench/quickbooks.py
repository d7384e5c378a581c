"""QuickBooks Online: how fast orders come in, how few reads a sync takes, and bills at the throttle's limit."""

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench import quickbooks_parse
from bench.company import Bench, orders
from bench.processes import CpuMeter, MemoryWatch, child_named
from bench.report import Figure, Report, at_least, at_most
from bench.sync_in import Span, activities_of, span_of
from cli.client.sandbox_control import PretendErp, SandboxControl
from cli.demo.quickbooks_online import QuickBooksCompany
from models.domain.sync import Stream
from models.store.base.database import Database

LINES = 5
CHANGED = 1_000
WINDOWS_OVERLAP_SECONDS = 3_600
"""Later than any overlap of two runs, so that a run sees what changed since the one before it."""
READ_SECONDS = 300.0
DRAIN_SECONDS = 1_800.0


async def measure(bench: Bench, report: Report, *, count: int) -> None:
    """Sync `count` orders in. Their workflows need not be notified for that: it ends when the next stream is read."""
    erp = _company(bench, count)
    connection_id = await asyncio.to_thread(connect, bench, erp)
    client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)
    meter = CpuMeter(bench.stack.options.state_dir)
    meter.start()
    before = _metered(erp)
    bench.sandbox.count_calls_anew()
    with MemoryWatch(child_named("worker")) as memory:
        started = bench.api.post(f"/v1/connections/{connection_id}/sync")
        reading = await _orders_read(client, started)
    cpu = meter.used()
    answering = bench.sandbox.calls()["seconds"]
    if (stored := await _stored_orders(bench)) != count:
        raise RuntimeError(f"{count} orders should have come in, not {stored}")
    middle = (reading.begin + reading.end) / 2
    halves = memory.peak_between(reading.begin, middle), memory.peak_between(middle, reading.end)
    report.add(
        f"QuickBooks Online: {count:,} orders of {LINES} lines",
        [
            at_least(
                "read from answers to records, one core",
                quickbooks_parse.measure(),
                "orders/s",
                quickbooks_parse.GOAL,
            ),
            at_least(
                "from parse to commit, through Temporal",
                count / (reading.seconds - answering),
                "orders/s",
                2_500,
                note=f"without the {answering:.1f} s in which the pretend QuickBooks made its answers",
            ),
            Figure("with the time of its answers", count / reading.seconds, "orders/s"),
            Figure("reads of the first sync", _metered(erp) - before, "reads"),
            Figure("worker memory, first half of the pages", halves[0], "MB, peak"),
            at_most("second half / first half", halves[1] / halves[0], "", 1.15),
        ],
    )
    report.details["quickbooks"] = {
        "reading_seconds": reading.seconds,
        "answering_seconds": answering,
        "cpu_seconds": cpu,
    }


async def _orders_read(client: Client, started: Mapping[str, Any]) -> Span:
    """Wait until a sync run has read its orders and the stream behind them, and return how long the orders took.

    Raises:
        TimeoutError: it has not within some minutes.
    """
    ends = time.monotonic() + READ_SECONDS
    while time.monotonic() < ends:
        done = await activities_of(client, started["workflow_id"], started["workflow_run_id"])
        if any(one.name == "sync_page" and one.argument["stream"] == Stream.BILLS for one in done):
            return span_of(done, "sync_page", Stream.PURCHASE_ORDERS)
        await asyncio.sleep(1)
    raise TimeoutError(f"the orders were not read within {READ_SECONDS:.0f} seconds")


async def _stored_orders(bench: Bench) -> int:
    database = Database(bench.stack.endpoints.database_url)
    try:
        async with database.statement() as session:
            return int((await session.execute(text("select count(*) from purchase_orders"))).scalar_one())
    finally:
        await database.close()


async def measure_reads(bench: Bench, report: Report, *, count: int, bills: int) -> None:
    """Sync `count` orders in, sync again, change a thousand, sync once more; then push `bills` bills in minutes that
    take as many calls as there are bills."""
    erp = _company(bench, count)
    connection_id = await asyncio.to_thread(connect, bench, erp)
    await asyncio.to_thread(bench.sync, connection_id)
    _pass_time(bench)
    await asyncio.to_thread(bench.sync, connection_id)
    unchanged = await _reads_of_a_sync(bench, erp, connection_id)
    _pass_time(bench)
    for number in range(CHANGED):
        erp.act("edit_purchase_order", number=f"QB-{number:05}", memo="changed")
    changed = await _reads_of_a_sync(bench, erp, connection_id)
    scanned = math.ceil((count + 1) / 1_000)
    most = 3 + math.ceil(CHANGED / 1_000) + scanned
    report.add(
        f"QuickBooks Online: reads of a company of {count:,} orders",
        [
            at_most("reads of an unchanged sync", unchanged, "reads", 1),
            at_most(
                f"reads when {CHANGED:,} orders changed",
                changed,
                "reads",
                most,
                note=f"3 + 1 per 1,000 changed + 1 per 1,000 ids ({scanned})",
            ),
        ],
    )
    report.details["quickbooks_reads"] = {"unchanged": unchanged, "changed": changed}
    await _at_the_limit(bench, report, erp, connection_id, bills)


def _company(bench: Bench, count: int) -> PretendErp:
    """A company of so many orders, which takes any number of calls."""
    erp = PretendErp(SandboxControl(bench.sandbox.url), QuickBooksCompany.erp)
    rows = [{**row, "status": "", "entity": "", "location": ""} for row in orders("QB", count, lines=LINES)]
    erp.control.post(f"/companies/{erp.erp}/load?create_missing=true", {"purchase_orders": rows})
    erp.switch(requests_per_minute=0)
    return erp


def connect(bench: Bench, erp: PretendErp, *, preferences: Mapping[str, str] | None = None, **settings: Any) -> str:
    """Connect by consent: the company's page agrees at once, and sends the browser back to the API."""
    connection = bench.api.post(
        "/v1/connections",
        {
            "erp": erp.erp,
            "name": "Bench of QuickBooks",
            "credentials": {},
            "purchase_orders": True,
            "endpoint": erp.endpoint,
            "settings": {"allow_loopback": True, **settings},
        },
    )
    connection_id = str(connection["id"])
    consent = bench.api.post(f"/v1/connections/{connection_id}/authorization")
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        browser.post(consent["url"]).raise_for_status()
    bench.sync(connection_id)
    proven = bench.api.put(
        f"/v1/connections/{connection_id}/preferences", {"preferences": dict(preferences or {}), "sync": False}
    )
    if not proven["complete"]:
        raise RuntimeError(f"the preferences are not accepted: {proven['problems']}")
    bench.api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": "two_way"})
    return connection_id


async def _reads_of_a_sync(bench: Bench, erp: PretendErp, connection_id: str) -> int:
    before = _metered(erp)
    await asyncio.to_thread(bench.sync, connection_id)
    return _metered(erp) - before


def _metered(erp: PretendErp) -> int:
    """Reads that Intuit counts: those that succeed. One with an access token that has ended is none."""
    return sum(one.get("reads", 0) for one in erp.records("usage"))


def _pass_time(bench: Bench) -> None:
    SandboxControl(bench.sandbox.url).post("/clock", {"advance_seconds": WINDOWS_OVERLAP_SECONDS})


# --- the throttle ----------------------------------------------------------------------------------------------


async def _at_the_limit(bench: Bench, report: Report, erp: PretendErp, connection_id: str, count: int) -> None:
    """Accept `count` bills at once while a minute takes `count` calls, and wait until the ERP has every one of them."""
    erp.switch(requests_per_minute=count)
    bench.sandbox.count_calls_anew()
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {bench.stack.endpoints.api_key}"}
    async with httpx.AsyncClient(base_url=bench.stack.endpoints.api_url, headers=headers, timeout=300) as api:
        query = {"connection": connection_id, "q": "QB-00", "limit": "200"}
        # Of one vendor no two of these orders have the same total: bills of one amount would be held as duplicates.
        found: list[dict[str, Any]] = []
        while len(found) < count:
            page = (await api.get("/v1/purchase-orders", params=query)).raise_for_status().json()
            found += page["items"]
            query["cursor"] = page["next_cursor"]
        today = datetime.now(UTC).date().isoformat()
        for order in found[:count]:
            bill = {"number": f"INV-{order['number']}", "bill_date": today}
            lines = [{"order_line_no": line, "quantity": "2"} for line in range(1, LINES + 1)]
            path = f"/v1/purchase-orders/{order['id']}/bills"
            keyed = {"Idempotency-Key": f"bench-{order['number']}"}
            (await api.post(path, json={**bill, "lines": lines}, headers=keyed)).raise_for_status()
        issues: list[str] = []
        while await _waiting(api, connection_id):
            if time.monotonic() - began > DRAIN_SECONDS:
                raise TimeoutError(f"bills still wait for their push after {DRAIN_SECONDS:.0f} seconds")
            issues += await _issues(api, connection_id)
            await asyncio.sleep(1)
        issues += await _issues(api, connection_id)
    seconds = time.monotonic() - began
    calls = bench.sandbox.calls()
    made = [bill["number"] for bill in erp.records("bills")]
    throttled = sum(one.get("throttled", 0) for one in erp.records("usage"))
    let_in = calls["requests"] - throttled
    report.add(
        f"QuickBooks Online: {count} bills while a minute takes {count} calls",
        [
            at_most(
                "bills that are not there exactly once", count - len(made) + len(made) - len(set(made)), "bills", 0
            ),
            at_most("issues opened meanwhile", len(set(issues)), "issues", 0),
            at_least("throttled calls", throttled, "calls", 1),
            Figure(
                "calls that were let in, for each bill",
                let_in / count,
                "calls",
                note="2 reads, 1 write, the order again; what a throttle cut short begins anew",
            ),
            Figure("until the last bill is there", seconds, "s", note=f"{let_in / count:.1f} minutes' calls"),
        ],
    )
    report.details["quickbooks_throttle"] = {"calls": calls, "throttled": throttled, "seconds": seconds}


async def _waiting(api: httpx.AsyncClient, connection_id: str) -> bool:
    query = {"connection": connection_id, "status": "pending_push", "limit": "1"}
    return bool((await api.get("/v1/bills", params=query)).raise_for_status().json()["items"])


async def _issues(api: httpx.AsyncClient, connection_id: str) -> list[str]:
    query = {"connection": connection_id, "limit": "50"}
    page = (await api.get("/v1/sync-issues", params=query)).raise_for_status().json()
    return [f"{issue['code']} {issue['id']}" for issue in page["items"]]
