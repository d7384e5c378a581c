"""Bills without a purchase order, from the API to Intacct's books: once, approved and paid like any other."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from settings import Settings
from tests.harness.account_lines import POWER, RENT, furnish
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger, refused


async def test_a_bill_without_an_order_reaches_accounts_payable_and_is_paid(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-28, S5-60, S5-66..68: an AP bill with its accounts, dimensions, texts and terms, once; paid like any other."""
    furnish(company)
    await api.start()
    bill_id = await api.direct_bill([RENT, POWER], number="RENT-12", memo="December", total="1280.50")
    bill = await api.arrived(bill_id)
    assert (bill["status"], bill["purchase_order_id"], bill["direct"]) == ("synced", None, True)
    held = company.one("bills", number="RENT-12")
    assert (held["module"], held["vendor_id"], held["entity"], held["state"]) == ("3.AP", "V-1", "100", "Posted")
    assert held["due_date"] == f"{today() + timedelta(days=30):%m/%d/%Y}"
    assert [(line["account"], Decimal(line["amount"]), line["description"]) for line in held["lines"]] == [
        ("6600", Decimal("1200.00"), "Rent"),
        ("6700", Decimal("80.50"), "Power"),
    ]
    assert held["memo"] == f"December [{bill['external_key']}]"
    assert bill["payable_id"] == held["record_no"]
    await api.payment_is(await api.pay(bill_id, "80.50"), "paid")
    await api.bill_is(bill_id, "partially_paid")
    await api.payment_is(await api.pay(bill_id, "1200.00"), "paid")
    bill = await api.bill_is(bill_id, "paid")
    held = company.one("bills", number="RENT-12")
    assert (held["state"], amounts(held, "paid", "due")) == ("Paid", (Decimal("1280.50"), 0))
    await api.sync()
    assert (await api.read_bill(bill_id))["memo"] == "December"
    assert len([one for one in await api.items("/v1/bills") if one["number"] == "RENT-12"]) == 1
    assert await api.issues() == []


async def test_a_lost_answer_makes_no_second_bill(api: StackClient, company: SandboxCompany) -> None:
    """S5-60, DESIGN 5: committed in Intacct, unknown here; found by our key and adopted."""
    furnish(company)
    await api.start()
    company.breaks("lost_answer", "create_bill")
    bill = await api.arrived(await api.direct_bill([RENT], number="RENT-1"))
    assert company.fired("lost_answer") == 1
    assert company.one("bills", number="RENT-1")["record_no"] == bill["payable_id"]


async def test_a_line_without_an_account_goes_to_the_expense_account(api: StackClient, company: SandboxCompany) -> None:
    """S2-61, S2-62: refused while none is named, and the answer says where the line goes."""
    furnish(company)
    await api.start()
    line = {"amount": "10.00", "location": "100"}
    problem = refused(await api.enter_direct([line]), 422, "ACCOUNT_MISSING")
    assert "expense_account" in problem["detail"]
    await api.prefer(expense_account="9999")
    answer = await api.enter_direct([line], number="SUNDRY-1")
    assert answer.status_code == 201, answer.text
    assert [notice["code"] for notice in answer.json()["notices"]] == ["EXPENSE_ACCOUNT_USED"]
    await api.arrived(answer.json()["bill"]["id"])
    (sent,) = company.one("bills", number="SUNDRY-1")["lines"]
    assert sent["account"] == "9999"
    refused(await api.enter_direct([{**line, "account": "1"}]), 422, "ACCOUNT_UNKNOWN")


async def test_the_expense_account_is_one_of_expenses_and_the_rule_is_said(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-61, S2-62: Intacct has no type for it, so the refusal and the set-up check both say what counts as one."""
    furnish(company)
    wrong = {"2000": ("balancesheet", "credit"), "4000": ("incomestatement", "credit")}
    company.load(
        accounts=[
            {"account_no": number, "title": number, "account_type": kind, "normal_balance": balance}
            for number, (kind, balance) in wrong.items()
        ]
    )
    await api.start()
    rule = "an income statement account whose normal balance is debit"
    for number in wrong:
        answer = await api.prefer(expense_account=number)
        (problem,) = answer["problems"]
        assert (answer["complete"], problem["code"], problem["preference"]) == (
            False,
            "ACCOUNT_WRONG_TYPE",
            "expense_account",
        )
        assert rule in problem["message"]
    assert (await api.prefer(expense_account="9999"))["complete"]
    checks = (await api.post(f"/v1/connections/{api.connection_id}/checks")).json()["items"]
    (check,) = [one for one in checks if one["code"] == "EXPENSE_ACCOUNT"]
    assert check["state"] == "pass"
    assert rule in check["why"]


async def test_without_a_due_date_and_a_term_it_is_held(api: StackClient, company: SandboxCompany) -> None:
    """W1: Intacct takes no such bill, and the bill date is nobody's due date; the date that somebody gives releases
    it."""
    furnish(company)
    company.does("edit_vendor", vendor_id="V-1", term="")
    await api.start()
    answer = await api.enter_direct([RENT], number="RENT-2")
    assert answer.json()["bill"]["status"] == "on_hold", answer.text
    assert [finding["code"] for finding in answer.json()["needs"]["fix"]] == ["DUE_DATE_MISSING"]
    bill_id = answer.json()["bill"]["id"]
    due = today() + timedelta(days=10)
    assert (await api.patch(f"/v1/bills/{bill_id}", {"due_date": due.isoformat()})).status_code == 200
    await api.arrived(bill_id)
    assert company.one("bills", number="RENT-2")["due_date"] == f"{due:%m/%d/%Y}"


async def test_a_term_alone_is_sent_by_its_name_and_the_due_date_comes_back(
    api: StackClient, company: SandboxCompany
) -> None:
    """W1: of a term that we cannot count by, the ERP's own date is shown."""
    company.load(terms=[{"term": "EOM", "days": "45", "description": "end of month"}])
    furnish(company, term="EOM")
    company.does("edit_master", object="APTERM", key="EOM", fields={"DUEFROM": "end of month of bill date"})
    await api.start()
    bill = await api.arrived(await api.direct_bill([RENT], number="RENT-3"))
    assert bill["due_date"] == (today() + timedelta(days=45)).isoformat()


async def test_a_line_off_the_order_goes_out_as_the_item_of_its_account(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-28: freight that nobody ordered, on an order's bill: refused without an item, looked at, sent, not linked."""
    furnish(company)
    company.order("PO-1")
    company.load(items=[{"item_id": "FREIGHT-IN", "name": "Freight in", "item_type": "Non-Inventory", "unit": "Each"}])
    await api.start()
    freight = {"off_order": True, "account": "7000", "amount": "5.00", "description": "Freight"}
    lines = [{"order_line_no": 1, "quantity": "8"}, freight]
    problem = refused(await api.enter("PO-1", {}, lines=lines), 422, "ACCOUNT_ITEM_MISSING")
    assert "account_item.7000" in problem["detail"]
    await api.prefer(**{"account_item.7000": "FREIGHT-IN"})
    answer = await api.enter("PO-1", {}, lines=lines)
    assert answer.status_code == 201, answer.text
    assert [notice["code"] for notice in answer.json()["notices"]] == ["ACCOUNT_LINE_AS_ITEM"]
    assert [finding["code"] for finding in answer.json()["needs"]["acknowledge"]] == ["OFF_ORDER"]
    bill_id = answer.json()["bill"]["id"]
    await api.acknowledge(bill_id)
    bill = await api.arrived(bill_id)
    assert [(line["off_order"], line["item_id"], line["account"]) for line in bill["lines"]] == [
        (False, "ITEM-1", None),
        (True, "FREIGHT-IN", "7000"),
    ]
    (invoice,) = company.held("vendor_invoices")
    assert [(line["item_id"], Decimal(line["amount"]), bool(line["source_line"])) for line in invoice["lines"]] == [
        ("ITEM-1", 100, True),
        ("FREIGHT-IN", 5, False),
    ]
    assert Decimal(invoice["total"]) == 105
    much = [{"order_line_no": 2, "quantity": "5"}, {**freight, "amount": "10.00"}]
    held = await api.enter("PO-1", {}, lines=much)
    assert [finding["code"] for finding in held.json()["needs"]["release"]] == ["OFF_ORDER"], held.text
    assert await api.issues() == []


async def test_all_of_it_is_corrected_until_it_is_sent(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S1-24, S1-28: number, vendor, dates, lines, accounts and amounts; an approval that was given is
    withdrawn, and the books hold what was approved then. What was sent is not corrected."""
    furnish(company)
    company.load(vendors=[{"vendor_id": "V-9", "name": "The right one", "term": "Net 30"}])
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    eve = await person(api, whole_settings.database_url, "Eve")
    await let_approve(api, [ben], [eve])
    await set_approvals(api, enabled=True)
    bill_id = await api.direct_bill([RENT], number="RENT-1")
    assert (await ben.approve(bill_id)).status_code == 200
    due = today() + timedelta(days=40)
    body = {
        "connection_id": api.connection_id,
        "vendor_id": "V-9",
        "number": "RENT-2",
        "bill_date": (today() - timedelta(days=3)).isoformat(),
        "due_date": due.isoformat(),
        "lines": [POWER, {**RENT, "amount": "900.00"}],
    }
    unknown = {**body, "lines": [{**RENT, "account": "1"}]}
    refused(await api.post(f"/v1/bills/{bill_id}", unknown), 422, "ACCOUNT_UNKNOWN")
    answer = await api.post(f"/v1/bills/{bill_id}", body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["bill"]["status"], answer.json()["bill"]["total"]) == ("awaiting_approval", "980.50")
    bill = await api.read_bill(bill_id)
    assert (bill["approval"], bill["number"], bill["vendor_id"]) == ("assigned", "RENT-2", "V-9")
    edited = next(event for event in bill["events"] if event["kind"] == "edited")
    assert (edited["before"]["number"], edited["after"]["number"]) == ("RENT-1", "RENT-2")
    for one in (ben, eve):
        assert (await one.approve(bill_id)).status_code == 200
    await api.arrived(bill_id)
    sent = company.one("bills", number="RENT-2")
    assert (sent["vendor_id"], sent["due_date"]) == ("V-9", f"{due:%m/%d/%Y}")
    assert [(line["account"], Decimal(line["amount"])) for line in sent["lines"]] == [
        ("6700", Decimal("80.50")),
        ("6600", Decimal("900.00")),
    ]
    refused(await api.post(f"/v1/bills/{bill_id}", body), 409, "EDIT_IN_ERP")
    assert [one["number"] for one in company.held("bills")] == ["RENT-2"]


async def test_before_approval_it_is_a_draft_that_the_approval_releases(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S5-06, S2-58: only with purchase orders off; a Draft there, not paid; approved, it is posted and paid."""
    furnish(company)
    await api.start()
    asked = {"enabled": True, "push_when": "before_approval", "only_approved": False}
    path = f"/v1/connections/{api.connection_id}/approvals"
    refused(await api.put(path, asked), 409, "PUSH_BEFORE_APPROVAL_NOT_OFFERED")
    await api.match("two_way", enabled=False)
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, **asked)
    bill_id = await api.direct_bill([RENT], number="RENT-9")
    bill = await api.arrived(bill_id)
    assert (bill["status"], bill["approval"]) == ("synced", "assigned")
    assert company.one("bills", number="RENT-9")["state"] == "Draft"
    early = {"amount": "1200.00", "pay_on": today().isoformat()}
    refused(await api.post(f"/v1/bills/{bill_id}/payments", early, role="accountant"), 409, "BILL_NOT_APPROVED")
    approved = await ben.approve(bill_id)
    assert approved.status_code == 200, approved.text

    async def released() -> bool:
        return company.one("bills", number="RENT-9")["state"] == "Posted"

    await api.until(released, "the draft is posted")
    await api.payment_is(await api.pay(bill_id, "1200.00"), "paid")
    assert (await api.read_bill(bill_id))["edit_pending"] is False
    enabled = await api.put(f"/v1/connections/{api.connection_id}/purchase-orders", {"enabled": True})
    refused(enabled, 409, "PUSH_BEFORE_APPROVAL_NOT_OFFERED")


async def test_put_on_an_order_in_time_it_is_in_the_books_of_the_order_alone(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-28: put on one while nothing of it was sent; once it was sent, that is refused."""
    furnish(company)
    company.order("PO-1", "10")
    company.load(items=[{"item_id": "FREIGHT-IN", "name": "Freight in", "item_type": "Non-Inventory", "unit": "Each"}])
    await api.start()
    await api.prefer(**{"account_item.7000": "FREIGHT-IN"})
    company.breaks("unavailable", times=None)
    lines = [
        {"account": "6600", "amount": "50.00", "description": "Bolts"},
        {"account": "7000", "amount": "4.00", "description": "Freight"},
    ]
    first = await api.direct_bill(lines, number="INV-8")
    order = await api.order("PO-1")
    on = {"line_no": 1, "order_line_id": order["lines"][0]["order_line_id"], "quantity": "4"}
    body = {"purchase_order_id": order["id"], "lines": [on]}

    async def put() -> Any:
        answer = await api.post(f"/v1/bills/{first}/put-on-order", body, role="clerk")
        return answer if answer.status_code != 409 else None

    answer = await api.until(put, "a moment between two attempts")
    assert answer.status_code == 201, answer.text
    bill_id = answer.json()["id"]
    company.mend()
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["vendor_number"], invoice["created_from"]) == ("INV-8", "Purchase Order-PO-1")
    assert Decimal(invoice["total"]) == 54
    assert [bill["module"] for bill in company.held("bills")] != ["3.AP"]
    assert len(company.held("bills")) == 1
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    assert (await api.read_bill(first))["status"] == "abandoned"
    late = await api.arrived(await api.direct_bill(lines[:1], number="INV-9"))
    refused(await api.post(f"/v1/bills/{late['id']}/put-on-order", body, role="clerk"), 409, "LINK_IS_FINAL")
    await api.sync()
    assert await api.issues() == []
