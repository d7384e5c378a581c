"""The feature switched off and on, schedules, Sync Now, and what a sync without news costs."""

import asyncio
import csv
from dataclasses import replace
from pathlib import Path

import pytest

from cli.api_client import Api
from cli.bill_import import COLUMNS, import_bills, read_bills
from settings import Settings
from tests.whole.company import GATEWAY, Company, today
from tests.whole.desk import Desk, credentials, refused
from tests.whole.serving import served
from workflows.contract import sync_schedule_id


async def test_the_feature_off_hides_orders_and_keeps_links(desk: Desk, company: Company) -> None:
    """S1-32, S2-85: only an administrator; no order is shown, synced or linked; on again, later orders come in."""
    company.order("PO-1")
    await desk.start()
    bill = await desk.billed("PO-1", {1: "4"})
    order = await desk.order("PO-1")
    path = f"/v1/connections/{desk.connection_id}/purchase-orders"
    refused(await desk.put(path, {"enabled": False}, role="accountant"), 403, "ROLE_TOO_LOW")
    assert (await desk.put(path, {"enabled": False})).status_code == 200
    assert await desk.numbers() == set()
    one = f"/v1/purchase-orders/{order['id']}"
    viewer = {"Authorization": f"Bearer {desk.keys['viewer']}"}
    refused(await desk.http.get(one, headers=viewer), 404, "PO_FEATURE_OFF")
    body = {"number": "INV-OFF", "bill_date": today().isoformat(), "lines": [{"order_line_no": 1, "quantity": "1"}]}
    refused(await desk.post(f"{one}/bills", body), 409, "PO_FEATURE_OFF")
    company.order("PO-2")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="20")
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="VI-2", lines=[{"line": 1}])
    company.forget_calls()
    await desk.sync()
    # Bills still come in; the number of their order shows, but they are linked to none.
    theirs = [shown for shown in await desk.items("/v1/bills") if shown["origin"] == "erp"]
    assert [(shown["reference"], shown["purchase_order_id"]) for shown in theirs] == [("PO-2", None)]
    held = await desk.read_bill(bill["id"])
    assert (held["purchase_order_id"], held["linked_in_erp"]) == (order["id"], True)
    assert (await desk.put(path, {"enabled": True})).status_code == 200
    await desk.sync()
    assert await desk.numbers() == {"PO-1", "PO-2"}
    assert (await desk.order("PO-1"))["lines"][0]["quantity"] in ("20", "20.0000000000", "20.00")
    await desk.billed("PO-1", {1: "16"})


async def test_one_user_serves_several_entities(desk: Desk, company: Company) -> None:
    """S2-04, S2-11, S2-14: two connections of one company and user, told apart by entity; neither sees the other's."""
    company.order("PO-100")
    company.order("PO-200", entity="200", location="200")
    await desk.start()
    other = replace(desk, connection_id="")
    await other.start(entity="200")
    assert (await desk.numbers(), await other.numbers()) == ({"PO-100"}, {"PO-200"})
    ours, theirs = await desk.billed("PO-100", {1: "4"}), await other.billed("PO-200", {1: "4"})
    entities = {invoice["number"]: invoice["entity"] for invoice in company.held("vendor_invoices")}
    assert entities == {ours["external_key"]: "100", theirs["external_key"]: "200"}
    body = {"erp": "intacct", "name": "again", "credentials": credentials(company), "entity": "200"}
    again = {**body, "endpoint": company.url + GATEWAY, "settings": {"allow_loopback": True}}
    refused(await desk.post("/v1/connections", again), 409, "CONNECTION_EXISTS")


async def test_a_template_renamed_in_the_erp(desk: Desk, company: Company) -> None:
    """S4-62, S2-55, S2-81: orders wait, a bill is refused with what to do; with the new name everything goes on."""
    company.order("PO-1")
    await desk.start()
    company.does("set_definition", name="Supplier Invoice", like="Vendor Invoice")
    wrong = await desk.prefer(vendor_invoice_template="Supplier invoice")
    assert [problem["code"] for problem in wrong["problems"]] == ["TEMPLATE_WRONG_CASE"]
    company.order("PO-2")
    await desk.sync()
    assert await desk.numbers() == {"PO-1"}
    bill_id = await desk.bill("PO-1", {1: "4"})
    await desk.bill_is(bill_id, "sync_issue")
    (issue,) = await desk.issues()
    assert issue["fix"]
    assert (await desk.prefer(vendor_invoice_template="Supplier Invoice"))["complete"]
    await desk.settle(issue, "retry")
    await desk.arrived(bill_id)
    assert [invoice["definition"] for invoice in company.held("vendor_invoices")] == ["Supplier Invoice"]
    await desk.sync()
    assert await desk.numbers() == {"PO-1", "PO-2"}


async def test_a_schedule_is_set_changed_and_deleted(desk: Desk, company: Company) -> None:
    """S2-56."""
    await desk.start()
    path = f"/v1/connections/{desk.connection_id}/schedule"
    handle = desk.temporal.get_schedule_handle(sync_schedule_id(desk.connection_id))
    for minutes in (60, 1440):
        answer = await desk.put(path, {"every_minutes": minutes})
        assert (answer.status_code, answer.json()["sync_every_minutes"]) == (200, minutes)
        (interval,) = (await handle.describe()).schedule.spec.intervals
        assert interval.every.total_seconds() == minutes * 60
    refused(await desk.put(path, {"every_minutes": 1441}), 422, "VALIDATION_FAILED")
    assert (await desk.put(path, {"every_minutes": None})).json()["sync_every_minutes"] is None
    schedules = [schedule.id async for schedule in await desk.temporal.list_schedules()]
    assert sync_schedule_id(desk.connection_id) not in schedules


async def test_a_scheduled_run_syncs(desk: Desk, company: Company) -> None:
    """S2-56: what the schedule starts brings orders in, nobody asking."""
    await desk.start()
    company.order("PO-1")
    assert (await desk.put(f"/v1/connections/{desk.connection_id}/schedule", {"every_minutes": 60})).status_code == 200
    company.does("edit_purchase_order", number="PO-1")
    handle = desk.temporal.get_schedule_handle(sync_schedule_id(desk.connection_id))
    try:
        await handle.trigger()

        async def there() -> bool:
            return await desk.numbers() == {"PO-1"}

        await desk.until(there, "the scheduled run")
        runs = await desk.items(f"/v1/connections/{desk.connection_id}/sync-runs")
        assert runs[0]["trigger"] == "schedule"
    finally:
        await handle.delete()


async def test_sync_now_while_one_runs_answers_the_same_run(desk: Desk, company: Company) -> None:
    """S2-57: at any time, and two never overlap."""
    company.order("PO-1")
    await desk.connect()
    await desk.prefer()
    company.breaks("slow", "query", seconds=0.7)
    first = await desk.ask_for_sync()
    others = await asyncio.gather(*(desk.ask_for_sync() for _ in range(3)))
    assert not first["already_running"]
    assert {(run["sync_run_id"], run["already_running"]) for run in others} == {(first["sync_run_id"], True)}
    await desk.sync_workflow(first).result()
    assert await desk.numbers() == {"PO-1"}
    assert not (await desk.ask_for_sync())["already_running"]


async def test_a_sync_without_news_is_cheap(desk: Desk, company: Company) -> None:
    """S2-56: at most three calls, and no order's workflow is started."""
    company.orders("PO-1", "PO-2")
    await desk.start()
    await desk.billed("PO-1", {1: "10", 2: "5"})
    await desk.sync()
    await desk.sync()

    async def order_workflows() -> set[str]:
        query = f"PosyncConnection = '{desk.connection_id}' and WorkflowType = 'PurchaseOrderWorkflow'"
        return {f"{found.id} {found.run_id}" async for found in desk.temporal.list_workflows(query)}

    before = await order_workflows()
    company.forget_calls()
    run = await desk.sync()
    assert company.calls()["requests"] <= 3
    assert not run["counts"].get("woken")
    assert await order_workflows() == before


async def test_a_file_of_bills_with_rows_nobody_can_read(
    desk: Desk,
    company: Company,
    whole_settings: Settings,
    temporal_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S4-22, S4-28: bad rows by line, unknown orders and blocked bills by name, all others reach the ERP."""
    company.orders("PO-1", "PO-2")
    await desk.start()
    path = tmp_path / "bills.csv"
    day = today().isoformat()
    rows = [
        {"invoice_number": "F-1", "invoice_date": day, "po_number": "PO-1", "po_line_no": "1", "quantity": "4"},
        {"invoice_number": "F-2", "invoice_date": day, "po_number": "PO-1", "po_line_no": "1", "quantity": "lots"},
        {"invoice_number": "F-3", "invoice_date": day, "po_number": "PO-9", "po_line_no": "1", "quantity": "1"},
        {"invoice_number": "F-4", "invoice_date": day, "po_number": "PO-1", "po_line_no": "1", "quantity": "7"},
        {"invoice_number": "F-5", "invoice_date": "soon", "po_number": "PO-2", "po_line_no": "1", "quantity": "1"},
        {"invoice_number": "F-6", "invoice_date": day, "po_number": "PO-2", "po_line_no": "2", "quantity": "5"},
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({"vendor_id": "V-1", **row} for row in rows)
    bills, unreadable = read_bills(path)
    assert [(row.line, row.column) for row in unreadable] == [(3, "quantity"), (6, "invoice_date")]
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)

    def enter() -> dict[str, tuple[str, str | None]]:
        with served(whole_settings) as url, Api(url, desk.keys["clerk"]) as client:
            return {done.bill.number: (done.outcome, done.bill_id) for done in import_bills(client, bills)}

    outcomes = await asyncio.to_thread(enter)
    assert {number: outcome for number, (outcome, _) in outcomes.items()} == {
        "F-1": "accepted",
        "F-3": "no_purchase_order",
        "F-4": "blocked",
        "F-6": "accepted",
    }
    for _, bill_id in outcomes.values():
        if bill_id is not None:
            await desk.arrived(bill_id)
    again = await asyncio.to_thread(enter)
    assert again == outcomes
    assert {invoice["vendor_number"] for invoice in company.held("vendor_invoices")} == {"F-1", "F-6"}
    assert len(company.held("vendor_invoices")) == 2
