"""`posync reports`: report over all order lines, for the books."""

import sys
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

import typer

from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Reports over all purchase orders.")

AGES = {"days_0_30": "0-30 days", "days_31_60": "31-60", "days_61_90": "61-90", "days_over_90": "over 90"}
GRNI = "/v1/reports/grni"
MONEY = ("accrual", *AGES, "prepaid")
HEADINGS = ("to accrue", *AGES.values(), "prepaid")
CENT = Decimal("0.01")


@app.callback()
def reports() -> None:
    """Report over all purchase orders."""


@app.command("grni")
def grni(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, like 2026-11-30; default: today.")
    ] = None,
    connection: Annotated[str | None, typer.Option(help="Only this connection, by its id.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Only this vendor, by its id.")] = None,
    limit: Annotated[int, typer.Option(help="Show at most this many lines; the totals are of all lines.")] = 100,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every line as CSV.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Report what was received and not billed (to accrue), and what was billed ahead (prepaid), as of a day."""
    if as_csv and as_json:
        raise typer.BadParameter("choose one of --csv and --json", param_hint="--csv")
    query = {"as_of": as_of.date().isoformat() if as_of else None, "connection": connection, "vendor": vendor}
    with api(state_dir) as client:
        if as_csv:
            for part in client.text(GRNI, **query, format="csv"):
                sys.stdout.write(part)
            return
        report = client.get(GRNI, **query, limit=200)
        query["as_of"] = report["as_of"]
        cursor = report.pop("next_cursor")
        while cursor is not None and (as_json or len(report["items"]) < limit):
            page = client.get(GRNI, **query, limit=200, cursor=cursor)
            report["items"] += page["items"]
            cursor = page["next_cursor"]
    if as_json:
        console.print_json(data=report)
    else:
        _show(report, limit)


def _show(report: dict[str, Any], limit: int) -> None:
    title = f"Received and not billed, and billed ahead, as of {report['as_of']}"
    numbers = ("received", "billed", *HEADINGS)
    shown = table(title, "vendor", "order", "line", "item", *numbers, "oldest receipt", right=numbers)
    for line in report["items"][:limit]:
        billed = line["billed"] + ("*" if Decimal(line["undated"]) else "")
        oldest = f"{line['oldest_receipt']} {line['oldest_receipt_on']}" if line["oldest_receipt"] else ""
        order = (line["vendor_name"], line["purchase_order_number"], str(line["line_no"]), line["item_id"])
        shown.add_row(*order, line["received"], billed, *_money(line), oldest)
    console.print(shown)
    everything = sum(currency["lines"] for currency in report["totals"])
    if everything > limit:
        console.print(f"{limit} of {everything} lines; --csv has them all")
    totals = table("Totals", "currency", "vendor", "lines", *HEADINGS, right=("lines", *HEADINGS))
    for currency in report["totals"]:
        for vendor in currency["vendors"]:
            totals.add_row(currency["currency"], vendor["vendor_name"], str(vendor["lines"]), *_money(vendor))
        totals.add_row(currency["currency"], "all", str(currency["lines"]), *_money(currency), style="bold")
    console.print(totals)
    if any(currency["undated_lines"] for currency in report["totals"]):
        console.print("* partly billed in the ERP without a bill known here: taken as billed when the goods came")


def _money(sums: dict[str, Any]) -> list[str]:
    """Return the amounts rounded for people; JSON and CSV have all digits."""
    values = {"accrual": sums["accrual"], **sums["ageing"], "prepaid": sums["prepaid"]}
    return [f"{Decimal(values[name]).quantize(CENT, ROUND_HALF_UP):,}" for name in MONEY]
