"""The worker of the bare workflows, as a process of its own: ours has one too."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cli.local.processes import ChildProcess

ROOT = Path(__file__).resolve().parents[1]


@asynccontextmanager
async def bare_worker(temporal_address: str, logs: Path) -> AsyncIterator[None]:
    """Runs inside; its log is `bare.log` in `logs`."""
    worker = ChildProcess(
        "bare worker",
        [sys.executable, "-m", "bench.bare"],
        log=logs / "bare.log",
        environment={"TEMPORAL_ADDRESS": temporal_address},
        directory=ROOT,
    )
    worker.start()
    try:
        yield
    finally:
        await asyncio.to_thread(worker.stop)
