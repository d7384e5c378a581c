"""A Temporal client that records what it is asked to start, signal and schedule.

Real: the activity that matches an order's bills again, on the test's database. Fake: the server; no workflow runs.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from temporalio.client import ScheduleAlreadyRunningError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.bill_review import (
    BillReviewActivities,
)
from models.contract import BILL_ACCEPTED, REMATCH
from models.messages.orders import BillAccepted, PurchaseOrderState, RematchBills, RematchedBills
from models.store.base.database import Database
from tests.harness.waiting import eventually


@dataclass
class FakeHandle:
    temporal: "FakeTemporal"
    id: str
    result_run_id: str = ""

    async def signal(self, signal: str, arg: Any = None, **_: Any) -> None:
        self.temporal._answer()
        if self.id not in self.temporal.running:
            raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
        self.temporal.signals.append((self.id, signal, arg))

    async def query(self, query: str, *, result_type: type, **_: Any) -> Any:
        if self.id not in self.temporal.live:
            raise RPCError("no worker", RPCStatusCode.DEADLINE_EXCEEDED, b"")
        self.temporal.queries += 1
        await asyncio.sleep(self.temporal.answers_after)
        return self.temporal.live[self.id]

    async def delete(self) -> None:
        if self.temporal.schedules.pop(self.id, None) is None:
            raise RPCError("schedule not found", RPCStatusCode.NOT_FOUND, b"")

    async def update(self, updater: Callable[[Any], Any]) -> None:
        there = SimpleNamespace(description=SimpleNamespace(schedule=self.temporal.schedules[self.id]))
        self.temporal.schedules[self.id] = updater(there).schedule

    async def describe(self) -> Any:
        self.temporal._answer()
        if self.id not in self.temporal.schedules:
            raise RPCError("schedule not found", RPCStatusCode.NOT_FOUND, b"")
        comes = [datetime.now(UTC) + timedelta(days=1)]
        return SimpleNamespace(schedule=self.temporal.schedules[self.id], info=SimpleNamespace(next_action_times=comes))


@dataclass
class FakeTemporal:
    """The client: what it was asked for is kept in its lists; `running` says which workflows there are."""

    database: Database
    down: bool = False
    hangs: bool = False
    """Whether it takes a call and never answers: its server was stopped after the connection was made."""
    running: dict[str, str] = field(default_factory=dict)
    started: list[tuple[str, Any]] = field(default_factory=list)
    signals: list[tuple[str, str, Any]] = field(default_factory=list)
    schedules: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    answers_after: float = 0.0
    """Seconds before a query is answered: how busy the workers are."""
    queries: int = 0
    accepted: dict[str, tuple[str, BillAccepted]] = field(default_factory=dict)
    """By bill: to which order's workflow it was delivered, and the message."""
    _delivered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def delivered(self, bill_id: str) -> tuple[str, BillAccepted]:
        """Wait until the bill was delivered to its order's workflow: that happens behind the answer."""
        async with asyncio.timeout(90), self._delivered:
            await self._delivered.wait_for(lambda: bill_id in self.accepted)
        return self.accepted[bill_id]

    async def has_delivered(self, signal: str) -> None:
        """Wait until a workflow was signalled so: that happens behind the answer."""
        await eventually(lambda: any(name == signal for _, name, *_ in self.signals))

    async def forget_first_sync(self, connection_id: str) -> None:
        """Wait for the sync run that a new connection is owed, and end it."""
        await eventually(lambda: f"sync/{connection_id}" in self.running)
        self.running.clear()

    @property
    def waiting(self) -> BillReviewActivities:
        return BillReviewActivities(self.database)

    async def rematch(self, order: PurchaseOrderState, why: str) -> RematchedBills:
        """What the order's workflow does when it is asked to."""
        restart = RematchBills(connection_id=order.connection_id, purchase_order_id=order.purchase_order_id, why=why)
        return await self.waiting.rematch_bills(restart)

    @property
    def service_client(self) -> "FakeTemporal":
        return self

    async def check_health(self, *, timeout: timedelta) -> None:
        raise RPCError("there is no server behind the fake", RPCStatusCode.UNAVAILABLE, b"")

    def _answer(self) -> None:
        if self.down:
            raise RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")

    async def start_workflow(
        self,
        workflow: str,
        arg: Any,
        *,
        id: str,
        start_signal: str | None = None,
        start_signal_args: Any = (),
        **_: Any,
    ) -> FakeHandle:
        self._answer()
        if self.hangs:
            await asyncio.Event().wait()
        if start_signal == BILL_ACCEPTED:
            (accepted,) = start_signal_args
            async with self._delivered:
                self.accepted[accepted.bill_id] = (id, accepted)
                self._delivered.notify_all()
        elif start_signal_args:
            self.signals.append((id, start_signal, *start_signal_args))
            if start_signal == REMATCH:
                await self.rematch(arg, *start_signal_args)
        if id in self.running and start_signal is not None:
            return FakeHandle(self, id)
        if id in self.running:
            raise WorkflowAlreadyStartedError(id, workflow, run_id=self.running[id])
        self.running[id] = secrets.token_hex(8)
        self.started.append((id, arg))
        return FakeHandle(self, id, self.running[id])

    def get_workflow_handle(self, workflow_id: str) -> FakeHandle:
        return FakeHandle(self, workflow_id)

    def get_schedule_handle(self, id: str) -> FakeHandle:
        return FakeHandle(self, id)

    async def create_schedule(self, id: str, schedule: Any, *, search_attributes: Any) -> None:
        self._answer()
        if id in self.schedules:
            raise ScheduleAlreadyRunningError()
        self.schedules[id] = schedule
