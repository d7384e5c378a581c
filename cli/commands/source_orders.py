"""`posync source-orders`: orders of your own system, uploaded to the ERP as bills or as purchase orders."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.client.api_client import Api, ApiProblem
from cli.client.connections import the_connection
from cli.client.terminal import (
    DEFAULT_STATE_DIR,
    AsJson,
    StateDir,
    api,
    console,
    errors,
    explain,
    first_of,
    moment,
    say_more,
    table,
)
from cli.commands import contacts
from cli.source_orders.csv_file import read_orders
from services.imports.text_rows import UnreadableFile

app = typer.Typer(no_args_is_help=True, help="Orders of your own system, uploaded as bills or as purchase orders.")
app.add_typer(contacts.app, name="contacts")

Connection = Annotated[str | None, typer.Option(help="The connection; not needed if there is only one.")]

AT_ONCE = 100


@app.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file, one row for each line.")],
    connection: Connection = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Send the orders of a file, or send them again: an order that is known by its reference is replaced. Nothing goes
    to the ERP by that. The exit code is 1 if rows were unreadable or orders were refused."""
    try:
        file = read_orders(path)
    except UnreadableFile as error:
        raise typer.BadParameter(str(error), param_hint="path") from error
    saved: list[dict[str, Any]] = []
    refused = 0
    with api(state_dir) as client, _progress("orders") as bar:
        connection_id = the_connection(client, connection)
        task = bar.add_task("orders", total=len(file.orders))
        for start in range(0, len(file.orders), AT_ONCE):
            batch = file.orders[start : start + AT_ONCE]
            for one in _saved(client, connection_id, batch):
                if isinstance(one, ApiProblem):
                    refused += 1
                    errors.print(explain(one))
                else:
                    saved.append(one)
                bar.advance(task)
    if as_json:
        console.print_json(data={"orders": saved, "unreadable_rows": [str(row) for row in file.unreadable]})
    else:
        counts = Counter(one["outcome"] for one in saved)
        console.print(f"{path.name}: " + (", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "nothing"))
    for row in file.unreadable:
        errors.print(f"[red]{row}[/]")
    if file.unreadable or refused:
        raise typer.Exit(1)


def _saved(client: Api, connection_id: str, batch: list[dict[str, Any]]) -> Iterator[dict[str, Any] | ApiProblem]:
    """Send a batch; if something in it is refused, each order by itself, so that the others go on."""
    try:
        yield from client.post("/v1/source-orders", {"connection_id": connection_id, "orders": batch})["orders"]
    except ApiProblem as problem:
        if len(batch) == 1 or problem.code != "VALIDATION_FAILED":
            for order in batch:
                problem.detail = f"{order['reference']}: {problem.detail or problem.title}"
                yield problem
            return
        for order in batch:
            yield from _saved(client, connection_id, [order])


@app.command("list")
def list_orders(
    connection: Annotated[str | None, typer.Option(help="Only orders of this connection.")] = None,
    state: Annotated[
        str | None, typer.Option(help="none, uploading, uploaded or failed: the last are the errors.")
    ] = None,
    upload_as: Annotated[str | None, typer.Option("--as", help="bill or purchase_order.")] = None,
    accounting_status: Annotated[str | None, typer.Option(help="not_imported, imported or reset_for_reimport.")] = None,
    billing: Annotated[str | None, typer.Option(help="billed, unbilled or unclear.")] = None,
    contact: Annotated[str | None, typer.Option(help="Only orders of this supplier.")] = None,
    problem: Annotated[str | None, typer.Option(help="Only those whose last upload failed with this code.")] = None,
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show source orders, newest first. `--state failed` shows the errors: correct them, then upload once more."""
    with api(state_dir) as client:
        pages = client.pages(
            "/v1/source-orders",
            connection=connection,
            state=state,
            upload_as=upload_as,
            accounting_status=accounting_status,
            billing=billing,
            contact=contact,
            problem=problem,
            limit=min(limit + 1, 200),
        )
        orders, more = first_of(pages, limit)
    if as_json:
        console.print_json(data=orders)
        say_more(more)
        return
    columns = ("reference", "contact", "billing", "accounting", "upload", "as", "in the ERP", "total")
    shown = table("Source orders", *columns, right=("total",), whole=("reference",))
    for order in orders:
        shown.add_row(
            order["reference"],
            order["contact"],
            order["billing"],
            order["accounting_status"].replace("_", " "),
            order["upload_state"] + (", changed since" if order["changed_since_upload"] else ""),
            (order["upload_as"] or "").replace("_", " "),
            order["document_number"] or "",
            f"{order['total']} {order['currency']}",
        )
    console.print(shown if orders else "There is no such source order.")
    say_more(more)
    for order in orders:
        for one in order["problems"]:
            where = f" line {one['line_no']}" if one["line_no"] else ""
            console.print(f"{order['reference']}{where}, {one['code']}: {one['message']}", markup=False)


@app.command("show")
def show_order(
    reference: Annotated[str, typer.Argument(help="The order's reference or id.")],
    connection: Annotated[str | None, typer.Option(help="Where two connections use the same references.")] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show one order: its lines, what keeps it from being uploaded, and what happened to it."""
    with api(state_dir) as client:
        order = client.get(f"/v1/source-orders/{_find(client, reference, connection)['id']}")
    if as_json:
        console.print_json(data=order)
        return
    console.print(
        f"[bold]{order['reference']}[/] · {order['contact']} · {order['total']} {order['currency']} ·"
        f" {order['billing']} · {order['accounting_status'].replace('_', ' ')} · upload: {order['upload_state']}"
    )
    if order["document_id"]:
        console.print(f"In the ERP as {order['document_number']} ({order['document_id']}).")
    lines = table("", "line", "item", "account", "description", "quantity", "price", "amount", right=("amount",))
    for line in order["lines"]:
        names = ("line_no", "item", "account", "description", "quantity", "price", "amount")
        lines.add_row(*("" if line[name] is None else str(line[name]) for name in names))
    console.print(lines)
    for upload_as, blockers in order["blockers"].items():
        what = upload_as.replace("_", " ")
        console.print(f"As a {what}: " + ("nothing keeps it back." if not blockers else ""))
        for one in blockers:
            console.print(f"  {one['code']}: {one['message']}", markup=False)
    for event in order["events"]:
        console.print(
            f"{moment(event['at'])}  {event['kind'].replace('_', ' ')}  {event['actor']}  {event['why']}".rstrip()
        )


@app.command()
def upload(
    references: Annotated[list[str] | None, typer.Argument(help="The orders' references.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are billed, or unbilled, and not uploaded.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="All whose last upload failed.")] = False,
    problem: Annotated[str | None, typer.Option(help="With --failed: only those with this code.")] = None,
    contact: Annotated[str | None, typer.Option(help="Only orders of this supplier.")] = None,
    upload_as: Annotated[str, typer.Option("--as", help="bill or purchase_order.")] = "bill",
    confirm_irreversible: Annotated[
        bool,
        typer.Option(
            "--confirm-irreversible",
            help="The bill of an order that is uploaded as a purchase order cannot be uploaded.",
        ),
    ] = False,
    repeat_numbers: Annotated[
        bool, typer.Option("--repeat-numbers", help="The ERP may have further documents with these numbers.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for --repeat-numbers.")] = None,
    connection: Connection = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Upload orders to the ERP, and wait until each is there or has failed. The exit code is 1 if any failed; the
    others are uploaded all the same."""
    if sum((bool(references), every, failed)) != 1:
        raise typer.BadParameter("name orders, or give --all or --failed")
    which: dict[str, Any] = {"references": references or None, "contact": contact, "problem": problem}
    body: dict[str, Any] = {
        "upload_as": upload_as,
        "which": {**which, "state": "failed" if failed else None},
        "confirm_irreversible": confirm_irreversible,
        "repeat_numbers": repeat_numbers,
        "reason": reason,
        "limit": AT_ONCE,
    }
    outcomes: list[dict[str, Any]] = []
    with api(state_dir) as client, _progress("orders") as bar:
        body["connection_id"] = the_connection(client, connection)
        task = bar.add_task("orders", total=None)
        for page in _uploaded(client, body):
            bar.update(task, total=len(outcomes) + len(page["outcomes"]))
            for one in page["outcomes"]:
                outcomes.append(_ended(client, one))
                bar.advance(task)
    bad = [one for one in outcomes if one["outcome"] != "uploaded"]
    if as_json:
        console.print_json(data=outcomes)
    else:
        counts = Counter(one["outcome"] for one in outcomes)
        console.print(", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "There was nothing to upload.")
        for one in bad:
            for why in one["problems"] or [{"code": one["outcome"], "message": "there is no such order"}]:
                console.print(f"{one['reference']}, {why['code']}: {why['message']}", markup=False)
        if bad:
            console.print("Correct them, then: posync source-orders upload --failed")
    if bad:
        raise typer.Exit(1)


def _uploaded(client: Api, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Ask page by page, until there are no more."""
    cursor = None
    while True:
        page = client.post("/v1/source-orders/uploads", {**body, "cursor": cursor})
        yield page
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _ended(client: Api, outcome: dict[str, Any]) -> dict[str, Any]:
    """Return how an order's upload ended. One that lasts, because the ERP is away, goes on by itself."""
    waits_until = time.monotonic() + PATIENCE_SECONDS
    while outcome["outcome"] == "uploading":
        order = client.get(f"/v1/source-orders/{outcome['id']}")
        if order["upload_state"] == "uploading" and time.monotonic() < waits_until:
            time.sleep(0.2)
            continue
        why = order["problems"]
        if order["upload_state"] == "uploading":
            why = [{"code": "STILL_UPLOADING", "message": "the ERP has not answered yet; it goes on by itself"}]
        return {**outcome, "outcome": order["upload_state"].replace("uploading", "waits"), "problems": why}
    return outcome


PATIENCE_SECONDS = 60.0


@app.command()
def reset(
    reference: Annotated[str, typer.Argument(help="The order's reference or id.")],
    reason: Annotated[str, typer.Option(help="Why it is to be uploaded once more.")],
    connection: Annotated[str | None, typer.Option(help="Where two connections use the same references.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Reset an imported order, so that its bill may be uploaded once more. Delete the earlier bill in the ERP first."""
    with api(state_dir) as client:
        order = _find(client, reference, connection)
        done = client.post(f"/v1/source-orders/{order['id']}/reset", {"reason": reason})
    console.print(f"{done['reference']} is {done['accounting_status'].replace('_', ' ')}.")


def _find(client: Api, reference: str, connection: str | None) -> dict[str, Any]:
    if reference.startswith("src_"):
        return dict(client.get(f"/v1/source-orders/{reference}"))
    results = list(client.pages("/v1/source-orders", reference=reference, connection=connection))
    if len(results) == 1:
        return dict(results[0])
    there = ", ".join(order["connection_id"] for order in results)
    problem = f"several connections have it: {there}; give --connection" if results else "there is no such order"
    raise typer.BadParameter(problem, param_hint="reference")


def _progress(what: str) -> Progress:
    return Progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), console=errors)
