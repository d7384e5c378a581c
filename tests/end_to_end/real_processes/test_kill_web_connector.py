"""Sessions of the Web Connector on real processes: it, the API and the worker are killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(800)
def test_a_killed_process_loses_nothing_and_makes_nothing_twice_in_quickbooks() -> None:
    """Issue 12: each process once; `python -m bench.kill_web_connector` kills each at every step. One seed of every
    cell is played in one process (`tests/conformance/test_crashes.py`)."""
    command = [sys.executable, "-m", "bench.kill_web_connector", "--short"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=780, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 3 of 3 with nothing lost and nothing twice" in ended.stdout
