"""The memory of the API while it exports: 100,000 rows take about as much as 10,000."""

import asyncio
import time

import asyncpg
import httpx

from bench.company import Bench
from bench.processes import MemoryWatch, child_named
from bench.report import Figure, Report, at_most

ROUNDS = 2
"""The first export of a format makes what the process keeps for good."""
_ROWS = """
    insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)
    select organization_id, id, 'bill', 'bill_' || n, 'edited', 'ann', repeat('because ', 20),
           jsonb_build_object('memo', 'before ' || n), jsonb_build_object('memo', 'after ' || n)
      from connections, generate_series(1, $2::int) as n where id = $1
"""


async def measure(bench: Bench, report: Report, connection_id: str, *, few: int, many: int) -> None:
    """Export the events of a connection with `few` rows, and again with `many`, in both formats."""
    peaks: dict[str, dict[int, float]] = {"csv": {}, "jsonl": {}}
    seconds: dict[str, float] = {}
    there = 0
    for count in (few, many):
        await _add(bench, connection_id, count - there)
        there = count
        for written_as in peaks:
            for _ in range(ROUNDS):
                peak, took = await asyncio.to_thread(_export, bench, connection_id, written_as, count)
                peaks[written_as][count] = peak
                seconds[written_as] = took
    report.add(
        f"Exports of {few:,} and of {many:,} events",
        [
            line
            for written_as, peak in peaks.items()
            for line in (
                Figure(f"{written_as}: the API's memory with {few:,} rows", peak[few], "MB, peak"),
                at_most(f"{written_as}: with {many:,} rows / with {few:,}", peak[many] / peak[few], "", 1.2),
                Figure(f"{written_as}: {many:,} rows", many / seconds[written_as], "rows/s"),
            )
        ],
    )
    report.details["exports"] = {"peaks_mb": peaks, "seconds": seconds}


async def _add(bench: Bench, connection_id: str, count: int) -> None:
    database = await asyncpg.connect(bench.stack.endpoints.database_url.replace("+asyncpg", ""))
    try:
        await database.execute(_ROWS, connection_id, count)
    finally:
        await database.close()


def _export(bench: Bench, connection_id: str, written_as: str, count: int) -> tuple[float, float]:
    """Return the API's peak memory while it exports, and how long that took."""
    endpoints = bench.stack.endpoints
    query = {"format": written_as, "connection": connection_id}
    rows, began = 0, time.monotonic()
    with (
        MemoryWatch(child_named("api")) as memory,
        httpx.stream(
            "GET",
            f"{endpoints.api_url}/v1/exports/events",
            params=query,
            headers={"Authorization": f"Bearer {endpoints.api_key}"},
            timeout=300,
        ) as answer,
    ):
        started = time.time()
        answer.raise_for_status()
        for part in answer.iter_bytes():
            rows += part.count(b"\n")
    assert rows >= count, f"{rows} rows of {count}"
    return memory.peak_between(started, time.time()), time.monotonic() - began
