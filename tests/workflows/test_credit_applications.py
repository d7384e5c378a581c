"""One ask to apply a credit: it ends applied, or refused with why."""

import secrets

from temporalio.client import Client

from models.domain.credits import ApplicationStatus
from tests.fakes.fake_order import refused
from tests.harness.workflow_client import apply_credit, done
from tests.harness.workflow_harness import WorkflowHarness


async def test_an_application_ends_and_the_next_ask_is_a_new_run(temporal: Client) -> None:
    """S5-70: a refusal is recorded with why, and nothing waits; asked for again, it is sent again."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-")
    harness.troubles["push_credit_application"] = [refused()]
    async with harness.workers():
        assert await done(await apply_credit(harness, "application_1")) == ApplicationStatus.REFUSED
        (why,) = harness.applications_failed
        assert (why.code, why.ask) == ("PERIOD_CLOSED", 1)
        assert harness.applied == []
        assert await done(await apply_credit(harness, "application_1", 2)) == ApplicationStatus.APPLIED
    assert len(harness.applied) == 1
