"""The neutral format, the sample account and the control room (DESIGN 9, docs/reference/)."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.faults import KINDS
from sandbox.netsuite.orders import STATUSES
from sandbox.netsuite.switches import SWITCHES
from sandbox.netsuite.ui_actions import ACTIONS
from tests.unit.sandbox.netsuite.suite import Suite, any_of, is_

LOAD = "/companies/netsuite/load"


async def load(suite: Suite, **content: Any) -> dict[str, Any]:
    report: dict[str, Any] = await suite.room(LOAD, content)
    return report


async def test_the_sample_has_every_status_currency_and_age(suite: Suite) -> None:
    """DESIGN 9: believable orders for demos."""
    report = await suite.room("/companies/netsuite/sample")
    assert report["errors"] == []
    orders = await suite.held("purchase_orders")
    assert len(orders) >= 30
    assert {order["state"] for order in orders} == set(STATUSES)
    assert {order["currency"] for order in orders} == {"USD", "EUR", "GBP"}
    assert {order["entity"] for order in orders} == {"1", "2"}
    today = date.fromisoformat((await suite.room("/clock", method="GET"))["now"][:10])
    ages = [today - date.fromisoformat(order["date"]) for order in orders]
    assert max(ages) > timedelta(days=92)
    main = await suite.one("purchase_orders", "PO-1007")
    assert (main["state"], main["currency"], main["entity"]) == ("Pending Receipt", "USD", "1")
    over = (await suite.one("purchase_orders", "PO-1004"))["lines"][0]
    assert (over["quantity"], over["received"]) == ("120", "130")
    again = await suite.room("/companies/netsuite/sample")
    assert again["loaded"] == report["loaded"]


async def test_rows_that_name_nothing_are_reported_by_line(suite: Suite) -> None:
    """docs/reference/neutral-format.md: the other rows go on."""
    good = {
        "po_number": "PO-1",
        "vendor_id": "V-1",
        "po_date": "2026-10-01",
        "item_id": "I",
        "quantity": "1",
        "price": "2",
    }
    report = await load(
        suite,
        vendors=[{"vendor_id": "V-1"}, {"name": "no id"}, {"vendor_id": "V-2", "term": "Net 99"}],
        items=[{"item_id": "I"}, {"item_id": "J", "item_type": "Ghost"}],
        purchase_orders=[
            good,
            {**good, "po_number": "PO-2", "vendor_id": "V-9"},
            {**good, "po_number": "PO-3", "status": "Fully Billed"},
            {**good, "po_number": "PO-4", "item_id": ""},
            {**good, "po_number": "PO-5", "entity": "900"},
        ],
        receipts=[
            {
                "receipt_number": "R",
                "po_number": "PO-1",
                "po_line_no": "2",
                "receipt_date": "2026-10-02",
                "quantity": "1",
            }
        ],
    )
    assert report["loaded"] == {"vendors": 1, "items": 1, "purchase_orders": 1, "receipts": 0}
    assert [(one["kind"], one["line"]) for one in report["errors"]] == [
        ("vendors", 2),
        ("vendors", 3),
        ("items", 2),
        ("purchase_orders", 4),
        ("purchase_orders", 2),
        ("purchase_orders", 3),
        ("purchase_orders", 5),
        ("receipts", 1),
    ]


async def test_bills_of_the_format_are_linked_by_line_number(suite: Suite) -> None:
    """docs/reference/neutral-format.md."""
    await suite.order(po_date="2026-09-01")
    row = {"invoice_number": "I-1", "vendor_id": "V-1", "invoice_date": "2026-10-05", "quantity": "3", "price": "5"}
    received = {"receipt_number": "R", "po_number": "PO-1", "receipt_date": "2026-10-02", "quantity": "10"}
    report = await load(
        suite,
        receipts=[{**received, "po_line_no": "2"}],
        bills=[
            {**row, "po_number": "PO-1", "po_line_no": "2"},
            {**row, "invoice_number": "I-2", "item_id": "IT-1"},
            {**row, "invoice_number": "I-3", "quantity": "", "price": "", "amount": "40"},
        ],
    )
    assert report["errors"] == []
    bills = {bill["number"]: bill for bill in await suite.held("bills")}
    assert [line["po_number"] for line in bills["I-1"]["lines"]] == ["PO-1"]
    assert (bills["I-2"]["total"], bills["I-3"]["total"]) == ("15", "40")
    assert bills["I-1"]["date"] == "2026-10-05"
    assert (await suite.one("purchase_orders", "PO-1"))["lines"][1]["billed"] == "3"


async def test_units_of_a_group_convert(suite: Suite) -> None:
    """docs/reference/neutral-format.md: units."""
    await load(
        suite,
        units=[
            {"unit_group": "Paper", "unit": "Ream", "factor": "1"},
            {"unit_group": "Paper", "unit": "Box", "factor": "5"},
        ],
        items=[{"item_id": "PAPER", "unit": "Box", "unit_group": "Paper"}],
    )
    reply = await suite.search(is_("name", "Paper"), "UnitsTypeSearchBasic", body_only=False)
    assert reply.texts("//a:conversionRate") == ["1.0", "5.0"]
    order = await suite.order("PO-1", 1, item_id="PAPER", unit="Ream")
    units = (await suite.get("purchaseOrder", order["record_no"])).texts("//p:units/c:name")
    assert units == ["Ream"]


async def test_entities_are_subsidiaries(suite: Suite) -> None:
    """Issue 4: subsidiaries as entities."""
    await suite.order("PO-1", 1, entity="200")
    await suite.order("PO-2", 1)
    reply = await suite.search(any_of("subsidiary", "2") + any_of("type", "_purchaseOrder"))
    assert reply.texts("//p:tranId") == ["PO-1"]
    assert reply.texts("//p:subsidiary/c:name") == ["United States : United Kingdom"]


async def test_a_reset_forgets_everything(suite: Suite) -> None:
    """DESIGN 9."""
    await suite.order()
    await suite.switch(bill_in_advance=True)
    await suite.break_("unavailable")
    await suite.room("/reset")
    assert await suite.held("purchase_orders") == []
    switches = await suite.room("/companies/netsuite/switches", method="GET")
    assert all(switch["value"] == switch["default"] for switch in switches.values())
    assert (await suite.ask("<m:getServerTime/>")).ok


async def test_what_the_control_room_does_not_know(suite: Suite) -> None:
    """DESIGN 9."""
    wrong = (("actions", {"action": "dance"}), ("switches", {"nosuch": 1}), ("switches", {"suiteql": "yes"}))
    for path, body in wrong:
        answer = await suite.http.post(f"/sandbox/companies/netsuite/{path}", json=body)
        assert answer.status_code == 400, path
    assert (await suite.http.get("/sandbox/companies/netsuite/nosuch")).status_code == 404
    assert (await suite.http.get("/sandbox/companies/sap/vendors")).status_code == 404


def test_every_switch_action_and_fault_is_documented() -> None:
    """docs/reference/sandbox.md, and what only a Web Connector does on its own page."""
    pages = [Path(f"docs/reference/{page}.md") for page in ("sandbox", "sandbox-quickbooks-desktop")]
    document = "".join(page.read_text(encoding="utf-8") for page in pages)
    names = [*SWITCHES, *ACTIONS, *KINDS, "change_secrets", "expire_searches"]
    assert [name for name in names if f"`{name}`" not in document] == []
