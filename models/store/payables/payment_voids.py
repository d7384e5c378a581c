"""Store the void of a payment of ours: asked for by a person, made in the ERP, or left.

What it restores on its bills are the ERP's own figures, so that the same void seen twice, by its own write and by a
sync, restores nothing twice.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, BillId, ConnectionId, ErpId, ExternalKey, PaymentId
from models.domain.payments import PartPaid, PaymentPart, PaymentStatus, PaymentToVoid
from models.domain.writes import WriteKind
from models.messages.bills import BillBalance
from models.store.audit import sync_issues, writes
from models.store.base.identity import digest_of
from models.store.base.today import today_in
from models.store.payables import bill_payment_events, outgoing_payments, payment_credits, payments, standalone_payments
from models.tables import PaymentRow


def void_key_for(payment_id: PaymentId) -> ExternalKey:
    """Return our name for the write that voids the payment."""
    return ExternalKey("PSV-" + digest_of(payment_id)[:16].upper())


_ASK = text("update payments set void_on = :day, void_why = :why, void_by = :actor where id = :id")

_PLAN = text(
    f"""
    insert into erp_writes (external_key, connection_id, kind, subject_id, state, attempts)
    select :key, p.connection_id, '{WriteKind.PAYMENT_VOID.value}', p.id, 'planned', 0 from payments p where p.id = :id
    on conflict (external_key) do update set state = 'planned', attempts = 0, sent_at = null, problem_code = null,
        unknown_words = null
      where erp_writes.state = 'abandoned'
    """
)


async def ask(session: AsyncSession, payment_id: PaymentId, *, day: date, actor: str, why: str) -> bool:
    """Plan the void of a payment whose bills the caller has locked; False: it is not paid, or no more."""
    status = await payments.set_status(session, payment_id, PaymentStatus.VOIDING, actor=actor, why=why)
    if status is not PaymentStatus.VOIDING:
        return False
    await session.execute(_ASK, {"id": payment_id, "day": day, "why": why, "actor": actor})
    await payment_credits.plan_void(session, payment_id)
    await session.execute(_PLAN, {"id": payment_id, "key": void_key_for(payment_id)})
    return True


_TO_VOID = text(
    """
    select p.status, p.erp_id, p.void_on, p.void_why, p.submitted_on, p.pay_on, c.time_zone
      from payments p join connections c on c.id = p.connection_id where p.id = :id
    """
)


async def load(session: AsyncSession, payment_id: PaymentId) -> tuple[PaymentStatus, PaymentToVoid]:
    """Return where the payment stands, and its void as it is to be made."""
    row = (await session.execute(_TO_VOID, {"id": payment_id})).one()
    outgoing = (await outgoing_payments.load_for_push(session, payment_id)).payment
    paid_on = row.submitted_on or row.pay_on
    parts = outgoing.parts or (
        PaymentPart(
            document_id=outgoing.bill_document,
            erp_id=outgoing.bill_erp_id,
            payable_hint=outgoing.payable_hint,
            amount=outgoing.amount,
        ),
    )
    void = PaymentToVoid(
        external_key=void_key_for(payment_id),
        payment_erp_id=ErpId(row.erp_id or ""),
        dated=max(row.void_on or today_in(row.time_zone), paid_on),
        why=row.void_why or "",
        owner_entity=outgoing.owner_entity,
        parts=parts,
        credits=outgoing.credits,
    )
    return PaymentStatus(row.status), void


async def voided(
    session: AsyncSession, payment_id: PaymentId, shown: Sequence[PartPaid]
) -> Sequence[tuple[BillId, BillBalance]]:
    """Store that the ERP holds the payment no more, with its own figures of the bills; return what is due on each."""
    before = await standalone_payments.lock_shared(session, payment_id)
    was = await session.scalar(text("select status from payments where id = :id for update"), {"id": payment_id})
    if was == PaymentStatus.VOIDING:  # else a sync has seen it, and recorded it
        await bill_payment_events.record_voids(session, [payment_id], why="voided in the ERP")
    await payments.set_status(session, payment_id, PaymentStatus.VOIDED, actor=SYNCER, why="voided in the ERP")
    await standalone_payments.store_figures(session, before, shown)
    row = await session.get(PaymentRow, payment_id)
    assert row is not None, "a payment is never removed"
    await sync_issues.close_for_subjects(
        session, ConnectionId(row.connection_id), "payment", [payment_id], actor=SYNCER
    )
    return await standalone_payments.balances(session, payment_id)


async def leave(session: AsyncSession, payment_id: PaymentId, *, actor: str, why: str) -> bool:
    """Leave a payment in the ERP whose void was refused there; False: the ERP voided it, or may have."""
    if not await writes.abandon(session, void_key_for(payment_id)):
        return False
    status = await payments.set_status(session, payment_id, PaymentStatus.PAID, actor=actor, why=why)
    return status is PaymentStatus.PAID
