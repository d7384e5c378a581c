"""Ask Temporal who takes work from a task queue: a worker that is gone, or frozen, asks for none.

The SDK asks outside of Python, so that a worker whose event loop hangs is among them: callers know whose loop runs.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from models.contract import TASK_QUEUE

LAST_POLL_AT_MOST = timedelta(minutes=2)
"""A worker that waits for work polls once a minute. Temporal lists a worker that is gone for some minutes more."""


async def queues_without_poller(
    client: Client,
    queues: Sequence[str],
    *,
    but: Collection[str] = (),
    host: str | None = None,
    within: timedelta = timedelta(seconds=10),
) -> list[str]:
    """Return the queues that no worker (of the host, if one is named) has polled recently, in the order given.

    `but` are the identities of workers that do not count.

    Raises:
        RPCError: Temporal does not answer each question `within` this time.
    """
    polled = await asyncio.gather(*(_is_polled(client, queue, but, host, within) for queue in queues))
    return [queue for queue, served in zip(queues, polled, strict=True) if not served]


async def _is_polled(client: Client, queue: str, but: Collection[str], host: str | None, within: timedelta) -> bool:
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if queue == TASK_QUEUE else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    described = await client.workflow_service.describe_task_queue(request, timeout=within)
    since = datetime.now(UTC) - LAST_POLL_AT_MOST
    # The SDK calls a worker "process id@host".
    return any(
        poller.last_access_time.ToDatetime(tzinfo=UTC) > since
        and poller.identity not in but
        and (host is None or poller.identity.endswith(f"@{host}"))
        for poller in described.pollers
    )
