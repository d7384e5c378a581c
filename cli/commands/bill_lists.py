"""`posync bills list`, `show`, `edit`: bills by what people know of them."""

from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.api_client import Api
from cli.client.by_number import find_bill
from cli.client.terminal import (
    DEFAULT_STATE_DIR,
    AsJson,
    StateDir,
    api,
    console,
    errors,
    first_of,
    moment,
    quantity,
    say_more,
    table,
)

BillNumber = Annotated[str, typer.Argument(help="The supplier's invoice number, or the bill's id.")]


def list_bills(
    number: Annotated[str | None, typer.Option(help="The supplier's invoice number.")] = None,
    vendor: Annotated[str | None, typer.Option(help="The vendor's id or name.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="First bill date, like 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last bill date.")] = None,
    least: Annotated[str | None, typer.Option("--total-from", help="Lowest total.")] = None,
    most: Annotated[str | None, typer.Option("--total-to", help="Highest total.")] = None,
    status: Annotated[str | None, typer.Option(help="Like awaiting_approval, on_hold, synced or paid.")] = None,
    approver: Annotated[
        str | None, typer.Option(help="Whose turn it is to approve them: an e-mail address, or an id.")
    ] = None,
    changed_since: Annotated[str | None, typer.Option(help="Like 2026-11-20T09:30:00Z.")] = None,
    sort: Annotated[
        str, typer.Option(help="created_at, changed_at, bill_date, due_date, total or number; with - the last first.")
    ] = "-created_at",
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show bills, newest first."""
    query = {
        "number": number,
        "vendor": vendor,
        "date_from": since,
        "date_to": until,
        "total_from": least,
        "total_to": most,
        "status": status,
        "approver": approver,
        "changed_since": changed_since,
        "sort": sort,
        "limit": min(limit + 1, 200),
    }
    with api(state_dir) as client:
        bills, more = first_of(client.pages("/v1/bills", **query), limit)
    if as_json:
        console.print_json(data=bills)
        say_more(more)
        return
    if not bills:
        console.print("There is no such bill.")
        return
    copied = ("number", "date", "due", "total")
    # Two companies may use the same numbers.
    several = len({bill["connection_id"] for bill in bills}) > 1
    where = ("connection",) if several else ()
    columns = ("number", *where, "vendor", "date", "due", "status", "total")
    shown = table("Bills", *columns, right=("total",), whole=copied)
    for bill in bills:
        named = (bill["number"], *((bill["connection_id"],) if several else ()))
        approval = f" ({bill['approval']})" if bill["status"] == "awaiting_approval" else ""
        shown.add_row(
            *named,
            bill["vendor_name"],
            bill["bill_date"],
            bill["due_date"] or "",
            _spoken(bill["status"]) + approval,
            bill["total"],
        )
    console.print(shown)
    say_more(more)


def show_bill(number: BillNumber, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show one bill: its lines with their orders, its approval, its payments, and what happened to it."""
    with api(state_dir) as client:
        bill = find_bill(client, number)
        approval = client.get(f"/v1/bills/{bill['id']}/approval")
        since = _outage_since(client, bill)
    if as_json:
        console.print_json(data={**bill, "approval_steps": approval["steps"]})
        return
    console.print(
        f"[bold]{escape(bill['number'])}[/] · {escape(bill['vendor_name'])} · {bill['bill_date']} · "
        f"{bill['total']} {bill['currency']} · [bold]{_spoken(bill['status'])}[/]"
    )
    place = bill["document_id"] or "not in the ERP"
    if bill["parts"]:
        there = [part for part in bill["parts"] if part["state"] in ("in_erp", "link_missing", "differs")]
        place = f"{len(there)} of {len(bill['parts'])} parts in the ERP"
    console.print(f"{escape(place)} · paid {bill['paid']}, due {bill['due']} · {bill['id']}")
    if since is not None:
        console.print(f"The ERP has not answered since {moment(since)}. The bill goes out by itself when it does.")
    several = len({line["purchase_order_id"] for line in bill["lines"]}) > 1
    numbers = ("quantity", "price", "amount")
    accounts = any(line["off_order"] for line in bill["lines"])
    columns = ("line", *(("order",) if several else ()), "item", *(("account",) if accounts else ()), "description")
    lines = table(f"Lines, for {bill['reference'] or 'no order'}", *columns, *numbers, right=numbers)
    for line in bill["lines"]:
        order = (line["purchase_order_number"] or "",) if several else ()
        figures = (quantity(line["quantity"]), *(line[name] or "" for name in numbers[1:]))
        account = (line["account"] or "",) if accounts else ()
        lines.add_row(str(line["line_no"]), *order, line["item_id"] or "", *account, line["description"], *figures)
    console.print(lines)
    if bill["parts"]:
        _print_parts(bill["parts"])
    if approval["approval"] != "not_required":
        _print_approval(approval)
    for reminder in bill["reminders"]:
        console.print(reminder["message"], markup=False)
    if bill["editable"]["why"]:
        fields = ", ".join([*bill["editable"]["fields"], *bill["editable"]["line_fields"]]) or "nothing"
        console.print(f"May be edited: {fields}. {bill['editable']['why']}", markup=False, highlight=False)
    for payment in bill["payments"]:
        share = sum(Decimal(share["amount"]) for share in payment["shares"] if share["bill_id"] == bill["id"])
        of = "" if share == Decimal(payment["amount"]) else f" of a payment of {payment['amount']}"
        console.print(f"payment {share}{of} on {payment['pay_on']}: {_spoken(payment['status'])}")
    for event in bill["events"]:
        why = f": {escape(event['why'])}" if event["why"] else ""
        console.print(f"{moment(event['at'])} {_spoken(event['kind'])} by {escape(who(event['actor']))}{why}")


def _outage_since(client: Api, bill: dict[str, Any]) -> str | None:
    """Return since when the ERP does not answer that a bill is on its way to; None: it does, or none waits for it."""
    if bill["status"] != "pending_push":
        return None
    connection = client.get(f"/v1/connections/{bill['connection_id']}")
    since: str | None = connection["outage_since"]
    return since


def _print_parts(parts: list[dict[str, Any]]) -> None:
    shown = table("Parts", "part", "from", "in the ERP", "state", "paid", "total", right=("paid", "total"))
    for part in parts:
        shown.add_row(
            str(part["part_no"]),
            part["source_document"],
            part["document_id"] or "",
            _spoken(part["state"]),
            part["paid"],
            part["total"],
        )
    console.print(shown)
    for part in parts:
        if part["problem"]:
            console.print(f"part {part['part_no']}: {part['problem']}", markup=False)


def _print_approval(approval: dict[str, Any]) -> None:
    console.print(f"Approval: [bold]{_spoken(approval['approval'])}[/]")
    for position, step in enumerate(approval["steps"], start=1):
        asked = " or ".join(person["name"] for person in step["approvers"])
        if step["approved_by"]:
            state = f"approved by {step['approved_by']['name']} on {step['approved_at'][:10]}"
        else:
            state = f"{asked} to approve" + (", now" if step["is_turn"] else "")
        console.print(f"  step {position}: {escape(state)}")
    for kept in approval["kept_from_approving"]:
        console.print(f"  {escape(kept['person']['name'])} {escape(kept['why'])}, and does not approve it")


def edit_bill(
    number: BillNumber,
    memo: Annotated[str | None, typer.Option(help="The bill's memo.")] = None,
    due: Annotated[str | None, typer.Option(help="The due date, like 2026-12-30.")] = None,
    bill_date: Annotated[str | None, typer.Option("--date", help="The bill date.")] = None,
    posting_date: Annotated[str | None, typer.Option(help="The date that decides the accounting period.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Change a bill's memo or its dates. What may still change depends on whether the ERP holds it."""
    given = {"memo": memo, "due_date": due, "bill_date": bill_date, "posting_date": posting_date}
    change = {name: value for name, value in given.items() if value is not None}
    if not change:
        raise typer.BadParameter("say what to change: --memo, --due, --date or --posting-date")
    with api(state_dir) as client:
        bill = find_bill(client, number)
        if bill["editable"]["why"]:
            errors.print(escape(bill["editable"]["why"]))
        answer = client.patch(f"/v1/bills/{bill['id']}", change)
    pending = "; the ERP gets it next" if answer["bill"]["edit_pending"] else ""
    console.print(f"{bill['number']}: changed {', '.join(change)}{pending}", highlight=False)
    for notice in answer["notices"]:
        console.print(notice["message"])


def who(actor: str) -> str:
    """Return who acted, by name: events carry ids too."""
    return actor.split(" (", 1)[0]


def _spoken(value: str) -> str:
    return value.replace("_", " ")
