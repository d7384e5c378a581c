"""However a payment ends, its bill hears of it once, also in a run that did not start it."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId
from models.domain.payments import PaymentStatus
from models.messages.bills import BillBalance
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    abandon_payment,
    an_issue,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    order,
    payment,
    payment_state,
    schedule_payment,
    settle,
)
from tests.harness.workflow_harness import WorkflowHarness

ALL_OF_IT = "250"


async def paid_later(harness: WorkflowHarness) -> BillId:
    """A bill in the ERP whose payment the ERP refuses for now."""
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
    assert bill_id is not None
    await done(order(harness))
    today = datetime.now(UTC).date()
    await schedule_payment(harness, harness.payment_request("p1", bill_id, ALL_OF_IT, today))
    return bill_id


@pytest.fixture
def tag() -> str:
    return f"-{secrets.token_hex(4)}-"


async def test_a_payment_reports_by_its_signal_and_its_end_never_fails_the_bill(temporal: Client, tag: str) -> None:
    """HOUSE 3: the report closes the bill only after the payment's workflow has ended, for the end of a child is a
    message too: one that comes while the bill closes would fail its workflow task."""
    harnesses = [WorkflowHarness(client=temporal, tag=f"{tag}{n}-") for n in range(12)]

    async def live(harness: WorkflowHarness) -> BillId:
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        today = datetime.now(UTC).date()
        await schedule_payment(harness, harness.payment_request("p1", bill_id, ALL_OF_IT, today))
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
        return bill_id

    for harness in harnesses:  # one after another: their workers serve the same queues
        async with harness.workers():
            bill_id = await live(harness)
            kinds = [event.event_type for event in (await bill(harness, bill_id).fetch_history()).events]
        assert kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) == 2, "scheduled, and paid"
        assert kinds.count(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED) == 1
        assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in kinds


async def test_a_report_that_comes_twice_or_late_changes_nothing(temporal: Client, tag: str) -> None:
    """The bill's version in the mirror says which report is newer."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    async with harness.workers():
        bill_id = await paid_later(harness)
        newer = BillBalance(status=BillStatus.PARTIALLY_PAID, paid="100", due="150", version=7)
        older = BillBalance(status=BillStatus.SCHEDULED, paid="0", due="250", version=6)
        for report in (newer, older, newer, older):
            await WorkflowNotifier(harness.client).bill_changed(bill_id, report)

        async def seen_version() -> bool:
            return (await bill_state(harness, bill_id)).seen_version == 7

        await eventually(seen_version)
        state = await bill_state(harness, bill_id)
        assert (state.status, state.paid, state.due) == (BillStatus.PARTIALLY_PAID, "100", "150")
        await bill(harness, bill_id).terminate("the test is over")
        await payment(harness, f"pay_{tag}p1").terminate("the test is over")


async def test_messages_that_come_while_a_bill_closes_never_fail_it(temporal: Client, tag: str) -> None:
    """Whatever else is told at that moment is heard or comes too late; the workflow ends well."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    async with harness.workers():
        bill_id = await paid_later(harness)
        issue_id, _ = await an_issue(harness)
        handle, notifier, ended = bill(harness, bill_id), WorkflowNotifier(harness.client), False

        async def tell_all_the_time() -> int:
            told = 0
            while not ended:
                now = BillBalance(status=harness.bills[bill_id].status, paid=str(harness.bills[bill_id].paid), due="0")
                await notifier.bill_changed(bill_id, now)
                told += 1
            return told

        telling = asyncio.create_task(tell_all_the_time())
        await settle(payment(harness, f"pay_{tag}p1"), issue_id, "retry")
        assert await done(handle) == BillStatus.PAID
        ended = True
        assert await telling > 0
    assert harness.calls["push_payment"] == 2


async def test_a_bill_that_handed_over_hears_how_an_open_payment_ends(impatient_temporal: Client, tag: str) -> None:
    """S5-33: the next run did not start the payment, and learns all the same that the bill is paid."""
    harness = WorkflowHarness(client=impatient_temporal, tag=tag)
    async with harness.workers():
        bill_id = await paid_later(harness)
        issue_id, _ = await an_issue(harness)
        first_run = (await bill(harness, bill_id).describe()).run_id
        for n in range(40):
            partly = BillBalance(status=BillStatus.SCHEDULED, paid="0", due=str(250 - n))
            await WorkflowNotifier(harness.client).bill_changed(bill_id, partly)

        async def has_handed_over() -> bool:
            return (await bill(harness, bill_id).describe()).run_id != first_run

        await eventually(has_handed_over)
        await settle(payment(harness, f"pay_{tag}p1"), issue_id, "retry")
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
        state = await bill_state(harness, bill_id)
    assert (state.paid, state.due, [held.done for held in state.payments]) == (ALL_OF_IT, "0", [True])
    assert harness.calls["push_payment"] == 2


@pytest.mark.parametrize("paid_before_the_reset", [True, False])
async def test_a_bill_that_an_operator_reset_hears_how_its_payment_ends(
    temporal: Client, tag: str, *, paid_before_the_reset: bool
) -> None:
    """DESIGN 4: reset to its first step, a bill does nothing twice and still learns that it is paid."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    async with harness.workers():
        bill_id = await paid_later(harness)
        issue_id, _ = await an_issue(harness)
        if paid_before_the_reset:
            await settle(payment(harness, f"pay_{tag}p1"), issue_id, "retry")
            await done(bill(harness, bill_id))
        await reset_to_the_first_step(harness, bill_id)
        if not paid_before_the_reset:
            await settle(payment(harness, f"pay_{tag}p1"), issue_id, "retry")
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
    assert len(harness.documents()) == 1
    assert harness.bills[bill_id].paid == 250


async def test_a_payment_stopped_by_hand_leaves_its_bill_payable(temporal: Client, tag: str) -> None:
    """S5-33: an operator who terminates a payment's workflow does not strand the bill."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    async with harness.workers():
        bill_id = await paid_later(harness)
        await an_issue(harness)
        await payment(harness, f"pay_{tag}p1").terminate("the supplier asked for a cheque")

        async def seen_version() -> bool:
            return all(held.done for held in (await bill_state(harness, bill_id)).payments)

        await eventually(seen_version)
        assert "Waiting for: a payment of the 250 still due to be scheduled" in await details(bill(harness, bill_id))
        await WorkflowNotifier(harness.client).bill_changed(
            bill_id, BillBalance(status=BillStatus.PAID, paid="250", due="0")
        )
        assert await done(bill(harness, bill_id)) == BillStatus.PAID


async def test_a_payment_abandoned_before_its_day_is_never_sent(temporal: Client, tag: str) -> None:
    """S5-33, S4-25: its bill hears of it, is open again, and can be paid."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        await done(order(harness))
        today = datetime.now(UTC).date()
        later = harness.payment_request("p1", bill_id, ALL_OF_IT, today + timedelta(days=30))
        await schedule_payment(harness, later)
        await eventually(lambda: payment_state(harness, f"pay_{tag}p1"))
        await abandon_payment(harness, f"pay_{tag}p1")
        ended = await done(payment(harness, f"pay_{tag}p1"))
        assert (ended.status, ended.bill.due) == (PaymentStatus.ABANDONED, ALL_OF_IT)

        async def seen_version() -> bool:
            state = await bill_state(harness, bill_id)
            return state.status is BillStatus.SYNCED and all(held.done for held in state.payments)

        await eventually(seen_version)
        assert "a payment of the 250 still due to be scheduled" in await details(bill(harness, bill_id))
        assert harness.calls["push_payment"] == 0
        await schedule_payment(harness, harness.payment_request("p2", bill_id, ALL_OF_IT, today))
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
    assert harness.calls["push_payment"] == 1


async def test_a_refused_payment_abandoned_needs_its_issue_no_more(temporal: Client, tag: str) -> None:
    """S5-33: whoever gives it up has settled the issue."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    async with harness.workers():
        await paid_later(harness)
        issue_id, _ = await an_issue(harness)
        await abandon_payment(harness, f"pay_{tag}p1")
        assert (await done(payment(harness, f"pay_{tag}p1"))).status == PaymentStatus.ABANDONED
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("abandoned", "ada")
    assert harness.calls["push_payment"] == 1


async def test_a_payment_abandoned_before_its_bill_went_out_is_never_started(temporal: Client, tag: str) -> None:
    """S5-33: only the bill's workflow knows of it then."""
    harness = WorkflowHarness(client=temporal, tag=tag)
    harness.troubles["push_bill"] = [refused()]
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        issue_id, _ = await an_issue(harness)
        today = datetime.now(UTC).date()
        await schedule_payment(harness, harness.payment_request("p1", bill_id, ALL_OF_IT, today))
        payment_id = PaymentId(f"pay_{tag}p1")
        await WorkflowNotifier(harness.client).bill_changed(bill_id, harness.bill_now(payment_id))
        await settle(bill(harness, bill_id), issue_id, "retry")
        await done(order(harness))
        state = await bill_state(harness, bill_id)
    assert (state.status, [held.started for held in state.payments]) == (BillStatus.SYNCED, [False])
    assert harness.calls["push_payment"] == 0


async def reset_to_the_first_step(harness: WorkflowHarness, bill_id: BillId) -> None:
    """What `temporal workflow reset --type FirstWorkflowTask` does."""
    handle = bill(harness, bill_id)
    run_id = (await handle.describe()).run_id
    done_first = next(
        event.event_id
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )
    await harness.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=harness.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run_id),
            reason="a test",
            workflow_task_finish_event_id=done_first,
            request_id=secrets.token_hex(8),
        )
    )
