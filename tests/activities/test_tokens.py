"""Tokens that the ERP changes while two workers use them: the real store and activities, and the ERP in memory."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from temporalio.exceptions import ApplicationError

from activities.connector_pool import Connections
from activities.erp import ErpActivities
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId
from models.messages.bills import PushBill
from models.store.base.database import Database
from tests.builders.records import an_order
from tests.fakes.fake_connector import FakeConnector
from tests.fakes.fake_grant import ISSUED, FakeGrant
from tests.harness.activity_harness import ActivityHarness, NoVault, failure


@pytest.fixture
async def grant(harness: ActivityHarness) -> FakeGrant:
    """What a person's consent gave this connection."""
    harness.erp.grant = FakeGrant()
    await harness.tenant.execute(
        "update connections set credentials = :issued where id = :id",
        issued=NoVault().seal(ISSUED),
        id=harness.tenant.connection_id,
    )
    return harness.erp.grant


@pytest.fixture
async def second_worker(harness: ActivityHarness, database: Database) -> AsyncIterator[ErpActivities]:
    """Another process: it shares nothing with the first but the database and the ERP."""
    connections = Connections(database, NoVault(), {Erp.INTACCT: partial(FakeConnector, harness.erp)})
    yield ErpActivities(database, connections, harness.notifier)
    await connections.close()


async def bills_on_two_orders(harness: ActivityHarness, first: int) -> list[BillId]:
    """Two bills that do not wait for each other's turn."""
    orders = [await harness.holds(an_order(number, lines={1: 10})) for number in (first, first + 1)]
    return [await harness.billed(order, {1: 4}, key=f"k-{order.number}") for order in orders]


async def test_two_workers_that_are_refused_at_once_ask_for_new_tokens_once(
    harness: ActivityHarness, second_worker: ErpActivities, grant: FakeGrant
) -> None:
    """HOUSE 4.2: both push with a token that has expired; the grant lives, and both bills are in the ERP."""
    grant.wait_for_refusals = 2
    for expired in (1, 2):
        grant.expire()
        mine, theirs = await bills_on_two_orders(harness, 1000 * expired)
        push = PushBill(connection_id=harness.tenant.connection_id, bill_id=theirs)
        results = await asyncio.gather(harness.push(mine), second_worker.push_bill(push))
        assert [result.status for result in results] == [BillStatus.SYNCED, BillStatus.SYNCED]
        assert (grant.asked, grant.lost) == (expired, False)
    assert harness.erp.calls["create_bill"] == 4, "one for each bill"


async def test_a_grant_that_is_lost_is_a_matter_for_a_person(harness: ActivityHarness, grant: FakeGrant) -> None:
    """Somebody else has used the refresh token: nothing is written, and the failure says what to do."""
    (bill_id, _) = await bills_on_two_orders(harness, 1000)
    await grant.refresh(ISSUED)
    grant.expire()
    with pytest.raises(ApplicationError) as raised:
        await harness.push(bill_id)
    assert failure(raised).code == "AUTH_RECONNECT"
    assert harness.erp.calls["create_bill"] == 0
    (row,) = await harness.tenant.fetch("select state from connections where id = :c")
    assert row.state == "authentication_failed"
