"""Say what is reserved of bills and of credits: spoken for by what the ERP's own figures do not show yet.

Payments under way reserve their shares of bills and the credits that go with them; applications reserve what they
apply; a fee's credit reserves its amount of the bill until it is applied.
"""

from decimal import Decimal

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId

_UNDER_WAY = "p.origin = 'posync' and p.status in ('scheduled', 'submitted', 'sync_issue')"
_NOT_SHOWN = "(a.status in ('applying', 'applied', 'unapplying') and not a.shown)"
"""Of one that is being undone the ERP's figures may tell already, and until it is undone they still do."""

UNDER_WAY = f"""(
    (select count(*) from payments p where {_UNDER_WAY} and p.id in (
        select payment_id from payment_shares where bill_id = b.id
        union select payment_id from payment_credits where credit_id = b.id))
    + (select count(*) from credit_applications a where b.id in (a.bill_id, a.credit_id)
          and a.status in ('applying', 'unapplying')))"""
"""The SQL of how many payments, and applications of credits, of the bill or credit `b` are under way."""

ON_BILL = f"""(
    coalesce((select sum(g.amount) from payment_shares g join payments p on p.id = g.payment_id
               where g.bill_id = b.id and {_UNDER_WAY}), 0)
    + coalesce((select sum(g.amount) from payment_credits g join payments p on p.id = g.payment_id
                 where g.bill_id = b.id and {_UNDER_WAY}), 0)
    + coalesce((select sum(a.amount) from credit_applications a where a.bill_id = b.id and {_NOT_SHOWN}), 0)
    + coalesce((select sum(-f.total) from bills f where f.credit_of = b.id and f.apply_when_sent
                   and f.status not in ('deleted', 'abandoned')), 0))"""
"""The SQL of what is reserved of the bill `b`."""

OF_CREDIT = f"""(
    coalesce((select sum(a.amount) from credit_applications a where a.credit_id = k.id and {_NOT_SHOWN}), 0)
    + coalesce((select sum(g.amount) from payment_credits g join payments p on p.id = g.payment_id
                 where g.credit_id = k.id and {_UNDER_WAY}), 0)
    + case when k.apply_when_sent then greatest(k.credit_open, 0) else 0 end)"""
"""The SQL of what is reserved of the credit `k`; one of a fee is spoken for whole until it is applied to its bill."""


async def on_bill(session: AsyncSession, bill_id: BillId) -> Decimal:
    """Return what is reserved of a bill, in its currency."""
    rows = await session.execute(text(f"select {ON_BILL} from bills b where b.id = :id"), {"id": bill_id})
    return Decimal(rows.scalar_one())


async def is_any_under_way(session: AsyncSession, bill_id: BillId) -> bool:
    """Return whether a payment, or an application of a credit, of a bill is under way."""
    rows = await session.execute(text(f"select {UNDER_WAY} > 0 from bills b where b.id = :id"), {"id": bill_id})
    return bool(rows.scalar_one())


async def of_credit(session: AsyncSession, credit_id: BillId) -> Decimal:
    """Return what is reserved of a credit, in its currency."""
    rows = await session.execute(text(f"select {OF_CREDIT} from bills k where k.id = :id"), {"id": credit_id})
    return Decimal(rows.scalar_one())
