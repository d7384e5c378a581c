"""Store the credits that go with payments: asked for with them, and as the ERP applied them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, DocumentId, ErpId, PaymentId
from models.domain.payments import PaymentCredit
from models.tables import PaymentCreditRow

_APPLIED = """
    coalesce((select sum(s.amount) from jsonb_to_recordset(k.applied) as s(bill_erp_id text, amount numeric)
               where s.bill_erp_id = b.payable_id), 0)
"""
"""The SQL of what the credit `k` is applied with to the bill `b`, as the ERP showed it last."""


class CreditShare(NamedTuple):
    """A credit that goes to one bill of a payment."""

    credit_id: BillId
    bill_id: BillId
    amount: Decimal


async def create(session: AsyncSession, payment_id: PaymentId, shares: Sequence[CreditShare]) -> None:
    """Save the credits of a payment that was just created; the caller has locked them."""
    await session.flush()
    for share in shares:
        session.add(
            PaymentCreditRow(
                payment_id=payment_id, credit_id=share.credit_id, bill_id=share.bill_id, amount=share.amount
            )
        )
    await session.flush()


async def of_payments(session: AsyncSession, payment_ids: Sequence[str]) -> dict[str, list[CreditShare]]:
    """Return the credits that go with each of these payments, by bill and credit."""
    statement = select(PaymentCreditRow).where(
        col(PaymentCreditRow.payment_id).in_(payment_ids), col(PaymentCreditRow.amount) > 0
    )
    shares: dict[str, list[CreditShare]] = {payment_id: [] for payment_id in payment_ids}
    rows = (await session.exec(statement, execution_options={"populate_existing": True})).all()
    for row in sorted(rows, key=lambda one: (one.bill_id, one.credit_id)):
        shares[row.payment_id].append(CreditShare(BillId(row.credit_id), BillId(row.bill_id), row.amount))
    return shares


async def lock(session: AsyncSession, payment_id: PaymentId) -> None:
    """Lock the bills of a payment, its credits and the credits of its fees, in the order of their ids, as
    everywhere."""
    await session.execute(
        text(
            "select 1 from bills where id in (select bill_id from payment_shares where payment_id = :id"
            "   union select credit_id from payment_credits where payment_id = :id"
            "   union select k.id from payments p join bills k on k.credit_of = p.bill_id and k.kind = 'credit'"
            "     where p.id = :id and p.fees <> '[]') order by id for update"
        ),
        {"id": payment_id},
    )


_SENT = text(
    f"""
    update payment_credits c set applied_before = {_APPLIED}
      from bills k, bills b where c.payment_id = :id and k.id = c.credit_id and b.id = c.bill_id
       and (c.applied_before is null or not :in_doubt)
    """
)


_SENT_BESIDE = text(
    f"""
    insert into payment_credits (payment_id, credit_id, bill_id, amount, applied_before)
    select x.payment_id, k.id, b.id, 0, {_APPLIED}
      from (select distinct payment_id, credit_id from payment_credits where payment_id = :id) x
      join bills k on k.id = x.credit_id join payment_shares h on h.payment_id = x.payment_id
      join bills b on b.id = h.bill_id
     where {_APPLIED} > 0
    on conflict (payment_id, credit_id, bill_id) do nothing
    """
)
"""A credit may be applied to other bills of the payment already: a row without an amount keeps with what."""


async def sent(session: AsyncSession, payment_id: PaymentId, *, in_doubt: bool) -> None:
    """Store what each credit is applied with, to any bill of the payment, before the payment is sent; of one that may
    have been sent before, that stays."""
    await session.execute(_SENT, {"id": payment_id, "in_doubt": in_doubt})
    if not in_doubt:
        await session.execute(_SENT_BESIDE, {"id": payment_id})


_OUTGOING = text(
    """
    select k.payable_id as credit, coalesce(b.document_id, b.payable_id) as document, b.payable_id as payable,
           c.amount, coalesce(c.stays_applied, 0) as stays_applied
      from payment_credits c join bills k on k.id = c.credit_id join bills b on b.id = c.bill_id
     where c.payment_id = :id and c.amount > 0 order by b.id, k.id
    """
)


async def outgoing(session: AsyncSession, payment_id: PaymentId) -> tuple[PaymentCredit, ...]:
    """Return the credits of a payment, as its ERP knows them."""
    return tuple(
        PaymentCredit(
            credit_erp_id=ErpId(row.credit or ""),
            document_id=DocumentId(row.document or ""),
            payable_id=ErpId(row.payable or ""),
            amount=row.amount,
            stays_applied=row.stays_applied,
        )
        for row in (await session.execute(_OUTGOING, {"id": payment_id})).all()
    )


_NOW = text(
    f"""
    select k.id as credit_id, b.id as bill_id, {_APPLIED} - coalesce(c.applied_before, 0) as more, c.amount
      from (select distinct credit_id from payment_credits where payment_id = :id) x
      join bills k on k.id = x.credit_id
      join payment_shares h on h.payment_id = :id join bills b on b.id = h.bill_id
      left join payment_credits c on c.payment_id = :id and c.credit_id = k.id and c.bill_id = b.id
     order by k.id, b.id
    """
)


_MOVED = text(
    """
    insert into payment_credits (payment_id, credit_id, bill_id, amount, applied_before)
    select :id, :credit, n.bill_id, n.amount, 0
      from unnest(cast(:bills as text[]), cast(:amounts as numeric[])) as n(bill_id, amount)
    on conflict (payment_id, credit_id, bill_id) do update set amount = excluded.amount
    """
)


async def follow(session: AsyncSession, payment_id: PaymentId) -> None:
    """Store to which of the payment's bills the ERP applied its credits, where it chose itself. The credits have been
    read since; one whose figures do not come to what was sent keeps what was asked for."""
    by_credit: dict[str, list[tuple[str, Decimal, Decimal]]] = {}
    for row in (await session.execute(_NOW, {"id": payment_id})).all():
        by_credit.setdefault(row.credit_id, []).append((row.bill_id, row.more, row.amount or Decimal(0)))
    for credit_id, bills in by_credit.items():
        fits = sum(more for _, more, _ in bills) == sum(asked for _, _, asked in bills)
        if not fits or all(more == asked for _, more, asked in bills) or any(more < 0 for _, more, _ in bills):
            continue
        moved = [(bill_id, more) for bill_id, more, asked in bills if more != asked]
        await session.execute(
            _MOVED,
            {
                "id": payment_id,
                "credit": credit_id,
                "bills": [bill_id for bill_id, _ in moved],
                "amounts": [more for _, more in moved],
            },
        )


async def plan_void(session: AsyncSession, payment_id: PaymentId) -> None:
    """Store what each credit of the payment is to be applied with once the payment is voided, as absolute figures: a
    void that is repeated frees nothing twice. The caller has locked bills and credits."""
    await session.execute(
        text(
            f"update payment_credits c set stays_applied = greatest({_APPLIED} - c.amount, 0)"
            " from bills k, bills b where c.payment_id = :id and k.id = c.credit_id and b.id = c.bill_id"
        ),
        {"id": payment_id},
    )
