"""What callers do to workflows: the API's decisions and messages, queries, and time that passes.

Real: the messages and the Temporal client that brings them. Fake: the decision, which a `WorkflowHarness` makes.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import SearchAttributeKey, WorkflowIDConflictPolicy
from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.credits import ApplicationStatus
from models.domain.ids import (
    BackfillId,
    BillId,
    CreditApplicationId,
    ListChangeId,
    PaymentId,
    SourceOrderId,
    SyncIssueId,
)
from models.domain.list_changes import ListAction
from models.domain.lists import ListKind
from models.domain.payments import PaymentStatus
from models.domain.source_orders import UploadAs
from models.messages.backfills import BackfillRun
from models.messages.bills import BillState
from models.messages.credits import ApplicationAsked, CreditApplicationState
from models.messages.issues import SettleIssue
from models.messages.list_changes import ListChangeAsked, ListChangeState
from models.messages.orders import BillAccepted, PurchaseOrderLive
from models.messages.outbox import SignalToSend
from models.messages.payments import PaymentAbandoned, PaymentDue, PaymentState
from models.messages.source_orders import SourceOrderState, UploadAskedFor
from models.messages.sync import SyncState
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import AskedPayment, Decided, Issue
from tests.harness.waiting import eventually
from tests.harness.workflow_harness import A_LONG_LIFE, WorkflowHarness
from workflows.backfill import BackfillWorkflow
from workflows.bill import BillWorkflow
from workflows.credit_application import CreditApplicationWorkflow
from workflows.list_change import ListChangeWorkflow
from workflows.payment import PaymentWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.source_order import SourceOrderWorkflow
from workflows.sync import ScheduledSyncWorkflow, SyncWorkflow

T = TypeVar("T")


async def create_bill(harness: WorkflowHarness, key: str) -> Decided:
    """What `POST /v1/purchase-orders/{id}/bills` does: it decides in the database, then delivers the message."""
    decided = harness.decide_bill(key)
    if decided.bill_id is not None:
        await deliver(harness, harness.accepted(decided.bill_id))
    return decided


async def deliver(harness: WorkflowHarness, accepted: BillAccepted) -> None:
    """Bring an accepted bill to its order's workflow: signal-with-start."""
    await harness.client.start_workflow(
        PurchaseOrderWorkflow.run,
        harness.order_state(),
        id=harness.order_workflow,
        task_queue=contract.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=A_LONG_LIFE,
        start_signal=contract.BILL_ACCEPTED,
        start_signal_args=[accepted],
        static_summary=contract.order_summary(accepted.facts),
        search_attributes=contract.order_search_attributes(
            harness.connection_id, harness.order_state().erp, accepted.facts
        ),
    )


async def schedule_payment(harness: WorkflowHarness, asked: AskedPayment) -> bool:
    """What `POST /v1/bills/{id}/payments` does: it decides in its database, then delivers. False: refused."""
    accepted = harness.decide_payment(asked)
    if accepted:
        message = harness.payment_scheduled(asked.payment_id)
        await _signal_bill(harness, asked.bill_id, contract.PAYMENT_SCHEDULED, message)
    return accepted


async def _signal_bill(harness: WorkflowHarness, bill_id: BillId, signal: str, message: BaseModel) -> None:
    """Signal a bill's workflow, which its order may only just be starting."""

    async def reached() -> bool:
        await bill(harness, bill_id).signal(signal, message)
        return True

    await eventually(reached)


def order(harness: WorkflowHarness) -> WorkflowHandle[Any, None]:
    return harness.client.get_workflow_handle_for(PurchaseOrderWorkflow.run, harness.order_workflow)


def bill(harness: WorkflowHarness, bill_id: str) -> WorkflowHandle[Any, Any]:
    return harness.client.get_workflow_handle_for(BillWorkflow.run, contract.bill_workflow_id(BillId(bill_id)))


def payment(harness: WorkflowHarness, payment_id: str) -> WorkflowHandle[Any, Any]:
    return harness.client.get_workflow_handle_for(
        PaymentWorkflow.run, contract.payment_workflow_id(PaymentId(payment_id))
    )


async def upload(harness: WorkflowHarness, order_id: str, ask: int = 1) -> WorkflowHandle[Any, Any]:
    """What `POST /v1/source-orders/uploads` does for one order: the outbox brings the message."""
    state = SourceOrderState(
        connection_id=harness.connection_id,
        erp=harness.order_state().erp,
        source_order_id=SourceOrderId(f"{order_id}{harness.tag}"),
        reference="SO-1",
        contact="Norton",
        amount="25.00",
        upload_as=UploadAs.BILL,
        ask=ask,
    )
    workflow_id = contract.source_order_workflow_id(state.source_order_id)
    await WorkflowNotifier(harness.client).signal_with_start(
        SignalToSend(workflow_id, contract.UPLOAD_ASKED, UploadAskedFor(ask=ask), state)
    )
    return harness.client.get_workflow_handle_for(SourceOrderWorkflow.run, workflow_id)


async def apply_credit(harness: WorkflowHarness, name: str, ask: int = 1) -> WorkflowHandle[Any, Any]:
    """What `POST /v1/credits/{id}/apply` does for one bill: the outbox brings the message."""
    state = CreditApplicationState(
        connection_id=harness.connection_id,
        erp=harness.order_state().erp,
        application_id=CreditApplicationId(f"{name}{harness.tag}"),
        credit_number="CM-1",
        bill_number="INV-1",
        vendor="Norton",
        amount="25.00",
        status=ApplicationStatus.APPLYING,
        ask=ask,
    )
    workflow_id = contract.credit_application_workflow_id(state.application_id)
    await WorkflowNotifier(harness.client).signal_with_start(
        SignalToSend(workflow_id, contract.APPLICATION_ASKED, ApplicationAsked(ask=ask), state)
    )
    return harness.client.get_workflow_handle_for(CreditApplicationWorkflow.run, workflow_id)


async def change_list(harness: WorkflowHarness, name: str, ask: int = 1) -> WorkflowHandle[Any, Any]:
    """What `POST .../lists/vendor` does: the outbox brings the message."""
    state = ListChangeState(
        connection_id=harness.connection_id,
        erp=harness.order_state().erp,
        change_id=ListChangeId(f"{name}{harness.tag}"),
        kind=ListKind.VENDOR,
        action=ListAction.CREATE,
        name="Norton",
        ask=ask,
    )
    workflow_id = contract.list_change_workflow_id(state.change_id)
    await WorkflowNotifier(harness.client).signal_with_start(
        SignalToSend(workflow_id, contract.LIST_CHANGE_ASKED, ListChangeAsked(ask=ask), state)
    )
    return harness.client.get_workflow_handle_for(ListChangeWorkflow.run, workflow_id)


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


async def start_sync(harness: WorkflowHarness) -> WorkflowHandle[SyncWorkflow, SyncState]:
    return await harness.client.start_workflow(
        SyncWorkflow.run,
        SyncState(connection_id=harness.connection_id, erp=Erp.INTACCT),
        id=contract.sync_workflow_id(harness.connection_id),
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )


async def start_backfill(
    harness: WorkflowHarness, *, page_no: int = 0, all_read: bool = False
) -> WorkflowHandle[BackfillWorkflow, BackfillRun]:
    backfill_id = BackfillId("backfill_1")
    return await harness.client.start_workflow(
        BackfillWorkflow.run,
        BackfillRun(
            connection_id=harness.connection_id,
            erp=Erp.INTACCT,
            backfill_id=backfill_id,
            page_no=page_no,
            all_read=all_read,
        ),
        id=contract.backfill_workflow_id(harness.connection_id, backfill_id),
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )


async def start_scheduled_sync(harness: WorkflowHarness, at: str) -> WorkflowHandle[Any, str]:
    """What a Schedule does: its workflow's id carries the time."""
    return await harness.client.start_workflow(
        ScheduledSyncWorkflow.run,
        SyncState(connection_id=harness.connection_id, erp=Erp.INTACCT, trigger="schedule"),
        id=f"{contract.sync_schedule_id(harness.connection_id)}-{at}",
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )


async def live(harness: WorkflowHarness) -> PurchaseOrderLive:
    return await order(harness).query(PurchaseOrderWorkflow.live)


async def bill_state(harness: WorkflowHarness, bill_id: str) -> BillState:
    return await bill(harness, bill_id).query(BillWorkflow.state)


async def payment_state(harness: WorkflowHarness, payment_id: str) -> PaymentState:
    return await payment(harness, payment_id).query(PaymentWorkflow.state)


async def an_issue(harness: WorkflowHarness) -> tuple[SyncIssueId, Issue]:
    """The one open issue, as soon as it is open and its workflow waits behind it."""
    issue_id, issue = next(iter((await eventually(harness.open_issues)).items()))
    return issue_id, issue


async def settle(
    handle: WorkflowHandle[Any, Any], issue_id: SyncIssueId, decision: str, *, actor: str = "ada", why: str = ""
) -> None:
    word = SettleIssue(issue_id=issue_id, decision=decision, actor=actor, why=why)
    await handle.signal(contract.SETTLE_ISSUE, word)


async def abandon_payment(harness: WorkflowHarness, payment_id: str) -> None:
    """What the API does: the mirror first, then a word to the workflow."""
    held = harness.payments[PaymentId(payment_id)]
    held.status, harness.bills[held.bill_id].status = PaymentStatus.ABANDONED, BillStatus.SYNCED
    word = PaymentAbandoned(actor="ada", why="the supplier owes us", bill=harness.bill_now(PaymentId(payment_id)))
    await payment(harness, payment_id).signal(contract.PAYMENT_ABANDONED, word)


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


async def approve(harness: WorkflowHarness, bill_id: str) -> None:
    """What `POST /v1/bills/{id}/approve` does: the next step is approved."""
    harness.approve(BillId(bill_id))
    await _signal_bill(harness, BillId(bill_id), contract.BILL_MATCHED, harness.matched(BillId(bill_id)))


async def decide(harness: WorkflowHarness, bill_id: str) -> bool:
    """What `POST /v1/bills/{id}/acknowledgements` and `.../release` do. False: refused, the bill waits for nobody."""
    accepted = harness.decide_match(BillId(bill_id))
    if accepted:
        message = harness.matched(BillId(bill_id))
        await _signal_bill(harness, BillId(bill_id), contract.BILL_MATCHED, message)
    return accepted


async def void_payment(harness: WorkflowHarness, bill_id: BillId, payment_id: PaymentId) -> None:
    """What `POST /v1/payments/{id}/void` does: the mirror first, then a message that starts the workflow."""
    harness.payments[payment_id].status = PaymentStatus.VOIDING
    now = harness.order_state()
    state = PaymentState(
        connection_id=now.connection_id,
        erp=now.erp,
        payment_id=payment_id,
        bill_id=bill_id,
        bill_number="INV-1",
        order_number="PO-1007",
        vendor="V-ACME",
        amount="250",
        pay_on=datetime.now(UTC).date(),
        status=PaymentStatus.VOIDING,
    )
    await harness.client.start_workflow(
        PaymentWorkflow.run,
        state,
        id=contract.payment_workflow_id(payment_id),
        task_queue=contract.TASK_QUEUE,
        start_signal=contract.PAYMENT_DUE,
        start_signal_args=[PaymentDue(payment_id=payment_id, status=PaymentStatus.VOIDING)],
    )
