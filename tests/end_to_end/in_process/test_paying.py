"""Payments out, and everything that comes back: bills and payments people made in Intacct."""

from datetime import timedelta
from decimal import Decimal

from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    refused,
)


async def test_partial_then_full(api: StackClient, company: SandboxCompany) -> None:
    """S4-26, S5-33..42: what is paid and due is the same on both sides after each payment."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    assert amounts(bill, "total", "due") == (100, 100)
    first = await api.pay(bill["id"], "40.00")
    paid = await api.payment_is(first, "paid")
    bill = await api.bill_is(bill["id"], "partially_paid")
    assert amounts(bill, "paid", "due") == (40, 60)
    owed = company.one("bills", record_no=bill["payable_id"])
    assert amounts(owed, "paid", "due") == (40, 60)
    created = company.one("payments", document_number=paid["external_key"])
    assert (created["vendor_id"], created["currency"], created["bank_account"]) == ("V-1", "USD", "BOA")
    assert amounts(created, "amount") == (40,)
    assert created["date"] == f"{today():%m/%d/%Y}"
    assert [(share["bill_record_no"], Decimal(share["amount"])) for share in created["details"]] == [
        (bill["payable_id"], 40)
    ]
    await api.payment_is(await api.pay(bill["id"], "60.00"), "paid")
    bill = await api.bill_is(bill["id"], "paid")
    assert amounts(bill, "paid", "due") == (100, 0)
    owed = company.one("bills", record_no=bill["payable_id"])
    assert (owed["state"], Decimal(owed["due"])) == ("Paid", 0)
    assert len(company.held("payments")) == 2


async def test_a_payment_waits_for_its_day(api: StackClient, company: SandboxCompany) -> None:
    """S4-25: today's goes out, next week's waits, and counts as promised meanwhile."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    later = await api.pay(bill["id"], "60.00", on=today() + timedelta(days=7))
    assert (await api.read_bill(bill["id"]))["status"] == "scheduled"
    await api.payment_is(await api.pay(bill["id"], "40.00"), "paid")
    assert (await api.get(f"/v1/payments/{later}"))["status"] == "scheduled"
    assert [Decimal(payment["amount"]) for payment in company.held("payments")] == [40]
    body = {"amount": "0.01", "pay_on": today().isoformat()}
    problem = refused(await api.post(f"/v1/bills/{bill['id']}/payments", body), 422, "OVERPAYMENT")
    assert "60" in problem["detail"]
    assert f"payment/{later}" in await api.running()


async def test_a_bill_may_be_paid_before_it_reached_the_erp(api: StackClient, company: SandboxCompany) -> None:
    """S4-25, S4-26: the payment follows its bill."""
    company.order("PO-1")
    await api.start()
    company.breaks("unavailable", times=None)
    bill_id = await api.bill("PO-1", {1: "8"})
    payment = await api.pay(bill_id, "100.00")
    company.mend()
    await api.payment_is(payment, "paid")
    await api.bill_is(bill_id, "paid")
    assert len(company.held("vendor_invoices")) == len(company.held("payments")) == 1


async def test_a_lost_answer_pays_once(api: StackClient, company: SandboxCompany) -> None:
    """S4-26."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.breaks("lost_answer", "create", object="APPYMT")
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    assert company.fired("lost_answer") == 1
    assert len(company.held("payments")) == 1
    assert amounts(company.one("bills", record_no=bill["payable_id"]), "due") == (0,)


async def test_a_payment_the_erp_refuses_waits_for_a_person(api: StackClient, company: SandboxCompany) -> None:
    """S2-48, S4-26: abandoned, its money may be promised again; retried after the repair, it goes through."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.does("close_period", through=today().isoformat())
    payments = [await api.pay(bill["id"], "60.00"), await api.pay(bill["id"], "40.00")]
    for payment in payments:
        await api.payment_is(payment, "sync_issue")
    issues = {issue["subject_id"]: issue for issue in await api.issues()}
    assert {issue["subject_kind"] for issue in issues.values()} == {"payment"}
    await api.settle(issues[payments[0]], "abandon")
    await api.payment_is(payments[0], "abandoned")
    company.does("open_period")
    await api.settle(issues[payments[1]], "retry")
    await api.payment_is(payments[1], "paid")
    await api.payment_is(await api.pay(bill["id"], "60.00"), "paid")
    await api.bill_is(bill["id"], "paid")
    assert sorted(Decimal(payment["amount"]) for payment in company.held("payments")) == [40, 60]
    assert await api.issues() == []


async def test_a_payment_made_in_the_erp_comes_back(api: StackClient, company: SandboxCompany) -> None:
    """S4-26: our bill, paid there; voided there it is open again."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.does("pay_bill", record_no=bill["payable_id"], amount="30", document_number="CHK-1")
    await api.sync()
    bill = await api.bill_is(bill["id"], "partially_paid")
    assert amounts(bill, "paid", "due") == (30, 70)
    assert [(paid["origin"], paid["status"], Decimal(paid["amount"])) for paid in bill["payments"]] == [
        ("erp", "paid", 30)
    ]
    company.does("void_payment", document_number="CHK-1")
    await api.sync()
    bill = await api.bill_is(bill["id"], "synced")
    assert amounts(bill, "paid", "due") == (0, 100)
    assert [paid["status"] for paid in bill["payments"]] == ["voided"]
    # Its workflow heard of both: the whole may be paid from here.
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    await api.bill_is(bill["id"], "paid")


async def test_a_bill_whose_last_payment_was_voided_is_paid_again(api: StackClient, company: SandboxCompany) -> None:
    """S4-26, S5-33: paid whole, its story was over; voided in Intacct it goes on, edits and payments included."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    first = await api.pay(bill["id"], "100.00")
    await api.payment_is(first, "paid")
    await api.bill_is(bill["id"], "paid")
    company.does("void_payment", document_number=company.held("payments")[0]["document_number"])
    await api.sync()
    bill = await api.bill_is(bill["id"], "synced")
    assert amounts(bill, "paid", "due") == (0, 100)
    workflow_id = f"bill/{bill['id']}"

    async def goes_on() -> bool:
        return workflow_id in await api.running()

    await api.until(goes_on, "the bill's workflow to go on")
    edited = await api.patch(f"/v1/bills/{bill['id']}", {"memo": "the first cheque was lost"})
    assert edited.status_code == 200, edited.text
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    bill = await api.bill_is(bill["id"], "paid")
    assert not bill["edit_pending"]
    assert company.one("vendor_invoices", number=bill["external_key"])["memo"] == "the first cheque was lost"
    assert [held["state"] for held in company.held("payments")] == ["Void", "Complete"]


async def test_a_payment_abandoned_before_its_day_never_reaches_the_erp(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-33, S4-25: the bill is open again and paid by another payment; one payment in the ERP."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    later = await api.pay(bill["id"], "100.00", on=today() + timedelta(days=30))
    answer = await api.post(f"/v1/payments/{later}/abandon", {"reason": "paid by cheque"})
    assert (answer.status_code, answer.json()["status"]) == (200, "abandoned"), answer.text
    await api.bill_is(bill["id"], "synced")
    at_once = await api.pay(bill["id"], "100.00")
    await api.payment_is(at_once, "paid")
    await api.bill_is(bill["id"], "paid")
    (held,) = company.held("payments")
    assert held["document_number"] == "PSP-" + at_once.rpartition("_")[2][:16].upper()
    refused(await api.post(f"/v1/payments/{at_once}/abandon", {"reason": "late"}), 409, "PAYMENT_IS_IN_ERP")


async def test_bills_made_in_the_erp_come_back_linked(api: StackClient, company: SandboxCompany) -> None:
    """S4-64, S4-71, S2-85 as ruled in G8: by CREATEDFROM, or by the reference number; paid there."""
    company.orders("PO-1", "PO-2", "PO-3")
    await api.start()
    company.does("convert_to_vendor_invoice", number="PO-1", invoice_number="VI-1", vendor_number="S-1")
    company.does("add_bill", vendor_id="V-1", number="S-2", amount="125.00", po_number="PO-2", entity="100")
    company.does("add_bill", vendor_id="V-1", number="S-3", amount="10.00", entity="100")
    await api.sync()
    (converted,) = await api.bills_of("PO-1")
    assert (converted["number"], converted["origin"], converted["linked_in_erp"]) == ("S-1", "erp", True)
    assert (await api.order("PO-1"))["status"] == "filled"
    (referenced,) = await api.bills_of("PO-2")
    assert (referenced["number"], referenced["linked_in_erp"]) == ("S-2", False)
    assert await api.bills_of("PO-3") == []
    loose = [bill for bill in await api.items("/v1/bills") if bill["number"] == "S-3"]
    assert [bill["purchase_order_id"] for bill in loose] == [None]
    body = {"amount": "1.00", "pay_on": today().isoformat()}
    answer = await api.post(f"/v1/bills/{converted['id']}/payments", body)
    assert answer.status_code in (409, 422), answer.text
    company.does("pay_bill", number="S-1")
    await api.sync()
    assert (await api.bill_is(converted["id"], "paid"))["payments"][0]["origin"] == "erp"


async def test_a_vendor_invoice_behind_a_receipt_comes_in_unlinked(api: StackClient, company: SandboxCompany) -> None:
    """S1-19..22: it may be linked by hand, and is then marked to be edited by hand on both sides."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1")
    company.order("PO-2", vendor_id="V-2", vendor_name="Vendor Two")
    await api.connect(first_import_from="2020-01-01")
    await api.prefer()
    company.does("set_state", number="PO-1", state="Partially Converted")
    await api.sync()
    company.does("convert_to_vendor_invoice", receipt="RCV-1", invoice_number="VI-1", vendor_number="S-1")
    await api.sync()
    (bill,) = await api.items("/v1/bills")
    assert (bill["number"], bill["purchase_order_id"], bill["manual_both_sides"]) == ("S-1", None, False)
    other = {"purchase_order_id": (await api.order("PO-2"))["id"]}
    refused(await api.post(f"/v1/bills/{bill['id']}/link", other, role="clerk"), 422, "LINK_NOT_ALLOWED")
    order = await api.order("PO-1")
    linked = await api.post(f"/v1/bills/{bill['id']}/link", {"purchase_order_id": order["id"]}, role="clerk")
    assert linked.status_code == 200, linked.text
    assert (linked.json()["purchase_order_id"], linked.json()["manual_both_sides"]) == (order["id"], True)
    before = company.one("vendor_invoices", number="VI-1")
    edited = await api.patch(f"/v1/bills/{bill['id']}", {"memo": "as on paper"}, role="clerk")
    assert edited.status_code == 200, edited.text
    company.does("edit_vendor_invoice", number="VI-1", memo="as in the ERP")
    await api.sync()
    shown = await api.read_bill(bill["id"])
    assert (shown["memo"], shown["purchase_order_id"]) == ("as on paper", order["id"])
    assert company.one("vendor_invoices", number="VI-1")["lines"] == before["lines"]
    assert len(await api.items("/v1/bills")) == 1


async def test_one_way_reads_no_transactions(api: StackClient, company: SandboxCompany) -> None:
    """S2-52: bills and payments go out, none comes in; orders still do."""
    company.order("PO-1")
    await api.start(one_way=True)
    bill = await api.billed("PO-1", {1: "8"})
    await api.payment_is(await api.pay(bill["id"], "40.00"), "paid")
    company.does("add_bill", vendor_id="V-1", number="S-9", amount="10.00", po_number="PO-1", entity="100")
    company.does("pay_bill", record_no=bill["payable_id"], amount="10", document_number="CHK-9")
    company.order("PO-2")
    company.forget_calls()
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert [shown["id"] for shown in await api.items("/v1/bills")] == [bill["id"]]
    assert amounts(await api.read_bill(bill["id"]), "paid") == (40,)
    assert not {"APBILL", "APPYMT"} & company.calls()["by_object"].keys()


async def test_one_way_is_for_good(api: StackClient, company: SandboxCompany) -> None:
    """S2-53."""
    await api.start()
    assert (await api.prefer(one_way=True))["connection"]["one_way"] is True
    path = f"/v1/connections/{api.connection_id}/preferences"
    refused(await api.put(path, {"preferences": {}, "one_way": False}), 409, "ONE_WAY_IS_PERMANENT")
    assert (await api.connection())["one_way"] is True


async def test_payments_of_a_bill_that_an_issue_stops_wait_visibly(api: StackClient, company: SandboxCompany) -> None:
    """G11: Intacct dropped the link; payments scheduled since then name the issue they wait behind."""
    company.order("PO-1")
    await api.start()
    company.breaks("link_dropped", "create_potransaction")
    bill_id = await api.bill("PO-1", {1: "8"})
    issue = await api.issue("LINK_MISSING")
    body = {"amount": "40.00", "pay_on": today().isoformat()}
    answer = await api.post(f"/v1/bills/{bill_id}/payments", body, role="accountant")
    assert answer.status_code == 201, answer.text
    waits = {"what": "bill_issue", "sync_issue_id": issue["id"], "code": "LINK_MISSING"}
    assert answer.json()["payment"]["waits_for"] == waits
    payment_id = answer.json()["payment"]["id"]
    assert (await api.get(f"/v1/payments/{payment_id}"))["waits_for"] == waits
    assert [payment["waits_for"] for payment in (await api.read_bill(bill_id))["payments"]] == [waits]
    listed = await api.items("/v1/payments", bill=bill_id)
    assert [payment["waits_for"] for payment in listed] == [waits]
    bill = await api.read_bill(bill_id)
    company.does("delete", kind="vendor_invoice", number=bill["external_key"])
    await api.sync()
    ended = await api.payment_is(payment_id, "abandoned")
    assert ended["waits_for"] is None
    assert company.held("payments") == []


async def test_a_payment_says_what_it_waits_for(api: StackClient, company: SandboxCompany) -> None:
    """G11: its day, or its bill on the way to the ERP."""
    company.order("PO-1")
    await api.start()
    company.breaks("offline", "create_potransaction", times=None)
    bill_id = await api.bill("PO-1", {1: "8"})
    later = await api.pay(bill_id, "60.00", on=today() + timedelta(days=7))
    assert (await api.get(f"/v1/payments/{later}"))["waits_for"]["what"] == "bill_push"
    company.mend()
    await api.arrived(bill_id)
    assert (await api.get(f"/v1/payments/{later}"))["waits_for"]["what"] == "day"


async def test_a_vendor_invoice_itself_is_no_bill_here(api: StackClient, company: SandboxCompany) -> None:
    """S4-63: made there as a draft it does not come in; posted, its AP bill does, once, and no second one with it."""
    company.orders("PO-1", "PO-2")
    await api.start()
    company.does("convert_to_vendor_invoice", number="PO-1", invoice_number="VI-1", vendor_number="S-1", state="Draft")
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="VI-2", vendor_number="S-2")
    await api.sync()
    assert len(company.held("vendor_invoices")) == 2
    (bill,) = await api.items("/v1/bills")
    assert (bill["number"], bill["payable_id"]) == ("S-2", company.one("bills", number="S-2")["record_no"])
    assert (await api.order("PO-1"))["lines"][0]["billed"] == "0"
