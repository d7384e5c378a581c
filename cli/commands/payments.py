"""`posync payments`: list, schedule and abandon payments of bills."""

import re
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.client.api_client import Api
from cli.client.by_number import find_bill
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
    vendor: Annotated[str | None, typer.Option(help="Only those to this vendor, by the ERP's id of it.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Only the one with this number, or this id of your own system.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List payments: what is paid when, and what it waits for.
    \f
    Raises:
        typer.BadParameter: There is no such bill, or more than one.
    """
    with api(state_dir) as client:
        bill_id = None if bill is None else find_bill(client, bill)["id"]
        payments = list(
            client.pages(
                "/v1/payments", bill=bill_id, connection=connection, status=status, vendor=vendor, reference=reference
            )
        )
        paid = {share["bill_id"] for each in payments for share in each["shares"]}
        numbers = {one: client.get(f"/v1/bills/{one}")["number"] for one in paid}
    if as_json:
        console.print_json(data=payments)
        return
    shown = table("Payments", "id", "bills", "amount", "day", "status", right=("amount",))
    for payment in payments:
        shown.add_row(
            payment["id"],
            ", ".join(numbers[share["bill_id"]] for share in payment["shares"]),
            f"{payment['amount']} {payment['currency']}",
            payment["pay_on"],
            _status(payment),
        )
    console.print(shown)


@app.command()
def pay(
    bills: Annotated[
        list[str],
        typer.Argument(
            metavar="NUMBER[=AMOUNT]...",
            help="The supplier's invoice number, or the bill's id; with an amount, like INV-7=40.00, a part of it.",
        ),
    ],
    amount: Annotated[
        str | None, typer.Option(help="Of a single bill: how much; default: all that is open and not promised yet.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="The day, like 2026-11-30; default: today.")] = None,
    bank_account: Annotated[str | None, typer.Option(help="Default: the connection's.")] = None,
    method: Annotated[str | None, typer.Option(help="check, eft, ach, cash or card; default: eft or card.")] = None,
    reference: Annotated[str | None, typer.Option(help="Its number for people: of a cheque, or the bank's.")] = None,
    external_id: Annotated[str | None, typer.Option(help="What your own system calls it.")] = None,
    paid_outside: Annotated[
        bool, typer.Option("--paid-outside", help="It was paid already, on the day given; it is only recorded.")
    ] = False,
    net: Annotated[str | None, typer.Option(help="With fees: what the vendor gets.")] = None,
    fee: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND=AMOUNT or KIND=AMOUNT@ACCOUNT; transaction_fee and withholding become credits on the bill,"
            " payment_service_fee and exchange_fee are part of the payment."
        ),
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Schedule a payment of a bill, or one of several bills of a vendor. It is submitted to the ERP on its day, once.
    \f
    Raises:
        typer.BadParameter: There is no such bill, or more than one.
    """
    with api(state_dir) as client:
        shares = [_share(client, one, amount if len(bills) == 1 else None) for one in bills]
        first = shares[0][0]
        body: dict[str, Any] = {
            "pay_on": on or today_of(client, first["connection_id"]),
            "bank_account": bank_account,
            "method": method,
        }
        more: dict[str, Any] = {"reference": reference, "external_id": external_id, "paid_outside": paid_outside}
        more |= {"net": net, "fees": [_fee(one) for one in fee or ()]}
        if len(shares) == 1 and first["origin"] == "posync" and not any(more.values()):
            body["amount"] = shares[0][1]
            payment = client.post(f"/v1/bills/{first['id']}/payments", body)["payment"]
        else:
            body["bills"] = [{"bill_id": bill["id"], "amount": share} for bill, share in shares]
            payment = client.post("/v1/payments", {**body, **more})["payment"]
    if as_json:
        console.print_json(data=payment)
        return
    paid = f"{payment['amount']} {first['currency']} of {', '.join(bill['number'] for bill, _ in shares)}"
    console.print(f"{payment['id']}: {paid} on {payment['pay_on']}, {_status(payment)}.", highlight=False)


def _fee(text: str) -> dict[str, str | None]:
    kind, _, rest = text.partition("=")
    amount, _, account = rest.partition("@")
    if not kind or not amount:
        raise typer.BadParameter(f"{text!r} is not KIND=AMOUNT or KIND=AMOUNT@ACCOUNT")
    return {"kind": kind, "amount": amount, "account": account or None}


@app.command()
def void(
    payment_id: Annotated[str, typer.Argument(metavar="ID", help="The payment's id, as `posync payments list` shows.")],
    why: Annotated[str, typer.Option(help="The reason; it is kept with the payment.")],
    on: Annotated[
        str | None, typer.Option("--on", help="The day of the void, like 2026-11-30; default: today.")
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Void a payment that the ERP has posted. Its amount is then due again."""
    with api(state_dir) as client:
        payment = client.post(f"/v1/payments/{payment_id}/void", {"reason": why, "on": on})
    console.print(f"{payment_id}: {_status(payment)}.", highlight=False)


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


def _share(client: Api, named: str, amount: str | None) -> tuple[dict[str, Any], str]:
    """Return a bill and how much of it is paid: as named behind it, else `amount`, else all that is open."""
    number, _, behind = named.rpartition("=") if _AMOUNT.search(named) else (named, "", "")
    bill = find_bill(client, number)
    return bill, behind or amount or _open(bill)


_AMOUNT = re.compile(r".=[0-9]+([.][0-9]{1,2})?$")


def _open(bill: dict[str, Any]) -> str:
    """Return what of a bill is neither paid nor promised to a payment that is under way."""
    promised = (
        Decimal(share["amount"])
        for one in bill["payments"]
        if one["waits_for"]
        for share in one["shares"]
        if share["bill_id"] == bill["id"]
    )
    return str(Decimal(bill["total"]) - Decimal(bill["paid"]) - sum(promised))


def _status(payment: dict[str, Any]) -> str:
    waits_for = payment["waits_for"]
    said = str(payment["status"]).replace("_", " ")
    return f"{said}, waits for: {str(waits_for['what']).replace('_', ' ')}" if waits_for else said
