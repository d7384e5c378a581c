"""Notify the workflows of changed orders after the mirror holds the change: limited, resumable, once per content.

Orders can be used before their workflow runs: an accepted bill starts it (DESIGN section 4).
"""

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.missing_workflows import MissingWorkflows
from models import contract
from models.domain.connections import Erp
from models.domain.ids import SYNCER, ConnectionId
from models.domain.issue_states import IssueSubject
from models.domain.sync import SyncRunState
from models.messages.orders import PurchaseOrderState
from models.messages.sync import FinishSyncRun, NotifiedOrders, NotifyChangedOrders
from models.store.audit import exchanges, requests, sync_issues
from models.store.base.database import Database
from models.store.connections import connections
from models.store.orders import purchase_orders
from models.store.payables import bills_in_review, pending_edits
from models.store.policies import rematch_requests
from models.store.sync import change_hints, sync_runs
from services.bills.direct_rematch import rematch_direct_bills
from services.outbox.delivery import OutboxDelivery
from services.payments.fees_taken_back import ended_with_fees, take_back_fees
from services.sync import billed_elsewhere, first_come
from temporal_gateway.notifier import WorkflowNotifier

AT_ONCE = 40
"""How many signals are sent at a time: enough to keep Temporal busy, too few to overload it."""


class NotifyActivities:
    """The part of a sync run that uses Temporal and our own database, without the ERP. One instance per worker."""

    def __init__(
        self, database: Database, notifier: WorkflowNotifier, *, keep_answers: timedelta = timedelta(days=30)
    ) -> None:
        self._database = database
        self._notifier = notifier
        self._outbox = OutboxDelivery(database, notifier)
        self._keep_answers = keep_answers

    @activity.defn
    async def notify_changed_orders(self, request: NotifyChangedOrders) -> NotifiedOrders:
        """Start or signal up to `limit` orders whose content their workflow has not heard of. Older orders that a
        backfill under way brings in are left to it, and it waits while a sync is under way.

        At the end also deliver what the outbox still holds, start what should run and does not, put back edits that
        nobody sends any more, take back the fees of payments that ended, and tell the orders of bills that are to be
        matched again.
        """
        async with self._database.statement() as session:
            of_backfill = await first_come.is_backfill(session, request.run_id)
        if of_backfill:
            await first_come.let_sync_go_first(self._database, request.connection_id)
        async with self._database.transaction() as session:
            row = await connections.get(session, request.connection_id)
            assert row is not None, "a workflow's connection is never removed"
            since = None if of_backfill else await first_come.oldest_to_notify(session, row)
            to_notify = await purchase_orders.to_notify(session, request.connection_id, request.limit, new_since=since)
        gate = asyncio.Semaphore(AT_ONCE)

        async def send(order: purchase_orders.OrderToNotify) -> None:
            async with gate:
                state = PurchaseOrderState(
                    connection_id=request.connection_id,
                    erp=Erp(row.erp),
                    purchase_order_id=order.id,
                    erp_id=order.erp_id,
                    workflow_id=order.workflow_id,
                )
                await self._notifier.order_changed(state, order.facts, new=order.new)

        await asyncio.gather(*(send(order) for order in to_notify))
        async with self._database.transaction() as session:
            await purchase_orders.mark_notified(session, [(order.id, order.content_hash) for order in to_notify])
            await billed_elsewhere.report(session, row, [order.id for order in to_notify])
        more = len(to_notify) == request.limit
        if not more:
            await self._outbox.deliver_left_over(request.connection_id)
            await MissingWorkflows(self._database, self._notifier, request.connection_id).start()
            await self._put_back_edits(request.connection_id)
            await self._take_back_fees(request.connection_id)
            await self._request_rematches(request.connection_id)
        return NotifiedOrders(notified=len(to_notify), more=more)

    async def _put_back_edits(self, connection_id: ConnectionId) -> None:
        """Put back edits of bills that were closed before their workflows had sent them: nobody sends them any more."""
        async with self._database.statement() as session:
            waiting = await pending_edits.waiting(session, connection_id)
        for edit in waiting:
            if edit.status.is_closed and not await self._notifier.runs(contract.bill_workflow_id(edit.bill_id)):
                async with self._database.transaction() as session:
                    await pending_edits.abandon(
                        session,
                        edit.bill_id,
                        edit.edition,
                        actor=SYNCER,
                        why=f"the bill is {edit.status.value}",
                        in_doubt=False,
                    )

    async def _take_back_fees(self, connection_id: ConnectionId) -> None:
        """Take back the credits of the fees of payments that were voided in the ERP: nobody was paid."""
        async with self._database.statement() as session:
            ended = await ended_with_fees(session, connection_id)
        for payment_id in ended:
            async with self._database.transaction() as session:
                owed = await take_back_fees(session, payment_id, request_key=f"{payment_id} ended")
            await self._outbox.deliver_new(owed)

    async def _request_rematches(self, connection_id: ConnectionId) -> None:
        """Have the orders of bills in review match them again: they may need no person any more."""
        async with self._database.transaction() as session:
            asked = await rematch_requests.pending(session, [connection_id])
            orders = await bills_in_review.orders(session, connection_id) if asked else []
            owed = await rematch_direct_bills(session, connection_id, asked[0].why) if asked else []
        await self._outbox.deliver_new(owed)
        for message in asked:
            for start in range(0, len(orders), AT_ONCE):
                await asyncio.gather(
                    *(self._notifier.rematch(order, message.why) for order in orders[start : start + AT_ONCE])
                )
        if asked:
            async with self._database.transaction() as session:
                await rematch_requests.clear(session, asked)

    @activity.defn
    async def finish_sync_run(self, finish: FinishSyncRun) -> None:
        """Close the run's record with its counts, or with why it stopped; delete answers stored long enough."""
        async with self._database.statement() as session:
            await requests.forget_answers(session, self._keep_answers)
            await exchanges.forget_reads(session, self._keep_answers)
        run_id = finish.run_id or sync_runs.sync_run_id(finish.workflow_run_id)
        async with self._database.transaction() as session:
            run = await sync_runs.get(session, run_id)
            if run is None or run.state != SyncRunState.RUNNING:
                return  # closed by an earlier run of this activity: its counts are in already
            await sync_runs.finish(
                session,
                run_id,
                finish.state,
                counts=finish.counts,
                problem_code=finish.problem_code,
                problem_message=finish.problem_message,
            )
            if finish.state is SyncRunState.COMPLETED:  # what stopped an earlier run is over
                await change_hints.done(session, finish.connection_id)
                await sync_issues.close_for_subject(
                    session, finish.connection_id, IssueSubject.CONNECTION, finish.connection_id, actor=SYNCER
                )
