"""Run one payment's life: wait for its date, submit it to the ERP exactly once, confirm what is then due.

timer to the date ──> push (key known before the first attempt) ──> read back ──> report to the bill what is paid
      └── abandoned by a person ──> report to the bill what is open again

The report is the signal `bill_changed`, so that it reaches whichever run of the bill is open: sent by the activity that
pushed the payment, or by this workflow for a payment that was never sent. It carries the bill's version in the mirror,
so that a second or a late report changes nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from models import contract
from workflows import policies
from workflows.issue_gate import IssueGate
from workflows.operator_view import OperatorView

with workflow.unsafe.imports_passed_through():
    from activities.database import MirrorActivities
    from activities.failures import FailureDetails, details_of
    from activities.payments import PaymentActivities
    from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
    from models.domain.payments import PaymentStatus
    from models.domain.waits_for import payment_waits_for
    from models.domain.writes import WriteKind
    from models.messages.bills import BillBalance
    from models.messages.issues import SettleIssue
    from models.messages.payments import (
        PaymentAbandoned,
        PaymentDue,
        PaymentEnd,
        PaymentPushResult,
        PaymentState,
        PushPayment,
    )
    from models.messages.writes import AbandonWrite


@workflow.defn
class PaymentWorkflow:
    """The workflow of one payment; see the module's text."""

    @workflow.init
    def __init__(self, state: PaymentState) -> None:
        self._state = state
        self._view = OperatorView(
            state.status.value, state.issue_code, payment_waits_for(state.status, state.issue_code)
        )
        self._gate = IssueGate(state, IssueSubject.PAYMENT, state.payment_id)
        self._bill: BillBalance | None = None

    @workflow.run
    async def run(self, state: PaymentState) -> PaymentEnd:
        """Run until the payment has ended; return how, and what is then paid and due on its bill."""
        while self._has_work:
            await self._take_next_step()
            if workflow.info().is_continue_as_new_suggested() and self._has_work:
                self._show("its next run")  # which assumes that the state it gets was shown
                workflow.continue_as_new(self._state)
        self._show("nothing: the payment is done")
        assert self._bill is not None, "a payment that has ended knows what it left due"
        if self._state.status is PaymentStatus.ABANDONED:
            await self._report(self._bill)
        return PaymentEnd(status=self._state.status, bill=self._bill)

    @workflow.signal
    def settle_issue(self, resolution: SettleIssue) -> None:
        """Receive a person's resolution of the open issue."""
        self._gate.take_decision(resolution)

    @workflow.signal
    def abandoned(self, resolution: PaymentAbandoned) -> None:
        """Receive that a person abandoned the payment, which was not sent; the mirror refuses to abandon any other."""
        self._state.abandoned = resolution

    @workflow.signal
    def payment_due(self, due: PaymentDue) -> None:
        """Receive that the payment was saved, or is to be voided: the workflow is started with this message where no
        bill starts it."""
        state = self._state
        state.void_asked = due.status is PaymentStatus.VOIDING and state.status is not PaymentStatus.VOIDING

    @workflow.query
    def state(self) -> PaymentState:
        """Return the workflow's whole state."""
        return self._state

    async def _take_next_step(self) -> None:
        state, left = self._state, self._time_left()
        if self._gate.is_open:
            await self._wait_for_resolution()
        elif state.status is PaymentStatus.VOIDING:
            await self._void()
        elif state.abandoned is not None and state.status is PaymentStatus.SCHEDULED:
            state.status = PaymentStatus.ABANDONED
            self._bill = state.abandoned.bill
        elif left > timedelta(0):
            await self._wait_for_the_date(left)
        else:
            await self._push()

    @property
    def _has_work(self) -> bool:
        """Return whether something is left to do; a void that was asked for begins once the payment is paid."""
        state = self._state
        if state.void_asked and state.status is PaymentStatus.PAID:
            state.status, state.void_asked = PaymentStatus.VOIDING, False
        return state.status.is_under_way

    def _time_left(self) -> timedelta:
        starts_at = self._state.starts_at or datetime.combine(self._state.pay_on, time.min, UTC)
        return starts_at - workflow.now()

    async def _wait_for_the_date(self, left: timedelta) -> None:
        self._show(f"the payment date, {self._state.pay_on}")
        try:
            await workflow.wait_condition(
                lambda: self._state.abandoned is not None or workflow.info().is_continue_as_new_suggested(),
                timeout=left,
                timeout_summary=f"wait for the payment date {self._state.pay_on}",
            )
        except TimeoutError:
            return  # the date has come

    async def _push(self) -> None:
        self._show("the ERP to take the payment")
        state = self._state
        await self._write(PaymentActivities.push_payment, f"pay {state.amount} on bill {state.bill_number}")

    async def _void(self) -> None:
        self._show("the ERP to void the payment")
        state = self._state
        await self._write(
            PaymentActivities.void_payment, f"void the payment of {state.amount} on bill {state.bill_number}"
        )

    async def _write(
        self, write: Callable[[PaymentActivities, PushPayment], Awaitable[PaymentPushResult]], summary: str
    ) -> None:
        """Have the ERP take the payment or its void, and take the result; a refusal opens an issue."""
        state = self._state
        try:
            result = await workflow.execute_activity_method(
                write,
                PushPayment(connection_id=state.connection_id, payment_id=state.payment_id),
                **policies.erp_write(state.connection_id, state.erp, summary),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            await self._open_issue(details_of(error))
        else:
            state.status = result.status
            self._bill = result.bill

    async def _open_issue(self, failure: FailureDetails) -> None:
        if self._state.status is PaymentStatus.VOIDING:
            title = f"void of {self._state.amount} on {self._state.bill_number}"
            await self._gate.open(failure, title=title, keeps_status=True)
            return
        if await self._gate.open(failure, title=f"{self._state.amount} on {self._state.bill_number}"):
            self._state.status = PaymentStatus.SYNC_ISSUE

    async def _wait_for_resolution(self) -> None:
        """Wait behind the open issue until a person decides or the payment is abandoned, and carry that out."""
        state = self._state
        self._show(f"a person: {self._gate.waits_for}: {state.issue_message}")
        if not await self._gate.wait_for_resolution(until=lambda: False, settled_by=self._abandoned):
            return
        resolution = self._gate.resolution(self._abandoned)
        assert resolution is not None, "only a resolution ends the wait"
        if state.status is PaymentStatus.VOIDING:
            await self._settle_void(resolution)
        elif resolution.decision is IssueDecision.ABANDON:
            abandoned = await workflow.execute_local_activity_method(
                MirrorActivities.abandon_write,
                AbandonWrite(
                    subject_kind=WriteKind.PAYMENT,
                    subject_id=state.payment_id,
                    actor=resolution.actor,
                    why=resolution.why,
                ),
                **policies.decide("give the payment up"),
            )
            await self._gate.settle(IssueState.ABANDONED if abandoned.done else IssueState.RESOLVED, resolution)
            state.status = PaymentStatus.ABANDONED if abandoned.done else PaymentStatus.SUBMITTED
            self._bill = abandoned.bill
            state.abandoned = None
        elif await self._gate.settle(IssueState.RESOLVED, resolution):
            state.status = PaymentStatus.SUBMITTED

    async def _settle_void(self, resolution: SettleIssue) -> None:
        """Carry out what a person decided on a void that was refused: try it again, or leave the payment paid."""
        if resolution.decision is not IssueDecision.ABANDON:
            await self._gate.settle(IssueState.RESOLVED, resolution)
            return
        left = await workflow.execute_local_activity_method(
            MirrorActivities.abandon_write,
            AbandonWrite(
                subject_kind=WriteKind.PAYMENT_VOID,
                subject_id=self._state.payment_id,
                actor=resolution.actor,
                why=resolution.why,
            ),
            **policies.decide("leave the payment in the ERP"),
        )
        await self._gate.settle(IssueState.ABANDONED if left.done else IssueState.RESOLVED, resolution)
        if left.done:
            self._state.status = PaymentStatus.PAID
        self._bill = left.bill

    def _abandoned(self) -> SettleIssue | None:
        """Return the resolution that abandoning the payment stands for."""
        issue, abandoned = self._state.issue, self._state.abandoned
        if issue is None or abandoned is None:
            return None
        return SettleIssue(issue_id=issue, decision=IssueDecision.ABANDON, actor=abandoned.actor, why=abandoned.why)

    async def _report(self, now: BillBalance) -> None:
        """Notify the bill that the payment was abandoned; a closed bill needs no report."""
        bill = workflow.get_external_workflow_handle(contract.bill_workflow_id(self._state.bill_id))
        try:
            await bill.signal(contract.BILL_CHANGED, now)
        except ApplicationError:
            workflow.logger.info("bill %s has no open workflow", self._state.bill_number)

    def _show(self, waiting_for: str) -> None:
        state = self._state
        order = f"purchase order {state.order_number}" if state.order_number else "a bill without a purchase order"
        lines = [
            f"**Payment of {state.amount}** on bill {state.bill_number} · {state.vendor}",
            "",
            f"For {order} (`{contract.bill_workflow_id(state.bill_id)}`)",
            "",
            f"Status **{state.status.value.replace('_', ' ')}**, due to go out on {state.pay_on}",
            "",
            f"Waiting for: {waiting_for}",
        ]
        self._view.show(
            lines,
            status=state.status.value,
            issue_code=state.issue_code,
            waits_for=payment_waits_for(state.status, state.issue_code),
        )
