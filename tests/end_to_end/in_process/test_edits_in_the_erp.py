"""What people do in Intacct to documents we made or count on."""

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


async def test_an_edited_vendor_invoice_is_paid_under_its_new_number(api: StackClient, company: SandboxCompany) -> None:
    """S5-136, S4-26: saving the invoice makes Intacct replace the bill behind it; ours stays one bill."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.does("edit_vendor_invoice", number=bill["external_key"], memo="checked")
    (owed,) = company.held("bills")
    assert owed["record_no"] != bill["payable_id"]
    await api.sync()
    after = await api.read_bill(bill["id"])
    assert (after["status"], after["payable_id"]) == ("synced", owed["record_no"])
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    assert amounts(company.one("bills", record_no=owed["record_no"]), "due") == (0,)
    assert len(await api.items("/v1/bills")) == 1
    assert await api.issues() == []


async def test_it_is_paid_even_when_no_sync_ran_in_between(api: StackClient, company: SandboxCompany) -> None:
    """S4-26: the record number we know is gone, the payment finds the new one."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.does("edit_vendor_invoice", number=bill["external_key"], memo="checked")
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    (owed,) = company.held("bills")
    assert amounts(owed, "due") == (0,)
    await api.bill_is(bill["id"], "paid")


async def test_another_price_in_the_erp_counts(api: StackClient, company: SandboxCompany) -> None:
    """S2-87, S4-60, S4-74: the ERP is the system of record for a synced bill; what is due follows it."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.does("edit_vendor_invoice", number=bill["external_key"], line=1, price="13.00")
    await api.sync()
    bill = await api.read_bill(bill["id"])
    assert amounts(bill, "total", "due") == (104, 104)
    await api.payment_is(await api.pay(bill["id"], "104.00"), "paid")
    await api.bill_is(bill["id"], "paid")
    (owed,) = company.held("bills")
    assert amounts(owed, "due") == (0,)


async def test_a_bill_deleted_in_the_erp_is_told_and_may_be_made_anew(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-25, S1-26: its quantity is free again, so the new bill goes through."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "10"})
    company.does("delete", kind="vendor_invoice", number=bill["external_key"])
    await api.sync()
    assert (await api.bill_is(bill["id"], "deleted"))["payable_id"] is None
    (notice,) = [one for one in await api.items("/v1/notices") if one["code"] == "DELETED_IN_ERP"]
    assert bill["number"] in notice["message"]
    assert await api.issues() == [], "nobody has anything to settle"
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "0", "e": "0", "p": "0"}, *"orep")
    anew = await api.billed("PO-1", {1: "10"}, number=bill["number"])
    assert [invoice["number"] for invoice in company.held("vendor_invoices")] == [anew["external_key"]]


async def test_an_order_cut_below_what_was_billed(api: StackClient, company: SandboxCompany) -> None:
    """S4-28, S5-86: nothing more may be billed, and nobody is told a negative rest."""
    company.order("PO-1")
    await api.start()
    await api.billed("PO-1", {1: "4"})
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="4")
    await api.sync()
    assert ledger(await api.order("PO-1")) == amounts({"o": "4", "r": "0", "e": "4", "p": "0"}, *"orep")
    problem = refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")
    assert "take this line off the bill" in problem["fix"]
    await api.billed("PO-1", {2: "5"})
    await api.order_is("PO-1", "filled")


async def test_reads_that_lag_behind_undo_nothing(api: StackClient, company: SandboxCompany) -> None:
    """S4-60, S4-67: a page that shows the state of a minute ago does not take back what was seen since."""
    company.order("PO-1")
    await api.start()
    first = await api.billed("PO-1", {1: "4"})
    company.does("edit_vendor", vendor_id="V-1", name="Vendor Uno")
    company.switch(read_lag_seconds=60)
    await api.sync()
    order = await api.order("PO-1")
    assert (order["status"], ledger(order)[2]) == ("partially_filled", 4)
    assert (await api.read_bill(first["id"]))["status"] == "synced"
    company.switch(read_lag_seconds=0)
    await api.sync()
    await api.billed("PO-1", {1: "6"})
    assert await api.issues() == []


async def test_a_closed_order_takes_no_more_bills(api: StackClient, company: SandboxCompany) -> None:
    """S4-59, S4-23."""
    company.order("PO-1")
    await api.start()
    await api.billed("PO-1", {1: "4"})
    company.does("close", number="PO-1")
    await api.sync()
    assert (await api.order("PO-1"))["status"] == "closed"
    problem = refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")
    assert "PO_CLOSED" in [finding["code"] for finding in problem["match"]["findings"]]
    company.does("reopen", number="PO-1")
    await api.sync()
    await api.billed("PO-1", {1: "1"})


async def test_the_erp_refuses_what_was_billed_there_meanwhile(api: StackClient, company: SandboxCompany) -> None:
    """S4-72: somebody converts the order between our sync and our bill; a person decides, nothing is lost."""
    company.order("PO-1")
    await api.start()
    company.does("convert_to_vendor_invoice", number="PO-1", invoice_number="VI-1", lines=[{"line": 1}])
    bill_id = await api.bill("PO-1", {1: "10"})
    await api.bill_is(bill_id, "sync_issue")
    (issue,) = await api.issues()
    assert (issue["subject_kind"], issue["subject_id"]) == ("bill", bill_id)
    assert issue["fix"]
    await api.settle(issue, "abandon")
    await api.bill_is(bill_id, "abandoned")
    await api.sync()
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "0", "e": "10", "p": "0"}, *"orep")
    assert [invoice["number"] for invoice in company.held("vendor_invoices")] == ["VI-1"]
    assert await api.issues() == []


@pytest.mark.parametrize(
    ("mode", "state", "left"),
    [("Leave Transaction Open", "Partially Converted", 6), ("Close Transaction", "Closed", 0)],
)
async def test_leaving_open_or_closing_after_a_part(
    api: StackClient, company: SandboxCompany, mode: str, state: str, left: int
) -> None:
    """S5-24, S5-26."""
    company.does("set_conversion_mode", mode=mode)
    company.order("PO-1", "10")
    await api.start()
    await api.billed("PO-1", {1: "4"})
    order = await api.order("PO-1")
    assert order["erp_status"] == company.one("purchase_orders", number="PO-1")["state"] == state
    assert order["status"] == ("closed" if state == "Closed" else "partially_filled")
    if left:
        await api.billed("PO-1", {1: str(left)})
        assert (await api.order("PO-1"))["status"] == "filled"
    else:
        refused(await api.enter("PO-1", {1: "6"}), 422, "MATCH_BLOCKED")
    assert await api.issues() == []


async def test_a_back_order_carries_on(api: StackClient, company: SandboxCompany) -> None:
    """S5-25: the rest is a new document; what was billed before follows the chain, and billing the closed original is
    refused with the number of the one that goes on."""
    company.does("set_conversion_mode", mode="Close Original and Create Back Order")
    company.order("PO-1", "10")
    await api.start()
    await api.billed("PO-1", {1: "4"})
    assert (await api.order("PO-1"))["status"] == "closed"
    await api.sync()
    (number,) = await api.numbers() - {"PO-1"}
    back = await api.order(number)
    assert (back["created_from"], back["erp_status"], back["status"]) == ("Purchase Order-PO-1", "Pending", "unfilled")
    (line,) = back["lines"]
    assert amounts(line, "quantity", "ordered", "billed", "remaining") == (6, 10, 4, 6)
    problem = refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")
    assert number in str(problem["fix"]) + problem["detail"]
    refused(await api.enter(number, {1: "7"}), 422, "MATCH_BLOCKED")
    rest = await api.billed(number, {1: "6"})
    assert company.one("vendor_invoices", number=rest["external_key"])["reference"] == number
    last = (await api.order(number))["lines"][0]
    assert amounts(last, "ordered", "billed", "remaining") == (10, 10, 0)
    assert Decimal(sum(Decimal(invoice["total"]) for invoice in company.held("vendor_invoices"))) == 125
    assert await api.issues() == []
