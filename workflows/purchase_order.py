"""Run one purchase order's life: bills are made against it one after another, and its status comes back by itself.

    bill_accepted (signal, saved by the API) ──> child BillWorkflow ──> bill_pushed (signal)
    order_changed (signal) ──> facts; where they change what bills are matched against, our bills are matched again
    double sync: the order is read again until the ERP's own billed quantity shows every pushed bill (S4-65..67)

Signals are only recorded into the state; the main loop acts. The workflow ends when the ERP calls the order Closed or
Filled and nothing of ours is in flight; a later change starts it again.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from models import contract
from workflows import order_view, policies
from workflows.bill import BillWorkflow
from workflows.issue_gate import IssueGate
from workflows.operator_view import OperatorView

with workflow.unsafe.imports_passed_through():
    from activities.bill_review import (
        BillReviewActivities,
    )
    from activities.database import MirrorActivities
    from activities.erp import ErpActivities
    from activities.failures import details_of
    from models.domain.bills import BillStatus
    from models.domain.ids import BillId
    from models.domain.issue_states import IssueState, IssueSubject
    from models.domain.orders import PoStatus
    from models.messages.bills import BillBalance, BillMatched, BillState
    from models.messages.issues import SettleIssue
    from models.messages.orders import (
        BillAccepted,
        BillOnOrder,
        BillPushed,
        OpenBill,
        OrderFacts,
        PurchaseOrderLive,
        PurchaseOrderState,
        RefreshPurchaseOrder,
        RematchBills,
    )

FINAL = (PoStatus.FILLED, PoStatus.CLOSED)

NOT_SHOWING = "STATUS_NOT_SHOWING"
"""The ERP does not show our bills on the order."""

SAYS_NOTHING = (
    "Unavailable",
    "Throttled",
    "AuthenticationFailed",
    "OutcomeUnknown",
    "Stale",
    "MalformedAnswer",
    "TimedOut",
)
"""Failures of reading an order that say nothing about our bill: it is read again, however long an outage lasts."""


@workflow.defn
class PurchaseOrderWorkflow:
    """The workflow of one purchase order; see the module's text."""

    @workflow.init
    def __init__(self, state: PurchaseOrderState) -> None:
        self._state = state
        self._double_sync: asyncio.Task[None] | None = None
        self._view = OperatorView(state.facts.status.value if state.facts else None, waits_for=state.shown_waits_for)
        self._gate = IssueGate(state, IssueSubject.PURCHASE_ORDER, state.purchase_order_id)
        self._changed = False
        if state.facts is not None and not state.facts.our_bills:
            state.matched_terms = state.facts.terms
        state.refresh_asked = state.refresh_asked or (state.facts is not None and state.facts.reread)

    @workflow.run
    async def run(self, state: PurchaseOrderState) -> OrderFacts:
        """Run until the order is final and nothing of ours is open; return what is then known of the order."""
        while True:
            self._changed = False
            self._show()
            await workflow.wait_condition(self._something_to_do)
            if self._state.rematch_reason:
                await self._rematch_bills()
            if self._state.retry_reason:
                await self._retry_refused()
            await self._start_bills()
            if self._is_over():
                await self._gate.settle(IssueState.RESOLVED, None)
            if self._must_reread():
                self._double_sync = asyncio.create_task(self._await_double_sync())
            if self._finished():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._finished():
                    self._show()
                    return self._facts()
            elif workflow.info().is_continue_as_new_suggested():
                await self._hand_over()

    # --- messages ---------------------------------------------------------------------------------------------

    @workflow.signal
    def bill_accepted(self, accepted: BillAccepted) -> None:
        """Receive a bill that was saved against this order. A repeated message changes nothing.

        It may be the message that starts this workflow, and is then handled before `run`.
        """
        if accepted.same_terms and not self._state.matched_terms:
            self._state.matched_terms = accepted.terms
        self._take(accepted.facts)
        if accepted.terms != self._facts().terms:
            self._state.rematch_reason = "the order or a receipt of it changed while the bill was on its way"
        for bill in self._state.bills:
            if bill.bill_id == accepted.bill_id:  # corrected since
                bill.number, bill.total = accepted.number, accepted.total
        if accepted.bill_id not in [bill.bill_id for bill in self._state.bills]:
            self._state.bills.append(
                OpenBill(
                    bill_id=accepted.bill_id,
                    number=accepted.number,
                    total=accepted.total,
                    status=accepted.status,
                    needs=accepted.needs,
                    because=accepted.because,
                    version=accepted.version,
                    has_workflow=accepted.has_workflow,
                )
            )
        self._changed = True

    @workflow.signal
    def order_changed(self, facts: OrderFacts) -> None:
        """Receive a newer version of the order, which the mirror holds."""
        self._take(facts)
        self._state.refresh_asked = self._state.refresh_asked or bool(list(self._unconfirmed()))
        self._changed = True

    @workflow.signal
    def bill_pushed(self, pushed: BillPushed) -> None:
        """Receive the end of a push: done, refused, or abandoned. A repeated message changes nothing."""
        if pushed.facts is not None:
            self._take(pushed.facts)
        if pushed.number and pushed.bill_id not in [bill.bill_id for bill in self._state.bills]:
            self._state.bills.append(
                OpenBill(bill_id=pushed.bill_id, number=pushed.number, total=pushed.total, started=True)
            )
        self._take_push(pushed)
        self._changed = True

    def _take_push(self, pushed: BillPushed) -> None:
        for bill in self._state.bills:
            if bill.bill_id == pushed.bill_id:
                bill.status = pushed.status
                bill.confirmed = bill.confirmed or pushed.confirmed
        self._drop_settled()
        self._state.refresh_asked = self._state.refresh_asked or bool(list(self._unconfirmed()))

    @workflow.signal
    def settle_issue(self, resolution: SettleIssue) -> None:
        """Receive a person's request to look at the ERP once more."""
        self._gate.take_decision(resolution)
        self._state.refresh_asked = True

    @workflow.signal
    def rematch(self, why: str) -> None:
        """Match our bills again because something else changed: a unit was entered, a policy, a bill's own dates."""
        self._state.rematch_reason = why
        self._changed = True

    @workflow.query
    def live(self) -> PurchaseOrderLive:
        """Return the order's facts, its open bills and what the workflow waits for."""
        return PurchaseOrderLive(
            facts=self._state.facts, bills=list(self._state.bills), waiting_for=self._waiting_for()
        )

    # --- the main loop's steps --------------------------------------------------------------------------------

    def _something_to_do(self) -> bool:
        return (
            any(not bill.started for bill in self._state.bills)
            or bool(self._state.rematch_reason)
            or bool(self._state.retry_reason)
            or self._must_reread()
            or self._finished()
            or workflow.info().is_continue_as_new_suggested()
            or self._changed
        )

    async def _rematch_bills(self) -> None:
        """Match our bills again with what holds now, and notify those that are not sent of their result."""
        why, self._state.rematch_reason = self._state.rematch_reason, ""
        self._state.matched_terms = self._facts().terms
        matched = await workflow.execute_local_activity_method(
            BillReviewActivities.rematch_bills,
            RematchBills(
                connection_id=self._state.connection_id, purchase_order_id=self._state.purchase_order_id, why=why
            ),
            **policies.decide(f"match our bills again: {why}"),
        )
        known = {bill.bill_id: bill for bill in self._state.bills}
        for now in matched.bills:
            bill = known.get(now.bill_id)
            if bill is None or bill.version < now.version:
                await self._notify_bill(now.bill_id, contract.BILL_MATCHED, now)
            if bill is not None and bill.version < now.version:
                bill.status, bill.version = now.status, now.version
                bill.needs, bill.because = now.needs, now.because
        for bill_id in matched.refused:
            if bill_id not in known:  # its own order is another one
                await self._notify_bill(bill_id, contract.ORDER_MOVED, why)
        self._state.retry_reason = why

    async def _retry_refused(self) -> None:
        """Notify our refused bills that the order moved: what the ERP refused for lack of it is sent again."""
        why, self._state.retry_reason = self._state.retry_reason, ""
        for bill in self._state.bills:
            if bill.status is BillStatus.SYNC_ISSUE:
                await self._notify_bill(bill.bill_id, contract.ORDER_MOVED, why)

    async def _notify_bill(self, bill_id: BillId, signal: str, resolution: BillMatched | BillBalance | str) -> None:
        handle = workflow.get_external_workflow_handle(contract.bill_workflow_id(bill_id))
        try:
            await handle.signal(signal, resolution)
        except ApplicationError:
            workflow.logger.info("bill %s has no open workflow", bill_id)

    async def _start_bills(self) -> None:
        """Start all bills that wait at once: a burst of bills takes a few workflow tasks, not one for each."""
        waiting = [bill for bill in self._state.bills if not bill.started]
        await asyncio.gather(*(self._start_bill(bill) for bill in waiting))

    async def _start_bill(self, bill: OpenBill) -> None:
        if bill.has_workflow:
            await self._take_status(bill)
            return
        if bill.status.is_waiting:
            await self._look_at(bill)
            if bill.status.takes_nothing:
                self._drop_settled()
                return
        facts = self._facts()
        state = BillState(
            connection_id=self._state.connection_id,
            erp=self._state.erp,
            bill_id=bill.bill_id,
            purchase_order_id=self._state.purchase_order_id,
            order_number=facts.number,
            order_workflow_id=workflow.info().workflow_id,
            vendor=facts.vendor,
            number=bill.number,
            total=bill.total,
            status=bill.status,
            needs=bill.needs,
            because=bill.because,
            version=bill.version,
        )
        try:
            child = await workflow.start_child_workflow(
                BillWorkflow.run,
                state,
                id=contract.bill_workflow_id(bill.bill_id),
                # The bill outlives its order's workflow: it waits for payment long after the order is filled.
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=contract.bill_summary(state),
                search_attributes=contract.bill_search_attributes(state),
            )
        except WorkflowAlreadyStartedError:
            await self._take_status(bill)  # the bill's message came a second time
        else:
            bill.started = True
            # The order learns by signals how a bill ends; a bill that an operator stops is no error of the order.
            child.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            if bill.status.is_void:  # abandoned while it was starting; it does not know
                abandoned = BillBalance(status=bill.status, paid="0", due="0")
                await self._notify_bill(bill.bill_id, contract.BILL_CHANGED, abandoned)

    async def _take_status(self, bill: OpenBill) -> None:
        """Read the current status of a bill that has its workflow: its message may be late."""
        now = await workflow.execute_local_activity_method(
            MirrorActivities.bill_on_order,
            BillOnOrder(bill_id=bill.bill_id, purchase_order_id=self._state.purchase_order_id),
            **policies.decide(f"read the status of bill {bill.number}"),
        )
        bill.started = True
        self._take_push(now)

    async def _look_at(self, bill: OpenBill) -> None:
        """Read the current status of a bill that waits before it is started.

        While the message that brought it was on its way, the bill may have been matched again or abandoned, and the
        code that decided that found no workflow to notify.
        """
        now = await workflow.execute_local_activity_method(
            BillReviewActivities.bill_in_review,
            bill.bill_id,
            **policies.decide(f"see what bill {bill.number} waits for"),
        )
        if now.version >= bill.version:
            bill.status, bill.version = now.status, now.version
            bill.needs, bill.because = now.needs, now.because

    def _is_over(self) -> bool:
        """Return whether the open issue is about bills that the order need not show any more, because they were taken
        back or deleted."""
        awaited = any(self._unconfirmed()) or self._double_sync is not None
        return self._state.issue_code == NOT_SHOWING and not awaited

    def _must_reread(self) -> bool:
        if self._double_sync is not None:
            return False
        if self._gate.is_open:
            return self._state.refresh_asked
        return bool(list(self._unconfirmed())) or self._state.refresh_asked

    async def _await_double_sync(self) -> None:
        """Read the order again until the ERP shows our bills (the double sync); notify people if it never does.

        Bills that follow each other are looked for together, once the last of them is there, or after a while.
        """
        if self._are_being_pushed():
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self._are_being_pushed() or workflow.info().is_continue_as_new_suggested(),
                    timeout=policies.ORDER_READ_AFTER,
                    timeout_summary="the bills behind them to be in the ERP too",
                )
        awaited = list(self._unconfirmed())
        self._state.refresh_asked = False
        try:
            refreshed = await workflow.execute_activity_method(
                ErpActivities.refresh_purchase_order,
                RefreshPurchaseOrder(
                    connection_id=self._state.connection_id,
                    purchase_order_id=self._state.purchase_order_id,
                    until_confirmed=awaited,
                ),
                **policies.order_refresh(
                    self._state.connection_id,
                    self._state.erp,
                    f"re-read {self._facts().number} until it shows {len(awaited)} of our bills",
                ),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                return  # continuing as a new run, which looks again
            failure = details_of(error)
            if failure.family in SAYS_NOTHING:
                self._state.refresh_asked = True
            elif not self._gate.is_open:
                await self._gate.open(failure, title=self._facts().number)
        else:
            self._take(refreshed.facts)
            for bill in self._state.bills:
                bill.confirmed = bill.confirmed or bill.bill_id in refreshed.confirmed
            self._drop_settled()
            if self._gate.is_open:
                await self._gate.settle(IssueState.RESOLVED, self._gate.resolution())
        finally:
            self._double_sync = None
            self._changed = True

    async def _hand_over(self) -> None:
        """Continue as new with the whole state; an unfinished double sync starts again in the next run."""
        if self._double_sync is not None:
            self._state.refresh_asked = True
            self._double_sync.cancel()
            await workflow.wait([self._double_sync])
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._show()  # the next run assumes that the state it gets was shown
        workflow.continue_as_new(self._state)

    # --- the state, read --------------------------------------------------------------------------------------

    def _take(self, facts: OrderFacts) -> None:
        """Ignore facts older than the snapshot we hold; take newer ones."""
        if self._state.facts is not None and facts.snapshot < self._state.facts.snapshot:
            return
        known, self._state.facts = self._state.facts, facts
        self._state.refresh_asked = self._state.refresh_asked or facts.reread
        refused = any(bill.status is BillStatus.SYNC_ISSUE for bill in self._state.bills)
        if refused and known is not None and facts.billed <= known.billed:
            # The terms leave out our own bills, and one that is no more may leave room for another that was refused.
            if facts.content_hash != known.content_hash:
                self._state.retry_reason = "the order changed, and no more of it is billed than before"
            elif known.revision and facts.revision > known.revision:
                self._state.retry_reason = "the order was changed in the ERP and put back as it was"
        if not facts.our_bills:
            self._state.matched_terms = facts.terms
        elif facts.terms != self._state.matched_terms:
            self._state.rematch_reason = "the order or a receipt of it changed"

    def _facts(self) -> OrderFacts:
        assert self._state.facts is not None, "this workflow is started with the facts"
        return self._state.facts

    def _unconfirmed(self) -> Iterator[BillId]:
        return (bill.bill_id for bill in self._state.bills if bill.status is BillStatus.SYNCED and not bill.confirmed)

    def _are_being_pushed(self) -> bool:
        return any(bill.status is BillStatus.PENDING_PUSH for bill in self._state.bills)

    def _drop_settled(self) -> None:
        done = [bill for bill in self._state.bills if bill.confirmed or bill.status.takes_nothing]
        self._state.finished_bills += len(done)
        self._state.bills = [bill for bill in self._state.bills if bill not in done]

    def _finished(self) -> bool:
        return (
            self._state.facts is not None
            and self._state.facts.status in FINAL
            and not self._state.bills
            and self._double_sync is None
            and not self._state.refresh_asked
            and not self._state.rematch_reason
            and not self._state.retry_reason
            and workflow.all_handlers_finished()
        )

    # --- what an operator sees --------------------------------------------------------------------------------

    def _show(self) -> None:
        facts = self._state.facts
        if facts is None:
            return
        waits_for = order_view.waits_for(self._state, is_read=self._double_sync is not None)
        details = order_view.details_of(self._state, facts, self._waiting_for())
        self._view.show(details, status=facts.status.value, waits_for=waits_for)
        self._state.shown_waits_for = waits_for

    def _waiting_for(self) -> str:
        return order_view.waiting_for(self._state, is_read=self._double_sync is not None, is_done=self._finished())
