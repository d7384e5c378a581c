"""The feature switched off and on, schedules, Sync Now, and what a sync without news costs."""

import asyncio
import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.service import RPCError

from cli.client.api_client import Api
from cli.client.bill_import import Imported, import_bills
from models.contract import sync_schedule_id
from services.imports.bill_file import COLUMNS
from services.imports.text_rows import UnreadableRow
from settings import Settings
from tests.harness.sandbox_company import (
    GATEWAY,
    SandboxCompany,
    today,
)
from tests.harness.serving import (
    served,
)
from tests.harness.stack_client import (
    StackClient,
    credentials,
    refused,
)


async def test_orders_stay_off_until_an_administrator_wants_them(api: StackClient, company: SandboxCompany) -> None:
    """S4-01, S4-04, S1-32, S1-07, S4-07: a new connection syncs bills only, and says so; then its orders, 2-way."""
    company.order("PO-1")
    await api.connect(purchase_orders=False)
    assert (await api.prefer())["complete"]
    await api.sync()
    connection = await api.connection()
    assert (connection["purchase_orders_enabled"], connection["match_mode"]) == (False, "two_way")
    assert await api.numbers() == set()
    notices = await api.items("/v1/notices")
    assert "PURCHASE_ORDERS_AVAILABLE" in [notice["code"] for notice in notices]
    path = f"/v1/connections/{api.connection_id}/purchase-orders"
    refused(await api.put(path, {"enabled": True}, role="accountant"), 403, "ROLE_TOO_LOW")
    assert (await api.put(path, {"enabled": True})).status_code == 200
    await api.sync()
    assert await api.numbers() == {"PO-1"}


async def test_the_feature_off_hides_orders_and_keeps_links(api: StackClient, company: SandboxCompany) -> None:
    """S1-32, S2-85, S4-02: only an administrator; no order is shown, synced or linked; on again, later ones come."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "4"})
    order = await api.order("PO-1")
    path = f"/v1/connections/{api.connection_id}/purchase-orders"
    refused(await api.put(path, {"enabled": False}, role="accountant"), 403, "ROLE_TOO_LOW")
    assert (await api.put(path, {"enabled": False})).status_code == 200
    assert await api.numbers() == set()
    one = f"/v1/purchase-orders/{order['id']}"
    viewer = {"Authorization": f"Bearer {api.keys['viewer']}"}
    refused(await api.http.get(one, headers=viewer), 404, "PO_FEATURE_OFF")
    body = {"number": "INV-OFF", "bill_date": today().isoformat(), "lines": [{"order_line_no": 1, "quantity": "1"}]}
    refused(await api.post(f"{one}/bills", body), 409, "PO_FEATURE_OFF")
    company.order("PO-2")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="20")
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="VI-2", lines=[{"line": 1}])
    company.forget_calls()
    await api.sync()
    # Bills still come in; the number of their order shows, but they are linked to none.
    theirs = [shown for shown in await api.items("/v1/bills") if shown["origin"] == "erp"]
    assert [(shown["reference"], shown["purchase_order_id"]) for shown in theirs] == [("PO-2", None)]
    held = await api.read_bill(bill["id"])
    assert (held["purchase_order_id"], held["linked_in_erp"]) == (order["id"], True)
    assert (await api.put(path, {"enabled": True})).status_code == 200
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert (await api.order("PO-1"))["lines"][0]["quantity"] in ("20", "20.0000000000", "20.00")
    await api.billed("PO-1", {1: "16"})


async def test_one_user_serves_several_entities(api: StackClient, company: SandboxCompany) -> None:
    """S2-04, S2-11, S2-14: two connections of one company and user, told apart by entity; neither sees the other's."""
    company.order("PO-100")
    company.order("PO-200", entity="200", location="200")
    await api.start()
    other = replace(api, connection_id="")
    await other.start(entity="200")
    assert (await api.numbers(), await other.numbers()) == ({"PO-100"}, {"PO-200"})
    ours, theirs = await api.billed("PO-100", {1: "4"}), await other.billed("PO-200", {1: "4"})
    entities = {invoice["number"]: invoice["entity"] for invoice in company.held("vendor_invoices")}
    assert entities == {ours["external_key"]: "100", theirs["external_key"]: "200"}
    body = {"erp": "intacct", "name": "again", "credentials": credentials(company), "entity": "200"}
    again = {**body, "endpoint": company.url + GATEWAY, "settings": {"allow_loopback": True}}
    refused(await api.post("/v1/connections", again), 409, "CONNECTION_EXISTS")


async def test_a_template_renamed_in_the_erp(api: StackClient, company: SandboxCompany) -> None:
    """S4-62, S2-55, S2-81: orders wait, a bill is refused with what to do; with the new name everything goes on."""
    company.order("PO-1")
    await api.start()
    company.does("set_definition", name="Supplier Invoice", like="Vendor Invoice")
    wrong = await api.prefer(vendor_invoice_template="Supplier invoice")
    assert [problem["code"] for problem in wrong["problems"]] == ["TEMPLATE_WRONG_CASE"]
    company.order("PO-2")
    await api.sync()
    assert await api.numbers() == {"PO-1"}
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.bill_is(bill_id, "sync_issue")
    (issue,) = await api.issues()
    assert issue["fix"]
    assert (await api.prefer(vendor_invoice_template="Supplier Invoice"))["complete"]
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert [invoice["definition"] for invoice in company.held("vendor_invoices")] == ["Supplier Invoice"]
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2"}


async def test_a_schedule_is_set_changed_and_deleted(api: StackClient, company: SandboxCompany) -> None:
    """S2-56: a connection has a schedule from the start, daily; it is set, changed and taken away."""
    await api.start()
    path = f"/v1/connections/{api.connection_id}/schedule"
    handle = api.temporal.get_schedule_handle(sync_schedule_id(api.connection_id))

    async def comes_daily() -> bool:  # nobody set it
        shown = await api.get(path)
        return shown["every_minutes"] == 1440 and shown["next_at"] is not None and not shown["paused"]

    await api.until(comes_daily, "the schedule that a connection has from the start")
    in_temporal = (await handle.describe()).info
    assert in_temporal.num_actions == 0, "the first scheduled run is a day after the connection"
    assert in_temporal.next_action_times[0] > datetime.now(UTC) + timedelta(hours=23)
    for minutes in (60, 1440):
        answer = await api.put(path, {"every_minutes": minutes})
        assert (answer.status_code, answer.json()["sync_every_minutes"]) == (200, minutes)

        async def set_so(seconds: int = minutes * 60) -> bool:  # Temporal follows behind the answer
            try:
                (interval,) = (await handle.describe()).schedule.spec.intervals
            except RPCError:
                return False
            return interval.every.total_seconds() == seconds

        await api.until(set_so, f"the schedule runs every {minutes} minutes")
    refused(await api.put(path, {"every_minutes": 1441}), 422, "VALIDATION_FAILED")
    assert (await api.put(path, {"every_minutes": None})).json()["sync_every_minutes"] is None

    async def is_gone() -> bool:
        schedules = [schedule.id async for schedule in await api.temporal.list_schedules()]
        return sync_schedule_id(api.connection_id) not in schedules

    await api.until(is_gone, "the schedule is gone")


async def test_a_scheduled_run_syncs(api: StackClient, company: SandboxCompany) -> None:
    """S2-56: what the schedule starts brings orders in, nobody asking."""
    await api.start()
    company.order("PO-1")
    assert (await api.put(f"/v1/connections/{api.connection_id}/schedule", {"every_minutes": 60})).status_code == 200
    company.does("edit_purchase_order", number="PO-1")
    handle = api.temporal.get_schedule_handle(sync_schedule_id(api.connection_id))
    try:

        async def triggered() -> bool:  # Temporal follows behind the answer
            try:
                await handle.trigger()
            except RPCError:
                return False
            return True

        await api.until(triggered, "the schedule")

        async def there() -> bool:
            return await api.numbers() == {"PO-1"}

        await api.until(there, "the scheduled run")
        runs = await api.items(f"/v1/connections/{api.connection_id}/sync-runs")
        assert runs[0]["trigger"] == "schedule"
    finally:
        await handle.delete()


async def test_sync_now_while_one_runs_answers_the_same_run(api: StackClient, company: SandboxCompany) -> None:
    """S2-57: at any time, and two never overlap."""
    company.order("PO-1")
    await api.connect()
    await api.prefer()
    company.breaks("slow", "query", seconds=0.7)
    first = await api.ask_for_sync()
    others = await asyncio.gather(*(api.ask_for_sync() for _ in range(3)))
    assert not first["already_running"]
    assert {(run["sync_run_id"], run["already_running"]) for run in others} == {(first["sync_run_id"], True)}
    await api.sync_workflow(first).result()
    assert await api.numbers() == {"PO-1"}
    assert not (await api.ask_for_sync())["already_running"]


async def test_a_sync_without_news_is_cheap(api: StackClient, company: SandboxCompany) -> None:
    """S2-56: at most three calls, and no order's workflow is started."""
    company.orders("PO-1", "PO-2")
    await api.start()
    await api.billed("PO-1", {1: "10", 2: "5"})
    await api.sync()
    company.pass_time(5)  # the last second is read again, in case more happened in it: the next sync has it behind it
    await api.sync()

    async def order_workflows() -> set[str]:
        query = f"PosyncConnection = '{api.connection_id}' and WorkflowType = 'PurchaseOrderWorkflow'"
        return {f"{found.id} {found.run_id}" async for found in api.temporal.list_workflows(query)}

    before = await order_workflows()
    company.pass_time(5)
    company.forget_calls()
    run = await api.sync()
    assert company.calls()["requests"] <= 3
    assert not run["counts"].get("notified")
    assert await order_workflows() == before


async def test_a_file_of_bills_with_rows_nobody_can_read(
    api: StackClient,
    company: SandboxCompany,
    whole_settings: Settings,
    temporal_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S4-22, S4-28: bad rows by line, unknown orders and blocked bills by name, all others reach the ERP."""
    company.orders("PO-1", "PO-2")
    await api.start()
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
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)

    def enter() -> dict[str, tuple[str, str | None]]:
        with served(whole_settings) as url, Api(url, api.keys["clerk"]) as client:
            done = list(import_bills(client, path))
        unreadable = [(row.line, row.column) for row in done if isinstance(row, UnreadableRow)]
        assert unreadable == [(3, "quantity"), (6, "invoice_date")]
        return {one.number: (one.outcome, one.bill_id) for one in done if isinstance(one, Imported)}

    outcomes = await asyncio.to_thread(enter)
    assert {number: outcome for number, (outcome, _) in outcomes.items()} == {
        "F-1": "accepted",
        "F-3": "no_purchase_order",
        "F-4": "blocked",
        "F-6": "accepted",
    }
    for _, bill_id in outcomes.values():
        if bill_id is not None:
            await api.arrived(bill_id)
    again = await asyncio.to_thread(enter)
    assert again == outcomes
    assert {invoice["vendor_number"] for invoice in company.held("vendor_invoices")} == {"F-1", "F-6"}
    assert len(company.held("vendor_invoices")) == 2


async def test_three_way_needs_receipts(api: StackClient, company: SandboxCompany) -> None:
    """S4-08, G14: without a template of receivers no receipt comes in, so 3-way is not offered, nor taken away."""
    company.order("PO-1")
    await api.connect()
    assert (await api.prefer(receiver_template=""))["complete"]
    assert (await api.connection())["capabilities"]["match_modes"] == ["two_way"]
    three_way = {"enabled": True, "match_mode": "three_way"}
    not_offered = await api.put(f"/v1/connections/{api.connection_id}/purchase-orders", three_way)
    refused(not_offered, 422, "MATCH_MODE_NOT_OFFERED")
    assert (await api.prefer())["complete"]
    await api.match("three_way")
    without = {**company.set_up.preferences, "receiver_template": ""}
    answer = await api.put(f"/v1/connections/{api.connection_id}/preferences", {"preferences": without})
    problem = refused(answer, 422, "MATCH_MODE_NOT_OFFERED")
    assert "2-way" in " ".join(problem["fix"])
    await api.match("two_way")
    assert (await api.prefer(receiver_template=""))["complete"]
