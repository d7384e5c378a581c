"""Store notices: things a person should know while nothing waits for that person (S1-07, S1-18)."""

from datetime import UTC, datetime

from sqlalchemy import func, insert, tuple_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.store.base.identity import new_id
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import NoticeRow


async def add(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId | None,
    code: str,
    subject_kind: str,
    subject_id: str,
    message: str,
) -> str:
    """Add a notice and return its id."""
    notice_id = new_id("notice")
    await s.exec(
        insert(NoticeRow).values(
            id=notice_id,
            organization_id=organization_id,
            connection_id=connection_id,
            code=code,
            subject_kind=subject_kind,
            subject_id=subject_id,
            message=message,
        )
    )
    return notice_id


async def exists(s: AsyncSession, connection_id: ConnectionId, code: str, subject_id: str, message: str) -> bool:
    """Return whether the same notice was added before, read or not."""
    statement = select(NoticeRow.id).where(
        col(NoticeRow.connection_id) == connection_id,
        col(NoticeRow.code) == code,
        col(NoticeRow.subject_id) == subject_id,
        col(NoticeRow.message) == message,
    )
    return (await s.exec(statement.limit(1))).first() is not None


async def get(s: AsyncSession, organization_id: OrganizationId, notice_id: str) -> NoticeRow | None:
    """Return one notice of the organization, or None."""
    statement = select(NoticeRow).where(
        col(NoticeRow.id) == notice_id, col(NoticeRow.organization_id) == organization_id
    )
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def page(
    s: AsyncSession,
    organization_id: OrganizationId,
    *,
    connection_id: ConnectionId | None = None,
    unread: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[NoticeRow]:
    """Return one page of the organization's notices, newest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(NoticeRow).where(col(NoticeRow.organization_id) == organization_id)
    if connection_id is not None:
        statement = statement.where(col(NoticeRow.connection_id) == connection_id)
    if unread:
        statement = statement.where(col(NoticeRow.read_at).is_(None))
    if cursor is not None:
        created_at, notice_id = decode_cursor(cursor, 2)
        place = tuple_(col(NoticeRow.created_at), col(NoticeRow.id))
        statement = statement.where(place < (instant_in_cursor(created_at), notice_id))
    statement = statement.order_by(col(NoticeRow.created_at).desc(), col(NoticeRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (row.created_at.isoformat(), row.id))


async def mark_read(s: AsyncSession, organization_id: OrganizationId, notice_id: str) -> bool:
    """Mark a notice as read; return False when the organization has no such notice. A repeat keeps the first time."""
    result = await s.exec(
        update(NoticeRow)
        .where(col(NoticeRow.id) == notice_id, col(NoticeRow.organization_id) == organization_id)
        .values(read_at=func.coalesce(col(NoticeRow.read_at), datetime.now(UTC)))
    )
    return result.rowcount == 1
