"""A hundred bills of one NetSuite order: NetSuite takes one at a time, so what is counted is the time between them."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.company import Bench, orders
from bench.netsuite import connect
from bench.processes import CpuMeter
from bench.report import Figure, Report, at_most, percentile
from cli.client.sandbox_control import PretendErp, SandboxControl
from cli.demo.netsuite import NetSuiteCompany
from models.contract import bill_workflow_id
from models.domain.ids import BillId
from models.store.base.database import Database

ALONE = 10
"""Bills that are pushed one by one beforehand, to know what a push takes by itself."""
PRICE, STEP = Decimal(1000), Decimal("0.05")
PATIENCE = 180.0


async def measure(bench: Bench, report: Report, *, count: int) -> None:
    """Push some bills one by one, then accept `count` at once and see when the last one is in the ERP."""
    connection_id = await asyncio.to_thread(_connect, bench, count + ALONE)
    endpoints = bench.stack.endpoints
    client = await Client.connect(endpoints.temporal_address)
    async with httpx.AsyncClient(
        base_url=endpoints.api_url, headers={"Authorization": f"Bearer {endpoints.api_key}"}, timeout=120
    ) as api:
        query = {"connection": connection_id, "q": "TURN-", "limit": "1"}
        (order,) = (await api.get("/v1/purchase-orders", params=query)).raise_for_status().json()["items"]
        alone = []
        for n in range(ALONE):
            bill_id = await _accepted(api, order["id"], n)
            await _in_erp(api, connection_id, n + 1)
            alone.append(await _push(client, bill_id))
        meter = CpuMeter(bench.stack.options.state_dir)
        meter.start()
        bench.sandbox.count_calls_anew()
        began = time.time()
        places = asyncio.Semaphore(20)

        async def accept(n: int) -> BillId:
            async with places:
                return await _accepted(api, order["id"], n)

        bills = await asyncio.gather(*(accept(n) for n in range(ALONE, ALONE + count)))
        accepted = time.time() - began
        await _in_erp(api, connection_id, ALONE + count)
        cpu, calls = meter.used(), bench.sandbox.calls()
    pushes = [await _push(client, bill_id) for bill_id in bills]
    sent = await _sent_at(bench, bills)
    themselves = sum(ended - sent[bill_id] for bill_id, (_, ended) in zip(bills, pushes, strict=True))
    took = max(ended for _, ended in pushes) - min(started for started, _ in pushes)
    one = percentile([ended - started for started, ended in alone], 50)
    report.add(
        f"{count} bills of one NetSuite order",
        [
            Figure("one push by itself, p50", 1000 * one, "ms"),
            at_most("all accepted", accepted, "s", 5),
            Figure("from the first push to the end of the last", took, "s"),
            at_most("times the sum of these pushes", took / themselves, "", 1.2),
            Figure("ERP calls", calls["requests"] / count, "requests per bill"),
            Figure("CPU", 1000 * sum(cpu.values()) / count, "ms per bill"),
            at_most("times as many pushes by themselves", took / (count * one), "", 1.2),
        ],
    )
    report.details["turns"] = {
        "cpu_ms_per_bill": {name: round(1000 * used / count, 1) for name, used in cpu.items()},
        "calls": calls,
    }


def _connect(bench: Bench, quantity: int) -> str:
    erp = PretendErp(SandboxControl(bench.sandbox.url), NetSuiteCompany.erp)
    (made,) = orders("TURN", 1, lines=1)
    row = made | {
        "status": "",
        "entity": NetSuiteCompany.entity,
        "location": "",
        "quantity": str(quantity),
        "price": str(PRICE),
    }
    erp.control.post(f"/companies/{erp.erp}/load?create_missing=true", {"purchase_orders": [row]})
    erp.act("receive", number=row["po_number"])
    connection_id = connect(bench, erp)
    bench.api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": "two_way"})
    bench.sync(connection_id)
    return connection_id


async def _accepted(api: httpx.AsyncClient, order_id: str, n: int) -> BillId:
    body = {
        "number": f"TURN-{n}",
        "bill_date": datetime.now(UTC).date().isoformat(),
        "lines": [{"order_line_no": 1, "quantity": "1", "price": str(PRICE - STEP * n)}],
    }
    answer = await api.post(
        f"/v1/purchase-orders/{order_id}/bills", json=body, headers={"Idempotency-Key": uuid4().hex}
    )
    if answer.status_code != 201 or answer.json()["bill"]["status"] != "pending_push":
        raise RuntimeError(f"POST bills: {answer.status_code} {answer.text[:500]}")
    return BillId(answer.json()["bill"]["id"])


async def _in_erp(api: httpx.AsyncClient, connection_id: str, count: int) -> None:
    """Wait until none of the bills waits for its push. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    # Asking must cost little: it is done on the same machine, many times.
    waiting = {"connection": connection_id, "status": "pending_push", "limit": "1"}
    while time.monotonic() < deadline:
        if not (await api.get("/v1/bills", params=waiting)).raise_for_status().json()["items"]:
            break
        await asyncio.sleep(0.25)
    synced = {"connection": connection_id, "status": "synced", "limit": "200"}
    if len((await api.get("/v1/bills", params=synced)).raise_for_status().json()["items"]) < count:
        raise TimeoutError(f"fewer than {count} bills are in the ERP after {PATIENCE:.0f} s")


async def _sent_at(bench: Bench, bills: Sequence[BillId]) -> dict[BillId, float]:
    """When each bill's write was marked as sent, after it had waited for its turn, in seconds since the epoch."""
    database = Database(bench.stack.endpoints.database_url, pool_size=1)
    try:
        async with database.statement() as session:
            rows = await session.execute(
                text("select subject_id, sent_at from erp_writes where subject_id = any(:bills)"), {"bills": bills}
            )
            return {row.subject_id: row.sent_at.timestamp() for row in rows}
    finally:
        await database.close()


async def _push(client: Client, bill_id: BillId) -> tuple[float, float]:
    """When the push that brought the bill to the ERP began and ended, in seconds since the epoch. The history may end a
    moment after the mirror shows the bill. Raises LookupError."""
    deadline = time.monotonic() + 10
    while True:
        last = await _last_push(client, bill_id)
        if last is not None:
            return last
        if time.monotonic() > deadline:
            raise LookupError(f"{bill_id} was not pushed")
        await asyncio.sleep(0.1)


async def _last_push(client: Client, bill_id: BillId) -> tuple[float, float] | None:
    started: dict[int, float] = {}
    kinds: dict[int, str] = {}
    last: tuple[float, float] | None = None
    async for event in client.get_workflow_handle(bill_workflow_id(bill_id)).fetch_history_events():
        at = event.event_time.seconds + event.event_time.nanos / 1e9
        details: Any
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            details = event.activity_task_scheduled_event_attributes
            kinds[event.event_id] = details.activity_type.name
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started[event.activity_task_started_event_attributes.scheduled_event_id] = at
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            scheduled = event.activity_task_completed_event_attributes.scheduled_event_id
            if kinds.get(scheduled) == "push_bill":
                last = (started[scheduled], at)
    return last
