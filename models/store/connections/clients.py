"""Link an accountant's console and its clients: organizations of their own that name the console (S4-44).

A console sees its clients' names, their connections and the switches of the purchase order feature. There is one level:
a console is not a client itself. Only the operator of the installation links clients, never the API.
"""

from sqlalchemy import exists, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId
from models.store.audit import events, notices
from models.store.base.pages import Listing, decode_cursor, listing, page_size
from models.tables import OrganizationRow

OPERATOR = "the operator of this installation"
"""The actor that events name for linking and unlinking."""

_FRESH = {"populate_existing": True}


class LinkRefused(ValueError):
    """These two organizations cannot be client and console. The message says why and what the operator can do."""

    code = "LINK_REFUSED"


async def link(s: AsyncSession, client_id: OrganizationId, console_id: OrganizationId) -> bool:
    """Make one organization the client of another and notify the client; return False when it was linked already.

    Raises:
        LinkRefused: An organization does not exist, both are the same, the client has another console, the
            console is a client itself, or the client is a console itself.
    """
    if client_id == console_id:
        raise LinkRefused(f"{client_id} cannot be its own client: name the console's organization")
    # Both rows are locked, in one order, so that two links made at the same time never add up to a second level.
    statement = select(OrganizationRow).where(col(OrganizationRow.id).in_((client_id, console_id)))
    statement = statement.order_by(col(OrganizationRow.id)).with_for_update(key_share=True)
    result = {row.id: row for row in (await s.exec(statement, execution_options=_FRESH)).all()}
    for asked in (client_id, console_id):
        if asked not in result:
            raise LinkRefused(f"there is no organization {asked}: `posync organization list` shows them")
    client, console = result[client_id], result[console_id]
    if client.console_id == console_id:
        return False
    if client.console_id is not None:
        raise LinkRefused(f"{client_id} is a client of {client.console_id}: unlink it first")
    if console.console_id is not None:
        raise LinkRefused(f"{console_id} is itself a client of {console.console_id}, so it cannot be a console")
    if await is_console(s, client_id):
        raise LinkRefused(f"{client_id} is itself a console: unlink its clients first")
    client.console_id = console_id
    s.add(client)
    await s.flush()
    message = f"Your accountant {console.name} switches purchase orders and their matching from now on."
    await _notify(s, client_id, "client_linked", None, console_id, "ACCOUNTANT_LINKED", message)
    return True


async def unlink(s: AsyncSession, client_id: OrganizationId) -> OrganizationId | None:
    """Remove an organization from its console and notify it; return that console, or None when it had none."""
    statement = select(OrganizationRow).where(col(OrganizationRow.id) == client_id).with_for_update(key_share=True)
    client = (await s.exec(statement, execution_options=_FRESH)).one_or_none()
    if client is None or client.console_id is None:
        return None
    before = OrganizationId(client.console_id)
    client.console_id = None
    s.add(client)
    await s.flush()
    message = "Purchase orders and their matching are switched by your own administrator from now on."
    await _notify(s, client_id, "client_unlinked", before, None, "ACCOUNTANT_UNLINKED", message)
    return before


async def _notify(
    s: AsyncSession,
    client_id: OrganizationId,
    kind: str,
    before: OrganizationId | None,
    after: OrganizationId | None,
    notice: str,
    message: str,
) -> None:
    """Record the event and add a notice for the client."""
    await events.record(
        s,
        organization_id=client_id,
        connection_id=None,
        subject_kind="organization",
        subject_id=client_id,
        kind=kind,
        actor=OPERATOR,
        before={"console_id": before},
        after={"console_id": after},
    )
    await notices.add(
        s,
        organization_id=client_id,
        connection_id=None,
        code=notice,
        subject_kind="organization",
        subject_id=client_id,
        message=message,
    )


async def is_console(s: AsyncSession, organization_id: OrganizationId) -> bool:
    """Return whether the organization has a client."""
    statement = select(exists().where(col(OrganizationRow.console_id) == organization_id))
    return bool((await s.exec(statement)).one())


async def console_of(s: AsyncSession, client_id: OrganizationId) -> OrganizationRow | None:
    """Return the console that this organization is a client of, or None."""
    its_own = select(OrganizationRow.console_id).where(col(OrganizationRow.id) == client_id).scalar_subquery()
    return (await s.exec(select(OrganizationRow).where(col(OrganizationRow.id) == its_own))).one_or_none()


async def get(s: AsyncSession, console_id: OrganizationId, client_id: OrganizationId) -> OrganizationRow | None:
    """Return the organization if it is this console's client, else None."""
    statement = select(OrganizationRow).where(
        col(OrganizationRow.id) == client_id, col(OrganizationRow.console_id) == console_id
    )
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def page(
    s: AsyncSession, console_id: OrganizationId, *, limit: int = 50, cursor: str | None = None
) -> Listing[OrganizationRow]:
    """Return one page of the console's clients, by name.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    place = tuple_(col(OrganizationRow.name), col(OrganizationRow.id))
    statement = select(OrganizationRow).where(col(OrganizationRow.console_id) == console_id)
    if cursor is not None:
        statement = statement.where(place > decode_cursor(cursor, 2))
    statement = statement.order_by(col(OrganizationRow.name), col(OrganizationRow.id)).limit(limit + 1)
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.name, row.id))
