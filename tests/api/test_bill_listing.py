"""`GET /v1/bills`: found by what people know of a bill, sorted as they ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.store.base.database import Database
from tests.harness.api_client import ApiClient, a_problem, an_order, connected, mirrored
from tests.harness.people import add_person

BILLS = (
    {"number": "INV-001", "quantity": "4", "bill_date": "2026-11-20", "due_date": "2026-12-20", "vendor": "V-1"},
    {"number": "R 77", "quantity": "2", "bill_date": "2026-11-10", "due_date": None, "vendor": "V-2"},
    {"number": "R 78", "quantity": "8", "bill_date": "2026-11-15", "due_date": "2026-12-01", "vendor": "V-2"},
)


async def enter_bills(api: ApiClient, database: Database) -> str:
    """Three bills of 50.00, 25.00 and 100.00, entered in this order; their connection."""
    connection = await connected(api)
    for position, bill in enumerate(BILLS):
        order = an_order(f"PO-{position}", vendor_id=bill["vendor"], vendor_name=f"Vendor {bill['vendor']}")
        order_id = await mirrored(database, connection, order)
        body = {
            **{name: bill[name] for name in ("number", "bill_date", "due_date")},
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": 1, "quantity": bill["quantity"]}],
        }
        created = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
        assert created.status_code == 201, created.text
    return connection


async def numbers(api: ApiClient, **query: Any) -> list[str]:
    answer = await api.get("/v1/bills", **query)
    assert answer.status_code == 200, answer.text
    return [bill["number"] for bill in answer.json()["items"]]


async def test_bills_are_found_by_what_people_know_of_them(api: ApiClient, database: Database) -> None:
    """Issue 13.9: number, vendor, date, amount, status, changed since, and all of them together."""
    await enter_bills(api, database)
    assert await numbers(api) == ["R 78", "R 77", "INV-001"]
    assert await numbers(api, number="inv 1") == ["INV-001"]
    assert await numbers(api, number="R77") == ["R 77"]
    assert await numbers(api, number="nothing") == []
    assert await numbers(api, vendor="V-2") == ["R 78", "R 77"]
    assert await numbers(api, vendor="vendor v-1") == ["INV-001"]
    assert await numbers(api, date_from="2026-11-15", date_to="2026-11-19") == ["R 78"]
    assert await numbers(api, total_from="25.00", total_to="50") == ["R 77", "INV-001"]
    assert await numbers(api, status="pending_push", approval="not_required", vendor="V-2", total_from="99") == ["R 78"]
    assert await numbers(api, status="paid") == []
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    earlier = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    assert await numbers(api, changed_since=later) == []
    assert len(await numbers(api, changed_since=earlier)) == 3


@pytest.mark.parametrize(
    ("sort", "first_to_last"),
    [
        ("bill_date", ["R 77", "R 78", "INV-001"]),
        ("-bill_date", ["INV-001", "R 78", "R 77"]),
        ("due_date", ["R 78", "INV-001", "R 77"]),
        ("-due_date", ["R 77", "INV-001", "R 78"]),
        ("total", ["R 77", "INV-001", "R 78"]),
        ("-total", ["R 78", "INV-001", "R 77"]),
        ("number", ["INV-001", "R 77", "R 78"]),
        ("-number", ["R 78", "R 77", "INV-001"]),
        ("created_at", ["INV-001", "R 77", "R 78"]),
        ("-changed_at", ["R 78", "R 77", "INV-001"]),
    ],
)
async def test_bills_are_sorted_page_by_page(
    api: ApiClient, database: Database, sort: str, first_to_last: list[str]
) -> None:
    """Every order pages through all bills once; a cursor of another order of the list is refused."""
    await enter_bills(api, database)
    listed, cursor = [], None
    while True:
        query = {"sort": sort, "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/v1/bills", **query)).json()
        listed += [bill["number"] for bill in page["items"]]
        cursor = page["next_cursor"] or cursor
        if page["next_cursor"] is None:
            break
    assert listed == first_to_last
    other = "total" if sort != "total" else "number"
    a_problem(await api.get("/v1/bills", sort=other, cursor=cursor), 400, "INVALID_CURSOR")


async def test_an_approver_finds_the_bills_whose_turn_is_theirs(api: ApiClient, database: Database) -> None:
    """Issue 13.9: by the person, by id or e-mail, and only while it is their turn."""
    organization = api.organization
    ben, cora = [
        await add_person(api.http, organization.keys["admin"], database, organization.id, name)
        for name in ("Ben", "Cora")
    ]
    connection = await connected(api)
    rule = {"name": "all", "steps": [{"approvers": [ben.id]}, {"approvers": [cora.id]}]}
    assert (await api.put(f"/v1/connections/{connection}/approval-rules", {"rules": [rule]})).status_code == 200
    assert (await api.put(f"/v1/connections/{connection}/approvals", {"enabled": True})).status_code == 200
    order_id = await mirrored(database, connection, an_order("PO-1"))
    body = {"number": "A1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    bill = (await api.post(f"/v1/purchase-orders/{order_id}/bills", body)).json()["bill"]
    assert await numbers(api, approver=ben.id) == ["A1"]
    assert await numbers(api, approver="BEN@acme.example") == ["A1"]
    assert await numbers(api, approver=cora.id) == []
    await ben.approve(bill["id"])
    assert await numbers(api, approver=ben.id) == []
    assert await numbers(api, approver=cora.email, approval="approving") == ["A1"]
    await cora.approve(bill["id"])
    assert await numbers(api, approver=cora.id) == []
    a_problem(await api.get("/v1/bills", approver="nobody@acme.example"), 422, "PERSON_UNKNOWN")
