"""Ringing at workflows from activities: a word that something changed, safe to hear twice.

An activity rings after its transaction is committed, so a workflow never hears of what is not there. Ringing starts
an order's workflow if it is not running (signal-with-start), and a bill's that had ended if the bill is open again; any
other finished bill or payment workflow needs no word.
"""

from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models.domain import BillId
from models.messages import BillEdited, BillNow, BillPushed, BillState, OrderFacts, PurchaseOrderState
from workflows import contract


class Doorbell:
    """Reaches the workflows of one Temporal namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def order_changed(self, order: PurchaseOrderState, facts: OrderFacts, *, new: bool = False) -> None:
        """Tell the order's workflow what the mirror now holds, starting the workflow if need be.

        A `new` order has hardly a workflow yet: it is started with the facts, and needs no signal that repeats them.
        """
        if new:
            try:
                await self._start_order(order, facts)
            except WorkflowAlreadyStartedError:
                pass  # a bill was faster
            else:
                return
        await self._ring_order(order, facts, contract.ORDER_CHANGED, facts)

    async def match_again(self, order: PurchaseOrderState, why: str) -> None:
        """Have the order's waiting bills matched again, because something else than the order changed."""
        assert order.facts is not None, "whoever waits was read with what the mirror knows of the order"
        await self._ring_order(order, order.facts, contract.MATCH_AGAIN, why)

    async def bill_pushed(self, order: PurchaseOrderState, facts: OrderFacts, pushed: BillPushed) -> None:
        """Tell the order's workflow how a push of one of its bills ended."""
        await self._ring_order(order, facts, contract.BILL_PUSHED, pushed)

    async def bill_changed(self, bill_id: BillId, now: BillNow, *, again: BillState | None = None) -> None:
        """Tell a bill's workflow what is paid and due; if it has finished, start it `again` where the bill is open."""
        await self._ring_bill(bill_id, contract.BILL_CHANGED, now, again)

    async def bill_edited(self, edited: BillEdited, *, again: BillState | None = None) -> bool:
        """Tell a bill's workflow that an edit is to be sent, or start it `again`. False: it has finished for good."""
        return await self._ring_bill(edited.bill_id, contract.BILL_EDITED, edited, again)

    async def _ring_bill(
        self, bill_id: BillId, signal: str, word: BillNow | BillEdited, again: BillState | None
    ) -> bool:
        try:
            await self._client.get_workflow_handle(contract.bill_workflow_id(bill_id)).signal(signal, word)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            return True
        if again is None:
            return False
        await self._client.start_workflow(
            contract.BILL_WORKFLOW,
            again,
            id=contract.bill_workflow_id(bill_id),
            task_queue=contract.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=[word],
            static_summary=contract.bill_summary(again),
            search_attributes=contract.bill_search_attributes(again),
        )
        return True

    async def _ring_order(
        self, order: PurchaseOrderState, facts: OrderFacts, signal: str, word: OrderFacts | BillPushed | str
    ) -> None:
        await self._start_order(
            order,
            facts,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=[word],
        )

    async def _start_order(self, order: PurchaseOrderState, facts: OrderFacts, **with_signal: Any) -> None:
        await self._client.start_workflow(
            contract.PURCHASE_ORDER_WORKFLOW,
            order.model_copy(update={"facts": facts}),
            id=contract.purchase_order_workflow_id(order.connection_id, order.erp_id),
            task_queue=contract.TASK_QUEUE,
            static_summary=contract.order_summary(facts),
            search_attributes=contract.order_search_attributes(order.connection_id, order.erp, facts),
            **with_signal,
        )
