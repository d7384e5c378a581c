"""Bills that are deleted, disputed, sent back and restored, from the API to Intacct's books."""

import pytest

from models import contract
from settings import Settings as Environment
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger, refused
from tests.harness.variants import first_of
from tests.harness.workflow_client import details

FREE = amounts({"o": "10", "r": "0", "e": "0", "p": "0"}, *"orep")
TAKEN = amounts({"o": "10", "r": "0", "e": "8", "p": "0"}, *"orep")


async def test_a_deleted_bill_leaves_the_books_and_is_made_anew_when_it_is_restored(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-07, S5-08: gone from the books once, its quantity free; restored, it is a new bill under a new key."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    assert ledger(await api.order("PO-1")) == TAKEN
    (delete,) = [one for one in bill["actions"] if one["action"] == "delete"]
    assert (delete["possible"], delete["way"], delete["frees_quantity"]) == (True, "delete", True)
    answer = await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "withdrawn by the supplier"})
    assert (answer.status_code, answer.json()["status"]) == (200, "retracting"), answer.text
    gone = await api.bill_is(bill["id"], "deleted")
    assert company.held("vendor_invoices") == company.held("bills") == []
    assert ledger(await api.order("PO-1")) == FREE
    (kept,) = gone["taken_back"]
    assert (kept["state"], kept["document_id"], kept["why"]) == (
        "done",
        bill["document_id"],
        "withdrawn by the supplier",
    )
    await api.sync()
    assert await api.issues() == [], "the deletion comes in and changes nothing more"

    restored = await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "they sent it again"})
    assert restored.status_code == 200, restored.text
    anew = await api.arrived(bill["id"])
    assert (anew["generation"], anew["external_key"]) == (2, f"{bill['external_key']}-2")
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["number"], invoice["vendor_number"]) == (anew["external_key"], bill["number"])
    assert ledger(await api.order("PO-1")) == TAKEN
    await api.sync()
    assert len(await api.items("/v1/bills")) == 1, "the first generation comes in as no other bill"
    await api.payment_is(await api.pay(bill["id"], anew["due"]), "paid")
    await api.bill_is(bill["id"], "paid")


async def test_a_disputed_bill_waits_here_and_goes_out_again(api: StackClient, company: SandboxCompany) -> None:
    """S5-07, S5-08: nothing is reserved, sent or paid until the dispute is settled."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "price"})).status_code == 200
    disputed = await api.bill_is(bill["id"], "disputed")
    assert company.held("vendor_invoices") == []
    assert (ledger(await api.order("PO-1")), disputed["write"]["state"]) == (FREE, "held")
    assert "dispute" in await details(api.temporal.get_workflow_handle(contract.bill_workflow_id(bill["id"])))
    payment = {"amount": "1", "pay_on": "2999-01-01"}
    refused(await api.post(f"/v1/bills/{bill['id']}/payments", payment), 409, "BILL_NOT_PAYABLE")
    await api.billed("PO-1", {1: "4"})
    restored = await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "settled"})
    assert restored.status_code == 200, restored.text
    assert restored.json()["status"] != "pending_push", "only six are left: it waits for a person"
    assert len(company.held("vendor_invoices")) == 1


async def test_a_bill_that_is_sent_back_is_approved_again_and_is_a_new_one(
    api: StackClient, company: SandboxCompany, whole_settings: Environment
) -> None:
    """S5-10, S5-11: taken back, its quantity kept; approved again it goes out under a new key."""
    company.order("PO-1")
    await api.start()
    ana = await person(api, whole_settings.database_url, "Ana")
    await let_approve(api, [ana])
    await set_approvals(api, enabled=True)
    bill_id = await api.bill("PO-1", {1: "8"})
    assert (await ana.approve(bill_id)).status_code == 200
    first = await api.arrived(bill_id)
    assert (await api.post(f"/v1/bills/{bill_id}/retract", {"reason": "wrong cost centre"})).status_code == 200
    back = await api.bill_is(bill_id, "awaiting_approval")
    assert (back["approval"], back["approved_at"], back["document_id"]) == ("assigned", None, None)
    assert company.held("vendor_invoices") == []
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "0", "e": "0", "p": "8"}, *"orep")
    assert (await ana.approve(bill_id)).status_code == 200
    again = await api.arrived(bill_id)
    assert again["external_key"] == f"{first['external_key']}-2"
    assert [invoice["number"] for invoice in company.held("vendor_invoices")] == [again["external_key"]]
    assert ledger(await api.order("PO-1")) == TAKEN
    kinds = [event["kind"] for event in again["events"]]
    assert [kind for kind in kinds if kind.startswith("retract")] == ["retraction_requested", "retracted"]


async def test_what_stands_in_the_way_is_shown_before_and_refused_with_the_way_out(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-07: a bill with a payment is not taken back; voided, it is. Approvals are off, so nothing is sent back."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    refused(await api.post(f"/v1/bills/{bill['id']}/retract", {"reason": "x"}), 409, "SENDING_BACK_NEEDS_APPROVALS")
    payment_id = await api.pay(bill["id"], "10.00")
    await api.payment_is(payment_id, "paid")
    paid = await api.bill_is(bill["id"], "partially_paid")
    (delete,) = [one for one in paid["actions"] if one["action"] == "delete"]
    assert (delete["possible"], [one["code"] for one in delete["obstacles"]]) == (False, ["BILL_HAS_PAYMENTS"])
    problem = refused(await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"}), 409, "BILL_HAS_PAYMENTS")
    assert "void" in problem["fix"][0]
    company.does("void_payment", record_no=(await api.get(f"/v1/payments/{payment_id}"))["erp_id"])
    await api.sync()
    await api.bill_is(bill["id"], "synced")
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")


async def test_what_the_erp_refuses_waits_for_a_person_and_heals_when_it_is_deleted_there(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-07: the company's policy forbids it; a person abandons, asks again, and deletes it there by hand."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.does("set_definition", name="Vendor Invoice", fields={"DELTYPE": "Never"})
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    issue = await api.issue("DELETION_REFUSED")
    await api.settle(issue, "abandon")
    await api.bill_is(bill["id"], "synced")
    assert ledger(await api.order("PO-1")) == TAKEN
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "x"})).status_code == 200
    await api.issue("DELETION_REFUSED")
    company.does("set_definition", name="Vendor Invoice", fields={"DELTYPE": "All"})
    company.does("delete", kind="vendor_invoice", number=bill["external_key"])
    await api.sync()
    await api.bill_is(bill["id"], "disputed")
    assert await api.issues() == []
    assert ledger(await api.order("PO-1")) == FREE


async def test_a_reconciled_vendor_invoice_waits_for_a_person(api: StackClient, company: SandboxCompany) -> None:
    """S5-07: whether it is reconciled is unknown until it is tried; abandoned, it stays in Intacct, and in E."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    (plan,) = [one for one in bill["actions"] if one["action"] == "delete"]
    assert "BILL_RECONCILED" in [one["code"] for one in plan["unknown_until_tried"]]
    company.switch(reconciled_bills=True)
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    await api.settle(await api.issue("BILL_RECONCILED"), "abandon")
    await api.bill_is(bill["id"], "synced")
    assert len(company.held("vendor_invoices")) == 1
    assert ledger(await api.order("PO-1")) == TAKEN


async def test_an_edit_of_a_vendor_invoice_is_refused_by_name_while_unpaid_bills_are_reversed(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-36: nothing changes there; once reversals are off, the retry sends it."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.switch(unpaid_bill_reversal=True, edits_with_reversal="refuse")
    assert (await api.patch(f"/v1/bills/{bill['id']}", {"memo": "agreed"}, role="clerk")).status_code == 200
    issue = await api.issue("EDITS_NEED_REVERSALS_OFF")
    (invoice,) = company.held("vendor_invoices")
    assert invoice["memo"] != "agreed"
    company.switch(unpaid_bill_reversal=False)
    await api.settle(issue, "retry")

    async def there() -> bool:
        return bool(company.held("vendor_invoices")[0]["memo"] == "agreed")

    await api.until(there, "the edit in Intacct")
    assert ledger(await api.order("PO-1")) == TAKEN


async def test_what_intacct_does_not_let_be_deleted_is_credited(api: StackClient, company: SandboxCompany) -> None:
    """S5-07, S5-10: a debit memo of today, applied without money; the order's quantity stays billed there, and so it is
    shown before. The ledger is right before, between and after."""
    company.order("PO-1")
    await api.start()
    company.does("set_definition", name="Vendor Invoice", fields={"DELTYPE": "Never"})
    answer = await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"order_bills": "credit"})
    assert answer.status_code == 200, answer.text
    bill = await api.billed("PO-1", {1: "8"})
    plans = {one["action"]: one for one in bill["actions"]}
    delete = plans["delete"]
    assert (delete["way"], delete["dated"], delete["frees_quantity"]) == ("credit", today().isoformat(), False)
    company.breaks("lost_answer", "create_apadjustment")
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "withdrawn"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")
    assert company.fired("lost_answer") == 1
    (memo,) = company.held("adjustments")
    assert (memo["number"], memo["reference"]) == (f"{bill['external_key']}-R", bill["number"])
    (payable,) = company.held("bills")
    assert amounts(memo, "due") == amounts(payable, "due") == (0,)
    (application,) = company.held("payments")
    assert (application["bank_account"], amounts(application, "amount")) == ("", (0,))
    assert ledger(await api.order("PO-1")) == TAKEN
    await api.sync()
    assert len(await api.items("/v1/bills")) == 1
    assert await api.items("/v1/payments") == []
    assert ledger(await api.order("PO-1")) == TAKEN
    assert await api.issues() == []


@pytest.mark.parametrize("sources", first_of("converted", "open"))
@pytest.mark.parametrize("numbers", first_of("accept", "refuse"))
async def test_a_credited_bill_that_is_approved_again_is_a_new_one_and_the_ledger_is_right_throughout(
    api: StackClient, company: SandboxCompany, whole_settings: Environment, sources: str, numbers: str
) -> None:
    """S5-10, S5-11: Intacct converts a source once. What the credit leaves billed stays in E, and the next generation
    stands beside the order; where a credit opens the source again, it is converted again. It is paid like any other."""
    company.switch(credited_sources=sources, same_vendor_number=numbers)
    company.order("PO-1", "8")
    await api.start()
    ana = await person(api, whole_settings.database_url, "Ana")
    await let_approve(api, [ana])
    await set_approvals(api, enabled=True)
    answer = await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"order_bills": "credit"})
    assert answer.status_code == 200, answer.text
    bill_id = await api.bill("PO-1", {1: "8"})
    assert (await ana.approve(bill_id)).status_code == 200
    first = await api.arrived(bill_id)
    whole = amounts({"o": "8", "r": "0", "e": "8", "p": "0"}, *"orep")
    assert ledger(await api.order("PO-1")) == whole
    assert (await api.post(f"/v1/bills/{bill_id}/retract", {"reason": "wrong cost centre"})).status_code == 200
    await api.bill_is(bill_id, "awaiting_approval")
    pending = amounts({"o": "8", "r": "0", "e": "0", "p": "8"}, *"orep")
    between = whole if sources == "converted" else pending
    assert ledger(await api.order("PO-1")) == between
    await api.sync()
    assert ledger(await api.order("PO-1")) == between
    assert (await api.read_bill(bill_id))["status"] == "awaiting_approval"
    company.breaks("lost_answer", "create_potransaction")
    assert (await ana.approve(bill_id)).status_code == 200
    again = await api.arrived(bill_id)
    assert company.fired("lost_answer") == 1
    assert (again["external_key"], again["generation"]) == (f"{first['external_key']}-2", 2)
    assert ledger(await api.order("PO-1")) == whole
    invoices = {one["number"]: one for one in company.held("vendor_invoices")}
    assert list(invoices) == [first["external_key"], again["external_key"]]
    source = "Purchase Order-PO-1" if sources == "open" else ""
    assert invoices[again["external_key"]]["created_from"] == source
    sent = first["number"] if numbers == "accept" else f"{first['number']}-2"
    assert invoices[again["external_key"]]["vendor_number"] == sent
    await api.sync()
    (shown,) = await api.items("/v1/bills")
    assert (shown["number"], shown["status"]) == (first["number"], "synced")
    assert await api.issues() == []
    assert ledger(await api.order("PO-1")) == whole
    await api.payment_is(await api.pay(bill_id, again["due"]), "paid")
    assert [amounts(one, "due") for one in company.held("bills")] == [(0,), (0,)]


async def test_what_a_credit_keeps_billed_is_not_billed_by_others_nor_changed(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-08: disputed, its quantity stays in E, so nothing else takes it; other quantities or another order are
    refused with the reason, its price may be corrected, and restored it is one bill beside the order."""
    company.orders("PO-1", "PO-2")
    await api.start()
    await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"order_bills": "credit"})
    bill = await api.billed("PO-1", {1: "8"})
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "price"})).status_code == 200
    await api.bill_is(bill["id"], "disputed")
    assert ledger(await api.order("PO-1")) == TAKEN
    assert (await api.enter("PO-1", {1: "3"})).json()["match"]["outcome"] != "PASS", "only two are left"
    path = f"/v1/purchase-orders/{{}}/bills/{bill['id']}"
    body = {"number": bill["number"], "bill_date": bill["bill_date"], "acknowledge": ["DUPLICATE_SUSPECT"]}
    orders = {number: (await api.order(number))["id"] for number in ("PO-1", "PO-2")}
    less = {**body, "lines": [{"order_line_no": 1, "quantity": "7"}]}
    same = {**body, "lines": [{"order_line_no": 1, "quantity": "8", "price": "12.40"}]}
    refused(await api.post(path.format(orders["PO-1"]), less, role="clerk"), 409, "QUANTITY_STAYS_BILLED")
    refused(await api.post(path.format(orders["PO-2"]), same, role="clerk"), 409, "QUANTITY_STAYS_BILLED")
    refused(await api.post(f"/v1/bills/{bill['id']}/unlink", {}, role="clerk"), 409, "QUANTITY_STAYS_BILLED")
    corrected = await api.post(path.format(orders["PO-1"]), same, role="clerk")
    assert corrected.status_code == 200, corrected.text
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "agreed"})).status_code == 200
    anew = await api.arrived(bill["id"])
    assert amounts(anew, "total") == amounts({"total": "99.20"}, "total")
    assert [one["created_from"] for one in company.held("vendor_invoices")] == ["Purchase Order-PO-1", ""]
    assert ledger(await api.order("PO-1")) == TAKEN
