"""One workflow in two releases: the second one has a further step, behind a patch. What patching is proved with."""

from datetime import timedelta

from temporalio import workflow


def asks_twice() -> bool:
    """Return whether this run takes the path of the second release."""
    return workflow.patched("asks-twice")


@workflow.defn(name="ReleasedWorkflow")
class FirstRelease:
    """Waits once."""

    @workflow.run
    async def run(self) -> int:
        await workflow.sleep(timedelta(milliseconds=1), summary="first")
        return 1


@workflow.defn(name="ReleasedWorkflow")
class SecondRelease:
    """Waits once more, in runs that began after the release."""

    @workflow.run
    async def run(self) -> int:
        if asks_twice():
            await workflow.sleep(timedelta(milliseconds=1), summary="one more")
            await workflow.sleep(timedelta(milliseconds=1), summary="first")
            return 2
        await workflow.sleep(timedelta(milliseconds=1), summary="first")
        return 1


@workflow.defn(name="ReleasedWorkflow")
class UnpatchedRelease:
    """The same change without a patch."""

    @workflow.run
    async def run(self) -> int:
        await workflow.execute_activity("one_more", start_to_close_timeout=timedelta(seconds=1))
        await workflow.sleep(timedelta(milliseconds=1), summary="first")
        return 2
