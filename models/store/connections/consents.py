"""Store consents under way: each state is bound to a tenant and who started it, lives shortly, and is good once."""

import hashlib
from datetime import timedelta

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.tables import ConsentRow

LIVES = timedelta(minutes=10)
"""How long somebody may take on the ERP's page."""


def digest(state: str) -> str:
    """Return what is stored of a state: nobody who reads the database can use it."""
    return hashlib.sha256(state.encode()).hexdigest()


async def begin(
    s: AsyncSession,
    state: str,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    started_by: str,
    redirect: str,
    verifier: bytes | None,
) -> None:
    """Store that somebody was sent to the ERP's page; consents that nobody ended are forgotten."""
    await s.execute(text("delete from consents where expires_at < now() - interval '1 day'"))
    await s.execute(
        text(
            "insert into consents (state_digest, organization_id, connection_id, started_by, redirect, verifier,"
            "                      expires_at)"
            " values (:digest, :organization, :connection, :by, :redirect, :verifier, now() + cast(:lives as interval))"
        ),
        {
            "digest": digest(state),
            "organization": organization_id,
            "connection": connection_id,
            "by": started_by,
            "redirect": redirect,
            "verifier": verifier,
            "lives": LIVES,
        },
    )


async def take(s: AsyncSession, state: str) -> ConsentRow | None:
    """Return the consent of a state and use it up; None: there is none, it was used, or it is too old."""
    row = (
        await s.execute(
            text(
                "update consents set used_at = now()"
                " where state_digest = :digest and used_at is null and expires_at > now() returning *"
            ),
            {"digest": digest(state)},
        )
    ).one_or_none()
    return None if row is None else ConsentRow(**row._mapping)
