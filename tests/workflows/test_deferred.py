"""An ERP that answers days later, in skipped time: the real workflows, activities and store, and an ERP in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.connector_pool import Connections
from cli.local.embedded import free_port, temporal_command, temporal_is_ready
from cli.local.processes import ChildProcess
from erp.errors import Deferred
from models import contract
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId
from models.store.base.database import Database
from services.exchanges import StoredExchanges
from services.outbox.delivery import OutboxDelivery
from temporal_gateway.deferred import retry_activity_now
from temporal_gateway.notifier import WorkflowNotifier
from tests.builders.records import (
    an_order,
)
from tests.fakes.fake_connector import FakeConnector
from tests.harness.activity_harness import (
    ActivityHarness,
    NoVault,
    new_activity_harness,
)
from tests.harness.waiting import eventually
from worker import build_workers


@dataclass
class Deferring:
    """An activity harness whose workflows run, with an ERP that answers when it comes by."""

    client: Client
    harness: ActivityHarness

    async def bill(self, key: str) -> BillId:
        """A bill that was asked for at the API."""
        order = next(iter(self.harness.erp.orders.values()))
        decided = await self.harness.bill(order, {1: 1}, key=key, number=f"INV-{key}")
        assert decided.bill_id is not None, decided
        assert decided.message is not None, decided
        outbox = OutboxDelivery(self.harness.tenant.database, WorkflowNotifier(self.client))
        outbox.deliver_behind_answer(decided.message)
        await outbox.settle()
        return decided.bill_id

    async def come_by(self) -> int:
        """How many questions the ERP's program found and answered."""
        return len(
            await self.harness.erp.answers.come_by(self.harness.tenant.database, self.harness.tenant.connection_id)
        )

    async def status(self, bill_id: BillId) -> str:
        return str((await self.harness.tenant.bill_row(bill_id)).status)

    async def events(self, bill_id: BillId) -> int:
        history = await self.client.get_workflow_handle(contract.bill_workflow_id(bill_id)).fetch_history()
        return len(history.events)


@asynccontextmanager
async def deferring(client: Client, database: Database) -> AsyncIterator[Deferring]:
    harness = await new_activity_harness(database)

    connections = Connections(database, NoVault(), {Erp.INTACCT: partial(FakeConnector, harness.erp)})
    await harness.holds(an_order(lines={1: 10}))
    async with AsyncExitStack() as running:
        for worker in build_workers(client, database, connections):
            await running.enter_async_context(worker)
        yield Deferring(client, harness)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=12)
    yield database
    await database.close()


@pytest.fixture
async def own_temporal(server_directory: Path) -> AsyncIterator[Client]:
    """A server of today's version for this test alone: its worker serves the real queues."""
    port = free_port()
    command = temporal_command(port=port, ui_port=None, database=None)
    server = ChildProcess("temporal of deferred", command, log=server_directory / "temporal-deferred.log")
    server.start()
    try:
        await asyncio.to_thread(server.wait_until, lambda: temporal_is_ready(f"127.0.0.1:{port}"))
        yield await Client.connect(f"127.0.0.1:{port}", data_converter=pydantic_data_converter)
    finally:
        server.stop()


async def test_an_exchange_that_is_answered_three_days_later(
    time_skipping: WorkflowEnvironment, database: Database
) -> None:
    """HOUSE 4.7: the activity ends, its next attempt finds the answer; hardly anything of it is in the history."""
    async with deferring(time_skipping.client, database) as here:
        at_once = await here.bill("k-0")
        await eventually(lambda: _is(here, at_once, BillStatus.SYNCED))
        usual = await here.events(at_once)
        here.harness.erp.deferred = True
        later = await here.bill("k-1")
        # The look-up by number, the write, its reading back: within the week after which a person is notified.
        for away in (timedelta(hours=1), timedelta(days=3), timedelta(days=3)):
            await time_skipping.sleep(away)
            assert await here.come_by() == 1
        await time_skipping.sleep(timedelta(hours=1))
        await eventually(lambda: _is(here, later, BillStatus.SYNCED))
        assert await here.events(later) - usual <= 12
        assert here.harness.erp.calls["create_bill"] == 2, "one for each bill"
        assert (await here.harness.connection()).outage_since is None


async def test_the_answer_wakes_who_waits_for_it(own_temporal: Client, database: Database) -> None:
    """On a server of today's version: no half hour passes, and no event is written."""
    async with deferring(own_temporal, database) as here:
        here.harness.erp.deferred = True
        bill_id = await here.bill("k-2")
        for _ in range(3):  # the look-up by number, the write, its reading back
            await eventually(lambda: _asked(here))
            waiters = await here.harness.erp.answers.come_by(database, here.harness.tenant.connection_id)
            for waiter in waiters:
                assert await retry_activity_now(
                    own_temporal,
                    workflow_id=waiter.workflow_id,
                    run_id=waiter.workflow_run_id,
                    activity_id=waiter.activity_id,
                )
        await eventually(lambda: _is(here, bill_id, BillStatus.SYNCED))
        assert here.harness.erp.calls["create_bill"] == 1


async def test_an_answer_that_comes_before_its_attempt_has_ended_wakes_it_all_the_same(
    own_temporal: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reset is lost on an attempt that still runs; its next one would come half an hour later."""
    answered = asyncio.Event()
    read = StoredExchanges.read

    async def ends_late(self: StoredExchanges, key: str, request: str) -> str:
        try:
            return await read(self, key, request)
        except Deferred:
            await answered.wait()
            raise

    monkeypatch.setattr(StoredExchanges, "read", ends_late)
    async with deferring(own_temporal, database) as here:
        here.harness.erp.deferred = True
        await here.bill("k-3")
        await eventually(lambda: _asked(here))
        (waiter,) = await here.harness.erp.answers.come_by(database, here.harness.tenant.connection_id)
        woken = asyncio.create_task(
            retry_activity_now(
                own_temporal,
                workflow_id=waiter.workflow_id,
                run_id=waiter.workflow_run_id,
                activity_id=waiter.activity_id,
            )
        )
        assert not (await asyncio.wait({woken}, timeout=0.5))[0], "the attempt that asked still runs"
        answered.set()
        assert await woken
        # The write, which is asked for next, shows that the answer to the look-up was found.
        await eventually(lambda: _asked(here))


async def test_waking_nobody_is_no_error(temporal: Client) -> None:
    """The workflow may be over by the time the answer comes."""
    assert not await retry_activity_now(temporal, workflow_id="bill/none", run_id="", activity_id="1")


async def _is(here: Deferring, bill_id: BillId, status: BillStatus) -> bool:
    return await here.status(bill_id) == status


async def _asked(here: Deferring) -> bool:
    rows = await here.harness.tenant.fetch(
        "select key from exchanges where connection_id = :c and answered_at is null and workflow_id <> ''"
    )
    return bool(rows)
