"""Bring in older orders that somebody asked for, page by page, then notify their workflows.

    page by page (each counted with what it stored) ──> notify ──> done

It runs beside the connection's syncs and moves no cursor of theirs. An outage only makes it wait.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from models import contract
from workflows import policies

with workflow.unsafe.imports_passed_through():
    from activities.backfill import BackfillActivities, BackfillRecords
    from activities.failures import FailureDetails, details_of
    from activities.notify import NotifyActivities
    from models.domain.backfills import BackfillState
    from models.domain.ids import SyncRunId
    from models.messages.backfills import BackfillPage, BackfillRun, FinishBackfill
    from models.messages.sync import NotifyChangedOrders

PAGES_PER_RUN = 200
"""After so many pages the workflow continues as a new run, so that no history grows with the number of orders."""


@workflow.defn
class BackfillWorkflow:
    """The workflow of one backfill; see the module's text."""

    @workflow.init
    def __init__(self, state: BackfillRun) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: BackfillRun) -> BackfillRun:
        """Read every page, notify the orders' workflows, and close the backfill's record."""
        try:
            first = self._state.page_no
            while not self._state.all_read:
                if await self._read_page():
                    break
                full = self._state.page_no - first >= PAGES_PER_RUN
                if full or workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(self._state)
            await self._notify_orders()
        except ActivityError as error:
            await self._finish(BackfillState.FAILED, details_of(error))
        else:
            await self._finish(BackfillState.COMPLETED, None)
        return self._state

    @workflow.signal(name=contract.BACKFILL_ASKED)
    def asked(self) -> None:
        """Receive that somebody asked for this backfill: it runs already."""

    @workflow.query
    def progress(self) -> BackfillRun:
        """Return how far it is."""
        return self._state

    async def _read_page(self) -> bool:
        """Read the next page; return whether it was the last one."""
        page_no = self._state.page_no
        self._show(f"reading purchase orders, page {page_no + 1}")
        done = await workflow.execute_activity_method(
            BackfillActivities.backfill_page,
            BackfillPage(
                connection_id=self._state.connection_id,
                backfill_id=self._state.backfill_id,
                page_no=page_no,
                after=self._state.after,
            ),
            **policies.sync_read(self._state.connection_id, self._state.erp, f"older orders, page {page_no + 1}"),
        )
        self._state.page_no += 1
        self._state.after = done.after
        self._state.all_read = done.after is None
        self._state.counts = done.counts
        return self._state.all_read

    async def _notify_orders(self) -> None:
        more = True
        while more:
            self._show("notifying the orders' workflows")
            notified = await workflow.execute_activity_method(
                NotifyActivities.notify_changed_orders,
                NotifyChangedOrders(connection_id=self._state.connection_id, run_id=SyncRunId(self._state.backfill_id)),
                **policies.notify("notify the workflows of orders that came in"),
            )
            more = notified.more

    async def _finish(self, state: BackfillState, failure: FailureDetails | None) -> None:
        await workflow.execute_activity_method(
            BackfillRecords.finish_backfill,
            FinishBackfill(
                backfill_id=self._state.backfill_id,
                state=state,
                problem_code=failure.code if failure else None,
                problem_message=failure.message if failure else None,
            ),
            **policies.notify(f"the backfill is {state}"),
        )
        workflow.upsert_search_attributes([contract.STATUS.value_set(state)])
        self._show("nothing: the backfill is " + state)

    def _show(self, doing: str) -> None:
        lines = [f"**Backfill of {self._state.connection_id}**", "", f"Now: {doing}", ""]
        lines += [f"- {name.replace('_', ' ')}: {count}" for name, count in self._state.counts.items()]
        workflow.set_current_details("\n".join(lines))
