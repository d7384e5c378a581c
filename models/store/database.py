"""The way to PostgreSQL: one engine per process, one transaction per `async with`.

Every store function takes the session made here; whoever opened the transaction owns it (DESIGN section 7).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession as PlainAsyncSession
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

_MIGRATION_LOCK = 0x706F73796E63
"""Several processes may start at once; one migrates, the others wait and find nothing to do."""


PREPARED = 500
"""Statements each connection keeps prepared: more than we have, or they push one another out."""


class Session(AsyncSession):
    """SQLModel's session, with SQLAlchemy's own `execute`: SQLModel warns of it on every call in favour of `exec`,
    which takes no plain SQL, and plain SQL is what the bulk paths are made of."""

    execute = PlainAsyncSession.execute


class Database:
    """A pool of connections to one database.

    `url` is `postgresql://user:password@host:port/name`, or `postgresql://user:@/name?host=/socket/directory`.
    `statements` counts the SQL statements sent since the start, for benchmarks and tests.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.statements = 0
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=False,
            # The connection used last knows our statements best: each one prepares and plans them for itself.
            pool_use_lifo=True,
            connect_args={"prepared_statement_cache_size": PREPARED},
        )
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self._engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        async with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncSession]:
        """For statements that need no others to be true with them: each is a transaction by itself and is committed
        as soon as it is done, so nothing is spent on a frame around it."""
        async with Session(self._single, expire_on_commit=False) as session:
            yield session

    async def migrate(self) -> None:
        """Bring the schema to the newest version, in one transaction. Safe to call from several processes at once."""
        async with self._engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Give all connections back."""
        await self._engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
