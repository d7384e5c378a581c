"""`posync connection`: what there is of each connection: its state, sync runs, notices, lists and closed periods."""

from typing import Annotated, Any

import typer

from cli.client.connections import the_connection
from cli.client.sync_runs import in_words
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, first_of, moment, say_more, table
from cli.commands import setup

app = typer.Typer(no_args_is_help=True, help="Connections: their state, sync runs, notices, lists, closed periods.")

Which = Annotated[str | None, typer.Argument(metavar="[ID]", help="The connection's id; not needed if there is one.")]
Most = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]


@app.command("list")
def list_connections(as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List the connections, and how far each is synced."""
    with api(state_dir) as client:
        connections = client.get("/v1/connections")["items"]
    if as_json:
        console.print_json(data=connections)
        return
    shown = table("Connections", "id", "state", "up to date as of", "problem")
    for one in connections:
        problem = one["problem"] or one["sync_problem"]
        shown.add_row(one["id"], one["state"].replace("_", " "), moment(one["last_synced_at"]), _code(problem))
    console.print(shown)


@app.command()
def show(connection: Which = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show a connection: what it is set to, and what stops it.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        one = client.get(f"/v1/connections/{the_connection(client, connection)}")
    if as_json:
        console.print_json(data=one)
        return
    shown = table(one["id"], "what", "value")
    for name, value in one.items():
        if name not in ("id", "capabilities", "preferences", "version") and value is not None:
            shown.add_row(name.replace("_", " "), _said(value))
    for name, value in sorted(one["preferences"].items()):
        shown.add_row(f"preference {name}", str(value))
    console.print(shown)


@app.command()
def runs(
    connection: Which = None, limit: Most = 20, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR
) -> None:
    """List the last sync runs: when, what started them, what they brought.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/sync-runs"
        items, more = first_of(client.pages(path, limit=min(limit + 1, 200)), limit)
    if as_json:
        console.print_json(data=items)
        say_more(more)
        return
    shown = table("Sync runs", "started", "by", "state", "what came in")
    for run in items:
        brought = _code(run["problem"]) or in_words(run["counts"])
        shown.add_row(moment(run["started_at"]), run["trigger"].replace("_", " "), run["state"], brought)
    console.print(shown)
    say_more(more)


@app.command("left-out")
def left_out(
    connection: Which = None, limit: Most = 100, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR
) -> None:
    """List the ERP's records that were left out, and why.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/skipped-records"
        items, more = first_of(client.pages(path, limit=min(limit + 1, 200)), limit)
    if as_json:
        console.print_json(data=items)
        say_more(more)
        return
    shown = table("Left out", "number", "code", "why")
    for record in items:
        shown.add_row(record["number"] or record["erp_id"], record["code"], record["reason"])
    console.print(shown)
    say_more(more)


@app.command()
def notices(
    connection: Which = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only those that nobody has read.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Mark those that are shown as read.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List notices: what changed by itself, or in the ERP, and is good to know."""
    with api(state_dir) as client:
        items = list(client.pages("/v1/notices", connection=connection, unread=True if unread else None))
        for notice in items if read else ():
            client.post(f"/v1/notices/{notice['id']}/read")
    if as_json:
        console.print_json(data=items)
        return
    for notice in items:
        console.print(f"{moment(notice['created_at'])} {notice['code']}", style="bold", highlight=False)
        console.print(f"  {notice['message']}", markup=False, highlight=False)
    if not items:
        console.print("There is no notice." if not unread else "There is no unread notice.")


@app.command()
def entries(
    kind: Annotated[
        str, typer.Argument(help="Such as vendor, gl_account, item, department, location, class, project or term.")
    ],
    connection: Which = None,
    search: Annotated[str | None, typer.Option("--search", "-q", help="Only those whose key or name has this.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Only those that are, or are not.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Only those that the ERP deleted.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the entries of one of the ERP's lists.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/lists/{kind}"
        items = list(client.pages(path, q=search, active=active, closed=True if closed else None))
    if as_json:
        console.print_json(data=items)
        return
    shown = table(kind, "key", "name", "entity", "state", "more", whole=("key",))
    for entry in items:
        shown.add_row(entry["key"], entry["name"], entry["entity"] or "", entry["state"], _more(entry))
    console.print(shown)


app.command("checks")(setup.checks)
app.command("confirm")(setup.confirm)
app.command("settings")(setup.settings)
app.command("schedule")(setup.schedule)
app.command("accounting")(setup.accounting)


@app.command("bank-accounts")
def bank_accounts(connection: Which = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List the bank and card accounts that bills can be paid from.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        items = list(client.pages(f"/v1/connections/{the_connection(client, connection)}/bank-accounts"))
    if as_json:
        console.print_json(data=items)
        return
    shown = table("Bank and card accounts", "key", "number", "name", "type", "GL account", "state", whole=("key",))
    for account in items:
        state = "default" if account["default"] else "active"
        shown.add_row(
            account["key"],
            account["number"] or account["account_number"] or "",
            account["name"],
            account["type"],
            account["gl_account"] or "",
            state if account["active"] else "inactive",
        )
    console.print(shown)


@app.command("closed-periods")
def closed_periods(connection: Which = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List how far the books are closed, by entity.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        items = client.get(f"/v1/connections/{the_connection(client, connection)}/closed-periods")["items"]
    if as_json:
        console.print_json(data=items)
        return
    shown = table("Closed periods", "entity", "closed through", "by the ERP", "set here", "by")
    for period in items:
        shown.add_row(
            period["entity"] or "whole company",
            period["closed_through"] or "",
            period["erp_closed_through"] or "",
            period["set_closed_through"] or "",
            period["set_by"] or "",
        )
    console.print(shown)


def _more(entry: dict[str, Any]) -> str:
    values = {**entry.get("attributes", {}), **entry.get("kept_here", {})}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())


def _code(problem: dict[str, Any] | None) -> str:
    return "" if problem is None else str(problem["code"])


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{part}" for part in value.values() if part)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
