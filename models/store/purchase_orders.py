"""Purchase orders in the mirror: what people list and open, and what an order's workflow knows of its order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, MatchingStatus, OrganizationId, PoStatus, PurchaseOrderId
from models.messages import OrderFacts
from models.store.order_pages import Upserted, held_revisions, upsert
from models.store.order_rows import MappedOrder, purchase_order_id
from models.store.pages import Listing, date_in_cursor, decode_cursor, listing, page_size
from models.tables import ConnectionRow, PurchaseOrderLineRow, PurchaseOrderRow

__all__ = [
    "MappedOrder",
    "Upserted",
    "facts",
    "get",
    "held_revisions",
    "lines",
    "page",
    "purchase_order_id",
    "upsert",
]

_FRESH = {"populate_existing": True}


async def get(
    s: AsyncSession, order_id: PurchaseOrderId, organization_id: OrganizationId | None = None
) -> PurchaseOrderRow | None:
    """The order as the mirror has it; with an organization only if it is theirs."""
    statement = select(PurchaseOrderRow).where(col(PurchaseOrderRow.id) == order_id)
    if organization_id is not None:
        statement = statement.join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id)).where(
            col(ConnectionRow.organization_id) == organization_id
        )
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def lines(s: AsyncSession, order_id: PurchaseOrderId) -> Sequence[PurchaseOrderLineRow]:
    """The lines the ERP still has, as people count them."""
    statement = select(PurchaseOrderLineRow).where(
        col(PurchaseOrderLineRow.purchase_order_id) == order_id, col(PurchaseOrderLineRow.deleted).is_(False)
    )
    return (await s.exec(statement.order_by(col(PurchaseOrderLineRow.line_no)), execution_options=_FRESH)).all()


async def page(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId | None = None,
    vendor: str | None = None,
    status: PoStatus | None = None,
    matching_status: MatchingStatus | None = None,
    q: str | None = None,
    changed_since: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Listing[PurchaseOrderRow]:
    """Orders of one organization, most recent order date first. `q` narrows by the beginning of the number."""
    limit = page_size(limit)
    statement = (
        select(PurchaseOrderRow)
        .join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id))
        .where(col(ConnectionRow.organization_id) == organization_id, col(PurchaseOrderRow.deleted_at).is_(None))
    )
    if connection_id is not None:
        statement = statement.where(col(PurchaseOrderRow.connection_id) == connection_id)
    if vendor is not None:
        statement = statement.where(col(PurchaseOrderRow.vendor_id) == vendor)
    if status is not None:
        statement = statement.where(col(PurchaseOrderRow.status) == status.value)
    if matching_status is not None:
        statement = statement.where(col(PurchaseOrderRow.matching_status) == matching_status.value)
    if q:
        statement = statement.where(_number_begins(q))
    if changed_since is not None:
        statement = statement.where(col(PurchaseOrderRow.changed_at) > changed_since)
    if cursor is not None:
        ordered_on, order_id = decode_cursor(cursor, 2)
        place = tuple_(col(PurchaseOrderRow.ordered_on), col(PurchaseOrderRow.id))
        statement = statement.where(place < (date_in_cursor(ordered_on), order_id))
    statement = statement.order_by(col(PurchaseOrderRow.ordered_on).desc(), col(PurchaseOrderRow.id).desc())
    rows = (await s.exec(statement.limit(limit + 1), execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.ordered_on.isoformat(), row.id))


def _number_begins(q: str) -> ColumnElement[bool]:
    return col(PurchaseOrderRow.number).istartswith(q, autoescape=True)


_FACTS = """
select o.id, o.erp_id, o.number, coalesce(nullif(o.vendor_name, ''), o.vendor_id) as vendor, o.erp_status, o.status,
       o.content_hash, o.snapshot, coalesce(l.ordered, 0) as ordered, coalesce(l.billed, 0) as billed,
       coalesce(p.pending, 0) as pending
from purchase_orders o
left join lateral (
    select sum(quantity) as ordered, sum(billed) as billed
    from purchase_order_lines where purchase_order_id = o.id and not deleted
) l on true
left join lateral (
    select sum(quantity) as pending from bill_lines where purchase_order_id = o.id and reserves
) p on true
"""


def _facts(row: Any) -> OrderFacts:
    return OrderFacts(
        number=row.number,
        vendor=row.vendor,
        erp_status=row.erp_status,
        status=PoStatus(row.status),
        content_hash=row.content_hash,
        snapshot=row.snapshot,
        ordered=row.ordered,
        billed=row.billed,
        pending=row.pending,
    )


async def facts(s: AsyncSession, order_id: PurchaseOrderId) -> OrderFacts | None:
    """What the order's workflow knows of it, as of now."""
    await s.flush()
    connection = await s.connection()
    row = (await connection.execute(text(_FACTS + "where o.id = :id"), {"id": order_id})).one_or_none()
    return None if row is None else _facts(row)
