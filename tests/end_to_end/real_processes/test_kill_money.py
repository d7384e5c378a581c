"""Credits, applications, payments of several bills and voids on real processes, while the worker is killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_killed_worker_makes_one_of_each() -> None:
    """S5-69, S5-70, S4-25, S4-26: credit, application, payment over three bills and a credit, void, on Intacct and on
    NetSuite. `python -m bench.kill_money` runs twenty seeds."""
    command = [sys.executable, "-m", "bench.kill_money", "--seeds", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 2 of 2 with exactly one of each" in ended.stdout
