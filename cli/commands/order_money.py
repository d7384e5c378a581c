"""`posync po money`: what is billed, paid, scheduled and owed on an order."""

from typing import Annotated

import typer
from rich.markup import escape

from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table
from cli.commands.purchase_orders import find

AMOUNTS = ("ordered", "billed", "paid", "scheduled", "owed")


def show_money(
    number: Annotated[str, typer.Argument(help="The order's number or id.")],
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the money on an order: billed, paid, scheduled and owed, per line and in total."""
    with api(state_dir) as client:
        order = find(client, number)
        money = client.get(f"/v1/purchase-orders/{order['id']}/money")
    if as_json:
        console.print_json(data=money)
        return
    whole = money["whole"]
    console.print(f"[bold]{escape(money['number'])}[/] · {escape(order['vendor_name'])} · {money['currency']}")
    console.print(
        f"outstanding {whole['outstanding']} · received {_percent(whole['received_percent'])}, "
        f"billed {_percent(whole['billed_percent'])} · returned {whole['returned']}, credited {whole['credited']}",
        highlight=False,
    )
    shown = table("Money", "line", *AMOUNTS, right=AMOUNTS, whole=("line",))
    for line in money["lines"]:
        shown.add_row(str(line["line_no"]), *(line["money"][name] for name in AMOUNTS))
    if money["off_lines"] != "0.00":
        shown.add_row("else", "", money["off_lines"], "", "", "")
    shown.add_row("all", *(whole[name] for name in AMOUNTS))
    console.print(shown)
    for line in money["lines"]:
        for notice in line["notices"]:
            console.print(f"line {line['line_no']}: {notice}", markup=False, highlight=False)


def _percent(value: str | None) -> str:
    return "nothing" if value is None else f"{value} %"
