"""A sample of `docs/reference/changes-in-the-erp.md` on the whole stack: what people do in NetSuite meanwhile."""

from decimal import Decimal

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger, refused


async def accrued(api: StackClient) -> list[Decimal]:
    report = await api.get("/v1/reports/grni", connection=api.connection_id, as_of=today().isoformat(), limit="200")
    return [Decimal(line["accrual"]) for line in report["items"]]


async def test_goods_sent_back_and_credited(api: StackClient, company: SandboxCompany) -> None:
    """B7, R01: order 5 at 10, receive 5, bill 5, return 2, credit 2: received 3, billed 3, accrual 0, an empty draft,
    and a bill of 2 warns."""
    company.switch(over_billing="accept")
    company.order("PO-1", "5", price="10.00")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "5"})
    goods = company.does("authorize_return", number=bill["number"], lines=[{"line": 1, "quantity": "2"}])
    company.does("credit_return", record_no=goods["record_no"], document_number="CM-B7")
    await api.sync()
    order = await api.order("PO-1")
    assert amounts(order["lines"][0], "received", "billed", "credited") == (3, 5, 2)
    assert await accrued(api) == []
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert draft["lines"] == []
    again = (await api.enter("PO-1", {1: "2"})).json()
    assert [one["code"] for one in again["match"]["findings"]] == ["BILLED_BEYOND_RECEIVED"]


async def test_in_review_while_the_order_is_cut_and_put_back(received: StackClient, company: SandboxCompany) -> None:
    """Four of three ordered are held; with the order as it was, the bill waits for what it waited for."""
    api = received
    line = {"order_line_no": 1, "quantity": "4", "price": "13.00"}
    created = (await api.enter("PO-1", {}, lines=[line])).json()
    bill_id = created["bill"]["id"]
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="3")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="10")
    await api.sync()
    await api.bill_is(bill_id, "awaiting_acknowledgement")
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "10", "e": "4", "p": "0"}, *"orep")
    assert await api.issues() == []


async def test_refused_for_a_line_that_is_gone_and_corrected(received: StackClient, company: SandboxCompany) -> None:
    """Removed in the same moment, which no sync has seen: refused, then on hold, and corrected it goes on by itself."""
    api = received
    company.order("PO-2", "10", "5")
    company.does("receive", number="PO-2", lines=[{"line": 2, "quantity": "5"}])
    await api.sync()
    company.does("edit_purchase_order", number="PO-2", line=1, remove=True)
    bill_id = await api.bill("PO-2", {1: "4"}, number="INV-GONE")
    assert (await api.issue("ORDER_LINE_GONE"))["subject_id"] == bill_id
    await api.sync()
    bill = await api.bill_is(bill_id, "on_hold")
    assert await api.issues() == []
    order = await api.order("PO-2")
    body = {"number": bill["number"], "bill_date": bill["bill_date"], "lines": [{"order_line_no": 1, "quantity": "5"}]}
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills/{bill_id}", body, role="clerk")
    assert answer.status_code == 200, answer.text
    await api.arrived(bill_id)
    (held,) = company.held("bills")
    assert [(line["item_id"], Decimal(line["quantity"])) for line in held["lines"]] == [("ITEM-2", 5)]


async def test_our_bill_renumbered_and_repriced_there(received: StackClient, company: SandboxCompany) -> None:
    """B2, B3, B13: number and lines follow, one issue of the order; put right there, it closes."""
    api = received
    bill = await api.billed("PO-1", {1: "4"})
    company.does("edit_bill", number=bill["number"], invoice_number="FIXED-1")
    company.does("edit_bill", number="FIXED-1", line=1, price="13.00")
    await api.sync()
    now = await api.read_bill(bill["id"])
    assert (now["number"], Decimal(now["total"])) == ("FIXED-1", 52)
    (issue,) = await api.issues()
    assert (issue["code"], issue["subject_kind"]) == ("MATCH_WORSE", "purchase_order")
    company.does("edit_bill", number="FIXED-1", line=1, price="12.50")
    await api.sync()
    assert await api.issues() == []


async def test_our_bill_rejected_there_is_not_paid(received: StackClient, company: SandboxCompany) -> None:
    """B4: NetSuite with bill approval; it was synced with 50.00 due, and its payment failed with PAYABLE_MISSING."""
    api = received
    company.switch(bill_approval=True)
    bill = await api.billed("PO-1", {1: "4"})
    company.does("reject_bill", number=bill["number"])
    await api.sync()
    (issue,) = await api.issues()
    assert issue["code"] == "BILL_REJECTED_IN_ERP"
    body = {"amount": "50.00", "pay_on": today().isoformat()}
    answer = await api.post(f"/v1/bills/{bill['id']}/payments", body, role="accountant")
    refused(answer, 409, "BILL_REJECTED_IN_ERP")
    assert company.held("payments") == []
    company.does("approve_bill", number=bill["number"])
    await api.sync()
    assert await api.issues() == []
    payment_id = await api.pay(bill["id"], "50.00")
    await api.payment_is(payment_id, "paid")


async def test_our_payment_voided_there(received: StackClient, company: SandboxCompany) -> None:
    """The bill is due again, and is paid once more."""
    api = received
    bill = await api.billed("PO-1", {1: "4"})
    payment = await api.pay(bill["id"], "50.00")
    await api.payment_is(payment, "paid")
    (held,) = company.held("payments")
    company.does("void_payment", record_no=held["record_no"])
    await api.sync()
    await api.payment_is(payment, "voided")
    assert amounts(await api.bill_is(bill["id"], "synced"), "paid", "due") == (0, 50)
    await api.payment_is(await api.pay(bill["id"], "50.00"), "paid")
    await api.bill_is(bill["id"], "paid")


async def test_an_order_that_changes_its_currency_takes_no_bill(received: StackClient, company: SandboxCompany) -> None:
    """B5: imported at USD 5.00; there it becomes EUR 4.60. It stayed active in USD, and NetSuite held EUR for it."""
    api = received
    company.order("PO-2", "10", price="5.00")
    company.does("receive", number="PO-2")
    await api.sync()
    company.does("edit_purchase_order", number="PO-2", line=1, price="4.60", currency="EUR")
    early = await api.bill("PO-2", {1: "2"}, number="EARLY")
    refusal = await api.issue("CURRENCY_REFUSED")
    assert "PO-2 is in EUR" in refusal["cause"], "nobody has read it since, so the push finds out"
    await api.sync()
    await api.bill_is(early, "on_hold")
    assert await api.issues() == []
    assert (await api.skipped())["PO-2"] == "OTHER_CURRENCY"
    problem = refused(await api.enter("PO-2", {1: "4"}), 422, "MATCH_BLOCKED")
    assert [one["code"] for one in problem["match"]["findings"]] == ["PO_NOT_BILLABLE"]
    assert company.held("bills") == []
    company.does("edit_purchase_order", number="PO-2", line=1, price="5.00", currency="USD")
    await api.sync()
    assert "PO-2" not in await api.skipped()
    assert (await api.arrived(early))["total"] == "10.00"
    bill = await api.billed("PO-2", {1: "4"})
    assert bill["total"] == "20.00"
