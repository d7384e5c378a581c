"""Purchase orders in the mirror: what people list and open, and what an order's workflow knows of its order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, MatchingStatus, MatchMode, OrganizationId, PoStatus, PurchaseOrderId
from models.store.order_pages import Upserted, held_revisions, imported, upsert
from models.store.order_refresh import apply_snapshot
from models.store.order_rows import MappedOrder, purchase_order_id
from models.store.order_waking import WakeRow, facts, mark_woken, to_wake
from models.store.pages import Listing, date_in_cursor, decode_cursor, listing, page_size
from models.tables import ConnectionRow, PurchaseOrderLineRow, PurchaseOrderRow

__all__ = [
    "MappedOrder",
    "Upserted",
    "WakeRow",
    "apply_snapshot",
    "chain",
    "erp_statuses",
    "facts",
    "get",
    "held_revisions",
    "imported",
    "lines",
    "mark_woken",
    "open_for_vendor",
    "page",
    "purchase_order_id",
    "remap_statuses",
    "to_wake",
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
    """Orders of one organization, most recent order date first. `q` narrows by part of the number."""
    limit = page_size(limit)
    statement = (
        select(PurchaseOrderRow)
        .join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id))
        .where(col(ConnectionRow.organization_id) == organization_id, col(PurchaseOrderRow.deleted_at).is_(None))
        .where(col(ConnectionRow.purchase_orders_enabled))  # feature off: orders are not viewable (S2-85)
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
        statement = statement.where(_number_holds(q))
    if changed_since is not None:
        statement = statement.where(col(PurchaseOrderRow.changed_at) > changed_since)
    if cursor is not None:
        ordered_on, order_id = decode_cursor(cursor, 2)
        place = tuple_(col(PurchaseOrderRow.ordered_on), col(PurchaseOrderRow.id))
        statement = statement.where(place < (date_in_cursor(ordered_on), order_id))
    statement = statement.order_by(col(PurchaseOrderRow.ordered_on).desc(), col(PurchaseOrderRow.id).desc())
    rows = (await s.exec(statement.limit(limit + 1), execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.ordered_on.isoformat(), row.id))


def _number_holds(q: str) -> ColumnElement[bool]:
    # Anywhere, not only at the start: people type 1007 for PO-1007.
    return col(PurchaseOrderRow.number).icontains(q, autoescape=True)


async def open_for_vendor(
    s: AsyncSession, connection_id: ConnectionId, vendor_id: str, q: str = "", limit: int = 20
) -> Sequence[PurchaseOrderRow]:
    """The vendor's orders that can still be billed, most recent first; typing narrows by number (S4-23)."""
    billable = (MatchingStatus.ACTIVE.value, MatchingStatus.PARTIALLY_BILLED.value)
    statement = select(PurchaseOrderRow).where(
        col(PurchaseOrderRow.connection_id) == connection_id,
        col(PurchaseOrderRow.vendor_id) == vendor_id,
        or_(
            col(PurchaseOrderRow.matching_status).in_(billable),
            and_(col(PurchaseOrderRow.status) == PoStatus.FILLED.value, _billable_beyond()),
        ),
        col(PurchaseOrderRow.status) != PoStatus.CLOSED.value,
        col(PurchaseOrderRow.deleted_at).is_(None),
    )
    if q:
        statement = statement.where(_number_holds(q))
    statement = statement.order_by(col(PurchaseOrderRow.ordered_on).desc(), col(PurchaseOrderRow.id).desc())
    return (await s.exec(statement.limit(page_size(limit)), execution_options=_FRESH)).all()


def _billable_beyond() -> ColumnElement[bool]:
    """Something of it was credited and may be billed again; or, in 3-way matching, came beyond the order (S4-15)."""
    line = PurchaseOrderLineRow
    three_way = (
        select(ConnectionRow.id)
        .where(
            col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id),
            col(ConnectionRow.match_mode) == MatchMode.THREE_WAY.value,
        )
        .exists()
    )
    over_received = and_(
        col(line.receivable), col(line.received) > col(line.quantity), col(line.received) > col(line.billed), three_way
    )
    return (
        select(line.line_no)
        .where(
            col(line.purchase_order_id) == col(PurchaseOrderRow.id),
            or_(col(line.credited) > 0, over_received),
            col(line.closed).is_(False),
        )
        .exists()
    )


async def chain(s: AsyncSession, order_id: PurchaseOrderId) -> Sequence[PurchaseOrderRow]:
    """The documents of the order's back-order chain, first to last, itself among them (S5-25)."""
    chained = (
        select(PurchaseOrderLineRow.chain_line)
        .where(col(PurchaseOrderLineRow.purchase_order_id) == order_id)
        .subquery()
    )
    members = select(PurchaseOrderLineRow.purchase_order_id).where(
        col(PurchaseOrderLineRow.chain_line).in_(select(chained.c.chain_line))
    )
    statement = select(PurchaseOrderRow).where(
        or_(col(PurchaseOrderRow.id).in_(members), col(PurchaseOrderRow.id) == order_id)
    )
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    by_document = {row.document_id: row for row in rows}

    def depth(row: PurchaseOrderRow) -> int:
        steps = 0
        while row.created_from in by_document and steps < len(rows):
            row = by_document[row.created_from]
            steps += 1
        return steps

    return sorted(rows, key=lambda row: (depth(row), row.ordered_on, row.number))


async def read_again(s: AsyncSession, connection_id: ConnectionId, erp_id: str) -> None:
    """Take the order in again when it is read next, though it has not changed in the ERP: its content counts as old."""
    connection = await s.connection()
    await connection.execute(
        text("update purchase_orders set revision = '' where connection_id = :c and erp_id = :erp_id"),
        {"c": connection_id, "erp_id": erp_id},
    )


async def erp_statuses(s: AsyncSession, connection_id: ConnectionId) -> list[str]:
    """The ERP's status words the connection's orders carry."""
    statement = select(PurchaseOrderRow.erp_status).where(col(PurchaseOrderRow.connection_id) == connection_id)
    return list((await s.exec(statement.distinct().order_by(col(PurchaseOrderRow.erp_status)))).all())


async def remap_statuses(
    s: AsyncSession, connection_id: ConnectionId, table: Mapping[str, tuple[PoStatus, MatchingStatus]]
) -> int:
    """Give every order the meaning its ERP status has now, after the match mode changed. How many changed.

    A word the table does not have keeps the meaning it had (ruling G3). The orders' workflows are woken.
    """
    await s.flush()
    connection = await s.connection()
    changed = await connection.execute(
        text(
            "update purchase_orders o set status = t.status, matching_status = t.matching_status, woken_hash = '',"
            "   snapshot = o.snapshot + 1, changed_at = now()"
            " from unnest(cast(:words as text[]), cast(:statuses as text[]), cast(:matching as text[]))"
            "   as t(word, status, matching_status)"
            " where o.connection_id = :c and o.erp_status = t.word and o.deleted_at is null"
            "   and (o.status, o.matching_status) is distinct from (t.status, t.matching_status)"
        ),
        {
            "c": connection_id,
            "words": list(table),
            "statuses": [status.value for status, _ in table.values()],
            "matching": [matching.value for _, matching in table.values()],
        },
    )
    return changed.rowcount
