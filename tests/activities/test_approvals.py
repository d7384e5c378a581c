"""Before a bill is sent the settings of approvals are looked at once more: what must wait is not sent."""

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bills import BillStatus
from tests.builders.records import an_order
from tests.harness.activity_harness import ActivityHarness


async def switch(harness: ActivityHarness, *, enabled: bool = True, push_when: str = "approved") -> None:
    """Settings that were changed while a bill was being saved: nobody saw the bill."""
    await harness.tenant.execute(
        "update connections set approvals_enabled = :on, push_when = :push_when where id = :c",
        on=enabled,
        push_when=push_when,
        c=harness.tenant.connection_id,
    )


async def test_a_bill_that_slipped_through_a_change_of_the_settings_is_not_sent(harness: ActivityHarness) -> None:
    """S2-58: planned, its push begun, and approvals were switched on meanwhile: it waits, and the ERP is not asked."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    await switch(harness)
    result = await harness.push(bill_id)
    assert (result.status, result.document_id) == (BillStatus.AWAITING_APPROVAL, "")
    assert harness.erp.calls["create_bill"] == 0
    row = await harness.tenant.bill_row(bill_id)
    assert (row.status, row.approval, (await harness.write(bill_id)).state) == (
        "awaiting_approval",
        "unassigned",
        "held",
    )
    assert result.version == row.version
    owed = await harness.tenant.fetch("select kind from outbox where subject_id = :id", id=bill_id)
    assert "bill_decided" in [row.kind for row in owed]
    assert (await harness.push(bill_id)).status is BillStatus.AWAITING_APPROVAL


async def test_what_the_erp_refused_before_is_sent_again_only_with_an_approval(harness: ActivityHarness) -> None:
    """S2-58: refused, approvals switched on, tried again: it waits first."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.refuse_writes = [Rejected("the period is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    assert (await harness.write(bill_id)).state == "rejected"
    await switch(harness)
    assert (await harness.push(bill_id)).status is BillStatus.AWAITING_APPROVAL
    assert (await harness.write(bill_id)).state == "held"


async def test_what_the_erp_may_hold_is_not_held_back(harness: ActivityHarness) -> None:
    """DESIGN 5: its answer was lost; approvals or not, what became of it must be learned."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await switch(harness)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert len(harness.erp.invoices) == 1


async def test_a_bill_without_a_payment_is_not_sent_where_payments_send_bills(harness: ActivityHarness) -> None:
    """S5-04: the same for bills that go out with their first payment; with one, the bill is sent."""
    order = await harness.holds(an_order(lines={1: 10}))
    first, second = await harness.billed(order, {1: 4}), await harness.billed(order, {1: 3})
    assert (await harness.pay(second, "1.00", key="p1")).payment_id
    await switch(harness, enabled=False, push_when="scheduled")
    assert (await harness.push(first)).status is BillStatus.AWAITING_PAYMENT
    assert (await harness.push(second)).status in (BillStatus.SYNCED, BillStatus.SCHEDULED)
