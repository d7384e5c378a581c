"""Metered reads and their quota over several workers, on the real store (issue 11, numbers; reference 4).

Real: the store and each worker's connectors. Fake: QuickBooks, which refuses reads when it is told to, and time, which
passes by moving what is stored back.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.connector_pool import Connections
from erp.connection import ConnectionSettings
from erp.quickbooks_online import pause
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.connector import QuickBooksConnector
from erp.sign_in import Credentials
from erp.storage import Storage
from erp.time_budgets import ErpWork
from models.domain.connections import Erp
from models.domain.ids import ErpId
from models.store.base.database import Database
from models.store.connections import usage
from tests.harness.activity_harness import NoVault
from tests.harness.tenant import Tenant, new_tenant
from tests.unit.erp.quickbooks_online.service import ENDPOINT, KeptTokens, Service, throttle


class Workers:
    """Two worker processes: they share nothing but the database."""

    def __init__(self, database: Database, tenant: Tenant, service: Service) -> None:
        self.tenant = tenant
        self.service = service
        self._database = database
        self.both = [Connections(database, NoVault(), {Erp.QUICKBOOKS_ONLINE: self._connector}) for _ in range(2)]

    def _connector(
        self, settings: ConnectionSettings, credentials: Credentials, storage: Storage
    ) -> QuickBooksConnector:
        app = App("an-app", "a-secret")
        return QuickBooksConnector(settings, credentials, storage, app, transport=self.service.transport())

    async def read(self, worker: int, *, refused: bool = False) -> str:
        """Read an order in a worker; return what came of it."""
        self.service.first.clear()
        if refused:
            self.service.answer_first("/query", lambda _: throttle())
        try:
            async with self.both[worker].open(self.tenant.connection_id, ErpWork.ORDER) as connection:
                await connection.erp.orders.read(ErpId("190"))
        except ApplicationError as failure:
            return str(failure.details[0].code)
        return "read"

    async def later(self, passed: timedelta) -> None:
        """Let time pass, for what is stored."""
        await self.tenant.execute(
            "update refused_reads set since = since - cast(:passed as interval),"
            "   until = until - cast(:passed as interval) where connection_id = :id",
            passed=passed,
            id=self.tenant.connection_id,
        )

    async def counted(self) -> int:
        async with self._database.statement() as session:
            return await usage.this_months(session, self.tenant.connection_id)

    async def issues(self) -> list[str]:
        rows = await self.tenant.fetch("select code from sync_issues where connection_id = :c and state = 'open'")
        return [row.code for row in rows]


@pytest.fixture
async def workers(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    monkeypatch.setattr(pause.Pause, "must_be_over", lambda _: None)  # nobody waits for a minute here
    tenant = await new_tenant(database)
    await tenant.execute(
        "update connections set erp = :erp, endpoint = :url, settings = '{}', preferences = '{}', credentials = :tokens"
        " where id = :id",
        erp=Erp.QUICKBOOKS_ONLINE.value,
        url=ENDPOINT,
        tokens=NoVault().seal(KeptTokens().tokens),
        id=tenant.connection_id,
    )
    workers = Workers(database, tenant, Service())
    assert [await workers.read(0), await workers.read(1)] == ["read", "read"]
    yield workers
    for one in workers.both:
        await one.close()


async def test_each_successful_read_is_counted_at_once(workers: Workers) -> None:
    """One read of the company's preferences per worker, one of the order each time; refused ones count for nothing."""
    before, reads = await workers.counted(), len(workers.service.reads())
    assert (before, reads) == (4, 4)
    assert await workers.read(0, refused=True) == "ERP_THROTTLED"
    assert [await workers.read(1), await workers.read(1)] == ["read", "read"]
    assert (await workers.counted(), len(workers.service.reads())) == (before + 2, reads + 3)


async def test_throttles_an_hour_apart_in_two_workers_are_no_quota(workers: Workers) -> None:
    """A process may have been throttled last an hour ago, and another one have read all the time."""
    for worker in (0, 1, 0, 1):
        assert await workers.read(worker, refused=True) == "ERP_THROTTLED"
        await workers.later(timedelta(hours=1))
    for _ in range(10):
        assert await workers.read(0, refused=True) == "ERP_THROTTLED"
        assert await workers.read(1) == "read"
        await workers.later(timedelta(minutes=1))
    assert await workers.issues() == []


async def test_minutes_of_refusals_in_both_workers_are_one_quota(workers: Workers) -> None:
    """Told once; one success of either worker ends it for both, and after it a throttle is a throttle again."""
    for minute in range(5):
        assert await workers.read(minute % 2, refused=True) == "ERP_THROTTLED"
        await workers.later(timedelta(minutes=1))
    assert await workers.issues() == []
    assert await workers.read(1, refused=True) == "ERP_QUOTA"
    asked = len(workers.service.reads())
    assert [await workers.read(1) for _ in range(3)] == ["ERP_QUOTA"] * 3
    assert len(workers.service.reads()) == asked
    assert await workers.read(0, refused=True) == "ERP_QUOTA"
    assert await workers.issues() == ["ERP_QUOTA"]
    await workers.both[0].close()  # a new process knows nothing and asks
    assert [await workers.read(0), await workers.read(1)] == ["read", "read"]
    assert await workers.read(1, refused=True) == "ERP_THROTTLED"
