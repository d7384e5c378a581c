"""Notify workflows from activities that something changed; each message may arrive twice without harm.

An activity notifies after its transaction is committed, so a workflow never learns of what is not stored. An order's
workflow is started if it does not run (signal-with-start). A bill's workflow that had ended is started if the bill is
open again. Any other finished workflow of a bill or payment needs no message.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models import contract
from models.domain.ids import BillId, ConnectionId
from models.domain.outbox import NotTaken
from models.messages.backfills import BackfillRun
from models.messages.bills import BillBalance, BillState
from models.messages.credits import CreditApplicationState
from models.messages.list_changes import ListChangeState
from models.messages.orders import BillPushed, OrderFacts, PurchaseOrderState
from models.messages.outbox import ActivityToRetry, ScheduleToSet, SignalToSend
from models.messages.payments import PaymentState
from models.messages.source_orders import SourceOrderState
from models.messages.sync import SyncState, SyncWaits
from temporal_gateway import gateway
from temporal_gateway.deferred import retry_activity_now
from temporal_gateway.errors import GatewayError


class WorkflowNotifier:
    """Sends messages to the workflows of one Temporal namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def signal(self, signal: SignalToSend) -> bool:
        """Deliver a message of the outbox to a workflow that runs. False: it does not.

        Raises:
            NotTaken: Temporal is not reached.
        """
        with _taking():
            return await self._signal(signal.workflow_id, signal.signal, *_arguments(signal))

    async def signal_with_start(self, signal: SignalToSend) -> None:
        """Deliver a message of the outbox to its workflow, starting it with the message if need be.

        Raises:
            ValueError: The message has nothing to start its workflow with.
            NotTaken: Temporal is not reached.
        """
        with _taking():
            await self._signal_with_start(signal)

    async def _signal_with_start(self, signal: SignalToSend) -> None:
        match signal.start:
            case PurchaseOrderState() as order:
                assert order.facts is not None, "a workflow is started with what the mirror knows of the order"
                await self._start_order(
                    order,
                    order.facts,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    start_signal=signal.signal,
                    start_signal_args=_arguments(signal),
                )
            case BillState() as bill:
                await self._start_bill(bill, start_signal=signal.signal, start_signal_args=_arguments(signal))
            case PaymentState() as payment:
                await self._start_payment(payment, start_signal=signal.signal, start_signal_args=_arguments(signal))
            case SyncState() as sync:
                await self._client.start_workflow(
                    contract.SYNC_WORKFLOW,
                    sync,
                    id=signal.workflow_id,
                    task_queue=contract.TASK_QUEUE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    start_signal=signal.signal,
                    start_signal_args=_arguments(signal),
                    static_summary=contract.sync_summary(sync.connection_id, sync.trigger),
                    search_attributes=contract.connection_search_attributes(sync.connection_id, sync.erp),
                )
            case BackfillRun() as backfill:
                await self._client.start_workflow(
                    contract.BACKFILL_WORKFLOW,
                    backfill,
                    id=signal.workflow_id,
                    task_queue=contract.TASK_QUEUE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    start_signal=signal.signal,
                    start_signal_args=_arguments(signal),
                    static_summary=f"Backfill of {backfill.connection_id}",
                    search_attributes=contract.connection_search_attributes(backfill.connection_id, backfill.erp),
                )
            case SourceOrderState() as source_order:
                await self.start_source_order(
                    source_order, start_signal=signal.signal, start_signal_args=_arguments(signal)
                )
            case CreditApplicationState() as application:
                await self.start_credit_application(
                    application, start_signal=signal.signal, start_signal_args=_arguments(signal)
                )
            case ListChangeState() as change:
                await self.start_list_change(change, start_signal=signal.signal, start_signal_args=_arguments(signal))
            case None:
                raise ValueError(f"{signal.workflow_id} is not to be started")

    async def set_schedule(self, schedule: ScheduleToSet) -> None:
        """Make, change or remove the schedule of a connection's syncs.

        Raises:
            NotTaken: Temporal is not reached.
        """
        with _taking():
            await gateway.set_schedule(self._client, schedule)

    async def retry_activity(self, activity: ActivityToRetry) -> None:
        """Have an activity that waits for a late answer of the ERP try again now.

        Raises:
            NotTaken: Temporal is not reached.
        """
        with _taking():
            await retry_activity_now(self._client, **activity._asdict())

    async def order_changed(self, order: PurchaseOrderState, facts: OrderFacts, *, new: bool = False) -> None:
        """Notify the order's workflow of what the mirror now holds; start the workflow if it does not run.

        The workflow of a `new` order hardly ever runs yet: it is started with the facts and needs no signal that
        repeats them.
        """
        if new:
            try:
                await self._start_order(order, facts)
            except WorkflowAlreadyStartedError:
                pass  # a bill started it first
            else:
                return
        await self._notify_order(order, facts, contract.ORDER_CHANGED, facts)

    async def rematch(self, order: PurchaseOrderState, why: str) -> None:
        """Have the order's bills in review matched again because something other than the order changed."""
        assert order.facts is not None, "an order to rematch was read with what the mirror knows of it"
        await self._notify_order(order, order.facts, contract.REMATCH, why)

    async def bill_pushed(self, order: PurchaseOrderState, facts: OrderFacts, pushed: BillPushed) -> None:
        """Notify the order's workflow of how the push of one of its bills ended; start it where it does not run."""
        if await self._signal(contract.order_workflow_id(order), contract.BILL_PUSHED, pushed):
            return
        await self._notify_order(order, facts, contract.BILL_PUSHED, pushed)

    async def bill_changed(self, bill_id: BillId, now: BillBalance, *, restart: BillState | None = None) -> None:
        """Notify a bill's workflow of what is paid and due.

        Start it from `restart` if it has ended and the bill is open.
        """
        await self._notify_bill(bill_id, contract.BILL_CHANGED, now, restart)

    async def sync_waits(self, connection_id: ConnectionId, waits: SyncWaits) -> None:
        """Notify a connection's sync run of why it cannot read, for those who look at it in Temporal."""
        await self._signal(contract.sync_workflow_id(connection_id), contract.SYNC_WAITS, waits)

    async def turn_came(self, bill_id: BillId) -> None:
        """Notify a bill's workflow that the write before its own on the same order is done.

        An ended workflow needs no message.
        """
        await self._signal(contract.bill_workflow_id(bill_id), contract.TURN_CAME)

    async def _notify_bill(self, bill_id: BillId, signal: str, message: BillBalance, restart: BillState | None) -> bool:
        if await self._signal(contract.bill_workflow_id(bill_id), signal, message):
            return True
        if restart is None:
            return False
        await self._start_bill(restart, start_signal=signal, start_signal_args=[message])
        return True

    async def _signal(self, workflow_id: str, signal: str, *message: BaseModel | str) -> bool:
        try:
            await self._client.get_workflow_handle(workflow_id).signal(signal, *message)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    # --- what runs, and what is to run again -----------------------------------------------------------------

    async def listed_as_running(self, connection_id: ConnectionId, workflow: str) -> set[str]:
        """Return the ids of a connection's running workflows of one type as Temporal lists them.

        The list lags by seconds.
        """
        query = (
            f"{contract.CONNECTION.name} = '{connection_id}' and WorkflowType = '{workflow}'"
            " and ExecutionStatus = 'Running'"
        )
        return {result.id async for result in self._client.list_workflows(query)}

    async def runs(self, workflow_id: str) -> bool:
        """Return whether a workflow runs right now; the list lags, and one that was started may have ended."""
        try:
            result = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return result.status is WorkflowExecutionStatus.RUNNING

    async def _start(
        self,
        workflow: str,
        state: BaseModel,
        workflow_id: str,
        summary: str,
        attributes: TypedSearchAttributes,
        **more: Any,
    ) -> None:
        """Start a workflow, whether or not one ran before under its id; leave a running one as it is."""
        await self._client.start_workflow(
            workflow,
            state,
            id=workflow_id,
            task_queue=contract.TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=summary,
            search_attributes=attributes,
            **more,
        )

    async def start_bill(self, bill: BillState) -> None:
        """Start a bill's workflow, whether or not it ran before; leave a running one as it is."""
        await self._start_bill(bill)

    async def _start_bill(self, bill: BillState, **with_signal: Any) -> None:
        await self._start(
            contract.BILL_WORKFLOW,
            bill,
            contract.bill_workflow_id(bill.bill_id),
            contract.bill_summary(bill),
            contract.bill_search_attributes(bill),
            **with_signal,
        )

    async def start_payment(self, payment: PaymentState) -> None:
        """Start a payment's workflow, whether or not it ran before; leave a running one as it is."""
        await self._start_payment(payment)

    async def _start_payment(self, payment: PaymentState, **with_signal: Any) -> None:
        await self._start(
            contract.PAYMENT_WORKFLOW,
            payment,
            contract.payment_workflow_id(payment.payment_id),
            contract.payment_summary(payment),
            contract.payment_search_attributes(payment),
            **with_signal,
        )

    async def start_source_order(self, order: SourceOrderState, **with_signal: Any) -> None:
        """Start the upload of a source order, whether or not one ran before; leave a running one as it is."""
        await self._start(
            contract.SOURCE_ORDER_WORKFLOW,
            order,
            contract.source_order_workflow_id(order.source_order_id),
            contract.source_order_summary(order),
            contract.source_order_search_attributes(order),
            **with_signal,
        )

    async def start_credit_application(self, application: CreditApplicationState, **with_signal: Any) -> None:
        """Start the workflow of an application, whether or not one ran before; leave a running one as it is."""
        await self._start(
            contract.CREDIT_APPLICATION_WORKFLOW,
            application,
            contract.credit_application_workflow_id(application.application_id),
            contract.credit_application_summary(application),
            contract.credit_application_search_attributes(application),
            **with_signal,
        )

    async def start_list_change(self, change: ListChangeState, **with_signal: Any) -> None:
        """Start the workflow of a change to a list, whether or not one ran before; leave a running one as it is."""
        await self._start(
            contract.LIST_CHANGE_WORKFLOW,
            change,
            contract.list_change_workflow_id(change.change_id),
            contract.list_change_summary(change),
            contract.list_change_search_attributes(change),
            **with_signal,
        )

    async def _notify_order(
        self,
        order: PurchaseOrderState,
        facts: OrderFacts,
        signal: str,
        message: BaseModel | str,
    ) -> None:
        await self._start_order(
            order,
            facts,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=[message],
        )

    async def _start_order(self, order: PurchaseOrderState, facts: OrderFacts, **with_signal: Any) -> None:
        await self._client.start_workflow(
            contract.PURCHASE_ORDER_WORKFLOW,
            order.model_copy(update={"facts": facts}),
            id=contract.order_workflow_id(order),
            task_queue=contract.TASK_QUEUE,
            static_summary=contract.order_summary(facts),
            search_attributes=contract.order_search_attributes(order.connection_id, order.erp, facts),
            **with_signal,
        )


def _arguments(signal: SignalToSend) -> list[BaseModel | str]:
    return [] if signal.argument is None else [signal.argument]


@contextmanager
def _taking() -> Iterator[None]:
    """Say in one line that Temporal is away; every other error stays as it is."""
    try:
        yield
    except RPCError as error:
        if error.status not in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
            raise
        raise NotTaken(f"Temporal does not answer: {' '.join(error.message.split())}") from error
    except (GatewayError, RuntimeError) as error:  # of a client that never connected
        if not isinstance(error, GatewayError) and not gateway.never_connected(error):
            raise
        raise NotTaken("There is no connection to Temporal yet.") from error
