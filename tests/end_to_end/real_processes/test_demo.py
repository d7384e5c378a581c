"""The whole product on real servers: what `make demo` tells, and the same with the worker killed in the middle."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def told(report: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cli", "demo", "--report", str(report), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def failing(found: dict[str, Any]) -> list[str]:
    return [check["name"] for story in found["stories"] for check in story["checks"] if not check["holds"]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("erp", "played"),
    [
        ("intacct", "intacct"),
        pytest.param("netsuite", "netsuite", marks=pytest.mark.long),
        pytest.param("qbo", "quickbooks_online", marks=pytest.mark.long),
        pytest.param("qbd", "quickbooks_desktop", marks=pytest.mark.long),
    ],
)
def test_the_demo_ends_with_one_document_each_and_every_status_right(tmp_path: Path, erp: str, played: str) -> None:
    """S1-11, S1-16, S4-24..26, S4-39, S4-62, S4-65..67, S4-70: through an outage and lost answers, by itself."""
    found = told(tmp_path / "report.json", "--erp", erp)
    assert failing(found) == []
    (story,) = found["stories"]
    assert story["erp"] == played
    assert story["bills"] >= 7
    assert story["payments"] == 3


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("erp", "seed"), [("intacct", 3), ("qbo", 5)])
def test_a_killed_worker_changes_nothing_in_the_end(tmp_path: Path, erp: str, seed: int) -> None:
    """Exactly once (DESIGN section 5). `python -m bench.kill_worker` runs twenty seeds over all ERPs."""
    found = told(tmp_path / "report.json", "--erp", erp, "--kill-worker", str(seed))
    assert failing(found) == []
    assert found["killed"] is not None
