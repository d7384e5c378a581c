"""A payment that was paid is voided: once, and a refusal is a person's to decide on."""

from datetime import UTC, datetime

import pytest

from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId
from models.domain.payments import PaymentStatus
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    bill,
    create_bill,
    details,
    done,
    order,
    payment,
    payment_state,
    schedule_payment,
    settle,
    void_payment,
)
from tests.harness.workflow_harness import WorkflowHarness

ALL_OF_IT = "250"


async def paid(harness: WorkflowHarness) -> tuple[BillId, PaymentId]:
    """A bill in the ERP that is paid."""
    bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
    assert bill_id is not None
    await done(order(harness))
    asked = harness.payment_request("p1", bill_id, ALL_OF_IT, datetime.now(UTC).date())
    assert await schedule_payment(harness, asked)
    assert await done(bill(harness, bill_id)) == BillStatus.PAID
    await done(payment(harness, asked.payment_id))
    return bill_id, asked.payment_id


async def test_a_void_is_sent_once_and_its_bill_is_due_again(harness: WorkflowHarness) -> None:
    bill_id, payment_id = await paid(harness)
    await void_payment(harness, bill_id, payment_id)
    ended = await done(payment(harness, payment_id))
    assert (ended.status, ended.bill.paid, ended.bill.due) == (PaymentStatus.VOIDED, "0", ALL_OF_IT)
    assert (harness.calls["push_payment"], harness.calls["void_payment"]) == (1, 1)


@pytest.mark.parametrize(("decision", "becomes"), [("retry", PaymentStatus.VOIDED), ("abandon", PaymentStatus.PAID)])
async def test_a_refused_void_waits_for_a_person(
    harness: WorkflowHarness, decision: str, becomes: PaymentStatus
) -> None:
    """Tried again it is voided; given up, the payment stays as the ERP has it."""
    harness.troubles["void_payment"] = [refused("the period is closed", "PERIOD_CLOSED")]
    bill_id, payment_id = await paid(harness)
    await void_payment(harness, bill_id, payment_id)
    issue_id, issue = await an_issue(harness)
    assert issue.opened.code == "PERIOD_CLOSED"
    assert (await payment_state(harness, payment_id)).status is PaymentStatus.VOIDING
    assert await eventually(lambda: _says(harness, payment_id, "a person"))
    await settle(payment(harness, payment_id), issue_id, decision)
    assert (await done(payment(harness, payment_id))).status is becomes
    assert harness.payments[payment_id].status is becomes


async def _says(harness: WorkflowHarness, payment_id: PaymentId, words: str) -> bool:
    return words in await details(payment(harness, payment_id))
