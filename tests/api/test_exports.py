"""Exports: every row of a kind as one file, as CSV or as JSON lines (S5-159)."""

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.exports import ExportKind
from models.domain.ids import ConnectionId
from models.store.base.database import Database
from models.store.exports import rows
from models.store.exports.rows import EXPORTS, ExportScope
from tests.harness.api_client import ApiClient, a_problem, an_order, billed, connected, mirrored


async def exported(api: ApiClient, kind: str, **query: Any) -> list[dict[str, Any]]:
    answer = await api.as_("viewer").get(f"/v1/exports/{kind}", format="jsonl", **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    return [json.loads(line) for line in answer.text.splitlines()]


async def as_csv(api: ApiClient, kind: str, **query: Any) -> list[dict[str, str]]:
    answer = await api.as_("viewer").get(f"/v1/exports/{kind}", **query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("kind", list(ExportKind))
async def test_an_export_without_rows_has_its_columns(api: ApiClient, kind: ExportKind) -> None:
    """A CSV file without rows says at least what it would hold; JSON lines are empty."""
    answer = await api.as_("viewer").get(f"/v1/exports/{kind}", connection=await connected(api))
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{kind}-')
    assert next(csv.reader(io.StringIO(answer.text))) == list(EXPORTS[kind].columns)


async def test_orders_and_bills_have_a_row_for_each_line(api: ApiClient, database: Database) -> None:
    """Exact values, in both formats the same."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    bill_id = await billed(api, order_id, quantity="4")
    orders = await exported(api, "purchase-orders", connection=connection_id)
    assert [(row["number"], row["line_no"], row["quantity"]) for row in orders] == [
        (row["number"], row["line_no"], row["quantity"]) for row in orders if row["purchase_order_id"] == order_id
    ]
    assert len(orders) == 2
    (bill,) = await exported(api, "bills", connection=connection_id)
    shown = (await api.get(f"/v1/bills/{bill_id}")).json()
    assert (bill["bill_id"], bill["total"], bill["purchase_order_number"]) == (bill_id, shown["total"], "PO-1")
    assert (bill["quantity"], bill["amount"]) == (shown["lines"][0]["quantity"], shown["lines"][0]["amount"])
    (same,) = await as_csv(api, "bills", connection=connection_id)
    assert {name: value or None for name, value in same.items()} == {
        name: None if value is None or value == "" else str(value) for name, value in bill.items()
    }


async def test_events_say_before_and_after(api: ApiClient, database: Database) -> None:
    """The audit trail leaves as it is held."""
    connection_id = await connected(api)
    bill_id = await billed(api, await mirrored(database, connection_id, an_order("PO-1")))
    events = [row for row in await exported(api, "events", connection=connection_id) if row["subject_id"] == bill_id]
    assert [event["kind"] for event in events][:1] == ["created"]
    assert isinstance(events[0]["after"], dict)
    (first, *_) = [row for row in await as_csv(api, "events", connection=connection_id) if row["subject_id"] == bill_id]
    assert json.loads(first["after"]) == events[0]["after"]


async def test_a_formula_is_harmless_and_a_number_stays_one(api: ApiClient, database: Database) -> None:
    """A spreadsheet runs what begins with =, +, - or @; amounts below zero are no formulas."""
    connection_id = await connected(api)
    await mirrored(database, connection_id, an_order("PO-1", vendor_name='=HYPERLINK("x")'))
    (row, *_) = await as_csv(api, "purchase-orders", connection=connection_id)
    assert row["vendor_name"] == '\'=HYPERLINK("x")'
    (plain, *_) = await exported(api, "purchase-orders", connection=connection_id)
    assert plain["vendor_name"] == '=HYPERLINK("x")'


async def test_an_export_is_of_one_organization_and_one_connection(api: ApiClient, database: Database) -> None:
    """Nobody exports what is another's; a connection whose order feature is off shows no orders (S1-32)."""
    connection_id = await connected(api)
    await mirrored(database, connection_id, an_order("PO-1"))
    a_problem(await api.get("/v1/exports/bills", connection="con_of_nobody"), 404, "NOT_FOUND")
    async with database.statement() as session:
        await session.execute(
            text("update connections set purchase_orders_enabled = false where id = :id"), {"id": connection_id}
        )
    assert await exported(api, "purchase-orders", connection=connection_id) == []


async def test_only_what_changed_since(api: ApiClient, database: Database) -> None:
    """A program that exports daily takes what is new."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    await billed(api, order_id)
    everything = await exported(api, "bills", connection=connection_id)
    assert await exported(api, "bills", connection=connection_id, changed_since="2020-01-01T00:00:00Z") == everything
    assert await exported(api, "bills", connection=connection_id, changed_since="2100-01-01T00:00:00Z") == []


async def test_memory_does_not_grow_with_the_rows(api: ApiClient, database: Database) -> None:
    """100,000 rows at most 1.2 times the memory of 10,000: here the stream that writes them, five times as many.

    The client of these tests would keep the answer; the rows are therefore read as the route reads them.
    """
    connection_id = await connected(api)
    scope = ExportScope(api.organization.id, ConnectionId(connection_id))
    peaks = []
    for more in (4_000, 16_000):
        async with database.statement() as session:
            await session.execute(
                text(
                    "insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why)"
                    " select organization_id, id, 'bill', 'b', 'k', 'a', repeat('w', 500)"
                    " from connections, generate_series(1, :rows) where id = :id"
                ),
                {"id": connection_id, "rows": more},
            )
        tracemalloc.start()
        async with database.transaction() as session:
            read = 0
            async for _ in rows.stream(session, ExportKind.EVENTS, scope):
                read += 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read >= more
    assert peaks[1] < peaks[0] * 1.2, peaks


def columns_table() -> str:
    """The columns of each export, as the docs list them."""
    lines = ["| export | columns |", "|---|---|"]
    for kind in ExportKind:
        lines.append(f"| `{kind}` | {', '.join(f'`{name}`' for name in EXPORTS[kind].columns)} |")
    return "\n".join(lines)


def test_the_docs_list_the_columns() -> None:
    """What changes in an export changes in its page."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "exports.md"
    assert columns_table() in page.read_text()
