"""`posync clients`: an accountant's console over its clients, with an administrator's key of the console."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.api_client import Api
from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Clients of an accountant's console.")

CLIENTS = "/v1/console/clients"

Switch = Annotated[Literal["on", "off"], typer.Argument(help="on or off.")]
Client = Annotated[str, typer.Argument(help="The client's name, or its id.")]
Connection = Annotated[str | None, typer.Option(help="Its id; not needed when the client has one only.")]


@app.command("list")
def list_clients(as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show the clients, their connections, and what can be switched there."""
    with api(state_dir) as client:
        found = list(client.pages(CLIENTS, limit=200))
    if as_json:
        console.print_json(data=found)
        return
    shown = table("Clients", "client", "connection", "ERP", "state", "purchase orders", "matching", "3-way")
    for each in found:
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
    """Match a client's bills with what was received too, or (off) with the order only.

    Purchase orders must be on. Orders get their status in the new way at once, bills that wait are matched again.
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
    """Switch a client's purchase orders on or off. Off: links stay, orders are hidden and no longer synced."""
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
    told = f"{client['name']}, {done['id']}: purchase orders {orders}, {matching} matching."
    console.print(told, markup=False, highlight=False, soft_wrap=True)


def _find(http: Api, name: str) -> dict[str, Any]:
    found = [each for each in http.pages(CLIENTS, limit=200) if name in (each["id"], each["name"])]
    if len(found) == 1:
        return found[0]
    if not found:
        raise typer.BadParameter(f"no client {name!r}; `posync clients list` shows them", param_hint="client")
    ids = ", ".join(each["id"] for each in found)
    raise typer.BadParameter(f"several clients are called {name!r}; give one's id: {ids}", param_hint="client")


def _the_only_connection(client: dict[str, Any]) -> str:
    ids = [str(link["id"]) for link in client["connections"]]
    if len(ids) != 1:
        found = f"say which: {', '.join(ids)}" if ids else "it is connected to no ERP yet"
        raise typer.BadParameter(f"{client['name']} has {len(ids)} connections; {found}", param_hint="--connection")
    return ids[0]


def _said(link: dict[str, Any]) -> tuple[str, str]:
    matching = {"two_way": "2-way", "three_way": "3-way"}[link["match_mode"]]
    return ("on" if link["purchase_orders_enabled"] else "off"), matching
