"""A sample of `docs/reference/changes-in-the-erp.md` on the whole stack: what people do in QuickBooks meanwhile."""

from decimal import Decimal
from typing import Any

from tests.end_to_end.in_process.meanwhile import codes
from tests.harness.quickbooks_company import connect
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


async def goes_on(api: StackClient, bill_id: str) -> None:
    """Its cause is gone: the bill waits for what it waited for, and goes out."""
    await api.bill_is(bill_id, "awaiting_acknowledgement")
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    assert await api.issues() == []


async def test_in_review_while_the_rest_is_billed_there(api: StackClient, company: SandboxCompany) -> None:
    """Two are left to bill, not four; deleted there, it is as it was."""
    bill_id = await in_review(api, company)
    theirs = company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "8"}])
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert await codes(api, bill_id) == {"QTY_OVER_CEILING", "PRICE_DIFFERS"}
    company.does("delete", kind="bill", record_no=theirs["record_no"])
    await api.sync()
    await goes_on(api, bill_id)


async def test_in_review_while_the_order_is_closed_and_reopened(api: StackClient, company: SandboxCompany) -> None:
    """A closed order takes no bill."""
    bill_id = await in_review(api, company)
    company.does("close", number="PO-1")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert "PO_CLOSED" in await codes(api, bill_id)
    company.does("reopen", number="PO-1")
    await api.sync()
    await goes_on(api, bill_id)


async def test_in_review_while_the_order_is_cut_and_put_back(api: StackClient, company: SandboxCompany) -> None:
    """Four of three ordered are held."""
    bill_id = await in_review(api, company)
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="3")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="10")
    await api.sync()
    await goes_on(api, bill_id)


async def test_a_bill_edited_there_beyond_the_order(api: StackClient, company: SandboxCompany) -> None:
    """B3, B13: taken over, and one issue of the order, which closes when the bill is put right there."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    company.does("edit_bill", number=bill["number"], line=1, price="13.00")
    await api.sync()
    assert Decimal((await api.read_bill(bill["id"]))["total"]) == 52
    (issue,) = await api.issues()
    assert (issue["code"], issue["subject_kind"]) == ("MATCH_WORSE", "purchase_order")
    company.does("edit_bill", number=bill["number"], line=1, price="12.50")
    await api.sync()
    assert await api.issues() == []


async def test_a_copy_of_our_bill_made_there(api: StackClient, company: SandboxCompany) -> None:
    """QuickBooks' own copy of a bill keeps its private note, our key in it: two bills, each with its own money."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    note = company.one("bills", number=bill["number"])["memo"]
    assert "[posync " in note
    company.does("add_bill", vendor_id="V-1", number="COPY", amount="70.00")
    company.does("edit_bill", number="COPY", memo=note)
    await api.sync()
    listed = {one["number"]: (one["origin"], Decimal(one["total"])) for one in await api.items("/v1/bills")}
    assert listed == {bill["number"]: ("posync", Decimal(50)), "COPY": ("erp", Decimal(70))}


async def test_our_payment_voided_there(api: StackClient, company: SandboxCompany) -> None:
    """The bill is due again, and is paid once more."""
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


async def test_a_rebate_is_billed_as_drafted(api: StackClient, company: SandboxCompany) -> None:
    """A3: 10 x 100.00 and 1 x -25.00 come to 975.00, and the order is filled."""
    company.order("PO-1", "10", "1", lines={1: {"price": "100.00"}, 2: {"price": "-25.00"}})
    await connect(api)
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", {**draft, "number": "INV-1"}, role="clerk")
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    (held,) = company.held("bills")
    assert (bill["total"], Decimal(held["total"])) == ("975.00", 975)
    await api.order_is("PO-1", "filled")
