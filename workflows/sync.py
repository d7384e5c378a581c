"""One sync run over one connection: what changed in the ERP into the mirror, then the changed orders' workflows woken.

    plan (one call: what is new?) ──> page by page, stream by stream ──> wake ──> done

Scheduled runs and "Sync Now" share one workflow id, so two never overlap (S2-56, S2-57). The run survives an outage: a
page is tried until the ERP is back, and goes on where it stopped.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.failures import FailureDetails, details_of
    from activities.mirror import MirrorActivities
    from activities.sync import SyncActivities
    from activities.waking import WakingActivities
    from models.domain import Stream
    from models.messages import (
        FinishSyncRun,
        OpenIssue,
        StartSyncRun,
        SyncPage,
        SyncProgress,
        SyncState,
        WakePurchaseOrders,
    )
    from workflows import contract, policies


@workflow.defn
class SyncWorkflow:
    """See the module's text."""

    @workflow.init
    def __init__(self, state: SyncState) -> None:
        self._state = state
        self._started_at = workflow.now()

    @workflow.run
    async def run(self, state: SyncState) -> SyncState:
        try:
            if self._state.plan is None:
                await self._plan()
            while self._state.stream is not None:
                await self._read_page(self._state.stream)
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(self._state)
            await self._wake()
        except ActivityError as error:
            await self._give_up(details_of(error))
        else:
            await self._finish("completed", None)
        return self._state

    @workflow.query
    def progress(self) -> SyncProgress:
        return SyncProgress(
            run_id=self._state.run_id,
            stream=self._state.stream,
            done=self._done(),
            plan=list(self._state.plan or []),
            counts=dict(self._state.counts),
            started_at=self._started_at,
        )

    async def _plan(self) -> None:
        self._show("finding out what is new")
        plan = await workflow.execute_activity_method(
            SyncActivities.plan_sync,
            StartSyncRun(
                connection_id=self._state.connection_id,
                trigger=self._state.trigger,
                workflow_run_id=workflow.info().run_id,
            ),
            **policies.sync_read(
                self._state.connection_id, contract.erp_task_queue(self._state.erp), "what changed since the last run?"
            ),
        )
        self._state.run_id = plan.run_id
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
            ),
            **policies.sync_read(
                self._state.connection_id, contract.erp_task_queue(self._state.erp), f"{words}, page {page_no}"
            ),
        )
        self._count(f"{stream}.pages", 1)
        self._count(f"{stream}.seen", done.seen)
        self._count(f"{stream}.changed", done.changed)
        self._count(f"{stream}.skipped", done.skipped)
        self._count(f"{stream}.bad", done.bad)
        self._state.after = done.after
        self._state.high_water = done.high_water
        if done.after is None:
            self._next_stream(stream)

    def _next_stream(self, stream: Stream) -> None:
        plan = self._state.plan or []
        position = plan.index(stream) + 1
        self._state.stream = plan[position] if position < len(plan) else None
        self._state.after = None
        self._state.high_water = None

    def _done(self) -> list[Stream]:
        plan = self._state.plan or []
        return plan if self._state.stream is None else plan[: plan.index(self._state.stream)]

    async def _wake(self) -> None:
        """Tell the workflows of changed orders; the mirror already holds the change."""
        assert self._state.run_id is not None, "the plan opened the run"
        more = True
        while more:
            self._show("waking the changed orders' workflows")
            woken = await workflow.execute_activity_method(
                WakingActivities.wake_purchase_orders,
                WakePurchaseOrders(connection_id=self._state.connection_id, run_id=self._state.run_id),
                **policies.wake("wake the workflows of changed orders"),
            )
            self._count("woken", woken.woken)
            more = woken.more

    async def _give_up(self, failure: FailureDetails) -> None:
        """The ERP refused to be read: a person must act. The next run goes on from the cursors."""
        await workflow.execute_local_activity_method(
            MirrorActivities.open_issue,
            OpenIssue(
                connection_id=self._state.connection_id,
                subject_kind="connection",
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
        await self._finish("failed", failure)

    async def _finish(self, state: str, failure: FailureDetails | None) -> None:
        await workflow.execute_local_activity_method(
            WakingActivities.finish_sync_run,
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
        lines = [f"**Sync of {self._state.connection_id}** ({self._state.trigger})", "", f"Now: {doing}", ""]
        for stream in self._state.plan or []:
            seen = self._state.counts.get(f"{stream}.seen", 0)
            changed = self._state.counts.get(f"{stream}.changed", 0)
            lines.append(f"- {stream.value.replace('_', ' ')}: {seen} read, {changed} changed")
        lines.append(f"- orders woken: {self._state.counts.get('woken', 0)}")
        workflow.set_current_details("\n".join(lines))


@workflow.defn
class ScheduledSyncWorkflow:
    """What a Schedule starts: the connection's one sync run, or nothing while one is under way.

    Temporal appends the time to a scheduled workflow's id. The run itself must be `sync/<connection>`, so that a
    scheduled run and "Sync Now" never overlap (S2-56, S2-57); hence this step between the two.
    """

    @workflow.run
    async def run(self, state: SyncState) -> str:
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
