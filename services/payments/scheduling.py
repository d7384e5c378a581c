"""Scheduling and abandoning a payment: one decision each, in the transaction of whoever asked.

The bill is locked, what is still due is checked, the payment and its planned write are saved, and the bill's workflow
is owed a message: all of it or nothing (S4-25). Temporal takes no part in it.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId, OrganizationId, PaymentId
from models.domain.outbox import MessageKind
from models.domain.setup_checks import Breaks
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.payables import payments, standalone_payments
from services import setup_checks
from services.approvals.payments import hold_without_payment, let_go_with_payment
from services.payments.bank_accounts import account_to_pay_from, check_method
from services.payments.checks import RequestedPayment, check_payment, check_reference
from services.payments.fees_taken_back import take_back_fees


async def abandon_payment(
    session: AsyncSession, payment_id: PaymentId, *, actor: str, why: str, request_key: str
) -> list[OutboxMessage]:
    """Abandon a payment of ours that was not sent. Returns what workflows are owed; nothing: the ERP may hold it."""
    await standalone_payments.lock_shared(session, payment_id)  # bills before payments, as everywhere
    bill_id = await payments.bill_of(session, payment_id)
    bill = await payments.lock_bill(session, bill_id)
    assert bill is not None, "a payment's bill is never removed"
    if not await payments.abandon(session, payment_id, actor=actor, why=why):
        return []
    await hold_without_payment(session, bill_id, actor=actor)
    of_fees = await take_back_fees(session, payment_id, request_key=request_key)
    return [
        *of_fees,
        *[
            await outbox.add(
                session,
                kind,
                payment_id,
                organization_id=bill.organization_id,
                connection_id=bill.connection_id,
                request_key=request_key,
            )
            for kind in (MessageKind.PAYMENT_OFF_BILL, MessageKind.PAYMENT_ABANDONED)
        ],
    ]


class Scheduled(NamedTuple):
    """A payment that was saved."""

    payment_id: PaymentId
    message: OutboxMessage
    """What the bill's workflow is owed."""


async def schedule_payment(
    session: AsyncSession,
    bill_id: BillId,
    asked: RequestedPayment,
    *,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
) -> Scheduled:
    """Schedule a payment of a bill that exists. The caller has claimed the key in this transaction.

    Raises:
        Refused: The payment cannot be made.
    """
    bill = await payments.lock_bill(session, bill_id)
    assert bill is not None, "the caller has checked that the bill exists"
    connection = await connections.get(session, bill.connection_id)
    assert connection is not None, "a bill's connection is never removed"
    await setup_checks.must_not_break(session, bill.connection_id, Breaks.PAYMENTS, datetime.now(UTC))
    check_payment(bill, asked, time_zone=connection.time_zone)
    check_reference(connection, asked.reference)
    bank_account, method = await account_to_pay_from(session, connection, asked.bank_account, asked.method)
    check_method(connection, method, paid_outside=asked.paid_outside)
    payment_id = payments.payment_id_for(organization_id, request_key, bill.number)
    await payments.create(
        session,
        payment_id,
        bill_id,
        bill,
        amount=asked.amount,
        pay_on=asked.pay_on,
        method=method,
        bank_account=bank_account,
        actor=actor,
        paid_outside=asked.paid_outside,
        reference=asked.reference,
        external_id=asked.external_id,
    )
    if bill.status is BillStatus.AWAITING_PAYMENT:
        await let_go_with_payment(session, bill_id, actor=actor, pay_on=asked.pay_on)
    message = await outbox.add(
        session,
        MessageKind.PAYMENT_SCHEDULED,
        payment_id,
        organization_id=organization_id,
        connection_id=bill.connection_id,
        request_key=request_key,
    )
    return Scheduled(payment_id, message)
