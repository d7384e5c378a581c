"""Bills edited here after the sync: the ERP follows, once, and what it refuses a person settles."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    ledger,
    refused,
)


async def edited(api: StackClient, bill_id: str, change: dict[str, Any]) -> Any:
    answer = await api.patch(f"/v1/bills/{bill_id}", change, role="clerk")
    assert answer.status_code == 200, answer.text
    return answer.json()["bill"]


async def settled(api: StackClient, bill_id: str) -> Any:
    """The bill, once the ERP was seen to hold its edit."""

    async def so() -> Any:
        bill = await api.read_bill(bill_id)
        return None if bill["edit_pending"] else bill

    return await api.until(so, f"the edit of {bill_id} in the ERP")


async def test_an_edit_here_changes_the_invoice_there(api: StackClient, company: SandboxCompany) -> None:
    """S1-17, S5-136, U-8: texts and dimensions arrive in place, link and quantities stay, the new payable is paid."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8", 2: "1"}, memo="as entered")
    due = today() + timedelta(days=45)
    change = {"memo": "as agreed", "due_date": due.isoformat(), "lines": [{"line_no": 2, "description": "Corrected"}]}
    pending = await edited(api, bill["id"], change)
    assert (pending["status"], pending["edit_pending"]) == ("synced", True)
    after = await settled(api, bill["id"])
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["number"], invoice["memo"]) == (bill["external_key"], "as agreed")
    assert [line["memo"] for line in invoice["lines"]] == ["Item 1", "Corrected"]
    assert all(line["source_line"] for line in invoice["lines"])
    (owed,) = company.held("bills")
    assert owed["record_no"] == after["payable_id"] != bill["payable_id"]
    assert owed["due_date"] == f"{due:%m/%d/%Y}"
    await api.sync()
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "0", "e": "8", "p": "0"}, *"orep")
    assert [event["kind"] for event in (await api.read_bill(bill["id"]))["events"]].count("edit_pushed") == 1
    await api.payment_is(await api.pay(bill["id"], "112.50"), "paid")
    assert amounts(company.one("bills", record_no=after["payable_id"]), "due") == (0,)
    assert await api.issues() == []


async def test_a_lost_answer_edits_once(api: StackClient, company: SandboxCompany) -> None:
    """F1: the ERP took the edit and its answer was lost: the bill is made anew once, not twice."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.breaks("lost_answer", "update_potransaction")
    await edited(api, bill["id"], {"memo": "as agreed"})
    after = await settled(api, bill["id"])
    assert company.fired("lost_answer") == 1
    (owed,) = company.held("bills")
    assert owed["record_no"] == after["payable_id"]
    assert int(owed["record_no"]) - int(bill["payable_id"]) == 1, "one payable was made by the edit"


async def test_an_edit_and_then_a_payment(api: StackClient, company: SandboxCompany) -> None:
    """S5-136: both in one breath; the edit goes first, because afterwards the ERP would refuse it (B10)."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    await edited(api, bill["id"], {"memo": "as agreed"})
    payment = await api.pay(bill["id"], "100.00")
    refused(await api.patch(f"/v1/bills/{bill['id']}", {"memo": "late"}), 409, "BILL_HAS_PAYMENTS")
    await api.payment_is(payment, "paid")
    assert not (await api.read_bill(bill["id"]))["edit_pending"]
    (invoice,) = company.held("vendor_invoices")
    assert invoice["memo"] == "as agreed"
    assert await api.issues() == []


async def test_an_edit_of_a_bill_paid_there_meanwhile_is_abandoned(api: StackClient, company: SandboxCompany) -> None:
    """B10: paid in the ERP and not synced yet, it refuses the edit; abandoned, the bill says what the ERP holds."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"}, memo="as entered")
    company.does("pay_bill", record_no=bill["payable_id"], amount="30", document_number="CHK-1")
    await edited(api, bill["id"], {"memo": "too late"})
    issue = await api.issue("ALREADY_PAID")
    waiting = await api.read_bill(bill["id"])
    assert (waiting["status"], waiting["edit_pending"]) == ("synced", True)
    await api.settle(issue, "abandon")
    after = await settled(api, bill["id"])
    assert after["memo"] == "as entered"
    await api.sync()
    after = await api.bill_is(bill["id"], "partially_paid")
    assert Decimal(after["due"]) == 70
    assert await api.issues() == []


async def test_what_people_changed_in_the_erp_is_not_written_over(api: StackClient, company: SandboxCompany) -> None:
    """S2-87: the edit here sends its own fields alone."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"}, memo="as entered")
    company.does("edit_vendor_invoice", number=bill["external_key"], memo="checked there")
    await edited(api, bill["id"], {"lines": [{"line_no": 1, "description": "Corrected"}]})
    await settled(api, bill["id"])
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["memo"], invoice["lines"][0]["memo"]) == ("checked there", "Corrected")
    assert await api.issues() == []
