"""Temporal alone: workflows that do nothing but the same number and kind of steps. What ours are measured against.

`python -m bench.bare` is their worker, a process of its own like ours, set up as ours is.
"""

import asyncio
import signal
from datetime import timedelta

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

TASK_QUEUE = "bench-bare"
TIMEOUT = timedelta(seconds=30)


class Shape(BaseModel):
    """How many steps of each kind one workflow takes."""

    regular: int = 0
    local: int = 0


class Story(BaseModel):
    """The shapes of the three workflows of one lifecycle, and the number that names them."""

    number: int
    order: Shape
    bill: Shape
    payment: Shape


def story_id(part: str, number: int) -> str:
    return f"bare-{part}/{number}"


class BareActivities:
    """Nothing, and the signals our activities send."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn
    async def do_nothing(self, step: int) -> int:
        return step

    @activity.defn
    async def tell(self, workflow_id: str) -> None:
        """Signal a workflow that we are done, from an activity, as a push does."""
        await self._client.get_workflow_handle(workflow_id).signal("done")


async def take_steps(shape: Shape) -> None:
    for step in range(shape.local):
        await workflow.execute_local_activity_method(BareActivities.do_nothing, step, start_to_close_timeout=TIMEOUT)
    for step in range(shape.regular):
        await workflow.execute_activity_method(BareActivities.do_nothing, step, start_to_close_timeout=TIMEOUT)


@workflow.defn
class BareWorkflow:
    """So many no-op activities, one after the other, and no message to anybody."""

    @workflow.run
    async def run(self, shape: Shape) -> None:
        await take_steps(shape)


@workflow.defn
class BareStoryOrder:
    """Updated by a caller, starts its bill, ends when it hears that the bill is pushed."""

    def __init__(self) -> None:
        self._asked = self._done = False

    @workflow.run
    async def run(self, story: Story) -> None:
        await workflow.wait_condition(lambda: self._asked)
        await workflow.start_child_workflow(
            BareStoryBill.run,
            story,
            id=story_id("bill", story.number),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        await workflow.wait_condition(lambda: self._done)

    @workflow.update
    async def ask(self, shape: Shape) -> None:
        await take_steps(shape)
        self._asked = True

    @workflow.signal
    def done(self) -> None:
        self._done = True


@workflow.defn
class BareStoryBill:
    """Its last activity tells the order; updated by a caller, it starts its payment and ends when that has ended."""

    def __init__(self) -> None:
        self._asked = False

    @workflow.run
    async def run(self, story: Story) -> None:
        await take_steps(Shape(regular=story.bill.regular - 1))
        order = story_id("order", story.number)
        await workflow.execute_activity_method(BareActivities.tell, order, start_to_close_timeout=TIMEOUT)
        await workflow.wait_condition(lambda: self._asked)
        await workflow.execute_child_workflow(
            BareWorkflow.run,
            story.payment,
            id=story_id("payment", story.number),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )

    @workflow.update
    async def ask(self, shape: Shape) -> None:
        await take_steps(shape)
        self._asked = True


@workflow.defn
class BareOrderWorkflow:
    """Takes a signal and stays open, as an order's workflow does when it is notified."""

    @workflow.init
    def __init__(self, facts: dict[str, str]) -> None:
        self._facts = facts

    @workflow.run
    async def run(self, facts: dict[str, str]) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def order_changed(self, facts: dict[str, str]) -> None:
        self._facts = facts


async def main() -> None:
    from settings import temporal_client
    from worker import CACHED_WORKFLOWS
    from workflows.runner import fast_runner

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    client = await temporal_client()
    activities = BareActivities(client)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[BareWorkflow, BareOrderWorkflow, BareStoryOrder, BareStoryBill],
        activities=[activities.do_nothing, activities.tell],
        workflow_runner=fast_runner("bench", "pydantic", "temporalio"),
        max_cached_workflows=CACHED_WORKFLOWS,
    )
    async with worker:
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(main())
