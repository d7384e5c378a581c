"""The control room: load, look, act, clock, calls, sample (docs/reference/)."""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox import neutral
from sandbox.intacct.object_types import PO_STATES
from sandbox.intacct.switches import SWITCHES
from tests.unit.sandbox.wire import Wire, invoice, is_, login, query

ROW = {
    "po_number": "PO-1",
    "vendor_id": "V-1",
    "po_date": "2026-10-01",
    "item_id": "IT-1",
    "quantity": "10",
    "price": "5",
}


async def load(wire: Wire, content: dict[str, Any], *, create_missing: bool = True) -> dict[str, Any]:
    target = f"/companies/intacct/load?create_missing={str(create_missing).lower()}"
    report: dict[str, Any] = await wire.room(target, content)
    return report


async def test_loading_reports_bad_rows_by_line_and_keeps_the_good_ones(wire: Wire) -> None:
    rows = [
        ROW,
        ROW | {"quantity": "many"},
        ROW | {"po_number": ""},
        ROW | {"po_number": "PO-2", "status": "Lost"},
        ROW | {"po_number": "PO-3", "po_date": "01.10.2026"},
        ROW | {"po_number": "PO-4", "status": "Partially Converted"},
        ROW | {"line_no": "1.5"},
        ROW | {"po_number": "PO-5", "status": "Partially Converted", "converted_quantity": "4"},
    ]
    report = await load(wire, {"purchase_orders": rows})
    assert report["loaded"] == {"purchase_orders": 2}
    assert [(error["line"], error["message"].split()[0]) for error in report["errors"]] == [
        (2, "quantity"),
        (3, "po_number"),
        (5, "po_date"),
        (7, "line_no"),
        (4, "status"),
        (6, "status"),
    ]
    assert [order["number"] for order in await wire.held("purchase_orders")] == ["PO-1", "PO-5"]
    assert (await wire.one("purchase_orders", "PO-5"))["lines"][0]["remaining"] == "6"


async def test_a_row_that_is_no_object_is_a_bad_row(wire: Wire) -> None:
    report = await load(wire, {"purchase_orders": ["PO-1", ROW]})
    assert [(error["line"], error["message"]) for error in report["errors"]] == [
        (1, "a row is an object of columns and values")
    ]
    assert report["loaded"] == {"purchase_orders": 1}


async def test_what_is_missing_is_made_only_on_wish(wire: Wire) -> None:
    report = await load(wire, {"purchase_orders": [ROW]}, create_missing=False)
    assert report["errors"] == [
        {
            "kind": "purchase_orders",
            "line": 1,
            "message": "vendor 'V-1' does not exist; load it first or use create_missing",
        }
    ]
    lists = {"vendors": [{"vendor_id": "V-1"}], "items": [{"item_id": "IT-1", "unit": "Each"}]}
    report = await load(wire, {**lists, "purchase_orders": [ROW]}, create_missing=False)
    assert report["errors"] == []


async def test_loaded_orders_are_as_old_as_they_say(wire: Wire) -> None:
    await load(
        wire, {"purchase_orders": [ROW, ROW | {"po_number": "PO-2", "modified_at": "2026-10-05T10:30:00+02:00"}]}
    )
    stamps = {order["number"]: order["modified_at"] for order in await wire.held("purchase_orders")}
    assert stamps == {"PO-1": "10/01/2026 12:00:00", "PO-2": "10/05/2026 08:30:00"}


async def test_an_order_without_units_is_in_its_items_own(wire: Wire) -> None:
    """Section 3.2: a unit the item does not have could not be received or billed."""
    item = {"item_id": "IT-1", "unit": "Box"}
    receipt = {"receipt_number": "R-1", "po_number": "PO-1", "po_line_no": "1", "receipt_date": "2026-10-04"}
    content = {"items": [item], "purchase_orders": [ROW], "receipts": [receipt | {"quantity": "7"}]}
    assert (await load(wire, content))["errors"] == []
    order = await wire.one("purchase_orders", "PO-1")
    assert (order["lines"][0]["unit"], order["lines"][0]["converted"]) == ("Box", "7")


async def test_loaded_receipts_are_real_receivers_that_convert_the_order(wire: Wire) -> None:
    receipts = [
        {
            "receipt_number": "R-1",
            "po_number": "PO-1",
            "po_line_no": "1",
            "receipt_date": "2026-10-04",
            "quantity": "7",
        },
        {
            "receipt_number": "R-2",
            "po_number": "PO-9",
            "po_line_no": "1",
            "receipt_date": "2026-10-04",
            "quantity": "1",
        },
    ]
    report = await load(wire, {"purchase_orders": [ROW | {"status": "Converted"}], "receipts": receipts})
    assert [(error["kind"], error["line"]) for error in report["errors"]] == [("receipts", 2)]
    order = await wire.one("purchase_orders", "PO-1")
    assert (order["state"], order["lines"][0]["converted"]) == ("Partially Converted", "7")
    assert order["modified_at"] == "10/04/2026 12:00:00"
    receipt = await wire.one("receipts", "R-1")
    assert (receipt["created_from"], receipt["lines"][0]["source_line"]) == (
        "Purchase Order-PO-1",
        order["lines"][0]["record_no"],
    )
    assert (await wire.ask(invoice(receipt, {1: "7"}), auth=login(""))).status == "success"


async def test_loaded_bills_carry_the_order_s_number(wire: Wire) -> None:
    await load(wire, {"purchase_orders": [ROW]})
    bill = {"invoice_number": "INV-1", "vendor_id": "V-1", "invoice_date": "2026-10-09", "po_number": "PO-1"}
    report = await load(wire, {"bills": [bill | {"amount": "5"}, bill | {"quantity": "2", "price": "2.5"}]})
    assert report["errors"] == []
    [created] = await wire.held("bills")
    assert (created["reference"], created["total"], len(created["lines"])) == ("PO-1", "10.00", 2)


async def test_csv_goes_in_as_text(wire: Wire) -> None:
    text = 'vendor_id,name,shoe_size\nV-1,"Acme, Inc.",44\nV-2\n,Nobody,1\n'
    answer = await wire.http.post(
        "/sandbox/companies/intacct/load?kind=vendors", content=text, headers={"content-type": "text/csv"}
    )
    report = answer.json()
    assert report["loaded"] == {"vendors": 1}
    assert [(error["line"], error["message"]) for error in report["errors"]] == [
        (1, "unknown columns are ignored: shoe_size"),
        (3, "1 cells, but 3 columns"),
        (4, "vendor_id is missing"),
    ]
    assert [vendor["name"] for vendor in await wire.held("vendors")] == ["Acme, Inc."]


@pytest.mark.parametrize("content", [{"nonsense": []}, {"vendors": "many"}])
async def test_an_unknown_kind_is_refused(wire: Wire, content: dict[str, Any]) -> None:
    answer = await wire.http.post("/sandbox/companies/intacct/load", json=content)
    assert answer.status_code == 400


def test_a_folder_becomes_what_load_takes(tmp_path: Path) -> None:
    (tmp_path / "vendors.csv").write_text("vendor_id,name\nV-1,One\n", encoding="utf-8-sig")
    (tmp_path / "notes.txt").write_text("not ours", encoding="utf-8")
    content, problems = neutral.read_path(tmp_path)
    assert content == {"vendors": [{"_line": "2", "vendor_id": "V-1", "name": "One"}]}
    assert problems == []


@pytest.mark.parametrize("text", ["", "name\nOne\n", "vendor_id,vendor_id\n1,2\n"])
def test_an_unreadable_file_says_why(tmp_path: Path, text: str) -> None:
    file = tmp_path / "vendors.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(neutral.BadInput, match="vendors: "):
        neutral.read_path(file)


def test_a_folder_with_nothing_of_ours_says_so(tmp_path: Path) -> None:
    with pytest.raises(neutral.BadInput, match="no file named after a kind"):
        neutral.read_path(tmp_path)


def test_every_documented_column_exists() -> None:
    document = Path("docs/reference/neutral-format.md").read_text(encoding="utf-8")
    for kind, columns in neutral.COLUMNS.items():
        section = document.split(f"## {kind}\n", 1)[1].split("\n## ", 1)[0]
        named = [line.split("|")[1].strip().strip("`") for line in section.splitlines() if line.startswith("| `")]
        assert named == [column.name for column in columns], kind


def test_every_switch_is_documented() -> None:
    document = Path("docs/reference/sandbox.md").read_text(encoding="utf-8")
    assert [name for name in SWITCHES if f"`{name}`" not in document] == []


async def test_the_sample_company_has_every_state_currency_and_age(wire: Wire) -> None:
    report = await wire.room("/companies/intacct/sample")
    assert report["errors"] == []
    orders = await wire.held("purchase_orders")
    assert len(orders) >= 30
    assert {order["state"] for order in orders} == set(PO_STATES)
    assert {order["currency"] for order in orders} == {"USD", "EUR", "GBP"}
    assert {order["entity"] for order in orders} == {"100", "200"}
    assert all(len(order["lines"]) >= 2 for order in orders)
    today = date.fromisoformat((await wire.room("/clock", method="GET"))["now"][:10])
    ages = {order["number"]: today - as_day(order["date"]) for order in orders}
    assert any(age > timedelta(days=92) for age in ages.values())
    main = await wire.one("purchase_orders", "PO-1007")
    assert (main["state"], main["currency"], main["entity"]) == ("Pending", "USD", "100")
    assert ages["PO-1007"] <= timedelta(days=14)
    assert len({line["item_id"] for line in main["lines"]}) >= 3
    assert {receipt["created_from"] for receipt in await wire.held("receipts")}
    assert {bill["state"] for bill in await wire.held("bills")} >= {"Paid", "Partially Paid", "Posted"}


def as_day(text: str) -> date:
    month, day, year = text.split("/")
    return date(int(year), int(month), int(day))


async def test_the_clock_moves_everything(wire: Wire) -> None:
    await wire.room("/clock", {"now": "2031-07-01T10:00:00Z", "frozen": True})
    await wire.order()
    await wire.act("edit_purchase_order", number="PO-1", memo="touched")
    assert (await wire.one("purchase_orders", "PO-1"))["modified_at"] == "07/01/2031 10:00:00"
    await wire.room("/clock", {"advance_seconds": 3600})
    await wire.act("edit_purchase_order", number="PO-1")
    assert (await wire.one("purchase_orders", "PO-1"))["modified_at"] == "07/01/2031 11:00:00"
    assert (await wire.room("/clock", {"real": True}))["frozen"] is False


async def test_calls_are_counted_by_operation(wire: Wire) -> None:
    await wire.ask(query("VENDOR", "RECORDNO"), "<get_applications/>")
    counted = await wire.room("/calls", method="GET")
    assert (counted["requests"], counted["total"]) == (1, 2)
    assert counted["by_operation"] == {"get_applications": 1, "query": 1}
    assert counted["by_object"] == {"query VENDOR": 1}
    assert (await wire.room("/calls/reset"))["total"] == 0


async def test_a_reset_keeps_only_credentials_and_configuration(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "1"}))
    await wire.switch(several_sources=True)
    await wire.break_("unavailable")
    await wire.room("/clock", {"advance_seconds": 86_400})
    await wire.act("close_period", through="2026-11-30")
    await wire.room("/reset")
    for kind in ("purchase_orders", "vendor_invoices", "bills", "vendors", "audit"):
        assert await wire.held(kind) == []
    assert (await wire.room("/faults", method="GET"))["rules"] == []
    assert (await wire.room("/calls", method="GET"))["total"] == 0
    switches = await wire.room("/companies/intacct/switches", method="GET")
    assert switches["several_sources"]["value"] is False
    assert (await wire.ask("<get_closedbooksdate/>")).data.findtext("closedbooksdate") == ""
    assert len(await wire.held("definitions")) == 5


async def test_each_app_is_a_world_of_its_own(wire: Wire) -> None:
    other = Wire()
    await wire.order()
    assert await other.held("purchase_orders") == []
    await other.http.aclose()


async def test_switches_refuse_nonsense(wire: Wire) -> None:
    for body in ({"nope": 1}, {"audit_objectkey": "x"}, {"latency_seconds": -1}, {"entity_slide": "no"}):
        assert (await wire.http.post("/sandbox/companies/intacct/switches", json=body)).status_code == 400


@pytest.mark.parametrize(
    ("action", "arguments", "status"),
    [
        ("dance", {}, 400),
        ("receive", {"number": "PO-404"}, 400),
        ("reopen", {"number": "PO-1"}, 422),
        ("convert_to_vendor_invoice", {"number": "PO-1", "lines": [{"line": 1, "quantity": "11"}]}, 422),
        ("pay_bill", {"number": "none"}, 400),
        ("close_period", {}, 400),
    ],
)
async def test_an_action_that_cannot_be_done_says_why(
    wire: Wire, action: str, arguments: dict[str, Any], status: int
) -> None:
    await wire.order()
    answer = await wire.http.post("/sandbox/companies/intacct/actions", json={"action": action, **arguments})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


async def test_what_a_person_changes_shows_on_the_order(wire: Wire) -> None:
    await wire.order()
    await wire.act("edit_purchase_order", number="PO-1", line=1, quantity="12", price="6")
    await wire.act("convert_to_vendor_invoice", number="PO-1", invoice_number="VI-7", lines=[{"line": 2}])
    order = await wire.one("purchase_orders", "PO-1")
    assert order["total"] == "122.00"
    assert [line["remaining"] for line in order["lines"]] == ["12", "0"]
    await wire.act("delete", kind="vendor_invoice", number="VI-7")
    assert (await wire.one("purchase_orders", "PO-1"))["state"] == "Pending"
    await wire.act("delete", kind="purchase_order", number="PO-1")
    assert await wire.held("purchase_orders") == []


async def test_a_new_definition_can_be_made(wire: Wire) -> None:
    await wire.act("set_definition", name="Facilities Order", like="Purchase Order", fields={"STATUS": "inactive"})
    reply = await wire.ask(query("PODOCUMENTPARAMS", "DOCID CATEGORY STATUS", is_("DOCID", "Facilities Order")))
    assert reply.rows == [{"DOCID": "Facilities Order", "CATEGORY": "Order", "STATUS": "inactive"}]


async def test_a_change_by_a_person_can_complete_or_reopen_an_order(wire: Wire) -> None:
    await wire.order(lines=1)
    await wire.act("convert_to_vendor_invoice", number="PO-1", lines=[{"line": 1, "quantity": "4"}])
    await wire.act("edit_purchase_order", number="PO-1", line=1, quantity="4")
    assert (await wire.one("purchase_orders", "PO-1"))["state"] == "Converted"
    await wire.act("edit_purchase_order", number="PO-1", line=1, quantity="9")
    order = await wire.one("purchase_orders", "PO-1")
    assert (order["state"], order["lines"][0]["remaining"]) == ("Partially Converted", "5")


async def test_a_changed_password_ends_sessions_until_the_new_one_is_used(wire: Wire) -> None:
    session = (await wire.ask("<getAPISession/>")).data.findtext("api/sessionid")
    await wire.act("change_password", password="new-password")
    by_session = f"<sessionid>{session}</sessionid>"
    assert (await wire.ask("<get_applications/>", auth=by_session)).errors == ["XL03000006"]
    assert (await wire.ask("<get_applications/>")).errors == ["XL03000006"]
    assert (await wire.ask("<get_applications/>", auth=login(user_password="new-password"))).status == "success"
    await wire.room("/reset")
    assert (await wire.ask("<get_applications/>")).status == "success"


async def test_what_is_held_can_be_picked_by_a_field(wire: Wire) -> None:
    await wire.order("PO-1")
    await wire.order("PO-2", status="Draft")
    picked = await wire.room("/companies/intacct/purchase_orders?state=Draft", method="GET")
    assert [order["number"] for order in picked] == ["PO-2"]


async def test_unknown_companies_and_kinds_are_404(wire: Wire) -> None:
    assert (await wire.http.get("/sandbox/companies/intacct/shoes")).status_code == 404
    assert (await wire.http.get("/sandbox/companies/elsewhere/bills")).status_code == 404
    health = (await wire.http.get("/sandbox/health")).json()
    assert health == {"status": "ok", "service": "posync-sandbox", "pid": os.getpid()}
