"""`posync sync`: bringing in what changed in an ERP."""

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.api_client import Api, ApiProblem
from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors, table


def sync(
    connection: Annotated[str | None, typer.Argument(help="Its id; not needed when there is one only.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Stay and show how far it is.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Bring in what changed in the ERP, now. One that runs already is joined, not doubled."""
    with api(state_dir) as client:
        connection_id = connection or the_only_connection(client)
        started = client.post(f"/v1/connections/{connection_id}/sync")
        if not follow:
            console.print(f"Sync {started['workflow_id']} is running." if not as_json else "")
            return
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=errors,
        ) as progress:
            task = progress.add_task("starting", total=None, counts="")

            def show(run: dict[str, Any]) -> None:
                live = run["progress"] or {"plan": [], "done": [], "stream": None, "counts": run["counts"]}
                plan, done = live["plan"], live["done"]
                stream = (live["stream"] or run["state"]).replace("_", " ")
                counts = " · ".join(f"{name} {count}" for name, count in live["counts"].items())
                progress.update(task, description=stream, total=len(plan) or None, completed=len(done), counts=counts)

            run = wait_for_run(client, started, show)
        if as_json:
            console.print_json(data=run)
        else:
            shown = table(f"Sync of {connection_id}: {run['state']}", "what", "count", right=("count",))
            for name, count in run["counts"].items():
                shown.add_row(name.replace("_", " "), str(count))
            console.print(shown)
        if run["state"] != "completed":
            raise typer.Exit(1)


def wait_for_run(
    client: Api,
    started: dict[str, Any],
    show: Callable[[dict[str, Any]], None],
    *,
    seconds: float = 3600,
) -> dict[str, Any]:
    """Follow a sync run to its end. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = _run(client, started)
        if run is not None:
            show(run)
            if run["state"] != "running":
                return run
        time.sleep(0.2)
    raise TimeoutError(f"{started['workflow_id']} did not end within {seconds:.0f} seconds")


def _run(client: Api, started: dict[str, Any]) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.get(f"/v1/sync-runs/{started['sync_run_id']}")
    except ApiProblem as problem:
        # Its first step, which writes the run down, is still ahead.
        if problem.status == 404:
            return None
        raise
    return found


def the_only_connection(client: Api) -> str:
    """The id of the organization's connection when there is just one."""
    ids = [connection["id"] for connection in client.get("/v1/connections")["items"]]
    if len(ids) != 1:
        found = ", ".join(ids) if ids else "none; make one with `posync connect`"
        raise typer.BadParameter(f"say which connection ({found})", param_hint="connection")
    return str(ids[0])
