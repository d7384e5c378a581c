"""Take the bill back from the ERP when a person deletes it, disputes it or sends it back."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import policies
from workflows.issue_gate import IssueGate

with workflow.unsafe.imports_passed_through():
    from activities.database import MirrorActivities
    from activities.failures import details_of
    from activities.retraction import RetractionActivities
    from models.domain.bills import BillStatus
    from models.domain.ids import SYNCER
    from models.domain.issue_states import IssueDecision, IssueState
    from models.domain.writes import WriteKind
    from models.messages.bills import BillBalance, BillMatched, BillState, RetractBill
    from models.messages.issues import SettleIssue
    from models.messages.writes import AbandonWrite


class BillRetraction:
    """Takes the bill back; a refusal waits behind an issue, and the bill stays in the ERP meanwhile."""

    def __init__(self, state: BillState, gate: IssueGate, show: Callable[[str], None]) -> None:
        self._state = state
        self._gate = gate
        self._show = show

    @property
    def is_stopped(self) -> bool:
        """Return whether the open issue stops the retraction."""
        return self._gate.is_open and self._state.issue_about is WriteKind.BILL_RETRACTION

    def take_change(self, now: BillBalance) -> None:
        """Note that the bill changed in the ERP: what stood in the way may be gone, and the bill as well."""
        if self.is_stopped and now.status is BillStatus.RETRACTING:
            self._state.changed_in_erp = True

    async def take_back(self) -> None:
        """Have the ERP give the bill back."""
        state = self._state
        state.changed_in_erp = False
        self._show("the ERP to give the bill back")
        try:
            now = await workflow.execute_activity_method(
                RetractionActivities.retract_bill,
                RetractBill(connection_id=state.connection_id, bill_id=state.bill_id),
                **policies.erp_write(
                    state.connection_id, state.erp, f"take bill {state.number} back from {state.order_number}"
                ),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            state.issue_about = WriteKind.BILL_RETRACTION
            await self._gate.open(details_of(error), title=f"retraction of {state.number}", keeps_status=True)
        else:
            self._take_end(now)

    def _take_end(self, now: BillMatched) -> None:
        state = self._state
        state.status = now.status
        state.version = max(state.version, now.version)
        state.seen_version = max(state.seen_version, now.version)
        state.needs, state.because = now.needs, now.because
        state.document_id, state.paid, state.due = None, "0", state.total
        state.edit_requested_version = state.edit_sent_version = 0
        state.parts = []

    async def wait_for_resolution(self) -> None:
        """Wait behind the open issue and carry out its resolution; a change in the ERP stands for a retry."""
        state = self._state
        self._show(f"a person: {self._gate.waits_for} of the retraction: {state.issue_message}")
        if not await self._gate.wait_for_resolution(
            until=lambda: state.status is not BillStatus.RETRACTING, settled_by=self._healed
        ):
            return
        resolution = self._gate.resolution(self._healed)
        if resolution is None or resolution.decision is IssueDecision.RETRY:
            await self._gate.settle(IssueState.RESOLVED, resolution)
            return
        abandoned = await workflow.execute_local_activity_method(
            MirrorActivities.abandon_write,
            AbandonWrite(
                subject_kind=WriteKind.BILL_RETRACTION,
                subject_id=state.bill_id,
                actor=resolution.actor,
                why=resolution.why,
            ),
            **policies.decide("leave the bill in the ERP"),
        )
        await self._gate.settle(IssueState.ABANDONED if abandoned.done else IssueState.RESOLVED, resolution)
        if abandoned.bill is not None:
            state.status, state.seen_version = abandoned.bill.status, abandoned.bill.version
            state.paid, state.due = abandoned.bill.paid, abandoned.bill.due
            # Parts that were taken back before the refusal are made again: the bill stays in the ERP, all of it.
            state.remake_parts = state.status is BillStatus.SYNC_ISSUE

    def _healed(self) -> SettleIssue | None:
        state = self._state
        if state.issue is None or not state.changed_in_erp:
            return None
        return SettleIssue(
            issue_id=state.issue, decision=IssueDecision.RETRY, actor=SYNCER, why="the bill changed in the ERP"
        )
