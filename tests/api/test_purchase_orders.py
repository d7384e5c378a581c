"""Purchase orders as they are shown, and the drafts and bills made from them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import col, update

from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import MatchingStatus, PoStatus
from models.messages.orders import OpenBill, PurchaseOrderLive
from models.store.base.database import Database
from models.store.sync import list_entries
from models.tables import ConnectionRow
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
    received,
)


async def test_an_order_shows_its_ledger(api: ApiClient, database: Database) -> None:
    """S4-35: ordered, received, billed and remaining per line; ours that wait are pending."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    await billed(api, order_id, quantity="4")
    order = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    line = order["lines"][0]
    assert {name: Decimal(line[name]) for name in ("ordered", "received", "billed", "pending", "remaining")} == {
        "ordered": 10,
        "received": 0,
        "billed": 0,
        "pending": 4,
        "remaining": 6,
    }
    assert (order["status"], order["erp_status"], line["hidden"]) == ("unfilled", "Pending", False)
    assert order["live"] is None


async def test_live_state_comes_from_the_workflow(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    connection_id = await connected(api)
    order = an_order("PO-1")
    order_id = await mirrored(database, connection_id, order)
    fake_temporal.live[f"po/{connection_id}/{order.number}/{order.erp_id}"] = PurchaseOrderLive(
        bills=[OpenBill(bill_id="bill_1", number="I", total="1.00")], waiting_for="our bills to reach the ERP"
    )
    live = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["live"]
    assert live["waiting_for"] == "our bills to reach the ERP"
    assert live["bills"][0]["bill_id"] == "bill_1"
    assert (await api.get(f"/v1/purchase-orders/{order_id}", live=False)).json()["live"] is None


async def test_an_order_that_is_the_same_is_not_sent_twice(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """F9: its workflow was asked, so `as_of` was another moment each time, and 304 never came."""
    connection_id, order = await connected(api), an_order("PO-1")
    path = f"/v1/purchase-orders/{await mirrored(database, connection_id, order)}?live=true"
    workflow_id = f"po/{connection_id}/{order.number}/{order.erp_id}"
    fake_temporal.live[workflow_id] = PurchaseOrderLive(bills=[], waiting_for="a bill to be made")
    first, second = [await api.get(path) for _ in range(2)]
    assert first.json()["as_of"] < second.json()["as_of"]
    known = {**api.organization.auth(), "If-None-Match": first.headers["etag"]}
    assert (await api.http.get(path, headers=known)).status_code == 304
    fake_temporal.live[workflow_id] = PurchaseOrderLive(bills=[], waiting_for="our bills to reach the ERP")
    assert (await api.http.get(path, headers=known)).json()["live"]["waiting_for"] == "our bills to reach the ERP"


async def test_the_mirror_answers_when_the_workers_are_busy(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """A caller who does not say waits 40 ms for the workflow; `live=true` waits, `live=false` never asks (issue 10)."""
    connection_id = await connected(api)
    order = an_order("PO-1")
    order_id = await mirrored(database, connection_id, order)
    fake_temporal.live[f"po/{connection_id}/{order.number}/{order.erp_id}"] = PurchaseOrderLive(
        waiting_for="a bill to be made"
    )
    fake_temporal.answers_after = 0.5
    path = f"/v1/purchase-orders/{order_id}"
    before = datetime.now(UTC)

    never = (await api.get(path, live="false")).json()
    assert (never["live"], fake_temporal.queries) == (None, 0)
    assert datetime.fromisoformat(never["as_of"]) < before

    glance = (await api.get(path)).json()
    assert (glance["live"], glance["as_of"], fake_temporal.queries) == (None, never["as_of"], 1)

    at_once = (await api.get(path)).json()
    assert (at_once["live"], fake_temporal.queries) == (None, 1), "nobody waits for busy workers again"

    waited = (await api.get(path, live="true")).json()
    assert waited["live"]["waiting_for"] == "a bill to be made"
    assert datetime.fromisoformat(waited["as_of"]) > before


async def test_the_mirror_is_as_of_the_last_sync_or_of_its_own_last_change(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}"
    never_synced = (await api.get(path)).json()
    assert never_synced["as_of"] == never_synced["changed_at"]
    synced_at = datetime.now(UTC) + timedelta(minutes=1)
    async with database.transaction() as session:
        await session.exec(
            update(ConnectionRow).where(col(ConnectionRow.id) == connection_id).values(last_synced_at=synced_at)
        )
    assert datetime.fromisoformat((await api.get(path)).json()["as_of"]) == synced_at


async def test_lists_narrow_and_page(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    for number in range(1, 6):
        await mirrored(database, connection_id, an_order(f"PO-{number}", days_ago=number))
    await mirrored(database, connection_id, an_order("PO-9", vendor_id="V-2"), PoStatus.FILLED, MatchingStatus.CLOSED)
    first = (await api.get("/v1/purchase-orders", vendor="V-1", limit=3)).json()
    assert [item["number"] for item in first["items"]] == ["PO-1", "PO-2", "PO-3"]
    rest = (await api.get("/v1/purchase-orders", vendor="V-1", limit=3, cursor=first["next_cursor"])).json()
    assert [item["number"] for item in rest["items"]] == ["PO-4", "PO-5"]
    assert rest["next_cursor"] is None
    filled = (await api.get("/v1/purchase-orders", status="filled")).json()["items"]
    assert [item["number"] for item in filled] == ["PO-9"]
    closed = (await api.get("/v1/purchase-orders", matching_status="closed")).json()["items"]
    assert [item["number"] for item in closed] == ["PO-9"]


async def test_the_drop_down_shows_a_vendors_open_orders(api: ApiClient, database: Database) -> None:
    """S4-23: most recent first; typing narrows by number."""
    connection_id = await connected(api)
    for number in ("PO-1001", "PO-1002", "PO-2001"):
        await mirrored(database, connection_id, an_order(number, days_ago=int(number[-1])))
    await mirrored(database, connection_id, an_order("PO-1003"), PoStatus.CLOSED, MatchingStatus.CLOSED)
    found = await api.get("/v1/purchase-orders", connection=connection_id, vendor="V-1", open=True)
    assert [item["number"] for item in found.json()["items"]][-1] == "PO-1002"
    assert {item["number"] for item in found.json()["items"]} == {"PO-1001", "PO-1002", "PO-2001"}
    found = await api.get("/v1/purchase-orders", connection=connection_id, vendor="V-1", open=True, q="100")
    assert [item["number"] for item in found.json()["items"]] == ["PO-1001", "PO-1002"]
    a_problem(await api.get("/v1/purchase-orders", open=True), 422, "FILTER_INCOMPLETE")


async def test_a_two_way_draft_holds_what_remains(api: ApiClient, database: Database) -> None:
    """S1-03, S4-10: pre-filled from the order; lines billed in full are left out and said so."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1", lines=3))
    await billed(api, order_id, quantity="4")
    whole = {"number": "X", "bill_date": "2026-11-20", "lines": [{"order_line_no": 3, "quantity": "10"}]}
    assert (await api.post(f"/v1/purchase-orders/{order_id}/bills", whole)).status_code == 201
    draft = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 6), (2, 10)]
    assert Decimal(draft["lines"][0]["amount"]) == Decimal("75.00")
    assert Decimal(draft["total"]) == Decimal("200.00")
    assert [(line["order_line_no"], line["code"]) for line in draft["left_out"]] == [(3, "FULLY_BILLED")]


async def test_a_draft_is_due_by_the_term_of_the_order_or_the_vendor(api: ApiClient, database: Database) -> None:
    """S1-03: a term we cannot count by gives no date rather than a wrong one."""
    connection_id = await connected(api)
    entries = [
        ListEntry(kind=ListKind.VENDOR, erp_id=ErpId("1"), key="V-1", name="V", attributes={"term": "Net 10"}),
        ListEntry(kind=ListKind.TERM, erp_id=ErpId("2"), key="Net 10", name="10", attributes={"due_date": "10"}),
        ListEntry(
            kind=ListKind.TERM,
            erp_id=ErpId("3"),
            key="Net 30",
            name="30",
            attributes={"due_date": "30", "due_from": "from bill date"},
        ),
        ListEntry(
            kind=ListKind.TERM,
            erp_id=ErpId("4"),
            key="EOM",
            name="End of month",
            attributes={"due_date": "1", "due_from": "of the month of bill date"},
        ),
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), entries)
    days = {}
    for term in (None, "Net 30", "EOM"):
        order_id = await mirrored(database, connection_id, an_order(f"PO-{term}", term=term))
        draft = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
        bill_date = date.fromisoformat(draft["bill_date"])
        days[term] = draft["due_date"] and (date.fromisoformat(draft["due_date"]) - bill_date).days
    assert days == {None: 10, "Net 30": 30, "EOM": None}


async def test_a_three_way_draft_holds_what_was_received(api: ApiClient, database: Database) -> None:
    """S4-11, S4-36: received and not billed yet; a line received and billed in full is hidden."""
    connection_id = await connected(api)
    await api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": "three_way"})
    order = an_order("PO-1", lines=3)
    order_id = await mirrored(database, connection_id, order)
    await received(database, connection_id, order, "4", "0", "10")
    whole = {"number": "X", "bill_date": "2026-11-20", "lines": [{"order_line_no": 3, "quantity": "10"}]}
    assert (await api.post(f"/v1/purchase-orders/{order_id}/bills", whole)).status_code == 201
    shown = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"]
    assert [line["hidden"] for line in shown] == [False, False, True]
    assert [Decimal(line["unbilled_received"]) for line in shown] == [4, 0, 0]
    draft = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 4)]
    assert {line["order_line_no"]: line["code"] for line in draft["left_out"]} == {
        2: "NOTHING_RECEIVED",
        3: "FULLY_BILLED",
    }
    listed = (await api.get(f"/v1/purchase-orders/{order_id}/receipts")).json()["items"]
    assert listed[0]["lines"][0]["quantity"] == "4"


async def test_what_came_beyond_a_filled_order_is_billed_in_three_way_mode_only(
    api: ApiClient, database: Database
) -> None:
    """S4-15, S4-23, R08: the ERP calls it filled by what was ordered. By the order alone nothing is left of it."""
    connection_id = await connected(api)
    await api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": "three_way"})
    order = an_order("PO-1", lines=1)
    order_id = await mirrored(database, connection_id, order, PoStatus.FILLED, MatchingStatus.CLOSED)
    await received(database, connection_id, order, "12")
    body = {"number": "X", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "12"}]}

    async def seen() -> tuple[list[str], list[str]]:
        offered = await api.get("/v1/purchase-orders", connection=connection_id, vendor="V-1", open=True)
        tried = (await api.post(f"/v1/purchase-orders/{order_id}/match", body)).json()
        codes = [finding["code"] for finding in tried["match"]["findings"]]
        return [item["number"] for item in offered.json()["items"]], codes

    assert await seen() == (["PO-1"], ["BILLED_BEYOND_ORDERED"])
    (line,) = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"]
    assert Decimal(line["over_received"]) == 2
    async with database.transaction() as session:
        await session.execute(text("update connections set match_mode = 'two_way'"))
    assert await seen() == ([], ["PO_CLOSED", "QTY_OVER_CEILING"])


async def test_a_bill_within_the_order_is_saved_and_its_workflow_told(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """S4-22, S4-24, S1-02."""
    connection_id = await connected(api)
    order = an_order("PO-1")
    order_id = await mirrored(database, connection_id, order)
    body = {
        "number": "INV-1",
        "bill_date": "2026-11-20",
        "memo": "as agreed",
        "lines": [{"order_line_no": 1, "quantity": "4"}, {"order_line_no": 2, "quantity": 2.5, "amount": "31.25"}],
    }
    created = await api.as_("clerk").post(f"/v1/purchase-orders/{order_id}/bills", body, key="the-key")
    assert created.status_code == 201
    answer = created.json()
    assert created.headers["location"] == f"/v1/bills/{answer['bill']['id']}"
    assert (answer["match"]["outcome"], answer["bill"]["match_outcome"]) == ("OK", "OK")
    assert Decimal(answer["bill"]["total"]) == Decimal("81.25")
    workflow_id = f"po/{connection_id}/{order.number}/{order.erp_id}"
    told, accepted = await fake_temporal.delivered(answer["bill"]["id"])
    assert (told, accepted.number, accepted.total) == (workflow_id, "INV-1", "81.25")
    assert (accepted.terms, accepted.same_terms) == (accepted.facts.terms, True)
    bill = (await api.get(created.headers["location"])).json()
    assert (bill["status"], bill["number"], bill["reference"], bill["memo"]) == (
        "pending_push",
        "INV-1",
        "PO-1",
        "as agreed",
    )
    assert [Decimal(line["amount"]) for line in bill["lines"]] == [Decimal("50.00"), Decimal("31.25")]
    assert bill["write"]["state"] == "planned"
    assert bill["match"]["outcome"] == "OK"
    assert bill["created_by"].startswith("clerk (")
    listed = (await api.get(f"/v1/purchase-orders/{order_id}/bills")).json()["items"]
    assert [item["id"] for item in listed] == [bill["id"]]


async def test_a_bill_over_the_order_is_refused_with_the_numbers(api: ApiClient, database: Database) -> None:
    """S4-28: 2-way refuses to save when what remains is less than the bill's quantity."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    await billed(api, order_id, quantity="4")
    body = {"number": "INV-2", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "7"}]}
    problem = a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", body), 422, "MATCH_BLOCKED")
    assert problem["match"]["outcome"] == "BLOCK"
    finding = problem["match"]["findings"][0]
    assert finding["severity"] == "BLOCK"
    assert finding["message"] in problem["detail"]
    assert Decimal(finding["margin"]) == -1
    assert len((await api.get("/v1/bills")).json()["items"]) == 1


async def test_exact_quantities_stay_exact(api: ApiClient, database: Database) -> None:
    """Q38: a quantity over by the tenth decimal is over; a JSON number is never read as a float."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    headers = {
        **api.organization.auth(),
        "Idempotency-Key": "exact",
        "Content-Type": "application/json",
    }
    raw = '{"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": 10.0000000001}]}'
    response = await api.http.post(path, content=raw, headers=headers)
    problem = a_problem(response, 422, "MATCH_BLOCKED")
    assert problem["match"]["inputs"]["bill"]["lines"][0]["quantity"] == "10.0000000001"


async def test_an_unknown_order_is_a_clear_error(api: ApiClient) -> None:
    body = {"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    problem = a_problem(await api.post("/v1/purchase-orders/po_nothing/bills", body), 404, "NOT_FOUND")
    assert "po_nothing" in problem["detail"]
