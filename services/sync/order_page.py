"""Store one page of purchase orders in the mirror: what comes in, what stays out and why, what is read whole.

    headers ──> choose ──> lines ──> find_partial ──> read whole ──> store

Reading is the ERP's part, and each reading asks for all that the page needs of it at once. The other steps are one
transaction each.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connector import ErpConnector
from erp.roles.orders import PurchaseOrders
from erp.roles.pages import BadRecord
from models.domain.connections import MatchMode
from models.domain.ids import ConnectionId, ErpId
from models.domain.orders import PurchaseOrder, PurchaseOrderHeader, PurchaseOrderSnapshot
from models.domain.sync import Stream
from models.store.orders import credits, excluded_records, purchase_orders, receipts
from models.store.orders.credits import CreditedOrder
from models.store.orders.order_pages import leave_out, requeue_notification, take_back
from models.store.orders.purchase_orders import MappedOrder
from models.store.sync import cursors
from models.tables import ConnectionRow
from services.capabilities import has_receipts
from services.sync import bad_records
from services.sync.import_window import first_import_from, start_of
from services.sync.late_links import link_late
from services.sync.snapshots import apply_snapshot
from services.sync.statuses import importable, map_order, unknown_status

WHOLE_AT_ONCE = 50
"""How many older orders of a page are read whole, with their receipts; beyond that, receipts are read again by page."""


class LeftOut(NamedTuple):
    """An order that is excluded, and why."""

    erp_id: str
    number: str
    code: str
    message: str
    revision: str


class Chosen(NamedTuple):
    """The orders whose lines are to be read, and the orders that are excluded."""

    wanted: list[PurchaseOrderHeader]
    left_out: list[LeftOut]


class Partial(NamedTuple):
    """Orders for which the page is not enough."""

    credited: list[CreditedOrder]
    """What credits take back from these is only true beside what the ERP counts as billed at the same moment."""
    older: list[PurchaseOrder]
    """Orders that are older than the receipts we read."""

    @property
    def erp_ids(self) -> list[ErpId]:
        """Return the ERP ids of the orders to read whole."""
        older = self.older[:WHOLE_AT_ONCE]
        return [*(order.erp_id for order in self.credited), *(order.erp_id for order in older)]


async def choose(
    session: AsyncSession, row: ConnectionRow, orders: PurchaseOrders, headers: Sequence[PurchaseOrderHeader]
) -> Chosen:
    """Return which of a page's orders are imported or have changed, and why the others are excluded."""
    connection_id, mode = ConnectionId(row.id), MatchMode(row.match_mode)
    known = await purchase_orders.known(session, connection_id, [header.erp_id for header in headers])
    chosen = Chosen([], [])
    for header in headers:
        if known.revisions.get(header.erp_id, "") >= header.revision:
            continue
        if header.erp_id in known.imported:
            chosen.wanted.append(header)
            continue
        statuses = orders.statuses(header.erp_status, mode)
        if statuses is None:
            await unknown_status(session, row, header)
            why = f"its status {header.erp_status!r} is unknown"
            chosen.left_out.append(_left_out(header, "UNKNOWN_ERP_STATUS", why))
        elif statuses.po is None:
            chosen.left_out.append(_left_out(header, "NOT_APPROVED", f"it is {header.erp_status} in the ERP"))
        elif not importable(statuses):
            chosen.left_out.append(_left_out(header, "ALREADY_FINISHED", f"it is {header.erp_status} already"))
        elif header.currency is not None and header.currency != row.base_currency:
            chosen.left_out.append(_left_out(header, "OTHER_CURRENCY", f"it is in {header.currency}"))
        else:
            chosen.wanted.append(header)
    return chosen


async def find_partial(
    session: AsyncSession, row: ConnectionRow, orders: Sequence[PurchaseOrder], *, credits_name_orders: bool
) -> Partial:
    """Return which of these orders must be read whole: credited ones, and new ones of which receipts may be missing."""
    connection_id = ConnectionId(row.id)
    credited: list[CreditedOrder] = []
    if credits_name_orders:
        credited = await credits.among(await session.connection(), connection_id, orders)
    return Partial(credited, await _received_before_the_window(session, row, orders))


async def _received_before_the_window(
    session: AsyncSession, row: ConnectionRow, orders: Sequence[PurchaseOrder]
) -> list[PurchaseOrder]:
    """Return new orders older than the window of the first import (S1-12) of which something may be received already.

    Their receipts are too old for the receipts' own stream. Where a receipt converts the order, the order shows it, and
    without its receipts that would look like bills (S5-113); elsewhere nothing in an order shows that it has none.
    """
    first_day = first_import_from(row)
    shows_nothing = has_receipts(row) and not row.capabilities.get("receipts_count_as_billed", True)
    older = [
        order
        for order in orders
        if order.ordered_on < first_day
        and order.currency in (None, row.base_currency)
        and (shows_nothing or any(line.billed for line in order.lines))
    ]
    if not older:
        return []
    stored = await purchase_orders.imported(session, ConnectionId(row.id), [order.erp_id for order in older])
    return [order for order in older if order.erp_id not in stored]


async def credit_anew(
    session: AsyncSession,
    row: ConnectionRow,
    erp: ErpConnector,
    order: CreditedOrder,
    snapshot: PurchaseOrderSnapshot | None,
) -> None:
    """Store what credits take back from an order just read whole; None: the ERP does not show the order."""
    connection = await session.connection()
    await credits.forget(connection, order.id)
    if snapshot is not None:
        await apply_snapshot(session, row, erp, snapshot)
    await requeue_notification(connection, [order.id])


async def take_in_whole(
    session: AsyncSession, row: ConnectionRow, erp: ErpConnector, whole: Sequence[PurchaseOrderSnapshot]
) -> None:
    """Store orders that were read whole because something else of them changed, and have their workflows notified."""
    for snapshot in whole:
        await apply_snapshot(session, row, erp, snapshot)
    if whole:
        connection_id = ConnectionId(row.id)
        ids = [purchase_orders.purchase_order_id(connection_id, one.purchase_order.erp_id) for one in whole]
        await requeue_notification(await session.connection(), ids)


async def store(
    session: AsyncSession,
    row: ConnectionRow,
    erp: ErpConnector,
    orders: Sequence[PurchaseOrder],
    left_out: Sequence[LeftOut],
    older: Sequence[PurchaseOrder],
    whole: Sequence[PurchaseOrderSnapshot],
) -> tuple[int, list[LeftOut]]:
    """Store the page; return how many orders changed, and all that were excluded.

    `older` are the new orders of the page that are older than the receipts we read, `whole` those of them that were
    read whole.
    """
    connection_id = ConnectionId(row.id)
    left_out = list(left_out)
    mapped: list[MappedOrder] = []
    stays_out: list[tuple[str, str, str]] = []
    for order in orders:
        if order.currency is not None and order.currency != row.base_currency:
            left_out.append(_left_out(order, "OTHER_CURRENCY", f"it is in {order.currency}"))
            stays_out.append((order.erp_id, f"it is in {order.currency} now", order.revision))
            continue
        statuses = await map_order(session, row, erp, order)
        if statuses is not None:
            mapped.append(statuses)
    upserted = await purchase_orders.upsert(
        session, connection_id, mapped, receipts_count_as_billed=erp.capabilities.receipts_count_as_billed
    )
    await receipts.drop_unnamed(
        session,
        connection_id,
        [one.order for one in mapped],
        receipts_count_as_billed=erp.capabilities.receipts_count_as_billed,
    )
    await leave_out(session, connection_id, stays_out)
    await take_back(session, connection_id, [(one.order.erp_id, one.order.revision) for one in mapped])
    for snapshot in whole:
        await apply_snapshot(session, row, erp, snapshot)
    if upserted.changed or whole:
        came = [*(one.order.erp_id for one in mapped), *(snapshot.purchase_order.erp_id for snapshot in whole)]
        await link_late(session, row, [purchase_orders.purchase_order_id(connection_id, erp_id) for erp_id in came])
    if older:
        ids = [purchase_orders.purchase_order_id(connection_id, order.erp_id) for order in older]
        await requeue_notification(await session.connection(), ids)
    if len(older) > WHOLE_AT_ONCE:
        oldest = min(order.ordered_on for order in older)
        await cursors.rewind(session, connection_id, Stream.RECEIPTS, start_of(oldest))
    await excluded_records.record(session, connection_id, Stream.PURCHASE_ORDERS, left_out)
    return upserted.changed, left_out


async def report(
    session: AsyncSession,
    row: ConnectionRow,
    role: PurchaseOrders,
    orders: Sequence[PurchaseOrder],
    left_out: Sequence[LeftOut],
    bad: Sequence[BadRecord],
) -> None:
    """Open issues for orders that cannot be stored, and close those of orders that now can."""
    mode = MatchMode(row.match_mode)
    await bad_records.report(session, row, "purchase_order", bad)
    usable: list[str] = [order.erp_id for order in orders if role.statuses(order.erp_status, mode)]
    usable += [order.erp_id for order in left_out if order.code != "UNKNOWN_ERP_STATUS"]
    await bad_records.report_repaired(session, row, "purchase_order", usable)


def _left_out(header: PurchaseOrderHeader, code: str, reason: str) -> LeftOut:
    return LeftOut(header.erp_id, header.number, code, f"{header.number} is left out: {reason}.", header.revision)
