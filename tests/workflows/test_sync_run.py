"""One sync run, page by page: it survives outages, hands over, and always closes its record."""

from datetime import timedelta
from functools import partial

import pytest
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment

from erp.errors import AuthenticationFailed
from models import contract
from models.domain.connections import Erp
from models.domain.sync import Stream, SyncTrigger
from models.messages.outbox import SignalToSend
from models.messages.sync import SyncState, SyncWaits
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    attribute,
    details,
    done,
    ended,
    start_scheduled_sync,
    start_sync,
)
from tests.harness.workflow_harness import WorkflowHarness
from workflows.sync import SyncWorkflow


async def test_a_run_reads_every_page_and_then_wakes_the_changed_orders(harness: WorkflowHarness) -> None:
    """S2-56, DESIGN 4: streams in order, pages in order, then the wake in portions, then the record is closed."""
    harness.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 3, Stream.BILLS: 2}
    harness.orders_to_notify = 2100
    handle = await start_sync(harness)
    state = await done(handle)
    assert [(page.stream, page.after) for page in harness.pages_read] == [
        (Stream.LISTS, None),
        (Stream.PURCHASE_ORDERS, None),
        (Stream.PURCHASE_ORDERS, "1"),
        (Stream.PURCHASE_ORDERS, "2"),
        (Stream.BILLS, None),
        (Stream.BILLS, "1"),
    ]
    assert [page.high_water for page in harness.pages_read] == [
        None,
        None,
        "2026-11-01",
        "2026-11-02",
        None,
        "2026-11-01",
    ]
    assert harness.calls["notify_changed_orders"] == 3
    assert state.counts["notified"] == 2100
    assert state.counts["purchase_orders.seen"] == 300
    assert [run.state for run in harness.finished_runs] == ["completed"]
    assert harness.finished_runs[0].counts["bills.pages"] == 2
    assert await attribute(handle, contract.STATUS) == "completed"
    told = await details(handle)
    assert "Now: nothing: the run is completed" in told
    assert "- purchase orders: 300 read, 3 changed" in told
    assert "- orders notified: 2100" in told


async def test_a_run_with_nothing_new_reads_no_page(harness: WorkflowHarness) -> None:
    """S2-57: an unchanged sync costs its plan and starts no order workflow."""
    harness.pages = {}
    state = await done(await start_sync(harness))
    assert harness.pages_read == []
    assert state.counts == {}
    assert [run.state for run in harness.finished_runs] == ["completed"]


async def test_a_run_goes_on_where_an_outage_stopped_it(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """F14, S2-56: half a day without an ERP between two pages; no page is read twice, nobody acts."""
    harness.pages = {Stream.PURCHASE_ORDERS: 4}
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=12)
    handle = await start_sync(harness)
    await eventually(lambda: harness.calls["plan_sync"])
    progress = await handle.query(SyncWorkflow.progress)
    assert (progress.run_id, progress.done) == (None, [])
    assert "Now: finding out what changed" in await details(handle)
    await ended(time_skipping, handle, timedelta(hours=12, minutes=5))
    assert [page.after for page in harness.pages_read] == [None, "1", "2", "3"]
    assert [run.state for run in harness.finished_runs] == ["completed"]
    assert not harness.issues


async def test_a_refused_page_ends_the_run_with_an_issue_on_the_connection(harness: WorkflowHarness) -> None:
    """S2-55, DESIGN 4: what a person must settle is an issue; the run's record says why it stopped."""
    harness.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 3}
    harness.troubles["sync_page"] = [refused("no permission for purchasing", "NO_PERMISSION")]
    handle = await start_sync(harness)
    await done(handle)
    (issue,) = harness.issues.values()
    assert (issue.opened.subject_kind, issue.opened.code) == ("connection", "NO_PERMISSION")
    (run,) = harness.finished_runs
    assert (run.state, run.problem_code, run.problem_message) == (
        "failed",
        "NO_PERMISSION",
        "no permission for purchasing",
    )
    assert await attribute(handle, contract.STATUS) == "failed"
    assert await attribute(handle, contract.ISSUE_CODE) == "NO_PERMISSION"
    assert harness.calls["notify_changed_orders"] == 0


async def test_a_plan_that_is_refused_closes_its_record_too(harness: WorkflowHarness) -> None:
    """S5-160: no run stays "running" for ever because its very first call was refused."""
    harness.troubles["plan_sync"] = [refused("no permission for audit history", "NO_PERMISSION")]
    handle = await start_sync(harness)
    await done(handle)
    (run,) = harness.finished_runs
    assert (run.state, run.run_id, run.workflow_run_id) == ("failed", None, handle.result_run_id)


async def test_wrong_credentials_make_the_run_wait_for_an_administrator(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """DESIGN 6: bad credentials do not fail a run; it goes on when they are repaired."""
    harness.pages = {Stream.LISTS: 1}
    harness.troubles["plan_sync"] = [
        AuthenticationFailed("wrong password", code="AUTH_BAD_CREDENTIALS", retry_after=timedelta(minutes=1))
        for _ in range(60)
    ]
    handle = await start_sync(harness)
    await eventually(lambda: harness.calls["plan_sync"])
    await ended(time_skipping, handle, timedelta(hours=2))
    assert harness.calls["plan_sync"] == 61
    assert [run.state for run in harness.finished_runs] == ["completed"]


async def test_two_runs_of_one_connection_never_overlap(harness: WorkflowHarness) -> None:
    """S2-56: "Sync Now" during a run is that run."""
    harness.pages = {Stream.PURCHASE_ORDERS: 50}
    handle = await start_sync(harness)
    with pytest.raises(WorkflowAlreadyStartedError) as running:
        await start_sync(harness)
    assert running.value.run_id == handle.result_run_id
    await done(handle)
    assert len(harness.finished_runs) == 1


async def test_a_scheduled_run_is_the_connections_one_run(harness: WorkflowHarness) -> None:
    """S2-56, S2-57: the schedule starts the run people see under the connection's own id, found by its connection."""
    harness.pages = {Stream.LISTS: 1}
    scheduled = await start_scheduled_sync(harness, "2026-11-22T00:00:00Z")
    assert await done(scheduled) == "the run is over"
    run = harness.client.get_workflow_handle(contract.sync_workflow_id(harness.connection_id))
    assert await attribute(run, contract.STATUS) == "completed"
    assert await attribute(run, contract.CONNECTION) == harness.connection_id
    assert "(schedule)" in await details(run)


async def test_a_scheduled_run_gives_way_to_one_under_way(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S2-56: a run during an outage is still under way when the next one is due; the pages are read once."""
    harness.pages = {Stream.LISTS: 1}
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    running = await start_sync(harness)
    await eventually(lambda: harness.calls["plan_sync"])
    reason = await done(await start_scheduled_sync(harness, "2026-11-22T00:15:00Z"))
    assert reason == "a run was under way; it reads the same changes"
    await ended(time_skipping, running, timedelta(hours=1, minutes=5))
    assert [run.state for run in harness.finished_runs] == ["completed"]
    assert len(harness.pages_read) == 1


async def changed(harness: WorkflowHarness) -> None:
    """What the outbox delivers for a connection whose ERP has changed (`services/outbox/kinds.py`)."""
    state = SyncState(connection_id=harness.connection_id, erp=Erp.INTACCT, trigger=SyncTrigger.CHANGED)
    signal = SignalToSend(contract.sync_workflow_id(harness.connection_id), contract.SYNC_CHANGED, None, state)
    await WorkflowNotifier(harness.client).signal_with_start(signal)


async def test_what_changes_while_a_run_reads_is_read_by_it(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """A webhook in the middle of a run: planned once more before it ends, under one record, however many came."""
    harness.pages = {Stream.LISTS: 1}
    harness.outage_until = await time_skipping.get_current_time() + timedelta(hours=1)
    handle = await start_sync(harness)
    await eventually(lambda: harness.calls["plan_sync"])
    for _ in range(3):
        await changed(harness)
    state = await ended(time_skipping, handle, timedelta(hours=1, minutes=5))
    assert [page.stream for page in harness.pages_read] == [Stream.LISTS, Stream.LISTS]
    assert len({page.run_id for page in harness.pages_read}) == 1
    assert state.counts["lists.pages"] == 2
    assert [run.state for run in harness.finished_runs] == ["completed"]


async def test_news_of_an_idle_connection_start_a_run_that_plans_once(harness: WorkflowHarness) -> None:
    harness.pages = {Stream.LISTS: 1}
    await changed(harness)
    handle = harness.client.get_workflow_handle_for(SyncWorkflow.run, contract.sync_workflow_id(harness.connection_id))
    assert (await done(handle)).trigger == "changed"
    assert (harness.calls["plan_sync"], len(harness.finished_runs)) == (1, 1)


async def test_news_while_the_record_is_closed_are_not_lost(harness: WorkflowHarness) -> None:
    """The next run reads them; it is one of its own, with a record of its own."""
    harness.pages = {Stream.LISTS: 1}
    harness.while_finishing = partial(changed, harness)
    handle = await start_sync(harness)
    await done(handle)
    await eventually(lambda: harness.calls["plan_sync"] == 2 and harness.finished_runs[-1].state == "completed")
    last = harness.client.get_workflow_handle_for(SyncWorkflow.run, contract.sync_workflow_id(harness.connection_id))
    await done(last)
    assert len(harness.pages_read) == 2


async def test_a_run_that_cannot_read_says_so_until_it_can(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """F2, kind 4: during an outage the run said "finding out what changed", and nothing else, while it lasted."""
    harness.pages = {Stream.LISTS: 1}
    now = await time_skipping.get_current_time()
    harness.outage_until = now + timedelta(hours=2)
    handle = await start_sync(harness)
    await eventually(lambda: harness.calls["plan_sync"])
    waits = SyncWaits(code="ERP_UNREACHABLE", message="Intacct cannot be reached.", since=now)
    for _ in range(2):
        await handle.signal(contract.SYNC_WAITS, waits)
    assert (await handle.query(SyncWorkflow.progress)).waits == waits
    said = await details(handle)
    assert f"**Cannot read since {now:%Y-%m-%d %H:%M} UTC**: Intacct cannot be reached. (ERP_UNREACHABLE)" in said
    assert await attribute(handle, contract.ISSUE_CODE) == "ERP_UNREACHABLE"
    await ended(time_skipping, handle, timedelta(hours=2, minutes=5))
    assert "Cannot read" not in await details(handle)
    assert await attribute(handle, contract.ISSUE_CODE) is None
