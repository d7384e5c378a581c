"""`posync bills`: enter bills against purchase orders, one or a file of them."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import bill_decisions
from cli.bill_import import Imported, UnreadableFile, import_bills, read_bills
from cli.purchase_orders import find
from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors, table

app = typer.Typer(no_args_is_help=True, help="Bills against purchase orders.")
app.command()(bill_decisions.waiting)
app.command()(bill_decisions.match)
app.command()(bill_decisions.acknowledge)
app.command()(bill_decisions.release)
app.command()(bill_decisions.abandon)

NOT_SENT = ("blocked", "refused", "no_purchase_order", "unsure")
"""Outcomes of an import by which nothing was saved."""

LineOption = Annotated[
    list[str] | None,
    typer.Option("--line", help="LINE=QUANTITY, or LINE=QUANTITY@PRICE; without any: all that is left to bill."),
]


@app.command()
def create(
    po: Annotated[str, typer.Argument(help="The purchase order's number, or its id.")],
    number: Annotated[str, typer.Option(help="The supplier's invoice number.")],
    line: LineOption = None,
    bill_date: Annotated[str | None, typer.Option("--date", help="2026-11-30; today without it.")] = None,
    due_date: Annotated[str | None, typer.Option("--due", help="2026-12-30; by the vendor's term without it.")] = None,
    memo: Annotated[str, typer.Option(help="What the bill says.")] = "",
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Create one bill for a purchase order."""
    with api(state_dir) as client:
        order = find(client, po)
        lines = [_line(text) for text in line] if line else drafted_lines(client, order["id"])
        body = {
            "number": number,
            "bill_date": bill_date or datetime.now(UTC).date().isoformat(),
            "due_date": due_date,
            "memo": memo,
            "lines": lines,
        }
        answer = client.post(f"/v1/purchase-orders/{order['id']}/bills", body)
    if as_json:
        console.print_json(data=answer)
        return
    bill = answer["bill"]
    status = bill["status"].replace("_", " ")
    console.print(f"{bill['number']} · {bill['total']} {bill['currency']} · {status} · {bill['id']}")
    for finding in answer["match"]["findings"]:
        console.print(f"  {finding['id']}: {finding['message']}")
    if answer["needs"]:
        console.print("  It is saved and waits: `posync bills acknowledge`, `release` or `abandon`.")


def drafted_lines(client: Any, order_id: str) -> list[dict[str, Any]]:
    """All that is left to bill, as the API's draft has it."""
    draft = client.get(f"/v1/purchase-orders/{order_id}/bill-draft")
    return [
        {"order_line_no": line["order_line_no"], "quantity": line["quantity"], "price": line["price"]}
        for line in draft["lines"]
        if Decimal(line["quantity"]) > 0
    ]


def _line(text: str) -> dict[str, Any]:
    number, _, rest = text.partition("=")
    quantity, _, price = rest.partition("@")
    try:
        line: dict[str, Any] = {"order_line_no": int(number), "quantity": str(Decimal(quantity))}
        if price:
            line["price"] = str(Decimal(price))
    except (ValueError, InvalidOperation) as error:
        raise typer.BadParameter(
            f"{text!r} is not LINE=QUANTITY or LINE=QUANTITY@PRICE", param_hint="--line"
        ) from error
    return line


@app.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A neutral CSV file of bills.")],
    connection: Annotated[
        str | None,
        typer.Option(help="Where to look for orders of rows that name none; not needed with one connection."),
    ] = None,
    accept_likely: Annotated[
        bool,
        typer.Option("--accept-likely", help="Also take suggested order lines that are likely, not only sure ones."),
    ] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Enter a file of bills in its order. Unreadable rows are reported by line, the others go on.

    Rows that name no order or no line of it are placed where that is sure; else the bill is reported with the best
    guess and not sent. Importing the same file again makes no second bill. Ends with 1 when rows were unreadable or
    bills were not sent. Bills that warn or hold are saved and wait for a person: `posync bills waiting`.
    """
    try:
        bills, unreadable = read_bills(path)
    except UnreadableFile as error:
        raise typer.BadParameter(str(error), param_hint="path") from error
    done: list[Imported] = []
    bar = Progress(TextColumn("bills"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=errors)
    with api(state_dir) as client, bar:
        task = bar.add_task("bills", total=len(bills))
        accept = "likely" if accept_likely else "sure"
        for imported in import_bills(client, bills, connection=connection, accept=accept):
            done.append(imported)
            bar.advance(task)
    outcomes = Counter((imported.outcome, imported.code) for imported in done)
    if as_json:
        rows = [{"line": row.line, "column": row.column, "problem": row.problem} for row in unreadable]
        console.print_json(data={"bills": [imported.as_json() for imported in done], "unreadable_rows": rows})
    else:
        _report(path, done, outcomes)
        for row in unreadable:
            errors.print(f"[red]{row}[/]")
    if unreadable or any(outcome in NOT_SENT for outcome, _ in outcomes):
        raise typer.Exit(1)


def _report(path: Path, done: list[Imported], outcomes: "Counter[tuple[str, str]]") -> None:
    shown = table(f"{path.name}: {len(done)} bills", "outcome", "code", "bills", "first of them", right=("bills",))
    for (outcome, code), count in sorted(outcomes.items()):
        first = next(imported for imported in done if (imported.outcome, imported.code) == (outcome, code))
        example = f"{first.bill.number} (line {first.bill.rows[0]}) {first.detail}".strip()
        shown.add_row(outcome.replace("_", " "), code, str(count), example)
    console.print(shown)
    for imported in done:
        if imported.outcome in NOT_SENT:  # each is for a person to put right
            rows = "line" if len(imported.bill.rows) == 1 else "lines"
            where = ", ".join(map(str, imported.bill.rows))
            console.print(f"{imported.bill.number} ({rows} {where}), {imported.code}: {imported.detail}", markup=False)
