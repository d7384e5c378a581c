"""Sessions of the Web Connector on real processes: it, the API and the worker are killed."""

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(800)
def test_a_killed_process_loses_nothing_and_makes_nothing_twice_in_quickbooks() -> None:
    """Issue 12: the Web Connector and the API, once each; a worker is missed after minutes, so that its kill is left to
    `python -m bench.kill_web_connector`. One seed of every cell, the worker's too, is played in one process
    (`tests/conformance/test_crashes.py`)."""
    command = [sys.executable, "-m", "bench.kill_web_connector", "--short", "--most", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=780, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    assert "kills: 2 of 2 with nothing lost and nothing twice" in ended.stdout
