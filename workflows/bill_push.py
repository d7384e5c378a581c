"""Push a bill to the ERP exactly once, and handle a refusal or a missing PO link."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from models import contract
from workflows import policies
from workflows.issue_gate import IssueGate

with workflow.unsafe.imports_passed_through():
    from activities.database import MirrorActivities
    from activities.erp import ErpActivities
    from activities.failures import FailureDetails, details_of
    from models.domain.bill_parts import PartState
    from models.domain.bills import BillStatus
    from models.domain.ids import SYNCER
    from models.domain.issue_states import IssueDecision, IssueState
    from models.domain.writes import WriteKind
    from models.messages.bills import BillPushResult, BillState, PushBill
    from models.messages.issues import SettleIssue
    from models.messages.orders import BillPushed
    from models.messages.writes import AbandonWrite

PART_DELETED = "BILL_PART_DELETED"
"""Somebody deleted a part of the bill in the ERP: a retry makes it again."""

HEALED_BY_THE_ORDER = (
    "NOT_RECEIVED",
    "RECEIVED_BY_ITEM_RECEIPT",
    "ALREADY_CONVERTED",
    "MORE_THAN_ORDERED",
    "ORDER_LINE_GONE",
    "ORDER_LINE_WITHOUT_QUANTITY",
    "ORDER_NOT_FOUND",
    "VENDOR_DIFFERS",
    "CURRENCY_REFUSED",
    "LINK_REFUSED",
    "VALUE_REFUSED",
    "COMPANY_RULE_REFUSED",
)
"""Refusals of the ERP that pass, or may pass, when the order or a receipt of it changes: the bill is then tried again
by itself. It is matched again first, so that it goes on hold where the order as it is now is the reason."""


def link_missing(state: BillState, document_id: str) -> FailureDetails:
    """Return the failure of a bill that the ERP holds without a link to its order."""
    return FailureDetails(
        family="LinkMissing",
        code="LINK_MISSING",
        message=f"{document_id} is in the ERP, but not linked to {state.order_number}.",
        evidence={"document": document_id, "order": state.order_number},
    )


def content_conflict(result: BillPushResult) -> FailureDetails:
    """Return the failure of a bill that the ERP holds with other content."""
    return FailureDetails(
        family="ContentConflict",
        code="CONTENT_CONFLICT",
        message=f"{result.document_id} differs from the bill: {'; '.join(result.differences)}.",
        evidence={"document": result.document_id, "differences": "; ".join(result.differences)},
    )


class BillPush:
    """Pushes the bill, and waits behind an issue when the ERP refused it."""

    def __init__(self, state: BillState, gate: IssueGate, show: Callable[[str], None]) -> None:
        self._state = state
        self._gate = gate
        self._show = show
        self._turn_came = False

    def turn_came(self) -> None:
        """Note that the write before this one on the order is done, or is about to be."""
        self._turn_came = True

    async def push(self) -> None:
        """Send the bill and take the result."""
        state = self._state
        state.order_moved = state.corrected_by = ""
        self._turn_came = False
        self._show("the ERP to take the bill")
        try:
            result = await workflow.execute_activity_method(
                ErpActivities.push_bill,
                PushBill(
                    connection_id=state.connection_id,
                    bill_id=state.bill_id,
                    remake_parts=state.remake_parts,
                ),
                **policies.erp_write(state.connection_id, state.erp, self._summary()),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            self._note_refused_part()
            await self._open_issue(details_of(error))
        else:
            if result.waits_for:
                await self._wait_for_turn(result.waits_for)
            else:
                await self._take_result(result)

    def _summary(self) -> str:
        state = self._state
        for part in state.parts:
            if part.state is not PartState.IN_ERP:
                return f"push part {part.part_no} of {len(state.parts)} of bill {state.number}, from {part.source}"
        if not state.order_number:
            return f"push bill {state.number}, which has no order, and read it back"
        return f"push bill {state.number} and verify its link to {state.order_number}"

    def _note_refused_part(self) -> None:
        """Show which part was stopped: the first one that the ERP does not hold."""
        state = self._state
        state.remake_parts = False
        for place, part in enumerate(state.parts):
            if part.state is PartState.PLANNED:
                state.parts[place] = part.model_copy(update={"state": PartState.REFUSED})
                return

    async def _wait_for_turn(self, goes_first: str) -> None:
        """Wait until the write before this one notifies us.

        One that was stopped notifies nobody, so ask again after a time.
        """
        state = self._state
        self._show(f"its turn: {goes_first} goes to the ERP first")
        try:
            await workflow.wait_condition(
                lambda: (
                    self._turn_came
                    or not state.status.is_being_pushed
                    or workflow.info().is_continue_as_new_suggested()
                ),
                timeout=policies.TURN_ASKED_AFTER,
                timeout_summary=f"ask again whether {goes_first} is done",
            )
        except TimeoutError:
            return  # the next attempt asks
        if state.status.is_closed:  # abandoned meanwhile; the order may not be notified yet
            await self.notify_order()

    async def _take_result(self, result: BillPushResult) -> None:
        state = self._state
        if result.status.is_void:  # unlinked, abandoned or deleted meanwhile; the order may not be notified yet
            state.status = result.status
            await self.notify_order()
            return
        if result.status.is_waiting or result.status.takes_nothing:  # held again while it waited to be sent
            if result.version >= state.version:
                state.version = result.version
                state.status = result.status
                if result.needs:  # earlier results had none
                    state.needs, state.because = result.needs, result.because
            return
        state.parts, state.remake_parts = result.parts, False
        if result.more_parts:  # the next step sends the next one
            return
        state.document_id = result.document_id
        if result.status is BillStatus.LINK_MISSING:
            await self._open_issue(link_missing(state, result.document_id))
        elif result.status is BillStatus.SYNC_ISSUE:
            await self._open_issue(content_conflict(result))
        elif state.status.is_being_pushed:
            promised = any(not payment.done for payment in state.payments)
            state.status = BillStatus.SCHEDULED if promised else BillStatus.SYNCED

    async def _open_issue(self, failure: FailureDetails) -> None:
        state = self._state
        state.issue_about = WriteKind.BILL
        if not await self._gate.open(failure, title=state.number):
            return
        if not state.status.takes_nothing:  # abandoned while the issue was being opened
            state.status = BillStatus.LINK_MISSING if failure.code == "LINK_MISSING" else BillStatus.SYNC_ISSUE
            await self.notify_order()

    async def wait_for_resolution(self) -> None:
        """Wait behind the open issue and carry out its resolution. What the ERP may hold is not abandoned here."""
        state = self._state
        self._show(f"a person: {self._gate.waits_for}: {state.issue_message}")
        if not await self._gate.wait_for_resolution(until=self._is_over, settled_by=self._healed):
            return
        resolution = self._gate.resolution(self._healed)
        if self._is_over():
            await self._gate.settle(IssueState.RESOLVED, None)
        elif resolution is not None and resolution.decision is IssueDecision.ABANDON:
            abandoned = await workflow.execute_local_activity_method(
                MirrorActivities.abandon_write,
                AbandonWrite(
                    subject_kind=WriteKind.BILL, subject_id=state.bill_id, actor=resolution.actor, why=resolution.why
                ),
                **policies.decide("give the bill up and free its quantities"),
            )
            await self._gate.settle(IssueState.ABANDONED if abandoned.done else IssueState.RESOLVED, resolution)
            if abandoned.done:
                state.status = BillStatus.ABANDONED
                await self.notify_order()
            elif abandoned.bill is not None:  # the ERP holds some of its parts, which are taken back now
                state.status = abandoned.bill.status
        else:
            remake_parts = state.issue_code == PART_DELETED
            if await self._gate.settle(IssueState.RESOLVED, resolution):
                state.remake_parts = remake_parts

    def _is_over(self) -> bool:
        """Return whether a person decided on the bill itself meanwhile: it takes nothing, or is taken back."""
        return self._state.status.takes_nothing or self._state.status is BillStatus.RETRACTING

    def _healed(self) -> SettleIssue | None:
        """Return the retry that a correction of the bill stands for, or a change of the order that heals the refusal
        (S4-70)."""
        state = self._state
        if state.issue is None:
            return None
        if state.corrected_by:
            return SettleIssue(
                issue_id=state.issue,
                decision=IssueDecision.RETRY,
                actor=state.corrected_by,
                why="the bill was corrected",
            )
        if not state.order_moved or state.issue_code not in HEALED_BY_THE_ORDER:
            return None
        return SettleIssue(issue_id=state.issue, decision=IssueDecision.RETRY, actor=SYNCER, why=state.order_moved)

    async def notify_order(self, status: BillStatus | None = None) -> None:
        """Notify the order's workflow of the bill's status, its own unless another is given; an order whose workflow
        has ended needs no message."""
        state = self._state
        if not state.order_workflow_id:
            return
        order = workflow.get_external_workflow_handle(state.order_workflow_id)
        try:
            await order.signal(
                contract.BILL_PUSHED, BillPushed(bill_id=state.bill_id, status=status or state.status, confirmed=False)
            )
        except ApplicationError:
            workflow.logger.info("order %s has no open workflow", state.order_number)
