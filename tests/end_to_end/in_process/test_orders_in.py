"""Which purchase orders come in, which stay out and why, and what later changes in the ERP do to those held."""

from decimal import Decimal

import pytest

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    ledger,
    refused,
)


async def test_open_orders_of_three_months_come_in(api: StackClient, company: SandboxCompany) -> None:
    """S1-11, S1-14, S1-15, S4-55..59, S4-61: pending, in progress and partially converted; nothing finished."""
    states = {
        "PO-1": "Pending",
        "PO-2": "In Progress",
        "PO-4": "Converted",
        "PO-5": "Closed",
        "PO-6": "Draft",
        "PO-7": "Submitted",
        "PO-8": "Partially Approved",
        "PO-9": "Declined",
    }
    for number, state in states.items():
        company.order(number, status=state)
    company.order("PO-3", "10", status="Partially Converted", converted_quantity="4")
    company.order("PO-10", days_ago=85)
    company.order("PO-11", days_ago=100)
    await api.start()
    assert await api.numbers() == {"PO-1", "PO-2", "PO-3", "PO-10"}
    shown = {number: (await api.order(number)) for number in ("PO-1", "PO-2", "PO-3")}
    assert {number: (order["erp_status"], order["status"]) for number, order in shown.items()} == {
        "PO-1": ("Pending", "unfilled"),
        "PO-2": ("In Progress", "unfilled"),
        "PO-3": ("Partially Converted", "partially_filled"),
    }


async def test_an_order_comes_in_with_all_that_people_need(api: StackClient, company: SandboxCompany) -> None:
    """S5-79..100: the field map, end to end."""
    company.load(departments=[{"department_id": "OPS", "title": "Operations"}])
    on_lines = {1: {"warehouse": "WH-1"}, 2: {"warehouse": "WH-2"}}
    company.order("PO-1", "10.5", "5", memo="Two desks", department="OPS", unit="Box", lines=on_lines)
    await api.start()
    order = await api.order("PO-1")
    held = company.one("purchase_orders", number="PO-1")
    assert order["erp_id"] == held["record_no"]
    assert (order["document_id"], order["memo"], order["vendor_id"], order["vendor_name"]) == (
        "Purchase Order-PO-1",
        "Two desks",
        "V-1",
        "Vendor One",
    )
    assert (order["entity"], order["currency"]) == ("100", "USD")
    first = order["lines"][0]
    assert amounts(first, "quantity", "price", "amount") == amounts({"q": "10.5", "p": "12.50", "a": "131.25"}, *"qpa")
    assert (first["item_id"], first["unit"], first["department"], first["location"]) == ("ITEM-1", "Box", "OPS", "100")
    assert [line["warehouse"] for line in order["lines"]] == ["WH-1", "WH-2"]
    assert (first["line_type"], Decimal(first["billed_amount"])) == ("item", 0)
    company.does(
        "convert_to_vendor_invoice", number="PO-1", lines=[{"line": 1, "quantity": "2"}], invoice_number="SUP-1"
    )
    await api.sync()
    assert Decimal((await api.order("PO-1"))["lines"][0]["billed_amount"]) == 25


async def test_an_older_order_comes_in_once_it_is_saved_in_the_erp(api: StackClient, company: SandboxCompany) -> None:
    """S1-12: the modified date beats the created-date window."""
    company.orders("PO-OLD", "PO-OLDER", days_ago=200)
    await api.start()
    assert await api.numbers() == set()
    company.does("edit_purchase_order", number="PO-OLD")
    await api.sync()
    assert await api.numbers() == {"PO-OLD"}


async def test_an_operator_may_open_the_window_wider(api: StackClient, company: SandboxCompany) -> None:
    """S1-13."""
    company.order("PO-OLD", days_ago=200)
    await api.start(first_import_from="2020-01-01")
    assert await api.numbers() == {"PO-OLD"}


@pytest.mark.parametrize(("state", "status"), [("Converted", "filled"), ("Closed", "closed")])
async def test_a_held_order_follows_the_erp_to_its_end(
    api: StackClient, company: SandboxCompany, state: str, status: str
) -> None:
    """S1-15 as ruled in G6, S4-60: the import filter is for the first time only."""
    company.order("PO-1")
    await api.start()
    company.does("set_state", number="PO-1", state=state)
    await api.sync()
    order = await api.order("PO-1")
    assert (order["erp_status"], order["status"]) == (state, status)


async def test_orders_in_other_currencies_stay_out_with_the_reason(api: StackClient, company: SandboxCompany) -> None:
    """S1-16, S2-72: nothing is converted."""
    company.order("PO-EUR", currency="EUR")
    company.order("PO-USD")
    await api.start()
    assert await api.numbers() == {"PO-USD"}
    shown = await api.order("PO-USD")
    assert (shown["currency"], Decimal(shown["total"])) == ("USD", Decimal("187.50"))
    (record,) = await api.items(f"/v1/connections/{api.connection_id}/skipped-records")
    assert (record["number"], record["code"]) == ("PO-EUR", "OTHER_CURRENCY")
    assert "EUR" in record["reason"]
    # Editing it changes nothing; the reason stays one record.
    company.does("edit_purchase_order", number="PO-EUR", memo="soon")
    await api.sync()
    assert await api.skipped() == {"PO-EUR": "OTHER_CURRENCY"}
    assert await api.numbers() == {"PO-USD"}


async def test_a_draft_comes_in_when_it_is_approved(api: StackClient, company: SandboxCompany) -> None:
    """S4-61."""
    company.order("PO-1", status="Draft")
    company.order("PO-2", status="Submitted")
    await api.start()
    assert await api.numbers() == set()
    company.does("edit_purchase_order", number="PO-1", memo="still a draft")
    await api.sync()
    assert await api.skipped() == {"PO-1": "NOT_APPROVED"}
    company.does("set_state", number="PO-1", state="Pending")
    company.does("approve", number="PO-2")
    company.does("set_state", number="PO-2", state="Pending")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2"}


async def test_orders_in_approval_are_shown_where_the_connection_asks(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-102 to S5-104, ruling G13: shown, not billable, and ordinary once they are approved."""
    for number, state in {
        "PO-1": "Draft",
        "PO-2": "Submitted",
        "PO-3": "Partially Approved",
        "PO-4": "Pending",
    }.items():
        company.order(number, status=state)
    await api.start()
    assert await api.numbers() == {"PO-4"}
    (problem,) = (await api.prefer(unapproved_orders="maybe"))["problems"]
    assert (problem["preference"], problem["code"]) == ("unapproved_orders", "PREFERENCE_UNKNOWN")
    assert (await api.prefer(unapproved_orders="shown"))["complete"]
    await api.sync()
    pending = ("pending_approval", "pending_approval")
    for number in ("PO-1", "PO-2", "PO-3"):
        order = await api.order(number)
        assert (order["status"], order["matching_status"]) == pending, number
    assert await api.skipped() == {}
    refusal = refused(await api.enter("PO-2", {1: "1"}), 422, "MATCH_BLOCKED")
    assert "not approved yet" in str(refusal)
    company.does("approve", number="PO-2")
    company.does("set_state", number="PO-2", state="Pending")
    await api.sync()
    order = await api.order("PO-2")
    assert (order["status"], order["matching_status"]) == ("unfilled", "active")
    await api.arrived(await api.bill("PO-2", {1: "1"}))


async def test_an_order_whose_lines_disagree_is_named_and_all_others_come_in(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-99: one entity for all lines of an order, else it is an error; it heals when the order is repaired."""
    company.order("PO-MIXED", "10", "5", entity="", lines={2: {"location": "200"}})
    company.orders("PO-1", "PO-2")
    await api.start(entity=None)
    assert await api.numbers() == {"PO-1", "PO-2"}
    issue = await api.issue("MIXED_ENTITY")
    assert "PO-MIXED" in issue["title"]
    assert issue["fix"]
    company.does("edit_purchase_order", number="PO-MIXED", line=2, location="100")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2", "PO-MIXED"}
    assert await api.issues() == []


async def test_only_the_connected_entity_comes_in(api: StackClient, company: SandboxCompany) -> None:
    """S2-04, S2-11."""
    company.order("PO-100")
    company.order("PO-200", entity="200", location="200")
    await api.start()
    assert await api.numbers() == {"PO-100"}


async def test_an_edited_line_comes_in(api: StackClient, company: SandboxCompany) -> None:
    """S5-78, S5-86: what was ordered follows the ERP, and so does what may be billed."""
    company.order("PO-1")
    await api.start()
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="12", price="11.00")
    await api.sync()
    order = await api.order("PO-1")
    assert ledger(order) == amounts({"o": "12", "r": "0", "e": "0", "p": "0"}, *"orep")
    assert amounts(order["lines"][0], "price", "amount") == amounts({"p": "11", "a": "132"}, *"pa")
    await api.billed("PO-1", {1: "12"})


async def test_a_line_edit_that_leaves_the_header_untouched_comes_in(api: StackClient, company: SandboxCompany) -> None:
    """S5-78: in Intacct a line can change without its order."""
    company.order("PO-1")
    await api.start()
    company.switch(header_touched_by_line_edit=False)
    company.does("edit_purchase_order", number="PO-1", line=2, quantity="7")
    await api.sync()
    assert ledger(await api.order("PO-1"), 2)[0] == 7


async def test_a_deleted_order_is_told_by_the_audit_trail(api: StackClient, company: SandboxCompany) -> None:
    """S5-78: deleted in the ERP, so not billable any more, and gone from the drop-down."""
    company.orders("PO-1", "PO-2")
    await api.start()
    order = await api.order("PO-1")
    company.does("delete", number="PO-1")
    await api.sync()
    gone = await api.get(f"/v1/purchase-orders/{order['id']}", live="false")
    assert gone["matching_status"] == "deleted"
    drop_down = await api.items("/v1/purchase-orders", connection=api.connection_id, vendor="V-1", open="true")
    assert [shown["number"] for shown in drop_down] == ["PO-2"]
    body = {"number": "INV-X", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", body)
    assert answer.status_code == 422
    assert "PO_NOT_BILLABLE" in answer.text


async def test_a_vendor_made_inactive_shows_in_the_list(api: StackClient, company: SandboxCompany) -> None:
    """S5-02, the part from the ERP: the list shows it; what follows for bills is in `test_what_decides.py`."""
    company.order("PO-1")
    await api.start()
    company.does("edit_vendor", vendor_id="V-1", status="inactive")
    await api.sync()
    (vendor,) = await api.items(f"/v1/connections/{api.connection_id}/lists/vendor")
    assert (vendor["key"], vendor["active"]) == ("V-1", False)


async def test_an_unknown_status_is_an_issue_and_nothing_is_guessed(api: StackClient, company: SandboxCompany) -> None:
    """S4-60 as ruled in G3: a held order keeps its last meaning, a new one stays out until its word is known."""
    company.orders("PO-1", "PO-2")
    await api.start()
    company.does("edit_purchase_order", number="PO-1", memo="changed")
    company.order("PO-3")
    company.does("edit_purchase_order", number="PO-3")
    company.breaks("unknown_state", "query", times=None, object="PODOCUMENT")
    await api.sync()
    issues = await api.issues()
    assert {issue["code"] for issue in issues} == {"UNKNOWN_ERP_STATUS"}
    assert {issue["evidence"]["number"] for issue in issues} == {"PO-1", "PO-3"}
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert (await api.order("PO-1"))["status"] == "unfilled"
    company.mend()
    for number in ("PO-1", "PO-3"):
        company.does("edit_purchase_order", number=number, memo="again")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2", "PO-3"}
    assert await api.issues() == []
