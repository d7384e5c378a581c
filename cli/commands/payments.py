"""`posync payments`: list, show, schedule, void and abandon payments of bills."""

import re
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.api_client import Api
from cli.client.by_number import find_bill, find_credit, find_payment
from cli.client.connections import today_of
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, first_of, moment, say_more, table

app = typer.Typer(no_args_is_help=True, help="Payments of bills.")

_AMOUNT = re.compile(r".=[0-9]+([.][0-9]{1,2})?$")
_ON_BILL = re.compile(r"=[0-9]+([.][0-9]{1,2})?@.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The supplier's invoice number, or the bill's id.")]


@app.command("list")
def list_payments(
    bill: Annotated[
        str | None, typer.Option(help="Only those of this bill: the supplier's invoice number, or its id.")
    ] = None,
    connection: Annotated[str | None, typer.Option(help="Only those of this connection.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those with this status, such as scheduled or paid.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Only those to this vendor: the ERP's id of it, or name.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Only the one with this number, or this id of your own system.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="First day, like 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last day.")] = None,
    sort: Annotated[
        str, typer.Option(help="created_at, changed_at, pay_on or amount; with - the last first.")
    ] = "-created_at",
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
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
        query = {
            "bill": bill_id,
            "connection": connection,
            "status": status,
            "vendor": vendor,
            "reference": reference,
            "pay_on_from": since,
            "pay_on_to": until,
            "sort": sort,
            "limit": min(limit + 1, 200),
        }
        payments, more = first_of(client.pages("/v1/payments", **query), limit)
        paid = {share["bill_id"] for each in payments for share in each["shares"]}
        numbers = {one: client.get(f"/v1/bills/{one}")["number"] for one in paid}
    if as_json:
        console.print_json(data=payments)
        say_more(more)
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
    say_more(more)


PaymentNumber = Annotated[
    str,
    typer.Argument(
        metavar="NUMBER",
        help="The payment's number for people, or its id in your own system, or the number of a bill that it alone"
        " pays, or its id here.",
    ),
]


@app.command("show")
def show_payment(number: PaymentNumber, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show one payment: the bills that it pays, the credits that go with it, its fees, and what happened to it."""
    with api(state_dir) as client:
        payment = find_payment(client, number)
        bills = {one["bill_id"]: client.get(f"/v1/bills/{one['bill_id']}") for one in payment["shares"]}
        credits = {one["credit_id"]: client.get(f"/v1/credits/{one['credit_id']}") for one in payment["credits"]}
    if as_json:
        console.print_json(data=payment)
        return
    vendor = next(iter(bills.values()))["vendor_name"]
    console.print(
        f"[bold]{payment['amount']} {payment['currency']}[/] to {escape(vendor)} on {payment['pay_on']} · "
        f"[bold]{_status(payment)}[/]"
    )
    known_by = {"reference": payment["reference"], "your id": payment["external_id"], "in the ERP": payment["erp_id"]}
    named = " · ".join(f"{what} {value}" for what, value in known_by.items() if value)
    console.print(f"{payment['id']}{' · ' if named else ''}{named}", markup=False, highlight=False)
    how = f"{payment['method']} from {payment['bank_account']}" if payment["method"] else "made in the ERP"
    submitted = f" · submitted on {payment['submitted_on']}" if payment["submitted_on"] else ""
    console.print(f"{how}{submitted}", markup=False, highlight=False)
    shown = table("Bills", "bill", "money", "credit", "by", right=("money", "credit"), whole=("bill",))
    for share in payment["shares"]:
        of_bill = [one for one in payment["credits"] if one["bill_id"] == share["bill_id"]]
        shown.add_row(
            bills[share["bill_id"]]["number"],
            share["amount"],
            str(sum((Decimal(one["amount"]) for one in of_bill), Decimal(0)) or ""),
            ", ".join(credits[one["credit_id"]]["number"] for one in of_bill),
        )
    console.print(shown)
    for fee in payment["fees"]:
        console.print(f"{fee['kind'].replace('_', ' ')} {fee['amount']}", highlight=False)
    for event in payment["events"]:
        why = f": {event['why']}" if event["why"] else ""
        said = f"{moment(event['at'])} {event['kind'].replace('_', ' ')} by {event['actor']}{why}"
        console.print(said, markup=False, highlight=False)


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
        str | None, typer.Option(help="Of a single bill: how much; default: all that is open and not reserved.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="The day, like 2026-11-30; default: today.")] = None,
    bank_account: Annotated[str | None, typer.Option(help="Default: the connection's.")] = None,
    method: Annotated[str | None, typer.Option(help="check, eft, ach, cash or card; default: eft or card.")] = None,
    reference: Annotated[str | None, typer.Option(help="Its number for people: of a cheque, or the bank's.")] = None,
    external_id: Annotated[str | None, typer.Option(help="What your own system calls it.")] = None,
    paid_outside: Annotated[
        bool, typer.Option("--paid-outside", help="It was paid already, on the day given; it is only recorded.")
    ] = False,
    credit: Annotated[
        list[str] | None,
        typer.Option(
            help="A credit that goes with it, like CM-7, CM-7=30.00 or CM-7=30.00@INV-1: how much of it, and to which"
            " bill; default: all that is open of both, to the only bill or the one that it is against."
        ),
    ] = None,
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
        named = [_named(client, one, amount if len(bills) == 1 else None) for one in bills]
        first = named[0][0]
        credits: list[dict[str, str]] = []
        for one in credit or ():
            credits.append(_credit(client, one, [bill for bill, _ in named], credits))
        shares = [(bill, _share(bill, share, credits)) for bill, share in named]
        body: dict[str, Any] = {
            "pay_on": on or today_of(client, first["connection_id"]),
            "bank_account": bank_account,
            "method": method,
        }
        if paid_outside:
            body["paid_outside"] = True
        body |= {name: said for name, said in (("reference", reference), ("external_id", external_id)) if said}
        more: dict[str, Any] = {"net": net, "fees": [_fee(one) for one in fee or ()], "credits": credits}
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
    credited = sum((Decimal(one["amount"]) for one in credits), Decimal(0))
    paid += f" and {credited} of credits" if credits else ""
    console.print(f"{payment['id']}: {paid} on {payment['pay_on']}, {_status(payment)}.", highlight=False)


def _fee(text: str) -> dict[str, str | None]:
    kind, _, rest = text.partition("=")
    amount, _, account = rest.partition("@")
    if not kind or not amount:
        raise typer.BadParameter(f"{text!r} is not KIND=AMOUNT or KIND=AMOUNT@ACCOUNT")
    return {"kind": kind, "amount": amount, "account": account or None}


@app.command()
def void(
    number: PaymentNumber,
    why: Annotated[str, typer.Option(help="The reason; it is kept with the payment and its bills.")],
    on: Annotated[
        str | None, typer.Option("--on", help="The day of the void, like 2026-11-30; default: today.")
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Void a payment that the ERP has posted. Its amount is then due again, and its credits are open again."""
    with api(state_dir) as client:
        payment = find_payment(client, number)
        voiding = client.post(f"/v1/payments/{payment['id']}/void", {"reason": why, "on": on})
    console.print(f"{payment['id']}: {_status(voiding)}.", highlight=False)


@app.command()
def abandon(
    number: PaymentNumber,
    why: Annotated[str, typer.Option(help="The reason; it is kept with the payment.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Abandon a payment that was not sent yet."""
    with api(state_dir) as client:
        payment = find_payment(client, number)
        client.post(f"/v1/payments/{payment['id']}/abandon", {"reason": why})
    console.print(f"{payment['id']}: abandoned.", highlight=False)


def _named(client: Api, named: str, amount: str | None) -> tuple[dict[str, Any], str | None]:
    """Return a bill and how much of it is paid: as named behind it, else `amount`; None: all that is open."""
    number, _, behind = named.rpartition("=") if _AMOUNT.search(named) else (named, "", "")
    return find_bill(client, number), behind or amount


def _share(bill: dict[str, Any], amount: str | None, credits: list[dict[str, str]]) -> str:
    """Return how much money goes to a bill: as named, else what is open of it without the credits that go to it."""
    if amount is not None:
        return amount
    return str(max(_open(bill) - _of(credits, "bill_id", bill), Decimal(0)))


def _credit(client: Api, text: str, bills: list[dict[str, Any]], before: list[dict[str, str]]) -> dict[str, str]:
    """Return what `CM-7`, `CM-7=30.00` or `CM-7=30.00@INV-1` stands for; `before`: the credits named before it.

    Raises:
        typer.BadParameter: there is no such credit, or it does not say to which of the bills it goes.
    """
    front, at, bill_number = text.rpartition("@") if _ON_BILL.search(text) else (text, "", "")
    number, _, amount = front.rpartition("=") if _AMOUNT.search(front) else (front, "", "")
    credit = find_credit(client, number)
    against = bills[0]["id"] if len(bills) == 1 else credit["credit_of"]
    wanted = find_bill(client, bill_number)["id"] if at else against
    bill = next((one for one in bills if one["id"] == wanted), None)
    if bill is None:
        raise typer.BadParameter(f"say which of the bills {text} goes to, like {number}=30.00@{bills[0]['number']}")
    left = Decimal(credit["open"]) - Decimal(credit["reserved"]) - _of(before, "credit_id", credit)
    room = _open(bill) - _of(before, "bill_id", bill)
    if not amount and min(left, room) <= 0:
        raise typer.BadParameter(f"nothing is left of {number} or of {bill['number']} for it", param_hint="--credit")
    return {"credit_id": credit["id"], "bill_id": bill["id"], "amount": amount or str(min(left, room))}


def _of(credits: list[dict[str, str]], field: str, one: dict[str, Any]) -> Decimal:
    """Return how much of these credits there is of one credit, or for one bill."""
    return sum((Decimal(each["amount"]) for each in credits if each[field] == one["id"]), Decimal(0))


def _open(bill: dict[str, Any]) -> Decimal:
    """Return what of a bill is neither paid nor reserved by what is under way."""
    return Decimal(bill["total"]) - Decimal(bill["paid"]) - Decimal(bill["reserved"])


def _status(payment: dict[str, Any]) -> str:
    waits_for = payment["waits_for"]
    said = str(payment["status"]).replace("_", " ")
    return f"{said}, waits for: {str(waits_for['what']).replace('_', ' ')}" if waits_for else said
