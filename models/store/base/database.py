"""Engine, sessions and migrations: one engine per process, one transaction per `async with`.

Every store function takes the session made here; the code that opened the transaction owns it (DESIGN section 7).
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession as PlainAsyncSession
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

_MIGRATION_LOCK = 0x706F73796E63
"""Several processes may start at once: one migrates, the others wait and then have nothing to do."""


MILLISECOND = timedelta(milliseconds=1)

PREPARED = 500
"""How many statements each connection keeps prepared: more than we have, so that they do not displace one another."""


class DatabaseUnreachable(Exception):
    """PostgreSQL cannot be used. The message is one line that says what to do."""


def explain_outage(error: BaseException, url: str = "") -> str | None:
    """Return one line that says why the database cannot be used and what to do; None for an error of another kind.

    `url` names the server in the line; its password is not shown.
    """
    where = "PostgreSQL"
    if url:
        parts = make_url(url)
        host = parts.host or parts.query.get("host") or "localhost"
        where = f"PostgreSQL at {host}{f':{parts.port}' if parts.port else ''}, database {parts.database}"
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None)
        if state in _REMEDIES:
            return f"{where}, {_REMEDIES[state]}"
        if state is not None and state[:2] in ("08", "53", "57") and state != "57014":
            return f"{where}, takes no connections now ({cause}): wait, or look into its log"
        if isinstance(cause, OSError):
            return f"{where}, does not answer ({_reason(cause)}): start it, or correct POSYNC_DATABASE_URL"
        cause = getattr(cause, "orig", None) or cause.__cause__
    return None


_REMEDIES = {
    "28P01": "refuses the password: correct POSYNC_DATABASE_URL",
    "28000": "refuses the user: correct POSYNC_DATABASE_URL",
    "3D000": "does not exist: create it, or correct POSYNC_DATABASE_URL",
    "42P01": "has not the schema of this version: run `posync migrate`",
    "42703": "has not the schema of this version: run `posync migrate`",
}
"""By SQLSTATE."""


def _reason(error: OSError) -> str:
    # asyncio replaces the system's message by its own; failed name look-ups have negative numbers.
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or type(error).__name__


FAILURES = (OSError, SQLAlchemyError, PostgresError, InterfaceError)
"""What a statement may end in when the database cannot be used."""


@contextmanager
def reachable(url: str) -> Iterator[None]:
    """Turn an error that means the database cannot be used into one whose message says what to do.

    Raises:
        DatabaseUnreachable: It does not answer, refuses us, or does not have our schema.
    """
    try:
        yield
    except FAILURES as error:
        explained = explain_outage(error, url)
        if explained is None:
            raise
        raise DatabaseUnreachable(explained) from error


class Session(AsyncSession):
    """SQLModel's session with SQLAlchemy's own `execute`.

    SQLModel warns on every call of it in favour of `exec`, which takes no plain SQL; our bulk statements are plain SQL.
    """

    execute = PlainAsyncSession.execute


class Database:
    """A pool of connections to one database.

    `url` is `postgresql://user:password@host:port/name`, or `postgresql://user:@/name?host=/socket/directory`.
    `statements` counts the SQL statements sent since the start, for benchmarks and tests. `lock_timeout` is how long a
    statement waits for a row that another transaction holds; None: until it gets it.
    """

    def __init__(self, url: str, *, pool_size: int = 10, lock_timeout: timedelta | None = None) -> None:
        self.statements = 0
        self._url = url
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=False,
            # The connection used last knows our statements best: each one prepares and plans them for itself.
            pool_use_lifo=True,
            connect_args={
                "prepared_statement_cache_size": PREPARED,
                "server_settings": {"lock_timeout": str(int((lock_timeout or timedelta(0)) / MILLISECOND))},
            },
        )
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self._engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open one transaction: committed at the end, rolled back when anything is raised."""
        async with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncSession]:
        """Open a session whose statements each commit as soon as they are done, without the cost of a transaction
        around them.

        For statements that do not depend on one another.
        """
        async with Session(self._single, expire_on_commit=False) as session:
            yield session

    async def check(self) -> None:
        """Check that the database can be used.

        Raises:
            DatabaseUnreachable: It does not answer, refuses us, or does not have our schema.
        """
        with reachable(self._url):
            async with self.statement() as session:
                await session.execute(text("select 1 from organizations limit 1"))

    async def migrate(self) -> None:
        """Migrate the schema to the newest version, in one transaction. Several processes may call this at once."""
        async with self._engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Close all connections of the pool."""
        await self._engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
