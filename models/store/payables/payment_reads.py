"""Read payments, ours and those made in the ERP, for people to look at."""

from datetime import date

from sqlalchemy import or_, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, OrganizationId, PaymentId
from models.domain.payments import PaymentStatus
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, narrowed, page_size
from models.tables import BillRow, PaymentRow, PaymentShareRow

_FRESH = {"populate_existing": True}


async def get(
    s: AsyncSession, payment_id: PaymentId, organization_id: OrganizationId | None = None
) -> PaymentRow | None:
    """Return the payment or None; with an organization only if it owns the payment."""
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
    vendor_id: str | None = None,
    reference: str | None = None,
    pay_on_from: date | None = None,
    pay_on_to: date | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[PaymentRow]:
    """Return one page of the organization's payments, newest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(PaymentRow).where(col(PaymentRow.organization_id) == organization_id)
    statement = narrowed(statement, {PaymentRow.connection_id: connection_id, PaymentRow.status: status})
    if bill_id is not None:
        shares = select(PaymentShareRow.payment_id).where(col(PaymentShareRow.bill_id) == bill_id)
        statement = statement.where(col(PaymentRow.id).in_(shares))
    if vendor_id is not None:
        bills = select(BillRow.id).where(
            col(BillRow.organization_id) == organization_id, col(BillRow.vendor_id) == vendor_id
        )
        statement = statement.where(col(PaymentRow.bill_id).in_(bills))
    if reference is not None:
        statement = statement.where(
            or_(col(PaymentRow.reference) == reference, col(PaymentRow.external_id) == reference)
        )
    if pay_on_from is not None:
        statement = statement.where(col(PaymentRow.pay_on) >= pay_on_from)
    if pay_on_to is not None:
        statement = statement.where(col(PaymentRow.pay_on) <= pay_on_to)
    if cursor is not None:
        created_at, payment_id = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(col(PaymentRow.created_at), col(PaymentRow.id)) < (instant_in_cursor(created_at), payment_id)
        )
    statement = statement.order_by(col(PaymentRow.created_at).desc(), col(PaymentRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.created_at.isoformat(), row.id))
