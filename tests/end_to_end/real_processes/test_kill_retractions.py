"""Bills that are taken back and made anew on real processes, while the worker is killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_killed_worker_takes_each_bill_back_once_and_makes_it_anew_once() -> None:
    """S5-07, S5-08: a bill on an order is deleted, one without is reversed; both are restored. `python -m
    bench.kill_retractions` runs twenty seeds."""
    command = [sys.executable, "-m", "bench.kill_retractions", "--seeds", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 1 of 1 with exactly one of each" in ended.stdout
