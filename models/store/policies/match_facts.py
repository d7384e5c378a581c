"""Read what a match needs besides the order and the bill, in one statement: policies, lists, closed books."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId


class StoredPolicy(NamedTuple):
    """One stored tolerance policy; `scope` has only the parts that are set."""

    id: str
    version: int
    scope: Mapping[str, str]
    terms: Mapping[str, Any]


class MatchFacts(NamedTuple):
    """The facts that a match needs besides order and bill. What the ERP's lists do not say is left out or None."""

    policies: Sequence[StoredPolicy]
    categories: Mapping[str, str]
    """Category by item."""
    item_names: Mapping[str, str]
    """Name by item as people call it: in some ERPs the item's own key is a number that means nothing to people."""
    vendor_name: str
    """The vendor's name as people call it; blank: it is in no list."""
    vendor_state: str | None
    """active | on_hold | inactive | unknown (the vendor list was imported without it); None: no vendor list was
    imported."""
    closed_through: date | None
    """The last closed day of the bill's entity (H07)."""


_FACTS = text(
    """
    select (select coalesce(jsonb_agg(jsonb_build_array(p.id, p.version, jsonb_strip_nulls(jsonb_build_object(
                       'connection_id', p.connection_id, 'vendor_id', p.vendor_id, 'item_id', p.item_id,
                       'category', p.category, 'entity', p.entity)), p.terms) order by p.id), '[]')
              from tolerance_policies p
             where p.organization_id = :o and (p.connection_id is null or p.connection_id = :c)) as policies,
           (select coalesce(jsonb_object_agg(i.key, i.attributes->'category' order by i.active), '{}')
              from list_entries i
             where i.connection_id = :c and i.kind = 'item' and i.key = any(cast(:items as text[]))
               and i.deleted_at is null and i.attributes ? 'category') as categories,
           (select coalesce(jsonb_object_agg(i.key, i.name order by i.active), '{}')
              from list_entries i
             where i.connection_id = :c and i.kind = 'item' and i.key = any(cast(:items as text[]))
               and i.deleted_at is null) as item_names,
           coalesce(
              (select v.name from list_entries v
                where v.connection_id = :c and v.kind = 'vendor' and v.key = :vendor
                order by v.deleted_at is not null, v.active desc, v.erp_id limit 1), '') as vendor_name,
           coalesce(
              (select case when v.deleted_at is not null or not v.active then 'inactive'
                           when lower(coalesce(v.kept_here->>'on_hold', v.attributes->>'on_hold'))
                                in ('true', 't', 'yes') then 'on_hold'
                           else 'active' end
                 from list_entries v
                where v.connection_id = :c and v.kind = 'vendor' and v.key = :vendor
                order by v.deleted_at is not null, v.active desc, v.erp_id limit 1),
              (select 'unknown' from list_entries v
                where v.connection_id = :c and v.kind = 'vendor' limit 1)) as vendor_state,
           (select max(greatest(p.erp_closed_through, p.set_closed_through))
              from connections c
              join closed_periods p on p.connection_id = c.id
                                   and p.entity in ('', coalesce(cast(:entity as text), c.entity, ''))
             where c.id = :c) as closed_through
    """
)


async def match_facts(
    s: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    vendor_id: str,
    entity: str | None,
    item_ids: Collection[str],
) -> MatchFacts:
    """Return what is known now. A bill without an entity belongs to the connection's own entity."""
    rows = await s.execute(
        _FACTS,
        {
            "o": organization_id,
            "c": connection_id,
            "vendor": vendor_id,
            "entity": entity,
            "items": sorted(set(item_ids)),
        },
    )
    row = rows.one()
    return MatchFacts(
        policies=[StoredPolicy(*policy) for policy in row.policies],
        categories=row.categories,
        item_names=row.item_names,
        vendor_name=row.vendor_name,
        vendor_state=row.vendor_state,
        closed_through=row.closed_through,
    )
