"""Find which streams changed, by comparing record versions with the mirror: an unchanged sync reads nothing."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.store.sync.deletion_keys import erp_ids_of

_UNKNOWN = """
select distinct n.stream
from unnest(cast(:streams as text[]), cast(:kinds as text[]), cast(:ids as text[]), cast(:revisions as text[]))
         as n(stream, kind, erp_id, revision)
where not exists (
        select from skipped_records k where k.connection_id = :c and k.stream = n.stream and k.erp_id = n.erp_id
           and k.revision >= n.revision)
  and case n.stream
      when 'lists' then not exists (
          select from list_entries l where l.connection_id = :c and l.kind = n.kind and l.erp_id = n.erp_id
             and (l.revision >= n.revision or l.deleted_at is not null))
      when 'purchase_orders' then not exists (
          select from purchase_orders o where o.connection_id = :c and o.erp_id = n.erp_id
             and o.revision >= n.revision)
      when 'receipts' then not exists (
          select from receipts r where r.connection_id = :c and r.erp_id = n.erp_id and r.revision >= n.revision)
      when 'bills' then not exists (
          select from bills b where b.connection_id = :c and b.payable_id = n.erp_id
             and b.payable_revision >= n.revision
             and not exists (select from bill_parts p where p.bill_id = b.id and p.generation = b.generation))
        and not exists (
          select from bill_parts p where p.connection_id = :c and p.payable_id = n.erp_id
             and p.payable_revision >= n.revision)
      when 'payments' then not exists (
          select from payments p where p.connection_id = :c and p.erp_id = n.erp_id and p.erp_revision >= n.revision)
      when 'deletions' then
          exists (select from purchase_orders o where o.connection_id = :c and o.erp_id = n.erp_id
                     and o.deleted_at is null)
          or exists (select from receipts r where r.connection_id = :c and r.erp_id = n.erp_id
                        and r.deleted_at is null)
          or exists (select from bills b where b.connection_id = :c and b.erp_id = n.erp_id
                        and b.status not in ('deleted', 'abandoned'))
          or exists (select from bill_parts p where p.connection_id = :c and n.erp_id in (p.erp_id, p.payable_id)
                        and p.state in ('in_erp', 'link_missing', 'differs'))
          or exists (select from bills b where b.connection_id = :c and b.payable_id = n.erp_id
                        and b.status not in ('deleted', 'abandoned'))
          or exists (select from payments p where p.connection_id = :c and p.erp_id = n.erp_id
                        and p.status not in ('voided', 'abandoned'))
          or exists (select from list_entries l where l.connection_id = :c and l.erp_id = n.erp_id
                        and l.deleted_at is null)
      else true end
"""


async def unknown(
    s: AsyncSession, connection_id: ConnectionId, record_versions: Sequence[tuple[str, str, str, str]]
) -> set[str]:
    """Return the streams to read: those with a record version that names a record we do not have in that revision.

    A record version is stream, kind, ERP id and revision. A deletion counts while any record with that id still exists
    here. The record version does not say which kind it was, so now and then a stream is read for nothing, never the
    other way round.
    """
    if not record_versions:
        return set()
    await s.flush()
    connection = await s.connection()
    deleted = [str(erp_id) for stream, _, erp_id, _ in record_versions if stream == Stream.DELETIONS]
    meant = await erp_ids_of(connection, connection_id, deleted) if deleted else {}
    rows = await connection.execute(
        text(_UNKNOWN),
        {
            "c": connection_id,
            "streams": [str(stream) for stream, _, _, _ in record_versions],
            "kinds": [str(kind) for _, kind, _, _ in record_versions],
            "ids": [
                meant.get(str(erp_id), str(erp_id)) if stream == Stream.DELETIONS else str(erp_id)
                for stream, _, erp_id, _ in record_versions
            ],
            "revisions": [revision for _, _, _, revision in record_versions],
        },
    )
    return set(rows.scalars())
