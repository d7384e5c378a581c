"""Link bills made in the ERP to orders that came in after them, by the reference number that people entered."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, ConnectionId, OrganizationId
from models.store.audit import events, sync_issues
from models.store.orders import order_links
from models.store.payables.erp_bill_links import REFERENCE_UNCLEAR, Reference, Unclear, named_orders
from models.store.payables.erp_bills import report_unclear
from models.tables import ConnectionRow

_NOT_LINKED = text(
    """
    select b.id, b.number, b.reference, b.vendor_id, b.currency, b.entity, b.total
      from bills b
     where b.connection_id = :c and b.origin = 'erp' and b.purchase_order_id is null and b.reference_key is not null
       and b.order_document is null and b.receipt_document is null and not b.rejected_in_erp and b.status <> 'deleted'
       and b.kind <> 'adjustment'
       and (cast(:orders as text[]) is null
            or b.vendor_id in (select o.vendor_id from purchase_orders o where o.id = any(cast(:orders as text[]))))
     order by b.bill_date, b.number, b.id
       for update of b
    """
)

_LINK = text(
    """
    update bills b set purchase_order_id = n.order_id, version = b.version + 1, changed_at = now()
      from unnest(cast(:bills as text[]), cast(:orders as text[])) as n(id, order_id) where b.id = n.id
    """
)


async def link_late(session: AsyncSession, row: ConnectionRow, order_ids: Sequence[str]) -> None:
    """Link what these orders are named by. Bills whose reference is not clear get an issue with the candidates."""
    if order_ids and row.purchase_orders_enabled:
        await _link(session, row, order_ids)


async def link_all(session: AsyncSession, row: ConnectionRow) -> None:
    """Link all bills of the connection that name an order it has: those that came in while orders were switched off.

    The ERP's own links first.
    """
    connection = await session.connection()
    await order_links.adopt_bills(connection, ConnectionId(row.id), None)
    await _link(session, row, None)


async def _link(session: AsyncSession, row: ConnectionRow, order_ids: Sequence[str] | None) -> None:
    await session.flush()
    connection, connection_id = await session.connection(), ConnectionId(row.id)
    only = None if order_ids is None else list(order_ids)
    bills = (await connection.execute(_NOT_LINKED, {"c": row.id, "orders": only})).all()
    if not bills:
        return
    orders = await named_orders(connection, row.id, {bill.reference for bill in bills})
    linked: dict[str, str] = {}
    unclear: list[tuple[str, str, str, Unclear]] = []
    for bill in bills:
        link = orders.resolve(Reference(bill.reference, bill.vendor_id, bill.currency, bill.entity, bill.total))
        if link.purchase_order_id is not None:
            linked[bill.id] = link.purchase_order_id
            orders.take(link.purchase_order_id, bill.total)
        elif link.unclear is not None:
            unclear.append((bill.id, bill.number, bill.reference, link.unclear))
    await connection.execute(_LINK, {"bills": list(linked), "orders": list(linked.values())})
    await events.record_all(
        session,
        organization_id=OrganizationId(row.organization_id),
        connection_id=connection_id,
        subject_kind="bill",
        actor=SYNCER,
        why="its reference names the order",
        changes=[
            events.Change(bill_id, "linked", {"purchase_order": None}, {"purchase_order": order_id})
            for bill_id, order_id in linked.items()
        ],
    )
    await sync_issues.close_for_subjects(
        session, connection_id, "bill", list(linked), [REFERENCE_UNCLEAR], actor=SYNCER
    )
    for bill_id, number, reference, why in unclear:
        await report_unclear(session, connection_id, bill_id, number, reference, why)
