"""Reading one order right after a sync of a thousand: the workers are busy with their workflows, and somebody asks."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime

import httpx

from bench.company import Bench, orders
from bench.lifecycle import numbered_orders
from bench.report import Figure, Report, at_most, percentile

READS = 200


async def measure(bench: Bench, report: Report, connection_id: str, *, count: int) -> None:
    """Sync `count` orders in, and read one after another of them as soon as the sync says that it is done."""
    bench.sandbox.load({"purchase_orders": orders("READ", count, lines=5, changed_at=datetime.now(UTC))})
    await asyncio.to_thread(bench.sync, connection_id)
    endpoints = bench.stack.endpoints
    async with httpx.AsyncClient(
        base_url=endpoints.api_url, headers={"Authorization": f"Bearer {endpoints.api_key}"}, timeout=60
    ) as api:
        found = await numbered_orders(api, connection_id, "READ-")
        bench.sandbox.load({"purchase_orders": orders("LATER", count, lines=5, changed_at=datetime.now(UTC))})
        await asyncio.to_thread(bench.sync, connection_id)
        took, live = [], Counter[bool]()
        for order in found[:READS]:
            began = time.perf_counter()
            answer = (await api.get(f"/v1/purchase-orders/{order['id']}")).raise_for_status().json()
            took.append(1000 * (time.perf_counter() - began))
            live[answer["live"] is not None] += 1
    report.add(
        f"reading one order right after a sync of {count:,}",
        [
            Figure("p50", percentile(took, 50), "ms", note=f"{READS} reads, {live[True]} with the workflow's word"),
            at_most("p95", percentile(took, 95), "ms", 50),
        ],
    )
