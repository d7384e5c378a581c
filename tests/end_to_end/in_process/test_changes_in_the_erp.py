"""A sample of `docs/reference/changes-in-the-erp.md` on the whole stack: what people do in Intacct after our last read.

The table itself is tried on an ERP in memory (`tests/activities/test_changes_in_the_erp.py`).
"""

from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts, ledger, refused


async def codes(api: StackClient, bill_id: str) -> set[str]:
    """What people must settle on the bill now."""
    needs = (await api.get(f"/v1/bills/{bill_id}/match"))["needs"]
    return {one["code"] for findings in needs.values() for one in findings}


async def dearer(api: StackClient, quantity: str) -> str:
    """A bill at 13.00 of an order at 12.50: it waits for an acknowledgement."""
    line: dict[str, Any] = {"order_line_no": 1, "quantity": quantity, "price": "13.00"}
    created = (await api.enter("PO-1", {}, lines=[line])).json()
    assert created["bill"]["status"] == "awaiting_acknowledgement"
    return str(created["bill"]["id"])


async def test_in_review_while_the_rest_is_billed_there(api: StackClient, company: SandboxCompany) -> None:
    """Held, so that nobody acknowledges it into a bill beyond the order; deleted there, it is as it was."""
    company.order("PO-1", "10")
    await api.start()
    bill_id = await dearer(api, "4")
    company.does(
        "convert_to_vendor_invoice", number="PO-1", invoice_number="VI-1", lines=[{"line": 1, "quantity": "8"}]
    )
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert await codes(api, bill_id) == {"QTY_OVER_CEILING", "PRICE_DIFFERS"}
    company.does("delete", kind="vendor_invoice", number="VI-1")
    await api.sync()
    await api.bill_is(bill_id, "awaiting_acknowledgement")
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "0", "e": "4", "p": "0"}, *"orep")
    assert await api.issues() == []


async def test_refused_there_until_its_cause_is_gone(api: StackClient, company: SandboxCompany) -> None:
    """The order is billed there in the same moment; the refused bill goes on by itself once that bill is deleted,
    though no sync has seen either: the order is as it was when it was read."""
    company.order("PO-1", "10")
    await api.start()
    company.does("convert_to_vendor_invoice", number="PO-1", invoice_number="VI-1", lines=[{"line": 1}])
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.bill_is(bill_id, "sync_issue")
    company.does("delete", kind="vendor_invoice", number="VI-1")
    await api.sync()
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "0", "e": "4", "p": "0"}, *"orep")
    assert await api.issues() == []


async def test_a_bill_of_a_receipt_that_is_deleted_there_is_not_billed_any_more(
    api: StackClient, company: SandboxCompany
) -> None:
    """B14: order 10, receiver 10, invoice 10; the invoice is deleted in Intacct. Billed stayed 10 after three syncs, so
    that the invoice that replaces it was refused."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "10"}])
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "10"})
    company.does("delete", kind="vendor_invoice", number=bill["external_key"])
    await api.sync()
    await api.bill_is(bill["id"], "deleted")
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "10", "e": "0", "p": "0"}, *"orep")
    await api.billed("PO-1", {1: "10"})
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "10", "e": "10", "p": "0"}, *"orep")


async def test_a_bill_edited_there_beyond_the_order(api: StackClient, company: SandboxCompany) -> None:
    """B3, B13: taken over, and one issue of the order, which closes when the bill is put right there."""
    company.order("PO-1", "10")
    await api.start()
    bill = await api.billed("PO-1", {1: "4"})
    company.does("edit_vendor_invoice", number=bill["external_key"], line=1, price="13.00")
    await api.sync()
    assert Decimal((await api.read_bill(bill["id"]))["total"]) == 52
    (issue,) = await api.issues()
    assert (issue["code"], issue["subject_kind"]) == ("MATCH_WORSE", "purchase_order")
    company.does("edit_vendor_invoice", number=bill["external_key"], line=1, price="12.50")
    await api.sync()
    assert Decimal((await api.read_bill(bill["id"]))["total"]) == 50
    assert await api.issues() == []


async def test_another_vendors_bill_is_never_released_into_a_refusal(api: StackClient, company: SandboxCompany) -> None:
    """B12, W7: Intacct converts an order for its own vendor only; the bill is corrected, or moved to an order of its
    vendor as it is (C10)."""
    company.order("PO-1", "10")
    company.order("PO-2", "10", vendor_id="V-2")
    await api.start()
    created = (await api.enter("PO-1", {1: "4"}, vendor_id="V-2", number="W7-1")).json()
    bill_id = created["bill"]["id"]
    assert created["bill"]["status"] == "on_hold"
    answer = await api.post(f"/v1/bills/{bill_id}/release", {"reason": "agreed by mail"}, role="accountant")
    assert refused(answer, 409, "HOLD_NEEDS_A_FIX")["fix"]
    assert company.held("vendor_invoices") == []
    other = await api.order("PO-2")
    draft = await api.get(f"/v1/bills/{bill_id}/draft", purchase_order_id=other["id"])
    moved = await api.post(f"/v1/purchase-orders/{other['id']}/bills/{bill_id}", draft, role="clerk")
    assert moved.status_code == 200, moved.text
    there = await api.arrived(bill_id)
    assert (there["number"], there["purchase_order_id"]) == ("W7-1", other["id"])
    (invoice,) = company.held("vendor_invoices")
    assert invoice["reference"] == "PO-2"
