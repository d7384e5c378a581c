"""Push edits of a bill that the ERP holds: the newest one goes there before the next payment does."""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import policies
from workflows.bill_push import content_conflict, link_missing
from workflows.issue_gate import IssueGate

with workflow.unsafe.imports_passed_through():
    from activities.bill_edits import BillEditActivities
    from activities.database import MirrorActivities
    from activities.failures import FailureDetails, details_of
    from models.domain.bills import BillStatus
    from models.domain.ids import SYNCER
    from models.domain.issue_states import IssueDecision, IssueState
    from models.domain.writes import WriteKind
    from models.messages.bills import BillPushResult, BillState, PushBill
    from models.messages.writes import AbandonWrite


class BillEdits:
    """Pushes edits; a refused one waits behind an issue, and payments wait behind it."""

    def __init__(
        self,
        state: BillState,
        gate: IssueGate,
        show: Callable[[str], None],
        notify_order: Callable[[BillStatus], Awaitable[None]],
    ) -> None:
        self._notify_order = notify_order
        self._state = state
        self._gate = gate
        self._show = show
        self._pushing = False

    def take(self, edition: int) -> None:
        """Note an edit that the mirror holds and the ERP does not. One that was tried is not requested again."""
        self._state.edit_requested_version = max(self._state.edit_requested_version, edition)

    @property
    def is_due(self) -> bool:
        """Return whether an edit is to be sent."""
        return self._state.edit_requested_version > self._state.edit_sent_version

    @property
    def is_under_way(self) -> bool:
        """Return whether an edit is due, being sent, or stopped behind an issue."""
        return self.is_due or self._pushing or (self._gate.is_open and self._state.issue_about is WriteKind.BILL_EDIT)

    async def push(self) -> None:
        """Send the newest edit to the ERP; on a closed bill, abandon it."""
        state = self._state
        edition = state.edit_sent_version = state.edit_requested_version
        if state.status.is_closed:
            await self._abandon(edition, SYNCER, self._closed(), in_doubt=False)
            return
        self._pushing = True
        self._show("the ERP to take the edit")
        try:
            result = await workflow.execute_activity_method(
                BillEditActivities.push_bill_edit,
                PushBill(
                    connection_id=state.connection_id,
                    bill_id=state.bill_id,
                ),
                **policies.erp_write(
                    state.connection_id,
                    state.erp,
                    f"bring the edit of bill {state.number} to the ERP and verify it",
                ),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            failure = details_of(error)
            await self._open_issue(failure, in_doubt=not failure.nothing_was_done)
        else:
            if result.status.is_void:  # deleted in the ERP meanwhile
                state.status, state.edit_sent_version = result.status, 0
            elif result.status is not BillStatus.SYNCED:
                await self._open_issue(self._not_as_edited(result), in_doubt=True)
            elif result.released:  # the order is read until it shows what the draft did not bill
                await self._notify_order(BillStatus.SYNCED)
        self._pushing = False

    def _not_as_edited(self, result: BillPushResult) -> FailureDetails:
        if result.status is BillStatus.LINK_MISSING:
            return link_missing(self._state, result.document_id)
        return content_conflict(result)

    async def _open_issue(self, failure: FailureDetails, *, in_doubt: bool) -> None:
        state = self._state
        state.issue_about = WriteKind.BILL_EDIT
        state.edit_in_doubt = in_doubt
        if not await self._gate.open(failure, title=f"edit of {state.number}", keeps_status=True):
            state.edit_sent_version = 0

    async def wait_for_resolution(self) -> None:
        """Wait behind the open issue and carry out its resolution. Only the edit waits; the bill itself is not stopped.

        A bill that was edited again, or was paid or deleted in the ERP, settles the issue too.
        """
        state = self._state
        self._show(f"a person: {self._gate.waits_for} of the edit: {state.issue_message}")
        if not await self._gate.wait_for_resolution(until=lambda: self.is_due or state.status.is_closed):
            return
        resolution = self._gate.resolution()
        if resolution is not None and resolution.decision is IssueDecision.ABANDON:
            done = await self._abandon(
                state.edit_sent_version, resolution.actor, resolution.why, in_doubt=state.edit_in_doubt
            )
            await self._gate.settle(IssueState.ABANDONED if done else IssueState.RESOLVED, resolution)
        elif state.status.is_closed:
            await self._abandon(state.edit_sent_version, SYNCER, self._closed(), in_doubt=state.edit_in_doubt)
            await self._gate.settle(IssueState.RESOLVED, resolution)
        elif await self._gate.settle(IssueState.RESOLVED, resolution):
            state.edit_sent_version = 0

    def _closed(self) -> str:
        return f"the bill is {self._state.status.value}"

    async def _abandon(self, edition: int, actor: str, why: str, *, in_doubt: bool) -> bool:
        abandoned = await workflow.execute_local_activity_method(
            MirrorActivities.abandon_write,
            AbandonWrite(
                subject_kind=WriteKind.BILL_EDIT,
                subject_id=self._state.bill_id,
                actor=actor,
                why=why,
                edition=edition,
                in_doubt=in_doubt,
            ),
            **policies.decide("give the edit up"),
        )
        self.take(abandoned.edition)
        return abandoned.done
