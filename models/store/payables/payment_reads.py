"""Read payments, ours and those made in the ERP, for people to look at."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId, PaymentId
from models.tables import PaymentRow

_FRESH = {"populate_existing": True}


async def get(
    s: AsyncSession, payment_id: PaymentId, organization_id: OrganizationId | None = None
) -> PaymentRow | None:
    """Return the payment or None; with an organization only if it owns the payment."""
    statement = select(PaymentRow).where(col(PaymentRow.id) == payment_id)
    if organization_id is not None:
        statement = statement.where(col(PaymentRow.organization_id) == organization_id)
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()
