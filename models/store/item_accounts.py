"""Which GL account an item is coded to, for bill drafts (S1-03): the ERP's coding, not learnt from bills (S1-27)."""

from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, ListKind
from models.tables import ListEntryRow


async def of(s: AsyncSession, connection_id: ConnectionId, items: Collection[str]) -> dict[str, str]:
    """The account by item id; items without one, or unknown, are left out."""
    statement = select(ListEntryRow.key, ListEntryRow.attributes).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == ListKind.ITEM.value,
        col(ListEntryRow.key).in_(items),
        col(ListEntryRow.deleted_at).is_(None),
    )
    rows = (await s.exec(statement)).all()
    return {key: str(attributes["gl_account"]) for key, attributes in rows if attributes.get("gl_account")}
