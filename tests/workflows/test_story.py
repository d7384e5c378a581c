"""One order's whole story, as its workflows live it."""

from datetime import UTC, datetime, time, timedelta

from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.orders import PoStatus
from models.domain.payments import PaymentStatus
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    ended,
    live,
    order,
    payment,
    payment_state,
    schedule_payment,
)
from tests.harness.workflow_harness import WorkflowHarness


async def test_an_order_is_billed_pushed_shown_paid_and_done(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-66, S4-67, S5-33: bill, push, double sync, payment; every workflow ends, one document each."""
    answer = await create_bill(harness, harness.bill_request("k1", 10))
    assert (answer.outcome, answer.total) == ("OK", "250")
    await done(order(harness))
    assert await attribute(order(harness), contract.STATUS) == PoStatus.FILLED
    today = (await time_skipping.get_current_time()).date()
    assert await schedule_payment(harness, harness.payment_request("p1", BillId("bill_k1"), "250", today))
    assert (await done(payment(harness, "pay_p1"))).status == PaymentStatus.PAID
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID
    assert harness.documents() == ["Vendor Invoice-bill_k1"]
    assert harness.calls["push_bill"] == harness.calls["push_payment"] == 1
    assert harness.calls["refresh_purchase_order"] == 0, "the push itself showed the bill on the order"
    assert not harness.issues


async def test_a_payments_day_begins_where_its_company_is(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """Issue 15, item 7: eleven hours behind UTC the day begins eleven hours later, and nothing is sent before."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.bills[BillId("bill_k1")].confirmed)
    pay_on = (await time_skipping.get_current_time()).date() + timedelta(days=3)
    starts_at = datetime.combine(pay_on, time.min, UTC) + timedelta(hours=11)
    asked = harness.payment_request("p1", BillId("bill_k1"), "100", pay_on)
    assert harness.decide_payment(asked)
    message = harness.payment_scheduled(asked.payment_id).model_copy(update={"starts_at": starts_at})
    await bill(harness, "bill_k1").signal(contract.PAYMENT_SCHEDULED, message)
    await eventually(lambda: payment_state(harness, "pay_p1"))
    await time_skipping.sleep(starts_at - timedelta(hours=2) - await time_skipping.get_current_time())
    assert harness.calls["push_payment"] == 0
    end = await ended(time_skipping, payment(harness, "pay_p1"), timedelta(hours=4))
    assert end.status is PaymentStatus.PAID


async def test_a_payment_months_away_waits_for_its_date(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-25: a payment is scheduled for a date; nothing is sent before it."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.bills[BillId("bill_k1")].confirmed)
    begun = await time_skipping.get_current_time()
    pay_on = begun.date() + timedelta(days=120)
    await schedule_payment(harness, harness.payment_request("p1", BillId("bill_k1"), "100", pay_on))
    await eventually(lambda: payment_state(harness, "pay_p1"))
    assert f"Waiting for: the payment date, {pay_on}" in await details(payment(harness, "pay_p1"))
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.SCHEDULED
    await time_skipping.sleep(timedelta(days=118))
    assert harness.calls["push_payment"] == 0
    end = await ended(time_skipping, payment(harness, "pay_p1"), timedelta(days=3))
    assert end.status is PaymentStatus.PAID
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID
    assert (await live(harness)).bills == []


async def test_an_outage_of_twelve_hours_needs_nobody(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """F14: the ERP is away for half a day; afterwards everything goes on by itself, once, with no issue opened."""
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=12)
    await create_bill(harness, harness.bill_request("k1", 4))
    await create_bill(harness, harness.bill_request("k2", 6))
    await eventually(lambda: harness.calls["push_bill"] >= 2)
    assert "Waiting for: the ERP to take the bill" in await details(bill(harness, "bill_k1"))
    await ended(time_skipping, order(harness), timedelta(hours=12, minutes=5))
    assert len(harness.documents()) == 2
    assert not harness.issues
    assert await attribute(order(harness), contract.STATUS) == PoStatus.FILLED
    assert len(harness.outage_calls) <= 2 * (12 * 30 + 12), "at most one call per bill and back-off step"


async def test_an_outage_in_the_middle_of_the_double_sync_needs_nobody(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """F14, S4-67: an ERP that does not answer says nothing about our bill, so nobody is asked to act."""
    harness.shows_at_once = False
    harness.troubles["refresh_purchase_order"] = []
    begun = await time_skipping.get_current_time()
    harness.refreshes_until_shown = 1
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    harness.outage_until = begun + timedelta(hours=12)
    await ended(time_skipping, order(harness), timedelta(hours=12, minutes=5))
    assert not harness.issues
    assert harness.outage_calls[-1] - begun > timedelta(hours=11)
    assert harness.documents() == ["Vendor Invoice-bill_k1"]
    assert harness.calls["push_bill"] == 1


async def test_several_bills_on_one_order_fill_it(harness: WorkflowHarness) -> None:
    """S4-21: an order is billed in parts; each bill is its own document, the last one fills it."""
    for key, quantity in (("k1", 3), ("k2", 3), ("k3", 4)):
        assert (await create_bill(harness, harness.bill_request(key, quantity))).outcome == "OK"
    over = await create_bill(harness, harness.bill_request("k4", 1))
    assert (over.outcome, over.bill_id) == ("BLOCK", None)
    await done(order(harness))
    assert sorted(harness.documents()) == [f"Vendor Invoice-bill_k{n}" for n in (1, 2, 3)]
    assert harness.calls["push_bill"] == 3
    assert [(await bill_state(harness, f"bill_k{n}")).status for n in (1, 2, 3)] == [BillStatus.SYNCED] * 3


async def test_partial_payments_leave_the_bill_open_until_it_is_paid(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S5-33, S5-40: a bill may be paid in parts; what is left is shown, and only the whole closes it."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    today = (await time_skipping.get_current_time()).date()
    handle, bill_id = bill(harness, "bill_k1"), BillId("bill_k1")
    await schedule_payment(harness, harness.payment_request("p1", bill_id, "100", today))
    await done(payment(harness, "pay_p1"))
    await eventually(lambda: _is(harness, BillStatus.PARTIALLY_PAID))
    assert "Paid 100, due 150" in await details(handle)
    assert not await schedule_payment(harness, harness.payment_request("p2", bill_id, "151", today))
    await schedule_payment(harness, harness.payment_request("p3", bill_id, "150", today))
    assert await done(handle) == BillStatus.PAID
    assert harness.calls["push_payment"] == 2


async def _is(harness: WorkflowHarness, status: BillStatus) -> bool:
    return (await bill_state(harness, "bill_k1")).status is status


async def test_a_bill_may_be_scheduled_before_the_erp_took_it(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-25: a payment asked for during an outage goes out after its bill."""
    begun = await time_skipping.get_current_time()
    harness.outage_until = begun + timedelta(hours=1)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["push_bill"])
    schedule = harness.payment_request("p1", BillId("bill_k1"), "250", begun.date())
    await schedule_payment(harness, schedule)
    assert harness.calls["push_payment"] == 0
    assert await ended(time_skipping, bill(harness, "bill_k1"), timedelta(hours=1, minutes=3)) == BillStatus.PAID
    assert (await payment_state(harness, "pay_p1")).status is PaymentStatus.PAID
    assert harness.calls["push_payment"] == 1
