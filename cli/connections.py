"""`posync sync`: bringing in what changed in an ERP."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.api_client import Api, ApiProblem
from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors, table

COUNTS = {"seen": "read", "changed": "changed", "skipped": "left out", "bad": "unreadable", "pages": "pages"}
"""How a run's counts of a stream are called here, in the order of their columns."""

SHOWN = 20
"""So many of the records that were left out are named."""

LOOK_EVERY = 2.0
"""Seconds between two looks at how the connection itself is."""


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
            if as_json:
                console.print_json(data=started)
            else:
                console.print(f"Sync {started['workflow_id']} is running.")
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
                # A run of nothing is over, too.
                total, completed = (1, 1) if run["state"] != "running" else (len(plan) or None, len(done))
                progress.update(task, description=stream, total=total, completed=completed, counts=counts)
                trouble.look()

            trouble = _Trouble(client, connection_id, progress.console)
            run = wait_for_run(client, started, show)
        now = client.get(f"/v1/connections/{connection_id}")
        skipped = sum(count for name, count in run["counts"].items() if name.endswith(".skipped"))
        left_out: list[dict[str, Any]] = []
        if skipped:  # the newest are this run's
            shown = min(skipped, SHOWN)
            left_out = client.get(f"/v1/connections/{connection_id}/skipped-records", limit=shown)["items"]
        if as_json:
            console.print_json(data=run)
        elif not run["counts"] and run["state"] == "completed":
            console.print(f"Sync of {connection_id}: completed, nothing has changed.")
        else:
            if run["problem"]:
                errors.print(Text(f"{run['problem']['code']}: {run['problem']['message']}"))
            console.print(_counted(f"Sync of {connection_id}: {run['state']}", run["counts"]))
            for record in left_out:
                console.print(record["reason"], markup=False)
            if skipped > SHOWN:
                console.print(f"... all of them: GET /v1/connections/{connection_id}/skipped-records")
        if not now["preferences_complete"]:
            errors.print("Only lists came in: the sync preferences do not hold. Correct them and connect again.")
        if run["state"] != "completed":
            raise typer.Exit(1)


def _counted(title: str, counts: Mapping[str, int]) -> Table:
    """What a run counted, a row for each kind of record."""
    shown = table(title, "what", *COUNTS.values(), right=tuple(COUNTS.values()))
    for stream in dict.fromkeys(name.partition(".")[0] for name in counts if "." in name):
        shown.add_row(stream.replace("_", " "), *(str(counts.get(f"{stream}.{count}", 0)) for count in COUNTS))
    if "woken" in counts:
        shown.caption = f"Orders whose workflows were woken: {counts['woken']}"
        shown.caption_justify = "left"
    return shown


class _Trouble:
    """Says what keeps the ERP from being read, once while it lasts: a bar that stands still says nothing."""

    def __init__(self, client: Api, connection_id: str, screen: Console) -> None:
        self._client = client
        self._connection_id = connection_id
        self._screen = screen
        self._said: str | None = None
        self._next = time.monotonic() + LOOK_EVERY

    def look(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_EVERY
        problem = self._client.get(f"/v1/connections/{self._connection_id}")["problem"]
        trouble = f"{problem['code']}: {problem['message']}" if problem else None
        if trouble is not None and trouble != self._said:
            again = "It is tried again by itself, and the sync goes on once this is over. Ctrl-C leaves it running."
            self._screen.print(Text(f"{trouble} {again}"))
        elif trouble is None and self._said is not None:
            self._screen.print("The ERP answers again.")
        self._said = trouble


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
