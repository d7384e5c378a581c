"""Run short transactions in our own database that decide something. Most of them run as local activities.

Each is one transaction and safe to run twice: ids are derived from the caller's key, so a second run finds what the
first one saved and returns the same answer.
"""

from temporalio import activity

from models.domain.ids import BillId, PaymentId, SyncIssueId
from models.domain.writes import WriteKind
from models.messages.issues import CloseIssue, OpenIssue, SettleIssue
from models.messages.orders import BillOnOrder, BillPushed
from models.messages.writes import AbandonedWrite, AbandonWrite
from models.store.audit import sync_issues
from models.store.base.database import Database
from models.store.payables import (
    bill_hand_over,
    bills,
    payment_voids,
    payments,
    pending_edits,
    retractions,
    standalone_payments,
)
from services.bills import parts
from services.issues.write_issues import stop_behind_issue
from services.payments.fees_taken_back import take_back_fees


class MirrorActivities:
    """Decisions made in our own database. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- bills -------------------------------------------------------------------------------------------------

    @activity.defn
    async def bill_on_order(self, asked: BillOnOrder) -> BillPushed:
        """Return a bill's current status, and whether its order shows it."""
        async with self._database.transaction() as session:
            return await bill_hand_over.on_order(session, asked)

    @activity.defn
    async def abandon_write(self, abandon: AbandonWrite) -> AbandonedWrite:
        """Abandon a bill or a payment that the ERP never took, or an edit; say whether that could be done.

        A bill or payment that the ERP holds or may hold is not abandoned. A bill whose retraction is abandoned stays in
        the ERP. An edit is not sent any more; where the ERP
        certainly does not have it, the bill is put back to what the ERP holds.
        """
        why = abandon.why or "abandoned"
        async with self._database.transaction() as session:
            if abandon.subject_kind is WriteKind.BILL_EDIT:
                done = await pending_edits.abandon(
                    session,
                    BillId(abandon.subject_id),
                    abandon.edition,
                    actor=abandon.actor,
                    why=why,
                    in_doubt=abandon.in_doubt,
                )
                back = await pending_edits.get(session, BillId(abandon.subject_id)) if done else None
                return AbandonedWrite(done=done, edition=0 if back is None else back.edition)
            if abandon.subject_kind is WriteKind.BILL_RETRACTION:
                bill_id = BillId(abandon.subject_id)
                done = await retractions.leave_in_erp(session, bill_id, actor=abandon.actor, why=why)
                return AbandonedWrite(done=done, bill=await bills.balance(session, bill_id))
            if abandon.subject_kind is WriteKind.BILL:
                bill_id = BillId(abandon.subject_id)
                if await bills.abandon(session, bill_id, actor=abandon.actor, why=why):
                    return AbandonedWrite(done=True)
                if await parts.take_back_what_is_there(session, bill_id, actor=abandon.actor, why=why):
                    return AbandonedWrite(done=False, bill=await bills.balance(session, bill_id))
                return AbandonedWrite(done=False)
            payment_id = PaymentId(abandon.subject_id)
            if abandon.subject_kind is WriteKind.PAYMENT_VOID:
                done = await payment_voids.leave(session, payment_id, actor=abandon.actor, why=why)
                return AbandonedWrite(done=done, bill=await payments.bill_now(session, payment_id))
            await standalone_payments.lock_shared(session, payment_id)  # bills before payments, as everywhere
            done = await payments.abandon(session, payment_id, actor=abandon.actor, why=why)
            await take_back_fees(session, payment_id, request_key=f"{payment_id} abandoned")
            return AbandonedWrite(done=done, bill=await payments.bill_now(session, payment_id))

    # --- issues ------------------------------------------------------------------------------------------------

    @activity.defn
    async def open_issue(self, issue: OpenIssue) -> SyncIssueId | None:
        """Open the issue that a workflow waits behind; None: what it would stop has ended, or is in review."""
        async with self._database.transaction() as session:
            return await stop_behind_issue(session, issue)

    @activity.defn
    async def close_issue(self, close: CloseIssue) -> SettleIssue | None:
        """Close an issue: a person decided on it, or what it waited for happened.

        Closed for another attempt, it stays open where a person decided to abandon meanwhile; returns that decision.
        """
        async with self._database.transaction() as session:
            if close.for_retry and (abandon := await sync_issues.decided_to_abandon(session, close.issue_id)):
                return abandon
            await sync_issues.close(session, close.issue_id, close.state, close.actor)
            return None
