"""How Alembic reaches the database: over the connection `Database.migrate` hands in.

Whoever writes a new revision names a database instead: `alembic -c models/migrations/alembic.ini -x url=postgresql://...`.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, make_url, pool
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import models.tables  # noqa: F401  the rows register themselves in the metadata


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_named_database() -> None:
    url = make_url(context.get_x_argument(as_dictionary=True)["url"]).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


handed_in = context.config.attributes.get("connection")
if handed_in is None:
    asyncio.run(migrate_named_database())
else:
    migrate(handed_in)
