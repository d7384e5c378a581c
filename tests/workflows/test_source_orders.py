"""One upload of an order of another system: it ends uploaded, or failed with why."""

import secrets

from temporalio.client import Client

from models.domain.source_orders import UploadState
from tests.fakes.fake_order import refused
from tests.harness.workflow_client import done, upload
from tests.harness.workflow_harness import WorkflowHarness


async def test_an_upload_ends_and_the_next_one_is_a_new_run(temporal: Client) -> None:
    """S3-18, 19: a refusal is recorded with why, and nothing waits; asked for again, it is sent again."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-")
    harness.troubles["push_source_order"] = [refused()]
    async with harness.workers():
        first = await upload(harness, "src_1")
        assert await done(first) == UploadState.FAILED
        (why,) = harness.uploads_failed
        assert (why.code, why.evidence) == ("PERIOD_CLOSED", {"period": "2026-09"})
        assert harness.uploaded == []
        assert await done(await upload(harness, "src_1", 2)) == UploadState.UPLOADED
    assert len(harness.uploaded) == 1


async def test_asked_for_again_before_the_run_has_ended(temporal: Client) -> None:
    """The order was corrected while its failure was recorded: the same run sends it once more."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-")
    harness.troubles["push_source_order"] = [refused()]

    async def ask_again() -> None:
        await upload(harness, "src_1", 2)

    harness.while_failing = ask_again
    async with harness.workers():
        assert await done(await upload(harness, "src_1")) == UploadState.UPLOADED
    assert len(harness.uploaded) == 1
    assert {why.ask for why in harness.uploads_failed} == {1}, "told again, it fails no later one"
