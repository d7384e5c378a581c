"""The neutral format, the sample company, and what the control room says of the rest (docs/reference/)."""

from pathlib import Path
from typing import Any

from sandbox.quickbooks_desktop.computer_actions import ACTIONS, KINDS
from sandbox.quickbooks_desktop.switches import SWITCHES, UNKIND
from sandbox.quickbooks_desktop.ui_actions import ACTIONS as UI_ACTIONS
from sandbox.switches import Switches
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

ORDER = {
    "po_number": "PO-1",
    "vendor_id": "V-1",
    "po_date": "2026-10-01",
    "item_id": "IT-1",
    "quantity": "10",
    "price": "5",
}
PAGE = "docs/reference/sandbox-quickbooks-desktop.md"


async def load(pc: Pc, content: dict[str, Any], *, create_missing: bool = True) -> dict[str, Any]:
    target = f"/companies/quickbooks_desktop/load?create_missing={str(create_missing).lower()}"
    report: dict[str, Any] = await pc.room(target, content)
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


async def test_the_sample_company_has_every_state(pc: Pc) -> None:
    report = await pc.room("/companies/quickbooks_desktop/sample")
    assert (report["errors"], len(report["purchase_orders"])) == ([], 34)
    orders = {order["number"]: order for order in await pc.held("purchase_orders")}
    received = {number: [line["received"] for line in order["lines"]] for number, order in orders.items()}
    assert (orders["PO-1001"]["fully_received"], received["PO-1001"]) == (True, ["40", "6", "24"])
    assert (orders["PO-1006"]["open"], received["PO-1006"]) == (True, ["50", "20", "0"])
    assert (orders["PO-1014"]["manually_closed"], received["PO-1014"]) == (True, ["0", "0"])
    assert (orders["PO-1007"]["open"], received["PO-1007"]) == (True, ["0", "0", "0"])
    assert [one["type"] for one in orders["PO-1016"]["linked"]] == ["ItemReceipt"]
    assert [one["type"] for one in orders["PO-1011"]["linked"]] == ["Bill"]
    assert [bill["due"] for bill in await pc.held("bills") if bill["number"] == "NW-58121"] == ["0"]
    for kind in sorted(KINDS - {"deleted", "message_sets", "applications", "updates", "units"}):
        assert await pc.held(kind), kind
    assert (await pc.room("/companies/quickbooks_desktop/sample"))["errors"] == []
    assert len(await pc.held("purchase_orders")) == 34


async def test_bad_rows_are_reported_and_the_others_go_on(pc: Pc) -> None:
    rows = [
        ORDER,
        ORDER | {"quantity": "many"},
        ORDER | {"po_number": "PO-2", "status": "Planned"},
        ORDER | {"po_number": "PO-3", "currency": "EUR"},
        ORDER | {"po_number": "PO-4", "item_id": "", "account": "6000"},
        ORDER | {"po_number": "PO-123456789"},
        ORDER | {"po_number": "PO-5", "status": "Closed"},
    ]
    report = await load(pc, {"purchase_orders": rows, "departments": [{}], "entities": [{}, {}]})
    assert report["loaded"] == {"purchase_orders": 2}
    found = sorted((error["kind"], error["line"]) for error in report["errors"])
    orders = [("purchase_orders", line) for line in (2, 3, 4, 5, 6)]
    assert found == [("departments", 1), ("entities", 1), ("entities", 2), *orders]
    again = await load(pc, {"purchase_orders": [ORDER]})
    assert again["errors"][0]["message"] == "purchase order PO-1 exists already"


async def test_what_is_missing_is_made_only_on_wish(pc: Pc) -> None:
    report = await load(pc, {"purchase_orders": [ORDER | {"class": "OPS"}]}, create_missing=False)
    assert report["errors"][0]["message"] == "vendor 'V-1' does not exist; load it first or use create_missing"
    lists = {"vendors": [{"vendor_id": "V-1"}], "items": [{"item_id": "IT-1"}], "classes": [{"class_id": "OPS"}]}
    report = await load(pc, {**lists, "purchase_orders": [ORDER | {"class": "OPS"}]}, create_missing=False)
    assert report["errors"] == []


async def test_lists_take_their_columns(pc: Pc) -> None:
    content = {
        "accounts": [{"account_no": "7000", "title": "Freight"}, {"account_no": "1500", "account_type": "FixedAsset"}],
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
        "terms": [{"term": "Net 45", "days": "45"}],
        "bank_accounts": [{"bank_account_id": "CITI", "name": "Citibank"}],
    }
    report = await load(pc, content)
    assert [error["line"] for error in report["errors"]] == [3, 4, 3]
    vendors = pc.ask("<VendorQueryRq><ActiveStatus>All</ActiveStatus></VendorQueryRq>")
    assert [one.findtext("Name") for one in vendors] == ["Same", "Same (V-2)"]
    assert vendors[0].findtext("AccountNumber") == "V-1"
    assert vendors[0].findtext("TermsRef/FullName") == "Net 15"
    items = {one.findtext("Name"): one for one in pc.ask("<ItemQueryRq/>")}
    assert items["BOLT"].tag == "ItemInventoryRet"
    assert items["BOLT"].findtext("PurchaseDesc") == "A bolt"
    assert items["HOUR"].findtext("SalesOrPurchase/AccountRef/FullName") == "Freight"
    banks = pc.ask("<AccountQueryRq><AccountType>Bank</AccountType></AccountQueryRq>")
    assert [one.findtext("Name") for one in banks] == ["Bank of America", "Checking", "Citibank"]
    renamed = await load(pc, {"vendors": [{"vendor_id": "V-1", "name": "Other"}]})
    assert renamed["loaded"] == {"vendors": 1}


async def test_orders_receipts_and_bills_are_as_old_as_they_say(pc: Pc) -> None:
    rows = [
        ORDER | {"modified_at": "2026-10-05T10:30:00+02:00", "memo": "note"},
        ORDER | {"item_id": "IT-2", "quantity": "1", "price": "12.345", "closed": "true"},
    ]
    head = {"invoice_number": "INV-1", "vendor_id": "V-1", "invoice_date": "2026-10-06"}
    content = {
        "purchase_orders": rows,
        "receipts": [
            {"receipt_number": "R-1", "po_number": "PO-1", "po_line_no": "1", "receipt_date": "2026-10-04"}
            | {"quantity": "2"},
        ],
        "bills": [
            head | {"po_number": "PO-1", "po_line_no": "1", "quantity": "4"},
            head | {"amount": "7"},
            head | {"invoice_number": "INV-2", "item_id": "IT-1", "quantity": "3", "price": "5.5"},
            head | {"invoice_number": "INV-3"},
            head | {"invoice_number": "INV-4", "po_number": "PO-9", "po_line_no": "1"},
        ],
        "closed_periods": [{"closed_through": "2026-10-31"}],
    }
    report = await load(pc, content)
    assert [error["line"] for error in report["errors"]] == [4, 5]
    bills = await pc.held("bills")
    assert [(bill["number"], bill["total"], bill["date"]) for bill in bills] == [
        ("INV-1", "27", "2026-10-06"),
        ("INV-2", "16.5", "2026-10-06"),
    ]
    assert [line["amount"] for line in (await pc.one("purchase_orders", "PO-1"))["lines"]] == ["50", "12.35"]
    assert (await pc.one("purchase_orders", "PO-1"))["lines"][0]["received"] == "6"
    assert pc.computer.company.closing_date is not None


async def test_an_untouched_order_was_changed_when_its_row_says(pc: Pc) -> None:
    await load(pc, {"purchase_orders": [ORDER | {"modified_at": "2026-10-05T10:30:00+02:00"}]})
    [order] = pc.ask("<PurchaseOrderQueryRq/>")
    assert order.findtext("TimeModified") == "2026-10-05T04:30:00-05:00"


async def test_what_the_control_room_refuses(pc: Pc) -> None:
    """Requests it cannot understand are 400, what QuickBooks would refuse is 422 with its code."""
    await pc.order("PO-1", "1")
    wrong = (
        ("actions", {"action": "dance"}),
        ("actions", {"action": "bill", "number": "PO-9"}),
        ("actions", {"action": "set_preferences", "Dance": True}),
        ("actions", {"action": "open_company_file", "path": "C:\\nowhere.qbw"}),
        ("actions", {"action": "update_selected"}),
        ("actions", {"action": "restore_backup"}),
        ("actions", {"action": "close_period"}),
        ("switches", {"closed_order_link": "perhaps"}),
        ("switches", {"nosuch": 1}),
    )
    for path, body in wrong:
        answer = await pc.http.post(f"/sandbox/companies/quickbooks_desktop/{path}", json=body)
        assert answer.status_code == 400, body
    assert await pc.refused("edit_purchase_order", number="PO-1", line=1, quantity="-1") == "3210"
    assert (await pc.http.get("/sandbox/companies/quickbooks_desktop/dragons")).status_code == 404


async def test_a_reset_forgets_everything(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    await pc.add_application()
    await pc.switch(closed_order_link="refused")
    await pc.room("/reset")
    assert await pc.held("purchase_orders") == []
    assert await pc.held("applications") == []
    shown = (await pc.http.get("/sandbox/companies/quickbooks_desktop/switches")).json()
    assert {name: one["value"] for name, one in shown.items()} == {name: one["default"] for name, one in shown.items()}
    pc.open()
    assert pc.ask("<CompanyQueryRq><OwnerID>0</OwnerID></CompanyQueryRq>").find(".//DataExtRet") is None


async def test_people_edit_orders_in_the_screens(pc: Pc) -> None:
    before = await pc.order("PO-1", "10", "4")
    done = await pc.does("edit_purchase_order", number="PO-1")
    assert done["edit_sequence"] != before["edit_sequence"]
    done = await pc.does("edit_purchase_order", number="PO-1", memo="m", due_date="2026-12-01", new_number="PO-9")
    assert (done["memo"], done["due_date"], done["number"]) == ("m", "2026-12-01", "PO-9")
    done = await pc.does("edit_purchase_order", number="PO-9", line=1, quantity="3", price="4.5", description="d")
    assert (done["lines"][0]["amount"], done["lines"][0]["description"], done["total"]) == ("13.5", "d", "33.5")
    added = {"item_id": "ITEM-1", "quantity": "2", "price": "1"}
    done = await pc.does("edit_purchase_order", number="PO-9", add_line=added)
    assert [line["quantity"] for line in done["lines"]] == ["3", "4", "2"]
    done = await pc.does("edit_purchase_order", number="PO-9", line=2, remove=True)
    assert [line["quantity"] for line in done["lines"]] == ["3", "2"]
    bill = await pc.does("bill", number="PO-9", invoice_number="INV-1", date="2026-11-02")
    assert [line["po_number"] for line in bill["lines"]] == ["PO-9", "PO-9"]
    assert not (await pc.one("purchase_orders", "PO-9"))["open"]
    await pc.order("PO-2", "1", "1")
    bill = await pc.does("bill", number="PO-2", lines=[{"line": 2, "quantity": "1", "price": "6"}], link=False)
    assert [(line["order_line"], line["amount"]) for line in bill["lines"]] == [(None, "6")]
