"""One ask to change a list entry: it ends done, set aside, or refused with why."""

import secrets

from temporalio.client import Client

from models.domain.list_changes import ListChangeStatus
from tests.fakes.fake_order import refused
from tests.harness.workflow_client import change_list, details, done
from tests.harness.workflow_harness import WorkflowHarness


async def test_a_change_ends_and_the_next_ask_is_a_new_run(temporal: Client) -> None:
    """S2-76: a refusal is recorded with why, and nothing waits; asked for again, it is sent again."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-")
    harness.troubles["push_list_change"] = [refused()]
    async with harness.workers():
        assert await done(await change_list(harness, "change_1")) == ListChangeStatus.REFUSED
        (why,) = harness.list_changes_failed
        assert (why.code, why.ask) == ("PERIOD_CLOSED", 1)
        assert harness.changed_lists == []
        assert await done(await change_list(harness, "change_1", 2)) == ListChangeStatus.DONE
        harness.list_change_ends = ListChangeStatus.SET_ASIDE
        aside = await change_list(harness, "change_2")
        assert await done(aside) == ListChangeStatus.SET_ASIDE
        assert "the ERP's values were kept" in await details(aside)
    assert len(harness.changed_lists) == 2
