"""Bills without a purchase order, from the API to NetSuite's books."""

from datetime import timedelta
from decimal import Decimal

from settings import Settings
from tests.harness.account_lines import furnish_netsuite
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts


async def test_a_bill_without_an_order_is_a_vendor_bill_and_is_paid(api: StackClient, company: SandboxCompany) -> None:
    """S1-28, S5-60..68: the vendor, both dates, the number and our key; lines with account, department and text; once.
    Paid like any other."""
    furnish_netsuite(company)
    await api.start()
    company.breaks("lost_answer", "add", object="vendorBill")
    bill_id = await api.direct_bill(
        [
            {"account": "6600", "amount": "1200.00", "description": "Rent"},
            {"account": "Utilities", "amount": "80.50", "description": "Power"},
        ],
        vendor_id="Vendor One",
        number="RENT-12",
        due_date=(today() + timedelta(days=45)).isoformat(),
        memo="December",
    )
    bill = await api.arrived(bill_id)
    assert (bill["status"], bill["purchase_order_id"], bill["direct"]) == ("synced", None, True)
    assert company.fired("lost_answer") == 1
    held = company.one("bills", number="RENT-12")
    assert held["vendor_id"] == "V-1"
    assert [held[name][:10] for name in ("date", "due_date")] == [
        today().isoformat(),
        (today() + timedelta(days=45)).isoformat(),
    ]
    assert (held["external_id"].casefold(), held["record_no"]) == (bill["external_key"].casefold(), bill["payable_id"])
    assert [(line["account"], Decimal(line["amount"]), line["description"]) for line in held["lines"]] == [
        ("6600", Decimal("1200"), "Rent"),
        ("6700", Decimal("80.5"), "Power"),
    ]
    await api.payment_is(await api.pay(bill_id, "1280.50"), "paid")
    await api.bill_is(bill_id, "paid")
    assert amounts(company.one("bills", number="RENT-12"), "paid", "due") == (Decimal("1280.5"), 0)
    await api.sync()
    assert await api.issues() == []


async def test_before_approval_it_is_pending_there_until_it_is_approved(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S5-06: pending approval in NetSuite, released by the approval here."""
    furnish_netsuite(company)
    await api.start()
    await api.match("two_way", enabled=False)
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True, push_when="before_approval", only_approved=False)
    line = {"account": "6600", "amount": "1200.00"}
    bill_id = await api.direct_bill([line], vendor_id="Vendor One", number="RENT-9")
    await api.arrived(bill_id)
    assert company.one("bills", number="RENT-9")["state"] == "Pending Approval"
    approved = await ben.approve(bill_id)
    assert approved.status_code == 200, approved.text

    async def released() -> bool:
        return company.one("bills", number="RENT-9")["state"] == "Open"

    await api.until(released, "the bill is open")
    await api.payment_is(await api.pay(bill_id, "1200.00"), "paid")


async def test_a_line_off_the_order_is_an_expense_line(api: StackClient, company: SandboxCompany) -> None:
    """S1-28: freight that nobody ordered: an expense of its account, beside the linked lines."""
    furnish_netsuite(company)
    company.order("PO-1")
    company.does("receive", number="PO-1")
    await api.start()
    lines = [
        {"order_line_no": 1, "quantity": "8"},
        {"off_order": True, "account": "6700", "amount": "5.00", "description": "Freight"},
    ]
    bill_id = await api.bill("PO-1", {}, lines=lines, number="INV-F")
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    lines = company.one("bills", number="INV-F")["lines"]
    assert [(line["expense"], line["account"], Decimal(line["amount"]), line["po_number"]) for line in lines] == [
        (False, None, 100, "PO-1"),
        (True, "6700", 5, None),
    ]
    assert await api.issues() == []


async def test_the_expense_account_is_one_of_expenses_and_the_rule_is_said(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-61, S2-62: by the account's type, which the refusal and the set-up check both name."""
    furnish_netsuite(company)
    company.load(accounts=[{"account_no": "1200", "title": "Stock", "account_type": "_otherCurrentAsset"}])
    await api.start()
    answer = await api.prefer(expense_account="1200")
    (problem,) = answer["problems"]
    assert (answer["complete"], problem["code"]) == (False, "ACCOUNT_WRONG_TYPE")
    assert "acctType" in problem["message"]
    taken = await api.prefer(expense_account="6600")
    assert taken["complete"], taken["problems"]
    checks = (await api.post(f"/v1/connections/{api.connection_id}/checks")).json()["items"]
    (check,) = [one for one in checks if one["code"] == "EXPENSE_ACCOUNT"]
    assert check["state"] == "pass"
    assert "acctType" in check["why"]


async def test_a_vendor_that_came_after_the_first_sync_is_found(api: StackClient, company: SandboxCompany) -> None:
    """S1-28: no vendor and no account of that name had come in when the bill was entered by their names: the lists are
    read again before it is sent, and it has NetSuite's ids."""
    await api.start()
    assert await api.items(f"/v1/connections/{api.connection_id}/lists/vendor") == []
    furnish_netsuite(company)
    bill_id = await api.direct_bill([{"account": "6000", "amount": "90.00"}], vendor_id="Vendor One", number="NEW-1")
    bill = await api.arrived(bill_id)
    held = company.one("bills", number="NEW-1")
    assert held["vendor_id"] == "V-1"
    (vendor,) = await api.items(f"/v1/connections/{api.connection_id}/lists/vendor")
    assert bill["vendor_id"] == vendor["key"]
    assert await api.issues() == []
