"""Bills without an order: sent once whoever dies, started again when lost, matched again, gone when deleted there."""

from typing import Any

import pytest

from models.contract import bill_workflow_id
from models.domain.bills import BillStatus
from models.domain.ids import BillId, ErpId, SyncRunId
from models.domain.outbox import MessageKind
from models.domain.sync import DeletedKind, Deletion, Stream
from models.messages.bills import BillMatched, BillState
from models.messages.sync import NotifyChangedOrders
from models.store.policies import rematch_requests
from services.outbox.kinds import DELIVERIES
from tests.fakes.fake_erp import WorkerDied
from tests.harness.activity_harness import TODAY, ActivityHarness


async def entered(harness: ActivityHarness, number: str = "RENT-1", **more: Any) -> BillId:
    body = {
        "connection_id": harness.tenant.connection_id,
        "vendor_id": "V-1",
        "number": number,
        "bill_date": TODAY.isoformat(),
        "lines": [{"off_order": True, "account": "6600", "amount": "100.00"}],
        **more,
    }
    answer = await harness.ask_for_bill(f"key-{number}", body)
    assert answer.bill_id is not None, answer
    return BillId(answer.bill_id)


async def sync_ends(harness: ActivityHarness) -> None:
    await harness.waking.notify_changed_orders(
        NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id=SyncRunId("run"))
    )


@pytest.mark.parametrize("moment", ["die_after_writing", "die_after_reading_back"])
async def test_a_worker_killed_between_the_erp_and_us_makes_no_second_bill(
    harness: ActivityHarness, moment: str
) -> None:
    """The process dies after the ERP committed and before we stored it: looked up by our key, adopted."""
    bill_id = await entered(harness)
    setattr(harness.erp, moment, 1)
    with pytest.raises(WorkerDied):
        await harness.push(bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (harness.erp.calls["create_bill"], len(harness.erp.invoices)) == (1, 1)
    assert harness.notifier.pushed == [], "no order hears of it"


async def test_it_starts_its_own_workflow(harness: ActivityHarness) -> None:
    """Accepted, it brings its state; once it went out there is nothing to begin."""
    bill_id = await entered(harness)
    build = DELIVERIES[MessageKind.BILL_ACCEPTED].build
    async with harness.tenant.database.transaction() as s:
        signal: Any = await build(s, bill_id)
    assert (signal.workflow_id, type(signal.argument)) == (bill_workflow_id(bill_id), BillMatched)
    assert isinstance(signal.start, BillState)
    assert (signal.start.purchase_order_id, signal.start.order_number, signal.start.order_workflow_id) == (None, "", "")
    await harness.push(bill_id)
    async with harness.tenant.database.transaction() as s:
        assert await build(s, bill_id) is None


async def test_a_lost_workflow_is_started_again(harness: ActivityHarness) -> None:
    bill_id = await entered(harness)
    await harness.tenant.execute("delete from outbox where connection_id = :c", c=harness.tenant.connection_id)
    await harness.tenant.execute(
        "update bills set created_at = created_at - interval '5 minutes' where id = :id", id=bill_id
    )
    await sync_ends(harness)
    assert [one.bill_id for one in harness.notifier.started if isinstance(one, BillState)] == [bill_id]


async def test_what_it_waits_for_is_looked_at_again_by_the_next_sync(harness: ActivityHarness) -> None:
    """The books were reopened: the bill goes on, and its workflow is owed the news."""
    connection = harness.tenant.connection_id
    await harness.tenant.execute(
        "insert into closed_periods (connection_id, entity, erp_closed_through, version)"
        " values (:c, '', '2099-01-01', 0)",
        c=connection,
    )
    bill_id = await entered(harness)
    assert (await harness.tenant.bill_row(bill_id)).status == "on_hold"
    await harness.tenant.execute("delete from closed_periods where connection_id = :c", c=connection)
    async with harness.tenant.database.transaction() as s:
        await rematch_requests.request(s, connection, "the books were reopened")
    await sync_ends(harness)
    assert (await harness.tenant.bill_row(bill_id)).status == "pending_push"


async def test_deleted_in_the_erp_it_is_deleted_here(harness: ActivityHarness) -> None:
    """Its record is the payable itself; a purchasing document with that number says nothing of it."""
    bill_id = await entered(harness)
    await harness.push(bill_id)
    row = await harness.tenant.bill_row(bill_id)
    at = "2999-01-01 10:00:00"
    harness.erp.gone.append(Deletion(kind=DeletedKind.PURCHASE_ORDER_DOCUMENT, erp_id=ErpId(row.erp_id), deleted_at=at))
    await harness.read(Stream.DELETIONS)
    assert (await harness.tenant.bill_row(bill_id)).status == "synced"
    harness.erp.gone.append(Deletion(kind=DeletedKind.BILL, erp_id=ErpId(row.payable_id), deleted_at=at))
    await harness.read(Stream.DELETIONS)
    assert (await harness.tenant.bill_row(bill_id)).status == "deleted"
