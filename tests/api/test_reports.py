"""The GRNI report as its readers get it: pages and totals, or a CSV file."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from models.domain.ids import ConnectionId, DocumentId, ErpId
from models.domain.orders import PurchaseOrder
from models.domain.receipts import Receipt, ReceiptLine, ReceiptStatus
from models.store.base.database import Database
from models.store.orders import receipts
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
)

DAY = date(2026, 11, 22)
"""Of the reports; the bills here are of 20 November."""


async def received(
    database: Database, connection_id: str, order: PurchaseOrder, quantity: int, days_ago: int = 1
) -> None:
    """So many of each line of the order."""
    receipt = Receipt(
        erp_id=ErpId(f"R{order.erp_id}"),
        document_id=DocumentId(f"Receiver-{order.number}"),
        number=f"R-{order.number}",
        erp_status="Pending",
        order_document=order.document_id,
        vendor_id=order.vendor_id,
        received_on=DAY - timedelta(days=days_ago),
        revision="2026-11-01 10:00:00",
        lines=tuple(
            ReceiptLine(
                erp_id=ErpId(f"R{line.erp_id}"),
                line_no=line.line_no,
                item_id=line.item_id,
                quantity=Decimal(quantity),
                order_line=line.erp_id,
            )
            for line in order.lines
        ),
    )
    async with database.transaction() as session:
        await receipts.upsert(
            session, ConnectionId(connection_id), [(receipt, ReceiptStatus.ACTIVE)], receipts_count_as_billed=True
        )


async def furnished(api: ApiClient, database: Database) -> str:
    """Two vendors; PO-1 received 6 of each line with 4 billed on the first, PO-2 billed 3 with nothing received."""
    connection_id = await connected(api)
    first, second = an_order("PO-1"), an_order("PO-2", lines=1, vendor_id="V-2", vendor_name="=Two")
    first_id = await mirrored(database, connection_id, first)
    second_id = await mirrored(database, connection_id, second)
    await received(database, connection_id, first, 6, days_ago=40)
    await billed(api, first_id, quantity="4")
    await billed(api, second_id, quantity="3")
    return connection_id


def amounts(sums: dict[str, Any]) -> tuple[Decimal, Decimal, int]:
    return Decimal(sums["accrual"]), Decimal(sums["prepaid"]), sums["lines"]


async def test_lines_totals_and_pages(api: ApiClient, database: Database) -> None:
    """matching.md 3.7, GRNI: per line, with ageing, never netted."""
    connection_id = await furnished(api, database)
    first = (await api.as_("viewer").get("/v1/reports/grni", connection=connection_id, as_of=DAY, limit=2)).json()
    assert first["as_of"] == DAY.isoformat()
    assert [(line["purchase_order_number"], line["line_no"]) for line in first["items"]] == [("PO-1", 1), ("PO-1", 2)]
    line = first["items"][0]
    assert [Decimal(line[name]) for name in ("ordered", "received", "billed", "pending", "accrual", "prepaid")] == [
        10, 6, 4, 4, 25, 0,
    ]  # fmt: skip
    assert {name: Decimal(value) for name, value in line["ageing"].items()} == {
        "days_0_30": 0,
        "days_31_60": 25,
        "days_61_90": 0,
        "days_over_90": 0,
    }
    assert (line["oldest_receipt"], line["oldest_receipt_on"]) == (
        "R-PO-1",
        (DAY - timedelta(days=40)).isoformat(),
    )
    (total,) = first["totals"]
    assert total["currency"] == "USD"
    assert amounts(total) == (100, Decimal("37.50"), 3)
    assert [(vendor["vendor_id"], amounts(vendor)) for vendor in total["vendors"]] == [
        ("V-1", (100, 0, 2)),
        ("V-2", (0, Decimal("37.50"), 1)),
    ]
    rest = (await api.get("/v1/reports/grni", as_of=DAY, cursor=first["next_cursor"])).json()
    assert [line["purchase_order_number"] for line in rest["items"]] == ["PO-2"]
    assert (rest["totals"], rest["next_cursor"]) == (None, None)


async def test_money_is_rounded_line_by_line(api: ApiClient, database: Database) -> None:
    """A12: each line half up to the cent, sums of what is shown, ages that make the accrual; two decimals."""
    connection_id = await connected(api)
    order = an_order("PO-1", lines=3)
    lines = tuple(line.model_copy(update={"price": Decimal("0.3335")}) for line in order.lines)
    order = order.model_copy(update={"lines": lines})
    order_id = await mirrored(database, connection_id, order)
    for days_ago in (1, 40, 70):
        again = order.model_copy(update={"erp_id": ErpId(f"{order.erp_id}-{days_ago}")})
        await received(database, connection_id, again, 1, days_ago=days_ago)
    report = (await api.get("/v1/reports/grni", as_of=DAY)).json()
    # 3 x 0.3335 are 1.0005; by age 0.3335 each, which add up to 0.33, 0.67 and 1.00.
    assert [line["accrual"] for line in report["items"]] == ["1.00"] * 3
    assert report["items"][0]["ageing"] == {
        "days_0_30": "0.33",
        "days_31_60": "0.34",
        "days_61_90": "0.33",
        "days_over_90": "0.00",
    }
    (total,) = report["totals"]
    assert (total["accrual"], total["prepaid"]) == ("3.00", "0.00")
    assert total["ageing"]["days_31_60"] == "1.02"
    created = await api.post(
        f"/v1/purchase-orders/{order_id}/bills",
        {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "3"}]},
    )
    bill = (await api.get(f"/v1/bills/{created.json()['bill']['id']}")).json()
    assert [bill[name] for name in ("total", "paid", "due", "tax", "discount")] == [
        "1.00", "0.00", "1.00", "0.00", "0.00",
    ]  # fmt: skip
    assert bill["lines"][0]["amount"] == "1.00"
    shown = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    assert [line["amount"] for line in shown["lines"]] == ["125.00"] * 3


async def test_as_of_an_earlier_day_and_one_vendor(api: ApiClient, database: Database) -> None:
    await furnished(api, database)
    before = (await api.get("/v1/reports/grni", as_of=(DAY - timedelta(days=41)).isoformat())).json()
    assert (before["items"], before["totals"]) == ([], [])
    between = (await api.get("/v1/reports/grni", as_of="2026-11-19")).json()
    assert [Decimal(line["accrual"]) for line in between["items"]] == [75, 75]
    one = (await api.get("/v1/reports/grni", vendor="V-2", as_of=DAY)).json()
    assert [line["vendor_id"] for line in one["items"]] == ["V-2"]
    assert amounts(one["totals"][0]) == (0, Decimal("37.50"), 1)


def rows(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_csv_has_every_line_and_runs_nothing(api: ApiClient, database: Database) -> None:
    """The same lines as JSON; text a spreadsheet would take for a formula is only text."""
    await furnished(api, database)
    table = rows(await api.get("/v1/reports/grni", format="csv", as_of=DAY))
    answer = await api.http.get(
        f"/v1/reports/grni?as_of={DAY}", headers={**api.organization.auth(), "Accept": "text/csv,*/*;q=0.1"}
    )
    assert rows(answer) == table
    assert answer.headers["content-disposition"] == f'attachment; filename="grni-{DAY.isoformat()}.csv"'
    listed = (await api.get("/v1/reports/grni", as_of=DAY)).json()["items"]
    assert [(row["as_of"], row["purchase_order_number"], row["line_no"]) for row in table] == [
        (DAY.isoformat(), line["purchase_order_number"], str(line["line_no"])) for line in listed
    ]
    for row, line in zip(table, listed, strict=True):
        assert [row[name] for name in ("received", "billed", "accrual", "prepaid", "undated")] == [
            line[name] for name in ("received", "billed", "accrual", "prepaid", "undated")
        ]
        assert row["days_31_60"] == line["ageing"]["days_31_60"]
        assert row["closed"] == "false"
    assert [row["vendor_name"] for row in table] == ["Vendor One", "Vendor One", "'=Two"]


async def test_an_empty_report_still_names_its_columns(api: ApiClient) -> None:
    answer = await api.get("/v1/reports/grni", format="csv")
    assert rows(answer) == []
    assert f"grni-{datetime.now(UTC).date()}.csv" in answer.headers["content-disposition"]
    assert answer.text.startswith("as_of,connection_id,vendor_id,")
    assert (await api.get("/v1/reports/grni")).json()["totals"] == []


async def test_a_long_csv_is_whole(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    order = an_order("PO-1", lines=1201)
    await mirrored(database, connection_id, order)
    await received(database, connection_id, order, 1)
    table = rows(await api.get("/v1/reports/grni", format="csv"))
    assert [int(row["line_no"]) for row in table] == list(range(1, 1202))


async def test_what_cannot_be_reported_is_refused(api: ApiClient, other_api: ApiClient, database: Database) -> None:
    connection_id = await furnished(api, database)
    assert (await other_api.get("/v1/reports/grni")).json()["items"] == []
    assert rows(await other_api.get("/v1/reports/grni", format="csv")) == []
    a_problem(await other_api.get("/v1/reports/grni", connection=connection_id), 404, "NOT_FOUND")
    a_problem(await api.get("/v1/reports/grni", as_of="20-11-2026"), 422, "VALIDATION_FAILED")
    a_problem(await api.get("/v1/reports/grni", cursor="x"), 400, "INVALID_CURSOR")
    a_problem(await api.get("/v1/reports/grni", format="csv", cursor="x"), 422, "VALIDATION_FAILED")
    off = await api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": False})
    assert off.status_code == 200
    a_problem(await api.get("/v1/reports/grni", connection=connection_id), 404, "PO_FEATURE_OFF")
