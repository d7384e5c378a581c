"""Lifecycles of bare workflows: the same activities, once without and once with the messages a lifecycle needs."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from bench import bare

T = TypeVar("T")


async def three_alone(client: Client, story: bare.Story) -> None:
    """Three workflows side by side, each with its activities and nothing else."""
    shapes = {"order": story.order, "bill": story.bill, "payment": story.payment}

    async def one(part: str, shape: bare.Shape) -> None:
        workflow_id = f"alone-{part}/{story.number}"
        await client.execute_workflow(bare.BareWorkflow.run, shape, id=workflow_id, task_queue=bare.TASK_QUEUE)

    await asyncio.gather(*(one(part, shape) for part, shape in shapes.items()))


async def three_that_talk(client: Client, story: bare.Story) -> None:
    """The same activities in workflows that start and tell one another, asked by a caller as ours are."""
    start = WithStartWorkflowOperation(
        bare.BareStoryOrder.run,
        story,
        id=bare.story_id("order", story.number),
        task_queue=bare.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.execute_update_with_start_workflow(
        bare.BareStoryOrder.ask, story.order, start_workflow_operation=start
    )
    bill = client.get_workflow_handle_for(bare.BareStoryBill.run, bare.story_id("bill", story.number))
    await _ask_bill(bill, story.bill.model_copy(update={"regular": 0}))
    await bill.result()
    for part in ("payment", "order"):
        await client.get_workflow_handle(bare.story_id(part, story.number)).result()


async def _ask_bill(bill: WorkflowHandle[bare.BareStoryBill, None], shape: bare.Shape) -> None:
    """Its order starts it a moment after answering us."""
    for patience in range(100):
        try:
            await bill.execute_update(bare.BareStoryBill.ask, shape)
            return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or patience == 99:
                raise
            await asyncio.sleep(0.01)


async def run_at_once(limit: int, work: Sequence[Awaitable[T]]) -> list[T]:
    """All of it, so many at a time. Returns the results in the order of the work."""
    gate = asyncio.Semaphore(limit)

    async def one(awaitable: Awaitable[T]) -> T:
        async with gate:
            return await awaitable

    return await asyncio.gather(*(one(awaitable) for awaitable in work))
