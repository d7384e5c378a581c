"""A backfill, page by page: it survives outages, hands over to a new run, and always closes its record."""

from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.connections import Erp
from models.domain.ids import BackfillId
from models.messages.backfills import BackfillRun
from tests.fakes.fake_order import refused
from tests.harness.workflow_client import A_LONG_LIFE, done, ended
from tests.harness.workflow_harness import WorkflowHarness
from workflows.backfill import PAGES_PER_RUN, BackfillWorkflow


async def start(harness: WorkflowHarness) -> WorkflowHandle[Any, BackfillRun]:
    backfill_id = BackfillId("backfill_1")
    return await harness.client.start_workflow(
        BackfillWorkflow.run,
        BackfillRun(connection_id=harness.connection_id, erp=Erp.INTACCT, backfill_id=backfill_id),
        id=contract.backfill_workflow_id(harness.connection_id, backfill_id),
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )


async def test_many_pages_are_read_by_several_runs(harness: WorkflowHarness) -> None:
    """S1-13: no history grows with the number of orders; each page is read once, and the orders are notified."""
    harness.backfill_pages = PAGES_PER_RUN + 2
    handle = await start(harness)
    state = await done(handle)
    assert [page.page_no for page in harness.backfilled] == list(range(PAGES_PER_RUN + 2))
    assert [page.after for page in harness.backfilled[:2]] == [None, "1"]
    assert state.counts == {"read": PAGES_PER_RUN + 2}
    assert [end.state for end in harness.finished_backfills] == ["completed"]
    assert harness.calls["notify_changed_orders"] == 1


async def test_it_waits_through_an_outage(harness: WorkflowHarness, time_skipping: WorkflowEnvironment) -> None:
    """S1-13: half a day without an ERP; it goes on where it stopped."""
    harness.backfill_pages = 3
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=12)
    await ended(time_skipping, await start(harness), timedelta(hours=12, minutes=5))
    assert [page.after for page in harness.backfilled] == [None, "1", "2"]
    assert [end.state for end in harness.finished_backfills] == ["completed"]


async def test_a_refusal_ends_it_and_is_kept(harness: WorkflowHarness) -> None:
    """S1-13: what it is that a person must settle stands in its record."""
    harness.troubles["backfill_page"] = [refused("no permission for purchasing", "NO_PERMISSION")]
    await done(await start(harness))
    (end,) = harness.finished_backfills
    assert (end.state, end.problem_code, end.problem_message) == (
        "failed",
        "NO_PERMISSION",
        "no permission for purchasing",
    )
