"""One sync run, page by page: it survives outages, hands over, and always closes its record."""

from datetime import timedelta

import pytest
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment

from erp.errors import AuthenticationFailed
from models.domain import Stream
from tests.workflows.desk import attribute, details, done, ended, eventually, start_scheduled_sync, start_sync
from tests.workflows.world import World, refused
from workflows import contract
from workflows.sync import SyncWorkflow


async def test_a_run_reads_every_page_and_then_wakes_the_changed_orders(world: World) -> None:
    """S2-56, DESIGN 4: streams in order, pages in order, then the wake in portions, then the record is closed."""
    world.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 3, Stream.BILLS: 2}
    world.orders_to_wake = 2100
    handle = await start_sync(world)
    state = await done(handle)
    assert [(page.stream, page.after) for page in world.pages_read] == [
        (Stream.LISTS, None),
        (Stream.PURCHASE_ORDERS, None),
        (Stream.PURCHASE_ORDERS, "1"),
        (Stream.PURCHASE_ORDERS, "2"),
        (Stream.BILLS, None),
        (Stream.BILLS, "1"),
    ]
    assert [page.high_water for page in world.pages_read] == [
        None,
        None,
        "2026-11-01",
        "2026-11-02",
        None,
        "2026-11-01",
    ]
    assert world.calls["wake_purchase_orders"] == 3
    assert state.counts["woken"] == 2100
    assert state.counts["purchase_orders.seen"] == 300
    assert [run.state for run in world.finished_runs] == ["completed"]
    assert world.finished_runs[0].counts["bills.pages"] == 2
    assert await attribute(handle, contract.STATUS) == "completed"
    told = await details(handle)
    assert "Now: nothing: the run is completed" in told
    assert "- purchase orders: 300 read, 3 changed" in told
    assert "- orders woken: 2100" in told


async def test_a_run_with_nothing_new_reads_no_page(world: World) -> None:
    """S2-57: an unchanged sync costs its plan and starts no order workflow."""
    world.pages = {}
    state = await done(await start_sync(world))
    assert world.pages_read == []
    assert state.counts == {}
    assert [run.state for run in world.finished_runs] == ["completed"]


async def test_a_run_goes_on_where_an_outage_stopped_it(world: World, time_skipping: WorkflowEnvironment) -> None:
    """F14, S2-56: half a day without an ERP between two pages; no page is read twice, nobody acts."""
    world.pages = {Stream.PURCHASE_ORDERS: 4}
    world.outage_until = await time_skipping.get_current_time() + timedelta(hours=12)
    handle = await start_sync(world)
    await eventually(lambda: world.calls["plan_sync"])
    progress = await handle.query(SyncWorkflow.progress)
    assert (progress.run_id, progress.done) == (None, [])
    assert "Now: finding out what is new" in await details(handle)
    await ended(time_skipping, handle, timedelta(hours=12, minutes=5))
    assert [page.after for page in world.pages_read] == [None, "1", "2", "3"]
    assert [run.state for run in world.finished_runs] == ["completed"]
    assert not world.issues


async def test_a_refused_page_ends_the_run_with_an_issue_on_the_connection(world: World) -> None:
    """S2-55, DESIGN 4: what a person must settle is an issue; the run's record says why it stopped."""
    world.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 3}
    world.troubles["sync_page"] = [refused("no permission for purchasing", "NO_PERMISSION")]
    handle = await start_sync(world)
    await done(handle)
    (issue,) = world.issues.values()
    assert (issue.opened.subject_kind, issue.opened.code) == ("connection", "NO_PERMISSION")
    (run,) = world.finished_runs
    assert (run.state, run.problem_code, run.problem_message) == (
        "failed",
        "NO_PERMISSION",
        "no permission for purchasing",
    )
    assert await attribute(handle, contract.STATUS) == "failed"
    assert await attribute(handle, contract.ISSUE_CODE) == "NO_PERMISSION"
    assert world.calls["wake_purchase_orders"] == 0


async def test_a_plan_that_is_refused_closes_its_record_too(world: World) -> None:
    """S5-160: no run stays "running" for ever because its very first call was refused."""
    world.troubles["plan_sync"] = [refused("no permission for audit history", "NO_PERMISSION")]
    handle = await start_sync(world)
    await done(handle)
    (run,) = world.finished_runs
    assert (run.state, run.run_id, run.workflow_run_id) == ("failed", None, handle.result_run_id)


async def test_wrong_credentials_make_the_run_wait_for_an_administrator(
    world: World, time_skipping: WorkflowEnvironment
) -> None:
    """DESIGN 6: bad credentials do not fail a run; it goes on when they are repaired."""
    world.pages = {Stream.LISTS: 1}
    world.troubles["plan_sync"] = [
        AuthenticationFailed("wrong password", code="AUTH_BAD_CREDENTIALS", retry_after=timedelta(minutes=1))
        for _ in range(60)
    ]
    handle = await start_sync(world)
    await eventually(lambda: world.calls["plan_sync"])
    await ended(time_skipping, handle, timedelta(hours=2))
    assert world.calls["plan_sync"] == 61
    assert [run.state for run in world.finished_runs] == ["completed"]


async def test_two_runs_of_one_connection_never_overlap(world: World) -> None:
    """S2-56: "Sync Now" during a run is that run."""
    world.pages = {Stream.PURCHASE_ORDERS: 50}
    handle = await start_sync(world)
    with pytest.raises(WorkflowAlreadyStartedError) as running:
        await start_sync(world)
    assert running.value.run_id == handle.result_run_id
    await done(handle)
    assert len(world.finished_runs) == 1


async def test_a_scheduled_run_is_the_connections_one_run(world: World) -> None:
    """S2-56, S2-57: the schedule starts the run people see under the connection's own id, found by its connection."""
    world.pages = {Stream.LISTS: 1}
    scheduled = await start_scheduled_sync(world, "2026-11-22T00:00:00Z")
    assert await done(scheduled) == "the run is over"
    run = world.client.get_workflow_handle(contract.sync_workflow_id(world.connection_id))
    assert await attribute(run, contract.STATUS) == "completed"
    assert await attribute(run, contract.CONNECTION) == world.connection_id
    assert "(schedule)" in await details(run)


async def test_a_scheduled_run_gives_way_to_one_under_way(world: World, time_skipping: WorkflowEnvironment) -> None:
    """S2-56: a run during an outage is still under way when the next one is due; the pages are read once."""
    world.pages = {Stream.LISTS: 1}
    world.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    running = await start_sync(world)
    await eventually(lambda: world.calls["plan_sync"])
    given_way = await done(await start_scheduled_sync(world, "2026-11-22T00:15:00Z"))
    assert given_way == "a run was under way; it reads the same changes"
    await ended(time_skipping, running, timedelta(hours=1, minutes=5))
    assert [run.state for run in world.finished_runs] == ["completed"]
    assert len(world.pages_read) == 1
