"""`posync credits`: list, show and enter credits of vendors."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.by_number import find_bill, find_credit
from cli.client.connections import ConnectionOption, the_connection, today_of
from cli.client.terminal import (
    DEFAULT_STATE_DIR,
    AsJson,
    StateDir,
    api,
    console,
    first_of,
    moment,
    quantity,
    say_more,
    table,
)
from cli.commands.purchase_orders import find

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
        "limit": min(limit + 1, 200),
    }
    with api(state_dir) as client:
        credits, more = first_of(client.pages("/v1/credits", **query), limit)
    if as_json:
        console.print_json(data=credits)
        say_more(more)
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
    say_more(more)


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
    reserved = f", of it {credit['reserved']} reserved by applications" if Decimal(credit["reserved"]) else ""
    console.print(f"applied {credit['applied']}, open {credit['open']}{reserved} · {credit['id']}", highlight=False)
    if credit["reference"]:
        console.print(f"reference {credit['reference']}", markup=False, highlight=False)
    lines = table("Lines", "line", "item", "account", "description", "quantity", "amount", right=("quantity", "amount"))
    for line in credit["lines"]:
        lines.add_row(
            str(line["line_no"]),
            line["item_id"] or "",
            line["account"] or "",
            line["description"],
            quantity(line["quantity"]),
            line["amount"],
        )
    console.print(lines)
    for one in credit["applied_to"]:
        bill = one["number"] or f"a bill that is not here ({one['erp_id']})"
        console.print(f"applied to {bill}: {one['amount']}", markup=False, highlight=False)
    for one in credit["applications"]:
        why = f", {one['problem_code']}: {one['problem']}" if one["problem"] else ""
        console.print(f"{one['id']} {one['amount']} {one['status']}{why}", markup=False, highlight=False)
    for event in credit["events"]:
        why = f": {escape(event['why'])}" if event["why"] else ""
        console.print(f"{moment(event['at'])} {event['kind'].replace('_', ' ')}{why}")


CreditLines = Annotated[
    list[str],
    typer.Option(
        "--line",
        help="AMOUNT or ACCOUNT=AMOUNT, money only; QUANTITY@ORDER_LINE=AMOUNT gives so much of the order's line back.",
    ),
]


@app.command("enter")
def enter_credit(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The vendor's number of the credit.")],
    line: CreditLines,
    bill: Annotated[str | None, typer.Option(help="The bill it is against: the supplier's number, or its id.")] = None,
    po: Annotated[str | None, typer.Option(help="The purchase order it is against: its number or id.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Against neither: the vendor's id, number or name.")] = None,
    connection: ConnectionOption = None,
    credit_date: Annotated[str | None, typer.Option("--date", help="Like 2026-11-30; default: today.")] = None,
    memo: Annotated[str, typer.Option(help="The credit's memo.")] = "",
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Enter a credit that a vendor gave. It is refused beyond what was billed, and sent to the ERP once.

    \f
    Raises:
        typer.BadParameter: it names no bill, no order and no vendor, or a line cannot be read.
    """
    if (bill, po, vendor).count(None) != 2:
        raise typer.BadParameter("say what it is against: one of --bill, --po and --vendor")
    body: dict[str, Any] = {"number": number, "memo": memo, "lines": [credit_line(text) for text in line]}
    with api(state_dir) as client:
        if bill is not None:
            against = find_bill(client, bill)
            body["bill_id"], connection_id = against["id"], against["connection_id"]
        elif po is not None:
            against = find(client, po)
            body["purchase_order_id"], connection_id = against["id"], against["connection_id"]
        else:
            connection_id = the_connection(client, connection)
            body |= {"connection_id": connection_id, "vendor_id": vendor}
        body["credit_date"] = credit_date or today_of(client, connection_id)
        credit = client.post("/v1/credits", body)
    if as_json:
        console.print_json(data=credit)
        return
    status = credit["status"].replace("_", " ")
    console.print(f"{escape(credit['number'])} · {credit['total']} {credit['currency']} · {status} · {credit['id']}")


@app.command("apply")
def apply_credit(
    number: Number,
    bill: Annotated[
        list[str], typer.Option(help="The supplier's number of the bill, or its id; with =AMOUNT not all of it.")
    ],
    why: Annotated[str | None, typer.Option(help="The reason; it is kept with the bills and the credit.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Apply a credit to bills without money: one made here or in the ERP."""
    with api(state_dir) as client:
        credit = find_credit(client, number)
        bills = []
        for text in bill:
            name, _, amount = text.partition("=")
            bills.append({"bill_id": find_bill(client, name)["id"], "amount": amount or None})
        answer = client.post(f"/v1/credits/{credit['id']}/apply", {"bills": bills, "reason": why})
    for one in answer["applications"]:
        if one["status"] == "applying":
            console.print(f"{one['amount']} of {credit['number']}: applying · {one['id']}", highlight=False)


@app.command("unapply")
def unapply_credit(
    number: Number,
    application: Annotated[
        str | None, typer.Option(help="The application's id; default: the only one that is applied.")
    ] = None,
    why: Annotated[str | None, typer.Option(help="The reason; it is kept with the bill and the credit.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Undo an application that was made from here.

    \f
    Raises:
        typer.BadParameter: none is applied, or several are.
    """
    with api(state_dir) as client:
        credit = find_credit(client, number)
        applied = [one["id"] for one in credit["applications"] if one["status"] == "applied"]
        if application is None and len(applied) != 1:
            raise typer.BadParameter(f"pass --application: {', '.join(applied) or 'none is applied from here'}")
        body = {"application_id": application or applied[0], "reason": why}
        client.post(f"/v1/credits/{credit['id']}/unapply", body)
    console.print(f"{credit['number']}: unapplying {body['application_id']}", highlight=False)


@app.command("delete")
def delete_credit(
    number: Number,
    why: Annotated[str, typer.Option(help="The reason; it is kept with the credit.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Delete a credit that was entered here and is applied to nothing, here and in the ERP."""
    with api(state_dir) as client:
        credit = find_credit(client, number)
        answer = client.post(f"/v1/credits/{credit['id']}/delete", {"reason": why})
    console.print(f"{credit['number']}: {answer['status'].replace('_', ' ')}", highlight=False)


def credit_line(text: str) -> dict[str, Any]:
    """Return the line that `AMOUNT`, `ACCOUNT=AMOUNT` or `QUANTITY@ORDER_LINE=AMOUNT` stands for.

    Raises:
        typer.BadParameter: it is of none of these forms.
    """
    what, _, amount = text.rpartition("=")
    quantity, at, order_line = what.partition("@")
    try:
        line: dict[str, Any] = {"amount": str(Decimal(amount))}
        if at:
            return {**line, "quantity": str(Decimal(quantity)), "order_line_no": int(order_line)}
        return {**line, "account": what or None}
    except (InvalidOperation, ValueError) as error:
        raise typer.BadParameter(
            f"{text!r} is not AMOUNT, ACCOUNT=AMOUNT or QUANTITY@ORDER_LINE=AMOUNT", param_hint="--line"
        ) from error
