"""Keep a bill that must not be sent yet: findings of its match wait for a person, it is to be approved, or it goes out
with its first payment."""

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.domain.bills import BillStatus
    from models.messages.bills import BillBalance, BillMatched, BillState, CorrectedBill


class MatchReview:
    """Waits until the findings are acknowledged, released, settled by a change, or the bill is abandoned."""

    def __init__(self, state: BillState, show: Callable[[str], None]) -> None:
        self._state = state
        self._show = show
        self._matched = False

    def take_match(self, matched: BillMatched) -> None:
        """Use a newer match or decision, in whichever order the messages arrive."""
        state = self._state
        if matched.version <= state.version or not state.status.is_before_erp:
            return
        state.version = matched.version
        if matched.corrected is not None:
            self._take_correction(matched.corrected)
        state.needs = matched.needs
        state.because = matched.because
        if state.status.is_waiting or state.status.takes_nothing or matched.status.takes_nothing:
            state.status = matched.status
        self._matched = True

    def _take_correction(self, bill: CorrectedBill) -> None:
        state = self._state
        state.purchase_order_id = bill.purchase_order_id
        state.order_number, state.order_workflow_id = bill.order_number, bill.order_workflow_id
        state.vendor, state.number, state.total = bill.vendor, bill.number, bill.total
        state.corrected_by = bill.by

    async def wait_until_it_goes_on(self) -> None:
        """Wait until a person restores the disputed bill, puts the draft on an order, or abandons it, or the workflow
        should continue as new."""
        status_before = self._state.status
        if status_before is BillStatus.DRAFT:
            self._show("a person to put it on an order, or to abandon it")
        else:
            self._show("a person to settle the dispute: restore the bill, or abandon it")
        await workflow.wait_condition(
            lambda: self._state.status is not status_before or workflow.info().is_continue_as_new_suggested()
        )

    async def wait(self) -> None:
        """Show the findings and wait for a decision or a new match, or until the workflow should continue as new."""
        state = self._state
        status_before = state.status
        state.issue_code = state.needs[0] if state.needs else None
        findings = ", ".join(state.needs)
        if status_before is BillStatus.ON_HOLD:
            self._show(f"a person to release the hold, or a change that settles it: {findings}")
        else:
            self._show(f"a person to acknowledge the warning, or a change that settles it: {findings}")
        self._matched = False
        await workflow.wait_condition(
            lambda: self._matched or state.status is not status_before or workflow.info().is_continue_as_new_suggested()
        )
        if not state.status.is_in_review:
            state.issue_code = None


class BillApproval:
    """Waits until the bill may go out, is abandoned, or its match needs a person again.

    People decide in the mirror. `MatchReview`, which knows the bill's version, takes the messages that tell of it.
    """

    def __init__(self, state: BillState, show: Callable[[str], None]) -> None:
        self._state = state
        self._show = show

    def take_payment(self, now: BillBalance) -> None:
        """Let the bill go out that waited for the payment that was scheduled, in whichever order the messages
        arrive."""
        state = self._state
        if state.status.is_waiting and not now.status.is_waiting and now.version > state.version:
            state.version, state.status = now.version, now.status
            state.needs, state.because = [], []

    async def wait(self) -> None:
        """Show who is asked and wait for the next message, or until the workflow should continue as new."""
        state = self._state
        status_before, version_before = state.status, state.version
        if status_before is BillStatus.AWAITING_PAYMENT:
            self._show("its first payment to be scheduled")
        else:
            self._show("people to approve it")
        await workflow.wait_condition(
            lambda: (
                state.version != version_before
                or state.status is not status_before
                or workflow.info().is_continue_as_new_suggested()
            )
        )
