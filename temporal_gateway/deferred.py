"""Let an activity that waits for a late ERP answer try again at once; that attempt finds the answer."""

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetActivityRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

NOBODY_WAITS = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)


async def retry_activity_now(client: Client, *, workflow_id: str, run_id: str, activity_id: str) -> bool:
    """Make a waiting activity try again now; return False when its workflow is over and nothing waits.

    It adds no event to the workflow's history. The process that stored the answer calls this. If that process crashes
    first, the activity looks for the answer by itself after a while.

    Raises:
        RPCError: Temporal refused or could not be reached.
    """
    request = ResetActivityRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        id=activity_id,
    )
    try:
        await client.workflow_service.reset_activity(request)
    except RPCError as error:
        if error.status in NOBODY_WAITS:
            return False
        raise
    return True
