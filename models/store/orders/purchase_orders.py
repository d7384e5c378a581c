"""Read purchase orders in the mirror: what people list and open, and what an order's workflow needs of its order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, and_, bindparam, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import MatchMode
from models.domain.ids import ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.orders import MatchingStatus, PoStatus
from models.store.base import sorted_pages
from models.store.base.pages import Listing, date_in_cursor, instant_in_cursor, page_size
from models.store.base.sorted_pages import ListSort, SortKey, amount_in_cursor
from models.store.orders.figures_due import requeue_due
from models.store.orders.order_notifications import OrderToNotify, facts, mark_notified, to_notify
from models.store.orders.order_pages import Known, Upserted, imported, known, upsert
from models.store.orders.order_refresh import apply_snapshot
from models.store.orders.order_rows import MappedOrder, purchase_order_id
from models.tables import ConnectionRow, PurchaseOrderLineRow, PurchaseOrderRow

__all__ = [
    "Known",
    "MappedOrder",
    "OrderToNotify",
    "Upserted",
    "apply_snapshot",
    "chain",
    "erp_statuses",
    "facts",
    "get",
    "imported",
    "known",
    "lines",
    "mark_notified",
    "numbered",
    "open_for_vendor",
    "order_and_connection",
    "page",
    "purchase_order_id",
    "remap_statuses",
    "requeue_due",
    "to_notify",
    "upsert",
]

_FRESH = {"populate_existing": True}

_ORDER_AND_CONNECTION = (
    select(PurchaseOrderRow, ConnectionRow)
    .join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id))
    .where(
        col(PurchaseOrderRow.id) == bindparam("order"), col(ConnectionRow.organization_id) == bindparam("organization")
    )
)


async def order_and_connection(
    s: AsyncSession, order_id: PurchaseOrderId, organization_id: OrganizationId
) -> tuple[PurchaseOrderRow, ConnectionRow] | None:
    """Return the organization's order with its connection, or None when it does not exist or belongs to somebody else.

    The caller does not learn which of the two it is. One statement: every request about an order begins with it.
    """
    wanted = {"order": order_id, "organization": organization_id}
    row = (await s.exec(_ORDER_AND_CONNECTION, params=wanted, execution_options=_FRESH)).one_or_none()
    return None if row is None else (row[0], row[1])


async def get(
    s: AsyncSession, order_id: PurchaseOrderId, organization_id: OrganizationId | None = None
) -> PurchaseOrderRow | None:
    """Return the order as the mirror has it, or None; with an organization only if it owns the order."""
    statement = select(PurchaseOrderRow).where(col(PurchaseOrderRow.id) == order_id)
    if organization_id is not None:
        statement = statement.join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id)).where(
            col(ConnectionRow.organization_id) == organization_id
        )
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def lines(s: AsyncSession, order_id: PurchaseOrderId) -> Sequence[PurchaseOrderLineRow]:
    """Return the lines that the ERP still has, in the order in which people count them."""
    statement = select(PurchaseOrderLineRow).where(
        col(PurchaseOrderLineRow.purchase_order_id) == order_id, col(PurchaseOrderLineRow.deleted).is_(False)
    )
    return (await s.exec(statement.order_by(col(PurchaseOrderLineRow.line_no)), execution_options=_FRESH)).all()


class OrderSort(ListSort):
    """What orders are sorted by; `-` puts the last one first."""

    DATE = "ordered_on"
    DATE_LAST_FIRST = "-ordered_on"
    NUMBER = "number"
    NUMBER_LAST_FIRST = "-number"
    TOTAL = "total"
    TOTAL_LAST_FIRST = "-total"
    CHANGED = "changed_at"
    CHANGED_LAST_FIRST = "-changed_at"


_KEYS = {
    "ordered_on": SortKey(col(PurchaseOrderRow.ordered_on), lambda order: order.ordered_on, date_in_cursor),
    "number": SortKey(col(PurchaseOrderRow.number), lambda order: order.number, str),
    "total": SortKey(col(PurchaseOrderRow.total), lambda order: order.total, amount_in_cursor),
    "changed_at": SortKey(col(PurchaseOrderRow.changed_at), lambda order: order.changed_at, instant_in_cursor),
}


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
    sort: OrderSort = OrderSort.DATE_LAST_FIRST,
    cursor: str | None = None,
    limit: int = 50,
) -> Listing[PurchaseOrderRow]:
    """Return one page of an organization's orders. `q` narrows by a part of the number.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    shown = select(ConnectionRow.id).where(
        col(ConnectionRow.organization_id) == organization_id,
        col(ConnectionRow.purchase_orders_enabled),  # feature off: orders are not viewable (S2-85)
    )
    conditions: list[ColumnElement[bool] | TextClause] = [
        col(PurchaseOrderRow.connection_id).in_(shown),
        col(PurchaseOrderRow.deleted_at).is_(None),
    ]
    for column, value in (
        (col(PurchaseOrderRow.connection_id), connection_id),
        (col(PurchaseOrderRow.vendor_id), vendor),
        (col(PurchaseOrderRow.status), status),
        (col(PurchaseOrderRow.matching_status), matching_status),
    ):
        if value is not None:
            conditions.append(column == value)
    if q:
        conditions.append(_number_holds(q))
    if changed_since is not None:
        conditions.append(col(PurchaseOrderRow.changed_at) > changed_since)
    return await sorted_pages.page(s, PurchaseOrderRow, conditions, sort, _KEYS[sort.field], limit=limit, cursor=cursor)


async def numbered(
    s: AsyncSession, organization_id: OrganizationId, number: str, *, connection_id: ConnectionId | None = None
) -> Sequence[PurchaseOrderRow]:
    """Return the organization's orders of exactly this number that may be viewed, of all its connections or of one."""
    statement = (
        select(PurchaseOrderRow)
        .join(ConnectionRow, col(ConnectionRow.id) == col(PurchaseOrderRow.connection_id))
        .where(
            col(ConnectionRow.organization_id) == organization_id,
            col(ConnectionRow.purchase_orders_enabled),
            col(PurchaseOrderRow.number) == number,
            col(PurchaseOrderRow.deleted_at).is_(None),
        )
    )
    if connection_id is not None:
        statement = statement.where(col(PurchaseOrderRow.connection_id) == connection_id)
    return (await s.exec(statement.order_by(col(PurchaseOrderRow.id)), execution_options=_FRESH)).all()


def _number_holds(q: str) -> ColumnElement[bool]:
    # Anywhere, not only at the start: people type 1007 for PO-1007.
    return col(PurchaseOrderRow.number).icontains(q, autoescape=True)


async def open_for_vendor(
    s: AsyncSession, connection_id: ConnectionId, vendor_id: str, q: str = "", limit: int = 20
) -> Sequence[PurchaseOrderRow]:
    """Return the vendor's orders that can still be billed, most recent first.

    `q` narrows by number as people type (S4-23).
    """
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
    """Select orders with credited quantity to bill again or, in 3-way matching, more received than ordered (S4-15)."""
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
    """Return the documents of the order's back-order chain, first to last, itself included (S5-25)."""
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


async def reread(s: AsyncSession, connection_id: ConnectionId, erp_id: str) -> None:
    """Store the order again when it is read next, though the ERP did not change it: its content counts as old."""
    connection = await s.connection()
    await connection.execute(
        text("update purchase_orders set revision = '' where connection_id = :c and erp_id = :erp_id"),
        {"c": connection_id, "erp_id": erp_id},
    )


async def reread_open(s: AsyncSession, connection_id: ConnectionId) -> str | None:
    """As `reread`, for all open orders of a connection; return the oldest revision of one, from which on they are to be
    read. None: it has none."""
    connection = await s.connection()
    open_orders = "connection_id = :c and deleted_at is null and revision <> '' and status = any(cast(:open as text[]))"
    values = {"c": connection_id, "open": [status.value for status in PoStatus if status is not PoStatus.CLOSED]}
    oldest: str | None = await connection.scalar(
        text(f"select min(revision) from purchase_orders where {open_orders}"), values
    )
    await connection.execute(text(f"update purchase_orders set revision = '' where {open_orders}"), values)
    return oldest


async def erp_statuses(s: AsyncSession, connection_id: ConnectionId) -> list[str]:
    """Return the ERP status texts that the connection's orders have."""
    statement = select(PurchaseOrderRow.erp_status).where(col(PurchaseOrderRow.connection_id) == connection_id)
    return list((await s.exec(statement.distinct().order_by(col(PurchaseOrderRow.erp_status)))).all())


async def remap_statuses(
    s: AsyncSession, connection_id: ConnectionId, table: Mapping[str, tuple[PoStatus, MatchingStatus]]
) -> int:
    """Give every order the meaning that its ERP status has now, after the match mode changed; return how many changed.

    A status text that is not in the table keeps its meaning (ruling G3). The orders' workflows are notified.
    """
    await s.flush()
    connection = await s.connection()
    changed = await connection.execute(
        text(
            "update purchase_orders o set status = t.status, matching_status = t.matching_status, notified_hash = '',"
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
