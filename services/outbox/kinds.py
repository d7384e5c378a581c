"""Define per kind of message how it is built when it is delivered, and what happens when its workflow does not run."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models import contract
from models.domain.backfills import BackfillState
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import (
    BackfillId,
    BillId,
    ConnectionId,
    CreditApplicationId,
    ListChangeId,
    PaymentId,
    PurchaseOrderId,
    SourceOrderId,
    SyncIssueId,
)
from models.domain.issue_states import IssueDecision, IssueState
from models.domain.outbox import MessageKind, WhenNotRunning
from models.domain.sync import SyncTrigger
from models.messages.backfills import BackfillRun
from models.messages.bills import BillEdited, BillMatched, CorrectedBill
from models.messages.credits import ApplicationAsked
from models.messages.issues import SettleIssue
from models.messages.list_changes import ListChangeAsked
from models.messages.orders import BillAccepted, BillPushed
from models.messages.outbox import ActivityToRetry, Built, ScheduleToSet, SignalToSend
from models.messages.payments import PaymentAbandoned, PaymentDue, PaymentScheduled
from models.messages.source_orders import UploadAskedFor
from models.messages.sync import SyncState
from models.store.audit import events, sync_issues
from models.store.connections import connections
from models.store.payables import (
    bill_hand_over,
    bill_reads,
    bill_restart,
    bills,
    bills_in_review,
    credit_applications,
    open_work,
    payments,
    pending_edits,
)
from models.store.payables.bill_hand_over import STILL_TO_BE_SENT
from models.store.source_orders import uploading
from models.store.sync import backfills, list_changes
from services.bills import review
from services.bills.workflow_start import bill_start

BEFORE_ERP = [status for status in BillStatus if status.is_before_erp]


class Delivery(NamedTuple):
    """How one kind of message is delivered."""

    build: Callable[[AsyncSession, str], Awaitable[Built]]
    """Builds the message from the subject's id and the current data; None: there is nothing to send any more."""
    when_not_running: WhenNotRunning


async def bill_accepted(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that brings an accepted bill to its order, with what a person must still decide. Without an
    order, it starts the bill's own workflow."""
    bill_id = BillId(subject_id)
    signal = await bill_hand_over.bill_accepted(session, bill_id)
    if signal is None:
        return await _start_of(session, bill_id) if await _is_direct(session, bill_id) else None
    accepted = signal.argument
    assert isinstance(accepted, BillAccepted), "it is what the order's workflow takes"
    if not accepted.status.is_waiting:
        return signal
    waits = await review.waits_for(session, bill_id)
    if waits.status not in STILL_TO_BE_SENT:  # abandoned between the two reads
        return None
    now = {name: getattr(waits, name) for name in ("status", "version", "needs", "because")}
    return signal._replace(argument=accepted.model_copy(update=now))


async def _start_of(session: AsyncSession, bill_id: BillId) -> SignalToSend | None:
    """Build the message that a bill without an order begins with; None: it has gone out, or is abandoned."""
    now = await review.waits_for(session, bill_id)
    if now.status not in STILL_TO_BE_SENT:
        return None
    return SignalToSend(
        contract.bill_workflow_id(bill_id), contract.BILL_MATCHED, now, await bill_start(session, bill_id)
    )


async def bill_decided(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells a bill what people decided on its match or its approval: where it stands now."""
    bill_id = BillId(subject_id)
    now = await review.waits_for(session, bill_id)
    if now.status.is_closed:  # whoever closed it tells it
        return None
    return SignalToSend(
        contract.bill_workflow_id(bill_id),
        contract.BILL_MATCHED,
        now,
        starts_bill=bill_id,
        parent_starts_it=now.status in STILL_TO_BE_SENT and await _is_started_by_order(session, bill_id),
    )


async def bill_corrected(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells a bill what it says now, and on which order it is; None: it is no more."""
    bill_id = BillId(subject_id)
    signal = await bill_decided(session, subject_id)
    now = await bill_restart.state_of(session, bill_id, BEFORE_ERP)
    if signal is None or now is None:
        return None
    matched = signal.argument
    assert isinstance(matched, BillMatched), "it is what the bill's workflow takes"
    by = await events.last_actor(session, "bill", bill_id, "edited")
    corrected = CorrectedBill.model_validate({**now.model_dump(include=set(CorrectedBill.model_fields)), "by": by})
    return signal._replace(argument=matched.model_copy(update={"corrected": corrected}))


async def _is_direct(session: AsyncSession, bill_id: BillId) -> bool:
    bill = await bill_reads.get(session, bill_id)
    return bill is not None and bill.direct


async def _is_started_by_order(session: AsyncSession, bill_id: BillId) -> bool:
    """Return whether the bill's workflow is a child of its order's: not of one without an order, or made anew."""
    bill = await bill_reads.get(session, bill_id)
    return bill is not None and not bill.direct and bill.generation == 1


async def payment_scheduled(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that brings a payment to its bill, with what is due there now."""
    payment = await payments.to_hand_over(session, PaymentId(subject_id))
    if payment is None:  # it is made, or abandoned
        return None
    return SignalToSend(
        contract.bill_workflow_id(payment.bill_id),
        contract.PAYMENT_SCHEDULED,
        PaymentScheduled(
            payment_id=PaymentId(subject_id),
            amount=str(payment.amount),
            pay_on=payment.pay_on,
            starts_at=payment.starts_at,
            edition=payment.edition,
            bill=payment.bill,
        ),
        starts_bill=payment.bill_id,
        parent_starts_it=payment.bill.status in STILL_TO_BE_SENT
        and await _is_started_by_order(session, payment.bill_id),
    )


async def bill_changed(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells a bill what is paid and due now, or that it is no more; an open one is started."""
    bill_id = BillId(subject_id)
    return SignalToSend(
        contract.bill_workflow_id(bill_id),
        contract.BILL_CHANGED,
        await bills.balance(session, bill_id),
        await bill_restart.restart_state(session, bill_id),
    )


async def bill_off_order(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells an order that one of its bills is no more, or is disputed; None: it is again."""
    order_id, bill_id = subject_id.split(" ")
    order = await bills_in_review.order_state(session, PurchaseOrderId(order_id))
    bill = await bill_reads.get(session, BillId(bill_id))
    assert bill is not None, "a bill is never removed"
    status = BillStatus(bill.status)
    if not status.takes_nothing:
        if PurchaseOrderId(order_id) in await bills_in_review.orders_of(session, BillId(bill_id)):
            return None
        status = BillStatus.ABANDONED  # on this order; it is on another one now
    return SignalToSend(
        contract.order_workflow_id(order),
        contract.BILL_PUSHED,
        BillPushed(bill_id=BillId(bill_id), status=status, confirmed=False, facts=order.facts),
    )


async def bill_edited(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells a bill of the newest edit that the ERP does not hold; None: it holds all."""
    bill_id = BillId(subject_id)
    edit = await pending_edits.get(session, bill_id)
    if edit is None:
        return None
    return SignalToSend(
        contract.bill_workflow_id(bill_id),
        contract.BILL_EDITED,
        BillEdited(bill_id=bill_id, edition=edit.edition),
        starts_bill=bill_id,
    )


async def edit_to_rematch(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that has an order's bills matched again; None: the edited bill was sent, or is no more."""
    bill = await bill_reads.get(session, BillId(subject_id))
    assert bill is not None, "a bill is never removed"
    if not BillStatus(bill.status).is_unsent or bill.purchase_order_id is None:
        return None
    order = await bills_in_review.order_state(session, PurchaseOrderId(bill.purchase_order_id))
    return SignalToSend(
        contract.order_workflow_id(order),
        contract.REMATCH,
        f"bill {bill.number} was edited",
        order,
    )


async def payment_due(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that a payment which stands alone, or its void, begins with; None: it has ended."""
    payment_id = PaymentId(subject_id)
    state = await open_work.payment_alone(session, payment_id)
    if state is None or not state.status.is_under_way:
        return None
    due = PaymentDue(payment_id=payment_id, status=state.status)
    return SignalToSend(contract.payment_workflow_id(payment_id), contract.PAYMENT_DUE, due, state)


async def payment_abandoned(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells a payment that a person abandoned it."""
    payment_id = PaymentId(subject_id)
    abandoned = await payments.who_abandoned(session, payment_id)
    return SignalToSend(
        contract.payment_workflow_id(payment_id),
        contract.PAYMENT_ABANDONED,
        PaymentAbandoned(actor=abandoned.actor, why=abandoned.why, bill=await payments.bill_now(session, payment_id)),
    )


async def payment_off_bill(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells a bill that one of its payments was abandoned."""
    payment_id = PaymentId(subject_id)
    bill_id = await payments.bill_of(session, payment_id)
    return SignalToSend(
        contract.bill_workflow_id(bill_id), contract.BILL_CHANGED, await payments.bill_now(session, payment_id)
    )


async def sync_due(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that has a connection synced: a run under way plans once more before it ends, or one starts."""
    connection_id, _, asked_for = subject_id.partition(" ")
    connection = await connections.get(session, ConnectionId(connection_id))
    if connection is None:  # it was withdrawn: the ERP did not let it in
        return None
    trigger = SyncTrigger.CONNECT if connection.last_synced_at is None else SyncTrigger.CHANGED
    if asked_for:
        trigger = SyncTrigger.PERSON
    return SignalToSend(
        contract.sync_workflow_id(ConnectionId(connection.id)),
        contract.SYNC_CHANGED,
        None,
        SyncState(
            connection_id=ConnectionId(connection.id),
            erp=Erp(connection.erp),
            trigger=trigger,
            workflow_run_id=asked_for or None,
        ),
    )


async def backfill_asked(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that starts a backfill; None: it is over already."""
    backfill = await backfills.get(session, BackfillId(subject_id))
    if backfill is None or backfill.state != BackfillState.RUNNING:
        return None
    connection_id = ConnectionId(backfill.connection_id)
    connection = await connections.get(session, connection_id)
    assert connection is not None, "a backfill's connection is never removed"
    return SignalToSend(
        contract.backfill_workflow_id(connection_id, BackfillId(backfill.id)),
        contract.BACKFILL_ASKED,
        None,
        BackfillRun(
            connection_id=connection_id,
            erp=Erp(connection.erp),
            backfill_id=BackfillId(backfill.id),
            page_no=backfill.pages,
            after=backfill.after,
            all_read=backfill.pages > 0 and backfill.after is None,
        ),
    )


async def schedule_changed(session: AsyncSession, subject_id: str) -> ScheduleToSet | None:
    """Build what Temporal's schedule of a connection is to be, as the connection has it now."""
    connection = await connections.get(session, ConnectionId(subject_id))
    if connection is None:  # it was withdrawn: the ERP did not let it in
        return None
    minutes = connection.sync_every_minutes
    every = None if minutes is None else timedelta(minutes=minutes)
    return ScheduleToSet(
        ConnectionId(connection.id), Erp(connection.erp), every, since=connection.created_at, name=connection.name
    )


async def source_order_upload(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that has a source order uploaded; None: its upload has ended."""
    order_id = SourceOrderId(subject_id)
    state = await uploading.state_of(session, order_id)
    if state is None:
        return None
    return SignalToSend(
        contract.source_order_workflow_id(order_id), contract.UPLOAD_ASKED, UploadAskedFor(ask=state.ask), state
    )


async def credit_application(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that has a credit applied, or that undone; None: it has ended."""
    application_id = CreditApplicationId(subject_id)
    state = await credit_applications.state_of(session, application_id)
    if state is None:
        return None
    return SignalToSend(
        contract.credit_application_workflow_id(application_id),
        contract.APPLICATION_ASKED,
        ApplicationAsked(ask=state.ask),
        state,
    )


async def list_change(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that has a list entry made or changed; None: it has ended."""
    change_id = ListChangeId(subject_id)
    state = await list_changes.state_of(session, change_id)
    if state is None:
        return None
    return SignalToSend(
        contract.list_change_workflow_id(change_id), contract.LIST_CHANGE_ASKED, ListChangeAsked(ask=state.ask), state
    )


async def answer_stored(_: AsyncSession, subject_id: str) -> ActivityToRetry:
    """Name the activity whose request the ERP's program has answered."""
    return ActivityToRetry(*subject_id.rsplit(" ", 2))


async def issue_decided(session: AsyncSession, subject_id: str) -> SignalToSend | None:
    """Build the message that tells whoever waits behind an issue what a person decided; None: it is closed."""
    issue = await sync_issues.get(session, SyncIssueId(subject_id))
    assert issue is not None, "an issue is never removed"
    if issue.state != IssueState.OPEN or issue.decision is None or issue.workflow_id is None:
        return None
    return SignalToSend(
        issue.workflow_id,
        contract.SETTLE_ISSUE,
        SettleIssue(
            issue_id=SyncIssueId(issue.id),
            decision=IssueDecision(issue.decision),
            actor=issue.decided_by or "",
            why=issue.decided_why or "",
        ),
    )


DELIVERIES: Mapping[MessageKind, Delivery] = {
    MessageKind.BILL_ACCEPTED: Delivery(bill_accepted, WhenNotRunning.START),
    MessageKind.BILL_DECIDED: Delivery(bill_decided, WhenNotRunning.START),
    MessageKind.BILL_CORRECTED: Delivery(bill_corrected, WhenNotRunning.START),
    MessageKind.PAYMENT_DUE: Delivery(payment_due, WhenNotRunning.START),
    MessageKind.PAYMENT_SCHEDULED: Delivery(payment_scheduled, WhenNotRunning.START),
    MessageKind.BILL_CHANGED: Delivery(bill_changed, WhenNotRunning.START),
    MessageKind.BILL_OFF_ORDER: Delivery(bill_off_order, WhenNotRunning.DROP),
    MessageKind.BILL_EDITED: Delivery(bill_edited, WhenNotRunning.START),
    MessageKind.EDIT_TO_REMATCH: Delivery(edit_to_rematch, WhenNotRunning.START),
    MessageKind.PAYMENT_ABANDONED: Delivery(payment_abandoned, WhenNotRunning.DROP),
    MessageKind.PAYMENT_OFF_BILL: Delivery(payment_off_bill, WhenNotRunning.DROP),
    MessageKind.SYNC_DUE: Delivery(sync_due, WhenNotRunning.START),
    MessageKind.BACKFILL_ASKED: Delivery(backfill_asked, WhenNotRunning.START),
    MessageKind.SCHEDULE_CHANGED: Delivery(schedule_changed, WhenNotRunning.START),
    MessageKind.SOURCE_ORDER_UPLOAD: Delivery(source_order_upload, WhenNotRunning.START),
    MessageKind.CREDIT_APPLICATION: Delivery(credit_application, WhenNotRunning.START),
    MessageKind.LIST_CHANGE: Delivery(list_change, WhenNotRunning.START),
    MessageKind.ANSWER_STORED: Delivery(answer_stored, WhenNotRunning.DROP),
    MessageKind.ISSUE_DECIDED: Delivery(issue_decided, WhenNotRunning.CLOSE_ISSUE),
}
