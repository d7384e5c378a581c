"""How long `POST bills` takes, for one caller and for twenty. Pushes to the ERP go on behind, as they do in life."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from bench.company import Bench, orders
from bench.lifecycle import numbered_orders
from bench.processes import CpuMeter
from bench.report import Figure, Report, at_least, at_most, percentile

DRAIN_SECONDS = 300.0


async def measure(bench: Bench, report: Report, connection_id: str, *, count: int, callers: int) -> None:
    """Post `count` bills by one caller, one by each of `callers`, then `count` by them; each on an order of its own."""
    bench.sandbox.load(
        {"purchase_orders": orders("POST", 2 * count + 5 + callers, lines=5, changed_at=datetime.now(UTC))}
    )
    await asyncio.to_thread(bench.sync, connection_id)
    endpoints = bench.stack.endpoints
    limits = httpx.Limits(max_connections=callers, max_keepalive_connections=callers)
    async with httpx.AsyncClient(
        base_url=endpoints.api_url,
        headers={"Authorization": f"Bearer {endpoints.api_key}"},
        timeout=120,
        limits=limits,
    ) as api:
        found = await numbered_orders(api, connection_id, "POST-")
        for order in found[:5]:
            await _timed(api, order)
        await _drained(api, connection_id)

        meter = CpuMeter(bench.stack.options.state_dir)
        meter.start()
        alone = [await _timed(api, order) for order in found[5 : count + 5]]
        cpu = meter.used()
        await _drained(api, connection_id)

        at_once = await asyncio.gather(*(_timed(api, order) for order in found[2 * count + 5 :]))
        await _drained(api, connection_id)

        began = time.perf_counter()
        waiting = iter(found[count + 5 : 2 * count + 5])
        shares = await asyncio.gather(*(_caller(api, waiting) for _ in range(callers)))
        seconds = time.perf_counter() - began
        together = [each for share in shares for each in share]
        await _drained(api, connection_id)
    report.add(
        "POST bills, 5 lines each",
        [
            at_most("1 caller, p50", percentile(alone, 50), "ms", 40),
            Figure("1 caller, p99", percentile(alone, 99), "ms", note=f"{count} bills"),
            at_most(f"{callers} callers, one bill each, p95", percentile(at_once, 95), "ms", 400),
            Figure(f"{callers} callers, p50", percentile(together, 50), "ms"),
            Figure(f"{callers} callers, p99", percentile(together, 99), "ms", note=f"{count} bills"),
            at_least(f"{callers} callers", count / seconds, "bills/s", 40),
        ],
    )
    report.details["post_bills"] = {
        "cpu_ms_per_bill": {name: round(1000 * used / count, 1) for name, used in cpu.items()},
        "one_caller_ms": _spread(alone),
        "callers_ms": _spread(together),
    }


async def _caller(api: httpx.AsyncClient, waiting: Any) -> list[float]:
    return [await _timed(api, order) for order in waiting]


async def _timed(api: httpx.AsyncClient, order: dict[str, Any]) -> float:
    """Post one bill; milliseconds from the request to the whole answer."""
    body = {
        "number": f"INV-{order['number']}",
        "bill_date": datetime.now(UTC).date().isoformat(),
        "lines": [{"order_line_no": line, "quantity": "2"} for line in range(1, 6)],
    }
    began = time.perf_counter()
    answer = await api.post(
        f"/v1/purchase-orders/{order['id']}/bills", json=body, headers={"Idempotency-Key": uuid4().hex}
    )
    took = 1000 * (time.perf_counter() - began)
    if answer.status_code != 201:
        raise RuntimeError(f"POST bills: {answer.status_code} {answer.text[:500]}")
    return took


async def _drained(api: httpx.AsyncClient, connection_id: str) -> None:
    """Wait until no bill waits for its push, so that one part does not slow the next. Raises TimeoutError."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        query = {"connection": connection_id, "status": "pending_push", "limit": "1"}
        if not (await api.get("/v1/bills", params=query)).raise_for_status().json()["items"]:
            return
        await asyncio.sleep(0.5)
    raise TimeoutError(f"bills still wait for their push after {DRAIN_SECONDS:.0f} seconds")


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}": round(percentile(values, percent), 1) for percent in (5, 25, 50, 75, 90, 95, 99, 100)}
