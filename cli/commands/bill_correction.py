"""`posync bills correct`: change a bill that was not sent, its figures and its order too."""

from typing import Annotated, Any

import typer

from cli.client.by_number import find_bill
from cli.client.drafts import written_line
from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, console
from cli.commands.direct_bills import account_line
from cli.commands.purchase_orders import find

ACCOUNT_LINE = ("account", "amount", "description", "department", "location", "class_id", "project", "custom")
CARRIED = (
    "description",
    "substitute",
    "account",
    "department",
    "location",
    "class_id",
    "project",
    "warehouse",
    "custom",
)


def correct(
    number: Annotated[str, typer.Argument(help="The supplier's invoice number, or the bill's id.")],
    po: Annotated[str | None, typer.Option("--po", help="The order that it bills; default: the one it is on.")] = None,
    new_number: Annotated[str | None, typer.Option("--number", help="The supplier's invoice number.")] = None,
    bill_date: Annotated[str | None, typer.Option("--date", help="The bill date, like 2026-11-30.")] = None,
    line: Annotated[
        list[str] | None,
        typer.Option(
            "--line",
            help="LINE=QUANTITY or LINE=QUANTITY@PRICE of the order; without one ACCOUNT=AMOUNT:TEXT. Default: as is.",
        ),
    ] = None,
    vendor: Annotated[str | None, typer.Option(help="Who sent the bill; of a bill without an order.")] = None,
    due_date: Annotated[str | None, typer.Option("--due", help="When it is due, like 2026-12-30.")] = None,
    total: Annotated[str | None, typer.Option(help="The total that the supplier wrote.")] = None,
    memo: Annotated[str | None, typer.Option(help="The bill's memo.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Correct a bill that the ERP does not hold: number, dates, lines, quantities, prices, or the order it is on; of a
    bill without an order its vendor, accounts and amounts.

    It is matched again. With another order, say its lines with --line.
    """
    with api(state_dir) as client:
        bill = find_bill(client, number)
        header = {
            "number": new_number or bill["number"],
            "bill_date": bill_date or bill["bill_date"],
            # One of its own stays; without one the posting date follows the bill date.
            "posting_date": None if bill["posting_date"] == bill["bill_date"] else bill["posting_date"],
            "due_date": due_date or bill["due_date"],
            "memo": bill["memo"] if memo is None else memo,
            "total": total or bill["invoice_total"],
            "part_of": bill["part_of"],
            "tax": bill["tax"],
            "discount": bill["discount"],
            "charges": bill["charges"],
        }
        if bill["direct"]:
            if po is not None:
                raise typer.BadParameter("put it on the order: posync bills put-on-order", param_hint="--po")
            _show(client.post(f"/v1/bills/{bill['id']}", {**header, **_without_order(bill, vendor, line)}))
            return
        if vendor is not None:
            raise typer.BadParameter("the order's vendor sent it: name another order", param_hint="--vendor")
        order_id = find(client, po)["id"] if po else bill["purchase_order_id"]
        if order_id is None:
            raise typer.BadParameter("the bill is on no order: name one", param_hint="--po")
        if line is None and order_id != bill["purchase_order_id"]:
            raise typer.BadParameter("say which lines of the other order it bills", param_hint="--line")
        body = {
            **header,
            "match_mode": bill["match_mode"],
            "lines": [written_line(text) for text in line] if line else [_as_it_is(one) for one in bill["lines"]],
        }
        _show(client.post(f"/v1/purchase-orders/{order_id}/bills/{bill['id']}", body))


def _show(answer: dict[str, Any]) -> None:
    console.print(f"{answer['bill']['number']}: {answer['bill']['status'].replace('_', ' ')}.", highlight=False)
    for finding in answer["match"]["findings"]:
        console.print(f"  {finding['id']}: {finding['message']}", markup=False)


def _without_order(bill: dict[str, Any], vendor: str | None, lines: list[str] | None) -> dict[str, Any]:
    """Return what a bill without an order says besides its header; lines that are not given stay."""
    stay = [{name: one[name] for name in ACCOUNT_LINE if one[name]} for one in bill["lines"]]
    return {
        "connection_id": bill["connection_id"],
        "vendor_id": vendor or bill["vendor_id"],
        "entity": bill["entity"],
        "term": bill["term"],
        "lines": [account_line(text) for text in lines] if lines else stay,
    }


def _as_it_is(line: dict[str, Any]) -> dict[str, Any]:
    kept = {name: line[name] for name in CARRIED if line.get(name)}
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
