"""One bill's life: pushed to the ERP exactly once, its PO link verified, then paid.

    kept back by its match? wait until a person decides, or until the order or a receipt settles it
    push (key known before the first attempt) ──> read back ──> wait for payment ──> PaymentWorkflow ──> paid
         └── refused, or the link is missing ──> sync issue ──> a person says retry or abandon ──┘

An edit made meanwhile goes to the ERP before the next payment does.

A refusal never fails this workflow: it opens an issue and waits (DESIGN section 4).
"""

import asyncio
from decimal import Decimal

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.erp import ErpActivities
    from activities.failures import FailureDetails, details_of
    from activities.mirror import MirrorActivities
    from activities.waiting_bills import WaitingBillActivities
    from models.domain import WAITING_FOR_A_PERSON, BillStatus, PaymentStatus
    from models.messages import (
        AbandonWrite,
        BillEdited,
        BillMatched,
        BillNow,
        BillPushed,
        BillPushResult,
        BillState,
        DecideMatch,
        DecideMatchAnswer,
        OpenPayment,
        PaymentEnd,
        PaymentState,
        PushBill,
        SchedulePayment,
        SchedulePaymentAnswer,
        SettleIssue,
    )
    from workflows import contract, issues, policies
    from workflows.payment import PaymentWorkflow

UNPUSHED = (BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING)
NOT_IN_ERP = (*WAITING_FOR_A_PERSON, *UNPUSHED)
HEALED_BY_THE_ORDER = ("NOT_RECEIVED",)
"""Refusals of the ERP that go away when the order or a receipt of it changes: the bill is sent again by itself."""
CLOSED = (BillStatus.PAID, BillStatus.ABANDONED, BillStatus.DELETED)


@workflow.defn
class BillWorkflow:
    """See the module's text."""

    @workflow.init
    def __init__(self, state: BillState) -> None:
        self._state = state
        self._word: SettleIssue | None = None
        self._moved = ""
        self._shown = (state.status, state.issue_code)
        self._news = False
        self._matched = False
        self._editing = False
        self._listening: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, state: BillState) -> BillStatus:
        while self._state.status in NOT_IN_ERP:
            if self._state.status in WAITING_FOR_A_PERSON:
                await self._wait_for_a_decision()
            else:
                await self._push()
        while self._state.status not in CLOSED:
            self._news = False
            self._show(self._next_step())
            await workflow.wait_condition(self._something_to_do)
            while self._edit_is_due():
                self._editing = True
                await self._push_edit()
            self._editing = False
            await self._start_payments()
            if workflow.info().is_continue_as_new_suggested():
                await self._hand_over()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._give_up_unstarted_payments()
        self._show("nothing: the bill is done")
        return self._state.status

    # --- messages ---------------------------------------------------------------------------------------------

    @workflow.update
    async def schedule_payment(self, schedule: SchedulePayment) -> SchedulePaymentAnswer:
        """Schedule a payment of this bill, or say why not. It is sent once the ERP holds the bill."""
        answer = await workflow.execute_local_activity_method(
            MirrorActivities.schedule_payment,
            schedule,
            **policies.decide(f"check what is due and schedule, request {schedule.request.key}"),
        )
        known = [payment.payment_id for payment in self._state.payments]
        if answer.payment_id is not None and answer.pay_on is not None and answer.payment_id not in known:
            self._state.payments.append(
                OpenPayment(payment_id=answer.payment_id, amount=answer.amount, pay_on=answer.pay_on)
            )
            if self._state.status is BillStatus.SYNCED:
                self._state.status = BillStatus.SCHEDULED
        self._state.edit_asked = max(self._state.edit_asked, answer.edition)
        return answer

    @schedule_payment.validator
    def check_schedule(self, schedule: SchedulePayment) -> None:
        if schedule.bill_id != self._state.bill_id:
            raise ValueError(f"this is bill {self._state.bill_id}, not {schedule.bill_id}")
        if self._state.status in CLOSED:
            raise ValueError(f"the bill is {self._state.status.value}; nothing can be paid on it")

    @workflow.update
    async def decide_match(self, decide: DecideMatch) -> DecideMatchAnswer:
        """A person acknowledges warnings or releases holds of the bill's match; or is told why that cannot be."""
        answer = await workflow.execute_local_activity_method(
            WaitingBillActivities.decide_match,
            decide,
            **policies.decide(f"take a person's word on the match, request {decide.request.key}"),
        )
        self._take_match(answer.bill)
        return answer

    @decide_match.validator
    def check_decision(self, decide: DecideMatch) -> None:
        if decide.bill_id != self._state.bill_id:
            raise ValueError(f"this is bill {self._state.bill_id}, not {decide.bill_id}")
        if self._state.status in CLOSED:
            raise ValueError(f"the bill is {self._state.status.value}; nothing is to be decided on it")

    @workflow.signal
    def bill_matched(self, matched: BillMatched) -> None:
        """The bill was matched again, because its order, a receipt, a unit or a policy changed."""
        self._take_match(matched)

    @workflow.signal
    def bill_changed(self, now: BillNow) -> None:
        """What is paid and due changed: in the ERP, or by a payment that an earlier run started."""
        self._take_bill(now)

    def _take_bill(self, now: BillNow) -> None:
        """What is newer counts, in whichever order the words arrive."""
        for payment in self._state.payments:
            payment.done = payment.done or payment.payment_id == now.payment_id
        self._news = True
        if 0 < now.version < self._state.heard:
            return
        self._state.heard = max(self._state.heard, now.version)
        if self._state.status not in NOT_IN_ERP or now.status in CLOSED:
            self._state.status = now.status
        self._state.paid = now.paid
        self._state.due = now.due

    @workflow.signal
    def bill_edited(self, edited: BillEdited) -> None:
        """The mirror holds an edit that the ERP does not; an edition that was tried is not asked for again."""
        self._state.edit_asked = max(self._state.edit_asked, edited.edition)

    @workflow.signal
    def order_moved(self, why: str) -> None:
        """The order or a receipt changed; what the ERP refused for the lack of it is tried again (S4-70)."""
        self._moved = why

    @workflow.signal
    def settle_issue(self, word: SettleIssue) -> None:
        """A person's word on an issue. It may come while the issue is still being opened; see `_said`."""
        self._word = word

    @workflow.query
    def state(self) -> BillState:
        return self._state

    # --- kept back --------------------------------------------------------------------------------------------

    def _take_match(self, matched: BillMatched) -> None:
        """What was decided later counts, in whichever order the words arrive."""
        if matched.version <= self._state.version or self._state.status not in NOT_IN_ERP:
            return
        self._state.version = matched.version
        self._state.needs = matched.needs
        self._state.because = matched.because
        if self._state.status in WAITING_FOR_A_PERSON or matched.status in CLOSED:
            self._state.status = matched.status
        self._matched = True

    async def _wait_for_a_decision(self) -> None:
        """Nothing is sent while findings wait: they are acknowledged, released, settled by a change, or given up."""
        shown_status = self._state.status
        self._state.issue_code = self._state.needs[0] if self._state.needs else None
        findings = ", ".join(self._state.needs)
        if shown_status is BillStatus.ON_HOLD:
            self._show(f"a person to release the hold, or a change that settles it: {findings}")
        else:
            self._show(f"a person to acknowledge the warning, or a change that settles it: {findings}")
        self._matched = False
        await workflow.wait_condition(
            lambda: (
                self._matched
                or self._state.status is not shown_status
                or workflow.info().is_continue_as_new_suggested()
            )
        )
        if self._state.status not in WAITING_FOR_A_PERSON:
            self._state.issue_code = None
            await self._tell_the_order(self._state.status)
        elif workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self._state)

    # --- pushing ----------------------------------------------------------------------------------------------

    async def _push(self) -> None:
        self._moved = ""
        self._show("the ERP to take the bill")
        try:
            result = await workflow.execute_activity_method(
                ErpActivities.push_bill,
                PushBill(
                    connection_id=self._state.connection_id,
                    bill_id=self._state.bill_id,
                    order_workflow_id=self._state.order_workflow_id,
                ),
                **policies.erp_write(
                    self._state.connection_id,
                    contract.erp_task_queue(self._state.erp),
                    f"push bill {self._state.number} and verify its link to {self._state.order_number}",
                ),
            )
        except ActivityError as error:
            await self._wait_for_a_person(details_of(error))
            return
        if result.status is BillStatus.ABANDONED:  # unlinked or given up meanwhile, perhaps without a word to the order
            self._state.status = result.status
            await self._tell_the_order(result.status)
            return
        if result.status in WAITING_FOR_A_PERSON:  # matched again while it waited to be sent, and kept back
            if result.version >= self._state.version:
                self._state.version = result.version
                self._state.status = result.status
            return
        self._state.document_id = result.document_id
        if result.status is BillStatus.LINK_MISSING:
            await self._wait_for_a_person(self._link_missing(result.document_id))
        elif result.status is BillStatus.SYNC_ISSUE:
            await self._wait_for_a_person(self._content_conflict(result))
        elif self._state.status in UNPUSHED:
            promised = any(not payment.done for payment in self._state.payments)
            self._state.status = BillStatus.SCHEDULED if promised else BillStatus.SYNCED

    def _link_missing(self, document_id: str) -> FailureDetails:
        return FailureDetails(
            family="LinkMissing",
            code="LINK_MISSING",
            message=f"{document_id} is in the ERP, but not linked to {self._state.order_number}.",
            evidence={"document": document_id, "order": self._state.order_number},
        )

    @staticmethod
    def _content_conflict(result: BillPushResult) -> FailureDetails:
        return FailureDetails(
            family="ContentConflict",
            code="CONTENT_CONFLICT",
            message=f"{result.document_id} differs from the bill: {'; '.join(result.differences)}.",
            evidence={"document": result.document_id, "differences": "; ".join(result.differences)},
        )

    async def _wait_for_a_person(self, failure: FailureDetails) -> None:
        status = BillStatus.LINK_MISSING if failure.code == "LINK_MISSING" else BillStatus.SYNC_ISSUE
        self._word = None
        self._state.issue = await issues.open_issue(
            self._state.connection_id, "bill", self._state.bill_id, failure, title=self._state.number
        )
        self._state.issue_code = failure.code
        self._state.status = status
        await self._tell_the_order(status)
        self._show(f"a person: issue {self._state.issue} ({failure.code}): {failure.message}")
        await workflow.wait_condition(lambda: self._said() is not None or self._state.status in CLOSED)
        await self._settle()

    def _said(self) -> SettleIssue | None:
        """What settles the open issue: a person's word on it, or that the order moved where this heals the refusal."""
        issue = self._state.issue
        if self._word is not None and self._word.issue_id == issue:
            return self._word
        if issue is not None and self._moved and self._state.issue_code in HEALED_BY_THE_ORDER:
            return SettleIssue(issue_id=issue, decision="retry", actor="posync", why=self._moved)
        return None

    async def _settle(self) -> None:
        """Do what the person said. What the ERP holds, or may hold, cannot be given up here."""
        word, issue = self._said(), self._state.issue
        assert issue is not None, "only an open issue is settled"
        if self._state.status in CLOSED:
            await issues.close_issue(issue, "resolved", None)
        elif word is not None and word.decision == "abandon":
            abandoned = await workflow.execute_local_activity_method(
                MirrorActivities.abandon_write,
                AbandonWrite(subject_kind="bill", subject_id=self._state.bill_id, actor=word.actor, why=word.why),
                **policies.decide("give the bill up and free its quantities"),
            )
            await issues.close_issue(issue, "abandoned" if abandoned.done else "resolved", word)
            if abandoned.done:
                self._state.status = BillStatus.ABANDONED
                await self._tell_the_order(BillStatus.ABANDONED)
        else:
            await issues.close_issue(issue, "resolved", word)
        self._state.issue = None
        self._state.issue_code = None

    async def _tell_the_order(self, status: BillStatus) -> None:
        order = workflow.get_external_workflow_handle(self._state.order_workflow_id)
        try:
            await order.signal(
                contract.BILL_PUSHED, BillPushed(bill_id=self._state.bill_id, status=status, covered=False)
            )
        except ApplicationError:
            workflow.logger.info("order %s has no open workflow", self._state.order_number)

    # --- edits ------------------------------------------------------------------------------------------------

    def _edit_is_due(self) -> bool:
        return self._state.edit_asked > self._state.edit_sent

    async def _push_edit(self) -> None:
        """Bring the newest edit to the ERP. A refused one waits behind an issue, and payments wait behind it."""
        edition = self._state.edit_sent = self._state.edit_asked
        if self._state.status in CLOSED:
            await self._give_edit_up(edition, "posync", self._closed(), maybe_there=False)
            return
        self._moved = ""
        self._show("the ERP to take the edit")
        try:
            result = await workflow.execute_activity_method(
                ErpActivities.push_bill_edit,
                PushBill(
                    connection_id=self._state.connection_id,
                    bill_id=self._state.bill_id,
                    order_workflow_id=self._state.order_workflow_id,
                ),
                **policies.erp_write(
                    self._state.connection_id,
                    contract.erp_task_queue(self._state.erp),
                    f"bring the edit of bill {self._state.number} to the ERP and verify it",
                ),
            )
        except ActivityError as error:
            failure = details_of(error)
            await self._wait_with_edit(edition, failure, maybe_there=not failure.nothing_was_done)
            return
        if result.status is not BillStatus.SYNCED:
            failure = self._not_as_edited(result)
            await self._wait_with_edit(edition, failure, maybe_there=True)

    def _not_as_edited(self, result: BillPushResult) -> FailureDetails:
        if result.status is BillStatus.LINK_MISSING:
            return self._link_missing(result.document_id)
        return self._content_conflict(result)

    async def _wait_with_edit(self, edition: int, failure: FailureDetails, *, maybe_there: bool) -> None:
        """The bill is what it was; only its edit waits, until a person settles it or edits the bill again."""
        self._word = None
        issue = self._state.issue = await issues.open_issue(
            self._state.connection_id,
            "bill",
            self._state.bill_id,
            failure,
            title=f"edit of {self._state.number}",
            keeps_status=True,
        )
        self._state.issue_code = failure.code
        self._show(f"a person: issue {issue} ({failure.code}) of the edit: {failure.message}")
        await workflow.wait_condition(
            lambda: self._said() is not None or self._edit_is_due() or self._state.status in CLOSED
        )
        await self._settle_edit(edition, maybe_there)

    async def _settle_edit(self, edition: int, maybe_there: bool) -> None:
        """Do what the person said; a bill edited again, or paid or deleted in the ERP, has settled it too."""
        word, issue = self._said(), self._state.issue
        assert issue is not None, "only an open issue is settled"
        if word is not None and word.decision == "abandon":
            done = await self._give_edit_up(edition, word.actor, word.why, maybe_there=maybe_there)
            await issues.close_issue(issue, "abandoned" if done else "resolved", word)
        elif self._state.status in CLOSED:
            await self._give_edit_up(edition, "posync", self._closed(), maybe_there=maybe_there)
            await issues.close_issue(issue, "resolved", word)
        else:
            await issues.close_issue(issue, "resolved", word)
            self._state.edit_sent = 0
        self._state.issue = None
        self._state.issue_code = None

    def _closed(self) -> str:
        return f"the bill is {self._state.status.value}"

    async def _give_edit_up(self, edition: int, actor: str, why: str, *, maybe_there: bool) -> bool:
        abandoned = await workflow.execute_local_activity_method(
            MirrorActivities.abandon_write,
            AbandonWrite(
                subject_kind="bill_edit",
                subject_id=self._state.bill_id,
                actor=actor,
                why=why,
                edition=edition,
                maybe_there=maybe_there,
            ),
            **policies.decide("give the edit up"),
        )
        return abandoned.done

    # --- paying -----------------------------------------------------------------------------------------------

    def _something_to_do(self) -> bool:
        return (
            self._state.status in CLOSED
            or any(payment.waits for payment in self._state.payments)
            or self._news
            or self._edit_is_due()
            or workflow.info().is_continue_as_new_suggested()
        )

    async def _start_payments(self) -> None:
        for payment in self._state.payments:
            if payment.waits:
                await self._start_payment(payment)
                payment.started = True

    async def _give_up_unstarted_payments(self) -> None:
        """A bill that is given up, deleted or paid otherwise takes the payments it never started along."""
        for payment in self._state.payments:
            if payment.waits:
                await workflow.execute_local_activity_method(
                    MirrorActivities.abandon_write,
                    AbandonWrite(
                        subject_kind="payment",
                        subject_id=payment.payment_id,
                        actor="posync",
                        why=f"its bill is {self._state.status.value}",
                    ),
                    **policies.decide(f"give the payment of {payment.amount} up with its bill"),
                )

    async def _start_payment(self, payment: OpenPayment) -> None:
        state = self._state
        try:
            child = await workflow.start_child_workflow(
                PaymentWorkflow.run,
                PaymentState(
                    connection_id=state.connection_id,
                    erp=state.erp,
                    payment_id=payment.payment_id,
                    bill_id=state.bill_id,
                    bill_number=state.number,
                    order_number=state.order_number,
                    vendor=state.vendor,
                    amount=payment.amount,
                    pay_on=payment.pay_on,
                ),
                id=contract.payment_workflow_id(payment.payment_id),
                # A payment that is on its way must end well even if its bill's workflow is closed.
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Payment {payment.amount} on {payment.pay_on} · bill {state.number} · {state.vendor}",
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(contract.CONNECTION, state.connection_id),
                        SearchAttributePair(contract.ERP, state.erp.value),
                        SearchAttributePair(contract.PO_NUMBER, state.order_number),
                        SearchAttributePair(contract.VENDOR, state.vendor),
                        SearchAttributePair(contract.STATUS, PaymentStatus.SCHEDULED.value),
                    ]
                ),
            )
        except WorkflowAlreadyStartedError:  # by a run that an operator has reset
            await self._ask_to_be_told(payment)
        else:
            self._listening.add(asyncio.create_task(self._hear_the_end(payment, child)))

    async def _hear_the_end(
        self, payment: OpenPayment, child: workflow.ChildWorkflowHandle[PaymentWorkflow, PaymentEnd]
    ) -> None:
        try:
            ended = await child
        except ChildWorkflowError:  # stopped by an operator
            await self._see_what_is_due(payment)
        else:
            self._take_bill(ended.bill)

    async def _ask_to_be_told(self, payment: OpenPayment) -> None:
        """A child's end reaches only the run that started it; a payment that has ended says nothing more."""
        handle = workflow.get_external_workflow_handle(contract.payment_workflow_id(payment.payment_id))
        try:
            await handle.signal(contract.TELL_BILL)
        except ApplicationError:
            await self._see_what_is_due(payment)

    async def _see_what_is_due(self, payment: OpenPayment) -> None:
        now = await workflow.execute_local_activity_method(
            MirrorActivities.bill_after_payment,
            payment.payment_id,
            **policies.decide(f"see what the payment of {payment.amount} left due"),
        )
        self._take_bill(now)

    async def _hand_over(self) -> None:
        """Continue as new with the whole state; payments under way are asked to tell the next run how they end."""
        for payment in self._state.payments:
            if payment.started and not payment.done:
                await self._ask_to_be_told(payment)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._show(self._next_step())  # the next run believes that what it is handed was shown
        workflow.continue_as_new(self._state)

    # --- what an operator sees --------------------------------------------------------------------------------

    def _next_step(self) -> str:
        open_payments = [payment for payment in self._state.payments if not payment.done]
        if open_payments:
            return "the payment of " + ", ".join(f"{payment.amount} on {payment.pay_on}" for payment in open_payments)
        if self._state.due is not None:
            return f"a payment of the {self._state.due} still due to be scheduled"
        return "a payment to be scheduled"

    def _show(self, waiting_for: str) -> None:
        state = self._state
        if self._shown != (state.status, state.issue_code):
            changes = [contract.STATUS.value_set(state.status.value)]
            if state.issue_code != self._shown[1]:
                changes.append(
                    contract.ISSUE_CODE.value_set(state.issue_code)
                    if state.issue_code
                    else contract.ISSUE_CODE.value_unset()
                )
            workflow.upsert_search_attributes(changes)
            self._shown = (state.status, state.issue_code)
        lines = [
            f"**Bill {state.number}** · {state.vendor} · total {state.total}",
            "",
            f"For purchase order {state.order_number} (`{state.order_workflow_id}`)",
            "",
            f"Status **{state.status.value.replace('_', ' ')}**"
            + (f", in the ERP as *{state.document_id}*" if state.document_id else ", not in the ERP yet")
            + (", an edit on its way to the ERP" if self._editing else ""),
        ]
        if Decimal(state.paid):
            lines += ["", f"Paid {state.paid}, due {state.due}"]
        lines += ["", f"Waiting for: {waiting_for}", ""]
        if state.status in WAITING_FOR_A_PERSON:
            lines += [f"- {message}" for message in state.because]
        lines += [
            f"- payment {payment.amount} on {payment.pay_on}{', done' if payment.done else ''}, "
            f"`{contract.payment_workflow_id(payment.payment_id)}`"
            for payment in state.payments
        ]
        workflow.set_current_details("\n".join(lines))
