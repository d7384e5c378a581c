"""Say at which level of a company a list entry is made or changed: as the setting says, never as a session happens to
be."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.list_changes import ListLevel
from models.domain.lists import ListKind
from models.store.sync import list_entries
from models.tables import ConnectionRow, ListEntryRow
from services.refusal import Refused


async def of_new(session: AsyncSession, connection: ConnectionRow, asked: str | None) -> str | None:
    """Return the entity that a new entry belongs to; None: all of them share it, or there is none.

    Raises:
        Refused: LIST_ENTITY_REFUSED.
    """
    top = connection.list_level == ListLevel.TOP
    if not await list_entries.has_entities(session, connection):
        if asked is not None:
            raise Refused("LIST_ENTITY_REFUSED", "The company has no entities.")
        return None
    if connection.entity is not None:
        if asked not in (None, connection.entity):
            raise Refused("LIST_ENTITY_REFUSED", f"The connection is to entity {connection.entity}, not to {asked}.")
        return asked if top else connection.entity
    if asked is None:
        if top:
            return None
        raise Refused("LIST_ENTITY_REFUSED", "Name the entity that it belongs to: the setting level says entity.")
    if await list_entries.find(session, ConnectionId(connection.id), ListKind.ENTITY, asked) is None:
        raise Refused("LIST_ENTITY_REFUSED", f"The ERP has no entity {asked}.")
    return asked


async def must_be_changed_here(session: AsyncSession, connection: ConnectionRow, entry: ListEntryRow) -> None:
    """Check that an entry is not one that all entities share, unless the setting says that those are changed here.

    Raises:
        Refused: LIST_ENTRY_SHARED.
    """
    if not connection.capabilities.get("lists_have_levels") or connection.list_level == ListLevel.TOP:
        return
    if owner_of(entry) is None and await list_entries.has_entities(session, connection):
        raise Refused("LIST_ENTRY_SHARED", f"All entities share {entry.name}; it is changed in the ERP.")


def owner_of(entry: ListEntryRow) -> str | None:
    """Return the entity that an entry belongs to; None: all of them share it. A location is of the one above."""
    if entry.kind == ListKind.LOCATION:
        return entry.entity or entry.attributes.get("entity") or entry.attributes.get("parent") or None
    return entry.entity
