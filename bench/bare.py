"""Temporal alone: workflows that do nothing but the same number and kind of steps. What ours are measured against.

`python -m bench.bare` is their worker, a process of its own like ours, set up as ours is.
"""

import asyncio
import signal
from datetime import timedelta

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

TASK_QUEUE = "bench-bare"


class Shape(BaseModel):
    """How many steps of each kind one workflow takes."""

    regular: int = 0
    local: int = 0


@activity.defn
async def do_nothing(step: int) -> int:
    return step


@workflow.defn
class BareWorkflow:
    """So many no-op activities, one after the other."""

    @workflow.run
    async def run(self, shape: Shape) -> None:
        timeout = timedelta(seconds=10)
        for step in range(shape.local):
            await workflow.execute_local_activity(do_nothing, step, start_to_close_timeout=timeout)
        for step in range(shape.regular):
            await workflow.execute_activity(do_nothing, step, start_to_close_timeout=timeout)


@workflow.defn
class BareOrderWorkflow:
    """Takes a signal and stays open, as an order's workflow does when it is woken."""

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

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    restrictions = SandboxRestrictions.default.with_passthrough_modules("bench", "pydantic", "temporalio")
    worker = Worker(
        await temporal_client(),
        task_queue=TASK_QUEUE,
        workflows=[BareWorkflow, BareOrderWorkflow],
        activities=[do_nothing],
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        max_cached_workflows=CACHED_WORKFLOWS,
    )
    async with worker:
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(main())
