"""What the API asks of Temporal: start, ask, tell. Ids and names come from `workflows.contract` alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    QueryRejectCondition,
    WorkflowIDConflictPolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.problems import Problem
from models.domain import BillId, BillStatus, ConnectionId, Erp, PaymentId
from models.messages import (
    BillEdited,
    BillNow,
    BillPushed,
    BillState,
    CreateBillAnswer,
    DecideMatch,
    DecideMatchAnswer,
    OrderFacts,
    PaymentGivenUp,
    PurchaseOrderLive,
    PurchaseOrderState,
    RequestRef,
    SchedulePayment,
    SchedulePaymentAnswer,
    SettleIssue,
    SyncProgress,
    SyncState,
)
from workflows import contract

T = TypeVar("T")

CREATE_BILL = "create_bill"
SCHEDULE_PAYMENT = "schedule_payment"
LIVE = "live"
PROGRESS = "progress"

WORK_TIMEOUT = timedelta(seconds=30)
"""How long a caller waits for a worker. The request stays claimed; repeating it takes up where it stands."""
QUERY_TIMEOUT = timedelta(seconds=2)
"""Live state is a courtesy: without a worker the mirror alone must answer quickly."""


@asynccontextmanager
async def _reaching() -> AsyncIterator[None]:
    """A client that could never connect says so in a RuntimeError; every other failure to reach is an RPCError."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("Failed client connect"):
            raise
        raise Problem("TEMPORAL_UNAVAILABLE", "No connection to Temporal.", headers={"Retry-After": "5"}) from error


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """A caller waits for a worker only so long."""
    try:
        async with asyncio.timeout(WORK_TIMEOUT.total_seconds()), _reaching():
            yield
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise Problem(
            "WORKER_UNAVAILABLE",
            f"No worker answered within {WORK_TIMEOUT.total_seconds():.0f} s; nothing is lost.",
            headers={"Retry-After": "5"},
        ) from None


async def create_bill(client: Client, state: PurchaseOrderState, request: RequestRef) -> CreateBillAnswer:
    """Ask the order's workflow for a bill, starting it if it does not run. The same request is taken once."""

    async def ask() -> CreateBillAnswer:
        start = _order_start(state)
        try:
            answer: CreateBillAnswer = await client.execute_update_with_start_workflow(
                CREATE_BILL, request, start_workflow_operation=start, id=request.key, result_type=CreateBillAnswer
            )
        except (TimeoutError, asyncio.CancelledError, RPCError):
            await _take_second_copy(start)
            raise
        return answer

    async with _in_time():
        return await _again_while(ask, RPCStatusCode.FAILED_PRECONDITION)


def _order_start(state: PurchaseOrderState) -> WithStartWorkflowOperation[Any, Any]:
    facts = state.facts
    assert facts is not None, "a workflow is started with what the mirror knows of the order"
    return WithStartWorkflowOperation(
        contract.PURCHASE_ORDER_WORKFLOW,
        state,
        id=contract.purchase_order_workflow_id(state.connection_id, state.erp_id),
        task_queue=contract.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=contract.order_summary(facts),
        search_attributes=contract.order_search_attributes(state.connection_id, state.erp, facts),
    )


async def _again_while(ask: Callable[[], Awaitable[T]], passing: RPCStatusCode, *, tries: int = 50) -> T:
    """Ask again while the refusal is of a kind that passes by itself: the same update id is taken once.

    FAILED_PRECONDITION: the workflow was just handing over to its next run. NOT_FOUND: it is just being started.
    """
    for left in range(tries, 0, -1):
        try:
            return await ask()
        except RPCError as error:
            if error.status is not passing or left == 1:
                raise
        await asyncio.sleep(0.1)
    raise AssertionError("the last try returns or raises")


async def _take_second_copy(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """The SDK keeps a failure a second time, for the start; asyncio complains of it unless somebody looks."""
    copy = asyncio.ensure_future(start.workflow_handle())
    await asyncio.wait([copy], timeout=0.01)
    if not copy.done():
        copy.cancel()
    elif not copy.cancelled():
        copy.exception()


@_reaching()
async def bill_again(client: Client, state: BillState) -> None:
    """Start the workflow of a bill that had ended and is open again; one that runs goes on."""
    await client.start_workflow(
        contract.BILL_WORKFLOW,
        state,
        id=contract.bill_workflow_id(state.bill_id),
        task_queue=contract.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=contract.bill_summary(state),
        search_attributes=contract.bill_search_attributes(state),
    )


async def schedule_payment(
    client: Client, bill_id: BillId, payment: SchedulePayment, *, just_made: bool
) -> SchedulePaymentAnswer | None:
    """Ask the bill's workflow for a payment. None: no workflow of this bill runs; one `just_made` is waited for."""
    handle = client.get_workflow_handle(contract.bill_workflow_id(bill_id))

    async def ask() -> SchedulePaymentAnswer:
        answer: SchedulePaymentAnswer = await handle.execute_update(
            SCHEDULE_PAYMENT, payment, id=payment.request.key, result_type=SchedulePaymentAnswer
        )
        return answer

    async def ask_any_run() -> SchedulePaymentAnswer:
        return await _again_while(ask, RPCStatusCode.FAILED_PRECONDITION)

    try:
        async with _in_time():
            return await _again_while(ask_any_run, RPCStatusCode.NOT_FOUND, tries=50 if just_made else 1)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def decide_match(client: Client, bill_id: BillId, decide: DecideMatch) -> DecideMatchAnswer | None:
    """Bring a person's word on a match to the bill's workflow. None: no workflow of this bill runs.

    A bill just saved may still be being started; a running one may be handing over to its next run.
    """
    handle = client.get_workflow_handle(contract.bill_workflow_id(bill_id))

    async def ask() -> DecideMatchAnswer:
        answer: DecideMatchAnswer = await handle.execute_update(
            contract.DECIDE_MATCH, decide, id=decide.request.key, result_type=DecideMatchAnswer
        )
        return answer

    async def ask_any_run() -> DecideMatchAnswer:
        return await _again_while(ask, RPCStatusCode.FAILED_PRECONDITION)

    try:
        async with _in_time():
            return await _again_while(ask_any_run, RPCStatusCode.NOT_FOUND)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


@_reaching()
async def match_again(client: Client, state: PurchaseOrderState, why: str) -> None:
    """Have an order's bills matched again, because something else than the order changed (a unit, a policy)."""
    facts = state.facts
    assert facts is not None, "a workflow is started with what the mirror knows of the order"
    await client.start_workflow(
        contract.PURCHASE_ORDER_WORKFLOW,
        state,
        id=contract.purchase_order_workflow_id(state.connection_id, state.erp_id),
        task_queue=contract.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=contract.MATCH_AGAIN,
        start_signal_args=[why],
        static_summary=contract.order_summary(facts),
        search_attributes=contract.order_search_attributes(state.connection_id, state.erp, facts),
    )


class SyncStarted(NamedTuple):
    workflow_id: str
    run_id: str
    already_running: bool


@_reaching()
async def start_sync(client: Client, connection_id: ConnectionId, erp: Erp, *, trigger: str) -> SyncStarted:
    """Start a sync run, or find the one that runs: one workflow id per connection, so two never overlap (S2-57)."""
    workflow_id = contract.sync_workflow_id(connection_id)
    try:
        handle = await client.start_workflow(
            contract.SYNC_WORKFLOW,
            SyncState(connection_id=connection_id, erp=erp, trigger=trigger),
            id=workflow_id,
            task_queue=contract.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=contract.sync_summary(connection_id, trigger),
            search_attributes=contract.connection_search_attributes(connection_id, erp),
        )
    except WorkflowAlreadyStartedError as running:
        return SyncStarted(workflow_id, running.run_id or "", True)
    return SyncStarted(workflow_id, handle.result_run_id or "", False)


@_reaching()
async def set_schedule(client: Client, connection_id: ConnectionId, erp: Erp, every: timedelta | None) -> None:
    """Let the connection sync by itself (S2-56), or not any more."""
    handle = client.get_schedule_handle(contract.sync_schedule_id(connection_id))
    if every is None:
        try:
            await handle.delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            contract.SCHEDULED_SYNC_WORKFLOW,
            SyncState(connection_id=connection_id, erp=erp, trigger="schedule"),
            id=contract.sync_schedule_id(connection_id),
            task_queue=contract.TASK_QUEUE,
            static_summary=contract.sync_summary(connection_id, "schedule"),
            typed_search_attributes=contract.connection_search_attributes(connection_id, erp),
        ),
        # Jitter: the connections of one ERP shall not all call it at the full hour.
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every / 10),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=every),
    )
    try:
        await client.create_schedule(contract.sync_schedule_id(connection_id), schedule)
    except ScheduleAlreadyRunningError:

        def replaced(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule)

        await handle.update(replaced)


async def settle(client: Client, workflow_id: str, settlement: SettleIssue) -> bool:
    """Tell whoever waits on an issue what a person decided. False: nobody waits any more."""
    return await _tell(client, workflow_id, contract.SETTLE_ISSUE, settlement)


async def bill_edited(client: Client, bill_id: BillId, edition: int, again: BillState | None) -> None:
    """Tell a bill's workflow that an edit is to be sent; if it had ended and the bill is open, start it `again`."""
    word = BillEdited(bill_id=bill_id, edition=edition)
    heard = await _tell(client, contract.bill_workflow_id(bill_id), contract.BILL_EDITED, word)
    if not heard and again is not None:
        await bill_again(client, again)


async def bill_given_up(client: Client, bill_id: BillId, order_workflow_id: str, facts: OrderFacts) -> None:
    """Tell a bill's and its order's workflows that the bill was given up; a workflow that ended needs no word."""
    now = BillNow(status=BillStatus.ABANDONED, paid="0", due="0")
    await _tell(client, contract.bill_workflow_id(bill_id), contract.BILL_CHANGED, now)
    word = BillPushed(bill_id=bill_id, status=BillStatus.ABANDONED, covered=False, facts=facts)
    await _tell(client, order_workflow_id, contract.BILL_PUSHED, word)


async def payment_given_up(client: Client, payment_id: PaymentId, bill_id: BillId, word: PaymentGivenUp) -> None:
    """Tell a payment's workflow that it was given up; before it has started, its bill's."""
    if not await _tell(client, contract.payment_workflow_id(payment_id), contract.PAYMENT_GIVEN_UP, word):
        await _tell(client, contract.bill_workflow_id(bill_id), contract.BILL_CHANGED, word.bill)


@_reaching()
async def _tell(client: Client, workflow_id: str, signal: str, word: BaseModel) -> bool:
    """False: no such workflow runs."""
    try:
        await client.get_workflow_handle(workflow_id).signal(signal, word)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def purchase_order_live(client: Client, workflow_id: str) -> PurchaseOrderLive | None:
    return await _ask(client, workflow_id, LIVE, PurchaseOrderLive)


async def sync_progress(client: Client, workflow_id: str) -> SyncProgress | None:
    return await _ask(client, workflow_id, PROGRESS, SyncProgress)


async def _ask(client: Client, workflow_id: str, query: str, result_type: type[T]) -> T | None:
    """The answer of a running workflow; None when it does not run, or nobody is there to answer."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()), _reaching():
            answer: T = await client.get_workflow_handle(workflow_id).query(
                query, result_type=result_type, reject_condition=QueryRejectCondition.NOT_OPEN
            )
    except (TimeoutError, Problem, RPCError, WorkflowQueryRejectedError, WorkflowQueryFailedError):
        return None
    return answer
