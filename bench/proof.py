"""`make proof`: what is answered as accepted is in the ERP, once, whatever is killed and however many ask at once.

A whole stack of its own. Callers post bills and repeat a request under its key until they have an answer, as the API
asks of them; meanwhile processes are killed. Afterwards three books must agree: what the callers were answered, what
the mirror holds, what the sandbox holds. Ends with 1 where they do not.
"""

import argparse
import asyncio
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench import beside
from bench.company import ENTITY, Bench, running_bench
from bench.report import Figure, Report, at_most, percentile, wide_console
from cli.local.stack import Stack
from models.domain.ids import BillId
from models.store.payables.bills import external_key_for

PRICE = Decimal(1000)
STEP = Decimal("0.05")
"""Each bill of an order is so much cheaper than the one before: no two are alike, and none differs by two percent."""

ANSWERED_WITHIN = 10.0
IN_THE_ERP_WITHIN = 30.0
OTHERS_P95_MS = 150.0
PATIENCE = 300.0
"""How long a caller repeats its request, and how long the books may take to agree, before the run counts as failed."""

ALONE_FOR = 4.0
"""Seconds for which the caller beside posts alone, before the burst."""

NO_ANSWER = -1

MOST_BESIDE = 390
"""How many bills the caller on an order beside posts at most: their prices differ by less than 2 percent."""

_PROCESSES = multiprocessing.get_context("spawn")

ON_ITS_WAY = "pending_push"


@dataclass
class Caller:
    """One request and what became of it."""

    order_id: str
    number: str
    price: Decimal
    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    milliseconds: float = 0.0

    async def ask(self, api: httpx.AsyncClient) -> None:
        """Post the bill until there is an answer; `status` stays `NO_ANSWER` if none comes in time."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._ask(api)
        except TimeoutError:
            self.status = NO_ANSWER
        self.milliseconds = 1000 * (time.perf_counter() - began)

    async def _ask(self, api: httpx.AsyncClient) -> None:
        bill = {
            "number": self.number,
            "bill_date": datetime.now(UTC).date().isoformat(),
            "lines": [{"order_line_no": 1, "quantity": "1", "price": str(self.price)}],
        }
        while True:
            wait = 0.2
            try:
                answer = await api.post(
                    f"/v1/purchase-orders/{self.order_id}/bills",
                    json=bill,
                    headers={"Idempotency-Key": f"proof {self.number}".replace(" ", "-")},
                )
            except httpx.TransportError as error:
                self.tries[type(error).__name__] += 1
            else:
                self.tries[str(answer.status_code)] += 1
                if answer.status_code < 500 and answer.status_code != 429:
                    break
                wait = min(float(answer.headers.get("Retry-After", "0.2")), 2.0)
            await asyncio.sleep(wait)
        self.status, self.body = answer.status_code, answer.json()

    @property
    def bill_id(self) -> BillId:
        return BillId(self.body["bill"]["id"])


class Proof:
    """One connection, and the books of everything asked over it."""

    def __init__(
        self, bench: Bench, report: Report, connection_id: str, seed: int, *, patience: float = PATIENCE
    ) -> None:
        """`patience`: seconds that the books may take to agree."""
        self._bench = bench
        self._patience = patience
        self._report = report
        self._connection_id = connection_id
        self._random = random.Random(seed)
        self._asked: list[Caller] = []
        self.broken: list[str] = []
        addresses = bench.stack.endpoints
        self._api = httpx.AsyncClient(
            base_url=addresses.api_url,
            headers={"Authorization": f"Bearer {addresses.api_key}"},
            timeout=60,
            limits=httpx.Limits(max_connections=240, max_keepalive_connections=240),
        )

    async def close(self) -> None:
        await self._api.aclose()

    async def ask(self, caller: Caller) -> None:
        """Post one bill until there is an answer; it belongs to what the books must hold."""
        self._asked.append(caller)
        await caller.ask(self._api)

    async def burst(
        self,
        title: str,
        *,
        orders: int = 1,
        callers: int,
        quantity: int,
        kill: Callable[[], str] | None = None,
    ) -> None:
        """Let `callers` ask at once for one piece each of every order's `quantity`; compare the books afterwards.

        `kill` comes once, at a random moment.
        """
        ids = await self.new_orders(title, orders, quantity)
        other = (await self.new_orders(f"{title} others", 1, 10_000))[0]
        asking = [
            Caller(order_id, f"{title}-{place}-{n}", PRICE - STEP * n)
            for n in range(callers)
            for place, order_id in enumerate(ids)
        ]
        self._asked += asking
        caller_beside = await self._start_beside(other, title)
        calm = kill is None
        await asyncio.sleep(ALONE_FOR if calm and orders == 1 else 0)
        began, began_at = time.perf_counter(), time.time()
        killer = asyncio.create_task(self._kill(kill))
        await asyncio.gather(*(caller.ask(self._api) for caller in asking))
        answered = time.perf_counter() - began
        killed = await killer
        posted_beside = await self._stop_beside(caller_beside, other)
        took_beside = [one.milliseconds for one in posted_beside if one.began >= began_at]
        alone = [one.milliseconds for one in posted_beside if one.began < began_at]
        saved = sum(caller.status == 201 for caller in asking)
        figures = [
            Figure("accepted", saved, "bills", note=f"of {len(asking)}; {_tries(asking)}"),
            _figure("all answered", answered, "s", ANSWERED_WITHIN if calm else None, note=killed),
            _figure(
                "an order beside, p95",
                percentile(took_beside, 95),
                "ms",
                OTHERS_P95_MS if calm and orders == 1 else None,
                note=f"{len(took_beside)} bills{_beside_alone(alone, took_beside)}",
            ),
        ]
        expected = min(callers, quantity) * orders
        self.expect(title, saved == expected, f"{saved} accepted, {expected} expected")
        for caller in asking:
            self.expect(
                title, caller.status in (201, 422), f"{caller.number} was answered {caller.status}: {caller.body}"
            )
            if caller.status == 201:
                self.expect(title, caller.body["bill"]["status"] == ON_ITS_WAY, f"{caller.number} waits for a person")
            else:
                self.expect(title, caller.body.get("code") == "MATCH_BLOCKED", f"{caller.number} has no reason")
        if await self.books_agree(title):
            done = time.perf_counter() - began
            figures.append(_figure("all in the ERP", done, "s", IN_THE_ERP_WITHIN if calm else None))
        self._report.add(title, figures)

    async def new_orders(self, prefix: str, count: int, quantity: int) -> list[str]:
        """Orders of one line each, made in the ERP and synced in. Their ids."""
        now = datetime.now(UTC)
        prefix = prefix.upper().replace(" ", "-")
        rows = [
            {
                "po_number": f"{prefix}-{n}",
                # A vendor each: bills of two orders must not look like one another's duplicates.
                "vendor_id": f"V-{prefix}-{n}",
                "po_date": now.date().isoformat(),
                "currency": "USD",
                "status": "Pending",
                "entity": ENTITY,
                "modified_at": now.isoformat(),
                "line_no": "1",
                "item_id": "ITEM-01",
                "description": "Part",
                "quantity": str(quantity),
                "unit": "Each",
                "price": str(PRICE),
                "location": ENTITY,
            }
            for n in range(count)
        ]
        self._bench.sandbox.load({"purchase_orders": rows})
        await asyncio.to_thread(self._bench.sync, self._connection_id)
        found = []
        for row in rows:
            query = {"connection": self._connection_id, "q": row["po_number"], "limit": "200"}
            items = (await self._api.get("/v1/purchase-orders", params=query)).raise_for_status().json()["items"]
            found += [item["id"] for item in items if item["number"] == row["po_number"]]
        if len(found) != count:
            raise RuntimeError(f"{len(found)} of {count} orders {prefix} came in")
        return found

    async def _start_beside(self, order_id: str, title: str) -> tuple[BaseProcess, Connection]:
        """Start one more caller, on an order beside: bill after bill, until it is stopped."""
        addresses = self._bench.stack.endpoints
        ours, theirs = _PROCESSES.Pipe()
        prices = [str(PRICE - STEP * n) for n in range(MOST_BESIDE)]
        prefix = f"{title}-beside".replace(" ", "-")
        process = _PROCESSES.Process(
            target=beside.post_until_stopped,
            args=(theirs, addresses.api_url, addresses.api_key, order_id, prices, prefix),
            daemon=True,
        )
        process.start()
        await asyncio.to_thread(ours.recv)
        return process, ours

    async def _stop_beside(self, caller: tuple[BaseProcess, Connection], order_id: str) -> list[beside.Posted]:
        """Stop the caller beside; its bills belong to what the books must hold."""
        process, pipe = caller
        pipe.send("enough")
        posted = [beside.Posted._make(one) for one in await asyncio.to_thread(pipe.recv)]
        self._asked += [Caller(order_id, one.number, Decimal(one.price), one.status, one.body) for one in posted]
        await asyncio.to_thread(process.join)
        return posted

    async def _kill(self, kill: Callable[[], str] | None) -> str:
        if kill is None:
            return ""
        await asyncio.sleep(self._random.uniform(0.2, 1.5))
        return await asyncio.to_thread(kill)

    async def in_the_erp(self) -> int:
        """How many bills the ERP has."""
        return len(await asyncio.to_thread(self._bench.sandbox.ns_record, "vendor_invoices"))

    async def books_agree(self, title: str) -> bool:
        """Wait until callers, mirror and ERP name the same bills, each once."""
        accepted = sorted(caller.bill_id for caller in self._asked if caller.status == 201)
        keys = sorted(external_key_for(bill_id) for bill_id in accepted)
        deadline = time.monotonic() + self._patience
        while True:
            in_erp = sorted(invoice["number"] for invoice in self._bench.sandbox.ns_record("vendor_invoices"))
            try:
                mirrored = await self._mirrored()
            except httpx.HTTPError:  # the API is starting again
                mirrored = {}
            synced = sorted(bill_id for bill_id, status in mirrored.items() if status == "synced")
            if in_erp == keys and synced == accepted and len(mirrored) == len(accepted):
                return True
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
        stuck = Counter(mirrored.values())
        self.expect(
            title,
            False,
            f"{len(accepted)} accepted, {len(in_erp)} in the ERP ({len(set(in_erp))} different), {dict(stuck)}",
        )
        return False

    async def _mirrored(self) -> dict[BillId, str]:
        """Every bill the mirror holds, with its status."""
        found: dict[BillId, str] = {}
        cursor: str | None = None
        while True:
            query = {"connection": self._connection_id, "limit": "200", **({"cursor": cursor} if cursor else {})}
            page = (await self._api.get("/v1/bills", params=query)).raise_for_status().json()
            found |= {BillId(item["id"]): item["status"] for item in page["items"]}
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def expect(self, title: str, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(f"{title}: {otherwise}")


def _figure(name: str, value: float, unit: str, goal: float | None, *, note: str = "") -> Figure:
    return Figure(name, value, unit, note=note) if goal is None else at_most(name, value, unit, goal, note=note)


def _beside_alone(alone: Sequence[float], beside_burst: Sequence[float]) -> str:
    """Return how the burst compares with the same caller just before it, which a busy machine slows down as well."""
    if not alone or not beside_burst:
        return ""
    before = ", ".join(f"p{share} {percentile(alone, share):.0f}" for share in (50, 95))
    return f", p50 {percentile(beside_burst, 50):.0f}; alone before it {before} ms"


def _tries(callers: Sequence[Caller]) -> str:
    tries = sum((caller.tries for caller in callers), Counter[str]())
    return ", ".join(f"{count} x {what}" for what, count in sorted(tries.items()))


def kill_backend(state_dir: Path) -> str:
    """SIGKILL one of PostgreSQL's own processes: it ends every connection and recovers, as after a crash."""
    backends = [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres"
        and "idle" in " ".join(process.info["cmdline"] or ())
        and (parent := process.parent()) is not None
        and str(state_dir) in " ".join(parent.cmdline())
    ]
    if not backends:
        raise LookupError("PostgreSQL has no connection that could be killed")
    backends[0].kill()
    return "a connection of PostgreSQL was killed, all ended"


def killing(stack: Stack, name: str) -> Callable[[], str]:
    """Return what kills one of the stack's processes; `postgres` is one of its connections."""

    def kill() -> str:
        if name == "postgres":
            return kill_backend(stack.options.state_dir)
        stack.kill(name)
        return f"{name} was killed"

    return kill


async def prove(bench: Bench, report: Report, connection_id: str, parts: Sequence[str], seed: int) -> list[str]:
    """Run the parts one after another. What did not hold."""
    stack = bench.stack
    proof = Proof(bench, report, connection_id, seed)
    try:
        if "ten" in parts:
            await proof.burst("ten of 200", callers=200, quantity=10)
        if "all" in parts:
            await proof.burst("all of 200", callers=200, quantity=200)
        if "orders" in parts:
            await proof.burst("20 on each of 10 orders", orders=10, callers=20, quantity=20)
        for name in KILLED:
            if name in parts:
                await proof.burst(f"{name} killed", callers=60, quantity=40, kill=killing(stack, name))
    finally:
        await proof.close()
    return proof.broken


KILLED = ("api", "worker", "temporal", "postgres")
PARTS = ("ten", "all", "orders", *KILLED)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.proof", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="decides when processes are killed")
    chosen = parser.parse_args()
    report = Report(wide_console())
    with running_bench(report.console.print, restart_temporal=True) as bench:
        connection_id = bench.connect(in_flight=1)
        broken = asyncio.run(prove(bench, report, connection_id, chosen.only or PARTS, chosen.seed))
    for what in broken[:50]:
        report.console.print(f"[red]broken[/] {what}")
    report.console.print("goals missed: " + ", ".join(report.missed) if report.missed else "every goal is met")
    report.console.print("[red]the books differ[/]" if broken else "what was answered = the mirror = the ERP's books")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
