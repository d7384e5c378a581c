"""`posync up`: run everything on this machine until Ctrl-C."""

import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.client.endpoints import Endpoints
from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, console, table
from cli.local.stack import Stack, StackOptions


def up(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    with_sandbox: Annotated[bool, typer.Option("--sandbox/--no-sandbox", help="Run the pretend ERPs too.")] = True,
) -> None:
    """Start Temporal, PostgreSQL, sandbox, worker and API on this machine; Ctrl-C stops them all."""
    # A service manager's SIGTERM ends us as Ctrl-C does: through the stack's own stop.
    # Ctrl-C is set too: a shell that starts us in the background makes us ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with Stack(StackOptions(state_dir=state_dir, with_sandbox=with_sandbox), report=console.print) as stack:
            console.print(where(stack.endpoints, stack.logs))
            if with_sandbox:
                console.print("The pretend ERPs start empty: `posync sandbox sample` fills one.", style="dim")
            console.print("Ctrl-C stops everything.", style="dim")
            while stack.failure is None:
                time.sleep(0.2)
            raise stack.failure
    except KeyboardInterrupt:
        console.print("Stopped.")


def where(endpoints: Endpoints, logs: Path) -> object:
    """Return a table of the addresses of everything that runs."""
    shown = table("posync is up", "what", "where")
    shown.add_row("API", f"{endpoints.api_url}/docs")
    shown.add_row("API key", endpoints.api_key)
    shown.add_row("Temporal UI", endpoints.ui_url or f"the UI of {endpoints.temporal_address}")
    if endpoints.sandbox_url is not None:
        shown.add_row("Sandbox", endpoints.sandbox_url)
    shown.add_row("Logs", str(logs))
    return shown
