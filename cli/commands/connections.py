"""`posync sync`: sync what changed in an ERP."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.client.api_client import Api
from cli.client.connections import the_connection
from cli.client.sync_runs import COUNTS, in_words, streams, wait_for_run
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors, table

SHOWN = 20
"""How many of the excluded records are named."""

LOOK_EVERY = 2.0
"""Seconds between two looks at the state of the connection itself."""


def sync(
    connection: Annotated[
        str | None, typer.Argument(help="The connection's id; not needed if there is only one.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for the end of the run, and show its progress.")
    ] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Sync what changed in the ERP now. If a run is under way, it reads once more what changed, and no
    second one starts."""
    with api(state_dir) as client:
        connection_id = the_connection(client, connection)
        started = client.post(f"/v1/connections/{connection_id}/sync")
        if not follow:
            if as_json:
                console.print_json(data=started)
            else:
                console.print(f"Sync {started['workflow_id']} is running.")
            return
        run = _follow(client, connection_id, started)
        now = client.get(f"/v1/connections/{connection_id}")
        skipped = sum(count for name, count in run["counts"].items() if name.endswith(".skipped"))
        # The newest are this run's. A run that left out none shows what is left out so far: nobody would learn of it.
        shown = min(skipped or SHOWN, SHOWN)
        left_out = client.get(f"/v1/connections/{connection_id}/skipped-records", limit=shown)["items"]
        if as_json:
            console.print_json(data=run)
        elif not run["counts"] and run["state"] == "completed":
            console.print(f"Sync of {connection_id}: completed, nothing has changed since the sync before.")
        else:
            if run["problem"]:
                errors.print(Text(f"{run['problem']['code']}: {run['problem']['message']}"))
            console.print(_counted(f"Sync of {connection_id}: {run['state']}", run["counts"]))
        if not as_json:
            _show_left_out(connection_id, left_out, more=skipped > SHOWN or (not skipped and len(left_out) == SHOWN))
            if now["last_synced_at"]:
                console.print(f"Up to date as of {now['last_synced_at'][:19].replace('T', ' ')} UTC.", highlight=False)
        if not now["preferences_complete"]:
            errors.print("Only lists were synced: the sync preferences have problems. Correct them and connect again.")
        if run["state"] != "completed":
            raise typer.Exit(1)


def _follow(client: Api, connection_id: str, started: dict[str, Any]) -> dict[str, Any]:
    """Show how far a run is, and its issues as they come, until it is over. Returns the run as it ended."""
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
            now = {name: count for name, count in live["counts"].items() if name.startswith(f"{live['stream']}.")}
            counts = in_words(now) if now else ""
            # A run that counted nothing is over too.
            total, completed = (1, 1) if run["state"] != "running" else (len(plan) or None, len(done))
            progress.update(task, description=stream, total=total, completed=completed, counts=counts)
            problems.look()

        problems = _ProblemReporter(client, connection_id, progress.console)
        return wait_for_run(client, started, show)


def _show_left_out(connection_id: str, records: Sequence[Mapping[str, Any]], *, more: bool) -> None:
    """Print why records of the ERP are not here."""
    if records:
        console.print("Left out of the ERP's records:")
    for record in records:
        console.print(f"- {record['reason']}", markup=False, highlight=False)
    if more:
        console.print(f"... all of them: GET /v1/connections/{connection_id}/skipped-records")


def _counted(title: str, counts: Mapping[str, int]) -> Table:
    """Return a table of what a run counted, with a row for each kind of record."""
    shown = table(title, "what", *COUNTS.values(), right=tuple(COUNTS.values()))
    for stream in streams(counts):
        shown.add_row(stream.replace("_", " "), *(str(counts.get(f"{stream}.{count}", 0)) for count in COUNTS))
    if "notified" in counts:
        shown.caption = f"Orders whose workflows were notified: {counts['notified']}"
        shown.caption_justify = "left"
    return shown


class _ProblemReporter:
    """Reports why the ERP cannot be read, once while it lasts: a progress bar that stands still explains nothing."""

    def __init__(self, client: Api, connection_id: str, screen: Console) -> None:
        self._client = client
        self._connection_id = connection_id
        self._screen = screen
        self._said: str | None = None
        self._next = time.monotonic() + LOOK_EVERY

    def look(self) -> None:
        """Print the connection's problem if it is a new one, or that it is over."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_EVERY
        shown = self._client.get(f"/v1/connections/{self._connection_id}")
        problem = shown["sync_problem"] or shown["problem"]
        problems = f"{problem['code']}: {problem['message']}" if problem else None
        if problems is not None and problems != self._said:
            advice = "It is tried again by itself, and the sync goes on once this is over. Ctrl-C leaves it running."
            self._screen.print(Text(f"{problems} {advice}"))
        elif problems is None and self._said is not None:
            self._screen.print("The ERP answers again.")
        self._said = problems
