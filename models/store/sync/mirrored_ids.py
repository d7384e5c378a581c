"""ERP ids of the records in our mirror, for a deletion scan where the ERP does not report deletions."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, MirroredIds
from models.tables import ConnectionRow

_MIRRORED = """
with held (kind, owner, erp_id, list_kind) as (
    select 'list_entry', null, l.erp_id, l.kind
      from list_entries l where l.connection_id = :c and l.deleted_at is null and cast(:lists as boolean)
    union all
    select 'purchase_order_document', o.owner_entity, o.erp_id, null
      from purchase_orders o where o.connection_id = :c and o.deleted_at is null
    union all
    select 'purchase_order_document', r.owner_entity, r.erp_id, null
      from receipts r where r.connection_id = :c and r.deleted_at is null
    union all
    select 'purchase_order_document', o.owner_entity, b.erp_id, null
      from bills b join purchase_orders o on o.id = b.purchase_order_id
     where b.connection_id = :c and b.origin = 'posync' and b.kind = 'bill' and b.erp_id is not null
       and not exists (select from bill_parts p where p.bill_id = b.id and p.generation = b.generation)
       and b.status not in ('deleted', 'abandoned') and b.changed_at < now() - cast(:lag as interval)
    union all
    select 'purchase_order_document', o.owner_entity, p.erp_id, null
      from bill_parts p join bills b on b.id = p.bill_id and b.generation = p.generation
      join purchase_orders o on o.id = p.purchase_order_id
     where p.connection_id = :c and p.erp_id is not null and p.state in ('in_erp', 'link_missing', 'differs')
       and b.status not in ('deleted', 'abandoned') and b.changed_at < now() - cast(:lag as interval)
    union all
    select 'bill', case when b.kind = 'bill' then o.owner_entity else b.entity end, b.payable_id, null
      from bills b left join purchase_orders o on o.id = b.purchase_order_id
     where b.connection_id = :c and b.origin = 'erp' and b.payable_id is not null
       and b.status not in ('deleted', 'abandoned')
       -- A credit of the ERP says itself which entity owns it.
       and (cast(:one_owner as boolean) or o.id is not null or b.kind <> 'bill')
    union all
    select 'bill', b.entity, b.payable_id, null
      from bills b
     where b.connection_id = :c and b.direct and b.origin = 'posync' and b.payable_id is not null
       and b.status not in ('deleted', 'abandoned') and b.changed_at < now() - cast(:lag as interval)
    union all
    select 'payment', coalesce(o.owner_entity, b.entity), p.erp_id, null
      from payments p join bills b on b.id = p.bill_id
      left join purchase_orders o on o.id = b.purchase_order_id
     where p.connection_id = :c and p.erp_id is not null and p.status not in ('voided', 'abandoned')
       and (p.origin <> 'posync' or p.changed_at < now() - cast(:lag as interval))
       and (cast(:one_owner as boolean) or o.id is not null or b.direct)
)
select kind, case when cast(:one_owner as boolean) then null else owner end as owner,
       array_agg(distinct erp_id) as erp_ids, list_kind
  from held group by 1, 2, 4 order by 1, 2, 4
"""

READ_LAG = timedelta(hours=2)
"""How long something that we wrote ourselves may be missing from the ERP's lists."""


async def of_connection(s: AsyncSession, row: ConnectionRow, *, lists: bool = False) -> Sequence[MirroredIds]:
    """Return the ids of orders, receipts, bills and payments by the entity that owns them; with `lists`, those of list
    entries too.

    Bills and payments have their order's entity, credits their own.

    At top level, those without an order are left out: nobody knows which entity owns them, and a record that cannot be
    looked for in its place must not count as deleted.
    """
    await s.flush()
    connection = await s.connection()
    one_owner = row.entity is not None or row.capabilities.get("entities") is False
    rows = await connection.execute(
        text(_MIRRORED), {"c": row.id, "lag": READ_LAG, "one_owner": one_owner, "lists": lists}
    )
    return [
        MirroredIds(
            DeletedKind(row.kind),
            row.owner,
            [ErpId(erp_id) for erp_id in row.erp_ids],
            None if row.list_kind is None else ListKind(row.list_kind),
        )
        for row in rows
    ]
