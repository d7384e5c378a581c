"""A backfill, page by page: it survives outages, hands over to a new run, and always closes its record."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from tests.fakes.fake_order import refused
from tests.harness.workflow_client import done, ended, start_backfill
from tests.harness.workflow_harness import WorkflowHarness
from workflows.backfill import PAGES_PER_RUN


async def test_many_pages_are_read_by_several_runs(harness: WorkflowHarness) -> None:
    """S1-13: no history grows with the number of orders; each page is read once, and the orders are notified."""
    harness.backfill_pages = PAGES_PER_RUN + 2
    handle = await start_backfill(harness)
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
    await ended(time_skipping, await start_backfill(harness), timedelta(hours=12, minutes=5))
    assert [page.after for page in harness.backfilled] == [None, "1", "2"]
    assert [end.state for end in harness.finished_backfills] == ["completed"]


async def test_a_refusal_ends_it_and_is_kept(harness: WorkflowHarness) -> None:
    """S1-13: what it is that a person must settle stands in its record."""
    harness.troubles["backfill_page"] = [refused("no permission for purchasing", "NO_PERMISSION")]
    await done(await start_backfill(harness))
    (end,) = harness.finished_backfills
    assert (end.state, end.problem_code, end.problem_message) == (
        "failed",
        "NO_PERMISSION",
        "no permission for purchasing",
    )


async def test_what_was_read_already_is_not_read_once_more(harness: WorkflowHarness) -> None:
    """B11: its workflow was ended behind its last page, and started again: the orders are notified, and that is all."""
    state = await done(await start_backfill(harness, page_no=2, all_read=True))
    assert (state.page_no, harness.backfilled) == (2, [])
    assert [end.state for end in harness.finished_backfills] == ["completed"]
    assert harness.calls["notify_changed_orders"] == 1
