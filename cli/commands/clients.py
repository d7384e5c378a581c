"""`posync clients`: manage the clients of an accountant's console, with an administrator's key of the console."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.client.api_client import Api
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Clients of an accountant's console.")

CLIENTS = "/v1/console/clients"

Switch = Annotated[Literal["on", "off"], typer.Argument(help="on or off.")]
Client = Annotated[str, typer.Argument(help="The client's name or id.")]
Connection = Annotated[str | None, typer.Option(help="The connection's id; not needed if the client has only one.")]


@app.command("list")
def list_clients(as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show the clients, their connections, and the settings you can switch."""
    with api(state_dir) as client:
        result = list(client.pages(CLIENTS, limit=200))
    if as_json:
        console.print_json(data=result)
        return
    shown = table("Clients", "client", "connection", "ERP", "state", "purchase orders", "matching", "3-way")
    for each in result:
        who = f"{each['name']}\n{each['id']}"
        for link in each["connections"]:
            orders, matching = _said(link)
            refused = link["three_way_refused"]
            three_way = "on" if matching == "3-way" else "can be switched on" if refused is None else refused["message"]
            state = link["state"].replace("_", " ")
            shown.add_row(who, f"{link['name']}\n{link['id']}", link["erp"], state, orders, matching, three_way)
            who = ""
        if not each["connections"]:
            shown.add_row(who, "none yet")
    console.print(shown)


@app.command("three-way")
def three_way(
    switch: Switch,
    client: Client,
    connection: Connection = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Switch a client's 3-way matching on (bills are compared with receipts too) or off (with the order only).

    Purchase orders must be on. Orders get their status in the new mode at once, and bills in review are matched again.
    """
    mode = "three_way" if switch == "on" else "two_way"
    _switch({"match_mode": mode}, client, connection, as_json=as_json, state_dir=state_dir)


@app.command("purchase-orders")
def purchase_orders(
    switch: Switch,
    client: Client,
    connection: Connection = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Switch a client's purchase orders on or off. With off, orders are hidden and no longer synced; links stay."""
    _switch({"purchase_orders_enabled": switch == "on"}, client, connection, as_json=as_json, state_dir=state_dir)


def _switch(change: dict[str, Any], name: str, connection: str | None, *, as_json: bool, state_dir: Path) -> None:
    with api(state_dir) as http:
        client = _find(http, name)
        path = f"{CLIENTS}/{client['id']}/connections/{connection or _the_only_connection(client)}"
        done = http.patch(path, change)
    if as_json:
        console.print_json(data=done)
        return
    orders, matching = _said(done)
    line = f"{client['name']}, {done['id']}: purchase orders {orders}, {matching} matching."
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _find(http: Api, name: str) -> dict[str, Any]:
    results = [each for each in http.pages(CLIENTS, limit=200) if name in (each["id"], each["name"])]
    if len(results) == 1:
        return results[0]
    if not results:
        raise typer.BadParameter(f"no client {name!r}; `posync clients list` shows them", param_hint="client")
    ids = ", ".join(each["id"] for each in results)
    raise typer.BadParameter(f"several clients are called {name!r}; give one's id: {ids}", param_hint="client")


def _the_only_connection(client: dict[str, Any]) -> str:
    ids = [str(link["id"]) for link in client["connections"]]
    if len(ids) != 1:
        result = f"say which: {', '.join(ids)}" if ids else "it is connected to no ERP yet"
        raise typer.BadParameter(f"{client['name']} has {len(ids)} connections; {result}", param_hint="--connection")
    return ids[0]


def _said(link: dict[str, Any]) -> tuple[str, str]:
    matching = {"two_way": "2-way", "three_way": "3-way"}[link["match_mode"]]
    return ("on" if link["purchase_orders_enabled"] else "off"), matching
