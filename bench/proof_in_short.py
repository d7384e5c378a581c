"""The short form of the proof: each process is killed twice, each time at a step that the books show, never by time.

Where each is killed:

- API and PostgreSQL: the key is claimed, and the decision waits for the order's lines.
- API and Temporal: the decision is committed, and nothing was handed on.
- Worker: the write is marked as sent, and the ERP has not looked at it.
- Worker, Temporal and PostgreSQL: the ERP has the bill, and its answer is on its way.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

from bench.company import Bench
from bench.processes import child_named
from bench.proof import PRICE, STEP, Caller, Proof, killing
from bench.report import Figure, Report

PATIENCE = 120.0
ANSWER_TAKES = 4.0
"""Seconds by which the ERP's answer is held where a process is killed before it has it."""


class Steps:
    """Brings a bill to a known step and stops it there."""

    def __init__(self, bench: Bench, proof: Proof) -> None:
        self._bench = bench
        self._proof = proof
        url = make_url(bench.stack.endpoints.database_url)
        self._address = {
            "host": str(url.query["host"]) if "host" in url.query else url.host,
            "port": url.port,
            "user": url.username,
            "password": url.password or None,
            "database": url.database,
        }

    async def key_claimed(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill while the decision waits for the order's lines: its key is claimed in a transaction that is open."""
        connection = await asyncpg.connect(**self._address)
        try:
            await connection.execute("begin")
            await connection.execute(
                "select 1 from purchase_order_lines where purchase_order_id = $1 for update", caller.order_id
            )
            asking = asyncio.create_task(self._proof.ask(caller))
            await self._until(
                lambda: self._value("select count(*) from pg_locks where not granted"), "the decision to wait"
            )
            await asyncio.to_thread(kill)
        finally:
            connection.terminate()
        await asking

    async def decision_committed(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when the caller has his 201 and Temporal, which stands still, has heard nothing of the bill."""
        async with self._standing_still("Temporal server"):
            await self._proof.ask(caller)
            left = await self._value("select count(*) from outbox where subject_id = $1", caller.bill_id)
            if not left:
                raise AssertionError(f"{caller.number} was handed on while Temporal stood still")
            await asyncio.to_thread(kill)

    async def marked_sent(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when the write is marked as sent and the ERP, which stands still, has not looked at it."""
        await self._until(self._nothing_on_its_way, "the bills before it to reach the ERP")
        async with self._standing_still("sandbox"):
            await self._proof.ask(caller)
            await self._until(
                lambda: self._value(
                    "select count(*) from erp_writes where subject_id = $1 and state = 'sent'", caller.bill_id
                ),
                "the write to be marked as sent",
            )
            await asyncio.to_thread(kill)

    async def erp_committed(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when the ERP has the bill and holds its answer."""
        await self._until(self._nothing_on_its_way, "the bills before it to reach the ERP")
        before = await self._proof.in_the_erp()
        await asyncio.to_thread(
            self._bench.sandbox.break_once, kind="stalled", operation="create_potransaction", seconds=ANSWER_TAKES
        )
        await self._proof.ask(caller)
        await self._until(lambda: self._more_in_the_erp_than(before), "the ERP to have the bill")
        await asyncio.to_thread(kill)

    async def _more_in_the_erp_than(self, before: int) -> bool:
        return await self._proof.in_the_erp() > before

    async def _nothing_on_its_way(self) -> bool:
        return not await self._value("select count(*) from bills where status = 'pending_push'")

    async def _value(self, statement: str, *given: object) -> int:
        try:
            connection = await asyncpg.connect(**self._address)
        except (OSError, asyncpg.PostgresError):  # it is starting again
            return 0
        try:
            return int(await connection.fetchval(statement, *given))
        finally:
            await connection.close()

    @asynccontextmanager
    async def _standing_still(self, name: str) -> AsyncIterator[None]:
        process = child_named(name)
        process.suspend()
        try:
            yield
        finally:
            if process.is_running():
                os.kill(process.pid, signal.SIGCONT)

    @staticmethod
    async def _until(look: Callable[[], Awaitable[object]], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not await look():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
            await asyncio.sleep(0.05)


KILLS: Sequence[tuple[str, Callable[[Steps, Caller, Callable[[], str]], Awaitable[None]]]] = (
    ("api", Steps.key_claimed),
    ("postgres", Steps.key_claimed),
    ("api", Steps.decision_committed),
    ("temporal", Steps.decision_committed),
    ("worker", Steps.marked_sent),
    ("worker", Steps.erp_committed),
    ("temporal", Steps.erp_committed),
    ("postgres", Steps.erp_committed),
)


async def prove_in_short(bench: Bench, report: Report, connection_id: str) -> list[str]:
    """Kill each process twice, each time over another bill, and compare the books. Return what did not hold."""
    proof = Proof(bench, report, connection_id, seed=1)
    figures = []
    try:
        orders = await proof.new_orders("short", len(KILLS), 10)
        steps = Steps(bench, proof)
        for n, (name, step) in enumerate(KILLS):
            began = time.monotonic()
            caller = Caller(orders[n], f"short-{n}", PRICE - STEP * n)
            await step(steps, caller, killing(bench.stack, name))
            what = f"{name}: {step.__name__.replace('_', ' ')}"
            proof.expect(what, caller.status == 201, f"{caller.number} was answered {caller.status}: {caller.body}")
            figures.append(Figure(what, time.monotonic() - began, "s"))
        began = time.monotonic()
        await proof.books_agree("short")
        figures.append(Figure("the books agree", time.monotonic() - began, "s"))
        report.add("each process killed twice, at known steps", figures)
    finally:
        await proof.close()
    return proof.broken
