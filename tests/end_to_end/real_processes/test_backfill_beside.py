"""The bench of a daily sync beside a backfill, on a few orders: it measures what it says. Its goal is for 20,000."""

import asyncio

import pytest

from bench import backfill_beside
from bench.company import running_bench
from bench.report import Report, wide_console


@pytest.mark.long
def test_a_daily_sync_beside_a_backfill_is_measured() -> None:
    """Issue 15: both syncs bring all new orders in, one of them while the backfill runs."""
    report = Report(wide_console())
    with running_bench(report.console.print) as bench:
        (pair,) = asyncio.run(backfill_beside.measure(bench, report, older=1_000, daily=20, pairs=1, page_size=100))
    assert pair.alone > 0
    assert pair.beside > 0
    (counts,) = report.details["backfill_beside"]["counts"]
    assert counts["changed"] == 1_000
