"""`make bench`: the numbers of this machine, all from one run, with their goals beside them."""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import (
    backfill_beside,
    credits_in,
    exports,
    lifecycle,
    lists_in,
    match_rate,
    netsuite,
    post_bills,
    quickbooks,
    quickbooks_desktop,
    read_order,
    sync_in,
    turns,
)
from bench.company import Bench, running_bench
from bench.report import Report, wide_console

STACK_PARTS = (
    "sync_in",
    "lists_in",
    "backfill_beside",
    "credits_in",
    "exports",
    "lifecycle",
    "post_bills",
    "netsuite",
    "quickbooks",
    "quickbooks_reads",
    "quickbooks_desktop",
    "turns",
    "read_order",
)
PARTS = ("matching", *STACK_PARTS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--orders", type=int, default=10_000, help="orders to sync in")
    parser.add_argument("--list-entries", type=int, default=20_000, help="entries of lists at a first sync")
    parser.add_argument("--older-orders", type=int, default=20_000, help="orders of a backfill beside a daily sync")
    parser.add_argument("--daily-orders", type=int, default=500, help="new orders of that sync")
    parser.add_argument("--pairs", type=int, default=3, help="times that the sync runs alone and beside a backfill")
    parser.add_argument("--credits", type=int, default=10_000, help="credits and returns to sync in, half of each")
    parser.add_argument("--exported-rows", type=int, default=100_000, help="rows to export, and a tenth of them")
    parser.add_argument("--bare-signals", type=int, default=2_000, help="bare signal-with-starts to compare with")
    parser.add_argument("--lifecycles", type=int, default=100, help="orders to bill and pay")
    parser.add_argument("--netsuite-orders", type=int, default=2_000, help="orders to sync in from NetSuite")
    parser.add_argument("--quickbooks-orders", type=int, default=10_000, help="to sync in from QuickBooks Online")
    parser.add_argument("--throttled-bills", type=int, default=500, help="to push while a minute takes as many calls")
    parser.add_argument("--desktop-orders", type=int, default=5_000, help="orders to sync in from QuickBooks Desktop")
    parser.add_argument("--bills", type=int, default=200, help="bills to post, by one caller and again by twenty")
    parser.add_argument("--json", type=Path, help="keep the figures and their details in this file")
    chosen = parser.parse_args(arguments)
    report = Report(wide_console())
    load = os.getloadavg()[0]
    report.console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before: {load:.1f}"
    )
    parts = chosen.only or PARTS
    if "matching" in parts:
        match_rate.measure(report)
    for part in STACK_PARTS:
        if part in parts:
            # A stack of its own: what one part leaves open (10,000 workflows) would slow the next one down.
            with running_bench(report.console.print) as bench:
                asyncio.run(_measure(part, bench, report, chosen))
    report.console.print_json(json.dumps(report.details))
    if chosen.json:
        report.save(chosen.json)
    report.console.print("missed: " + ", ".join(report.missed) if report.missed else "every goal is met")
    return 0


async def _measure(part: str, bench: Bench, report: Report, chosen: argparse.Namespace) -> None:
    if part == "sync_in":
        await sync_in.measure(bench, report, count=chosen.orders, bare_count=chosen.bare_signals)
        return
    if part == "lists_in":
        await lists_in.measure(bench, report, count=chosen.list_entries)
        return
    if part == "backfill_beside":
        older, daily = chosen.older_orders, chosen.daily_orders
        await backfill_beside.measure(bench, report, older=older, daily=daily, pairs=chosen.pairs)
        return
    if part == "credits_in":
        await credits_in.measure(bench, report, count=chosen.credits)
        return
    if part == "netsuite":
        await netsuite.measure(bench, report, count=chosen.netsuite_orders)
        return
    if part == "quickbooks":
        await quickbooks.measure(bench, report, count=chosen.quickbooks_orders)
        return
    if part == "quickbooks_reads":
        await quickbooks.measure_reads(bench, report, count=2_000, bills=chosen.throttled_bills)
        return
    if part == "quickbooks_desktop":
        await quickbooks_desktop.measure(bench, report, count=chosen.desktop_orders)
        return
    if part == "turns":
        await turns.measure(bench, report, count=100)
        return
    connection_id = await asyncio.to_thread(bench.connect, in_flight=1)
    if part == "exports":
        few, many = chosen.exported_rows // 10, chosen.exported_rows
        await exports.measure(bench, report, connection_id, few=few, many=many)
    elif part == "read_order":
        await read_order.measure(bench, report, connection_id, count=1_000)
    elif part == "lifecycle":
        await lifecycle.measure(bench, report, connection_id, count=chosen.lifecycles, at_once=20)
    else:
        await post_bills.measure(bench, report, connection_id, count=chosen.bills, callers=20)


if __name__ == "__main__":
    sys.exit(main())
