"""The neutral format, the sample company, and what the control room says of the rest (docs/reference/)."""

from pathlib import Path
from typing import Any

from sandbox.quickbooks_online.service_actions import ACTIONS, KINDS
from sandbox.quickbooks_online.switches import SWITCHES, UNKIND
from sandbox.quickbooks_online.ui_actions import ACTIONS as UI_ACTIONS
from sandbox.switches import Switches
from tests.unit.sandbox.quickbooks_online.books import Books

ORDER = {
    "po_number": "PO-1",
    "vendor_id": "V-1",
    "po_date": "2026-10-01",
    "item_id": "IT-1",
    "quantity": "10",
    "price": "5",
}
PAGE = "docs/reference/sandbox-quickbooks-online.md"


async def load(books: Books, content: dict[str, Any], *, create_missing: bool = True) -> dict[str, Any]:
    target = f"/companies/quickbooks_online/load?create_missing={str(create_missing).lower()}"
    report: dict[str, Any] = await books.room(target, content)
    return report


def test_every_switch_action_and_kind_is_documented() -> None:
    document = Path(PAGE).read_text(encoding="utf-8")
    assert [name for name in (*SWITCHES, *ACTIONS, *UI_ACTIONS) if f"`{name}`" not in document] == []
    assert [kind for kind in KINDS if kind not in document] == []
    for name, switch in SWITCHES.items():
        default = str(switch.default).lower() if isinstance(switch.default, bool) else switch.default
        assert f"| `{name}` | {default} | {switch.meaning}" in document


def test_the_unkind_positions_exist() -> None:
    switches = Switches(SWITCHES)
    for name, value in UNKIND.items():
        switches.set(name, value)


async def test_the_sample_company_has_every_state(books: Books) -> None:
    report = await books.room("/companies/quickbooks_online/sample")
    assert (report["errors"], len(report["purchase_orders"])) == ([], 34)
    orders = {order["number"]: order for order in await books.held("purchase_orders")}
    assert {order["state"] for order in orders.values()} == {"Open", "Closed"}
    billed = {number: [line["received"] for line in order["lines"]] for number, order in orders.items()}
    assert (orders["PO-1001"]["state"], billed["PO-1001"]) == ("Closed", ["40", "6", "24"])
    assert (orders["PO-1006"]["state"], billed["PO-1006"]) == ("Open", ["50", "20", "0"])
    assert (orders["PO-1014"]["state"], billed["PO-1014"]) == ("Closed", ["0", "0"])
    assert (orders["PO-1007"]["state"], billed["PO-1007"]) == ("Open", ["0", "0", "0"])
    assert [bill["due"] for bill in await books.held("bills") if bill["number"] == "NW-58121"] == ["0"]
    for kind in sorted(KINDS - {"deleted", "webhooks", "usage", "attachments"}):
        assert await books.held(kind), kind
    assert (await books.room("/companies/quickbooks_online/sample"))["errors"] == []
    assert len(await books.held("purchase_orders")) == 34


async def test_bad_rows_are_reported_and_the_others_go_on(books: Books) -> None:
    rows = [
        ORDER,
        ORDER | {"quantity": "many"},
        ORDER | {"po_number": "PO-2", "status": "Planned"},
        ORDER | {"po_number": "PO-3", "currency": "EUR"},
        ORDER | {"po_number": "PO-4", "status": "Closed"},
        ORDER | {"po_number": "PO-4", "vendor_id": "V-2"},
    ]
    report = await load(books, {"purchase_orders": rows, "receipts": [{}], "units": [{}, {}]})
    assert report["loaded"] == {"purchase_orders": 1}
    found = sorted((error["kind"], error["line"]) for error in report["errors"])
    orders = [("purchase_orders", line) for line in (2, 3, 4, 5, 6)]
    assert found == [*orders, ("receipts", 1), ("units", 1), ("units", 2)]
    again = await load(books, {"purchase_orders": [ORDER]})
    assert again["errors"][0]["message"] == "purchase order PO-1 exists already"


async def test_what_is_missing_is_made_only_on_wish(books: Books) -> None:
    report = await load(books, {"purchase_orders": [ORDER | {"class": "OPS"}]}, create_missing=False)
    assert report["errors"][0]["message"] == "vendor 'V-1' does not exist; load it first or use create_missing"
    lists = {"vendors": [{"vendor_id": "V-1"}], "items": [{"item_id": "IT-1"}], "classes": [{"class_id": "OPS"}]}
    report = await load(books, {**lists, "purchase_orders": [ORDER | {"class": "OPS"}]}, create_missing=False)
    assert report["errors"] == []


async def test_lists_take_their_columns(books: Books) -> None:
    content = {
        "accounts": [{"account_no": "7000", "title": "Freight"}, {"account_no": "1500", "account_type": "Fixed Asset"}],
        "vendors": [
            {"vendor_id": "V-1", "name": "Same", "term": "Net 15"},
            {"vendor_id": "V-2", "name": "Same", "status": "inactive"},
            {"vendor_id": "V-3", "term": "Net 999"},
            {"vendor_id": "V-4", "currency": "EUR"},
        ],
        "items": [
            {"item_id": "BOLT", "item_type": "Inventory", "name": "A bolt"},
            {"item_id": "HOUR", "item_type": "Service", "gl_account": "7000"},
            {"item_id": "KIT", "item_type": "Kit"},
        ],
        "locations": [{"location_id": "NYC"}, {"location_id": "DOCK", "parent_id": "NYC"}],
        "terms": [{"term": "Net 45", "days": "45"}],
        "bank_accounts": [{"bank_account_id": "CITI", "name": "Citibank"}],
    }
    report = await load(books, content)
    assert [error["line"] for error in report["errors"]] == [3, 4, 3]
    vendors = await books.query("select * from Vendor where Active in (true, false) orderby Id")
    assert [vendor["DisplayName"] for vendor in vendors] == ["Same", "Same (V-2) (deleted)"]
    assert (vendors[0]["AcctNum"], vendors[0]["TermRef"]["name"]) == ("V-1", "Net 15")
    items = {item["Name"]: item for item in await books.query("select * from Item")}
    assert (items["BOLT"]["Type"], items["BOLT"]["PurchaseDesc"], items["BOLT"]["Sku"]) == (
        "Inventory",
        "A bolt",
        "BOLT",
    )
    assert items["HOUR"]["ExpenseAccountRef"]["name"] == "Freight"
    assert {one["FullyQualifiedName"] for one in await books.query("select * from Department")} == {"NYC", "NYC:DOCK"}
    banks = await books.query("select * from Account where AccountType = 'Bank' orderby Id")
    assert [bank["Name"] for bank in banks] == ["Bank of America", "Checking", "Citibank"]
    renamed = await load(books, {"vendors": [{"vendor_id": "V-1", "name": "Other"}]})
    assert renamed["loaded"] == {"vendors": 1}
    assert (await books.read("Vendor", "1"))["DisplayName"] == "Other"


async def test_orders_and_bills_are_as_old_as_they_say(books: Books) -> None:
    rows = [
        ORDER | {"modified_at": "2026-10-05T10:30:00+02:00", "department": "OPS", "memo": "note"},
        ORDER | {"item_id": "", "account": "6000", "quantity": "1", "price": "12.345", "closed": "true"},
    ]
    bills = [
        {
            "invoice_number": "INV-1",
            "vendor_id": "V-1",
            "invoice_date": "2026-10-06",
            "po_number": "PO-1",
            "po_line_no": "1",
        }
        | {"quantity": "4"},
        {"invoice_number": "INV-1", "vendor_id": "V-1", "invoice_date": "2026-10-06", "amount": "7"},
        {"invoice_number": "INV-2", "vendor_id": "V-1", "invoice_date": "2026-10-06", "item_id": "IT-1"}
        | {"quantity": "3", "price": "5.5"},
        {"invoice_number": "INV-3", "vendor_id": "V-1", "invoice_date": "2026-10-06"},
        {
            "invoice_number": "INV-4",
            "vendor_id": "V-1",
            "invoice_date": "2026-10-06",
            "po_number": "PO-9",
            "po_line_no": "1",
        },
    ]
    report = await load(books, {"purchase_orders": rows, "closed_periods": [{"closed_through": "2026-10-31"}]})
    assert report["errors"] == []
    order = await books.read("PurchaseOrder", "1")
    assert order["MetaData"]["LastUpdatedTime"] == "2026-10-05T01:30:00-07:00"
    assert (order["DepartmentRef"]["name"], order["PrivateNote"]) == ("OPS", "note")
    assert [float(line["Amount"]) for line in order["Line"]] == [50.0, 12.35]
    report = await load(books, {"bills": bills})
    assert [error["line"] for error in report["errors"]] == [4, 5]
    held = await books.held("bills")
    assert [(bill["number"], bill["total"], bill["date"]) for bill in held] == [
        ("INV-1", "27", "2026-10-06"),
        ("INV-2", "16.5", "2026-10-06"),
    ]
    assert held[0]["lines"][0]["po_number"] == "PO-1"
    assert (await books.one("purchase_orders", "PO-1"))["lines"][0]["received"] == "4"


async def test_what_the_control_room_refuses(books: Books) -> None:
    """Requests it cannot understand are 400, what the service would refuse is 422 with its code."""
    await books.order()
    wrong = (
        ("actions", {"action": "dance"}),
        ("actions", {"action": "bill", "number": "PO-9"}),
        ("actions", {"action": "set_preferences", "Dance": True}),
        ("actions", {"action": "choose_company", "realm": "7"}),
        ("actions", {"action": "set_app", "name": "x"}),
        ("actions", {"action": "set_webhook", "entities": ["Dragon"]}),
        ("actions", {"action": "send_webhook"}),
        ("switches", {"bad_link": "perhaps"}),
        ("switches", {"nosuch": 1}),
    )
    for path, body in wrong:
        answer = await books.http.post(f"/sandbox/companies/quickbooks_online/{path}", json=body)
        assert answer.status_code == 400, body
    action = {"action": "edit_purchase_order", "number": "PO-1", "due_date": "soon"}
    answer = await books.http.post("/sandbox/companies/quickbooks_online/actions", json=action)
    assert (answer.status_code, answer.json()["errors"][0]["errorno"]) == (422, "2070")
    assert (await books.http.get("/sandbox/companies/quickbooks_online/receipts")).status_code == 404


async def test_a_reset_forgets_everything(books: Books) -> None:
    await books.order()
    await books.switch(bad_link="refused")
    await books.act("set_app", client_secret="other")
    await books.room("/reset")
    assert await books.held("purchase_orders") == []
    assert (await books.call("GET", "preferences")).status_code == 401
    await books.connect()
    shown = await books.room("/companies/quickbooks_online/switches", method="GET")
    assert {name: one["value"] for name, one in shown.items()} == {name: one["default"] for name, one in shown.items()}


async def test_people_edit_orders_in_the_screens(books: Books) -> None:
    await books.order()
    assert (await books.act("edit_purchase_order", number="PO-1"))["sync_token"] == 1
    done = await books.act("edit_purchase_order", number="PO-1", memo="m", due_date="2026-12-01", new_number="PO-9")
    assert (done["memo"], done["due_date"], done["number"]) == ("m", "2026-12-01", "PO-9")
    done = await books.act("edit_purchase_order", number="PO-9", line=1, quantity="3", price="4.5", description="d")
    assert (done["lines"][0]["amount"], done["lines"][0]["description"], done["total"]) == ("13.5", "d", "63.5")
    done = await books.act("edit_purchase_order", number="PO-9", add_line={"account": "6000", "amount": "9"})
    assert [line["line"] for line in done["lines"]] == ["1", "2", "3"]
    done = await books.act("edit_purchase_order", number="PO-9", line=1, remove=True)
    assert [(line["line_no"], line["line"]) for line in done["lines"]] == [(1, "2"), (2, "3")]
    bill = await books.act("bill", number="PO-9", invoice_number="INV-1", date="2026-11-02")
    assert [(line["order_line"], line["amount"]) for line in bill["lines"]] == [("2", "50"), ("3", "9")]
    assert (await books.one("purchase_orders", "PO-9"))["state"] == "Closed"
    loose = await books.order("PO-2")
    bill = await books.act("bill", number="PO-2", lines=[{"line": 2, "quantity": "1", "price": "6"}], link=False)
    assert [(line["order_line"], line["amount"]) for line in bill["lines"]] == [(None, "6")]
    assert (await books.read("PurchaseOrder", loose["Id"]))["LinkedTxn"] == []
