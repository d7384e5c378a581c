"""Store our payments: scheduled under the bill's lock, submitted, confirmed. API reads are in `payment_reads.py`."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus, Origin
from models.domain.ids import SYNCER, BillId, ConnectionId, ExternalKey, OrganizationId, PaymentId
from models.domain.outbox import MessageKind
from models.domain.payments import PaymentStatus, PushedPayment
from models.domain.time_zones import start_of_day
from models.domain.writes import WriteKind, WriteState
from models.messages.bills import BillBalance
from models.store.audit import events, outbox, sync_issues, writes
from models.store.base.identity import digest_of, named_id
from models.store.payables import bill_parts, bills, reserved_amounts
from models.store.payables.statuses import moved, status_statement
from models.tables import PaymentRow, PaymentShareRow

UNFINISHED = [status for status in PaymentStatus if status.is_unfinished]


def payment_id_for(organization_id: OrganizationId, request_key: str, bill_number: str) -> PaymentId:
    """Return the payment's id: the same request makes the same payment, however often it is tried.

    The number that its bill has then is in it, for those who read ids.
    """
    return PaymentId(named_id("pay", bill_number, organization_id, request_key))


def external_key_for(payment_id: PaymentId) -> ExternalKey:
    """Return the reference number that the ERP will know the payment by."""
    return ExternalKey("PSP-" + digest_of(payment_id)[:16].upper())


class BillToPay(NamedTuple):
    """A locked bill, and what may still be paid on it, in `currency`."""

    organization_id: OrganizationId
    connection_id: ConnectionId
    number: str
    status: BillStatus
    origin: Origin
    currency: str
    total: Decimal
    paid: Decimal
    promised: Decimal
    """What payments under way, credits that are being applied, and fees reserve of it."""
    rejected_in_erp: bool
    edition: int
    """Number of an edit that is not in the ERP yet; 0: none."""
    approval: ApprovalState

    @property
    def open(self) -> Decimal:
        """Return what may still be paid."""
        return self.total - self.paid - self.promised


_LOCK_BILL = text(
    """
    select organization_id, connection_id, number, status, origin, currency, total, paid, edition, edit_pending,
           rejected_in_erp, approval
      from bills where id = :id for update
    """
)


async def lock_bill(session: AsyncSession, bill_id: BillId) -> BillToPay | None:
    """Lock the bill and return what may be paid on it: two payments cannot both take the last of it."""
    bill = (await session.execute(_LOCK_BILL, {"id": bill_id})).one_or_none()
    if bill is None:
        return None
    # A second statement: the one that waited for the lock would not see what another payment promised meanwhile.
    promised = await reserved_amounts.on_bill(session, bill_id)
    return BillToPay(
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        number=bill.number,
        status=BillStatus(bill.status),
        origin=Origin(bill.origin),
        currency=bill.currency,
        total=bill.total,
        paid=bill.paid,
        promised=promised,
        rejected_in_erp=bill.rejected_in_erp,
        edition=bill.edition if bill.edit_pending else 0,
        approval=ApprovalState(bill.approval),
    )


class PaymentToHandOver(NamedTuple):
    """What a bill's workflow is told of a payment that was scheduled."""

    bill_id: BillId
    amount: Decimal
    pay_on: date
    edition: int
    """Of an edit of the bill that is not in the ERP yet; 0: none."""
    starts_at: datetime
    """The first moment of `pay_on` where the connection's days begin."""
    bill: BillBalance
    """What is paid and due on the bill now."""


_TO_HAND_OVER = text(
    """
    select p.bill_id, p.amount, p.pay_on, case when b.edit_pending then b.edition else 0 end as edition,
           b.status, b.total, b.paid, b.version, c.time_zone
      from payments p join bills b on b.id = p.bill_id join connections c on c.id = p.connection_id
     where p.id = :id and p.status = any(:unfinished) and not p.stands_alone
    """
)


async def to_hand_over(session: AsyncSession, payment_id: PaymentId) -> PaymentToHandOver | None:
    """Return a payment as its bill's workflow is told of it; None once it is finished."""
    row = (await session.execute(_TO_HAND_OVER, {"id": payment_id, "unfinished": list(UNFINISHED)})).one_or_none()
    if row is None:
        return None
    balance = BillBalance(
        status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid), version=row.version
    )
    starts_at = start_of_day(row.pay_on, row.time_zone)
    return PaymentToHandOver(BillId(row.bill_id), row.amount, row.pay_on, row.edition, starts_at, balance)


_CREATE = text(
    f"""
    with made as (
        insert into payments (id, organization_id, connection_id, bill_id, origin, status, amount, currency, pay_on,
            method, bank_account, paid_outside, reference, external_id, external_key, created_by, version)
        values (:id, :organization, :connection, :bill, :origin, 'scheduled', :amount, :currency, :pay_on, :method,
            :bank_account, :paid_outside, :reference, :external_id, :key, :actor, 1)
        on conflict (id) do nothing
        returning id, organization_id, connection_id, external_key, bill_id, created_by, pay_on, amount
    ), shared as (
        insert into payment_shares (payment_id, bill_id, amount) select id, bill_id, amount from made
    ), planned as (
        {writes.plan(WriteKind.PAYMENT, purchase_order_id="null", state="'planned'")}
    ), moved as (
        update bills b set status = {moved("bills", "b.status", "cast('scheduled' as varchar)")},
               version = b.version + 1, changed_at = now()
          from made where b.id = made.bill_id and b.status = 'synced'
        returning b.id
    )
    {events.ADD}
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
    paid_outside: bool = False,
    reference: str | None = None,
    external_id: str | None = None,
) -> None:
    """Schedule the payment and plan its write; a repeat with the same id changes nothing."""
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
            "paid_outside": paid_outside,
            "reference": reference,
            "external_id": external_id,
            "key": external_key_for(payment_id),
            "actor": actor,
        },
    )


_PUSHED = text(
    f"""
    with b as (  -- bills before payments, as everywhere
        select id, organization_id, connection_id, status, total, paid, version from bills
         where id = (select bill_id from payments where id = :id) for update
    ), was as (
        -- A void, or a retraction of the bill, that was asked for meanwhile stays: this attempt only says again that
        -- the payment was made.
        select p.id, p.status, case when p.status = 'voiding' then p.status
                                    else {moved("payments", "p.status", "cast(:status as varchar)")} end as now,
               case when b.status = 'retracting' then b.status
                    else {moved("bills", "b.status", "cast(:bill_status as varchar)")} end as bill_now
          from payments p cross join b where p.id = :id
    ), settled as (
        update payments p set status = was.now, erp_id = cast(:erp_id as varchar), erp_revision = :revision,
               version = p.version + 1, changed_at = now()
          from b cross join was
         where p.id = was.id and (p.status, p.erp_id) is distinct from (was.now, cast(:erp_id as varchar))
        returning p.id, p.status
    ), moved as (
        update bills x set paid = cast(:paid as numeric), payable_id = :payable, status = was.bill_now,
               payable_revision = greatest(x.payable_revision, cast(:bill_revision as varchar)),
               version = x.version + cast((b.status, b.paid) is distinct from
                                          (was.bill_now, cast(:paid as numeric)) as int),
               changed_at = case when b.status <> was.bill_now then now() else x.changed_at end
          from b cross join was
         where :whole_or_part and x.id = b.id
           -- A sync has read the bill after this: its figures include the payment, and what came behind it.
           and not coalesce(x.payable_revision > cast(:bill_revision as varchar), false)
        returning x.id, x.status, x.paid, x.version
    ), told as (
        {events.ADD}
        select b.organization_id, b.connection_id, e.subject_kind, e.subject_id, e.kind, :actor, e.why,
               jsonb_build_object('status', e.was), jsonb_build_object('status', e.status)
          from b
          cross join lateral (
              select 1 as place, 'payment' as subject_kind, s.id as subject_id, 'pushed' as kind, '' as why,
                     was.status as was, s.status
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


_COUNTED = text(
    """
    select b.total, b.paid + case when :settled and p.status = any(:unfinished) then p.amount else 0 end as paid
      from payments p join bills b on b.id = p.bill_id where p.id = :id
    """
)


async def _counted(session: AsyncSession, payment_id: PaymentId, settled: bool) -> tuple[Decimal, Decimal]:
    """Lock the payment's bill and return what is paid and due on it with the payment, by our own figures. A payment
    that counted before does not count again."""
    # The row is locked first: the one that waited would not see what another payment paid meanwhile.
    await session.execute(
        text("select 1 from bills where id = :id for update"), {"id": await bill_of(session, payment_id)}
    )
    row = (
        await session.execute(_COUNTED, {"id": payment_id, "settled": settled, "unfinished": list(UNFINISHED)})
    ).one()
    return row.paid, row.total - row.paid


async def pushed(session: AsyncSession, payment_id: PaymentId, readback: PushedPayment) -> BillBalance:
    """Store what the ERP holds under the payment's key; return what is then paid and due on the bill."""
    bill_paid, bill_due, bill_revision = readback.bill_paid, readback.bill_due, readback.bill_revision
    payable: str | None = readback.payable_id
    why = "the ERP shows {paid} paid, {due} due"
    if bill_paid is None or bill_due is None:
        bill_paid, bill_due = await _counted(session, payment_id, readback.settled)
        # The payment changed the bill: a reading of the bill that is newer than the payment has it already.
        bill_revision = readback.revision
        why = "the ERP took the payment and shows no bill at present; with it {paid} is paid, {due} due"
    if readback.parts:
        # Bills before their parts, as everywhere.
        bill_id = await bill_of(session, payment_id)
        await session.execute(text("select 1 from bills where id = :id for update"), {"id": bill_id})
        bill_paid, bill_due = await bill_parts.paid(session, bill_id, readback.parts)
        payable = (await bill_parts.of_bill(session, bill_id))[0].payable_id
    row = (
        await session.execute(
            _PUSHED,
            {
                "id": payment_id,
                "status": PaymentStatus.PAID if readback.settled else PaymentStatus.SUBMITTED,
                "erp_id": readback.erp_id,
                "revision": readback.revision,
                "whole_or_part": readback.settled,
                "paid": bill_paid,
                "payable": payable,
                "bill_revision": bill_revision,
                "bill_status": BillStatus.PAID if bill_due <= 0 else BillStatus.PARTIALLY_PAID,
                "actor": SYNCER,
                "why": why.format(paid=bill_paid, due=bill_due),
            },
        )
    ).one()
    await follow_amount(session, payment_id, readback)
    return BillBalance(
        status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid), version=row.version
    )


_FOLLOW_AMOUNT = text(
    f"""
    with was as (select id, organization_id, connection_id, amount from payments where id = :id for update
    ), after as (
        update payments p set amount = :amount, version = p.version + 1, changed_at = now()
          from was where p.id = was.id and was.amount <> :amount
        returning p.id
    ), shared as (
        update payment_shares h set amount = :amount from after where h.payment_id = after.id
           and 1 = (select count(*) from payment_shares o where o.payment_id = after.id)
    )
    {events.ADD}
    select was.organization_id, was.connection_id, 'payment', was.id, 'edited_in_erp', :actor,
           'the ERP made several payments of it, and this one is left',
           jsonb_build_object('amount', cast(was.amount as text)), jsonb_build_object('amount', cast(:amount as text))
      from was join after on after.id = was.id
    """
)


async def follow_amount(session: AsyncSession, payment_id: PaymentId, readback: PushedPayment) -> None:
    """Store the amount of a payment that is for less than was asked: the ERP had split it, and the rest is void."""
    if readback.settled and readback.shares:
        await session.execute(_FOLLOW_AMOUNT, {"id": payment_id, "amount": readback.amount, "actor": SYNCER})


_SET_STATUS = status_statement("payments")


async def set_status(
    session: AsyncSession, payment_id: PaymentId, status: PaymentStatus, *, actor: str, why: str
) -> PaymentStatus:
    """Set the payment's status where it may follow, record who and why, and return the status that it then has."""
    row = await session.execute(_SET_STATUS, {"id": payment_id, "status": status, "actor": actor, "why": why})
    return PaymentStatus(row.one().status)


_LOCK_WITH_WRITE = text(
    """
    with held as (select state, external_key from erp_writes where external_key = :key for update)
    select h.state, p.status from held h join payments p on p.external_key = h.external_key for update of p
    """
)


class LockedPayment(NamedTuple):
    """A payment of ours that is locked behind its write until the transaction ends."""

    status: PaymentStatus
    write: WriteState


async def lock_with_write(session: AsyncSession, payment_id: PaymentId) -> LockedPayment:
    """Lock the write of a payment of ours and the payment, and return where both stand."""
    row = (await session.execute(_LOCK_WITH_WRITE, {"key": external_key_for(payment_id)})).one()
    return LockedPayment(PaymentStatus(row.status), WriteState(row.state))


async def abandon(session: AsyncSession, payment_id: PaymentId, *, actor: str, why: str) -> bool:
    """Abandon the payment and free what it claimed of the bill; return False when the ERP may hold it."""
    payment = (await session.execute(select(PaymentRow).where(col(PaymentRow.id) == payment_id))).scalar_one()
    if not await writes.abandon(session, external_key_for(payment_id)):
        return False
    await set_status(session, payment_id, PaymentStatus.ABANDONED, actor=actor, why=why)
    await sync_issues.close_with_subject(
        session, ConnectionId(payment.connection_id), WriteKind.PAYMENT, [payment_id], actor=actor
    )
    shares = select(col(PaymentShareRow.bill_id)).where(col(PaymentShareRow.payment_id) == payment_id)
    for bill_id in sorted((await session.execute(shares)).scalars()):
        bill = await lock_bill(session, BillId(bill_id))
        if bill is not None and bill.status is BillStatus.SCHEDULED and bill.promised == 0:
            await bills.set_status(
                session, BillId(bill_id), BillStatus.SYNCED, actor=actor, why="its payment was abandoned"
            )
        if bill is not None and payment.stands_alone and bill.origin is Origin.POSYNC:
            await outbox.add(  # the payment's workflow knows only one bill
                session,
                MessageKind.BILL_CHANGED,
                bill_id,
                organization_id=bill.organization_id,
                connection_id=bill.connection_id,
                request_key="",
            )
    return True


class Abandonment(NamedTuple):
    """Who abandoned a payment, and why."""

    actor: str
    why: str


async def who_abandoned(session: AsyncSession, payment_id: PaymentId) -> Abandonment:
    """Return who abandoned a payment that was abandoned."""
    row = (
        await session.execute(
            text(
                "select actor, why from events where subject_kind = 'payment' and subject_id = :id"
                " and after ->> 'status' = 'abandoned' order by id desc limit 1"
            ),
            {"id": payment_id},
        )
    ).one()
    return Abandonment(row.actor, row.why)


async def bill_of(session: AsyncSession, payment_id: PaymentId) -> BillId:
    """Return the bill that a payment is on."""
    statement = select(col(PaymentRow.bill_id)).where(col(PaymentRow.id) == payment_id)
    return BillId((await session.execute(statement)).scalar_one())


async def bill_now(session: AsyncSession, payment_id: PaymentId) -> BillBalance:
    """Return what is paid and due on the payment's bill."""
    now = await bills.balance(session, await bill_of(session, payment_id))
    return now.model_copy(update={"payment_id": payment_id})
