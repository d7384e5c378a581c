"""One bill's life: pushed to the ERP exactly once, its PO link verified, then paid.

    in review after its match? wait until a person decides, or until the order or a receipt settles it
    to be approved, or sent with its first payment? wait for that
    push (key known before the first attempt) ──> read back ──> wait for payment ──> PaymentWorkflow ──> paid
         └── refused, or the link is missing ──> sync issue ──> a person says retry or abandon ──┘

An edit made meanwhile goes to the ERP before the next payment does. A bill that is deleted, disputed or sent back is
taken back from the ERP; sent back, it begins anew. This file is the story and the messages; the steps lie in
`bill_review.py`, `bill_push.py`, `bill_edits.py`, `bill_retraction.py` and `bill_payments.py`. What people decide is
decided by the API, in the mirror; the signals that tell of it are only recorded into the state.

A refusal never fails this workflow: it opens an issue and waits (DESIGN section 4). Every wait ends where the history
has become long: the workflow then continues as new with its whole state.
"""

from temporalio import workflow

from workflows.bill_edits import BillEdits
from workflows.bill_payments import BillPayments
from workflows.bill_push import BillPush
from workflows.bill_retraction import BillRetraction
from workflows.bill_review import BillApproval, MatchReview
from workflows.issue_gate import IssueGate
from workflows.operator_view import OperatorView, bill_details, next_payment

with workflow.unsafe.imports_passed_through():
    from models.domain.bills import BillStatus
    from models.domain.issue_states import IssueSubject
    from models.domain.waits_for import bill_waits_for
    from models.domain.writes import WriteKind
    from models.messages.bills import BillBalance, BillEdited, BillMatched, BillState
    from models.messages.issues import SettleIssue
    from models.messages.payments import PaymentScheduled


@workflow.defn
class BillWorkflow:
    """The workflow of one bill; see the module's text."""

    @workflow.init
    def __init__(self, state: BillState) -> None:
        self._state = state
        self._view = OperatorView(state.status.value, state.issue_code, bill_waits_for(state.status, state.issue_code))
        self._gate = IssueGate(state, IssueSubject.BILL, state.bill_id)
        self._review = MatchReview(state, self._show)
        self._approval = BillApproval(state, self._show)
        self._push = BillPush(state, self._gate, self._show)
        self._edits = BillEdits(state, self._gate, self._show, self._push.notify_order)
        self._retraction = BillRetraction(state, self._gate, self._show)
        self._payments = BillPayments(state, self._note_change)
        self._has_changed = False

    @workflow.run
    async def run(self, state: BillState) -> BillStatus:
        """Run until the bill is done; return its last status."""
        while not self._is_done():
            await self._take_next_step()
            if workflow.info().is_continue_as_new_suggested() and not self._is_done():
                await self._hand_over()
        await self._payments.abandon_unstarted()
        self._show("nothing: the bill is done")
        return self._state.status

    def _is_done(self) -> bool:
        return (
            self._state.status.is_closed
            and not self._gate.is_open
            and not self._edits.is_due
            and self._payments.reported_have_ended
            and workflow.all_handlers_finished()
        )

    async def _take_next_step(self) -> None:
        status = self._state.status
        if self._gate.is_open and self._state.issue_about is WriteKind.BILL_EDIT:
            await self._edits.wait_for_resolution()
        elif self._retraction.is_stopped:
            await self._retraction.wait_for_resolution()
        elif self._gate.is_open:
            await self._push.wait_for_resolution()
        elif status is BillStatus.RETRACTING:
            await self._retraction.take_back()
        elif status in (BillStatus.DISPUTED, BillStatus.DRAFT):
            await self._review.wait_until_it_goes_on()
        elif status.is_in_review:
            await self._review.wait()
            if not self._state.status.is_in_review:
                await self._push.notify_order()
        elif status.is_waiting:
            await self._approval.wait()
            # The order is notified of the end of the push, which follows at once: twice would be ten events more.
            if not self._state.status.is_waiting and self._state.status is not BillStatus.PENDING_PUSH:
                await self._push.notify_order()
        elif status.is_before_erp:
            await self._push.push()
        elif self._edits.is_due:
            await self._edits.push()
        elif self._payments.wait_to_start and not status.is_closed:
            await self._payments.start()
        else:
            await self._wait_for_something_to_do()

    async def _wait_for_something_to_do(self) -> None:
        self._has_changed = False
        self._show(next_payment(self._state))
        await workflow.wait_condition(
            lambda: (
                self._has_changed
                or self._is_done()
                or self._edits.is_due
                or (self._payments.wait_to_start and not self._state.status.is_closed)
                or workflow.info().is_continue_as_new_suggested()
            )
        )

    async def _hand_over(self) -> None:
        """Continue as new with the whole state."""
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() and self._payments.reported_have_ended)
        self._show("its next run")  # which assumes that the state it gets was shown
        workflow.continue_as_new(self._state)

    # --- messages ---------------------------------------------------------------------------------------------

    @workflow.signal
    def payment_scheduled(self, scheduled: PaymentScheduled) -> None:
        """A payment of this bill was scheduled. It is sent once the ERP holds the bill. Told twice is told once."""
        self._payments.add(scheduled)
        self._edits.take(scheduled.edition)
        self._approval.take_payment(scheduled.bill)
        if not scheduled.bill.status.is_before_erp:
            self.bill_changed(scheduled.bill)
        self._note_change()

    @workflow.signal
    def bill_matched(self, matched: BillMatched) -> None:
        """The bill was matched again, or a person decided on what its match found, or on its approval."""
        self._review.take_match(matched)

    @workflow.signal
    def bill_changed(self, now: BillBalance) -> None:
        """Receive what is now paid and due: it changed in the ERP, or a payment of ours reports its end.

        Messages arrive in any order and more than once; one that is older than the known version changes nothing.
        """
        state = self._state
        for payment in state.payments:
            payment.done = payment.done or payment.payment_id == now.payment_id
        self._note_change()
        if 0 < now.version < state.seen_version:
            return
        state.seen_version = max(state.seen_version, now.version)
        if not state.status.is_before_erp or now.status.is_closed or now.status is BillStatus.RETRACTING:
            state.status = now.status
        state.paid = now.paid
        state.due = now.due
        self._retraction.take_change(now)

    @workflow.signal
    def bill_edited(self, edited: BillEdited) -> None:
        """Receive an edit that the mirror holds and the ERP does not; one that was tried is not requested again."""
        self._edits.take(edited.edition)

    @workflow.signal
    def order_moved(self, why: str) -> None:
        """Receive a change of the order or a receipt; what the ERP refused for lack of it is tried again (S4-70)."""
        self._state.order_moved = why

    @workflow.signal
    def turn_came(self) -> None:
        """Note that the bill before this one on the order is done; the database still decides whose turn it is."""
        self._push.turn_came()

    @workflow.signal
    def settle_issue(self, resolution: SettleIssue) -> None:
        """Receive a person's resolution of the open issue."""
        self._gate.take_decision(resolution)

    @workflow.query
    def state(self) -> BillState:
        """Return the workflow's whole state."""
        return self._state

    def _note_change(self) -> None:
        self._has_changed = True

    def _show(self, waiting_for: str) -> None:
        state = self._state
        self._view.show(
            bill_details(state, waiting_for, editing=self._edits.is_under_way),
            status=state.status.value,
            issue_code=state.issue_code,
            waits_for=bill_waits_for(state.status, state.issue_code),
        )
