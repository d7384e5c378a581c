"""The demo's story with the worker killed by SIGKILL at a random moment, once per seed: same end, one document each.

`python -m bench.kill_worker --seeds 20` prints one line per seed and ends with 1 when any of them differs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

LONGEST_RUN_SECONDS = 600


def run(seed: int, directory: Path, erp: str | None = None) -> dict[str, Any]:
    """One story in a process of its own. Its report; `ended` tells how when there is none."""
    report = directory / f"{seed}.json"
    command = [sys.executable, "-m", "cli", "demo", "--kill-worker", str(seed), "--report", str(report)]
    command += ["--erp", erp] if erp else []
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_RUN_SECONDS, check=False)
    found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
    return {
        **found,
        "ended": ended.returncode,
        "last_words": "\n".join((ended.stdout + ended.stderr).splitlines()[-12:]),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    arguments.add_argument("--first", type=int, default=1)
    arguments.add_argument("--erp", help="only this ERP: intacct, netsuite, qbo")
    chosen = arguments.parse_args()
    console = Console()
    shown = Table("seed", "worker killed at", "bills", "payments", "checks", "seconds", title="SIGKILL of the worker")
    failed = []
    with tempfile.TemporaryDirectory(prefix="posync-kill-") as directory:
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            result = run(seed, Path(directory), chosen.erp)
            stories = result.get("stories", [])
            checks = [check for story in stories for check in story["checks"]]
            failing = [check["name"] for check in checks if not check["holds"]]
            if result["ended"] != 0:
                failed.append(seed)
                console.print(f"seed {seed}: {'; '.join(failing) or result['last_words']}")
            judged = f"{len(checks) - len(failing)} of {len(checks)} hold" if checks else "the story was stuck"
            bills, payments = (sum(story[what] for story in stories) for what in ("bills", "payments"))
            row = (result.get("killed", ""), bills, payments, judged)
            shown.add_row(str(seed), *map(str, row), str(result.get("seconds", "")))
            console.print(f"seed {seed}: {judged}")
    console.print(shown)
    console.print(f"kills: {chosen.seeds - len(failed)} of {chosen.seeds} with the same end state")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
