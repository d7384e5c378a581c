"""A bill of QuickBooks Online and its payment on real processes, while the worker is killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(500)
def test_a_killed_worker_makes_and_pays_each_bill_once_in_quickbooks() -> None:
    """S5-07, issue 11, bad input: seeds 2 and 3 have an expired access token and an ignored request id. `python -m
    bench.kill_quickbooks` runs twenty seeds."""
    command = [sys.executable, "-m", "bench.kill_quickbooks", "--first", "2", "--seeds", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=480, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 2 of 2 with exactly one of each" in ended.stdout
