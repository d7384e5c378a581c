"""A connection's daily sync beside a backfill of older orders: how much longer it takes than alone."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bench.company import Bench, orders
from bench.report import Figure, Report, at_most, percentile

OLD_DAYS = 400
"""How long ago the older orders were ordered; the first import reads three months."""

PATIENCE_SECONDS = 1800.0


class Pair(NamedTuple):
    """One daily sync alone, and one beside a backfill, in seconds; each brings in as many new orders."""

    alone: float
    beside: float


async def measure(
    bench: Bench, report: Report, *, older: int, daily: int, pairs: int, page_size: int | None = None
) -> list[Pair]:
    """Sync `daily` new orders alone and beside a backfill of `older` ones, in turn."""
    connection_id = await asyncio.to_thread(bench.connect, page_size=page_size)
    await asyncio.to_thread(bench.sync, connection_id)
    await asyncio.to_thread(_daily, bench, connection_id, "WARM", daily)
    results, counts = [], []
    for number in range(pairs):
        await asyncio.to_thread(_load, bench, orders(f"OLD{number}", older, days_ago=OLD_DAYS))
        alone = await asyncio.to_thread(_daily, bench, connection_id, f"ALONE{number}", daily)
        begun: list[str] = []
        beside = await asyncio.to_thread(_daily, bench, connection_id, f"BESIDE{number}", daily, begun)
        if (await asyncio.to_thread(_shown, bench, begun[0]))["state"] != "running":
            raise RuntimeError(f"the backfill of {older} orders was over before the sync beside it: take more")
        counts.append(await asyncio.to_thread(_ended, bench, begun[0]))
        results.append(Pair(alone, beside))
    slower = [100 * (pair.beside / pair.alone - 1) for pair in results]
    report.add(
        f"A daily sync of {daily:,} new orders beside a backfill of {older:,}, {pairs} pairs",
        [
            Figure("alone", percentile([pair.alone for pair in results], 50), "s"),
            Figure("beside the backfill", percentile([pair.beside for pair in results], 50), "s"),
            at_most("slower by", percentile(slower, 50), "%", 10, note="the middle one of the pairs"),
        ],
    )
    report.details["backfill_beside"] = {"pairs": [pair._asdict() for pair in results], "counts": counts}
    return results


def _load(bench: Bench, rows: list[dict[str, str]]) -> None:
    bench.sandbox.load({"purchase_orders": rows})


def _daily(bench: Bench, connection_id: str, prefix: str, count: int, begun: list[str] | None = None) -> float:
    """Have new orders come in by a sync; return how long it took by the run's own times. With `begun`, a backfill is
    started just before, and named there."""
    _load(bench, orders(prefix, count, changed_at=datetime.now(UTC)))
    time.sleep(1.0)  # the ERP's times are whole seconds
    if begun is not None:
        begun.append(_begun(bench, connection_id))
    run = bench.sync(connection_id)
    seen = run["counts"].get("purchase_orders.changed", 0)
    if seen < count:
        raise RuntimeError(f"{seen} of {count} new orders came in: {run['counts']}")
    started, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    return (ended - started).total_seconds()


def _begun(bench: Bench, connection_id: str) -> str:
    """Ask for a backfill of all older orders, and wait until its first page is in the mirror."""
    since = (datetime.now(UTC).date() - timedelta(days=OLD_DAYS + 60)).isoformat()
    body = {"ordered_from": since}
    backfill = str(bench.api.post(f"/v1/connections/{connection_id}/backfills", body)["id"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _shown(bench, backfill)["pages"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the backfill read no page")
        time.sleep(0.05)
    return backfill


def _shown(bench: Bench, backfill: str) -> dict[str, Any]:
    return dict(bench.api.get(f"/v1/backfills/{backfill}"))


def _ended(bench: Bench, backfill: str) -> dict[str, int]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (shown := _shown(bench, backfill))["state"] == "running":
        if time.monotonic() > deadline:
            raise TimeoutError("the backfill did not end")
        time.sleep(0.5)
    if shown["state"] != "completed":
        raise RuntimeError(f"the backfill ended {shown['state']}: {shown['problem']}")
    return dict(shown["counts"])
