"""A sample of `docs/reference/changes-in-the-erp.md` on the whole stack: what people do in QuickBooks meanwhile.

Real: everything but the PC, which is the sandbox; its Web Connector calls the door over HTTP.
"""

from decimal import Decimal
from typing import Any

from tests.end_to_end.in_process.meanwhile import codes
from tests.harness.desktop_company import connect
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts, ledger


async def in_review(api: StackClient, company: SandboxCompany) -> str:
    """A bill of four at 13.00 of an order of ten at 12.50: it waits for an acknowledgement."""
    company.order("PO-1", "10")
    await connect(api)
    line: dict[str, Any] = {"order_line_no": 1, "quantity": "4", "price": "13.00"}
    created = (await api.enter("PO-1", {}, lines=[line])).json()
    assert created["bill"]["status"] == "awaiting_acknowledgement"
    return str(created["bill"]["id"])


async def nothing_is_open(api: StackClient) -> None:
    """No issue is left: what follows a sync may ask QuickBooks once more."""

    async def so() -> bool:
        return await api.issues() == []

    await api.until(so, "no open issue")


async def goes_on(api: StackClient, bill_id: str) -> None:
    """Its cause is gone: the bill waits for what it waited for, and goes out."""
    await api.bill_is(bill_id, "awaiting_acknowledgement")
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    await nothing_is_open(api)


async def test_in_review_while_the_rest_is_billed_there(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: two are left to bill, not four; deleted there, it is as it was."""
    bill_id = await in_review(api, company)
    theirs = company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "8"}])
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert await codes(api, bill_id) == {"QTY_OVER_CEILING", "PRICE_DIFFERS"}
    company.does("delete", kind="bill", record_no=theirs["record_no"])
    await api.sync()
    await goes_on(api, bill_id)


async def test_in_review_while_the_order_is_closed_and_reopened(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: a closed order takes no bill."""
    bill_id = await in_review(api, company)
    company.does("close", number="PO-1")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert "PO_CLOSED" in await codes(api, bill_id)
    company.does("reopen", number="PO-1")
    await api.sync()
    await goes_on(api, bill_id)


async def test_in_review_while_the_order_is_cut_and_put_back(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: four of three ordered are held."""
    bill_id = await in_review(api, company)
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="3")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="10")
    await api.sync()
    await goes_on(api, bill_id)


async def test_on_its_way_while_the_goods_are_received(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: an item receipt owes and stocks already; the bill is held until it is gone, and then it goes out."""
    company.order("PO-1", "10")
    await connect(api)
    company.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    bill_id = await api.bill("PO-1", {1: "4"})
    issue = await api.issue("RECEIVED_BY_ITEM_RECEIPT")
    assert company.held("bills") == []
    company.does("delete", kind="receipt", number="R-1")
    await api.sync()
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    (held,) = company.held("bills")
    assert [Decimal(line["quantity"]) for line in held["lines"]] == [4]
    await nothing_is_open(api)


async def test_refused_while_a_person_turns_the_receipt_into_the_bill(
    api: StackClient, company: SandboxCompany
) -> None:
    """Issue 12: that bill is ours, by number, vendor and order; nothing is owed twice."""
    company.order("PO-1", "10")
    await connect(api)
    company.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    bill_id = await api.bill("PO-1", {1: "4"}, number="INV-R")
    issue = await api.issue("RECEIVED_BY_ITEM_RECEIPT")
    owed = [row for row in company.held("ledger") if row["book"] == "payable"]
    converted = company.does("enter_bill_for_receipt", number="R-1", invoice_number="INV-R")
    await api.settle(issue, "retry")
    bill = await api.arrived(bill_id)
    assert bill["document_id"] == converted["record_no"]
    assert len(company.held("bills")) == 1
    assert [row for row in company.held("ledger") if row["book"] == "payable"] == owed
    await api.sync()
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    await nothing_is_open(api)


async def test_a_bill_deleted_there(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: nothing is billed any more, and the order takes the next one."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "10"})
    company.does("delete", kind="bill", number=bill["number"])
    await api.sync()
    await api.bill_is(bill["id"], "deleted")
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 0)
    await api.billed("PO-1", {1: "10"})
    assert ledger(await api.order("PO-1")) == (10, 0, 10, 0)


async def test_a_bill_edited_there_beyond_the_order(api: StackClient, company: SandboxCompany) -> None:
    """B3, B13: taken over, and one issue of the order, which closes when the bill is put right there."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    company.does("edit_bill", number=bill["number"], line=1, price="13.00")
    await api.sync()
    assert Decimal((await api.read_bill(bill["id"]))["total"]) == 52
    assert (await api.issue("MATCH_WORSE"))["subject_kind"] == "purchase_order"
    company.does("edit_bill", number=bill["number"], line=1, price="12.50")
    await api.sync()
    await nothing_is_open(api)


async def test_our_payment_voided_there(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: the bill is due again, and is paid once more."""
    company.order("PO-1", "10")
    await connect(api)
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


async def test_enhanced_receiving_switched_on_there(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: every bill gets a receipt at once; nothing is billed twice, and what is open is billed as before."""
    company.order("PO-1", "10")
    await connect(api)
    await api.billed("PO-1", {1: "4"})
    company.does("enable_enhanced_receiving")
    await api.sync()
    assert ledger(await api.order("PO-1"))[2:] == (4, 0)
    await api.billed("PO-1", {1: "6"})
    await api.sync()
    assert ledger(await api.order("PO-1"))[2:] == (10, 0)
    assert sum(Decimal(line["quantity"]) for bill in company.held("bills") for line in bill["lines"]) == 10
    await nothing_is_open(api)
