"""Bills of every kind on real processes, while the worker is killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(500)
def test_a_killed_worker_makes_pays_and_takes_back_each_bill_once() -> None:
    """S5-07, S5-60, W3: one over two receipts, one that is credited, one without an order. `python -m bench.kill_lives`
    runs twenty seeds."""
    command = [sys.executable, "-m", "bench.kill_lives", "--seeds", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=480, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 1 of 1 with exactly one of each" in ended.stdout
