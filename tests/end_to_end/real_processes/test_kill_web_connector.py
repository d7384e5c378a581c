"""Sessions of the Web Connector on real processes: it, the API and the worker are killed at every step."""

import subprocess
import sys

import pytest

from bench.kill_web_connector import cells


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_killed_process_loses_nothing_and_makes_nothing_twice_in_quickbooks() -> None:
    """Issue 12: one seed of each cell; `python -m bench.kill_web_connector --seeds 20` plays twenty."""
    command = [sys.executable, "-m", "bench.kill_web_connector", "--seeds", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=840, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    all_of_them = len(cells(1))
    assert f"kills: {all_of_them} of {all_of_them} with nothing lost and nothing twice" in ended.stdout
