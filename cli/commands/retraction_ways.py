"""`posync retractions`: how a connection's bills are taken back from the ERP."""

from typing import Annotated, Any

import typer

from cli.client.connections import ConnectionOption, the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console

app = typer.Typer(no_args_is_help=True, help="Retractions: how bills are taken back from the ERP.")

KINDS = {"order_bills": "Bills on orders", "direct_bills": "Bills without an order"}


@app.command()
def show(connection: ConnectionOption = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show how bills are taken back, and which other ways the ERP has."""
    with api(state_dir) as client:
        ways = client.get(f"/v1/connections/{the_connection(client, connection)}/retraction-ways")
    if as_json:
        console.print_json(data=ways)
    else:
        _print(ways)


@app.command("set")
def set_ways(
    orders: Annotated[str | None, typer.Option(help="Bills on orders: delete or credit.")] = None,
    direct: Annotated[str | None, typer.Option(help="Bills without an order: delete, reverse or credit.")] = None,
    connection: ConnectionOption = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Set how bills are taken back from now on; needs an administrator's key."""
    body = {"order_bills": orders, "direct_bills": direct}
    with api(state_dir) as client:
        _print(client.put(f"/v1/connections/{the_connection(client, connection)}/retraction-ways", body))


def _print(ways: dict[str, Any]) -> None:
    for kind, words in KINDS.items():
        there = ways[kind]["offered"]
        if not there:
            console.print(f"{words}: not taken back from here.")
            continue
        console.print(f"{words}: {ways[kind]['way']} (the ERP has: {', '.join(there)}).", highlight=False)
