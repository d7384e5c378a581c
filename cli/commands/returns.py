"""`posync returns`: goods that went back to vendors, and the credits that are expected for them."""

from typing import Annotated

import typer
from rich.markup import escape

from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, first_of, quantity, say_more, table

app = typer.Typer(no_args_is_help=True, help="Goods that went back to vendors, and the credits expected for them.")


@app.command("list")
def list_returns(
    vendor: Annotated[str | None, typer.Option(help="The vendor's id or name.")] = None,
    number: Annotated[str | None, typer.Option(help="The ERP's number of the return.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that a credit is expected for.")] = False,
    since: Annotated[str | None, typer.Option("--from", help="First day, like 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last day.")] = None,
    sort: Annotated[
        str, typer.Option(help="returned_on, number or vendor_name; with - the last first.")
    ] = "returned_on",
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show returns, the oldest first unless --sort says otherwise."""
    query = {
        "vendor": vendor,
        "number": number,
        "open": "true" if open_only else None,
        "date_from": since,
        "date_to": until,
        "sort": sort,
        "limit": min(limit + 1, 200),
    }
    with api(state_dir) as client:
        matches, more = first_of(client.pages("/v1/returns", **query), limit)
    if as_json:
        console.print_json(data=matches)
        say_more(more)
        return
    if not matches:
        console.print("There is no such return.")
        return
    amounts = ("credited", "expected", "days")
    shown = table("Returns", "number", "vendor", "order", "date", *amounts, right=amounts, whole=("number", "date"))
    for one in matches:
        shown.add_row(
            one["number"],
            one["vendor_name"],
            one["purchase_order_number"] or "",
            one["returned_on"],
            one["credited"],
            one["expected_credit"],
            str(one["days_waiting"] or ""),
        )
    console.print(shown)
    say_more(more)


@app.command("show")
def show_return(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The ERP's number of the return, or its id.")],
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show one return: what went back, and what a credit is expected for.

    \f
    Raises:
        typer.BadParameter: there is no such return, or several have this number.
    """
    with api(state_dir) as client:
        named = list(client.pages("/v1/returns", number=number))
        if not named and number.startswith("receipt_"):
            named = [client.get(f"/v1/returns/{number}")]
    if not named:
        raise typer.BadParameter(f"there is no return {number}; `posync returns list` shows them")
    if len(named) > 1:
        ids = ", ".join(one["id"] for one in named)
        raise typer.BadParameter(f"{len(named)} returns are numbered {number}; name one by its id: {ids}")
    (one,) = named
    if as_json:
        console.print_json(data=one)
        return
    order = f" · order {escape(one['purchase_order_number'])}" if one["purchase_order_number"] else ""
    console.print(f"[bold]{escape(one['number'])}[/] · {escape(one['vendor_name'])} · {one['returned_on']}{order}")
    waits = f", waited for since {one['days_waiting']} days" if one["days_waiting"] else ""
    console.print(f"credited {one['credited']}, expected {one['expected_credit']} {one['currency']}{waits}")
    if one["credits"]:
        console.print(f"credits {', '.join(one['credits'])}", markup=False, highlight=False)
    right = ("returned", "expected", "price")
    lines = table("Lines", "line", "item", "description", "unit", *right, right=right)
    for line in one["lines"]:
        lines.add_row(
            str(line["purchase_order_line_no"] or ""),
            line["item_id"],
            line["description"],
            line["unit"],
            quantity(line["quantity"]),
            quantity(line["expected_quantity"]),
            line["price"],
        )
    console.print(lines)
