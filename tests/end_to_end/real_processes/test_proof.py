"""The short form of `make proof`: what was answered, the mirror and the ERP's books agree, whatever is killed."""

import asyncio

import pytest

from bench.company import running_bench
from bench.proof_by_steps import IN_SHORT, prove_by_steps
from bench.report import Report, wide_console
from cli.local.setup import examine


@pytest.mark.long
@pytest.mark.timeout(400)
def test_what_is_accepted_is_in_the_erp_whichever_process_is_killed_twice() -> None:
    """G1, G2, issue 10: API, worker, Temporal and PostgreSQL, each killed at two of the eight steps of a bill."""
    report = Report(wide_console())
    with running_bench(report.console.print, restart_temporal=True) as bench:
        connection_id = bench.connect(read_lag_seconds=1)
        broken = asyncio.run(prove_by_steps(bench, report, connection_id, IN_SHORT))
        outside = asyncio.run(examine(bench.stack.endpoints.database_url))
    assert broken == []
    assert list(outside) == []
