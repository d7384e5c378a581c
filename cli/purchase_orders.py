"""`posync po`: purchase orders as the mirror has them."""

from typing import Annotated, Any

import typer

from cli.api_client import Api, ApiProblem
from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Purchase orders: view-only, as the ERP has them.")


@app.command("list")
def list_purchase_orders(
    vendor: Annotated[str | None, typer.Option(help="Only this vendor's.")] = None,
    status: Annotated[str | None, typer.Option(help="unfilled, partially_filled, filled or closed.")] = None,
    search: Annotated[str | None, typer.Option("--search", "-q", help="The number contains this.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show purchase orders, most recent first."""
    with api(state_dir) as client:
        orders = []
        for order in client.pages("/v1/purchase-orders", vendor=vendor, status=status, q=search, limit=min(limit, 200)):
            orders.append(order)
            if len(orders) == limit:
                break
    if as_json:
        console.print_json(data=orders)
        return
    shown = table("Purchase orders", "number", "vendor", "date", "status", "in the ERP", "total", right=("total",))
    for order in orders:
        total = f"{order['total']} {order['currency']}"
        shown.add_row(
            order["number"], order["vendor_name"], order["ordered_on"], order["status"], order["erp_status"], total
        )
    console.print(shown)


@app.command("show")
def show_purchase_order(
    number: Annotated[str, typer.Argument(help="Its number, or its id.")],
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
    console.print(
        f"[bold]{order['number']}[/] · {order['vendor_name']} · {order['ordered_on']} · {order['total']}"
        f" {order['currency']} · [bold]{order['status']}[/] ({order['erp_status']} in the ERP)"
    )
    numbers = ("ordered", "received", "billed", "pending", "remaining", "price")
    lines = table("Lines", "line", "item", "description", *numbers, right=numbers)
    for line in order["lines"]:
        quantities = [str(line["quantity"] if name == "ordered" else line[name]) for name in numbers]
        lines.add_row(str(line["line_no"]), line["item_id"], line["description"], *quantities)
    console.print(lines)
    shown = table("Bills", "number", "status", "total", "paid", "ERP document", right=("total", "paid"))
    for bill in bills:
        shown.add_row(bill["number"], bill["status"], str(bill["total"]), str(bill["paid"]), bill["document_id"] or "")
    console.print(shown)


def find(client: Api, number: str) -> dict[str, Any]:
    """An order by its number or its id. Raises BadParameter when there is none or more than one."""
    if number.startswith("po_"):
        try:
            return dict(client.get(f"/v1/purchase-orders/{number}"))
        except ApiProblem as problem:
            if problem.status != 404:
                raise
    found = [order for order in client.pages("/v1/purchase-orders", q=number) if order["number"] == number]
    if len(found) != 1:
        reason = "there is none with this number" if not found else "several connections have it; pass its id"
        raise typer.BadParameter(f"{number}: {reason}", param_hint="number")
    return dict(client.get(f"/v1/purchase-orders/{found[0]['id']}"))
