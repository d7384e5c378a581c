"""Store which vendor of the ERP a supplier of the caller's system is."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit import events
from models.store.base.pages import Listing, decode_cursor, listing, page_size
from models.tables import ContactRow


class Contact(NamedTuple):
    """A supplier that source orders name, and the vendor that a person linked."""

    contact: str
    orders: int
    """How many source orders name it."""
    vendor_id: str | None
    vendor_name: str | None
    vendor_active: bool | None
    linked_by: str | None


_PAGE = text(
    """
    select n.contact, n.orders, k.vendor_id, v.name as vendor_name, v.active as vendor_active, k.linked_by
      from (select contact, sum(orders) as orders
              from (select contact, count(*) as orders from source_orders where connection_id = :connection
                     group by contact
                    union all select contact, 0 from contacts where connection_id = :connection) every
             group by contact) n
      left join contacts k on k.connection_id = :connection and k.contact = n.contact
      left join list_entries v on v.connection_id = :connection and v.kind = 'vendor' and v.erp_id = k.vendor_id
                              and v.deleted_at is null
     where (cast(:linked as boolean) is null or (k.vendor_id is not null) = :linked)
       and (cast(:q as text) is null or n.contact ilike '%' || replace(replace(replace(:q, '\\', '\\\\'), '%', '\\%'),
            '_', '\\_') || '%')
       and (cast(:after as text) is null or n.contact > :after)
     order by n.contact limit :limit
    """
)


async def page(
    session: AsyncSession,
    connection_id: ConnectionId,
    *,
    linked: bool | None = None,
    q: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[Contact]:
    """Return one page of the connection's contacts by name.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    after = None if cursor is None else decode_cursor(cursor, 1)[0]
    rows = await session.execute(
        _PAGE, {"connection": connection_id, "linked": linked, "q": q, "after": after, "limit": limit + 1}
    )
    return listing([Contact(*row) for row in rows], limit, lambda one: (one.contact,))


async def links(session: AsyncSession, connection_id: ConnectionId, contacts: Collection[str]) -> Mapping[str, str]:
    """Return the vendor's id by contact, of those that are linked."""
    rows = await session.execute(
        text("select contact, vendor_id from contacts where connection_id = :connection and contact = any(:contacts)"),
        {"connection": connection_id, "contacts": list(contacts)},
    )
    return {row.contact: row.vendor_id for row in rows}


async def link(
    session: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    contact: str,
    vendor_id: str | None,
    *,
    actor: str,
) -> None:
    """Link a contact to a vendor, or unlink it (None). Orders that were uploaded keep the vendor they were sent for."""
    before = (await links(session, connection_id, [contact])).get(contact)
    if before == vendor_id:
        return
    if vendor_id is None:
        await session.exec(
            delete(ContactRow).where(col(ContactRow.connection_id) == connection_id, col(ContactRow.contact) == contact)
        )
    else:
        values = {"vendor_id": vendor_id, "linked_by": actor}
        await session.exec(
            insert(ContactRow)
            .values(connection_id=connection_id, contact=contact, **values)
            .on_conflict_do_update(
                index_elements=["connection_id", "contact"], set_={**values, "linked_at": func.now()}
            )
        )
    await events.record(
        session,
        organization_id=organization_id,
        connection_id=connection_id,
        subject_kind="contact",
        subject_id=contact,
        kind="linked" if vendor_id else "unlinked",
        actor=actor,
        before={"vendor_id": before},
        after={"vendor_id": vendor_id},
    )
