"""What callers do to the workflows, and waiting until something is true; shared by these tests."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WithStartWorkflowOperation, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import SearchAttributeKey, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from models.domain import BillId, BillStatus, Erp, PaymentId, PaymentStatus, SyncIssueId
from models.messages import (
    BillState,
    CreateBillAnswer,
    DecideMatch,
    DecideMatchAnswer,
    PaymentGivenUp,
    PaymentState,
    PurchaseOrderLive,
    RequestRef,
    SchedulePayment,
    SchedulePaymentAnswer,
    SettleIssue,
    SyncState,
)
from tests.workflows.world import A_LONG_LIFE, ORGANIZATION, Issue, World
from workflows import contract
from workflows.bill import BillWorkflow
from workflows.payment import PaymentWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.sync import ScheduledSyncWorkflow, SyncWorkflow

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T] | T], *, within: float = 20.0) -> T:
    """Look until something true is there; the last thing seen is in the error. Waits in real time."""
    deadline = time.monotonic() + within
    while True:
        try:
            seen = look()
            if isinstance(seen, Awaitable):
                seen = await seen
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
            seen = None  # a child that its parent is only just starting
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true within {within} s: {seen!r}")
        await asyncio.sleep(0.02)


async def create_bill(world: World, ref: RequestRef, *, update_id: str | None = None) -> CreateBillAnswer:
    """What `POST /v1/purchase-orders/{id}/bills` does: update-with-start under the caller's key."""

    async def ask() -> CreateBillAnswer:
        facts = world.facts()
        start = WithStartWorkflowOperation(
            PurchaseOrderWorkflow.run,
            world.order_state(),
            id=world.order_workflow,
            task_queue=contract.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=A_LONG_LIFE,
            static_summary=contract.order_summary(facts),
            search_attributes=contract.order_search_attributes(world.connection_id, world.order_state().erp, facts),
        )
        try:
            return await world.client.execute_update_with_start_workflow(
                PurchaseOrderWorkflow.create_bill, ref, start_workflow_operation=start, id=update_id or ref.key
            )
        except RPCError:
            with suppress(RPCError):  # the same failure a second time; asyncio complains unless somebody takes it
                await start.workflow_handle()
            raise

    return await _until_ready(ask)


async def schedule_payment(handle: WorkflowHandle[Any, Any], ref: SchedulePayment) -> SchedulePaymentAnswer:
    """What `POST /v1/bills/{id}/payments` does: an update under the caller's key."""
    return await _until_ready(
        lambda: handle.execute_update(BillWorkflow.schedule_payment, ref, id=ref.request.key),
    )


async def _until_ready(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the workflow is not ready; the same key sent again is the same request.

    A workflow that continues as new at that very moment answers FAILED_PRECONDITION, a bill's workflow that is only
    just being started NOT_FOUND.
    """

    async def ask_once() -> T | None:
        try:
            return await ask()
        except RPCError as error:
            if error.status in (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.NOT_FOUND):
                return None
            raise

    answer = await eventually(ask_once)
    assert answer is not None
    return answer


def order(world: World) -> WorkflowHandle[Any, None]:
    return world.client.get_workflow_handle_for(PurchaseOrderWorkflow.run, world.order_workflow)


def bill(world: World, bill_id: str) -> WorkflowHandle[Any, Any]:
    return world.client.get_workflow_handle_for(BillWorkflow.run, contract.bill_workflow_id(BillId(bill_id)))


def payment(world: World, payment_id: str) -> WorkflowHandle[Any, Any]:
    return world.client.get_workflow_handle_for(
        PaymentWorkflow.run, contract.payment_workflow_id(PaymentId(payment_id))
    )


async def done(handle: WorkflowHandle[Any, T]) -> T:
    """The workflow's result, without the clock being moved."""

    async def closed() -> bool:
        return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING

    await eventually(closed)
    return await handle.result()


async def ended(environment: WorkflowEnvironment, handle: WorkflowHandle[Any, T], within: timedelta) -> T:
    """The workflow's result, while the time-skipping server's clock runs ahead by at most so much.

    The server's sleep is not awaited: it holds its clock, and so the sleep, when the last workflow has ended.
    """
    sleeping = asyncio.create_task(environment.sleep(within))
    try:
        return await done(handle)
    finally:
        sleeping.cancel()
        await asyncio.wait([sleeping])


async def start_sync(world: World) -> WorkflowHandle[SyncWorkflow, SyncState]:
    return await world.client.start_workflow(
        SyncWorkflow.run,
        SyncState(connection_id=world.connection_id, erp=Erp.INTACCT),
        id=contract.sync_workflow_id(world.connection_id),
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )


async def start_scheduled_sync(world: World, at: str) -> WorkflowHandle[Any, str]:
    """What a Schedule does: its workflow's id carries the time."""
    return await world.client.start_workflow(
        ScheduledSyncWorkflow.run,
        SyncState(connection_id=world.connection_id, erp=Erp.INTACCT, trigger="schedule"),
        id=f"{contract.sync_schedule_id(world.connection_id)}-{at}",
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )


async def live(world: World) -> PurchaseOrderLive:
    return await order(world).query(PurchaseOrderWorkflow.live)


async def bill_state(world: World, bill_id: str) -> BillState:
    return await bill(world, bill_id).query(BillWorkflow.state)


async def payment_state(world: World, payment_id: str) -> PaymentState:
    return await payment(world, payment_id).query(PaymentWorkflow.state)


async def an_issue(world: World) -> tuple[SyncIssueId, Issue]:
    """The one open issue, as soon as it is open and its workflow waits behind it."""
    issue_id, issue = next(iter((await eventually(world.open_issues)).items()))
    return issue_id, issue


async def settle(
    handle: WorkflowHandle[Any, Any], issue_id: SyncIssueId, decision: str, *, actor: str = "ada", why: str = ""
) -> None:
    word = SettleIssue(issue_id=issue_id, decision=decision, actor=actor, why=why)
    await handle.signal(contract.SETTLE_ISSUE, word)


async def give_up_payment(world: World, payment_id: str) -> None:
    """What the API does: the mirror first, then a word to the workflow."""
    held = world.payments[PaymentId(payment_id)]
    held.status, world.bills[held.bill_id].status = PaymentStatus.ABANDONED, BillStatus.SYNCED
    word = PaymentGivenUp(actor="ada", why="the supplier owes us", bill=world.bill_now(PaymentId(payment_id)))
    await payment(world, payment_id).signal(contract.PAYMENT_GIVEN_UP, word)


async def details(handle: WorkflowHandle[Any, Any]) -> str:
    """What the Temporal UI shows an operator as current details."""
    metadata = await eventually(lambda: handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata))
    return metadata.current_details


async def attribute(handle: WorkflowHandle[Any, Any], key: SearchAttributeKey[str]) -> str | None:
    return (await eventually(handle.describe)).typed_search_attributes.get(key)


async def server_now(handle: WorkflowHandle[Any, Any]) -> datetime:
    """The time of the workflow's last event, by the server's clock."""
    history = await handle.fetch_history()
    return history.events[-1].event_time.ToDatetime()


async def decide(world: World, handle: WorkflowHandle[Any, Any], bill_id: str, key: str) -> DecideMatchAnswer:
    """What `POST /v1/bills/{id}/acknowledgements` and `.../release` do: an update under the caller's key."""
    word = DecideMatch(request=RequestRef(organization_id=ORGANIZATION, key=key), bill_id=BillId(bill_id))
    return await _until_ready(lambda: handle.execute_update(BillWorkflow.decide_match, word, id=key))
