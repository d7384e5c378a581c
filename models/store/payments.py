"""Payments of ours: scheduled under the bill's lock, submitted, confirmed. API reads are in `payment_reads.py`."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import (
    BillId,
    BillStatus,
    ConnectionId,
    DocumentId,
    ErpId,
    ExternalKey,
    OrganizationId,
    Origin,
    PaymentId,
    PaymentStatus,
    PaymentToPush,
    PushedPayment,
)
from models.messages import BillNow
from models.store import bills, events, writes
from models.tables import BillRow, PaymentRow, PurchaseOrderRow

UNFINISHED = (PaymentStatus.SCHEDULED, PaymentStatus.SUBMITTED, PaymentStatus.SYNC_ISSUE)
"""Payments that still claim part of what is due on their bill."""


def payment_id_for(organization_id: OrganizationId, request_key: str) -> PaymentId:
    return PaymentId("pay_" + hashlib.sha256(f"{organization_id}\n{request_key}".encode()).hexdigest()[:20])


def external_key_for(payment_id: PaymentId) -> ExternalKey:
    return ExternalKey("PSP-" + payment_id.removeprefix("pay_")[:16].upper())


class BillToPay(NamedTuple):
    """A bill under lock, and what may still be paid on it."""

    organization_id: OrganizationId
    connection_id: ConnectionId
    status: BillStatus
    origin: Origin
    currency: str
    total: Decimal
    paid: Decimal
    promised: Decimal
    """In payments of ours that the ERP has not confirmed."""
    edition: int
    """Of an edit that is not in the ERP yet; 0: none."""

    @property
    def open(self) -> Decimal:
        return self.total - self.paid - self.promised


class PaymentInPush(NamedTuple):
    payment: PaymentToPush
    status: PaymentStatus
    bill_id: BillId


async def lock_bill(session: AsyncSession, bill_id: BillId) -> BillToPay | None:
    """Hold the bill, so that two payments cannot both take the last of it."""
    bill = (
        await session.execute(select(BillRow).where(col(BillRow.id) == bill_id).with_for_update())
    ).scalar_one_or_none()
    if bill is None:
        return None
    promised = (
        await session.execute(
            text("select coalesce(sum(amount), 0) from payments where bill_id = :bill and status = any(:unfinished)"),
            {"bill": bill_id, "unfinished": [str(status) for status in UNFINISHED]},
        )
    ).scalar_one()
    return BillToPay(
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        status=BillStatus(bill.status),
        origin=Origin(bill.origin),
        currency=bill.currency,
        total=bill.total,
        paid=bill.paid,
        promised=promised,
        edition=bill.edition if bill.edit_pending else 0,
    )


async def create(
    session: AsyncSession,
    payment_id: PaymentId,
    bill_id: BillId,
    bill: BillToPay,
    *,
    amount: Decimal,
    pay_on: date,
    method: str,
    bank_account: str,
    actor: str,
) -> None:
    """Schedule the payment and plan its write. Twice with the same id is once."""
    key = external_key_for(payment_id)
    inserted = await session.execute(
        text(
            """
            insert into payments (id, organization_id, connection_id, bill_id, origin, status, amount, currency, pay_on,
                method, bank_account, external_key, created_by, version)
            values (:id, :organization, :connection, :bill, :origin, :status, :amount, :currency, :pay_on, :method,
                :bank_account, :key, :actor, 1)
            on conflict (id) do nothing returning id
            """
        ),
        {
            "id": payment_id,
            "organization": bill.organization_id,
            "connection": bill.connection_id,
            "bill": bill_id,
            "origin": Origin.POSYNC,
            "status": PaymentStatus.SCHEDULED,
            "amount": amount,
            "currency": bill.currency,
            "pay_on": pay_on,
            "method": method,
            "bank_account": bank_account,
            "key": key,
            "actor": actor,
        },
    )
    if inserted.first() is None:
        return
    await writes.plan(
        session,
        key,
        connection_id=bill.connection_id,
        kind="payment",
        subject_id=payment_id,
        purchase_order_id=None,
        body_hash=hashlib.sha256(f"{bill_id}\n{amount}\n{pay_on}".encode()).hexdigest(),
    )
    await _record(session, payment_id, bill, "scheduled", actor, before=None, after=PaymentStatus.SCHEDULED)
    if bill.status is BillStatus.SYNCED:
        await bills.set_status(session, bill_id, BillStatus.SCHEDULED, actor=actor, why=f"payment on {pay_on}")


async def in_push(session: AsyncSession, payment_id: PaymentId) -> PaymentInPush:
    payment, bill, owner_entity = (
        await session.execute(
            select(PaymentRow, BillRow, col(PurchaseOrderRow.owner_entity))
            .join(BillRow, col(BillRow.id) == col(PaymentRow.bill_id))
            .join(PurchaseOrderRow, col(PurchaseOrderRow.id) == col(BillRow.purchase_order_id), isouter=True)
            .where(col(PaymentRow.id) == payment_id)
        )
    ).one()
    return PaymentInPush(
        payment=PaymentToPush(
            external_key=ExternalKey(payment.external_key),
            vendor_id=bill.vendor_id,
            bill_document=DocumentId(bill.document_id or ""),
            bill_erp_id=ErpId(bill.erp_id or ""),
            payable_hint=ErpId(bill.payable_id) if bill.payable_id else None,
            amount=payment.amount,
            currency=payment.currency,
            paid_on=payment.pay_on,
            method=payment.method,
            bank_account=payment.bank_account,
            memo=f"{bill.number}",
            owner_entity=owner_entity,
        ),
        status=PaymentStatus(payment.status),
        bill_id=BillId(bill.id),
    )


async def pushed(session: AsyncSession, payment_id: PaymentId, found: PushedPayment) -> BillNow:
    """Store what the ERP holds under the payment's key, and what it left due on the bill."""
    payment = (await session.execute(select(PaymentRow).where(col(PaymentRow.id) == payment_id))).scalar_one()
    bill_id = BillId(payment.bill_id)
    bill = await lock_bill(session, bill_id)
    assert bill is not None, "a payment's bill is never deleted"
    status = PaymentStatus.PAID if found.settled else PaymentStatus.SUBMITTED
    changed = await session.execute(
        text(
            """
            update payments set status = :status, erp_id = :erp_id, erp_revision = :revision, version = version + 1,
                   changed_at = now()
             where id = :id and (status, erp_id) is distinct from (:status, :erp_id) returning 1
            """
        ),
        {"id": payment_id, "status": str(status), "erp_id": str(found.erp_id), "revision": found.revision},
    )
    if changed.first() is not None:
        await _record(session, payment_id, bill, "pushed", bills.SYNCER, before=payment.status, after=status)
    if found.settled:
        await session.execute(
            text("update bills set paid = :paid, payable_id = :payable where id = :id"),
            {"id": bill_id, "paid": found.bill_paid, "payable": found.payable_id},
        )
        whole = found.bill_due <= 0
        await bills.set_status(
            session,
            bill_id,
            BillStatus.PAID if whole else BillStatus.PARTIALLY_PAID,
            actor=bills.SYNCER,
            why=f"the ERP shows {found.bill_paid} paid, {found.bill_due} due",
        )
    return await bills.now(session, bill_id)


async def set_status(
    session: AsyncSession, payment_id: PaymentId, status: PaymentStatus, *, actor: str, why: str
) -> None:
    """Move the payment to a status and record who and why. The same status again changes nothing."""
    payment = (
        await session.execute(select(PaymentRow).where(col(PaymentRow.id) == payment_id).with_for_update())
    ).scalar_one()
    if payment.status == status:
        return
    bill = await lock_bill(session, BillId(payment.bill_id))
    assert bill is not None, "a payment's bill is never deleted"
    await session.execute(
        text("update payments set status = :status, version = version + 1, changed_at = now() where id = :id"),
        {"id": payment_id, "status": str(status)},
    )
    await _record(session, payment_id, bill, "status", actor, before=payment.status, after=status, why=why)


async def abandon(session: AsyncSession, payment_id: PaymentId, *, actor: str, why: str) -> bool:
    """Give the payment up; what it claimed of the bill is free again. Refused (False) when the ERP may hold it."""
    payment = (await session.execute(select(PaymentRow).where(col(PaymentRow.id) == payment_id))).scalar_one()
    if not await writes.abandon(session, external_key_for(payment_id)):
        return False
    await set_status(session, payment_id, PaymentStatus.ABANDONED, actor=actor, why=why)
    bill_id = BillId(payment.bill_id)
    bill = await lock_bill(session, bill_id)
    if bill is not None and bill.status is BillStatus.SCHEDULED and bill.promised == 0:
        await bills.set_status(session, bill_id, BillStatus.SYNCED, actor=actor, why="its payment was given up")
    return True


async def bill_now(session: AsyncSession, payment_id: PaymentId) -> BillNow:
    """What is paid and due on the payment's bill."""
    bill_id = (
        await session.execute(select(col(PaymentRow.bill_id)).where(col(PaymentRow.id) == payment_id))
    ).scalar_one()
    now = await bills.now(session, BillId(bill_id))
    return now.model_copy(update={"payment_id": payment_id})


async def _record(
    session: AsyncSession,
    payment_id: PaymentId,
    bill: BillToPay,
    kind: str,
    actor: str,
    *,
    before: str | None,
    after: PaymentStatus,
    why: str = "",
) -> None:
    await events.record(
        session,
        organization_id=bill.organization_id,
        connection_id=bill.connection_id,
        subject_kind="payment",
        subject_id=payment_id,
        kind=kind,
        actor=actor,
        why=why,
        before=None if before is None else {"status": before},
        after={"status": str(after)},
    )
