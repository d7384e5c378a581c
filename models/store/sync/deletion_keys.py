"""Find the record that a deletion means when the ERP names it by its natural key (a vendor's id, a document's id).

An audit trail names a deleted record in one of several ways, and no documentation promises which. A name that is the
ERP id of a record here means that record; only other names are looked up as natural keys.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.ids import ConnectionId, ErpId
from models.domain.sync import Deletion

BY_NAME = """
select n.name, found.erp_id
from unnest(cast(:names as text[])) as n(name)
join lateral (
    select l.erp_id from list_entries l where l.connection_id = :c and l.key = n.name and l.deleted_at is null
    union all
    select o.erp_id from purchase_orders o where o.connection_id = :c and o.document_id = n.name
    union all
    select r.erp_id from receipts r where r.connection_id = :c and r.document_id = n.name
    union all
    select b.erp_id from bills b where b.connection_id = :c and b.document_id = n.name and b.erp_id is not null
    union all
    select p.erp_id from bill_parts p where p.connection_id = :c and p.document_id = n.name and p.erp_id is not null
    limit 1
) as found on true
where not exists (select from list_entries l where l.connection_id = :c and l.erp_id = n.name)
  and not exists (select from purchase_orders o where o.connection_id = :c and o.erp_id = n.name)
  and not exists (select from receipts r where r.connection_id = :c and r.erp_id = n.name)
  and not exists (select from bills b where b.connection_id = :c and n.name in (b.erp_id, b.payable_id))
  and not exists (select from bill_parts p where p.connection_id = :c and n.name in (p.erp_id, p.payable_id))
  and not exists (select from payments p where p.connection_id = :c and p.erp_id = n.name)
"""


async def erp_ids_of(connection: AsyncConnection, connection_id: ConnectionId, names: Sequence[str]) -> dict[str, str]:
    """Return the ERP id of each name that is a natural key here; other names are left out."""
    rows = await connection.execute(text(BY_NAME), {"c": connection_id, "names": sorted(set(names))})
    return {row.name: row.erp_id for row in rows}


async def by_record(
    connection: AsyncConnection, connection_id: ConnectionId, deletions: Sequence[Deletion]
) -> list[Deletion]:
    """Return the deletions, each with the ERP id of the record that it means."""
    known = await erp_ids_of(connection, connection_id, [deletion.erp_id for deletion in deletions])
    return [
        deletion.model_copy(update={"erp_id": ErpId(known.get(deletion.erp_id, deletion.erp_id))})
        for deletion in deletions
    ]
