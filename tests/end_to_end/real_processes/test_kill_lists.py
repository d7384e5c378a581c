"""List entries that are made and changed on real processes, while the worker is killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_killed_worker_makes_each_list_entry_once() -> None:
    """S2-06, S2-33: a vendor, an item, a department, a location and a class on Intacct and NetSuite, with a lost answer
    to one of them; renamed and suspended. `python -m bench.kill_lists` runs twenty seeds."""
    command = [sys.executable, "-m", "bench.kill_lists", "--seeds", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 4 of 4 with exactly one of each" in ended.stdout
