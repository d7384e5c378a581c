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
from models.store import bills, writes
from models.tables import PaymentRow

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


_LOCK_BILL = text(
    """
    select organization_id, connection_id, status, origin, currency, total, paid, edition, edit_pending
      from bills where id = :id for update
    """
)
_PROMISED = text("select coalesce(sum(amount), 0) from payments where bill_id = :bill and status = any(:unfinished)")


async def lock_bill(session: AsyncSession, bill_id: BillId) -> BillToPay | None:
    """Hold the bill, so that two payments cannot both take the last of it."""
    bill = (await session.execute(_LOCK_BILL, {"id": bill_id})).one_or_none()
    if bill is None:
        return None
    # A statement of its own: one that waited for the lock would not see what the other one promised meanwhile.
    promised = (await session.execute(_PROMISED, {"bill": bill_id, "unfinished": list(UNFINISHED)})).scalar_one()
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


_CREATE = text(
    """
    with made as (
        insert into payments (id, organization_id, connection_id, bill_id, origin, status, amount, currency, pay_on,
            method, bank_account, external_key, created_by, version)
        values (:id, :organization, :connection, :bill, :origin, 'scheduled', :amount, :currency, :pay_on, :method,
            :bank_account, :key, :actor, 1)
        on conflict (id) do nothing
        returning id, organization_id, connection_id, external_key, bill_id, created_by, pay_on
    ), planned as (
        insert into erp_writes (external_key, connection_id, kind, subject_id, body_hash, state, attempts)
        select external_key, connection_id, 'payment', id, :body_hash, 'planned', 0 from made
        on conflict (external_key) do nothing
    ), moved as (
        update bills b set status = 'scheduled', version = b.version + 1, changed_at = now()
          from made where b.id = made.bill_id and b.status = 'synced'
        returning b.id
    )
    insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)
    select made.organization_id, made.connection_id, e.subject_kind, e.subject_id, e.kind, made.created_by, e.why,
           e.before, jsonb_build_object('status', 'scheduled')
      from made
      cross join lateral (
          select 1 as place, 'payment' as subject_kind, made.id as subject_id, 'scheduled' as kind, '' as why,
                 cast(null as jsonb) as before
          union all
          select 2, 'bill', moved.id, 'status', 'payment on ' || made.pay_on, jsonb_build_object('status', 'synced')
            from moved
      ) e
     order by e.place
    """
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
    await session.execute(
        _CREATE,
        {
            "id": payment_id,
            "organization": bill.organization_id,
            "connection": bill.connection_id,
            "bill": bill_id,
            "origin": Origin.POSYNC,
            "amount": amount,
            "currency": bill.currency,
            "pay_on": pay_on,
            "method": method,
            "bank_account": bank_account,
            "key": external_key_for(payment_id),
            "actor": actor,
            "body_hash": hashlib.sha256(f"{bill_id}\n{amount}\n{pay_on}".encode()).hexdigest(),
        },
    )


_IN_PUSH = text(
    """
    select p.external_key, p.amount, p.currency, p.pay_on, p.method, p.bank_account, p.status,
           b.id as bill_id, b.vendor_id, b.document_id, b.erp_id, b.payable_id, b.number, o.owner_entity
      from payments p join bills b on b.id = p.bill_id left join purchase_orders o on o.id = b.purchase_order_id
     where p.id = :id
    """
)


async def in_push(session: AsyncSession, payment_id: PaymentId) -> PaymentInPush:
    """The payment as it goes out, with what its ERP knows the bill by."""
    row = (await session.execute(_IN_PUSH, {"id": payment_id})).one()
    return PaymentInPush(
        payment=PaymentToPush(
            external_key=ExternalKey(row.external_key),
            vendor_id=row.vendor_id,
            bill_document=DocumentId(row.document_id or ""),
            bill_erp_id=ErpId(row.erp_id or ""),
            payable_hint=ErpId(row.payable_id) if row.payable_id else None,
            amount=row.amount,
            currency=row.currency,
            paid_on=row.pay_on,
            method=row.method,
            bank_account=row.bank_account,
            memo=f"{row.number}",
            owner_entity=row.owner_entity,
        ),
        status=PaymentStatus(row.status),
        bill_id=BillId(row.bill_id),
    )


_PUSHED = text(
    """
    with b as (  -- bills before payments, as everywhere
        select id, organization_id, connection_id, status, total, paid, version from bills
         where id = (select bill_id from payments where id = :id) for update
    ), was as (
        select id, status from payments where id = :id
    ), settled as (
        update payments p set status = cast(:status as varchar), erp_id = cast(:erp_id as varchar),
               erp_revision = :revision, version = p.version + 1, changed_at = now()
          from b
         where p.id = :id and (p.status, p.erp_id) is distinct from
                              (cast(:status as varchar), cast(:erp_id as varchar))
        returning p.id
    ), moved as (
        update bills x set paid = cast(:paid as numeric), payable_id = :payable, status = cast(:bill_status as varchar),
               version = x.version + cast((b.status, b.paid) is distinct from
                                          (cast(:bill_status as varchar), cast(:paid as numeric)) as int),
               changed_at = case when b.status <> cast(:bill_status as varchar) then now() else x.changed_at end
          from b where :whole_or_part and x.id = b.id
        returning x.id, x.status, x.paid, x.version
    ), told as (
        insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)
        select b.organization_id, b.connection_id, e.subject_kind, e.subject_id, e.kind, :actor, e.why,
               jsonb_build_object('status', e.was), jsonb_build_object('status', e.status)
          from b
          cross join lateral (
              select 1 as place, 'payment' as subject_kind, s.id as subject_id, 'pushed' as kind, '' as why,
                     was.status as was, cast(:status as varchar) as status
                from settled s join was on was.id = s.id
              union all
              select 2, 'bill', m.id, 'status', :why, b.status, m.status from moved m where m.status <> b.status
          ) e
         order by e.place
    )
    select coalesce(m.status, b.status) as status, coalesce(m.paid, b.paid) as paid, b.total,
           coalesce(m.version, b.version) as version
      from b left join moved m on m.id = b.id
    """
)


async def pushed(session: AsyncSession, payment_id: PaymentId, found: PushedPayment) -> BillNow:
    """Store what the ERP holds under the payment's key, and what it left due on the bill."""
    row = (
        await session.execute(
            _PUSHED,
            {
                "id": payment_id,
                "status": PaymentStatus.PAID if found.settled else PaymentStatus.SUBMITTED,
                "erp_id": found.erp_id,
                "revision": found.revision,
                "whole_or_part": found.settled,
                "paid": found.bill_paid,
                "payable": found.payable_id,
                "bill_status": BillStatus.PAID if found.bill_due <= 0 else BillStatus.PARTIALLY_PAID,
                "actor": bills.SYNCER,
                "why": f"the ERP shows {found.bill_paid} paid, {found.bill_due} due",
            },
        )
    ).one()
    return BillNow(
        status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid), version=row.version
    )


_SET_STATUS = text(
    """
    with held as (
        select id, organization_id, connection_id, status from payments where id = :id for update
    ), moved as (
        update payments p set status = cast(:status as varchar), version = p.version + 1, changed_at = now()
          from held h where p.id = h.id and h.status <> cast(:status as varchar)
        returning p.id
    )
    insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)
    select h.organization_id, h.connection_id, 'payment', h.id, 'status', :actor, :why,
           jsonb_build_object('status', h.status), jsonb_build_object('status', cast(:status as varchar))
      from held h join moved m on m.id = h.id
    """
)


async def set_status(
    session: AsyncSession, payment_id: PaymentId, status: PaymentStatus, *, actor: str, why: str
) -> None:
    """Move the payment to a status and record who and why. The same status again changes nothing."""
    await session.execute(_SET_STATUS, {"id": payment_id, "status": status, "actor": actor, "why": why})


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
