"""Waking the workflows of changed orders, after the mirror holds the change: governed, resumable, never twice for one
content. Orders are usable before their workflow is awake, because create_bill starts it (DESIGN section 4)."""

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.bill_news import tell
from activities.doorbell import Doorbell
from models.domain import BillStatus, ConnectionId, Erp
from models.messages import BillEdited, FinishSyncRun, PurchaseOrderState, WakePurchaseOrders, WokenPurchaseOrders
from models.store import (
    bill_life,
    bill_news,
    connections,
    match_again,
    pending_edits,
    purchase_orders,
    requests,
    sync_issues,
    sync_runs,
    waiting_bills,
)
from models.store.bills import SYNCER
from models.store.database import Database
from workflows import contract

CLOSED = (BillStatus.PAID, BillStatus.ABANDONED, BillStatus.DELETED)
"""The workflow of such a bill has ended, or is about to."""

AT_ONCE = 40
"""Signals under way at a time: enough to keep Temporal busy, too few to drown it."""


class WakingActivities:
    """What a sync run does with Temporal and our own database, without the ERP. One instance per worker."""

    def __init__(self, database: Database, doorbell: Doorbell, *, keep_answers: timedelta = timedelta(days=30)) -> None:
        self._database = database
        self._doorbell = doorbell
        self._keep_answers = keep_answers

    @activity.defn
    async def wake_purchase_orders(self, wake: WakePurchaseOrders) -> WokenPurchaseOrders:
        """Start or signal up to `limit` orders whose content their workflow has not heard of; at the end also the
        bills with an edit that is not in the ERP yet or with news that a page did not tell, and the orders of bills
        that are to be matched again."""
        async with self._database.transaction() as session:
            row = await connections.get(session, wake.connection_id)
            assert row is not None, "a workflow's connection is never removed"
            to_wake = await purchase_orders.to_wake(session, wake.connection_id, wake.limit)
        gate = asyncio.Semaphore(AT_ONCE)

        async def ring(order: purchase_orders.WakeRow) -> None:
            async with gate:
                state = PurchaseOrderState(
                    connection_id=wake.connection_id,
                    erp=Erp(row.erp),
                    purchase_order_id=order.id,
                    erp_id=order.erp_id,
                )
                await self._doorbell.order_changed(state, order.facts, new=order.new)

        await asyncio.gather(*(ring(order) for order in to_wake))
        async with self._database.transaction() as session:
            await purchase_orders.mark_woken(session, [(order.id, order.content_hash) for order in to_wake])
        more = len(to_wake) == wake.limit
        if not more:
            await self._ring_for_edits(wake.connection_id)
            await self._ring_for_news(wake.connection_id)
            await self._ring_for_waiting_bills(wake.connection_id)
        return WokenPurchaseOrders(woken=len(to_wake), more=more)

    async def _ring_for_edits(self, connection_id: ConnectionId) -> None:
        """Whoever saved an edit may have died before telling the bill's workflow; hearing it twice does no harm."""
        async with self._database.transaction() as session:
            waiting = await pending_edits.waiting(session, connection_id)
        for edit in waiting:
            async with self._database.transaction() as session:
                again = await bill_life.again(
                    session, edit.bill_id, order_workflow_id=contract.purchase_order_workflow_id
                )
            word = BillEdited(bill_id=edit.bill_id, edition=edit.edition)
            heard = await self._doorbell.bill_edited(word, again=again)
            if not heard and edit.status in CLOSED:  # closed before anybody heard of the edit: it never left
                async with self._database.transaction() as session:
                    await pending_edits.give_up(
                        session,
                        edit.bill_id,
                        edit.edition,
                        actor=SYNCER,
                        why=f"the bill is {edit.status.value}",
                        maybe_there=False,
                    )

    async def _ring_for_news(self, connection_id: ConnectionId) -> None:
        """A page that brought news of a bill may have died before telling the bill's workflow."""
        async with self._database.statement() as session:
            left = await bill_news.untold(session, connection_id)
        await tell(self._database, self._doorbell, left)

    async def _ring_for_waiting_bills(self, connection_id: ConnectionId) -> None:
        """Bills that wait for somebody may need nobody any more: their orders' workflows match them again."""
        async with self._database.transaction() as session:
            asked = await match_again.asked(session, [connection_id])
            orders = await waiting_bills.orders(session, connection_id) if asked else []
        for word in asked:
            for start in range(0, len(orders), AT_ONCE):
                await asyncio.gather(
                    *(self._doorbell.match_again(order, word.why) for order in orders[start : start + AT_ONCE])
                )
        if asked:
            async with self._database.transaction() as session:
                await match_again.told(session, asked)

    @activity.defn
    async def finish_sync_run(self, finish: FinishSyncRun) -> None:
        """Close the run's record with what it did, or with why it stopped; and forget what was kept long enough."""
        async with self._database.statement() as session:
            await requests.forget_answers(session, self._keep_answers)
        run_id = finish.run_id or sync_runs.sync_run_id(finish.workflow_run_id)
        async with self._database.transaction() as session:
            run = await sync_runs.get(session, run_id)
            if run is None or run.state != "running":
                return  # closed by an earlier run of this activity: its counts are in already
            await sync_runs.finish(
                session,
                run_id,
                finish.state,
                counts=finish.counts,
                problem_code=finish.problem_code,
                problem_message=finish.problem_message,
            )
            if finish.state == "completed":  # what stopped an earlier run stops none any more
                await sync_issues.close_for_subject(
                    session, finish.connection_id, "connection", finish.connection_id, actor=SYNCER
                )
