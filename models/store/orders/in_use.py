"""Of which orders and receipts drafts are made in the ERP, so that it makes nothing else of them for the time being.

The ERP shows it by their states. Of our own bills that are drafts there until they are approved we know it before the
order is read again.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, ErpId, PurchaseOrderId

_OWN_DRAFTS = """
  from bill_lines l
  join bills b on b.id = l.bill_id
  cross join lateral jsonb_to_recordset(l.sources) as source(document_id text, settled boolean)
 where l.purchase_order_id = {order} and l.reserves and source.settled is not true
   and b.approval not in ('not_required', 'approved')
   and (b.status = 'synced' or (c.draft_order_bills and b.status = 'pending_push'))
"""

IN_USE = f"""
left join lateral (
    select nullif(concat_ws(' ',
               case when c.capabilities -> 'states_in_use' ? o.erp_status then 'order' end,
               (select string_agg(r.document_id, ' ' order by r.document_id)
                  from receipts r
                 where r.purchase_order_id = o.id and r.deleted_at is null
                   and c.capabilities -> 'states_in_use' ? r.erp_status),
               case when c.draft_order_bills or c.approvals_enabled then
                   (select string_agg(distinct b.id, ' ') {_OWN_DRAFTS.format(order="o.id")}) end), '') as in_use
      from connections c
     where c.id = o.connection_id and c.capabilities ? 'states_in_use'
) u on true
"""
"""Joins to orders `o` what of them is in use, in one text; null: nothing."""

_DRAFTS_ON = text(
    f"""
    select found.document_id, min(found.number) as number
      from purchase_orders o
      join connections c on c.id = o.connection_id
      cross join lateral (
          select source.document_id, b.number {_OWN_DRAFTS.format(order="o.id")}
             and b.id is distinct from :without
      ) found
     where o.id = :order
     group by found.document_id
    """
)


async def drafts_on(s: AsyncSession, order_id: PurchaseOrderId, *, without_bill: BillId | None) -> dict[str, str]:
    """Return the numbers of an order's bills that are drafts in the ERP until they are approved, or are about to be, by
    the document that each is made of."""
    rows = await s.execute(_DRAFTS_ON, {"order": order_id, "without": without_bill})
    return {row.document_id: row.number for row in rows}


async def orders_with_other_use(
    connection: AsyncConnection, connection_id: ConnectionId, states: Mapping[ErpId, str]
) -> list[str]:
    """Return the orders of receipts of which a draft is made there now, or is no more; `states` are those that the ERP
    shows now, before they are stored."""
    rows = await connection.execute(
        text(
            "select distinct r.purchase_order_id from receipts r"
            "  join connections c on c.id = r.connection_id"
            "  join unnest(cast(:erp_ids as text[]), cast(:states as text[])) as n(erp_id, state)"
            "    on n.erp_id = r.erp_id"
            " where r.connection_id = :c and r.purchase_order_id is not null"
            "   and (c.capabilities -> 'states_in_use' ? r.erp_status) <> (c.capabilities -> 'states_in_use' ? n.state)"
            " order by 1"
        ),
        {"c": connection_id, "erp_ids": list(states), "states": list(states.values())},
    )
    return list(rows.scalars())
