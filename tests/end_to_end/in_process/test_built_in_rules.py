"""The built-in rules on the whole stack: what the ERP holds afterwards, in figures."""

from decimal import Decimal

from tests.harness.api_client import codes_needed
from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    ledger,
    refused,
)


async def test_an_order_with_a_rebate_is_billed_as_drafted(api: StackClient, company: SandboxCompany) -> None:
    """A3: 10 x 100.00 and 1 x -25.00: 975.00 in the ERP, both lines billed, the order filled."""
    company.order("PO-1", "10", "1", lines={1: {"price": "100.00"}, 2: {"price": "-25.00"}})
    await api.start()
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    taken = ("order_line_no", "quantity", "price", "amount")
    lines = [{name: line[name] for name in taken} for line in draft["lines"]]
    bill = await api.billed("PO-1", {}, lines=lines, total=draft["total"])
    assert (bill["total"], bill["due"]) == ("975.00", "975.00")
    (invoice,) = company.held("vendor_invoices")
    assert invoice["total"] == "975.00"
    assert [(Decimal(line["quantity"]), Decimal(line["price"])) for line in invoice["lines"]] == [(10, 100), (1, -25)]
    order = await api.order_is("PO-1", "filled")
    assert [ledger(order, line_no)[2] for line_no in (1, 2)] == [10, 1]


async def test_a_price_of_ten_times_the_order_s_does_not_go_out(api: StackClient, company: SandboxCompany) -> None:
    """A6: no policy anywhere; held until an accountant releases it."""
    company.order("PO-1", "1", price="1549.00")
    await api.start()
    held = (await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "quantity": "1", "price": "15490.00"}])).json()
    assert (held["bill"]["status"], codes_needed(held)) == ("on_hold", ["PRICE_DIFFERS"])
    assert held["match"]["findings"][0]["policy"]["level"] == "built-in"
    assert company.held("vendor_invoices") == []
    released = await api.post(f"/v1/bills/{held['bill']['id']}/release", {"reason": "gold"}, role="accountant")
    assert released.status_code == 200, released.text
    await api.arrived(held["bill"]["id"])


async def test_one_invoice_over_three_receipts_may_be_entered_as_three_bills(
    api: StackClient, company: SandboxCompany
) -> None:
    """C1: receivers of 5, 7 and 6, one invoice of 18: three bills, each from its receiver, all under one number."""
    company.order("PO-1", "18")
    for number, quantity in (("RCV-1", "5"), ("RCV-2", "7"), ("RCV-3", "6")):
        company.does("receive", number="PO-1", receipt_number=number, lines=[{"line": 1, "quantity": quantity}])
    await api.start(mode="three_way")
    first = await api.billed("PO-1", {1: "5"}, number="INV-18")
    again = refused(await api.enter("PO-1", {1: "7"}, number="INV-18"), 422, "MATCH_BLOCKED")
    assert [finding["code"] for finding in again["match"]["findings"]] == ["DUPLICATE_EXACT"]
    for quantity in ("7", "6"):
        await api.billed("PO-1", {1: quantity}, number="INV-18", part_of=first["id"])
    invoices = company.held("vendor_invoices")
    assert sorted(invoice["created_from"] for invoice in invoices) == [f"PO Receiver-RCV-{n}" for n in (1, 2, 3)]
    assert [receipt["state"] for receipt in company.held("receipts")] == ["Converted"] * 3
    assert {bill["number"] for bill in await api.bills_of("PO-1")} == {"INV-18"}
    await api.order_is("PO-1", "filled")
    assert await api.issues() == []
