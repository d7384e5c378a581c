"""Let an activity that waits for a late ERP answer try again at once; that attempt finds the answer."""

import asyncio
import time

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, ResetActivityRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

NOBODY_WAITS = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)

ATTEMPT_MAY_TAKE_SECONDS = 30.0
"""How long the attempt that asked may still run after its question was answered: it only has to end."""

LOOK_FIRST_SECONDS, LOOK_MOST_SECONDS = 0.02, 1.0


async def retry_activity_now(client: Client, *, workflow_id: str, run_id: str, activity_id: str) -> bool:
    """Make a waiting activity try again now; return False when its workflow is over and nothing waits.

    An answer may come before the attempt that asked for it has ended. A reset would be lost on it, and its next attempt
    would come after the whole pause: so its end is waited for. It adds no event to the workflow's history. It is
    called for a message of the outbox, which was stored with the answer.

    Raises:
        RPCError: Temporal refused or could not be reached.
    """
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    try:
        if not await _has_ended_its_attempt(client, execution, activity_id):
            return False
        await client.workflow_service.reset_activity(
            ResetActivityRequest(namespace=client.namespace, execution=execution, id=activity_id)
        )
    except RPCError as error:
        if error.status in NOBODY_WAITS:
            return False
        raise
    return True


async def _has_ended_its_attempt(client: Client, execution: WorkflowExecution, activity_id: str) -> bool:
    """Wait until no attempt of an activity runs; return False when the activity itself is over."""
    ends = time.monotonic() + ATTEMPT_MAY_TAKE_SECONDS
    pause = LOOK_FIRST_SECONDS
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    while True:
        described = await client.workflow_service.describe_workflow_execution(request)
        states = [pending.state for pending in described.pending_activities if pending.activity_id == activity_id]
        if not states:
            return False
        if PendingActivityState.PENDING_ACTIVITY_STATE_STARTED not in states or time.monotonic() >= ends:
            return True
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LOOK_MOST_SECONDS)
