"""Start workflows that should run and do not: an operator terminated, cancelled or deleted them.

The outbox delivers accepted work to its workflow. From then on every sync run compares what is open in the mirror with
what runs, whatever its status, and starts what is missing. What an earlier run of such a workflow did is in the mirror
and in the ERP, and its next run looks there before it sends anything (DESIGN section 5).
"""

import asyncio
import logging
from collections.abc import Sequence

from models import contract
from models.domain.ids import (
    SYNCER,
    BackfillId,
    BillId,
    ConnectionId,
    CreditApplicationId,
    ListChangeId,
    SourceOrderId,
)
from models.store.audit import sync_issues
from models.store.base.database import Database
from models.store.payables import bill_hand_over, credit_applications, open_work, payments, standalone_payments
from models.store.payables.open_work import SETTLED, OpenBill, OpenPayment
from models.store.source_orders import uploading
from models.store.sync import backfills, list_changes
from services.bills.workflow_start import NOT_SETTLED, bill_start
from services.outbox.kinds import backfill_asked
from temporal_gateway.notifier import WorkflowNotifier

log = logging.getLogger(__name__)

AT_ONCE = 20


class MissingWorkflows:
    """Starts the missing workflows of one connection."""

    def __init__(self, database: Database, notifier: WorkflowNotifier, connection_id: ConnectionId) -> None:
        self._database = database
        self._notifier = notifier
        self._connection_id = connection_id
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def start(self) -> None:
        """Compare what is open in the mirror (bills, payments, uploads, applications, list changes, backfills) with the
        workflows that run, and start the missing ones."""
        async with self._database.statement() as session:
            bills = await open_work.open_bills(session, self._connection_id)
            unfinished = await open_work.open_payments(session, self._connection_id)
            uploads = await uploading.open_uploads(session, self._connection_id)
            applications = await credit_applications.open_applications(session, self._connection_id)
            changes = await list_changes.open_changes(session, self._connection_id)
            unread = await backfills.running(session, self._connection_id)
        if bills:
            listed = await self._notifier.listed_as_running(self._connection_id, contract.BILL_WORKFLOW)
            missing = [bill.id for bill in bills if contract.bill_workflow_id(bill.id) not in listed]
            await asyncio.gather(*(self._start_bill(bill_id) for bill_id in missing))
            await self._bring_to_orders([bill for bill in bills if bill.reserves])
        if unfinished:
            listed = await self._notifier.listed_as_running(self._connection_id, contract.PAYMENT_WORKFLOW)
            waiting = [one for one in unfinished if contract.payment_workflow_id(one.state.payment_id) not in listed]
            await asyncio.gather(*(self._start_payment(payment) for payment in waiting))
        if uploads:
            listed = await self._notifier.listed_as_running(self._connection_id, contract.SOURCE_ORDER_WORKFLOW)
            gone = [one for one in uploads if contract.source_order_workflow_id(one) not in listed]
            await asyncio.gather(*(self._start_upload(order_id) for order_id in gone))

        if applications:
            listed = await self._notifier.listed_as_running(self._connection_id, contract.CREDIT_APPLICATION_WORKFLOW)
            lost = [one for one in applications if contract.credit_application_workflow_id(one) not in listed]
            await asyncio.gather(*(self._start_application(application_id) for application_id in lost))
        if changes:
            listed = await self._notifier.listed_as_running(self._connection_id, contract.LIST_CHANGE_WORKFLOW)
            unsent = [one for one in changes if contract.list_change_workflow_id(one) not in listed]
            await asyncio.gather(*(self._start_list_change(change_id) for change_id in unsent))
        await asyncio.gather(*(self._start_backfill(backfill_id) for backfill_id in unread))

    async def _start_backfill(self, backfill_id: BackfillId) -> None:
        workflow_id = contract.backfill_workflow_id(self._connection_id, backfill_id)
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            async with self._database.transaction() as session:
                signal = await backfill_asked(session, backfill_id)
            if signal is not None:
                log.warning("%s does not run although its backfill is not over: started", workflow_id)
                await self._notifier.signal_with_start(signal)

    async def _start_list_change(self, change_id: ListChangeId) -> None:
        workflow_id = contract.list_change_workflow_id(change_id)
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            async with self._database.transaction() as session:
                state = await list_changes.state_of(session, change_id)
            if state is not None:
                log.warning("%s does not run although its change is being sent: started", workflow_id)
                await self._notifier.start_list_change(state)

    async def _start_application(self, application_id: CreditApplicationId) -> None:
        workflow_id = contract.credit_application_workflow_id(application_id)
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            async with self._database.transaction() as session:
                state = await credit_applications.state_of(session, application_id)
            if state is not None:
                log.warning("%s does not run although it is %s: started", workflow_id, state.status)
                await self._notifier.start_credit_application(state)

    async def _start_upload(self, order_id: SourceOrderId) -> None:
        workflow_id = contract.source_order_workflow_id(order_id)
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            async with self._database.transaction() as session:
                state = await uploading.state_of(session, order_id)
            if state is not None:
                log.warning("%s does not run although its order is uploading: started", workflow_id)
                await self._notifier.start_source_order(state)

    async def _start_bill(self, bill_id: BillId) -> None:
        workflow_id = contract.bill_workflow_id(bill_id)
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            async with self._database.transaction() as session:
                bill = await bill_start(session, bill_id)
                if bill is None:  # settled meanwhile
                    return
                await sync_issues.close_waiting_for(session, workflow_id, actor=SYNCER)
            log.warning("%s does not run although its bill is %s: started", workflow_id, bill.status)
            await self._notifier.start_bill(bill)

    async def _bring_to_orders(self, bills: Sequence[OpenBill]) -> None:
        """Notify orders' workflows that do not run any more of the bills which the ERP does not show on them yet."""
        by_order: dict[str, list[BillId]] = {}
        for bill in bills:
            if bill.order_workflow_id is not None:
                by_order.setdefault(bill.order_workflow_id, []).append(bill.id)
        await asyncio.gather(*(self._bring_to_order(order, bill_ids) for order, bill_ids in by_order.items()))

    async def _bring_to_order(self, workflow_id: str, bill_ids: Sequence[BillId]) -> None:
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            log.warning("%s does not run although %d of its bills are open: started", workflow_id, len(bill_ids))
            async with self._database.transaction() as session:
                await sync_issues.close_waiting_for(session, workflow_id, actor=SYNCER)
            for bill_id in bill_ids:
                async with self._database.transaction() as session:
                    signal = await bill_hand_over.bill_accepted(session, bill_id, NOT_SETTLED)
                if signal is not None:
                    await self._notifier.signal_with_start(signal)

    async def _start_payment(self, payment: OpenPayment) -> None:
        payment_id = payment.state.payment_id
        workflow_id = contract.payment_workflow_id(payment_id)
        async with self._gate:
            if await self._notifier.runs(workflow_id):
                return
            async with self._database.transaction() as session:
                await standalone_payments.lock_shared(session, payment_id)  # bills before payments, as everywhere
                await sync_issues.close_waiting_for(session, workflow_id, actor=SYNCER)
                if payment.bill_status in SETTLED and await payments.abandon(
                    session, payment_id, actor=SYNCER, why=f"its bill is {payment.bill_status}"
                ):
                    return  # never sent, and nothing is left to pay
            log.warning("%s does not run although it is %s: started", workflow_id, payment.state.status)
            await self._notifier.start_payment(payment.state)
