"""A bill that people approve, or that goes out with its first payment: it waits in sight of the operator."""

import secrets
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.orders import PoStatus
from models.messages.bills import BillBalance
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    approve,
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    live,
    order,
    payment,
    schedule_payment,
    settle,
)
from tests.harness.workflow_harness import WorkflowHarness

EVENTS_OF_ONE_APPROVER, EVENTS_OF_A_FURTHER_STEP = 78, 6


async def waits(harness: WorkflowHarness, status: BillStatus) -> None:
    async def so() -> bool:
        return await attribute(bill(harness, "bill_k1"), contract.STATUS) == status

    await eventually(so)


async def test_a_bill_waits_for_its_approvers_and_goes_out_with_the_last(harness: WorkflowHarness) -> None:
    """S2-58: the operator reads who is asked; nothing is sent before the last step is approved."""
    harness.approval_steps = 2
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, BillStatus.AWAITING_APPROVAL)
    shown = await details(bill(harness, "bill_k1"))
    assert "Waiting for: people to approve it" in shown
    assert "- the words of APPROVAL" in shown
    assert "not in the ERP yet" in shown
    assert (await live(harness)).waiting_for == "a person: bill INV-k1: APPROVAL"
    assert await attribute(bill(harness, "bill_k1"), contract.ISSUE_CODE) is None
    await approve(harness, "bill_k1")
    await eventually(lambda: _knows_version(harness, 2))
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.AWAITING_APPROVAL
    assert harness.calls["push_bill"] == 0
    await approve(harness, "bill_k1")
    assert (await done(order(harness))).status is PoStatus.FILLED
    assert harness.documents() == ["Vendor Invoice-bill_k1"]
    assert harness.calls["push_bill"] == 1


async def _knows_version(harness: WorkflowHarness, version: int) -> bool:
    return (await bill_state(harness, "bill_k1")).version == version


async def test_a_bill_goes_out_with_its_first_payment_which_is_then_sent(harness: WorkflowHarness) -> None:
    """S5-04: the payment pushes the bill, and the same workflow sends the payment."""
    harness.with_payment = True
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, BillStatus.AWAITING_PAYMENT)
    assert "Waiting for: its first payment to be scheduled" in await details(bill(harness, "bill_k1"))
    assert harness.calls["push_bill"] == 0
    today = datetime.now(UTC).date()
    assert await schedule_payment(harness, harness.payment_request("p1", BillId("bill_k1"), "250", today))
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID
    await done(payment(harness, "pay_p1"))
    assert harness.calls["push_bill"] == harness.calls["push_payment"] == 1


async def test_a_bill_that_awaits_approval_follows_its_match(harness: WorkflowHarness) -> None:
    """Its order changes: back to review, and on to the approval once that is released."""
    harness.approval_steps = 1
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, BillStatus.AWAITING_APPROVAL)
    harness.holds = ["PRICE_DIFFERS"]
    await order(harness).signal(contract.REMATCH, "a policy changed")
    await waits(harness, BillStatus.ON_HOLD)
    assert await attribute(bill(harness, "bill_k1"), contract.ISSUE_CODE) == "PRICE_DIFFERS"
    harness.holds = []
    await order(harness).signal(contract.REMATCH, "the policy changed back")
    await waits(harness, BillStatus.AWAITING_APPROVAL)
    await approve(harness, "bill_k1")
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k1"]


async def test_a_bill_that_awaits_approval_is_abandoned(harness: WorkflowHarness) -> None:
    """A way out: the workflow ends, and nothing was sent."""
    harness.approval_steps = 1
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, BillStatus.AWAITING_APPROVAL)
    harness.bills[BillId("bill_k1")].status = BillStatus.ABANDONED
    abandoned = BillBalance(status=BillStatus.ABANDONED, paid="0", due="0")
    await bill(harness, "bill_k1").signal(contract.BILL_CHANGED, abandoned)
    assert await done(bill(harness, "bill_k1")) == BillStatus.ABANDONED
    assert harness.calls["push_bill"] == 0


async def test_a_bill_that_is_no_longer_approved_when_it_is_sent_waits_again(harness: WorkflowHarness) -> None:
    """The write is on hold in the database: whatever the workflow believed, nothing is sent."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    harness.approval_steps = 1
    here = harness.bills[BillId("bill_k1")]
    here.status, here.needs, here.version = BillStatus.AWAITING_APPROVAL, ["APPROVAL"], 2
    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    await waits(harness, BillStatus.AWAITING_APPROVAL)
    assert harness.documents() == []
    await approve(harness, "bill_k1")
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k1"]


async def events_of_a_life(temporal: Client, steps: int) -> int:
    """History events of an order, a bill with so many steps of approval, and its payment together."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-")
    harness.approval_steps = steps
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        for step in range(steps):
            await eventually(lambda step=step: _at(harness, bill_id, step))
            await approve(harness, bill_id)
        await done(order(harness))
        asked = harness.payment_request("p1", bill_id, "250", datetime.now(UTC).date())
        assert await schedule_payment(harness, asked)
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
        await done(payment(harness, asked.payment_id))
        handles = (order(harness), bill(harness, bill_id), payment(harness, asked.payment_id))
        return sum([len((await handle.fetch_history()).events) for handle in handles])


async def _at(harness: WorkflowHarness, bill_id: BillId, step: int) -> bool:
    return (await bill_state(harness, bill_id)).version == step + 1


@pytest.mark.parametrize("steps", [1, 3])
async def test_a_life_with_approvals_stays_short(temporal: Client, steps: int) -> None:
    """Issue 13: at most 78 events with one approver, and six more for each further step."""
    events = await events_of_a_life(temporal, steps)
    print(f"\nhistory of one life with {steps} steps of approval: {events} events")
    assert events <= EVENTS_OF_ONE_APPROVER + (steps - 1) * EVENTS_OF_A_FURTHER_STEP
