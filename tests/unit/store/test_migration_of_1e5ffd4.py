"""A database that commit 1e5ffd4 made migrates with its rows."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import models.tables  # noqa: F401
from cli.local.embedded import EmbeddedPostgres
from models.domain.orders import PoStatus
from models.store.base.database import Database
from models.store.orders import purchase_orders
from tests.harness.old_database import (
    BILL_TO_PAY,
    FILLED_ORDER,
    INTACCT,
    NETSUITE,
    OPEN_ORDER,
    REFUSED_BILL,
    restore_demo_end,
)

RENAMED = {
    "connections": {"match_again_since": "rematch_requested_at", "match_again_why": "rematch_why"},
    "purchase_orders": {"woken_hash": "notified_hash"},
    "bills": {"edit_undo": "edit_baseline"},
    "unit_factors": {"told_by": "entered_by"},
}
COUNTS = {"woken": "notified"}
DROPPED = {
    # An issue's texts are made where it is read; the name in its title is kept.
    "sync_issues": {"title", "fix", "who"},
    # A message in the outbox says it now.
    "bills": {"has_news"},
    # Nothing read it.
    "erp_writes": {"body_hash"},
}

Rows = dict[str, list[dict[str, Any]]]


async def read_all(database: Database) -> Rows:
    """Every row of every table but Alembic's own, sorted by what it holds."""
    async with database.transaction() as s:
        tables = await s.execute(
            text(
                "select table_name from information_schema.tables"
                " where table_schema = 'public' and table_name <> 'alembic_version'"
            )
        )
        return {
            table: list((await s.execute(text(f'select to_jsonb(t) from "{table}" t order by 1'))).scalars())
            for table in tables.scalars()
        }


def in_todays_words(table: str, row: dict[str, Any]) -> dict[str, Any]:
    renamed, dropped = RENAMED.get(table, {}), DROPPED.get(table, set())
    if table == "sync_runs":
        row = row | {"counts": {COUNTS.get(name, name): count for name, count in row["counts"].items()}}
    if table == "connections" and row["erp"] == "intacct":  # 0013 and 0107 know what that ERP refuses
        learned = {"bills_of_other_vendors": False, "states_in_use": ["In Progress", "G"]}
        capabilities = row["capabilities"] | learned
        # PostgreSQL sorts names by their length first.
        row = row | {
            "capabilities": {name: capabilities[name] for name in sorted(capabilities, key=lambda n: (len(n), n))}
        }
    if table == "connections":  # 0170: every connection syncs by itself
        row = row | {"sync_every_minutes": row["sync_every_minutes"] or 1440}
    if table == "skipped_records" and row["code"] == "NOT_USD":  # a company may keep its books in another currency
        row = row | {"code": "OTHER_CURRENCY"}
    return {renamed.get(column, column): value for column, value in row.items() if column not in dropped}


def by_content(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(sorted(row.items())) for row in rows)


@pytest.fixture
async def old(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    database = Database(await restore_demo_end(postgres), pool_size=2)
    yield database
    await database.close()


READ_ANEW = frozenset({("intacct", "bills"), ("intacct", "lists"), ("netsuite", "lists")})
"""Streams of ERPs of which more comes in today."""


async def test_every_row_is_there_afterwards_with_all_it_said(old: Database) -> None:
    """Issue 9, data that exists: each column of before holds its values, under its own or its new name."""
    before = await read_all(old)
    assert {table: len(rows) for table, rows in before.items() if rows} == {
        "api_keys": 1, "bill_lines": 60, "bills": 28, "connections": 2, "cursors": 12, "erp_writes": 26, "events": 88,
        "list_entries": 140, "match_decisions": 2, "match_results": 21, "organizations": 1, "payments": 12,
        "purchase_order_lines": 73, "purchase_orders": 30, "receipt_lines": 44, "receipts": 21, "requests": 40,
        "skipped_records": 4, "sync_issues": 1, "sync_runs": 8,
    }  # fmt: skip
    await old.migrate()
    after = await read_all(old)
    # More of the lists, and credits, come in than then: these are read from their beginning once more.
    before["cursors"] = [
        row for row in before["cursors"] if (row["connection_id"].partition("-")[0], row["stream"]) not in READ_ANEW
    ]
    after["outbox"] = [row for row in after["outbox"] if row["kind"] != "schedule_changed"]
    after["notices"] = [row for row in after["notices"] if row["code"] != "SCHEDULE_SET"]
    for table, rows in before.items():
        kept = [in_todays_words(table, row) for row in rows]
        columns = kept[0].keys() if kept else set()
        assert by_content(kept) == by_content([{column: row[column] for column in columns} for row in after[table]]), (
            table
        )


async def test_a_bill_with_news_has_a_message_in_the_outbox(old: Database) -> None:
    """What its workflow was not notified of is not lost with the column that said so."""
    async with old.transaction() as s:
        await s.execute(text("update bills set has_news = id = :id"), {"id": BILL_TO_PAY})
    await old.migrate()
    async with old.transaction() as s:
        messages = await s.execute(text("select kind, subject_id from outbox where kind <> 'schedule_changed'"))
    assert [tuple(message) for message in messages] == [("bill_changed", BILL_TO_PAY)]


async def test_connections_without_a_schedule_sync_once_a_day(old: Database) -> None:
    """S2-56: as new ones do, with a notice that says how to have it otherwise; one that had a schedule keeps it."""
    async with old.transaction() as s:
        await s.execute(text("update connections set sync_every_minutes = 30 where id = :id"), {"id": NETSUITE})
    await old.migrate()
    async with old.transaction() as s:
        connections = await s.execute(text("select id, sync_every_minutes from connections order by id"))
        messages = await s.execute(text("select subject_id from outbox where kind = 'schedule_changed'"))
        notices = await s.execute(text("select subject_id, message from notices where code = 'SCHEDULE_SET'"))
        noticed = [tuple(row) for row in notices]
        assert [tuple(row) for row in connections] == [(INTACCT, 1440), (NETSUITE, 30)]
        assert list(messages.scalars()) == [INTACCT]
    ((subject, message),) = noticed
    assert subject == INTACCT
    assert f"PUT /v1/connections/{INTACCT}/schedule" in message


async def test_its_schema_is_what_the_rows_say(old: Database) -> None:
    """A database that grew is as one that is made today."""
    await old.migrate()

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True, "compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    async with old.transaction() as s:
        assert await (await s.connection()).run_sync(differences) == []


async def test_its_figures_mean_what_they_meant(old: Database) -> None:
    """The ledger of a filled order and of one with a bill on its way, a bill's totals, and the name in an issue."""
    await old.migrate()
    async with old.transaction() as s:
        filled, open_order = await purchase_orders.facts(s, FILLED_ORDER), await purchase_orders.facts(s, OPEN_ORDER)
        bills = await s.execute(text("select id, status, total, paid from bills where origin = 'posync'"))
        figures = {row.id: tuple(row)[1:] for row in bills}
        issues = (await s.execute(text("select code, subject_id, subject_name, state from sync_issues"))).all()
    assert filled is not None
    assert (filled.status, filled.ordered, filled.billed, filled.pending) == (PoStatus.FILLED, 16, 16, 0)
    assert open_order is not None
    assert (open_order.status, open_order.ordered, open_order.billed, open_order.pending) == (
        PoStatus.UNFILLED,
        42,
        0,
        1,
    )
    assert figures[BILL_TO_PAY] == ("scheduled", Decimal("2859.00"), Decimal(0))
    assert figures[REFUSED_BILL] == ("sync_issue", Decimal("27.33"), Decimal(0))
    assert [tuple(row) for row in issues] == [("PERIOD_CLOSED", REFUSED_BILL, "INV-1033-late", "open")]
