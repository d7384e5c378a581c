"""Credits and returns of Intacct into the mirror: debit memos, and receipts with the goods that went back."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.company import ENTITY, PREFERENCES, Bench, orders
from bench.report import Figure, Report, at_least
from bench.sync_in import activities_of, span_of
from models.domain.sync import Stream

LINES = 5
RETURN = "PO Return"
PER_ORDER = 10
"""How many receipts, each returned, are made of one order."""


async def measure(bench: Bench, report: Report, *, count: int) -> None:
    """Make half of `count` as debit memos and half as returns, each of which posts one more, and sync once."""
    half = count // 2
    await asyncio.to_thread(_make, bench, half)
    connection_id = await asyncio.to_thread(bench.connect, match_mode="three_way")
    preferences = {**PREFERENCES, "return_template": RETURN}
    await asyncio.to_thread(
        bench.api.put, f"/v1/connections/{connection_id}/preferences", {"preferences": preferences, "sync": False}
    )
    run = await asyncio.to_thread(bench.sync, connection_id)
    client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)
    activities = await activities_of(client, run["workflow_id"], run["workflow_run_id"])
    credits, goods = (span_of(activities, "sync_page", stream).seconds for stream in (Stream.BILLS, Stream.RECEIPTS))
    seen = run["counts"]
    # Each return posts a debit memo of its own beside those that were typed.
    assert seen["bills.seen"] == 2 * half, seen
    assert seen["receipts.seen"] == 2 * half, seen
    report.add(
        f"{2 * half:,} credits, {half:,} returns and their receipts, with {LINES} lines each, from Intacct",
        [
            at_least("credits into the mirror", 2 * half / credits, "credits/s", 2_000),
            at_least("returns and their receipts", 2 * half / goods, "documents/s", 2_000),
            at_least("credits, returns and receipts together", 2 * count / (credits + goods), "documents/s", 2_000),
            Figure("reading", credits + goods, "s"),
        ],
    )
    report.details["credits_in"] = {"credits_seconds": credits, "returns_seconds": goods, "counts": seen}


def _make(bench: Bench, half: int) -> None:
    """Make the debit memos, and receive and return goods of orders, as people do in Intacct's screens."""
    sandbox = bench.sandbox
    at_once = orders("PO", -(-half // PER_ORDER), lines=LINES)
    sandbox.load({"purchase_orders": at_once})
    numbers = sorted({row["po_number"] for row in at_once})
    today = datetime.now(UTC).date().isoformat()
    each = [{"line": str(line), "quantity": "1"} for line in range(1, LINES + 1)]
    for place in range(half):
        sandbox.act(action="receive", number=numbers[place // PER_ORDER], receipt_number=f"R-{place}", lines=each)
        sandbox.act(action="return_goods", receipt=f"R-{place}", return_number=f"V-{place}", lines=each)
        sandbox.act(
            action="add_adjustment",
            vendor_id="V000",
            number=f"CM-{place}",
            date=today,
            entity=ENTITY,
            lines=[{"amount": f"{place % 97 + line}.00"} for line in range(1, LINES + 1)],
        )
