"""Follow sync runs through the API."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from cli.client.api_client import Api

COUNTS = {"seen": "read", "changed": "changed", "skipped": "left out", "bad": "unreadable"}
"""What a run's counts of a stream are called here."""


def streams(counts: Mapping[str, int]) -> list[str]:
    """Return the names of the streams that a run counted, in its order."""
    return list(dict.fromkeys(name.partition(".")[0] for name in counts if "." in name))


def in_words(counts: Mapping[str, int]) -> str:
    """Return what a run counted, for a line of text: `bills 10 read, 4 changed; vendors 12 read`."""
    said = []
    for stream in streams(counts):
        numbers = ((counts.get(f"{stream}.{name}", 0), label) for name, label in COUNTS.items())
        parts = [f"{count} {label}" for count, label in numbers if count]
        if parts:
            said.append(f"{stream.replace('_', ' ')} {', '.join(parts)}")
    return "; ".join(said) or "nothing has changed"


def wait_for_run(
    client: Api,
    started: dict[str, Any],
    show: Callable[[dict[str, Any]], None],
    *,
    seconds: float = 3600,
) -> dict[str, Any]:
    """Follow a sync run to its end, and return it.

    Raises:
        TimeoutError: it did not end within the given seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run: dict[str, Any] = client.get(f"/v1/sync-runs/{started['sync_run_id']}")
        show(run)
        if run["state"] != "running":
            return run
        time.sleep(0.2)
    raise TimeoutError(f"{started['workflow_id']} did not end within {seconds:.0f} seconds")
