"""An order together with its connection, in one statement: every request about an order begins with it."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import OrganizationId, PurchaseOrderId
from models.tables import ConnectionRow, PurchaseOrderRow


async def order_and_connection(
    s: AsyncSession, order_id: PurchaseOrderId, organization_id: OrganizationId
) -> tuple[PurchaseOrderRow, ConnectionRow] | None:
    """The organization's order, or None; which of the two it is not, nobody is told."""
    statement = (
        select(PurchaseOrderRow, ConnectionRow)
        .join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id))
        .where(col(PurchaseOrderRow.id) == order_id, col(ConnectionRow.organization_id) == organization_id)
    )
    row = (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()
    return None if row is None else (row[0], row[1])
