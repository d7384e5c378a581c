"""The schema: what the migrations make is what the rows say, and what PostgreSQL itself holds to."""

import asyncio
from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

import models.tables  # noqa: F401
from models.store import connections
from models.store.database import MIGRATIONS, Database
from tests.store.tenant import Tenant


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True, "compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


def downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


async def test_the_migrations_make_exactly_what_the_rows_say(database: Database) -> None:
    async with database.transaction() as s:
        connection = await s.connection()
        assert await connection.run_sync(differences) == []


async def test_several_processes_may_migrate_at_once(make_database: Callable[[], str]) -> None:
    url = make_database()
    databases = [Database(url) for _ in range(3)]
    async with databases[0].transaction() as s:
        await s.execute(text("drop schema public cascade"))
        await s.execute(text("create schema public"))
    await asyncio.gather(*(database.migrate() for database in databases))
    async with databases[0].transaction() as s:
        assert await (await s.connection()).run_sync(differences) == []
    for database in databases:
        await database.close()


async def test_the_schema_can_be_taken_down_and_built_again(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.transaction() as s:
        await (await s.connection()).run_sync(downgrade)
        left = await s.execute(text("select table_name from information_schema.tables where table_schema = 'public'"))
        assert list(left.scalars()) == ["alembic_version"]
    await database.migrate()
    async with database.transaction() as s:
        assert await (await s.connection()).run_sync(differences) == []
    await database.close()


@pytest.mark.parametrize(
    "statement", ["update events set why = 'else'", "delete from events", "truncate events", "truncate events cascade"]
)
async def test_events_are_append_only(tenant: Tenant, statement: str) -> None:
    """DESIGN section 7: an append-only table records every change."""
    await tenant.execute(
        "insert into events (organization_id, subject_kind, subject_id, kind, actor, why)"
        " values ('o', 'bill', 'b', 'created', 'someone', 'because')"
    )
    with pytest.raises(DBAPIError, match="append-only"):
        await tenant.execute(statement)


async def test_one_way_sync_cannot_be_switched_off(tenant: Tenant) -> None:
    """S2-53: the 1-way setting is permanent, also for whoever works in the database."""
    async with tenant.database.transaction() as s:
        await connections.set_one_way(s, tenant.connection_id)
    await tenant.execute("update connections set name = 'other' where id = :id", id=tenant.connection_id)
    with pytest.raises(DBAPIError, match="permanent"):
        await tenant.execute("update connections set one_way = false where id = :id", id=tenant.connection_id)


async def test_what_is_raised_is_rolled_back(tenant: Tenant) -> None:
    async def half() -> None:
        async with tenant.database.transaction() as s:
            await s.execute(text("update connections set name = 'half'"))
            raise ValueError("the second half failed")

    with pytest.raises(ValueError, match="second half"):
        await half()
    (row,) = await tenant.fetch("select name from connections where id = :c")
    assert row.name == "Acme main"
