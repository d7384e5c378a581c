"""`posync bills enter`: enter a bill without a purchase order."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.by_number import find_bill
from cli.client.connections import ConnectionOption, the_connection, today_of
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console
from cli.commands.purchase_orders import find

AccountLines = Annotated[
    list[str],
    typer.Option(
        "--line", help="ACCOUNT=AMOUNT, or ACCOUNT=AMOUNT:TEXT; without ACCOUNT it goes to the expense account."
    ),
]


def enter(
    vendor: Annotated[str, typer.Argument(help="Who sent the bill: the vendor's id, number or name.")],
    number: Annotated[str, typer.Option(help="The supplier's invoice number.")],
    line: AccountLines,
    connection: ConnectionOption = None,
    bill_date: Annotated[str | None, typer.Option("--date", help="Like 2026-11-30; default: today.")] = None,
    due_date: Annotated[
        str | None, typer.Option("--due", help="Like 2026-12-30; default: by the payment term.")
    ] = None,
    term: Annotated[str | None, typer.Option(help="The payment term; default: the vendor's.")] = None,
    memo: Annotated[str, typer.Option(help="The bill's memo.")] = "",
    tax: Annotated[str | None, typer.Option(help="The tax on the bill.")] = None,
    total: Annotated[str | None, typer.Option(help="The total the supplier wrote, to compare with.")] = None,
    department: Annotated[str | None, typer.Option(help="The department of all lines.")] = None,
    location: Annotated[str | None, typer.Option(help="The location of all lines.")] = None,
    class_id: Annotated[str | None, typer.Option("--class", help="The class of all lines.")] = None,
    project: Annotated[str | None, typer.Option(help="The project of all lines.")] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Enter a bill without a purchase order: rent, utilities, freight alone."""
    dimensions = {"department": department, "location": location, "class_id": class_id, "project": project}
    with api(state_dir) as client:
        connection_id = the_connection(client, connection)
        body = {
            "connection_id": connection_id,
            "vendor_id": vendor,
            "number": number,
            "bill_date": bill_date or today_of(client, connection_id),
            "due_date": due_date,
            "term": term,
            "memo": memo,
            "tax": tax,
            "total": total,
            "lines": [{**account_line(text), **dimensions} for text in line],
        }
        answer = client.post("/v1/bills", body)
    if as_json:
        console.print_json(data=answer)
    else:
        print_entered(answer)


def put_on_order(
    number: Annotated[str, typer.Argument(help="The supplier's invoice number, or the bill's id.")],
    po: Annotated[str, typer.Argument(help="The purchase order's number or id.")],
    line: Annotated[
        list[str],
        typer.Option("--line", help="LINE=ORDER_LINE, or LINE=ORDER_LINE@QUANTITY; other lines stay off the order."),
    ],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Put a bill without an order on one, while nothing of it was sent. It is entered anew against the order."""
    with api(state_dir) as client:
        bill = find_bill(client, number)
        order = find(client, po)
        ids = {one["line_no"]: one["order_line_id"] for one in order["lines"]}
        body = {"purchase_order_id": order["id"], "lines": [_on_order(text, ids) for text in line]}
        created = client.post(f"/v1/bills/{bill['id']}/put-on-order", body)
    status = created["status"].replace("_", " ")
    console.print(f"{created['number']} is on {order['number']} · {status} · {created['id']}", highlight=False)


def _on_order(text: str, ids: Mapping[int, str]) -> dict[str, Any]:
    number, _, rest = text.partition("=")
    order_line, _, quantity = rest.partition("@")
    try:
        placed: dict[str, Any] = {"line_no": int(number), "order_line_id": ids[int(order_line)]}
        return {**placed, "quantity": str(Decimal(quantity))} if quantity else placed
    except (ValueError, KeyError, InvalidOperation) as error:
        raise typer.BadParameter(
            f"{text!r} is not LINE=ORDER_LINE or LINE=ORDER_LINE@QUANTITY of this order", param_hint="--line"
        ) from error


def account_line(text: str) -> dict[str, Any]:
    """Return the line that `ACCOUNT=AMOUNT:TEXT` stands for.

    Raises:
        typer.BadParameter: it is not of that form.
    """
    numbers, _, description = text.partition(":")
    account, _, amount = numbers.rpartition("=")
    try:
        return {"account": account or None, "amount": str(Decimal(amount)), "description": description}
    except InvalidOperation as error:
        raise typer.BadParameter(
            f"{text!r} is not ACCOUNT=AMOUNT or ACCOUNT=AMOUNT:TEXT", param_hint="--line"
        ) from error


def print_entered(answer: dict[str, Any]) -> None:
    """Print what became of a bill that was entered."""
    bill = answer["bill"]
    status = bill["status"].replace("_", " ")
    console.print(f"{escape(bill['number'])} · {bill['total']} {bill['currency']} · {status} · {bill['id']}")
    for finding in answer["match"]["findings"]:
        console.print(f"  {finding['id']}: {finding['message']}", markup=False)
    for notice in answer["notices"]:
        console.print(f"  {notice['message']}", markup=False)
    if bill["status"] == "awaiting_approval":
        console.print("  It is saved and waits for its approvers: `posync bills show` says for whom.")
    if any(answer["needs"].values()):
        console.print("  It is saved and in review: `posync bills acknowledge`, `release` or `abandon`.")
