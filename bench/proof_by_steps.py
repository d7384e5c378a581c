"""The proof by steps: processes are killed at the eight steps of a bill, never by time.

`make proof` kills each process at each step. The short form, which the tests run, kills each process twice:

| step | it is known by | killed in the short form |
|---|---|---|
| key claimed | the decision waits for the order's lines, which we lock | PostgreSQL |
| decision committed | the caller has his 201, and Temporal stands still | API |
| handed on | Temporal has the message, and the worker stands still | Temporal |
| marked sent | the write says so, and the ERP stands still | worker |
| ERP committed | the ERP has the bill and keeps its answer | worker |
| read back | the ERP was asked for the bill's lines and keeps its answer | PostgreSQL |
| confirmed | the mirror says so, and Temporal stands still | Temporal |
| notified | the history of the order's workflow has the push's end | API |

A bill that was stopped goes on by itself while the next step is prepared; only where the pretend ERP is to stop the
next bill must the others be through.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import make_url
from temporalio.client import Client
from temporalio.service import RPCError

from bench.company import Bench, running_bench
from bench.processes import child_named
from bench.proof import KILLED, PRICE, STEP, Caller, Proof, killing
from bench.proof import PATIENCE as PATIENT_AT_THE_END
from bench.report import Figure, Report, wide_console
from models.contract import BILL_PUSHED

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

    async def handed_on(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when Temporal has the message, and no worker has taken it: the worker stands still."""
        async with self._standing_still("worker"):
            await self._proof.ask(caller)
            await self._until(lambda: self._was_handed_on(caller), "the message to be handed on")
            await asyncio.to_thread(kill)

    async def read_back(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when the bill is being read back: the ERP keeps its answer."""
        await self._is_being_read_back(caller)
        await asyncio.to_thread(kill)

    async def confirmed(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when the mirror has what the ERP holds, and no workflow knows: Temporal stands still."""
        await self._is_being_read_back(caller)
        async with self._standing_still("Temporal server"):
            await self._until(
                lambda: self._value(
                    "select count(*) from erp_writes where subject_id = $1 and state = 'confirmed'", caller.bill_id
                ),
                "the write to be confirmed",
            )
            await asyncio.to_thread(kill)

    async def notified(self, caller: Caller, kill: Callable[[], str]) -> None:
        """Kill when the order's workflow was told how the push ended."""
        await self._proof.ask(caller)
        await self._until(lambda: self._was_notified(caller), "the order's workflow to be notified")
        await asyncio.to_thread(kill)

    async def _is_being_read_back(self, caller: Caller) -> None:
        await self._until(self._nothing_on_its_way, "the bills before it to reach the ERP")
        await asyncio.to_thread(
            self._bench.sandbox.break_once,
            kind="slow",
            operation="query",
            object="PODOCUMENTENTRY",
            seconds=ANSWER_TAKES,
        )
        await self._proof.ask(caller)
        await self._until(self._erp_keeps_its_answer, "the bill to be read back")

    async def _erp_keeps_its_answer(self) -> bool:
        return await asyncio.to_thread(self._bench.sandbox.has_broken)

    async def _was_handed_on(self, caller: Caller) -> bool:
        return not await self._value("select 1 + count(*) from outbox where subject_id = $1", caller.bill_id) - 1

    async def _was_notified(self, caller: Caller) -> bool:
        workflow_id = await self._text("select workflow_id from purchase_orders where id = $1", caller.order_id)
        if not workflow_id:
            return False
        try:
            client = await Client.connect(self._bench.stack.endpoints.temporal_address)
            async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
                if event.workflow_execution_signaled_event_attributes.signal_name == BILL_PUSHED:
                    return True
        except (RuntimeError, RPCError):  # Temporal is starting again, or the order has no workflow yet
            return False
        return False

    async def _more_in_the_erp_than(self, before: int) -> bool:
        return await self._proof.in_the_erp() > before

    async def _nothing_on_its_way(self) -> bool:
        return bool(await self._fetch("select count(*) = 0 from bills where status = 'pending_push'"))

    async def _value(self, statement: str, *given: object) -> int:
        return int(await self._fetch(statement, *given) or 0)

    async def _text(self, statement: str, *given: object) -> str:
        return str(await self._fetch(statement, *given) or "")

    async def _fetch(self, statement: str, *given: object) -> Any:
        """The one value that a statement asks for; None while PostgreSQL is killed or starting again."""
        try:
            connection = await asyncpg.connect(**self._address)
            try:
                return await connection.fetchval(statement, *given)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError):
            return None

    @asynccontextmanager
    async def _standing_still(self, name: str) -> AsyncIterator[None]:
        await self._until(partial(_is_there, name), f"the {name} to be there")  # it may be starting again
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


async def _is_there(name: str) -> bool:
    try:
        child_named(name)
    except LookupError:
        return False
    return True


Kill = tuple[str, Callable[[Steps, Caller, Callable[[], str]], Awaitable[None]]]
"""A process, and what brings a bill to the step at which it is killed."""

IN_SHORT: Sequence[Kill] = (
    ("worker", Steps.marked_sent),
    ("postgres", Steps.key_claimed),
    ("api", Steps.decision_committed),
    ("temporal", Steps.handed_on),
    ("worker", Steps.erp_committed),
    ("postgres", Steps.read_back),
    ("temporal", Steps.confirmed),
    ("api", Steps.notified),
)
"""Each process twice, each step once."""

STEPS = (
    Steps.key_claimed,
    Steps.decision_committed,
    Steps.handed_on,
    Steps.marked_sent,
    Steps.erp_committed,
    Steps.read_back,
    Steps.confirmed,
    Steps.notified,
)

IN_FULL: Sequence[Kill] = tuple((name, step) for step in STEPS for name in KILLED)
"""Each process at each step."""


async def prove_by_steps(
    bench: Bench, report: Report, connection_id: str, kills: Sequence[Kill], *, patience: float = PATIENT_AT_THE_END
) -> list[str]:
    """Kill one process after another, at a step of another bill each time, and compare the books, which may take
    `patience` seconds to agree. Return what did not hold."""
    proof = Proof(bench, report, connection_id, seed=1, patience=patience)
    figures = []
    try:
        orders = await proof.new_orders("steps", len(kills), 10)
        steps = Steps(bench, proof)
        for n, (name, step) in enumerate(kills):
            began = time.monotonic()
            caller = Caller(orders[n], f"steps-{n}", PRICE - STEP * n)
            await step(steps, caller, killing(bench.stack, name))
            what = f"{name}: {step.__name__.replace('_', ' ')}"
            proof.expect(what, caller.status == 201, f"{caller.number} was answered {caller.status}: {caller.body}")
            figures.append(Figure(what, time.monotonic() - began, "s"))
        began = time.monotonic()
        await proof.books_agree("steps")
        figures.append(Figure("the books agree", time.monotonic() - began, "s"))
        report.add("processes killed at known steps", figures)
    finally:
        await proof.close()
    return proof.broken


def main() -> int:
    """Kill each process at each step; return 1 where the books differ."""
    report = Report(wide_console())
    with running_bench(report.console.print, restart_temporal=True) as bench:
        connection_id = bench.connect(read_lag_seconds=1)
        broken = asyncio.run(prove_by_steps(bench, report, connection_id, IN_FULL))
    for what in broken:
        report.console.print(f"[red]broken[/] {what}")
    report.console.print("[red]the books differ[/]" if broken else "what was answered = the mirror = the ERP's books")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
