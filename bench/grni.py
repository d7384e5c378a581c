"""How long the GRNI report takes, with few orders and with many that were closed long ago.

`python -m bench.grni`: a database of its own is filled by SQL with two companies. One has only open orders, the other
has as many, and beside them 200,000 that were received and billed in full. Figures are compared, too: for random days
of the past the report must give what the statement gives that leaves nothing out beforehand.
"""

import argparse
import asyncio
import random
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.report import Figure, Report, at_most, wide_console
from cli.local.embedded import THROWAWAY_POSTGRES, EmbeddedPostgres
from models.domain.ids import ConnectionId, OrganizationId
from models.store.base.database import Database
from models.store.orders import grni
from models.store.orders.grni_sql import LOOKED_AT, OPEN_LINES

TODAY = date(2026, 11, 30)
DAYS = 1_000
"""Orders, receipts and bills lie in so many days before today."""

EVERY_CHAIN = OPEN_LINES.replace(LOOKED_AT, "select distinct chain_line from purchase_order_lines")

COMPANY: Mapping[str, Mapping[str, str]] = {
    "organizations": {"id": ":c", "name": ":c"},
    "connections": {
        "id": ":c",
        "organization_id": ":c",
        "erp": "'intacct'",
        "company": ":c",
        "state": "'ready'",
        "purchase_orders_enabled": "true",
    },
}

ORDERS: Mapping[str, Mapping[str, str]] = {
    "purchase_orders": {
        "id": ":c || n",
        "connection_id": ":c",
        "erp_id": "n",
        "number": "'PO-' || n",
        "vendor_id": "'V-' || n % 50",
        "ordered_on": ":today - n % :days - 20",
        "currency": "'USD'",
    },
    "purchase_order_lines": {
        "purchase_order_id": ":c || n",
        "line_no": "1",
        "erp_id": "n",
        "chain_line": ":c || '/' || n",
        "quantity": "10",
        "price": "10",
        "received": "10",
        "billed": "billed",
    },
    "receipts": {
        "id": "'r' || :c || n",
        "connection_id": ":c",
        "erp_id": "n",
        "number": "'R-' || n",
        "purchase_order_id": ":c || n",
        "status": "'closed'",
        "received_on": ":today - n % :days - 10",
    },
    "receipt_lines": {"receipt_id": "'r' || :c || n", "line_no": "1", "order_line": "n", "quantity": "10"},
    "bills": {
        "id": "'b' || :c || n",
        "organization_id": ":c",
        "connection_id": ":c",
        "purchase_order_id": ":c || n",
        "number": "'B-' || n",
        "number_key": "'B-' || n",
        "number_parts": "n",
        "bill_date": ":today - n % :days",
        "posting_date": ":today - n % :days",
        "status": "'paid'",
        "origin": "'erp'",
    },
    "bill_lines": {
        "bill_id": "'b' || :c || n",
        "line_no": "1",
        "purchase_order_id": ":c || n",
        "purchase_order_line_no": "1",
        "quantity": "billed",
        "amount": "10 * billed",
    },
}
"""By table: what of the `n`-th order stands in which column. The columns that are not named are empty or zero."""


async def fill(database: Database, name: str, *, orders: int, still_open: int) -> grni.GrniScope:
    """Give a company so many orders, the first of them open: received in full and billed in part."""
    rows = (
        f"generate_series(1, {orders}) n,"
        f" lateral (select case when n <= {still_open} then 4 else 10 end as billed) amounts"
    )
    values = {"c": f"'{name}'", "today": f"date '{TODAY}'", "days": DAYS}
    async with database.transaction() as session:
        for source, tables in (("(select) one", COMPANY), (rows, ORDERS)):
            for table, columns in tables.items():
                statement = f"{_insert(table, columns)} from {source}"
                await session.execute(text(re.sub(r":([a-z]+)", lambda word: str(values[word[1]]), statement)))
    return grni.GrniScope(OrganizationId(name), TODAY, ConnectionId(name))


def _insert(table: str, columns: Mapping[str, str]) -> str:
    needed = {
        column.name: _EMPTY.get(type(column.type).__name__, "''")
        for column in SQLModel.metadata.tables[table].columns
        if not column.nullable and column.server_default is None and column.identity is None
    }
    filled = {
        name: f"cast({value} as text)" if value == "n" else value for name, value in (needed | dict(columns)).items()
    }
    return f"insert into {table} ({', '.join(filled)}) select {', '.join(filled.values())}"


_EMPTY = {
    "Numeric": "0",
    "Integer": "0",
    "BigInteger": "0",
    "Boolean": "false",
    "Date": "date '2026-01-01'",
    "LargeBinary": "cast('' as bytea)",
}


async def seconds(database: Database, scope: grni.GrniScope, turns: int) -> float:
    """Return how long the sums and the first page take together: the best of some turns."""
    took = []
    for _ in range(turns):
        began = time.perf_counter()
        async with database.transaction() as session:
            await grni.totals(session, scope)
            await grni.page(session, scope)
        took.append(time.perf_counter() - began)
    return min(took)


async def differences(session: AsyncSession, scope: grni.GrniScope, as_of: date) -> Sequence[str]:
    """Return the lines that only one of the two statements has, or has with other figures."""
    values = {
        "organization": scope.organization_id,
        "connection": scope.connection_id,
        "vendor": scope.vendor_id,
        "as_of": as_of,
    }
    ours, all_of_it = [
        {str(tuple(row)) for row in await session.execute(text(f"{statement} select * from lines"), values)}
        for statement in (OPEN_LINES, EVERY_CHAIN)
    ]
    return sorted(ours ^ all_of_it)


async def measure(database: Database, report: Report, *, still_open: int, closed: int, days: int) -> list[str]:
    """Measure both companies and compare some days of the past. Return what differs."""
    few = await fill(database, "few", orders=still_open, still_open=still_open)
    many = await fill(database, "many", orders=still_open + closed, still_open=still_open)
    async with database.statement() as session:
        await session.execute(text("analyze"))
    with_few, with_many = await seconds(database, few, 5), await seconds(database, many, 3)
    chosen = random.Random(1)
    past = [TODAY - timedelta(days=chosen.randrange(DAYS)) for _ in range(days)]
    differing: list[str] = []
    slowest = 0.0
    for as_of in past:
        began = time.perf_counter()
        async with database.transaction() as session:
            await grni.totals(session, grni.GrniScope(many.organization_id, as_of, many.connection_id))
        slowest = max(slowest, time.perf_counter() - began)
        for scope in (few, many):
            async with database.transaction() as session:
                differing += [f"{as_of}: {line}" for line in await differences(session, scope, as_of)]
    report.add(
        "GRNI, sums and first page",
        [
            Figure(f"{still_open:,} open orders", with_few, "s"),
            at_most(f"beside {closed:,} closed ones", with_many, "s", 1),
            at_most("times as long", with_many / with_few, "", 10),
            Figure("the sums of a day of the past", slowest, "s", note=f"the slowest of {days} random days"),
            at_most("lines that differ from the whole statement's", len(differing), "", 0),
        ],
    )
    return differing


async def _run(report: Report, chosen: argparse.Namespace) -> int:
    with TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), THROWAWAY_POSTGRES)
        await asyncio.to_thread(server.start)
        try:
            database = Database(server.create_database("grni"))
            await database.migrate()
            differing = await measure(database, report, still_open=chosen.open, closed=chosen.closed, days=chosen.days)
            await database.close()
        finally:
            server.stop()
    for line in differing[:20]:
        report.console.print(f"[red]differs[/] {line}")
    return 1 if differing else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.grni", description=__doc__)
    parser.add_argument("--open", type=int, default=1_000, help="open orders of each company")
    parser.add_argument("--closed", type=int, default=200_000, help="closed orders of the second company")
    parser.add_argument("--days", type=int, default=3, help="random days of the past to compare")
    return asyncio.run(_run(Report(wide_console()), parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
