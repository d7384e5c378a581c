"""Reading bills, ours and those made in the ERP, for the people who look at them."""

from collections.abc import Sequence

from sqlalchemy import or_, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, BillStatus, ConnectionId, OrganizationId, PurchaseOrderId
from models.store.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import BillLineRow, BillRow, MatchResultRow

_FRESH = {"populate_existing": True}


async def get(s: AsyncSession, bill_id: BillId, organization_id: OrganizationId | None = None) -> BillRow | None:
    """The bill; with an organization only if it is theirs."""
    statement = select(BillRow).where(col(BillRow.id) == bill_id)
    if organization_id is not None:
        statement = statement.where(col(BillRow.organization_id) == organization_id)
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def lines(s: AsyncSession, bill_id: BillId) -> Sequence[BillLineRow]:
    """The bill's lines as people count them."""
    statement = select(BillLineRow).where(col(BillLineRow.bill_id) == bill_id).order_by(col(BillLineRow.line_no))
    return (await s.exec(statement, execution_options=_FRESH)).all()


async def match_result(s: AsyncSession, bill_id: BillId) -> MatchResultRow | None:
    """The match the bill was last saved with."""
    statement = select(MatchResultRow).where(col(MatchResultRow.bill_id) == bill_id)
    statement = statement.order_by(col(MatchResultRow.created_at).desc(), col(MatchResultRow.id).desc()).limit(1)
    return (await s.exec(statement, execution_options=_FRESH)).first()


async def page(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId | None = None,
    purchase_order_id: PurchaseOrderId | None = None,
    vendor: str | None = None,
    status: BillStatus | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[BillRow]:
    """The organization's bills, newest first."""
    limit = page_size(limit)
    statement = select(BillRow).where(col(BillRow.organization_id) == organization_id)
    if connection_id is not None:
        statement = statement.where(col(BillRow.connection_id) == connection_id)
    if purchase_order_id is not None:
        on_it = select(BillLineRow.bill_id).where(col(BillLineRow.purchase_order_id) == purchase_order_id)
        statement = statement.where(
            or_(col(BillRow.purchase_order_id) == purchase_order_id, col(BillRow.id).in_(on_it))
        )
    if vendor is not None:
        statement = statement.where(col(BillRow.vendor_id) == vendor)
    if status is not None:
        statement = statement.where(col(BillRow.status) == status.value)
    if cursor is not None:
        created_at, bill_id = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(col(BillRow.created_at), col(BillRow.id)) < (instant_in_cursor(created_at), bill_id)
        )
    statement = statement.order_by(col(BillRow.created_at).desc(), col(BillRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.created_at.isoformat(), row.id))
