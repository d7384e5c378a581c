"""`posync purchase-orders`: switch purchase orders, and 2-way or 3-way matching, for one's own connection."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.client.connections import the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console


class OnOff(StrEnum):
    """What purchase orders are switched to."""

    ON = "on"
    OFF = "off"


class Matching(StrEnum):
    """How bills are matched."""

    TWO_WAY = "2-way"
    THREE_WAY = "3-way"


def purchase_orders(
    switch: Annotated[OnOff, typer.Argument(help="on or off.")],
    connection: Annotated[str | None, typer.Argument(metavar="[ID]", help="The connection's id.")] = None,
    match: Annotated[Matching | None, typer.Option("--match", help="2-way, or 3-way with receipts.")] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Switch purchase orders on or off; an administrator's key is needed.

    Off hides orders, and no bill is linked to them any more; links that exist stay.

    \f
    Raises:
        typer.BadParameter: None is named, and there is not exactly one.
    """
    body: dict[str, Any] = {"enabled": switch is OnOff.ON}
    if match is not None:
        body["match_mode"] = "two_way" if match is Matching.TWO_WAY else "three_way"
    with api(state_dir) as client:
        one = client.put(f"/v1/connections/{the_connection(client, connection)}/purchase-orders", body)
    if as_json:
        console.print_json(data=one)
        return
    orders = "on" if one["purchase_orders_enabled"] else "off"
    matching = "2-way" if one["match_mode"] == "two_way" else "3-way"
    console.print(f"{one['id']}: purchase orders {orders}, {matching} matching. The next sync follows it.")
