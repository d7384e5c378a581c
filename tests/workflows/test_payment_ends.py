"""However a payment ends, its bill hears of it once, also in a run that did not start it."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from activities.doorbell import Doorbell
from models.domain import BillId, BillStatus, PaymentId, PaymentStatus
from models.messages import BillNow
from tests.workflows.desk import (
    an_issue,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    eventually,
    give_up_payment,
    order,
    payment,
    payment_state,
    schedule_payment,
    settle,
)
from tests.workflows.world import World, refused

ALL_OF_IT = "250"


async def paid_later(world: World) -> BillId:
    """A bill in the ERP whose payment the ERP refuses for now."""
    world.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    bill_id = (await create_bill(world, world.bill_request("k1", 10))).bill_id
    assert bill_id is not None
    await done(order(world))
    today = datetime.now(UTC).date()
    await schedule_payment(bill(world, bill_id), world.payment_request("p1", bill_id, ALL_OF_IT, today))
    return bill_id


@pytest.fixture
def tag() -> str:
    return f"-{secrets.token_hex(4)}-"


async def test_the_end_of_a_payment_needs_no_message(temporal: Client, tag: str) -> None:
    """DESIGN 4: a bill hears from its child what is paid; a message beside that end could only race with it."""
    world = World(client=temporal, tag=tag)
    async with world.workers():
        bill_id = await paid_later(world)
        issue_id, _ = await an_issue(world)
        await settle(payment(world, f"pay_{tag}p1"), issue_id, "retry")
        assert await done(bill(world, bill_id)) == BillStatus.PAID
        kinds = [event.event_type for event in (await bill(world, bill_id).fetch_history()).events]
    assert kinds.count(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED) == 1
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED not in kinds
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in kinds


async def test_a_bill_that_handed_over_hears_how_an_open_payment_ends(impatient_temporal: Client, tag: str) -> None:
    """S5-33: the next run did not start the payment, and learns all the same that the bill is paid."""
    world = World(client=impatient_temporal, tag=tag)
    async with world.workers():
        bill_id = await paid_later(world)
        issue_id, _ = await an_issue(world)
        first_run = (await bill(world, bill_id).describe()).run_id
        for n in range(40):
            partly = BillNow(status=BillStatus.SCHEDULED, paid="0", due=str(250 - n))
            await Doorbell(world.client).bill_changed(bill_id, partly)

        async def has_handed_over() -> bool:
            return (await bill(world, bill_id).describe()).run_id != first_run

        await eventually(has_handed_over)
        await settle(payment(world, f"pay_{tag}p1"), issue_id, "retry")
        assert await done(bill(world, bill_id)) == BillStatus.PAID
        state = await bill_state(world, bill_id)
    assert (state.paid, state.due, [held.done for held in state.payments]) == (ALL_OF_IT, "0", [True])
    assert world.calls["push_payment"] == 2


@pytest.mark.parametrize("paid_before_the_reset", [True, False])
async def test_a_bill_that_an_operator_reset_hears_how_its_payment_ends(
    temporal: Client, tag: str, *, paid_before_the_reset: bool
) -> None:
    """DESIGN 4: reset to its first step, a bill does nothing twice and still learns that it is paid."""
    world = World(client=temporal, tag=tag)
    async with world.workers():
        bill_id = await paid_later(world)
        issue_id, _ = await an_issue(world)
        if paid_before_the_reset:
            await settle(payment(world, f"pay_{tag}p1"), issue_id, "retry")
            await done(bill(world, bill_id))
        await reset_to_the_first_step(world, bill_id)
        if not paid_before_the_reset:
            await settle(payment(world, f"pay_{tag}p1"), issue_id, "retry")
        assert await done(bill(world, bill_id)) == BillStatus.PAID
    assert len(world.documents()) == 1
    assert world.bills[bill_id].paid == 250


async def test_a_payment_stopped_by_hand_leaves_its_bill_payable(temporal: Client, tag: str) -> None:
    """S5-33: an operator who terminates a payment's workflow does not strand the bill."""
    world = World(client=temporal, tag=tag)
    async with world.workers():
        bill_id = await paid_later(world)
        await an_issue(world)
        await payment(world, f"pay_{tag}p1").terminate("the supplier asked for a cheque")

        async def heard() -> bool:
            return all(held.done for held in (await bill_state(world, bill_id)).payments)

        await eventually(heard)
        assert "a payment of the 250 still due to be scheduled" in await details(bill(world, bill_id))
        await Doorbell(world.client).bill_changed(bill_id, BillNow(status=BillStatus.PAID, paid="250", due="0"))
        assert await done(bill(world, bill_id)) == BillStatus.PAID


async def test_a_payment_given_up_before_its_day_is_never_sent(temporal: Client, tag: str) -> None:
    """S5-33, S4-25: its bill hears of it, is open again, and can be paid."""
    world = World(client=temporal, tag=tag)
    async with world.workers():
        bill_id = (await create_bill(world, world.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        await done(order(world))
        today = datetime.now(UTC).date()
        later = world.payment_request("p1", bill_id, ALL_OF_IT, today + timedelta(days=30))
        await schedule_payment(bill(world, bill_id), later)
        await eventually(lambda: payment_state(world, f"pay_{tag}p1"))
        await give_up_payment(world, f"pay_{tag}p1")
        ended = await done(payment(world, f"pay_{tag}p1"))
        assert (ended.status, ended.bill.due) == (PaymentStatus.ABANDONED, ALL_OF_IT)

        async def heard() -> bool:
            state = await bill_state(world, bill_id)
            return state.status is BillStatus.SYNCED and all(held.done for held in state.payments)

        await eventually(heard)
        assert "a payment of the 250 still due to be scheduled" in await details(bill(world, bill_id))
        assert world.calls["push_payment"] == 0
        await schedule_payment(bill(world, bill_id), world.payment_request("p2", bill_id, ALL_OF_IT, today))
        assert await done(bill(world, bill_id)) == BillStatus.PAID
    assert world.calls["push_payment"] == 1


async def test_a_refused_payment_given_up_needs_its_issue_no_more(temporal: Client, tag: str) -> None:
    """S5-33: whoever gives it up has settled the issue."""
    world = World(client=temporal, tag=tag)
    async with world.workers():
        await paid_later(world)
        issue_id, _ = await an_issue(world)
        await give_up_payment(world, f"pay_{tag}p1")
        assert (await done(payment(world, f"pay_{tag}p1"))).status == PaymentStatus.ABANDONED
    assert (world.issues[issue_id].state, world.issues[issue_id].actor) == ("abandoned", "ada")
    assert world.calls["push_payment"] == 1


async def test_a_payment_given_up_before_its_bill_went_out_is_never_started(temporal: Client, tag: str) -> None:
    """S5-33: only the bill's workflow knows of it then."""
    world = World(client=temporal, tag=tag)
    world.troubles["push_bill"] = [refused()]
    async with world.workers():
        bill_id = (await create_bill(world, world.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        issue_id, _ = await an_issue(world)
        today = datetime.now(UTC).date()
        await schedule_payment(bill(world, bill_id), world.payment_request("p1", bill_id, ALL_OF_IT, today))
        payment_id = PaymentId(f"pay_{tag}p1")
        await Doorbell(world.client).bill_changed(bill_id, world.bill_now(payment_id))
        await settle(bill(world, bill_id), issue_id, "retry")
        await done(order(world))
        state = await bill_state(world, bill_id)
    assert (state.status, [held.started for held in state.payments]) == (BillStatus.SYNCED, [False])
    assert world.calls["push_payment"] == 0


async def reset_to_the_first_step(world: World, bill_id: BillId) -> None:
    """What `temporal workflow reset --type FirstWorkflowTask` does."""
    handle = bill(world, bill_id)
    run_id = (await handle.describe()).run_id
    done_first = next(
        event.event_id
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )
    await world.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run_id),
            reason="a test",
            workflow_task_finish_event_id=done_first,
            request_id=secrets.token_hex(8),
        )
    )
