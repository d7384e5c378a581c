"""What an operator ended in Temporal is found by the next sync run and goes on, whatever its status (B11)."""

from typing import Any

import pytest

from models.contract import bill_workflow_id, payment_workflow_id, purchase_order_workflow_id
from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId, SyncRunId
from models.domain.orders import PurchaseOrder
from models.domain.payments import PaymentStatus
from models.messages.bills import BillState
from models.messages.payments import PaymentState
from models.messages.sync import NotifyChangedOrders
from tests.builders.records import (
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)


def workflow_of(harness: ActivityHarness, order: PurchaseOrder) -> str:
    return purchase_order_workflow_id(harness.tenant.connection_id, order.erp_id, order.number)


@pytest.fixture
async def order(harness: ActivityHarness) -> PurchaseOrder:
    order = await harness.holds(an_order(lines={1: 10}))
    harness.notifier.running.add(workflow_of(harness, order))
    return order


async def make_old(harness: ActivityHarness) -> None:
    """Minutes pass, and everything accepted was handed over."""
    c = harness.tenant.connection_id
    await harness.tenant.execute("delete from outbox where connection_id = :c", c=c)
    for table in ("bills", "payments"):
        await harness.tenant.execute(
            f"update {table} set created_at = created_at - interval '5 minutes' where connection_id = :c", c=c
        )


async def sync_ends(harness: ActivityHarness) -> None:
    await harness.waking.notify_changed_orders(
        NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id=SyncRunId("run"))
    )


async def an_issue(harness: ActivityHarness, workflow_id: str, kind: str, subject_id: str) -> None:
    await harness.tenant.execute(
        "insert into sync_issues (id, organization_id, connection_id, code, subject_kind, subject_id, subject_name,"
        " cause, state, workflow_id, occurrences) values (:id, :o, :c, 'PERIOD_CLOSED', :kind, :subject, 's', 'c',"
        " 'open', :workflow, 1)",
        id=f"issue_{subject_id}",
        o=harness.tenant.organization_id,
        c=harness.tenant.connection_id,
        kind=kind,
        subject=subject_id,
        workflow=workflow_id,
    )


async def set_status(harness: ActivityHarness, bill_id: BillId, status: str) -> None:
    await harness.tenant.execute("update bills set status = :status where id = :id", status=status, id=bill_id)


@pytest.mark.parametrize(
    "status",
    ["pending_push", "awaiting_acknowledgement", "on_hold", "sync_issue", "link_missing", "synced", "scheduled"],
)
async def test_a_bill_without_its_workflow_gets_one(
    harness: ActivityHarness, order: PurchaseOrder, status: str
) -> None:
    """B11: terminated at any moment; the issue its last run waited behind is closed, its next run opens it anew."""
    bill_id = await harness.billed(order, {1: 2}, key="k1", number="INV-1")
    await set_status(harness, bill_id, status)
    await an_issue(harness, bill_workflow_id(bill_id), "bill", bill_id)
    await make_old(harness)
    await sync_ends(harness)
    (started,) = harness.notifier.started
    assert isinstance(started, BillState)
    assert (started.bill_id, started.number, started.status, started.total) == (bill_id, "INV-1", status, "25.00")
    assert started.order_workflow_id == purchase_order_workflow_id(
        harness.tenant.connection_id, order.erp_id, order.number
    )
    assert await harness.tenant.open_issues() == {}
    await sync_ends(harness)
    assert len(harness.notifier.started) == 1, "it runs now"


async def test_what_runs_or_is_settled_or_is_young_is_left_alone(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """No workflow is started twice, and none for what is done."""
    runs = await harness.billed(order, {1: 1}, key="k1")
    harness.notifier.running.add(bill_workflow_id(runs))
    await an_issue(harness, bill_workflow_id(runs), "bill", runs)
    for status in ("paid", "abandoned", "deleted"):
        await set_status(harness, await harness.billed(order, {1: 1}, key=status), status)
    await make_old(harness)
    await harness.billed(order, {1: 1}, key="young")
    await sync_ends(harness)
    assert harness.notifier.started == []
    assert set(await harness.tenant.open_issues()) == {"PERIOD_CLOSED"}


async def test_what_is_not_delivered_yet_is_the_outboxs(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """A bill whose message waits is told to its order, which starts it as its child."""
    await harness.billed(order, {1: 1}, key="k1")
    await harness.tenant.execute("update bills set created_at = created_at - interval '5 minutes'")
    await sync_ends(harness)
    assert harness.notifier.started == []
    assert harness.notifier.accepted == []


async def test_a_payment_without_its_workflow_gets_one(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """B11: and not before its bill is in the ERP, nor before the bill's edit."""
    bill_id = await harness.billed(order, {1: 4}, key="k1", number="INV-1")
    harness.notifier.running.add(bill_workflow_id(bill_id))
    payment_id = await harness.paid(bill_id, "20.00", key="p1")
    await an_issue(harness, payment_workflow_id(payment_id), "payment", payment_id)
    await make_old(harness)
    await sync_ends(harness)
    assert harness.notifier.started == [], "its bill is on its way"
    await set_status(harness, bill_id, "scheduled")
    await harness.tenant.execute("update bills set edit_pending = true where id = :id", id=bill_id)
    await sync_ends(harness)
    assert harness.notifier.started == [], "the edit goes first"
    await harness.tenant.execute("update bills set edit_pending = false where id = :id", id=bill_id)
    await sync_ends(harness)
    (started,) = harness.notifier.started
    assert isinstance(started, PaymentState)
    assert (started.payment_id, started.bill_id, started.amount, started.status) == (
        payment_id,
        bill_id,
        "20.00",
        PaymentStatus.SCHEDULED,
    )
    assert (started.bill_number, started.order_number) == ("INV-1", order.number)
    assert await harness.tenant.open_issues() == {}


@pytest.mark.parametrize("sent", [False, True])
async def test_a_payment_of_a_settled_bill(harness: ActivityHarness, order: PurchaseOrder, sent: bool) -> None:
    """Never sent, it is abandoned with its bill; what the ERP may hold is looked up."""
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    payment_id = await harness.paid(bill_id, "20.00", key="p1")
    if sent:
        await harness.tenant.execute(
            "update erp_writes set state = 'sent', sent_at = now() where subject_id = :id", id=payment_id
        )
    await set_status(harness, bill_id, "paid")
    await make_old(harness)
    await sync_ends(harness)
    (payment,) = await harness.tenant.payment_rows()
    assert (payment.status, len(harness.notifier.started)) == (("scheduled", 1) if sent else ("abandoned", 0))


async def test_an_order_without_its_workflow_hears_of_its_bills_again(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """B11: it waits for the ERP to show them; one that is shown needs no order."""
    bill_ids = [await harness.billed(order, {1: 2}, key=key) for key in ("k1", "k2", "k3")]
    for bill_id in bill_ids:
        harness.notifier.running.add(bill_workflow_id(bill_id))
    await set_status(harness, bill_ids[1], "synced")
    await set_status(harness, bill_ids[2], "synced")
    await harness.tenant.execute("update bill_lines set reserves = false where bill_id = :id", id=bill_ids[2])
    await make_old(harness)
    await sync_ends(harness)
    assert harness.notifier.accepted == [], "its workflow runs"
    harness.notifier.running.discard(workflow_of(harness, order))
    await sync_ends(harness)
    told: dict[Any, BillStatus] = {accepted.bill_id: accepted.status for accepted in harness.notifier.accepted}
    assert told == {bill_ids[0]: BillStatus.PENDING_PUSH, bill_ids[1]: BillStatus.SYNCED}


async def test_only_payments_of_ours_count(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """One made in the ERP has no workflow."""
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.notifier.running.add(bill_workflow_id(bill_id))
    payment_id = await harness.paid(bill_id, "20.00", key="p1")
    await set_status(harness, bill_id, "scheduled")
    await harness.tenant.execute("update payments set origin = 'erp' where id = :id", id=PaymentId(payment_id))
    await make_old(harness)
    await sync_ends(harness)
    assert harness.notifier.started == []
