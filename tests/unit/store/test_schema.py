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
from models.domain.approvals import PushWhen
from models.store.base.database import MIGRATIONS, Database
from models.store.connections import connections
from tests.harness.tenant import (
    Tenant,
    new_tenant,
)


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True, "compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


def downgrade(connection: Connection, to: str = "base") -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, to)


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


async def test_issues_of_before_keep_the_names_of_their_subjects(empty_database_url: str) -> None:
    """0004: a title was the code's words and the name; the words are put to it where it is read now."""
    titles = {
        "PERIOD_CLOSED": ("The ERP's period is closed: INV-1", "INV-1"),
        "DELETED_IN_ERP": ("Bill INV-2 was deleted in the ERP", "INV-2"),
        "LINK_DISAGREES": ("Bill INV 3 names two orders", "INV 3"),
        "AUTH_BAD_CREDENTIALS": ("The ERP refused company, user or password", ""),
    }
    database = Database(empty_database_url)
    tenant = await new_tenant(database)
    async with database.transaction() as s:
        await (await s.connection()).run_sync(downgrade, "0004")
        for code, (title, _) in titles.items():
            await s.execute(
                text(
                    "insert into sync_issues (id, organization_id, connection_id, code, subject_kind, subject_id,"
                    " title, cause, evidence, fix, who, state, occurrences)"
                    " values (:code, :o, :c, :code, 'bill', 'b', :title, '', '{}', '[]', 'accountant', 'open', 1)"
                ),
                {"code": code, "o": tenant.organization_id, "c": tenant.connection_id, "title": title},
            )
    await database.migrate()
    rows = await tenant.fetch("select code, subject_name from sync_issues where connection_id = :c")
    assert {row.code: row.subject_name for row in rows} == {code: name for code, (_, name) in titles.items()}
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


@pytest.mark.parametrize(
    "change",
    ["only_approved = false", "approvals_enabled = false", "push_when = 'matched'", "draft_order_bills = true"],
)
async def test_that_only_approved_bills_go_out_cannot_be_switched_off(tenant: Tenant, change: str) -> None:
    """S2-59: the preference is permanent, also for whoever works in the database."""
    async with tenant.database.transaction() as s:
        await connections.set_approvals(
            s,
            tenant.connection_id,
            enabled=True,
            push_when=PushWhen.APPROVED,
            only_approved=True,
            draft_order_bills=False,
        )
    await tenant.execute("update connections set push_when = 'scheduled' where id = :id", id=tenant.connection_id)
    with pytest.raises(DBAPIError, match="permanent"):
        await tenant.execute(f"update connections set {change} where id = :id", id=tenant.connection_id)


async def test_what_is_raised_is_rolled_back(tenant: Tenant) -> None:
    async def half() -> None:
        async with tenant.database.transaction() as s:
            await s.execute(text("update connections set name = 'half'"))
            raise ValueError("the second half failed")

    with pytest.raises(ValueError, match="second half"):
        await half()
    (row,) = await tenant.fetch("select name from connections where id = :c")
    assert row.name == "Acme main"
