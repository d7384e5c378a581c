"""Start the payments of a bill: each has its own workflow, started once the ERP holds the bill."""

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from models import contract
from workflows import policies
from workflows.payment import PaymentWorkflow

with workflow.unsafe.imports_passed_through():
    from activities.database import MirrorActivities
    from models.domain.ids import SYNCER, PaymentId
    from models.domain.writes import WriteKind
    from models.messages.bills import BillState, OpenPayment
    from models.messages.payments import PaymentEnd, PaymentScheduled, PaymentState
    from models.messages.writes import AbandonWrite


class BillPayments:
    """Starts the payments. Each reports its end to the bill by a signal."""

    def __init__(self, state: BillState, on_change: Callable[[], None]) -> None:
        self._state = state
        self._on_change = on_change
        self._children: dict[PaymentId, workflow.ChildWorkflowHandle[PaymentWorkflow, PaymentEnd]] = {}
        """Of this run; those that an earlier run started end unseen."""

    def add(self, scheduled: PaymentScheduled) -> None:
        """Keep a payment that was scheduled; one that is known already is not added again."""
        if all(payment.payment_id != scheduled.payment_id for payment in self._state.payments):
            self._state.payments.append(
                OpenPayment(
                    payment_id=scheduled.payment_id,
                    amount=scheduled.amount,
                    pay_on=scheduled.pay_on,
                    starts_at=scheduled.starts_at,
                )
            )

    @property
    def wait_to_start(self) -> bool:
        """Return whether a payment has no workflow yet."""
        return any(payment.waits for payment in self._state.payments)

    async def start(self) -> None:
        """Start the workflow of each payment that has none."""
        for payment in self._state.payments:
            if payment.waits:
                await self._start(payment)
                payment.started = True

    async def abandon_unstarted(self) -> None:
        """Abandon the payments that were never started, because the bill is abandoned, deleted or paid otherwise."""
        for payment in self._state.payments:
            if payment.waits:
                await workflow.execute_local_activity_method(
                    MirrorActivities.abandon_write,
                    AbandonWrite(
                        subject_kind=WriteKind.PAYMENT,
                        subject_id=payment.payment_id,
                        actor=SYNCER,
                        why=f"its bill is {self._state.status.value}",
                    ),
                    **policies.decide(f"give the payment of {payment.amount} up with its bill"),
                )

    async def _start(self, payment: OpenPayment) -> None:
        state = self._state
        started = PaymentState(
            connection_id=state.connection_id,
            erp=state.erp,
            payment_id=payment.payment_id,
            bill_id=state.bill_id,
            bill_number=state.number,
            order_number=state.order_number,
            vendor=state.vendor,
            amount=payment.amount,
            pay_on=payment.pay_on,
            starts_at=payment.starts_at,
        )
        try:
            child = await workflow.start_child_workflow(
                PaymentWorkflow.run,
                started,
                id=contract.payment_workflow_id(payment.payment_id),
                # A payment that is in progress must end well even if its bill's workflow is closed.
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=contract.payment_summary(started),
                search_attributes=contract.payment_search_attributes(started),
            )
        except WorkflowAlreadyStartedError:  # by an earlier run; the payment reports to the open run
            workflow.logger.info("payment %s already has its workflow", payment.payment_id)
        else:
            self._children[payment.payment_id] = child
            child.add_done_callback(lambda ended: self._take_end(payment, ended))

    def _take_end(self, payment: OpenPayment, ended: "asyncio.Future[PaymentEnd]") -> None:
        """Handle the end of a payment's workflow: one that an operator stopped reported nothing and is awaited no
        longer."""
        if ended.cancelled() or ended.exception() is not None:
            payment.done = True
            self._on_change()

    @property
    def reported_have_ended(self) -> bool:
        """Return whether every payment that has reported has also ended.

        The end of one that has not would be a message to a bill that closes.
        """
        reported = {payment.payment_id for payment in self._state.payments if payment.done}
        return all(child.done() for payment_id, child in self._children.items() if payment_id in reported)
