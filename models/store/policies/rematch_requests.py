"""Store requests for a rematch: what bills are matched with changed, and their workflows must be notified.

The request is stored in the transaction of the change and removed once every workflow was notified. The process that
was to notify them may crash in between; then the next sync run does it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId


class RematchRequest(NamedTuple):
    """A connection whose bills in review are to be matched again: since when, and why."""

    connection_id: ConnectionId
    since: datetime
    why: str


async def request(s: AsyncSession, connection_id: ConnectionId, why: str) -> None:
    """Request a rematch of one connection's bills, because a list, the closed books or a unit changed."""
    await s.execute(
        text(
            "update connections set rematch_requested_at = clock_timestamp(), rematch_why = :why where id = :connection"
        ),
        {"connection": connection_id, "why": why},
    )


async def request_all(s: AsyncSession, organization_id: OrganizationId, why: str) -> None:
    """Request a rematch on all the organization's connections, because a policy changed."""
    await s.execute(
        text(
            """
            update connections set rematch_requested_at = clock_timestamp(), rematch_why = :why
             where id in (select id from connections where organization_id = :organization
                           order by id for no key update)
            """
        ),
        {"organization": organization_id, "why": why},
    )


async def pending(s: AsyncSession, connection_ids: Sequence[ConnectionId]) -> list[RematchRequest]:
    """Return the requests of these connections whose workflows were not all notified yet."""
    rows = await s.execute(
        text(
            "select id, rematch_requested_at, rematch_why from connections"
            " where id = any(:connections) and rematch_requested_at is not null order by id"
        ),
        {"connections": list(connection_ids)},
    )
    return [RematchRequest(ConnectionId(row[0]), row[1], row[2]) for row in rows]


async def clear(s: AsyncSession, pending: Sequence[RematchRequest]) -> None:
    """Remove requests once all their workflows are notified.

    A change that came after a request was read stays requested.
    """
    for request in pending:
        await s.execute(
            text("update connections set rematch_requested_at = null where id = :id and rematch_requested_at = :since"),
            {"id": request.connection_id, "since": request.since},
        )
