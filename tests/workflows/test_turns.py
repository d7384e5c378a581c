"""Writes to one order go in turn: a bill that is not next waits without asking all the time."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.messages.bills import BillBalance
from temporal_gateway.notifier import WorkflowNotifier
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    bill,
    create_bill,
    details,
    done,
    order,
)
from tests.harness.workflow_harness import WorkflowHarness

BILL = BillId("bill_k1")


async def waits(harness: WorkflowHarness) -> bool:
    return "Waiting for: its turn: PSB-1 goes to the ERP first" in await details(bill(harness, BILL))


async def test_a_bill_is_notified_by_the_one_before_it(harness: WorkflowHarness) -> None:
    harness.goes_first = "PSB-1"
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: waits(harness))
    assert harness.calls["push_bill"] == 1
    harness.goes_first = ""
    await WorkflowNotifier(harness.client).turn_came(BILL)
    await done(order(harness))
    assert harness.calls["push_bill"] == 2


async def test_a_bill_that_nobody_wakes_asks_again_every_two_minutes(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """HOUSE 3: a terminated order, or a message that was lost, strands nobody."""
    harness.goes_first = "PSB-1"
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: waits(harness))
    await time_skipping.sleep(timedelta(minutes=21))
    assert 10 <= harness.calls["push_bill"] <= 12
    harness.goes_first = ""
    await time_skipping.sleep(timedelta(minutes=2, seconds=5))
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k1"]


async def test_a_turn_that_comes_during_the_attempt_counts(harness: WorkflowHarness) -> None:
    """The one before it was read back between the look into the database and the answer's way to the workflow."""
    harness.goes_first = "PSB-1"

    async def told_meanwhile() -> None:
        harness.goes_first = ""
        await WorkflowNotifier(harness.client).turn_came(BILL)

    harness.while_pushing = told_meanwhile
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    assert harness.calls["push_bill"] == 2


async def test_a_bill_that_is_abandoned_waits_no_longer(harness: WorkflowHarness) -> None:
    harness.goes_first = "PSB-1"
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: waits(harness))
    harness.bills[BILL].status = BillStatus.ABANDONED
    await WorkflowNotifier(harness.client).bill_changed(
        BILL, BillBalance(status=BillStatus.ABANDONED, paid="0", due="0")
    )
    assert await done(bill(harness, BILL)) == BillStatus.ABANDONED
    assert harness.calls["push_bill"] == 1


async def test_a_turn_for_a_bill_that_has_ended_is_no_error(harness: WorkflowHarness) -> None:
    await WorkflowNotifier(harness.client).turn_came(BillId("bill_gone"))
