"""Links that are really there, and what is billed beside our bills (issue 11, flow 5)."""

from tests.harness.quickbooks_company import connect
from tests.harness.stack_client import StackClient


async def test_a_dropped_link_is_repaired_and_one_that_cannot_be_is_held(api: StackClient) -> None:
    """QuickBooks drops links in silence: the lines are sent anew, on the same bill; on a closed order a person
    decides."""
    company = api.company
    company.orders("PO-1", "PO-2")
    await connect(api)
    company.breaks("link_dropped", "create", object="Bill")
    bill = await api.billed("PO-1", {1: "4"})
    assert company.fired("link_dropped") == 1
    (held,) = company.held("bills")
    assert [line["po_number"] for line in held["lines"]] == ["PO-1"]
    order = company.one("purchase_orders", number="PO-1")
    assert [line["received"] for line in order["lines"]] == ["4", "0"]
    assert bill["status"] == "synced"

    company.breaks("link_dropped", times=None)
    bill_id = await api.bill("PO-2", {1: "1"})
    issue = await api.issue("LINK_MISSING")
    assert (await api.read_bill(bill_id))["status"] == "link_missing"
    company.mend()
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert len(company.held("bills")) == 2


async def test_what_a_check_billed_is_a_finding(api: StackClient) -> None:
    """Received is the ERP's word; the sum over the bills is a cross-check from the mirror, and its difference an
    issue."""
    company = api.company
    company.order("PO-1")
    await connect(api)
    await api.billed("PO-1", {1: "4"})
    await api.sync()
    assert await api.issues() == []
    company.does("expense", number="PO-1", lines=[{"line": 1, "quantity": "2"}])
    await api.sync()
    issue = await api.issue("BILLED_ELSEWHERE")
    assert issue["cause"] == "PO-1: line 1: 6 billed, 4 of it by bills."
    await api.settle(issue, "abandon")
    await api.sync()
    assert await api.issues() == []


async def test_a_number_that_another_document_has_comes_twice_only_by_a_person(api: StackClient) -> None:
    """Fault 6140: the holder is another vendor's; `allowduplicatedocnum` is a person's decision."""
    company = api.company
    company.switch(duplicate_numbers="company")
    company.order("PO-1")
    company.load(bills=[{"invoice_number": "X-1", "vendor_id": "V-9", "invoice_date": "2026-11-20", "amount": "3"}])
    await connect(api)
    bill_id = await api.bill("PO-1", {1: "1"}, number="X-1")
    await api.issue("NUMBER_TAKEN")
    answer = await api.post(f"/v1/bills/{bill_id}/repeat-number", {"reason": "another supplier's"}, role="accountant")
    assert answer.status_code == 200, answer.text
    await api.arrived(bill_id)
    assert [bill["number"] for bill in company.held("bills")] == ["X-1", "X-1"]
