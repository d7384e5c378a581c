"""A workflow that must not exist: it reads the clock. What the strict sandbox is proved with."""

from datetime import UTC, datetime

from temporalio import workflow


@workflow.defn
class ClockReader:
    """Returns the time of the machine it runs on."""

    @workflow.run
    async def run(self) -> str:
        return datetime.now(UTC).isoformat()
