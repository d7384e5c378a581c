"""Store payments that stand alone: of several bills, or of bills that were made in the ERP.

Their workflow is no bill's child, so they pay only what the ERP holds already. Bills are locked before payments, in the
order of their ids, as everywhere.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartState, shares_of_payment
from models.domain.bills import BillStatus, Origin
from models.domain.ids import SYNCER, BillId, ConnectionId, DocumentId, ErpId, OrganizationId, PaymentId
from models.domain.payments import (
    ErpPaymentShare,
    PartPaid,
    PaymentMethod,
    PaymentPart,
    PaymentStatus,
    PushedPayment,
)
from models.domain.writes import WriteKind
from models.messages.bills import BillBalance
from models.store.audit import events, writes
from models.store.payables import bill_parts, entered_credits, payment_credits, payments
from models.store.payables.payment_credits import CreditShare
from models.store.payables.statuses import moved
from models.tables import BillPartRow, PaymentShareRow


class Share(NamedTuple):
    """What a payment pays of one bill."""

    bill_id: BillId
    amount: Decimal


class BillToShare(NamedTuple):
    """A locked bill, and what belongs to it that all bills of one payment have in common."""

    bill: payments.BillToPay
    vendor_id: str
    vendor_name: str
    owner_entity: str | None
    in_erp: bool
    """The ERP holds it, and no edit of it is on its way there."""


class NewPayment(NamedTuple):
    """A payment to save; its shares name bills that the caller has locked."""

    shares: Sequence[Share]
    currency: str
    pay_on: date
    method: PaymentMethod
    bank_account: str
    paid_outside: bool = False
    reference: str | None = None
    external_id: str | None = None
    net: Decimal | None = None
    """What the vendor gets, where it has fees."""
    fees: Sequence[Mapping[str, str]] = ()
    credits: Sequence[CreditShare] = ()


_ABOUT = text(
    """
    select b.id, b.vendor_id, b.vendor_name, coalesce(o.owner_entity, b.entity) as owner_entity,
           b.payable_id is not null and not b.edit_pending as in_erp
      from bills b left join purchase_orders o on o.id = b.purchase_order_id
     where b.id = any(cast(:ids as text[]))
    """
)


async def lock_bills(
    session: AsyncSession, bill_ids: Sequence[BillId], credit_ids: Sequence[BillId] = ()
) -> Mapping[BillId, BillToShare]:
    """Lock these bills and credits, and return what may be paid on each bill; those that do not exist are left out."""
    await entered_credits.lock_bills(session, [*bill_ids, *credit_ids])
    locked = {bill_id: bill for bill_id in sorted(bill_ids) if (bill := await payments.lock_bill(session, bill_id))}
    rows = await session.execute(_ABOUT, {"ids": list(locked)})
    return {
        BillId(row.id): BillToShare(
            locked[BillId(row.id)], row.vendor_id, row.vendor_name, row.owner_entity, row.in_erp
        )
        for row in rows
    }


_CREATE = text(
    f"""
    with made as (
        insert into payments (id, organization_id, connection_id, bill_id, origin, status, amount, currency, pay_on,
            method, bank_account, stands_alone, paid_outside, reference, external_id, net, fees, external_key,
            created_by, version)
        values (:id, :organization, :connection, :bill, '{Origin.POSYNC.value}', 'scheduled', :amount, :currency,
            :pay_on, :method, :bank_account, true, :paid_outside, :reference, :external_id, :net,
            cast(:fees as jsonb), :key, :actor, 1)
        on conflict (id) do nothing
        returning id, organization_id, connection_id, external_key, created_by, pay_on
    ), shared as (
        insert into payment_shares (payment_id, bill_id, amount)
        select made.id, n.bill_id, n.amount from made,
               unnest(cast(:bills as text[]), cast(:amounts as numeric[])) as n(bill_id, amount)
    ), planned as (
        {writes.plan(WriteKind.PAYMENT, purchase_order_id="null", state="'planned'")}
    ), moved as (
        update bills b set status = {moved("bills", "b.status", "cast('scheduled' as varchar)", origin="b.origin")},
               version = b.version + 1, changed_at = now()
          from made where b.id = any(cast(:bills as text[])) and b.status = 'synced' and b.origin = 'posync'
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
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    new: NewPayment,
    *,
    actor: str,
) -> None:
    """Schedule the payment and plan its write; a repeat with the same id changes nothing."""
    await session.execute(
        _CREATE,
        {
            "id": payment_id,
            "organization": organization_id,
            "connection": connection_id,
            "bill": new.shares[0].bill_id,
            "amount": sum((share.amount for share in new.shares), Decimal(0)),
            "currency": new.currency,
            "pay_on": new.pay_on,
            "method": new.method,
            "bank_account": new.bank_account,
            "paid_outside": new.paid_outside,
            "reference": new.reference,
            "external_id": new.external_id,
            "net": new.net,
            "fees": json.dumps([dict(fee) for fee in new.fees]),
            "key": payments.external_key_for(payment_id),
            "actor": actor,
            "bills": [share.bill_id for share in new.shares],
            "amounts": [share.amount for share in new.shares],
        },
    )
    await payment_credits.create(session, payment_id, new.credits)


async def shares_of(session: AsyncSession, payment_ids: Sequence[str]) -> dict[str, list[Share]]:
    """Return what each of these payments pays of which bill, in the order of the bills' ids."""
    statement = select(PaymentShareRow).where(col(PaymentShareRow.payment_id).in_(payment_ids))
    shares: dict[str, list[Share]] = {payment_id: [] for payment_id in payment_ids}
    for row in sorted((await session.exec(statement)).all(), key=lambda one: one.bill_id):
        shares[row.payment_id].append(Share(BillId(row.bill_id), row.amount))
    return shares


class OutgoingShares(NamedTuple):
    """The documents that a payment pays, as the ERP knows them now."""

    parts: tuple[PaymentPart, ...]
    numbers: tuple[str, ...]
    missing: bool
    """The ERP does not hold a document of them, or an edit of one is on its way."""
    rejected: bool
    """The ERP holds a bill of them as rejected."""


_DOCUMENTS = text(
    """
    select b.id, b.number, h.amount, b.document_id, b.erp_id, b.payable_id, b.rejected_in_erp, b.edit_pending
      from payment_shares h join bills b on b.id = h.bill_id where h.payment_id = :id order by b.id
    """
)


async def outgoing_shares(session: AsyncSession, payment_id: PaymentId) -> OutgoingShares:
    """Return the documents that a payment pays, each with its share: of a bill in parts, every part."""
    rows = (await session.execute(_DOCUMENTS, {"id": payment_id})).all()
    documents: list[PaymentPart] = []
    missing = False
    for row in rows:
        parts = await bill_parts.of_bill(session, BillId(row.id))
        missing = missing or row.payable_id is None or row.edit_pending
        missing = missing or any(part.state != PartState.IN_ERP for part in parts)
        documents += _of_parts(parts, row.amount) if parts else [_whole(row)]
    return OutgoingShares(
        () if missing else tuple(documents),
        tuple(row.number for row in rows),
        missing,
        any(row.rejected_in_erp for row in rows),
    )


def _whole(row: Any) -> PaymentPart:
    return PaymentPart(
        document_id=DocumentId(row.document_id or row.payable_id or ""),
        payable_itself=not row.document_id,
        erp_id=ErpId(row.erp_id or ""),
        payable_hint=ErpId(row.payable_id) if row.payable_id else None,
        amount=row.amount,
    )


def _of_parts(parts: Sequence[BillPartRow], amount: Decimal) -> list[PaymentPart]:
    shares = shares_of_payment(amount, {part.external_key: part.total - part.paid for part in parts})
    return [
        PaymentPart(
            document_id=DocumentId(part.document_id or ""),
            erp_id=ErpId(part.erp_id or ""),
            payable_hint=ErpId(part.payable_id) if part.payable_id else None,
            amount=shares[part.external_key],
        )
        for part in parts
        if part.external_key in shares
    ]


_STORED = text(
    """
    select b.id, b.organization_id, b.connection_id, b.status, b.total, b.paid, b.version, b.document_id, b.payable_id
      from bills b where b.id in (select bill_id from payment_shares where payment_id = :id) order by b.id
    """
)

_FIGURES = text(
    f"""
    update bills b set paid = n.paid, status = {moved("bills", "b.status", "n.status", origin="b.origin")},
           payable_id = coalesce(n.payable, b.payable_id),
           payable_revision = greatest(b.payable_revision, n.revision),
           version = b.version + cast((b.status, b.paid) is distinct from (n.status, n.paid) as int),
           changed_at = case when b.status <> n.status then now() else b.changed_at end
      from unnest(cast(:ids as text[]), cast(:paid as numeric[]), cast(:statuses as text[]),
                  cast(:payables as text[]), cast(:revisions as text[])) as n(id, paid, status, payable, revision)
     where b.id = n.id
       -- A sync has read the bill after this: its figures include the payment, and what came behind it.
       and not coalesce(b.payable_revision > n.revision, false)
    """
)

_STATUS = text(
    f"""
    with was as (select id, status, organization_id, connection_id from payments where id = :id for update
    ), after as (
        update payments p set status = {moved("payments", "p.status", "cast(:status as varchar)")},
               erp_id = cast(:erp_id as varchar), erp_revision = :revision, version = p.version + 1, changed_at = now()
          from was where p.id = was.id
           -- A void that was asked for meanwhile stays: this attempt only says again that the payment was made.
           and p.status <> 'voiding'
           and (p.status, p.erp_id) is distinct from (cast(:status as varchar), cast(:erp_id as varchar))
        returning p.id, p.status
    )
    {events.ADD}
    select was.organization_id, was.connection_id, 'payment', was.id, :kind, :actor, '',
           jsonb_build_object('status', was.status), jsonb_build_object('status', after.status)
      from was join after on after.id = was.id
    """
)


async def lock_shared(session: AsyncSession, payment_id: PaymentId) -> Sequence[Any]:
    """Lock the bills of the payment and the credits in it; return the bills as they are."""
    await payment_credits.lock(session, payment_id)
    return (await session.execute(_STORED, {"id": payment_id})).all()


async def pushed(
    session: AsyncSession, payment_id: PaymentId, readback: PushedPayment
) -> Sequence[tuple[BillId, BillBalance]]:
    """Store what the ERP holds under the payment's key, and what is paid on its bills; return that by bill."""
    before = await lock_shared(session, payment_id)
    status = PaymentStatus.PAID if readback.settled else PaymentStatus.SUBMITTED
    await set_state(session, payment_id, status, readback.erp_id, readback.revision, kind="pushed")
    if readback.settled:
        await _follow_shares(session, payment_id, readback.shares)
        await payments.follow_amount(session, payment_id, readback)
        await payment_credits.follow(session, payment_id)
        await store_figures(session, before, readback.parts)
    return await balances(session, payment_id)


async def _follow_shares(session: AsyncSession, payment_id: PaymentId, shown: Sequence[ErpPaymentShare]) -> None:
    """Store what of a payment's money went to which of its bills, where that is not what was asked."""
    if shown:
        await session.execute(
            text(
                "update payment_shares h set amount = coalesce((select sum(n.amount)"
                "   from unnest(cast(:payables as text[]), cast(:amounts as numeric[])) as n(payable, amount)"
                "   where n.payable = b.payable_id or n.payable in ("
                "      select x.payable_id from bill_parts x"
                "       where x.bill_id = b.id and x.generation = b.generation)), 0)"
                " from bills b where h.payment_id = :id and b.id = h.bill_id"
            ),
            {
                "id": payment_id,
                "payables": [share.bill_erp_id for share in shown],
                "amounts": [share.amount for share in shown],
            },
        )


async def set_state(
    session: AsyncSession, payment_id: PaymentId, status: PaymentStatus, erp_id: str, revision: str, *, kind: str
) -> None:
    """Set where the payment stands in the ERP, with the event of it; the same again changes nothing."""
    await session.execute(
        _STATUS,
        {
            "id": payment_id,
            "status": status,
            "erp_id": erp_id,
            "revision": revision,
            "kind": kind,
            "actor": SYNCER,
        },
    )


async def store_figures(session: AsyncSession, before: Sequence[Any], shown: Sequence[PartPaid]) -> None:
    """Store the ERP's own figures of these locked bills."""
    by_document = {str(one.document_id): one for one in shown}
    promised = set((await session.execute(_PROMISED, {"ids": [row.id for row in before]})).scalars())
    figures: list[tuple[str, Decimal, BillStatus, str | None, str | None]] = []
    for row in before:
        one = by_document.get(row.document_id or row.payable_id)
        if one is not None:
            paid, due, payable, revision = one.paid, one.due, str(one.payable_id), one.revision
        else:  # a bill in parts
            paid, due = await bill_parts.paid(session, BillId(row.id), shown)
            payable, revision = None, max((part.revision for part in shown if part.revision), default=None)
        after = BillStatus.PAID if due <= 0 else BillStatus.PARTIALLY_PAID
        if paid == 0:  # its payment was voided
            after = BillStatus.SCHEDULED if row.id in promised else BillStatus.SYNCED
        if row.status == BillStatus.RETRACTING:
            # A retraction that was asked for meanwhile stays: this attempt only says again what was paid.
            after = BillStatus.RETRACTING
        figures.append((row.id, paid, after, payable, revision))
    await session.execute(
        _FIGURES,
        {
            "ids": [one[0] for one in figures],
            "paid": [one[1] for one in figures],
            "statuses": [one[2].value for one in figures],
            "payables": [one[3] for one in figures],
            "revisions": [one[4] for one in figures],
        },
    )
    now = {row.id: row for row in (await session.execute(_NOW, {"ids": [row.id for row in before]})).all()}
    for row in before:
        if now[row.id].status != row.status:
            await events.record_all(
                session,
                organization_id=OrganizationId(row.organization_id),
                connection_id=ConnectionId(row.connection_id),
                subject_kind="bill",
                actor=SYNCER,
                why=f"the ERP shows {now[row.id].paid} paid, {row.total - now[row.id].paid} due",
                changes=[events.Change(row.id, "status", {"status": row.status}, {"status": now[row.id].status})],
            )


_PROMISED = text(
    "select h.bill_id from payment_shares h join payments p on p.id = h.payment_id"
    " where h.bill_id = any(cast(:ids as text[])) and p.status in ('scheduled', 'submitted', 'sync_issue')"
)

_NOW = text("select id, status, total, paid, version from bills where id = any(cast(:ids as text[])) order by id")


async def balances(session: AsyncSession, payment_id: PaymentId) -> list[tuple[BillId, BillBalance]]:
    """Return what is paid and due on each bill of the payment."""
    ids = [share.bill_id for share in (await shares_of(session, [payment_id]))[payment_id]]
    return [
        (
            BillId(row.id),
            BillBalance(
                status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid), version=row.version
            ),
        )
        for row in (await session.execute(_NOW, {"ids": ids})).all()
    ]
