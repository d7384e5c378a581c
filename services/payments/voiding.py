"""Void a payment of ours that the ERP holds: one decision, in the transaction of whoever asked."""

from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import Origin
from models.domain.ids import ConnectionId, OrganizationId, PaymentId
from models.domain.outbox import MessageKind
from models.domain.payments import PaymentStatus
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.base.today import today_in
from models.store.connections import connections
from models.store.payables import payment_reads, payment_voids, standalone_payments
from services.refusal import Refused


async def void_payment(
    session: AsyncSession, payment_id: PaymentId, *, on: date | None, actor: str, why: str, request_key: str
) -> OutboxMessage:
    """Have the ERP void a payment that exists. Returns what its workflow is owed.

    Raises:
        Refused: It cannot be voided from here, or not on that day.
    """
    await standalone_payments.lock_shared(session, payment_id)  # bills before payments, as everywhere
    payment = await payment_reads.get(session, payment_id)
    assert payment is not None, "the caller has checked that the payment exists"
    connection = await connections.get(session, ConnectionId(payment.connection_id))
    assert connection is not None, "a payment's connection is never removed"
    if payment.origin == Origin.ERP:
        raise Refused("PAYMENT_MADE_IN_ERP", "The payment was made in the ERP, and is voided there.")
    if not connection.capabilities.get("voids_payments"):
        raise Refused("VOID_NOT_OFFERED", f"Payments in {connection.erp} are voided there.")
    if payment.status != PaymentStatus.PAID:
        raise Refused("PAYMENT_NOT_PAID", f"The payment is {payment.status.replace('_', ' ')}.")
    paid_on = payment.submitted_on or payment.pay_on
    day = on or max(today_in(connection.time_zone), paid_on)
    if day < paid_on:
        raise Refused("VOID_BEFORE_PAYMENT", f"{day} is before {paid_on}, when the payment was made.")
    asked = await payment_voids.ask(session, payment_id, day=day, actor=actor, why=why)
    assert asked, "a payment that is paid may be voided"
    return await outbox.add(
        session,
        MessageKind.PAYMENT_DUE,
        payment_id,
        organization_id=OrganizationId(payment.organization_id),
        connection_id=ConnectionId(payment.connection_id),
        request_key=request_key,
    )
