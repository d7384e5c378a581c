"""Store where a running stack is: written by `posync up`, read by every other command."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Endpoints:
    """The addresses of everything that runs; stored in `stack.json`."""

    api_url: str
    api_key: str
    temporal_address: str
    ui_url: str | None
    """None: the Temporal server is not ours."""
    database_url: str
    sandbox_url: str | None


class EndpointsUnreadable(Exception):
    """The file that `posync up` wrote cannot be read. The message is one line that says what to do."""


def running_stack(state_dir: Path) -> Endpoints | None:
    """Return what `posync up` wrote about itself; None: it does not run from this state directory.

    Raises:
        EndpointsUnreadable: the file is damaged, or another version of posync wrote it.
    """
    path = state_dir / "stack.json"
    if not path.exists():
        return None
    try:
        return Endpoints(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise EndpointsUnreadable(f"{path} cannot be read: stop `posync up` and start it again") from error
