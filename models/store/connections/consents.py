"""Store consents under way: each state is bound to a tenant, to who started it and to the browser in which it was
opened; it lives shortly, and is good once."""

import hashlib
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.tables import ConsentRow

LIVES = timedelta(minutes=10)
"""How long somebody may take on the ERP's page."""

_GOOD = (
    " c.state_digest = :digest and c.used_at is null and c.expires_at > now()"
    " and exists (select from api_keys k left join people p on p.id = k.person_id"
    "              where k.id = c.api_key_id and k.revoked_at is null and coalesce(p.active, true))"
)
"""A consent `c` that may go on: whoever started it may still do so."""


class OtherBrowser(Exception):
    """The consent was opened in another browser than this one."""


class Asked(NamedTuple):
    """What a person is asked for, in the words of those who asked."""

    organization: str
    connection: str
    started_by: str


def digest(secret: str) -> str:
    """Return what is stored of a state or a cookie: nobody who reads the database can use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def begin(
    s: AsyncSession,
    state: str,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    started_by: str,
    api_key_id: str,
    page: bytes,
    redirect: str,
    verifier: bytes | None,
) -> None:
    """Store that somebody asks for a consent; consents that nobody ended are forgotten."""
    await s.execute(text("delete from consents where expires_at < now() - interval '1 day'"))
    await s.execute(
        text(
            "insert into consents (state_digest, organization_id, connection_id, started_by, api_key_id, page,"
            "                      redirect, verifier, expires_at)"
            " values (:digest, :organization, :connection, :by, :key, :page, :redirect, :verifier,"
            "         now() + cast(:lives as interval))"
        ),
        {
            "digest": digest(state),
            "organization": organization_id,
            "connection": connection_id,
            "by": started_by,
            "key": api_key_id,
            "page": page,
            "redirect": redirect,
            "verifier": verifier,
            "lives": LIVES,
        },
    )


async def asked(s: AsyncSession, state: str) -> Asked | None:
    """Return who asks for a consent, and what for; None: it is unknown, used or too old, or its key was revoked."""
    row = (
        await s.execute(
            text(
                "select o.name, n.name, c.started_by from consents c join organizations o on o.id = c.organization_id"
                f"  join connections n on n.id = c.connection_id where {_GOOD}"
            ),
            {"digest": digest(state)},
        )
    ).one_or_none()
    return None if row is None else Asked(*row)


async def open_in(s: AsyncSession, state: str, browser: str) -> ConsentRow | None:
    """Bind a consent to the browser with this cookie; None: there is none that may go on.

    Raises:
        OtherBrowser: it was opened in another one.
    """
    return await _change(
        s,
        state,
        "set browser_digest = :browser",
        "coalesce(c.browser_digest, :browser) = :browser",
        {"browser": digest(browser)},
    )


async def take(s: AsyncSession, state: str, browser: str) -> ConsentRow | None:
    """Return the consent of a state, for the browser in which it was opened, and use it up; None: there is none that
    may go on. In another browser it is not used up.

    Raises:
        OtherBrowser: it was opened in another one, or in none.
    """
    return await _change(s, state, "set used_at = now()", "c.browser_digest = :browser", {"browser": digest(browser)})


async def _change(s: AsyncSession, state: str, change: str, ours: str, values: dict[str, str]) -> ConsentRow | None:
    given = {"digest": digest(state), **values}
    row = (
        await s.execute(text(f"update consents c {change} where {_GOOD} and {ours} returning c.*"), given)
    ).one_or_none()
    if row is not None:
        return ConsentRow(**row._mapping)
    if await asked(s, state) is not None:
        raise OtherBrowser
    return None
