"""Edits that a bill's own end, or a lost word, settles."""

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.messages.bills import BillBalance, BillEdited
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    bill,
    create_bill,
    details,
    done,
    ended,
    order,
    schedule_payment,
    settle,
)
from tests.harness.workflow_harness import WorkflowHarness

BILL = BillId("bill_k1")
PAID = BillBalance(status=BillStatus.PAID, paid="250", due="0")


@pytest.fixture
async def harness(harness: WorkflowHarness) -> WorkflowHarness:
    """With one bill of 250.00 that the ERP holds."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    return harness


async def edit(harness: WorkflowHarness, edition: int) -> None:
    harness.bills[BILL].edition = edition
    await bill(harness, BILL).signal(contract.BILL_EDITED, BillEdited(bill_id=BILL, edition=edition))


async def test_a_bill_paid_in_the_erp_gives_its_waiting_edit_up(harness: WorkflowHarness) -> None:
    """B10: a paid bill cannot be edited any more; its issue is closed and its workflow ends."""
    harness.troubles["push_bill_edit"] = [refused("already paid", "ALREADY_PAID")]
    await edit(harness, 1)
    issue_id, _ = await an_issue(harness)
    await eventually(lambda: _waits(harness))
    await bill(harness, BILL).signal(contract.BILL_CHANGED, PAID)
    assert await done(bill(harness, BILL)) == BillStatus.PAID
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")
    assert harness.calls["edit abandoned"] == harness.calls["push_bill_edit"] == 1


async def test_an_edit_told_after_the_bill_was_paid_is_abandoned_unsent(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """One edit is still on its way when the next one, and then the end of the bill, become known."""
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    await edit(harness, 1)
    await eventually(lambda: harness.calls["push_bill_edit"])
    await edit(harness, 2)
    await bill(harness, BILL).signal(contract.BILL_CHANGED, PAID)
    tried = await ended(time_skipping, bill(harness, BILL), timedelta(hours=1, minutes=5))
    assert tried == BillStatus.PAID
    assert harness.calls["edit abandoned"] == 1
    assert not harness.issues


async def test_a_payment_brings_the_word_of_an_edit_that_was_lost(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """F9: the API died before it told of the edit; the payment's answer tells, and the edit goes first."""
    harness.bills[BILL].edition = 1
    harness.troubles["push_bill_edit"] = [refused()]
    today = (await time_skipping.get_current_time()).date()
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", today))
    issue_id, _ = await an_issue(harness)
    assert harness.calls["push_payment"] == 0
    await settle(bill(harness, BILL), issue_id, "retry")
    assert await done(bill(harness, BILL)) == BillStatus.PAID
    assert harness.bills[BILL].edition_in_erp == 1
    assert harness.calls["push_payment"] == 1


async def _waits(harness: WorkflowHarness) -> bool:
    return "a person" in await details(bill(harness, BILL))
