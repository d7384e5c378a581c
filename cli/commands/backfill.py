"""`posync backfill`: bring in older orders, by date, vendor, number or a file of numbers."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client.api_client import Api
from cli.client.connections import the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, errors

LOOK_SECONDS = 1.0

_COUNTS = ("read", "wanted", "changed", "left_out", "bad")
"""What a backfill counts, in the order in which it happens."""


def backfill(
    connection: Annotated[str | None, typer.Argument(metavar="[ID]", help="The connection's id.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="The first order date, such as 2024-01-01.")] = None,
    vendor: Annotated[str | None, typer.Option("--vendor", help="Only orders of this vendor, by the ERP's id.")] = None,
    number: Annotated[list[str] | None, typer.Option("--number", help="Only this order; may be given often.")] = None,
    file: Annotated[
        Path | None, typer.Option("--numbers", exists=True, dir_okay=False, help="A text file: one number a line.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for its end, and show its progress.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Bring in open orders that are older than the first import. Ctrl-C leaves it running.

    \f
    Raises:
        typer.BadParameter: Neither a date, a vendor nor a number is given, or the file is no text.
        typer.Exit: It failed.
    """
    numbers = [*(number or []), *(_numbers(file) if file is not None else [])]
    if first is None and vendor is None and not numbers:
        raise typer.BadParameter("give --from, --vendor, --number or --numbers")
    body: dict[str, Any] = {"ordered_from": first, "vendor_id": vendor, "numbers": numbers}
    with api(state_dir) as client:
        started = client.post(f"/v1/connections/{the_connection(client, connection)}/backfills", body)
        shown = _follow(client, started["id"]) if follow else started
    if as_json:
        console.print_json(data=shown)
    else:
        _print(shown)
    if shown["state"] == "failed":
        raise typer.Exit(1)


def _numbers(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is no UTF-8 text: {error.reason} at byte {error.start}") from None
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _follow(client: Api, backfill_id: str) -> dict[str, Any]:
    said = ""
    while True:
        shown = dict(client.get(f"/v1/backfills/{backfill_id}"))
        line = f"page {shown['pages']}: {_counted(shown)}"
        if shown["counts"] and line != said:
            errors.print(line, highlight=False)
            said = line
        if shown["state"] != "running":
            return shown
        time.sleep(LOOK_SECONDS)


def _print(shown: dict[str, Any]) -> None:
    console.print(f"Backfill {shown['id']}: {shown['state']}. {_counted(shown)}", highlight=False)
    if shown["problem"]:
        errors.print(f"{shown['problem']['code']}: {shown['problem']['message']}", markup=False)
    if shown["state"] == "completed" and shown["not_seen"]:
        console.print(f"The ERP shows no order {', '.join(shown['not_seen'])}.", markup=False, highlight=False)


def _counted(shown: dict[str, Any]) -> str:
    counts = shown["counts"]
    return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in sorted(counts, key=_COUNTS.index))
