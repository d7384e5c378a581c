"""`posync payments`: list, schedule and abandon payments of bills."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.client.bills import find_bill
from cli.client.connections import today_of
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Payments of bills.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The supplier's invoice number, or the bill's id.")]


@app.command("list")
def list_payments(
    bill: Annotated[
        str | None, typer.Option(help="Only those of this bill: the supplier's invoice number, or its id.")
    ] = None,
    connection: Annotated[str | None, typer.Option(help="Only those of this connection.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those with this status, such as scheduled or paid.")] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List payments: what is paid when, and what it waits for.

    Raises:
        typer.BadParameter: There is no such bill, or more than one.
    """
    with api(state_dir) as client:
        bill_id = None if bill is None else find_bill(client, bill)["id"]
        payments = list(client.pages("/v1/payments", bill=bill_id, connection=connection, status=status))
        numbers = {one: client.get(f"/v1/bills/{one}")["number"] for one in {each["bill_id"] for each in payments}}
    if as_json:
        console.print_json(data=payments)
        return
    shown = table("Payments", "id", "bill", "amount", "day", "status", right=("amount",))
    for payment in payments:
        shown.add_row(
            payment["id"],
            numbers[payment["bill_id"]],
            f"{payment['amount']} {payment['currency']}",
            payment["pay_on"],
            _status(payment),
        )
    console.print(shown)


@app.command()
def pay(
    number: Number,
    amount: Annotated[
        str | None, typer.Option(help="How much, like 125.00; default: all that is open and not promised yet.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="The day, like 2026-11-30; default: today.")] = None,
    bank_account: Annotated[str | None, typer.Option(help="Default: the connection's.")] = None,
    method: Annotated[str | None, typer.Option(help="check, eft, ach, cash or card; default: eft or card.")] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Schedule a payment of a bill. It is submitted to the ERP on its day, once.

    Raises:
        typer.BadParameter: There is no such bill, or more than one.
    """
    with api(state_dir) as client:
        bill = find_bill(client, number)
        body = {
            "amount": amount or _open(bill),
            "pay_on": on or today_of(client, bill["connection_id"]),
            "bank_account": bank_account,
            "method": method,
        }
        payment = client.post(f"/v1/bills/{bill['id']}/payments", body)["payment"]
    if as_json:
        console.print_json(data=payment)
        return
    paid = f"{payment['amount']} {payment['currency']} of {bill['number']}"
    console.print(f"{payment['id']}: {paid} on {payment['pay_on']}, {_status(payment)}.", highlight=False)


@app.command()
def abandon(
    payment_id: Annotated[str, typer.Argument(metavar="ID", help="The payment's id, as `posync payments list` shows.")],
    why: Annotated[str, typer.Option(help="The reason; it is kept with the payment.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Abandon a payment that was not sent yet."""
    with api(state_dir) as client:
        client.post(f"/v1/payments/{payment_id}/abandon", {"reason": why})
    console.print(f"{payment_id}: abandoned.")


def _open(bill: dict[str, Any]) -> str:
    """Return what of a bill is neither paid nor promised to a payment that is under way."""
    promised = (Decimal(one["amount"]) for one in bill["payments"] if one["waits_for"])
    return str(Decimal(bill["total"]) - Decimal(bill["paid"]) - sum(promised))


def _status(payment: dict[str, Any]) -> str:
    waits_for = payment["waits_for"]
    said = str(payment["status"]).replace("_", " ")
    return f"{said}, waits for: {str(waits_for['what']).replace('_', ' ')}" if waits_for else said
