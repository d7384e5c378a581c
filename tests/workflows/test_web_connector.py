"""QuickBooks Desktop from end to end: the API, the workflows and the door, and a Web Connector that calls."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager
from cryptography.fernet import Fernet
from lxml import etree
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.connector_pool import Connections
from api.app import create_app
from cli.local.embedded import free_port, temporal_command, temporal_is_ready
from cli.local.processes import ChildProcess
from erp import registry
from models import contract
from models.domain.ids import BillId
from models.store.base.database import Database
from models.store.connections import organizations
from models.store.connections.credentials import CredentialVault
from settings import Settings
from temporal_gateway import deferred
from tests.fakes.web_connector import Dropped, FakeCompany, FakeWebConnector
from tests.harness.api_client import ApiClient, Organization
from tests.harness.waiting import eventually
from worker import build_workers


@dataclass
class Desktop:
    """A connection to QuickBooks Desktop with its order in the mirror. `skip` lets time pass."""

    api: ApiClient
    client: Client
    connector: FakeWebConnector
    company: FakeCompany
    connection_id: str
    order: dict[str, Any]
    skip: Callable[[timedelta], Awaitable[None]]
    endings: list[str] = field(default_factory=list)

    async def bill(self, number: str, quantity: str = "4", line: int = 1) -> BillId:
        body = {
            "number": number,
            "bill_date": "2026-03-05",
            "due_date": "2026-04-04",
            "lines": [{"order_line_no": line, "quantity": quantity}],
        }
        answer = await self.api.post(f"/v1/purchase-orders/{self.order['id']}/bills", body)
        assert answer.status_code == 201, answer.text
        return BillId(answer.json()["bill"]["id"])

    async def read(self, bill_id: BillId) -> dict[str, Any]:
        return dict((await self.api.get(f"/v1/bills/{bill_id}")).json())

    async def status(self, bill_id: BillId) -> str:
        return str((await self.read(bill_id))["status"])

    async def events(self, bill_id: BillId) -> int:
        history = await self.client.get_workflow_handle(contract.bill_workflow_id(bill_id)).fetch_history()
        return len(history.events)

    async def asked(self) -> None:
        """Something waits for the Web Connector."""
        await eventually(self._waits)

    async def _waits(self) -> bool:
        read = await self.api.get(f"/v1/connections/{self.connection_id}/web_connector")
        return bool(read.json()["waiting"])


@asynccontextmanager
async def desktop(
    client: Client, database_url: str, skip: Callable[[timedelta], Awaitable[None]], *, hold: float
) -> AsyncIterator[Desktop]:
    """A company whose Web Connector was set up, recognized and read once."""
    database = Database(database_url, pool_size=12)
    settings = Settings(
        database_url=database_url,
        credential_keys=(Fernet.generate_key().decode(),),
        public_url="https://posync.example.com",
        web_connector_hold_seconds=hold,
        web_connector_busy_seconds=0,
    )
    async with AsyncExitStack() as running:
        running.push_async_callback(database.close)
        connections = Connections(database, CredentialVault(settings.credential_keys), registry.connectors())
        for worker in build_workers(client, database, connections):
            await running.enter_async_context(worker)
        manager = await running.enter_async_context(LifespanManager(create_app(settings, temporal=client)))
        transport = httpx.ASGITransport(app=manager.app)
        http = await running.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://posync"))
        async with database.transaction() as s:
            organization = await organizations.create_organization(s, f"Organization {secrets.token_hex(3)}")
            key = await organizations.create_api_key(s, organization, "admin", "admin")
        api = ApiClient(http, Organization(organization, {"admin": key}))
        new = {
            "erp": "quickbooks_desktop",
            "name": "Larkin",
            "first_import_from": "2026-01-01",
            "purchase_orders": True,
        }
        connection_id = (await api.post("/v1/connections", new)).json()["id"]
        login = (await api.post(f"/v1/connections/{connection_id}/web_connector", {})).json()
        file = await api.get(f"/v1/connections/{connection_id}/qwc")
        company = FakeCompany(etree.fromstring(file.content).findtext("FileID") or "")
        connector = FakeWebConnector(http, connection_id, login["password"], company)
        here = Desktop(api, client, connector, company, connection_id, {}, skip)
        await connector.session()
        answer = await api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {}})
        assert answer.status_code == 200, answer.text
        assert (await api.post(f"/v1/connections/{connection_id}/sync")).status_code in (200, 202)

        async def mirrored() -> bool:
            found = (await api.get("/v1/purchase-orders", connection=connection_id)).json()["items"]
            if not found:
                await connector.session()
                await skip(timedelta(minutes=31))
                return False
            here.order = found[0]
            return True

        await eventually(mirrored)
        yield here


async def until_dropped(here: Desktop) -> bool:
    """Sessions until one of them is cut off; False: none was."""
    for _ in range(10):
        try:
            await here.connector.session()
        except Dropped:
            return True
        await here.skip(timedelta(minutes=31))
    return False


@pytest.fixture
async def own_temporal(server_directory: Path) -> AsyncIterator[Client]:
    """A server of today's version for this test alone: its worker serves the real queues."""
    port = free_port()
    command = temporal_command(port=port, ui_port=None, database=None)
    server = ChildProcess("temporal of the door", command, log=server_directory / "temporal-door.log")
    server.start()
    try:
        await asyncio.to_thread(server.wait_until, lambda: temporal_is_ready(f"127.0.0.1:{port}"))
        yield await Client.connect(f"127.0.0.1:{port}", data_converter=pydantic_data_converter)
    finally:
        server.stop()


async def no_skip(_: timedelta) -> None:
    """Time passes by itself."""


async def test_a_bill_goes_out_in_one_session(own_temporal: Client, database_url: str) -> None:
    """Issue 12: a look-up with the order, the bill with the order: at most three rounds, no NoOp, no further poll."""
    async with desktop(own_temporal, database_url, no_skip, hold=3.0) as here:
        assert (here.order["number"], here.order["status"]) == ("PO-1007", "unfilled")
        bill_id = await here.bill("INV-1")
        await here.asked()
        here.connector.calls.clear()
        here.connector.rounds = 0
        session = asyncio.create_task(here.connector.session())
        await eventually(lambda: _is(here, bill_id, "synced"))
        assert here.connector.rounds <= 3
        assert here.connector.calls.count("authenticate") == 1
        assert "getLastError" not in here.connector.calls
        assert len(here.company.bills) == 1
        read = await here.read(bill_id)
        assert read["document_id"] == "601-1"
        await session


async def test_a_bill_waits_three_days_for_its_computer(
    time_skipping: WorkflowEnvironment, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 12: hardly anything of the wait is in the history, and a computer that was switched off in the middle, with
    the bill made and its answer lost, makes no second one."""
    # This server cannot let an activity try again at once: nothing is woken here, time passes instead.
    monkeypatch.setattr(deferred, "ATTEMPT_MAY_TAKE_SECONDS", 0.0)
    async with desktop(time_skipping.client, database_url, time_skipping.sleep, hold=0.0) as here:
        at_once = await here.bill("INV-0", "1")
        await eventually(lambda: _is_after_a_session(here, at_once, "synced"))
        usual = await here.events(at_once)
        later = await here.bill("INV-1", "2", line=2)
        await here.asked()
        await here.skip(timedelta(days=2))

        def switched_off(step: str, _: int) -> None:
            if step == "answered" and len(here.company.bills) == 2:
                raise Dropped

        here.connector.drop = switched_off
        assert await until_dropped(here)
        here.connector.drop = lambda step, number: None
        await here.skip(timedelta(days=1))
        await eventually(lambda: _is_after_a_session(here, later, "synced"))
        assert len(here.company.bills) == 2
        assert await here.events(later) - usual <= 12
        connection = (await here.api.get(f"/v1/connections/{here.connection_id}")).json()
        assert connection["outage_since"] is None


async def _is(here: Desktop, bill_id: BillId, status: str) -> bool:
    return await here.status(bill_id) == status


async def _is_after_a_session(here: Desktop, bill_id: BillId, status: str) -> bool:
    if await _is(here, bill_id, status):
        return True
    await here.connector.session()
    await here.skip(timedelta(minutes=31))
    return await _is(here, bill_id, status)
