"""What bills are matched with changed, and the workflows of waiting bills have to hear of it.

The word is kept with the change, in its transaction, and taken back once every workflow was told: whoever was to tell
them may have died in between, and the next sync run tells them then.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, OrganizationId


class Asked(NamedTuple):
    """A connection whose waiting bills are to be matched again: since when, and why."""

    connection_id: ConnectionId
    since: datetime
    why: str


async def ask(s: AsyncSession, connection_id: ConnectionId, why: str) -> None:
    """Something that only this connection's bills are matched with changed: a list, closed books, a unit."""
    await s.execute(
        text(
            "update connections set match_again_since = clock_timestamp(), match_again_why = :why"
            " where id = :connection"
        ),
        {"connection": connection_id, "why": why},
    )


async def ask_all(s: AsyncSession, organization_id: OrganizationId, why: str) -> None:
    """Something that bills of all the organization's connections are matched with changed: a policy."""
    await s.execute(
        text(
            """
            update connections set match_again_since = clock_timestamp(), match_again_why = :why
             where id in (select id from connections where organization_id = :organization
                           order by id for no key update)
            """
        ),
        {"organization": organization_id, "why": why},
    )


async def asked(s: AsyncSession, connection_ids: Sequence[ConnectionId]) -> list[Asked]:
    """Those of the connections whose waiting bills' workflows were not all told yet."""
    rows = await s.execute(
        text(
            "select id, match_again_since, match_again_why from connections"
            " where id = any(:connections) and match_again_since is not null order by id"
        ),
        {"connections": list(connection_ids)},
    )
    return [Asked(ConnectionId(row[0]), row[1], row[2]) for row in rows]


async def told(s: AsyncSession, asked: Sequence[Asked]) -> None:
    """All of them were told. What changed since `asked` stays to be told."""
    for word in asked:
        await s.execute(
            text("update connections set match_again_since = null where id = :id and match_again_since = :since"),
            {"id": word.connection_id, "since": word.since},
        )
