"""`posync po`: show purchase orders as the mirror has them, and limit how their lines may be billed."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.api_client import Api, ApiProblem
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, first_of, quantity, say_more, table

app = typer.Typer(no_args_is_help=True, help="Purchase orders: view-only, as the ERP has them.")


@app.command("list")
def list_purchase_orders(
    vendor: Annotated[str | None, typer.Option(help="Only orders of this vendor, by its id.")] = None,
    status: Annotated[
        str | None, typer.Option(help="unfilled, partially_filled, filled, closed or pending_approval.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", "-q", help="Only orders whose number contains this.")
    ] = None,
    sort: Annotated[
        str, typer.Option(help="ordered_on, number, total or changed_at; with - the last first.")
    ] = "-ordered_on",
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show purchase orders, most recent first unless --sort says otherwise."""
    with api(state_dir) as client:
        orders, more = first_of(
            client.pages(
                "/v1/purchase-orders", vendor=vendor, status=status, q=search, sort=sort, limit=min(limit + 1, 200)
            ),
            limit,
        )
    if as_json:
        console.print_json(data=orders)
        say_more(more)
        return
    if not orders:
        console.print("There is no such purchase order. `posync sync` brings new ones in.")
        return
    # Two companies may use the same numbers.
    several = len({order["connection_id"] for order in orders}) > 1
    where = ("connection",) if several else ()
    columns = ("number", *where, "vendor", "date", "status", "in the ERP", "total")
    shown = table("Purchase orders", *columns, right=("total",))
    for order in orders:
        status = order["status"].replace("_", " ")
        total = f"{order['total']} {order['currency']}"
        named = (order["number"], *((order["connection_id"],) if several else ()))
        shown.add_row(*named, order["vendor_name"], order["ordered_on"], status, order["erp_status"], total)
    console.print(shown)
    say_more(more)


@app.command("show")
def show_purchase_order(
    number: Annotated[str, typer.Argument(help="The order's number or id.")],
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show one purchase order: what is ordered, received, billed and still open on each line, and its bills."""
    with api(state_dir) as client:
        order = find(client, number)
        bills = list(client.pages(f"/v1/purchase-orders/{order['id']}/bills"))
    if as_json:
        console.print_json(data={**order, "bills": bills})
        return
    named = f"[bold]{escape(order['number'])}[/] · {escape(order['vendor_name'])} · {order['ordered_on']}"
    status = f"[bold]{order['status'].replace('_', ' ')}[/] ({escape(order['erp_status'])} in the ERP)"
    console.print(f"{named} · {order['total']} {order['currency']} · {status}")
    numbers = ("ordered", "received", "billed", "pending", "credited", "remaining", "price")
    lines = table("Lines", "line", "item", "description", *numbers, right=numbers)
    for line in order["lines"]:
        quantities = [quantity(line["quantity" if name == "ordered" else name]) for name in numbers[:-1]]
        lines.add_row(str(line["line_no"]), line["item_id"], line["description"], *quantities, str(line["price"]))
    console.print(lines)
    shown = table("Bills", "number", "status", "total", "paid", "ERP document", right=("total", "paid"))
    for bill in bills:
        status = bill["status"].replace("_", " ")
        shown.add_row(bill["number"], status, str(bill["total"]), str(bill["paid"]), bill["document_id"] or "")
    console.print(shown)


@app.command("limit")
def limit_line(
    number: Annotated[str, typer.Argument(help="The order's number or id.")],
    line: Annotated[int, typer.Argument(help="The line's number.")],
    ends: Annotated[str | None, typer.Option(help="The last bill date it accepts, like 2026-12-31.")] = None,
    cap: Annotated[str | None, typer.Option(help="The most that one bill may take of it.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Limit how a blanket line may be billed; without --ends and --cap it has no limit any more."""
    with api(state_dir) as client:
        order = find(client, number)
        ids = {one["line_no"]: one["order_line_id"] for one in order["lines"]}
        if line not in ids:
            raise typer.BadParameter(f"{order['number']} has no line {line}", param_hint="line")
        path = f"/v1/purchase-orders/{order['id']}/lines/{ids[line]}/limits"
        limits = client.put(path, {"ends_on": ends, "release_cap": cap})
    until = f"until {limits['ends_on']}" if limits["ends_on"] else "without an end"
    most = f"at most {limits['release_cap']} at once" if limits["release_cap"] else "any amount at once"
    console.print(f"{order['number']} line {line}: {until}, {most}", highlight=False)


def find(client: Api, number: str) -> dict[str, Any]:
    """Return an order by its number, by its connection and number as in `intacct-acme-100/PO-1007`, or by its id.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    whole = number
    connection, _, rest = number.partition("/")
    if rest and connection in {one["id"] for one in client.get("/v1/connections")["items"]}:
        number = rest
    else:
        connection = ""
    if number.startswith("po_"):
        try:
            return dict(client.get(f"/v1/purchase-orders/{number}"))
        except ApiProblem as problem:
            if problem.status != 404:
                raise
    results = [
        order
        for order in client.pages("/v1/purchase-orders", q=number, connection=connection or None)
        if order["number"] == number
    ]
    if not results:
        raise typer.BadParameter(
            f"there is no purchase order {number}; `posync po list` shows all, `posync sync` brings new ones in",
            param_hint="number",
        )
    if len(results) > 1:
        ids = ", ".join(_one_of_several(order, results) for order in results)
        raise typer.BadParameter(f"there is more than one {whole}; pass yours as one of {ids}", param_hint="number")
    return dict(client.get(f"/v1/purchase-orders/{results[0]['id']}"))


def _one_of_several(order: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    """Return what names this one of several orders of a number: its connection, or its id within one connection."""
    alone = sum(other["connection_id"] == order["connection_id"] for other in others) == 1
    return f"{order['connection_id']}/{order['number']}" if alone else str(order["id"])
