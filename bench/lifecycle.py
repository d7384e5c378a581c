"""Whole lifecycles: an order is billed, pushed, verified and paid. Beside them, idle workflows of the same steps."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import httpx
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench import bare
from bench.bare_lifecycle import run_at_once, three_alone, three_that_talk
from bench.bare_worker import bare_worker
from bench.company import Bench, orders
from bench.histories import Lifecycle, history_of
from bench.processes import CpuMeter
from bench.report import Figure, Report, at_least, at_most
from bench.statements import StatementLog
from models.contract import bill_workflow_id, payment_workflow_id, purchase_order_workflow_id
from models.domain.ids import BillId, ConnectionId, ErpId, PaymentId

T = TypeVar("T")

BANK_ACCOUNT = "BANK-1"
TURNS = 2
LIFE_SECONDS = 180.0
"""A lifecycle takes a second or two; one that has not ended by then waits for somebody."""


class Done(NamedTuple):
    """One lifecycle's three workflows."""

    order_workflow: str
    bill_workflow: str
    payment_workflow: str


async def measure(bench: Bench, report: Report, connection_id: str, *, count: int, at_once: int) -> None:
    """Run `count` lifecycles, `at_once` of them at a time, then as many bare ones of the same shape."""
    bench.sandbox.load(
        {
            "bank_accounts": [{"bank_account_id": BANK_ACCOUNT, "name": "Operations", "currency": "USD"}],
            "purchase_orders": orders("LIFE", count + 10, lines=5, changed_at=datetime.now(UTC)),
        }
    )
    await asyncio.to_thread(bench.sync, connection_id)
    client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)
    endpoints = bench.stack.endpoints
    async with httpx.AsyncClient(
        base_url=endpoints.api_url, headers={"Authorization": f"Bearer {endpoints.api_key}"}, timeout=300
    ) as api:
        found = await numbered_orders(api, connection_id, "LIFE-")
        counted, timed = found[:10], found[10 : count + 10]

        statements = StatementLog(endpoints.database_url)
        async with statements:
            bench.sandbox.count_calls_anew()
            samples = [await _live(api, client, order) for order in counted]
        calls = bench.sandbox.calls()

        histories = [await _histories(client, sample) for sample in samples]
        lifecycle = histories[-1]
        ours = Timed(CpuMeter(bench.stack.options.state_dir))
        alone = Timed(CpuMeter(bench.stack.options.state_dir))
        talking = Timed(CpuMeter(bench.stack.options.state_dir))
        async with bare_worker(endpoints.temporal_address, bench.stack.logs):
            await three_that_talk(client, _story(-1, lifecycle))
            lived: list[Done] = []
            # In turns, so that whatever else this machine does slows all three down alike.
            for turn in range(TURNS):
                some = range(turn * count // TURNS, (turn + 1) * count // TURNS)
                stories = [_story(number, lifecycle) for number in some]
                lived += await ours.run(at_once, [_live(api, client, timed[number]) for number in some])
                await alone.run(at_once, [three_alone(client, story) for story in stories])
                await talking.run(at_once, [three_that_talk(client, story) for story in stories])

    regular = sum(history.shape.regular for history in lifecycle)
    local = sum(history.shape.local for history in lifecycle)
    events = [each.events for each in histories]
    crowded = [(await _histories(client, life)).events for life in lived]
    between = f"{min(events)} to {max(events)}, the sync's wake among them"
    steps = f"3 workflows, {regular} regular and {local} local activities"
    report.add(
        f"{count} lifecycles (order, bill, push, verify, pay), {at_once} at once",
        [
            Figure("lifecycles", ours.rate, "per second", note=f"{ours.cpu_ms:.0f} ms of CPU each"),
            Figure("bare workflows", alone.rate, "per second", note=f"{steps}; {alone.cpu_ms:.0f} ms of CPU each"),
            at_least("lifecycles / bare", ours.rate / alone.rate, "", 0.6),
            Figure(
                "bare workflows with our messages",
                talking.rate,
                "per second",
                note=f"also updates, children, signals; {talking.cpu_ms:.0f} ms of CPU each",
            ),
            Figure("lifecycles / bare with our messages", ours.rate / talking.rate, ""),
            at_most("history events", sum(events) / len(events), "per lifecycle", 60, note=between),
            Figure(
                f"history events, {at_once} at once",
                sum(crowded) / len(crowded),
                "per lifecycle",
                note=f"{min(crowded)} to {max(crowded)}",
            ),
            Figure("history size", lifecycle.size_bytes / 1000, "kB per lifecycle"),
            Figure("ERP calls", calls["requests"] / len(counted), "requests per lifecycle"),
            Figure("SQL statements", statements.count / len(counted), "per lifecycle", note="without begin and commit"),
        ],
    )
    kept = [history._asdict() | {"by_type": dict(history.by_type)} for history in lifecycle]
    report.details["lifecycle"] = {
        "calls": calls,
        "histories": dict(zip(("order", "bill", "payment"), kept, strict=True)),
        "cpu_ms_per_lifecycle": {"ours": ours.cpu, "bare": alone.cpu, "bare with our messages": talking.cpu},
        "statements": statements.by_kind,
        "statements_by_text": statements.by_text,
    }


class Timed:
    """How fast some work went over several turns, and what it cost."""

    def __init__(self, meter: CpuMeter) -> None:
        self._meter = meter
        self._seconds = 0.0
        self._count = 0
        self._used: Counter[str] = Counter()

    async def run(self, limit: int, work: Sequence[Awaitable[T]]) -> list[T]:
        """Do the work, `limit` pieces at a time; return their results."""
        self._meter.start()
        began = time.perf_counter()
        results = await run_at_once(limit, work)
        self._seconds += time.perf_counter() - began
        self._count += len(work)
        self._used.update(self._meter.used())
        return results

    @property
    def rate(self) -> float:
        return self._count / self._seconds

    @property
    def cpu(self) -> dict[str, float]:
        """Milliseconds of CPU for one, by process."""
        return {name: round(1000 * seconds / self._count, 1) for name, seconds in self._used.most_common()}

    @property
    def cpu_ms(self) -> float:
        return sum(self.cpu.values())


def _story(number: int, lifecycle: Lifecycle) -> bare.Story:
    order, bill, payment = (history.shape for history in lifecycle)
    return bare.Story(number=number, order=order, bill=bill, payment=payment)


async def numbered_orders(api: httpx.AsyncClient, connection_id: str, prefix: str) -> list[dict[str, Any]]:
    """The connection's orders whose numbers begin so, by number."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"connection": connection_id, "q": prefix, "limit": "200", **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/v1/purchase-orders", params=query)).raise_for_status().json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return sorted(found, key=lambda order: str(order["number"]))


async def _live(api: httpx.AsyncClient, client: Client, order: dict[str, Any]) -> Done:
    """Bill all of one order, pay all of the bill, and wait until its three workflows have ended."""
    today = datetime.now(UTC).date().isoformat()
    lines = [{"order_line_no": line, "quantity": str(10 * line)} for line in range(1, 6)]
    bill = await _post(
        api,
        f"/v1/purchase-orders/{order['id']}/bills",
        {"number": f"INV-{order['number']}", "bill_date": today, "lines": lines},
    )
    bill_id, total = bill["bill"]["id"], bill["bill"]["total"]
    payment = await _post(
        api,
        f"/v1/bills/{bill_id}/payments",
        {"amount": total, "pay_on": today, "bank_account": BANK_ACCOUNT},
    )
    done = Done(
        purchase_order_workflow_id(ConnectionId(order["connection_id"]), ErpId(order["erp_id"]), order["number"]),
        bill_workflow_id(BillId(bill_id)),
        payment_workflow_id(PaymentId(payment["payment"]["id"])),
    )
    # The order's workflow runs since the sync and starts the bill's, which starts the payment's: in this order none is
    # asked for before it is there, and no question costs the server what it should spend on the workflows.
    for workflow_id in done:
        try:
            await asyncio.wait_for(client.get_workflow_handle(workflow_id).result(), LIFE_SECONDS)
        except TimeoutError as error:
            issues = (await api.get("/v1/sync-issues", params={"limit": "5"})).json()["items"]
            raise RuntimeError(f"{workflow_id} did not end in {LIFE_SECONDS:.0f} s; open issues: {issues}") from error
    return done


async def _post(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    answer = await api.post(path, json=body, headers={"Idempotency-Key": uuid4().hex})
    if answer.is_error:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()


async def _histories(client: Client, done: Done) -> Lifecycle:
    return Lifecycle(*[await history_of(client, workflow_id) for workflow_id in done])
