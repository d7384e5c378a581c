"""Record on bills that a payment of theirs was voided: with who asked for it, and why."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER
from models.store.audit import events

_VOIDS = text(
    f"""
    {events.ADD}
    select p.organization_id, p.connection_id, 'bill', h.bill_id, 'payment_voided',
           case when p.status = 'voiding' then coalesce(p.void_by, :syncer) else :syncer end,
           case when p.status = 'voiding' then coalesce(p.void_why, '') else :why end, cast(null as jsonb),
           jsonb_build_object('payment', coalesce(p.reference, p.id), 'amount', cast(h.amount as text))
      from payments p join payment_shares h on h.payment_id = p.id
     where p.id = any(cast(:ids as text[])) and p.status in ('paid', 'voiding') order by h.bill_id, p.id
    """
)


async def record_voids(session: AsyncSession, payment_ids: Sequence[str], *, why: str) -> None:
    """Record on each bill that these payments, which still count as paid, are void now; one that was asked for here
    names who did, and why."""
    if payment_ids:
        await session.execute(_VOIDS, {"ids": list(payment_ids), "why": why, "syncer": SYNCER})
