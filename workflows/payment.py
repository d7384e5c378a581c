"""One payment's life: wait for its date, submit it to the ERP exactly once, confirm what it left due.

timer to the date ──> push (key known before the first attempt) ──> read back ──> the bill hears what is paid
      └── given up by a person ──> the bill hears what is open again

The bill hears it as the end of its child. A run of the bill that did not start the payment hears no end; it asks to be
told by a signal (`tell_bill`).
"""

from contextlib import suppress
from datetime import UTC, datetime, time

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.erp import ErpActivities
    from activities.failures import FailureDetails, details_of
    from activities.mirror import MirrorActivities
    from models.domain import PaymentStatus
    from models.messages import (
        AbandonWrite,
        BillNow,
        PaymentEnd,
        PaymentGivenUp,
        PaymentState,
        PushPayment,
        SettleIssue,
    )
    from workflows import contract, issues, policies

CLOSED = (PaymentStatus.PAID, PaymentStatus.ABANDONED)


@workflow.defn
class PaymentWorkflow:
    """See the module's text."""

    @workflow.init
    def __init__(self, state: PaymentState) -> None:
        self._state = state
        self._word: SettleIssue | None = None
        self._given_up: PaymentGivenUp | None = None
        self._shown = (state.status, state.issue_code)
        self._bill: BillNow | None = None
        self._tells_bill = False

    @workflow.run
    async def run(self, state: PaymentState) -> PaymentEnd:
        await self._wait_for_the_date()
        while self._state.status not in CLOSED:
            await self._push()
        self._show("nothing: the payment is done")
        assert self._bill is not None, "a payment that has ended knows what it left due"
        if self._tells_bill:
            await self._tell_the_bill(self._bill)
        return PaymentEnd(status=self._state.status, bill=self._bill)

    @workflow.signal
    def settle_issue(self, word: SettleIssue) -> None:
        """A person's word on an issue. It may come while the issue is still being opened."""
        self._word = word

    @workflow.signal
    def given_up(self, word: PaymentGivenUp) -> None:
        """A person gave the payment up. Only one that was not sent can be; the mirror refuses any other."""
        self._given_up = word

    @workflow.signal
    def tell_bill(self) -> None:
        """The bill's present run did not start this payment, so it will not hear how its child ends."""
        self._tells_bill = True

    @workflow.query
    def state(self) -> PaymentState:
        return self._state

    async def _wait_for_the_date(self) -> None:
        left = datetime.combine(self._state.pay_on, time.min, UTC) - workflow.now()
        if left.total_seconds() > 0:
            self._show(f"the payment date, {self._state.pay_on}")
            with suppress(TimeoutError):  # the date has come
                await workflow.wait_condition(
                    lambda: self._given_up is not None,
                    timeout=left,
                    timeout_summary=f"wait for the payment date {self._state.pay_on}",
                )
        if self._given_up is not None:
            self._state.status = PaymentStatus.ABANDONED
            self._bill = self._given_up.bill

    async def _push(self) -> None:
        self._show("the ERP to take the payment")
        try:
            result = await workflow.execute_activity_method(
                ErpActivities.push_payment,
                PushPayment(connection_id=self._state.connection_id, payment_id=self._state.payment_id),
                **policies.erp_write(
                    self._state.connection_id,
                    contract.erp_task_queue(self._state.erp),
                    f"pay {self._state.amount} on bill {self._state.bill_number}",
                ),
            )
        except ActivityError as error:
            await self._wait_for_a_person(details_of(error))
        else:
            self._state.status = result.status
            self._bill = result.bill

    async def _wait_for_a_person(self, failure: FailureDetails) -> None:
        self._word = None
        self._state.issue = await issues.open_issue(
            self._state.connection_id,
            "payment",
            self._state.payment_id,
            failure,
            title=f"{self._state.amount} on {self._state.bill_number}",
        )
        self._state.issue_code = failure.code
        self._state.status = PaymentStatus.SYNC_ISSUE
        self._show(f"a person: issue {self._state.issue} ({failure.code}): {failure.message}")
        await workflow.wait_condition(lambda: self._said() is not None)
        await self._settle()

    def _said(self) -> SettleIssue | None:
        """What settles the open issue: a person's word on it, or that the payment was given up."""
        issue, given_up = self._state.issue, self._given_up
        if self._word is not None and self._word.issue_id == issue:
            return self._word
        if issue is not None and given_up is not None:
            return SettleIssue(issue_id=issue, decision="abandon", actor=given_up.actor, why=given_up.why)
        return None

    async def _settle(self) -> None:
        word, issue = self._said(), self._state.issue
        assert issue is not None, "only an open issue is settled"
        assert word is not None, "an issue is settled by a person's word"
        if word.decision == "abandon":
            abandoned = await workflow.execute_local_activity_method(
                MirrorActivities.abandon_write,
                AbandonWrite(subject_kind="payment", subject_id=self._state.payment_id, actor=word.actor, why=word.why),
                **policies.decide("give the payment up"),
            )
            await issues.close_issue(issue, "abandoned" if abandoned.done else "resolved", word)
            self._state.status = PaymentStatus.ABANDONED if abandoned.done else PaymentStatus.SUBMITTED
            self._bill = abandoned.bill
        else:
            await issues.close_issue(issue, "resolved", word)
            self._state.status = PaymentStatus.SUBMITTED
        self._state.issue = None
        self._state.issue_code = None

    async def _tell_the_bill(self, now: BillNow) -> None:
        bill = workflow.get_external_workflow_handle(contract.bill_workflow_id(self._state.bill_id))
        try:
            await bill.signal(contract.BILL_CHANGED, now)
        except ApplicationError:
            workflow.logger.info("bill %s has no open workflow", self._state.bill_number)

    def _show(self, waiting_for: str) -> None:
        state = self._state
        if self._shown != (state.status, state.issue_code):
            workflow.upsert_search_attributes(
                [
                    contract.STATUS.value_set(state.status.value),
                    contract.ISSUE_CODE.value_set(state.issue_code)
                    if state.issue_code
                    else contract.ISSUE_CODE.value_unset(),
                ]
            )
            self._shown = (state.status, state.issue_code)
        workflow.set_current_details(
            "\n".join(
                [
                    f"**Payment of {state.amount}** on bill {state.bill_number} · {state.vendor}",
                    "",
                    f"For purchase order {state.order_number} (`{contract.bill_workflow_id(state.bill_id)}`)",
                    "",
                    f"Status **{state.status.value.replace('_', ' ')}**, due to go out on {state.pay_on}",
                    "",
                    f"Waiting for: {waiting_for}",
                ]
            )
        )
