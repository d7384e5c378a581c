"""`posync setup`: check how the ERP is set up, and walk a person through what a program cannot see."""

from typing import Annotated, Any

import typer

from cli.client.connections import the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, moment, table
from models.domain.sync import how_often

Which = Annotated[str | None, typer.Argument(metavar="[ID]", help="The connection's id; not needed if there is one.")]

SIGNS = {"pass": "[green]ok[/]     ", "fail": "[red]wrong[/]  ", "unknown": "[yellow]unknown[/]"}


def setup(
    connection: Which = None,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask about each setting that a program cannot read.")
    ] = True,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Check how the ERP is set up for a connection, and ask about what only a person can see there.

    Ends with exit code 1 while something is wrong.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
        typer.Exit: Something is wrong.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/checks"
        checks = client.post(path)
        if as_json:
            console.print_json(data=checks)
        else:
            for check in checks["items"]:
                _print(check)
                if ask and check["state"] == "unknown" and check["read"] == "unknown":
                    _ask(client, path, check)
        checks = client.get(path)
    if not as_json:
        console.print(f"{checks['failed']} wrong, {checks['unknown']} unknown.")
    if checks["failed"]:
        raise typer.Exit(1)


def confirm(
    code: Annotated[str, typer.Argument(help="The check, such as PAYMENT_APPROVAL.")],
    value: Annotated[str, typer.Option("--value", help="What the ERP's screen shows, such as off.")],
    wrong: Annotated[bool, typer.Option("--wrong", help="It is not as it should be.")] = False,
    connection: Annotated[str | None, typer.Option("--connection", help="The connection's id.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Say what the ERP shows of a setting that a program cannot read.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/checks/{code}"
        check = client.put(path, {"state": "fail" if wrong else "pass", "value": value})
    _print(check)


def checks(connection: Which = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List the last answers to the set-up checks.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        listed = client.get(f"/v1/connections/{the_connection(client, connection)}/checks")
    if as_json:
        console.print_json(data=listed)
        return
    for check in listed["items"]:
        _print(check)
    if not listed["items"]:
        console.print("Nothing was checked yet: posync setup checks it.")


def settings(connection: Which = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List what there is to set: its value, its default, who may change it, and what it changes.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        items = client.get(f"/v1/connections/{the_connection(client, connection)}/settings")["items"]
    if as_json:
        console.print_json(data=items)
        return
    shown = table("Settings", "name", "value", "default", "who", "what it changes", whole=("name",))
    for one in items:
        who = one["set_by"] if one["can_change"] else "nobody any more"
        undo = " Cannot be undone." if one["undo"] == "never" else ""
        shown.add_row(one["name"], _said(one["value"]), _said(one["default"]), who, one["changes"] + undo)
    console.print(shown)


def accounting(
    connection: Which = None,
    departments: Annotated[bool | None, typer.Option(help="Whether bills carry departments.")] = None,
    locations: Annotated[bool | None, typer.Option(help="Whether bills carry locations.")] = None,
    classes: Annotated[bool | None, typer.Option(help="Whether bills carry classes.")] = None,
    projects: Annotated[bool | None, typer.Option(help="Whether bills carry projects.")] = None,
    posting_day: Annotated[
        str | None,
        typer.Option(help="The day bills post on where nobody gives one: bill_date, entry or open_period."),
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show which dimensions bills carry and which day they post on, or set it with an administrator's key.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    said = {"department": departments, "location": locations, "class": classes, "project": projects}
    dimensions = {name: carried for name, carried in said.items() if carried is not None}
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/accounting-settings"
        if dimensions or posting_day is not None:
            shown = client.put(path, {"dimensions": dimensions, "posting_day": posting_day})
        else:
            shown = client.get(path)
    if as_json:
        console.print_json(data=shown)
        return
    for one in shown["dimensions"]:
        console.print(f"{one['dimension']}: {'carried' if one['carried'] else 'not carried'}")
    console.print(f"posting day: {shown['posting_day'].replace('_', ' ')}")


def schedule(
    connection: Which = None,
    every: Annotated[
        int | None, typer.Option("--every", min=0, max=1440, help="Minutes between two syncs; 0: only when asked.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show how often a connection syncs by itself and when it will next, or set it.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/schedule"
        if every is not None:
            client.put(path, {"every_minutes": every or None})
        shown = client.get(path)
    if as_json:
        console.print_json(data=shown)
        return
    if shown["every_minutes"] is None:
        console.print("It syncs only when asked.")
        return
    console.print(f"It syncs {how_often(shown['every_minutes'])}: schedule {shown['id']} in Temporal.")
    if shown["paused"]:
        console.print("An operator paused it there.")
    elif shown["next_at"]:
        console.print(f"Next: {moment(shown['next_at'])}.", highlight=False)


def _said(value: Any) -> str:
    return {None: "", True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool | None) else str(value)


def _print(check: dict[str, Any]) -> None:
    console.print(f"{SIGNS[check['state']]} {check['code']}: ", end="")
    console.print(check["title"], markup=False, highlight=False)
    said = check["confirmed"]
    if check["state"] == "pass" and said is None:
        return
    console.print(f"        {check['why']}", markup=False, highlight=False)
    if said is not None:
        console.print(f"        {said['by']} saw on {said['at'][:10]}: {said['value']}", markup=False, highlight=False)
    for step in check["fix"] if check["state"] != "pass" else ():
        console.print(f"        - {step}", markup=False, highlight=False)
    if check["breaks"] and check["state"] == "fail":
        console.print(f"        Stops: {', '.join(check['breaks']).replace('_', ' ')}", markup=False, highlight=False)


def _ask(client: Any, path: str, check: dict[str, Any]) -> None:
    answer = typer.prompt("        Is it so? [y]es, [n]o, [l]ater", default="l").strip().lower()[:1]
    if answer not in ("y", "n"):
        return
    value = typer.prompt("        What does the screen show?")
    client.put(f"{path}/{check['code']}", {"state": "pass" if answer == "y" else "fail", "value": value})
