"""`posync connect` and `posync sync`: the link to an ERP, and bringing in what changed there."""

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.addresses import running_stack
from cli.api_client import Api, ApiProblem
from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors, table

SANDBOX_PATH = "/ia/xml/xmlgw.phtml"


def connect(
    company: Annotated[str, typer.Option(help="The Intacct company id.")],
    user: Annotated[str, typer.Option(help="The Web Services user.")],
    sender_id: Annotated[str, typer.Option(help="The sender id.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="POSYNC_INTACCT_PASSWORD")],
    sender_password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="POSYNC_SENDER_PASSWORD")],
    entity: Annotated[str | None, typer.Option(help="Bind the sync to this entity.")] = None,
    name: Annotated[str | None, typer.Option(help="How people call this connection.")] = None,
    po_template: Annotated[str, typer.Option(help="Transaction definition, exactly as spelt.")] = "Purchase Order",
    vendor_invoice_template: Annotated[str, typer.Option(help="The same, for vendor invoices.")] = "Vendor Invoice",
    receiver_template: Annotated[str | None, typer.Option(help="The same, for receivers; turns 3-way on.")] = None,
    bank_account: Annotated[str | None, typer.Option(help="The account bills are paid from.")] = None,
    one_way: Annotated[bool, typer.Option("--one-way", help="Bills and payments only go out; permanent.")] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="The sandbox of the local stack.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Connect a Sage Intacct company: the credentials are checked, the lists come in, the preferences are proven."""
    endpoint, settings = None, {}
    if sandbox:
        stack = running_stack(state_dir)
        if stack is None or stack.sandbox_url is None:
            raise typer.BadParameter(f"no sandbox runs from {state_dir}", param_hint="--sandbox")
        endpoint, settings = stack.sandbox_url + SANDBOX_PATH, {"allow_loopback": True}
    credentials = {
        "sender_id": sender_id,
        "sender_password": sender_password,
        "company": company,
        "user": user,
        "password": password,
    }
    preferences = {"po_template": po_template, "vendor_invoice_template": vendor_invoice_template}
    for preference, value in (("receiver_template", receiver_template), ("bank_account", bank_account)):
        if value:
            preferences[preference] = value
    with api(state_dir) as client:
        connection = client.post(
            "/v1/connections",
            {
                "erp": "intacct",
                "name": name or f"{company} {entity or ''}".strip(),
                "credentials": credentials,
                "entity": entity,
                "one_way": one_way,
                "endpoint": endpoint,
                "settings": settings,
            },
        )
        console.print(f"Connected: [bold]{connection['id']}[/] as {connection['user_name']}")
        answer = client.put(f"/v1/connections/{connection['id']}/preferences", {"preferences": preferences})
        for problem in answer["problems"]:
            errors.print(f"[red]{problem['preference']}[/]: {problem['message']}")
            for step in problem["fix"]:
                errors.print(f"  • {step}")
        if not answer["complete"]:
            errors.print("Lists sync; transactions wait until the preferences are complete.")
            raise typer.Exit(1)
        console.print(f"Ready. Next: posync sync {connection['id']} --follow")


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
