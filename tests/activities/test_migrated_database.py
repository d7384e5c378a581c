"""The mirror of a database that commit 1e5ffd4 made brings its workflows up again where a sync run meets them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from activities.notify import NotifyActivities
from cli.local.embedded import EmbeddedPostgres
from models.domain.bills import BillStatus
from models.domain.ids import ConnectionId, SyncRunId
from models.domain.payments import PaymentStatus
from models.messages.bills import BillState
from models.messages.payments import PaymentState
from models.messages.sync import NotifyChangedOrders
from models.store.base.database import Database
from tests.fakes.fake_notifier import FakeNotifier
from tests.harness.old_database import INTACCT, NETSUITE, PAYMENTS_FAR_AWAY, REFUSED_BILL, restore_demo_end


@pytest.fixture
async def migrated(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    database = Database(await restore_demo_end(postgres))
    await database.migrate()
    yield database
    await database.close()


@pytest.mark.parametrize("connection_id", [INTACCT, NETSUITE])
async def test_open_bills_and_payments_get_their_workflows(migrated: Database, connection_id: ConnectionId) -> None:
    """Issue 9, data that exists: running workflows of before are not carried over; the end of a sync run starts each
    bill and payment that is open, once, and none for what is settled."""
    async with migrated.transaction() as s:
        bills = await s.execute(
            text(
                "select id from bills where connection_id = :c and origin = 'posync'"
                " and status not in ('paid', 'abandoned', 'deleted')"
            ),
            {"c": connection_id},
        )
        open_bills = set(bills.scalars())
    notifier = FakeNotifier()
    activities = NotifyActivities(migrated, notifier)
    for _ in range(2):
        await activities.notify_changed_orders(
            NotifyChangedOrders(connection_id=connection_id, run_id=SyncRunId("run"))
        )
    started_bills = [state for state in notifier.started if isinstance(state, BillState)]
    assert len(started_bills) == len(open_bills) >= 6
    assert {state.bill_id for state in started_bills} == open_bills
    payments = [state for state in notifier.started if isinstance(state, PaymentState)]
    assert [(payment.payment_id, payment.amount, payment.status) for payment in payments] == [
        (PAYMENTS_FAR_AWAY[connection_id], "100.00", PaymentStatus.SCHEDULED)
    ]


async def test_a_refused_bill_is_tried_again_and_its_order_hears_of_it(migrated: Database) -> None:
    """The issue that the workflow of before waited behind is closed: the new workflow opens it anew if it must."""
    notifier = FakeNotifier()
    activities = NotifyActivities(migrated, notifier)
    await activities.notify_changed_orders(NotifyChangedOrders(connection_id=INTACCT, run_id=SyncRunId("run")))
    (bill,) = [state for state in notifier.started if isinstance(state, BillState) and state.bill_id == REFUSED_BILL]
    assert (bill.number, bill.total, bill.status) == ("INV-1033-late", "27.33", BillStatus.SYNC_ISSUE)
    assert [accepted.bill_id for accepted in notifier.accepted] == [REFUSED_BILL], "the others are shown by now"
    async with migrated.transaction() as s:
        states = (await s.execute(text("select state from sync_issues"))).scalars().all()
    assert list(states) == ["resolved"]
