"""`posync bills`: enter bills of purchase orders and without, one by one or from a file."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.client.bill_import import Imported, Stopped, import_bills
from cli.client.connections import today_of
from cli.client.drafts import drafted_lines, written_line
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors, table
from cli.commands import bill_approvals, bill_correction, bill_decisions, bill_lists, bill_retraction, direct_bills
from cli.commands.direct_bills import account_line, print_entered
from cli.commands.purchase_orders import find
from services.imports.text_rows import UnreadableRow

app = typer.Typer(no_args_is_help=True, help="Bills, of purchase orders and without.")
app.command("enter")(direct_bills.enter)
app.command("put-on-order")(direct_bills.put_on_order)
app.command("list")(bill_lists.list_bills)
app.command("show")(bill_lists.show_bill)
app.command("edit")(bill_lists.edit_bill)
app.command()(bill_correction.correct)
app.command()(bill_approvals.approve)
app.command()(bill_approvals.deny)
app.command()(bill_approvals.delegate)
app.command()(bill_approvals.reassign)
app.command()(bill_decisions.waiting)
app.command()(bill_decisions.match)
app.command()(bill_decisions.acknowledge)
app.command()(bill_decisions.release)
app.command()(bill_decisions.abandon)
app.command()(bill_retraction.delete)
app.command()(bill_retraction.dispute)
app.command()(bill_retraction.retract)
app.command()(bill_retraction.restore)
app.command("repeat-number")(bill_decisions.repeat_number)
app.command()(bill_decisions.move)
app.command()(bill_decisions.unlink)
app.command()(bill_decisions.link)

LineOption = Annotated[
    list[str] | None,
    typer.Option("--line", help="LINE=QUANTITY, or LINE=QUANTITY@PRICE; default: all that is left to bill."),
]


@app.command()
def create(
    po: Annotated[str, typer.Argument(help="The purchase order's number or id.")],
    number: Annotated[str, typer.Option(help="The supplier's invoice number.")],
    line: LineOption = None,
    off_order: Annotated[
        list[str] | None,
        typer.Option("--off-order", help="What is on no order: ACCOUNT=AMOUNT, or ACCOUNT=AMOUNT:TEXT."),
    ] = None,
    bill_date: Annotated[str | None, typer.Option("--date", help="Like 2026-11-30; default: today.")] = None,
    due_date: Annotated[
        str | None, typer.Option("--due", help="Like 2026-12-30; default: by the payment term.")
    ] = None,
    memo: Annotated[str, typer.Option(help="The bill's memo.")] = "",
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Create one bill for a purchase order."""
    with api(state_dir) as client:
        order = find(client, po)
        lines = [written_line(text) for text in line] if line else drafted_lines(client, order["id"])
        lines += [{**account_line(text), "off_order": True} for text in off_order or ()]
        body = {
            "number": number,
            "bill_date": bill_date or today_of(client, order["connection_id"]),
            "due_date": due_date,
            "memo": memo,
            "lines": lines,
        }
        answer = client.post(f"/v1/purchase-orders/{order['id']}/bills", body)
    if as_json:
        console.print_json(data=answer)
        return
    print_entered(answer)


@app.command("import")
def import_file(
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A neutral CSV file of bills, or JSON lines (.jsonl).")
    ],
    connection: Annotated[
        str | None,
        typer.Option(help="Connection to search for rows that name no order; not needed if there is only one."),
    ] = None,
    accept_likely: Annotated[
        bool,
        typer.Option("--accept-likely", help="Also use suggested order lines that are likely, not only sure ones."),
    ] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Enter the bills of a file, in the order of the file. Unreadable rows are reported by line; the others go on.

    Rows that name no order, or no line of it, are placed where that is sure. Otherwise the bill is reported with the
    best guess and not sent. Importing the same file again creates no second bill, and goes on where an import was cut
    off. The exit code is 1 if rows were unreadable or bills were not sent. Bills with warnings or holds are saved and
    wait for a person: `posync bills waiting`.
    """
    done: list[Imported] = []
    unreadable: list[UnreadableRow] = []
    stopped: Stopped | None = None
    bar = Progress(SpinnerColumn(), TextColumn("{task.completed} bills"), TimeElapsedColumn(), console=errors)
    accept = "likely" if accept_likely else "sure"
    with api(state_dir) as client, bar:
        task = bar.add_task("bills", total=None)
        for said in import_bills(client, path, connection=connection, accept=accept):
            if isinstance(said, Imported):
                done.append(said)
                bar.advance(task)
            elif isinstance(said, UnreadableRow):
                unreadable.append(said)
            else:
                stopped = said
    if as_json:
        rows = [{"line": row.line, "column": row.column, "problem": row.problem} for row in unreadable]
        bills = [imported.as_json() for imported in done]
        console.print_json(data={"bills": bills, "unreadable_rows": rows, "complete": stopped is None})
    else:
        _report(path, done)
        for row in unreadable:
            errors.print(f"[red]{row}[/]")
    if stopped is not None:
        errors.print(f"[red]Stopped before the end of the file: {stopped.code} {stopped.detail}[/]")
        errors.print("Import the same file again: it goes on where it stopped, and enters nothing twice.")
    if stopped is not None or unreadable or not all(imported.outcome.is_saved for imported in done):
        raise typer.Exit(1)


def _report(path: Path, done: list[Imported]) -> None:
    if not done:
        console.print(f"{path.name}: no bill of it was entered.", markup=False)
        return
    outcomes = Counter((imported.outcome, imported.code) for imported in done)
    shown = table(f"{path.name}: {len(done)} bills", "outcome", "code", "bills", "first of them", right=("bills",))
    for (outcome, code), count in sorted(outcomes.items()):
        first = next(imported for imported in done if (imported.outcome, imported.code) == (outcome, code))
        example = f"{first.number} (line {first.rows[0]}) {first.detail}".strip()
        shown.add_row(outcome.replace("_", " "), code, str(count), example)
    console.print(shown)
    for imported in done:
        if not imported.outcome.is_saved:  # each needs a correction by a person
            rows = "line" if len(imported.rows) == 1 else "lines"
            where = ", ".join(map(str, imported.rows))
            console.print(f"{imported.number} ({rows} {where}), {imported.code}: {imported.detail}", markup=False)
