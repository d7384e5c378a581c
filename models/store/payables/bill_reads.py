"""Read bills, ours and those made in the ERP, for people to look at."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, OrganizationId
from models.tables import BillLineRow, BillRow, ConnectionRow, MatchResultRow, PurchaseOrderLineRow, PurchaseOrderRow

_FRESH = {"populate_existing": True}


async def get(s: AsyncSession, bill_id: BillId, organization_id: OrganizationId | None = None) -> BillRow | None:
    """Return the bill or None; with an organization only if it owns the bill."""
    statement = select(BillRow).where(col(BillRow.id) == bill_id)
    if organization_id is not None:
        statement = statement.where(col(BillRow.organization_id) == organization_id)
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def lines(s: AsyncSession, bill_id: BillId) -> Sequence[BillLineRow]:
    """Return the bill's lines in the order in which people count them."""
    statement = select(BillLineRow).where(col(BillLineRow.bill_id) == bill_id).order_by(col(BillLineRow.line_no))
    return (await s.exec(statement, execution_options=_FRESH)).all()


async def order_line_ids(s: AsyncSession, bill_id: BillId) -> dict[int, str]:
    """Return the ERP's ids of the order lines that the bill's lines bill, by the bill line's number."""
    statement = (
        select(BillLineRow.line_no, PurchaseOrderLineRow.erp_id)
        .join(
            PurchaseOrderLineRow,
            (col(PurchaseOrderLineRow.purchase_order_id) == col(BillLineRow.purchase_order_id))
            & (col(PurchaseOrderLineRow.line_no) == col(BillLineRow.purchase_order_line_no)),
        )
        .where(col(BillLineRow.bill_id) == bill_id)
    )
    return dict((await s.exec(statement)).all())


async def order_numbers(s: AsyncSession, bill_id: BillId) -> dict[str, str]:
    """Return the numbers of the orders that the bill's lines are on, by the order's id."""
    statement = (
        select(PurchaseOrderRow.id, PurchaseOrderRow.number)
        .join(BillLineRow, col(BillLineRow.purchase_order_id) == col(PurchaseOrderRow.id))
        .where(col(BillLineRow.bill_id) == bill_id)
        .distinct()
    )
    return dict((await s.exec(statement)).all())


async def entity(s: AsyncSession, bill_id: BillId) -> str | None:
    """Return the entity that the bill is of: the connection's, else its order's; None: neither has one."""
    statement = (
        select(ConnectionRow.entity, PurchaseOrderRow.entity)
        .join(BillRow, col(BillRow.connection_id) == col(ConnectionRow.id))
        .join(PurchaseOrderRow, col(PurchaseOrderRow.id) == col(BillRow.purchase_order_id), isouter=True)
        .where(col(BillRow.id) == bill_id)
    )
    own, order = (await s.exec(statement)).one()
    return own or order


async def owner_entity(s: AsyncSession, bill_id: BillId) -> str | None:
    """Return the entity that owns a bill or a credit in the ERP: its own, else its order's; None: nobody says."""
    statement = (
        select(BillRow.entity, PurchaseOrderRow.owner_entity)
        .join(PurchaseOrderRow, col(PurchaseOrderRow.id) == col(BillRow.purchase_order_id), isouter=True)
        .where(col(BillRow.id) == bill_id)
    )
    own, order = (await s.exec(statement)).one()
    return own or order


async def match_result(s: AsyncSession, bill_id: BillId) -> MatchResultRow | None:
    """Return the result of the bill's last match, or None."""
    statement = select(MatchResultRow).where(col(MatchResultRow.bill_id) == bill_id)
    statement = statement.order_by(col(MatchResultRow.created_at).desc(), col(MatchResultRow.id).desc()).limit(1)
    return (await s.exec(statement, execution_options=_FRESH)).first()
