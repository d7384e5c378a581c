"""`posync credits`: list and show credits of vendors."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.credits import find_credit
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Credits of vendors, and what is open of them.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The vendor's number of the credit, or its id.")]


@app.command("list")
def list_credits(
    vendor: Annotated[str | None, typer.Option(help="The vendor's id or name.")] = None,
    number: Annotated[str | None, typer.Option(help="The vendor's number of the credit.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those of which something is open.")] = False,
    adjustments: Annotated[
        bool, typer.Option("--adjustments", help="The ERP's adjustments that raise what is owed instead.")
    ] = False,
    status: Annotated[str | None, typer.Option(help="Like open, partially_applied or applied.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="First day, like 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last day.")] = None,
    sort: Annotated[
        str, typer.Option(help="credit_date, total, open, number, created_at or changed_at; with - the last first.")
    ] = "-credit_date",
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show credits, newest first."""
    query = {
        "vendor": vendor,
        "number": number,
        "open": "true" if open_only else None,
        "kind": "adjustment" if adjustments else None,
        "status": status,
        "date_from": since,
        "date_to": until,
        "sort": sort,
        "limit": min(limit, 200),
    }
    credits: list[dict[str, Any]] = []
    with api(state_dir) as client:
        for credit in client.pages("/v1/credits", **query):
            credits.append(credit)
            if len(credits) == limit:
                break
    if as_json:
        console.print_json(data=credits)
        return
    if not credits:
        console.print("There is no such credit.")
        return
    amounts = ("total", "open")
    shown = table("Credits", "number", "vendor", "date", "status", *amounts, right=amounts, whole=("number", "date"))
    for credit in credits:
        status_shown = credit["status"].replace("_", " ")
        shown.add_row(
            credit["number"],
            credit["vendor_name"],
            credit["credit_date"],
            status_shown,
            credit["total"],
            credit["open"],
        )
    console.print(shown)


@app.command("show")
def show_credit(number: Number, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show one credit: its lines, and the bills that it is applied to."""
    with api(state_dir) as client:
        credit = find_credit(client, number)
    if as_json:
        console.print_json(data=credit)
        return
    console.print(
        f"[bold]{escape(credit['number'])}[/] · {escape(credit['vendor_name'])} · {credit['credit_date']} · "
        f"{credit['total']} {credit['currency']} · [bold]{credit['status'].replace('_', ' ')}[/]"
    )
    console.print(f"applied {credit['applied']}, open {credit['open']} · {credit['id']}", highlight=False)
    if credit["reference"]:
        console.print(f"reference {credit['reference']}", markup=False, highlight=False)
    lines = table("Lines", "line", "item", "account", "description", "quantity", "amount", right=("quantity", "amount"))
    for line in credit["lines"]:
        lines.add_row(
            str(line["line_no"]),
            line["item_id"] or "",
            line["account"] or "",
            line["description"],
            line["quantity"] or "",
            line["amount"],
        )
    console.print(lines)
    for one in credit["applied_to"]:
        bill = one["number"] or f"a bill that is not here ({one['erp_id']})"
        console.print(f"applied to {bill}: {one['amount']}", markup=False, highlight=False)
    for event in credit["events"]:
        why = f": {escape(event['why'])}" if event["why"] else ""
        console.print(f"{event['at'][:16]} {event['kind'].replace('_', ' ')}{why}")
