"""Where a running stack is: written by `posync up`, read by every other command."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Addresses:
    """Where everything is; written to `stack.json`."""

    api_url: str
    api_key: str
    temporal_address: str
    ui_url: str | None
    """None when the Temporal server is not ours."""
    database_url: str
    sandbox_url: str | None


def running_stack(state_dir: Path) -> Addresses | None:
    """What `posync up` wrote about itself, if it runs from this state directory."""
    path = state_dir / "stack.json"
    return Addresses(**json.loads(path.read_text())) if path.exists() else None
