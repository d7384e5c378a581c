"""Store who may call as a connection's Web Connector, and its sessions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.tables import ConnectionRow, WebConnectorLoginRow, WebConnectorSessionRow


class Caller(NamedTuple):
    """A Web Connector that gave a good password."""

    connection_id: ConnectionId
    company_file: str
    """The file to open; empty: it is not known yet."""
    has_work: bool
    """Something waits for it, or its company file was not recognized yet."""
    busy: bool
    """Another session of its connection goes on."""


_CALL = text(
    """
    with quick as materialized (
        -- That somebody called may be lost with the server's last moments; nobody waits for the disk to have it.
        select set_config('synchronous_commit', 'off', true) as set
    ), login as (
        update web_connector_logins set last_contact_at = now() from quick
         where user_name = :user and password_hash = :hash
        returning connection_id, company_file, recognized_at
    )
    select l.connection_id, l.company_file,
           l.recognized_at is null or exists (
               select from exchanges e where e.connection_id = l.connection_id and e.answered_at is null
                  and e.lost_at is null and e.withdrawn_at is null
                  and (e.not_before is null or e.not_before <= now())) as has_work,
           exists (
               select from web_connector_sessions s where s.connection_id = l.connection_id and s.ended_at is null
                  and s.last_call_at > now() - cast(:alive as interval)) as busy
      from login l join connections c on c.id = l.connection_id and c.state <> 'disabled'
    """
)


async def call(s: AsyncSession, user_name: str, password_hash: str, *, alive: timedelta) -> Caller | None:
    """Record that a Web Connector called, and return who it is; None: it is nobody's user name and password. A session
    counts as going on for so long after its last call."""
    row = (await s.execute(_CALL, {"user": user_name, "hash": password_hash, "alive": alive})).one_or_none()
    if row is None:
        return None
    return Caller(ConnectionId(row.connection_id), row.company_file, bool(row.has_work), bool(row.busy))


async def save_login(
    s: AsyncSession,
    connection_id: ConnectionId,
    *,
    user_name: str,
    password_hash: str,
    file_id: str,
    every_minutes: int,
) -> WebConnectorLoginRow:
    """Store a login, or a new password of the one there is: its mark in the company file stays."""
    await s.execute(
        text(
            """
            insert into web_connector_logins
                   (connection_id, user_name, password_hash, password_made_at, file_id, every_minutes)
            values (:c, :user, :hash, now(), :file_id, :minutes)
            on conflict (connection_id) do update set password_hash = excluded.password_hash,
                   password_made_at = excluded.password_made_at, every_minutes = excluded.every_minutes
            """
        ),
        {"c": connection_id, "user": user_name, "hash": password_hash, "file_id": file_id, "minutes": every_minutes},
    )
    login = await login_of(s, connection_id)
    assert login is not None, "it was just stored"
    return login


async def login_of(s: AsyncSession, connection_id: ConnectionId) -> WebConnectorLoginRow | None:
    """Return the login of a connection; None: it has none."""
    statement = select(WebConnectorLoginRow).where(col(WebConnectorLoginRow.connection_id) == connection_id)
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def recognize(
    s: AsyncSession, connection_id: ConnectionId, company_file: str, facts: Mapping[str, str]
) -> ConnectionRow:
    """Record that the company file carries our mark, and what the company said of itself."""
    await s.execute(
        text("update web_connector_logins set company_file = :file, recognized_at = now() where connection_id = :c"),
        {"c": connection_id, "file": company_file},
    )
    row = await s.get_one(ConnectionRow, connection_id, with_for_update=True, populate_existing=True)
    if row.erp_facts != (newer := {**row.erp_facts, **facts}):
        row.erp_facts = newer
        s.add(row)
        await s.flush()
    return row


class Silent(NamedTuple):
    """A connection whose Web Connector has not called for too long, or has called again."""

    connection_id: ConnectionId
    silent: bool
    last_contact_at: datetime
    every_minutes: int


async def silence(s: AsyncSession, now: datetime, patience: timedelta) -> Sequence[Silent]:
    """Return the recognized connections whose Web Connector missed two of its calls and `patience` besides, and those
    that an open issue calls silent."""
    rows = await s.execute(
        text(
            """
            select * from (
                select l.connection_id, l.every_minutes, l.last_contact_at,
                       l.last_contact_at < cast(:now as timestamptz) - cast(:patience as interval)
                           - make_interval(mins => 2 * l.every_minutes) as silent,
                       exists (select from sync_issues i where i.connection_id = l.connection_id
                                  and i.code = 'WEB_CONNECTOR_SILENT' and i.state = 'open') as reported
                  from web_connector_logins l join connections c on c.id = l.connection_id
                 where l.recognized_at is not null and l.last_contact_at is not null and c.erp = :erp
                   and c.state <> 'disabled'
            ) one where silent <> reported
            """
        ),
        {"now": now, "patience": patience, "erp": Erp.QUICKBOOKS_DESKTOP},
    )
    return [
        Silent(ConnectionId(row.connection_id), bool(row.silent), row.last_contact_at, row.every_minutes)
        for row in rows
    ]


# --- sessions ----------------------------------------------------------------------------------------------------


async def begin_session(s: AsyncSession, session_id: str, caller: Caller) -> None:
    """Begin a session; the one before it of this connection is over, whatever it did last."""
    await s.execute(
        text(
            """
            with before as (
                update web_connector_sessions set ended_at = now() where connection_id = :c and ended_at is null
            )
            insert into web_connector_sessions (id, connection_id, company_file) values (:id, :c, :file)
            """
        ),
        {"id": session_id, "c": caller.connection_id, "file": caller.company_file},
    )


async def lock_session(s: AsyncSession, session_id: str) -> WebConnectorSessionRow | None:
    """Return a session that is not over, locked; None: there is none under this id."""
    statement = select(WebConnectorSessionRow).where(
        col(WebConnectorSessionRow.id) == session_id, col(WebConnectorSessionRow.ended_at).is_(None)
    )
    statement = statement.with_for_update()
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def session_error(s: AsyncSession, session_id: str) -> str | None:
    """Return what went wrong last in a session, over or not; None: there is no such session."""
    result = await s.execute(text("select error from web_connector_sessions where id = :id"), {"id": session_id})
    error: str | None = result.scalar_one_or_none()
    return error


async def end_session(s: AsyncSession, session_id: str) -> None:
    """End a session. One that was not begun is none."""
    await s.execute(
        text("update web_connector_sessions set ended_at = now() where id = :id and ended_at is null"),
        {"id": session_id},
    )


async def forget_sessions(s: AsyncSession, older_than: timedelta) -> None:
    """Delete sessions that were over long ago."""
    await s.execute(
        text("delete from web_connector_sessions where ended_at < now() - cast(:age as interval)"),
        {"age": older_than},
    )
