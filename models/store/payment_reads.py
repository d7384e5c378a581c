"""Reading payments, ours and those made in the ERP, for the people who look at them."""

from sqlalchemy import tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId, OrganizationId, PaymentId, PaymentStatus
from models.store.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import PaymentRow

_FRESH = {"populate_existing": True}


async def get(
    s: AsyncSession, payment_id: PaymentId, organization_id: OrganizationId | None = None
) -> PaymentRow | None:
    """The payment; with an organization only if it is theirs."""
    statement = select(PaymentRow).where(col(PaymentRow.id) == payment_id)
    if organization_id is not None:
        statement = statement.where(col(PaymentRow.organization_id) == organization_id)
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def page(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId | None = None,
    bill_id: BillId | None = None,
    status: PaymentStatus | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[PaymentRow]:
    """The organization's payments, newest first."""
    limit = page_size(limit)
    statement = select(PaymentRow).where(col(PaymentRow.organization_id) == organization_id)
    if connection_id is not None:
        statement = statement.where(col(PaymentRow.connection_id) == connection_id)
    if bill_id is not None:
        statement = statement.where(col(PaymentRow.bill_id) == bill_id)
    if status is not None:
        statement = statement.where(col(PaymentRow.status) == status.value)
    if cursor is not None:
        created_at, payment_id = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(col(PaymentRow.created_at), col(PaymentRow.id)) < (instant_in_cursor(created_at), payment_id)
        )
    statement = statement.order_by(col(PaymentRow.created_at).desc(), col(PaymentRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.created_at.isoformat(), row.id))
