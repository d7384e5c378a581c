"""Run one sync of one connection: read what changed into the mirror, then notify the changed orders' workflows.

    plan (one call: what is new?) ──> page by page, stream by stream ──> notify ──> done
     ^                                                                       │
     └───────────────── something changed in the ERP meanwhile ──────────────┘

Scheduled runs and "Sync Now" share one workflow id, so two never overlap (S2-56, S2-57). The run survives an outage: a
page is tried until the ERP is back, and the run continues where it stopped.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from models import contract
from workflows import policies

with workflow.unsafe.imports_passed_through():
    from activities.database import MirrorActivities
    from activities.failures import FailureDetails, details_of
    from activities.notify import NotifyActivities
    from activities.setup_checks import SetupCheckActivities
    from activities.sync import SyncActivities
    from models.domain.issue_states import IssueSubject
    from models.domain.sync import Stream, SyncRunState, SyncTrigger
    from models.messages.issues import OpenIssue
    from models.messages.sync import (
        CheckSetup,
        FinishSyncRun,
        NotifyChangedOrders,
        StartSyncRun,
        SyncPage,
        SyncProgress,
        SyncState,
        SyncWaits,
    )


@workflow.defn
class SyncWorkflow:
    """The workflow of one sync run; see the module's text."""

    @workflow.init
    def __init__(self, state: SyncState) -> None:
        self._state = state
        self._started_at = workflow.now()
        self._doing = ""
        self._waits: SyncWaits | None = None

    @workflow.run
    async def run(self, state: SyncState) -> SyncState:
        """Read every planned stream, plan again while the ERP reports changes, and close the run's record."""
        try:
            await self._read_all()
            while self._state.changed:
                self._state.plan = None
                await self._read_all()
        except ActivityError as error:
            await self._fail(details_of(error))
        else:
            await self._finish(SyncRunState.COMPLETED, None)
            if self._state.changed:  # reported while the record was being closed: another run reads it
                workflow.continue_as_new(
                    SyncState(connection_id=self._state.connection_id, erp=self._state.erp, trigger=SyncTrigger.CHANGED)
                )
        return self._state

    @workflow.signal(name=contract.SYNC_CHANGED)
    def changed(self) -> None:
        """Receive the ERP's report that something changed: the present plan may miss it."""
        self._state.changed = True

    @workflow.signal(name=contract.SYNC_WAITS)
    def waits(self, waits: SyncWaits) -> None:
        """Receive why the present reading does not succeed: it is tried again until it does."""
        shown = self._waits is not None and self._waits.code == waits.code
        self._waits = waits
        if not shown:
            workflow.upsert_search_attributes([contract.ISSUE_CODE.value_set(waits.code)])
        self._show(self._doing)

    def _can_read(self) -> None:
        if self._waits is not None:
            self._waits = None
            workflow.upsert_search_attributes([contract.ISSUE_CODE.value_unset()])

    async def _read_all(self) -> None:
        if self._state.plan is None:
            self._state.changed = False  # what was reported until now is in this plan
            await self._plan()
        while self._state.stream is not None:
            await self._read_page(self._state.stream)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._state)
        await self._notify_orders()
        await self._check_setup()

    @workflow.query
    def progress(self) -> SyncProgress:
        """Return how far the run is."""
        return SyncProgress(
            run_id=self._state.run_id,
            stream=self._state.stream,
            done=self._done(),
            plan=list(self._state.plan or []),
            counts=dict(self._state.counts),
            started_at=self._started_at,
            waits=self._waits,
        )

    async def _plan(self) -> None:
        self._show("finding out what changed")
        plan = await workflow.execute_activity_method(
            SyncActivities.plan_sync,
            StartSyncRun(
                connection_id=self._state.connection_id,
                trigger=self._state.trigger,
                workflow_run_id=self._state.workflow_run_id or workflow.info().run_id,
            ),
            **policies.sync_read(self._state.connection_id, self._state.erp, "what changed since the last run?"),
        )
        self._can_read()
        self._state.workflow_run_id = self._state.workflow_run_id or workflow.info().run_id
        self._state.run_id = plan.run_id
        self._state.window = plan.window
        self._state.check_setup = self._state.check_setup or plan.check_setup
        self._state.plan = plan.streams
        self._state.stream = plan.streams[0] if plan.streams else None

    async def _read_page(self, stream: Stream) -> None:
        assert self._state.run_id is not None, "the plan opened the run"
        words = stream.value.replace("_", " ")
        page_no = self._state.counts.get(f"{stream}.pages", 0) + 1
        self._show(f"reading {words}, page {page_no}")
        done = await workflow.execute_activity_method(
            SyncActivities.sync_page,
            SyncPage(
                connection_id=self._state.connection_id,
                run_id=self._state.run_id,
                stream=stream,
                after=self._state.after,
                high_water=self._state.high_water,
                read_at=self._state.read_at,
                window=self._state.window,
            ),
            **policies.sync_read(self._state.connection_id, self._state.erp, f"{words}, page {page_no}"),
        )
        self._can_read()
        self._count(f"{stream}.pages", 1)
        self._count(f"{stream}.seen", done.seen)
        self._count(f"{stream}.changed", done.changed)
        self._count(f"{stream}.skipped", done.skipped)
        self._count(f"{stream}.bad", done.bad)
        self._state.after = done.after
        self._state.high_water = done.high_water
        self._state.read_at = done.read_at
        if done.after is None:
            self._next_stream(stream)

    def _next_stream(self, stream: Stream) -> None:
        plan = self._state.plan or []
        position = plan.index(stream) + 1
        self._state.stream = plan[position] if position < len(plan) else None
        self._state.after = None
        self._state.high_water = None
        self._state.read_at = None

    def _done(self) -> list[Stream]:
        plan = self._state.plan or []
        return plan if self._state.stream is None else plan[: plan.index(self._state.stream)]

    async def _notify_orders(self) -> None:
        """Notify the workflows of changed orders; the mirror already holds the change."""
        assert self._state.run_id is not None, "the plan opened the run"
        more = True
        while more:
            self._show("notifying the changed orders' workflows")
            notified = await workflow.execute_activity_method(
                NotifyActivities.notify_changed_orders,
                NotifyChangedOrders(connection_id=self._state.connection_id, run_id=self._state.run_id),
                **policies.notify("notify the workflows of changed orders"),
            )
            self._count("notified", notified.notified)
            more = notified.more

    async def _check_setup(self) -> None:
        """Check once a day how the ERP is set up. A check that cannot be made stops nothing: the next run makes it."""
        if not self._state.check_setup:
            return
        self._state.check_setup = False
        self._show("checking how the ERP is set up")
        try:
            await workflow.execute_activity_method(
                SetupCheckActivities.check_setup,
                CheckSetup(connection_id=self._state.connection_id),
                **policies.setup_checks(self._state.connection_id, self._state.erp),
            )
        except ActivityError as error:
            workflow.logger.warning("The set-up could not be checked: %s", details_of(error).message)

    async def _fail(self, failure: FailureDetails) -> None:
        """End the run: the ERP refused to be read, so a person must act. The next run continues from the cursors."""
        await workflow.execute_local_activity_method(
            MirrorActivities.open_issue,
            OpenIssue(
                connection_id=self._state.connection_id,
                subject_kind=IssueSubject.CONNECTION,
                subject_id=self._state.connection_id,
                code=failure.code,
                message=failure.message,
                erp_code=failure.erp_code,
                evidence=failure.evidence,
                title=f"sync of {self._state.stream or 'the connection'}",
            ),
            **policies.decide(f"open issue {failure.code}"),
        )
        workflow.upsert_search_attributes([contract.ISSUE_CODE.value_set(failure.code)])
        await self._finish(SyncRunState.FAILED, failure)

    async def _finish(self, state: SyncRunState, failure: FailureDetails | None) -> None:
        await workflow.execute_local_activity_method(
            NotifyActivities.finish_sync_run,
            FinishSyncRun(
                connection_id=self._state.connection_id,
                run_id=self._state.run_id,
                workflow_run_id=workflow.info().run_id,
                state=state,
                counts=self._state.counts,
                problem_code=failure.code if failure else None,
                problem_message=failure.message if failure else None,
            ),
            **policies.decide(f"the run is {state}"),
        )
        workflow.upsert_search_attributes([contract.STATUS.value_set(state)])
        self._show("nothing: the run is " + state)

    def _count(self, name: str, by: int) -> None:
        if by:
            self._state.counts[name] = self._state.counts.get(name, 0) + by

    def _show(self, doing: str) -> None:
        self._doing = doing
        lines = [f"**Sync of {self._state.connection_id}** ({self._state.trigger})", "", f"Now: {doing}", ""]
        if self._waits is not None:
            since = f"{self._waits.since:%Y-%m-%d %H:%M} UTC"
            lines += [f"**Cannot read since {since}**: {self._waits.message} ({self._waits.code})", ""]
            lines += ["It is tried again by itself, every two minutes at most, and goes on where it stopped.", ""]
        for stream in self._state.plan or []:
            seen = self._state.counts.get(f"{stream}.seen", 0)
            changed = self._state.counts.get(f"{stream}.changed", 0)
            lines.append(f"- {stream.value.replace('_', ' ')}: {seen} read, {changed} changed")
        lines.append(f"- orders notified: {self._state.counts.get('notified', 0)}")
        workflow.set_current_details("\n".join(lines))


@workflow.defn
class ScheduledSyncWorkflow:
    """The workflow that a Schedule starts: it starts the connection's one sync run, or does nothing while one runs.

    Temporal appends the time to a scheduled workflow's id. The run itself must be `sync/<connection>`, so that a
    scheduled run and "Sync Now" never overlap (S2-56, S2-57); therefore this step lies between the two.
    """

    @workflow.run
    async def run(self, state: SyncState) -> str:
        """Run the sync as a child workflow; return one line that says how it ended."""
        try:
            await workflow.execute_child_workflow(
                SyncWorkflow.run,
                state,
                id=contract.sync_workflow_id(state.connection_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=contract.sync_summary(state.connection_id, state.trigger),
                search_attributes=contract.connection_search_attributes(state.connection_id, state.erp),
            )
        except WorkflowAlreadyStartedError:
            return "a run was under way; it reads the same changes"
        return "the run is over"
