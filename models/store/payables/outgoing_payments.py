"""Read the payments that are to be sent, with the ids that their ERP knows their bills by."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartState, shares_of_payment
from models.domain.bills import BillStatus
from models.domain.ids import BillId, DocumentId, ErpId, ExternalKey, PaymentId
from models.domain.payments import PaymentPart, PaymentStatus, PaymentToPush
from models.store.base.today import today_in
from models.store.payables import bill_parts, payment_credits, standalone_payments
from models.tables import BillPartRow

LONGEST_MEMO = 200
"""How many characters the numbers of the bills that are paid may take in the memo."""


class OutgoingPayment(NamedTuple):
    """A payment to push, with its status and its bill."""

    payment: PaymentToPush
    status: PaymentStatus
    bill_id: BillId
    bill_rejected: bool = False
    """The ERP holds its bill as rejected."""
    bill_status: BillStatus = BillStatus.SCHEDULED
    parts_missing: bool = False
    """The ERP does not hold every part of its bill as it was sent, so none of them is paid."""
    stands_alone: bool = False
    """It pays several bills, or one made in the ERP."""
    vendor_stopped: str | None = None
    """Why its vendor is not paid now; None: nothing stands in the way."""


_IN_PUSH = text(
    """
    select p.external_key, p.amount, p.currency, p.pay_on, c.time_zone,
           p.method, p.bank_account, p.status, p.stands_alone, p.paid_outside, p.submitted_on,
           p.reference, p.external_id,
           (select bool_and(not v.active) from list_entries v where v.connection_id = p.connection_id
               and v.kind = 'vendor' and v.key = b.vendor_id and v.deleted_at is null) as vendor_inactive,
           (select bool_or(lower(coalesce(v.kept_here ->> 'on_hold', v.attributes ->> 'on_hold'))
                           in ('true', 't', 'yes'))
              from list_entries v
             where v.connection_id = p.connection_id and v.kind = 'vendor' and v.key = b.vendor_id
               and v.deleted_at is null) as vendor_on_hold,
           b.id as bill_id, b.vendor_id, b.document_id, b.erp_id, b.payable_id, b.number,
           coalesce(o.owner_entity, b.entity) as owner_entity,
           b.rejected_in_erp, b.status as bill_status,
           exists (select from bill_parts x where x.bill_id = b.id) as in_parts
      from payments p join bills b on b.id = p.bill_id join connections c on c.id = p.connection_id
      left join purchase_orders o on o.id = b.purchase_order_id
     where p.id = :id
    """
)


async def load_for_push(session: AsyncSession, payment_id: PaymentId) -> OutgoingPayment:
    """Return the payment to push, with the ids that its ERP knows the bill by. It is dated by the day it is submitted
    (S5-36): one that waited for a bill or an outage is not dated back."""
    row = (await session.execute(_IN_PUSH, {"id": payment_id})).one()
    if row.stands_alone:
        shares = await standalone_payments.outgoing_shares(session, payment_id)
        credits = await payment_credits.outgoing(session, payment_id)
        outgoing = _outgoing(row, shares.parts, _memo(shares.numbers), missing=shares.missing, rejected=shares.rejected)
        return outgoing._replace(payment=outgoing.payment.model_copy(update={"credits": credits}))
    parts = await bill_parts.of_bill(session, BillId(row.bill_id)) if row.in_parts else ()
    missing = any(part.state != PartState.IN_ERP for part in parts)
    return _outgoing(
        row, () if missing else _shares(parts, row.amount), row.number, missing=missing, rejected=row.rejected_in_erp
    )


def _outgoing(row: Any, parts: tuple[PaymentPart, ...], memo: str, *, missing: bool, rejected: bool) -> OutgoingPayment:
    return OutgoingPayment(
        payment=PaymentToPush(
            external_key=ExternalKey(row.external_key),
            vendor_id=row.vendor_id,
            bill_document=DocumentId(row.document_id or ""),
            bill_erp_id=ErpId(row.erp_id or ""),
            payable_hint=ErpId(row.payable_id) if row.payable_id else None,
            amount=row.amount,
            currency=row.currency,
            paid_on=row.pay_on if row.paid_outside else row.submitted_on or max(row.pay_on, today_in(row.time_zone)),
            method=row.method,
            bank_account=row.bank_account,
            memo=memo,
            owner_entity=row.owner_entity,
            parts=parts,
            reference=row.reference,
            external_id=row.external_id,
        ),
        status=PaymentStatus(row.status),
        bill_id=BillId(row.bill_id),
        bill_rejected=rejected,
        bill_status=BillStatus(row.bill_status),
        parts_missing=missing,
        stands_alone=row.stands_alone,
        vendor_stopped=_stopped(row),
    )


def _shares(parts: Sequence[BillPartRow], amount: Decimal) -> tuple[PaymentPart, ...]:
    """Return what the payment pays of each part. Where less is due than is paid, the last part gets the excess: the ERP
    says what it makes of it."""
    due = {part.external_key: part.total - part.paid for part in parts}
    most = sum((left for left in due.values() if left > 0), Decimal(0))
    shares = shares_of_payment(min(amount, most), due)
    if amount > most and parts:
        shares[parts[-1].external_key] = shares.get(parts[-1].external_key, Decimal(0)) + amount - most
    return tuple(
        PaymentPart(
            document_id=DocumentId(part.document_id or ""),
            erp_id=ErpId(part.erp_id or ""),
            payable_hint=ErpId(part.payable_id) if part.payable_id else None,
            amount=shares[part.external_key],
        )
        for part in parts
        if part.external_key in shares
    )


_SUBMIT = text(
    """
    update payments p set submitted_on = case when :in_doubt then coalesce(p.submitted_on, :today) else :today end
     where p.id = :id
    """
)


async def submit(session: AsyncSession, payment_id: PaymentId, *, time_zone: str | None, in_doubt: bool) -> None:
    """Store the day on which the payment is submitted, in the connection's time zone, and how its credits stand; of one
    that may have been sent before, both stay."""
    await payment_credits.sent(session, payment_id, in_doubt=in_doubt)
    await session.execute(_SUBMIT, {"id": payment_id, "today": today_in(time_zone), "in_doubt": in_doubt})


def _memo(numbers: Sequence[str]) -> str:
    said = ", ".join(numbers)
    return said if len(said) <= LONGEST_MEMO else f"{len(numbers)} bills: {said}"[: LONGEST_MEMO - 1] + "…"


def _stopped(row: Any) -> str | None:
    if row.vendor_inactive:
        return "inactive"
    return "on hold" if row.vendor_on_hold else None
