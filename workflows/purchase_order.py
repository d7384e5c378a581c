"""One purchase order's life: bills are made against it one after another, and its status comes back by itself.

    create_bill (update) ──> match and reserve ──> child BillWorkflow ──> bill_pushed (signal)
    order_changed (signal) ──> facts; where they change what bills are matched against, our bills are matched again
    double sync: the order is read again until the ERP's own billed quantity shows every pushed bill (S4-65..67)

Handlers only record into the state; the main loop acts. The workflow ends when the ERP calls the order Closed or Filled
and nothing of ours is on its way; a later change starts it again.
"""

import asyncio
from collections.abc import Iterator

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.erp import ErpActivities
    from activities.failures import details_of
    from activities.mirror import MirrorActivities
    from activities.waiting_bills import WaitingBillActivities
    from models.domain import WAITING_FOR_A_PERSON, BillId, BillStatus, PoStatus
    from models.messages import (
        BillMatched,
        BillPushed,
        BillState,
        CreateBillAnswer,
        MatchBillsAgain,
        OpenBill,
        OrderFacts,
        PurchaseOrderLive,
        PurchaseOrderState,
        RefreshPurchaseOrder,
        RequestRef,
        SettleIssue,
    )
    from workflows import contract, issues, policies
    from workflows.bill import BillWorkflow

FINAL = (PoStatus.FILLED, PoStatus.CLOSED)

SAYS_NOTHING = (
    "Unavailable",
    "Throttled",
    "AuthenticationFailed",
    "OutcomeUnknown",
    "Stale",
    "MalformedAnswer",
    "TimedOut",
)
"""Failures of reading an order that tell nothing about our bill: it is read again, however long an outage lasts."""


@workflow.defn
class PurchaseOrderWorkflow:
    """See the module's text."""

    @workflow.init
    def __init__(self, state: PurchaseOrderState) -> None:
        self._state = state
        self._double_sync: asyncio.Task[None] | None = None
        self._shown_status = state.facts.status if state.facts else None
        self._word: SettleIssue | None = None
        self._news = False
        if state.facts is not None and not state.facts.our_bills:
            state.matched_terms = state.facts.terms

    @workflow.run
    async def run(self, state: PurchaseOrderState) -> OrderFacts:
        while True:
            self._news = False
            self._show()
            await workflow.wait_condition(self._something_to_do)
            if self._state.match_again:
                await self._match_bills_again()
            await self._start_bills()
            if self._must_look_again():
                self._double_sync = asyncio.create_task(self._wait_until_the_erp_shows())
            if self._finished():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._finished():
                    self._show()
                    return self._facts()
            elif workflow.info().is_continue_as_new_suggested():
                await self._hand_over()

    # --- messages ---------------------------------------------------------------------------------------------

    @workflow.update
    async def create_bill(self, ref: RequestRef) -> CreateBillAnswer:
        """Match a bill with this order and save it, or say why not. The caller's key makes it safe to repeat."""
        answer = await workflow.execute_local_activity_method(
            MirrorActivities.create_bill, ref, **policies.decide(f"match and reserve, request {ref.key}")
        )
        if answer.facts is not None:
            self._take(answer.facts)
        if answer.bill_id is not None and answer.bill_id not in [bill.bill_id for bill in self._state.bills]:
            self._state.bills.append(
                OpenBill(
                    bill_id=answer.bill_id,
                    number=answer.number,
                    total=answer.total,
                    status=answer.status,
                    needs=answer.needs,
                    because=answer.because,
                    version=answer.version,
                )
            )
        self._news = True
        return answer

    @create_bill.validator
    def check_request(self, ref: RequestRef) -> None:
        if not ref.key or not ref.organization_id:
            raise ValueError("a bill is asked for by an organization and an idempotency key")

    @workflow.signal
    def order_changed(self, facts: OrderFacts) -> None:
        """The mirror holds a newer version of the order."""
        self._take(facts)
        self._state.refresh_asked = self._state.refresh_asked or bool(list(self._not_shown()))
        self._news = True

    @workflow.signal
    def bill_pushed(self, pushed: BillPushed) -> None:
        """A push ended: done, refused, or given up. Heard twice is heard once."""
        if pushed.facts is not None:
            self._take(pushed.facts)
        if pushed.number and pushed.bill_id not in [bill.bill_id for bill in self._state.bills]:
            self._state.bills.append(
                OpenBill(bill_id=pushed.bill_id, number=pushed.number, total=pushed.total, started=True)
            )
        for bill in self._state.bills:
            if bill.bill_id == pushed.bill_id:
                bill.status = pushed.status
                bill.covered = bill.covered or pushed.covered
        self._drop_settled()
        self._state.refresh_asked = self._state.refresh_asked or bool(list(self._not_shown()))
        self._news = True

    @workflow.signal
    def settle_issue(self, word: SettleIssue) -> None:
        """A person asks to look at the ERP once more."""
        self._word = word
        self._state.refresh_asked = True

    @workflow.signal
    def match_again(self, why: str) -> None:
        """Something else that bills are matched with changed: a unit was told, a policy, a bill's own dates."""
        self._state.match_again = why
        self._news = True

    @workflow.query
    def live(self) -> PurchaseOrderLive:
        return PurchaseOrderLive(
            facts=self._state.facts, bills=list(self._state.bills), waiting_for=self._waiting_for()
        )

    # --- the main loop's steps --------------------------------------------------------------------------------

    def _something_to_do(self) -> bool:
        return (
            any(not bill.started for bill in self._state.bills)
            or bool(self._state.match_again)
            or self._must_look_again()
            or self._finished()
            or workflow.info().is_continue_as_new_suggested()
            or self._news
        )

    async def _match_bills_again(self) -> None:
        """Judge our bills by what holds now, and tell those that may still be kept back, or go on, what came of it."""
        why, self._state.match_again = self._state.match_again, ""
        self._state.matched_terms = self._facts().terms
        matched = await workflow.execute_local_activity_method(
            WaitingBillActivities.match_bills_again,
            MatchBillsAgain(
                connection_id=self._state.connection_id, purchase_order_id=self._state.purchase_order_id, why=why
            ),
            **policies.decide(f"match our bills again: {why}"),
        )
        known = {bill.bill_id: bill for bill in self._state.bills}
        for now in matched.bills:
            bill = known.get(now.bill_id)
            if bill is None or bill.version < now.version:
                await self._tell_bill(now.bill_id, contract.BILL_MATCHED, now)
            if bill is not None and bill.version < now.version:
                bill.status, bill.version = now.status, now.version
                bill.needs, bill.because = now.needs, now.because

        for bill in self._state.bills:
            if bill.status is BillStatus.SYNC_ISSUE:
                await self._tell_bill(bill.bill_id, contract.ORDER_MOVED, why)

    async def _tell_bill(self, bill_id: BillId, signal: str, word: BillMatched | str) -> None:
        handle = workflow.get_external_workflow_handle(contract.bill_workflow_id(bill_id))
        try:
            await handle.signal(signal, word)
        except ApplicationError:
            workflow.logger.info("bill %s has no open workflow", bill_id)

    async def _start_bills(self) -> None:
        for bill in self._state.bills:
            if not bill.started:
                await self._start_bill(bill)
                bill.started = True

    async def _start_bill(self, bill: OpenBill) -> None:
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
            workflow.logger.info("bill %s already has its workflow", bill.bill_id)
        else:
            # What becomes of a bill its order hears by signals; one that an operator stops is no error of the order.
            child.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def _must_look_again(self) -> bool:
        if self._double_sync is not None:
            return False
        if self._state.not_showing_issue is not None:
            return self._state.refresh_asked
        return bool(list(self._not_shown())) or self._state.refresh_asked

    async def _wait_until_the_erp_shows(self) -> None:
        """The double sync: read the order again until the ERP shows our bills; tell a person if it never does."""
        awaited = list(self._not_shown())
        self._state.refresh_asked = False
        try:
            refreshed = await workflow.execute_activity_method(
                ErpActivities.refresh_purchase_order,
                RefreshPurchaseOrder(
                    connection_id=self._state.connection_id,
                    purchase_order_id=self._state.purchase_order_id,
                    until_covered=awaited,
                ),
                **policies.order_refresh(
                    self._state.connection_id,
                    contract.erp_task_queue(self._state.erp),
                    f"re-read {self._facts().number} until it shows {len(awaited)} of our bills",
                ),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                return  # handing over to the next run, which looks again
            failure = details_of(error)
            if failure.family in SAYS_NOTHING:
                self._state.refresh_asked = True
            elif self._state.not_showing_issue is None:
                self._state.not_showing_issue = await issues.open_issue(
                    self._state.connection_id,
                    "purchase_order",
                    self._state.purchase_order_id,
                    failure,
                    title=self._facts().number,
                )
        else:
            self._take(refreshed.facts)
            for bill in self._state.bills:
                bill.covered = bill.covered or bill.bill_id in refreshed.covered
            self._drop_settled()
            if self._state.not_showing_issue is not None:
                await issues.close_issue(self._state.not_showing_issue, "resolved", self._word)
                self._state.not_showing_issue = None
        finally:
            self._double_sync = None
            self._news = True

    async def _hand_over(self) -> None:
        """Continue as new with the whole state; an unfinished double sync starts again in the next run."""
        if self._double_sync is not None:
            self._state.refresh_asked = True
            self._double_sync.cancel()
            await asyncio.wait([self._double_sync])
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._show()  # the next run believes that what it is handed was shown
        workflow.continue_as_new(self._state)

    # --- the state, read --------------------------------------------------------------------------------------

    def _take(self, facts: OrderFacts) -> None:
        """What arrives late does not overwrite what is newer."""
        if self._state.facts is not None and facts.snapshot < self._state.facts.snapshot:
            return
        self._state.facts = facts
        if not facts.our_bills:
            self._state.matched_terms = facts.terms
        elif facts.terms != self._state.matched_terms:
            self._state.match_again = "the order or a receipt of it changed"

    def _facts(self) -> OrderFacts:
        assert self._state.facts is not None, "whoever starts this workflow sends the facts along"
        return self._state.facts

    def _not_shown(self) -> Iterator[BillId]:
        return (bill.bill_id for bill in self._state.bills if bill.status is BillStatus.SYNCED and not bill.covered)

    def _drop_settled(self) -> None:
        done = [bill for bill in self._state.bills if bill.covered or bill.status is BillStatus.ABANDONED]
        self._state.finished_bills += len(done)
        self._state.bills = [bill for bill in self._state.bills if bill not in done]

    def _finished(self) -> bool:
        return (
            self._state.facts is not None
            and self._state.facts.status in FINAL
            and not self._state.bills
            and self._double_sync is None
            and not self._state.refresh_asked
            and not self._state.match_again
            and workflow.all_handlers_finished()
        )

    # --- what an operator sees --------------------------------------------------------------------------------

    def _show(self) -> None:
        facts = self._state.facts
        if facts is None:
            return
        if facts.status is not self._shown_status:
            workflow.upsert_search_attributes([contract.STATUS.value_set(facts.status.value)])
            self._shown_status = facts.status
        lines = [
            f"**Purchase order {facts.number}** · {facts.vendor}",
            "",
            f"Status **{facts.status.value.replace('_', ' ')}** (the ERP says *{facts.erp_status}*)",
            "",
            f"Ordered {facts.ordered.normalize():f}, billed in the ERP {facts.billed.normalize():f}, "
            f"of ours on its way {facts.pending.normalize():f}.",
            "",
            f"Waiting for: {self._waiting_for()}",
            "",
        ]
        lines += [
            f"- bill {bill.number} ({bill.total}): {bill.status.value.replace('_', ' ')}, "
            f"`{contract.bill_workflow_id(bill.bill_id)}`"
            for bill in self._state.bills
        ]
        if self._state.finished_bills:
            lines += ["", f"{self._state.finished_bills} of our bills are settled."]
        workflow.set_current_details("\n".join(lines))

    def _waiting_for(self) -> str:
        if self._state.not_showing_issue is not None:
            return f"a person: issue {self._state.not_showing_issue}, the ERP does not show our bill"
        if self._double_sync is not None:
            return "the ERP to show our bills on the order (double sync)"
        kept_back = [bill for bill in self._state.bills if bill.status in WAITING_FOR_A_PERSON]
        if kept_back:
            return "a person: " + "; ".join(f"bill {bill.number}: {', '.join(bill.needs)}" for bill in kept_back)
        if self._state.bills:
            return "our bills to reach the ERP"
        if self._finished():
            return "nothing: the order is done"
        return "a bill, or a change in the ERP"
