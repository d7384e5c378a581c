"""Start, signal and query workflows. Ids and names come from `models.contract` alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import (
    QueryRejectCondition,
    WorkflowIDConflictPolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models import contract
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.domain.sync import SyncTrigger
from models.messages.orders import PurchaseOrderLive, PurchaseOrderState
from models.messages.outbox import ScheduleToSet
from models.messages.sync import SyncProgress, SyncState
from temporal_gateway.errors import GatewayError, TemporalUnavailable

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What Temporal counts intervals from."""

LIVE = "live"
PROGRESS = "progress"

QUERY_TIMEOUT = timedelta(seconds=2)
"""How long a query for live state may take for a caller who wants it. Without a worker the mirror answers then."""

START_TIMEOUT = timedelta(seconds=5)
"""How long starting a workflow may take while a caller waits: the client alone would try for 20 seconds and more. One
that was started all the same is found by the caller's next request."""


@asynccontextmanager
async def _starting() -> AsyncIterator[None]:
    """End the call after `START_TIMEOUT`.

    Raises:
        GatewayError: Temporal did not answer in time.
    """
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            yield
    except TimeoutError as error:
        raise GatewayError("Temporal does not answer.") from error


def never_connected(error: RuntimeError) -> bool:
    """Return whether this is what a client raises that never got a connection to Temporal."""
    return str(error).startswith("Failed client connect")


@asynccontextmanager
async def _reaching() -> AsyncIterator[None]:
    """Turn the error of a client that never connected into `TemporalUnavailable`.

    Such a client raises RuntimeError; every other failure to reach Temporal is an RPCError.

    Raises:
        TemporalUnavailable: The client never got a connection to Temporal.
    """
    try:
        yield
    except RuntimeError as error:
        if not never_connected(error):
            raise
        raise TemporalUnavailable("No connection to Temporal.") from error


@_starting()
@_reaching()
async def rematch(client: Client, state: PurchaseOrderState, why: str) -> None:
    """Have an order's bills matched again because something other than the order changed (a unit, a policy).

    Starts the order's workflow if it does not run.

    Raises:
        TemporalUnavailable: There is no connection to Temporal.
        GatewayError: Temporal did not answer in time.
    """
    facts = state.facts
    assert facts is not None, "a workflow is started with what the mirror knows of the order"
    await client.start_workflow(
        contract.PURCHASE_ORDER_WORKFLOW,
        state,
        id=contract.order_workflow_id(state),
        task_queue=contract.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=contract.REMATCH,
        start_signal_args=[why],
        static_summary=contract.order_summary(facts),
        search_attributes=contract.order_search_attributes(state.connection_id, state.erp, facts),
        rpc_timeout=START_TIMEOUT,
    )


class SyncStarted(NamedTuple):
    """A sync run's workflow, and whether it was running before this request."""

    workflow_id: str
    run_id: str
    already_running: bool


@_starting()
@_reaching()
async def start_sync(client: Client, connection_id: ConnectionId, erp: Erp, *, trigger: SyncTrigger) -> SyncStarted:
    """Start a sync run, or have the one that runs plan once more: its plan may be older than what the caller wants to
    see. One workflow id per connection, so two never overlap (S2-57).

    Raises:
        TemporalUnavailable: There is no connection to Temporal.
        GatewayError: Temporal did not answer in time.
    """
    workflow_id = contract.sync_workflow_id(connection_id)
    while True:
        try:
            handle = await client.start_workflow(
                contract.SYNC_WORKFLOW,
                SyncState(connection_id=connection_id, erp=erp, trigger=trigger),
                id=workflow_id,
                task_queue=contract.TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=contract.sync_summary(connection_id, trigger),
                search_attributes=contract.connection_search_attributes(connection_id, erp),
                rpc_timeout=START_TIMEOUT,
            )
        except WorkflowAlreadyStartedError as running:
            try:
                await client.get_workflow_handle(workflow_id).signal(contract.SYNC_CHANGED, rpc_timeout=START_TIMEOUT)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                continue  # it has just ended
            return SyncStarted(workflow_id, running.run_id or "", True)
        return SyncStarted(workflow_id, handle.result_run_id or "", False)


@_reaching()
async def set_schedule(client: Client, wanted: ScheduleToSet) -> None:
    """Schedule a connection's syncs as wanted (S2-56), or remove the schedule.

    Raises:
        TemporalUnavailable: There is no connection to Temporal.
    """
    connection_id = wanted.connection_id
    handle = client.get_schedule_handle(contract.sync_schedule_id(connection_id))
    if wanted.every is None:
        try:
            await handle.delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    # Counted from the connection's own beginning: the connections of one ERP do not all call it at the full hour.
    counted_from = (wanted.since - EPOCH) % wanted.every
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            contract.SCHEDULED_SYNC_WORKFLOW,
            SyncState(connection_id=connection_id, erp=wanted.erp, trigger=SyncTrigger.SCHEDULE),
            id=contract.sync_schedule_id(connection_id),
            task_queue=contract.TASK_QUEUE,
            static_summary=contract.sync_summary(connection_id, SyncTrigger.SCHEDULE),
            typed_search_attributes=contract.connection_search_attributes(connection_id, wanted.erp),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=wanted.every, offset=counted_from)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=wanted.every),
        state=ScheduleState(note=contract.schedule_note(wanted.name, wanted.every)),
    )
    try:
        await client.create_schedule(
            contract.sync_schedule_id(connection_id),
            schedule,
            search_attributes=contract.connection_search_attributes(connection_id, wanted.erp),
        )
    except ScheduleAlreadyRunningError:

        def replaced(now: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule.state.paused = now.description.schedule.state.paused  # an operator's pause stays
            return ScheduleUpdate(schedule)

        await handle.update(replaced)


class SyncSchedule(NamedTuple):
    """A connection's schedule as Temporal has it."""

    every: timedelta
    next_at: datetime | None
    """None: an operator paused it."""
    paused: bool


@_starting()
@_reaching()
async def sync_schedule(client: Client, connection_id: ConnectionId) -> SyncSchedule | None:
    """Return a connection's schedule; None: there is none.

    Raises:
        TemporalUnavailable: There is no connection to Temporal.
        GatewayError: Temporal did not answer in time.
    """
    try:
        described = await client.get_schedule_handle(contract.sync_schedule_id(connection_id)).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise GatewayError("Temporal does not answer.") from error
        return None
    paused = described.schedule.state.paused
    coming = described.info.next_action_times
    return SyncSchedule(
        every=described.schedule.spec.intervals[0].every,
        next_at=None if paused or not coming else coming[0],
        paused=paused,
    )


async def purchase_order_live(client: Client, workflow_id: str, within: timedelta) -> PurchaseOrderLive | None:
    """Return an order workflow's live state; None when it does not run or no worker answers in time."""
    return await _ask(client, workflow_id, LIVE, PurchaseOrderLive, within)


async def sync_progress(client: Client, workflow_id: str) -> SyncProgress | None:
    """Return a sync run's progress; None when it does not run or no worker answers in time."""
    return await _ask(client, workflow_id, PROGRESS, SyncProgress, QUERY_TIMEOUT)


async def _ask(client: Client, workflow_id: str, query: str, result_type: type[T], within: timedelta) -> T | None:
    """Query a running workflow; return None when it does not run or no worker answers in time."""
    try:
        async with asyncio.timeout(within.total_seconds()), _reaching():
            answer: T = await client.get_workflow_handle(workflow_id).query(
                query,
                result_type=result_type,
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=within,  # else the server keeps the question after we have gone
            )
    except (TimeoutError, TemporalUnavailable, RPCError, WorkflowQueryRejectedError, WorkflowQueryFailedError):
        return None
    return answer
