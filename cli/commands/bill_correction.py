"""`posync bills correct`: change a bill that was not sent, its figures and its order too."""

from typing import Annotated, Any

import typer

from cli.client.bills import find_bill
from cli.client.drafts import written_line
from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, console
from cli.commands.purchase_orders import find

CARRIED = ("description", "substitute", "account", "department", "location", "class_id", "project")


def correct(
    number: Annotated[str, typer.Argument(help="The supplier's invoice number, or the bill's id.")],
    po: Annotated[str | None, typer.Option("--po", help="The order that it bills; default: the one it is on.")] = None,
    new_number: Annotated[str | None, typer.Option("--number", help="The supplier's invoice number.")] = None,
    bill_date: Annotated[str | None, typer.Option("--date", help="The bill date, like 2026-11-30.")] = None,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", help="LINE=QUANTITY, or LINE=QUANTITY@PRICE, of the order; default: as it is."),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Correct a bill that the ERP does not hold: number, date, lines, quantities, prices, or the order it is on.

    It is matched again. With another order, say its lines with --line.
    """
    with api(state_dir) as client:
        bill = find_bill(client, number)
        order_id = find(client, po)["id"] if po else bill["purchase_order_id"]
        if order_id is None:
            raise typer.BadParameter("the bill is on no order: name one", param_hint="--po")
        if line is None and order_id != bill["purchase_order_id"]:
            raise typer.BadParameter("say which lines of the other order it bills", param_hint="--line")
        body = {
            "number": new_number or bill["number"],
            "bill_date": bill_date or bill["bill_date"],
            "posting_date": bill["posting_date"] if bill_date is None else None,
            "due_date": bill["due_date"],
            "memo": bill["memo"],
            "tax": bill["tax"],
            "discount": bill["discount"],
            "charges": bill["charges"],
            "match_mode": bill["match_mode"],
            "lines": [written_line(text) for text in line] if line else [_as_it_is(one) for one in bill["lines"]],
        }
        answer = client.post(f"/v1/purchase-orders/{order_id}/bills/{bill['id']}", body)
    console.print(f"{answer['bill']['number']}: {answer['bill']['status'].replace('_', ' ')}.")
    for finding in answer["match"]["findings"]:
        console.print(f"  {finding['id']}: {finding['message']}", markup=False)


def _as_it_is(line: dict[str, Any]) -> dict[str, Any]:
    kept = {name: line[name] for name in CARRIED if line[name]}
    if line["off_order"]:
        return {"off_order": True, "amount": line["amount"], **kept}
    unit = {"unit": line["billed_unit"]} if line["billed_unit"] else {}
    return {
        "order_line_id": line["order_line_id"],
        "purchase_order_id": line["purchase_order_id"],
        "quantity": line["billed_quantity"] or line["quantity"],
        "price": line["price"],
        "amount": line["amount"],
        **unit,
        **kept,
    }
