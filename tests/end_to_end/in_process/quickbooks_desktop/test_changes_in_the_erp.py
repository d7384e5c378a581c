"""A sample of `docs/reference/changes-in-the-erp.md` on the whole stack: what people do in QuickBooks meanwhile.

Real: everything but the PC, which is the sandbox; its Web Connector calls the door over HTTP.
"""

from decimal import Decimal

import pytest

from tests.end_to_end.in_process.quickbooks_meanwhile import STORIES, Story, nothing_is_open
from tests.harness.desktop_company import connect
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_what_people_do_there_meanwhile(api: StackClient, company: SandboxCompany, story: Story) -> None:
    """Issue 12, B3, B13: each with its end on both sides."""
    await story(api, company, connect)


async def test_on_its_way_while_the_goods_are_received(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: an item receipt owes and stocks already; the bill is held until it is gone, and then it goes out."""
    company.order("PO-1", "10")
    await connect(api)
    company.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.issue("RECEIVED_BY_ITEM_RECEIPT")
    assert company.held("bills") == []
    company.does("delete", kind="receipt", number="R-1")
    await api.sync()
    await api.arrived(bill_id)
    (held,) = company.held("bills")
    assert [Decimal(line["quantity"]) for line in held["lines"]] == [4]
    await nothing_is_open(api)


async def test_goods_that_were_received_without_the_order(api: StackClient, company: SandboxCompany) -> None:
    """Issue 12: a receipt that names no order owes and stocks all the same; the bill is held until a person made it the
    bill that it is."""
    company.order("PO-1", "10")
    await connect(api)
    company.does("receive", number="PO-1", receipt_number="R-1", link=False, lines=[{"line": 1, "quantity": "4"}])
    await api.sync()
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 0)
    before = company.held("ledger")
    bill_id = await api.bill("PO-1", {1: "4"})
    issue = await api.issue("RECEIVED_BY_ITEM_RECEIPT")
    assert "names no order" in issue["cause"]
    assert issue["evidence"]["item_receipts"].startswith("R-1 of ")
    assert (company.held("bills"), company.held("ledger")) == ([], before)
    company.does("enter_bill_for_receipt", number="R-1", invoice_number="OTHER-GOODS")
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert sorted(bill["number"] == "OTHER-GOODS" for bill in company.held("bills")) == [False, True]
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    await nothing_is_open(api)


async def test_a_receipt_of_two_orders_lets_no_bill_of_one_take_the_others_goods(
    api: StackClient, company: SandboxCompany
) -> None:
    """Issue 12: receipts give the third way; three came of one order and five of the other, of the same item."""
    company.order("PO-1", "10")
    company.order("PO-2", "10")
    company.does("enable_enhanced_receiving")
    await connect(api, mode="three_way")
    company.does(
        "receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "3"}],
        also=[{"number": "PO-2", "lines": [{"line": 1, "quantity": "5"}]}],
    )  # fmt: skip
    await api.sync()
    assert ledger(await api.order("PO-1"))[:3] == (10, 3, 0)
    assert ledger(await api.order("PO-2"))[:3] == (10, 5, 0)
    await api.billed("PO-1", {1: "3"})
    too_much = (await api.enter("PO-1", {1: "2"})).json()
    assert "BILLED_BEYOND_RECEIVED" in [finding["code"] for finding in too_much["match"]["findings"]]
    assert too_much["bill"]["status"] in ("awaiting_acknowledgement", "on_hold")
    await api.billed("PO-2", {1: "5"})
    await api.sync()
    assert ledger(await api.order("PO-1"))[:3] == (10, 3, 3)
    assert ledger(await api.order("PO-2"))[:3] == (10, 5, 5)
    company.does("delete", kind="receipt", number="R-1")
    await api.sync()
    assert [ledger(await api.order(number))[1] for number in ("PO-1", "PO-2")] == [0, 0]


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
