"""What the rules of quantities and totals warn of or hold, from the API to Intacct's books."""

from decimal import Decimal

import pytest

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger, refused


@pytest.mark.parametrize(
    ("received", "before", "quantity", "beyond", "sources"),
    [
        ("4", "", "6", 2, {"PO Receiver-RCV-1": 4, "Purchase Order-PO-1": 2}),
        ("4", "", "10", 6, {"PO Receiver-RCV-1": 4, "Purchase Order-PO-1": 6}),
        ("6", "4", "3", 1, {"PO Receiver-RCV-1": 2, "Purchase Order-PO-1": 1}),
        ("6", "4", "6", 4, {"PO Receiver-RCV-1": 2, "Purchase Order-PO-1": 4}),
    ],
    ids=["Q07", "Q08", "Q16", "Q17"],
)
async def test_billed_ahead_of_the_receipt_is_warned_of_and_reaches_the_books(
    api: StackClient, company: SandboxCompany, received: str, before: str, quantity: str, beyond: int,
    sources: dict[str, int],
) -> None:  # fmt: skip
    """Q07, Q08, Q16, Q17, W3: entered once, it waits for a person; then what came is billed from its receipt and the
    rest from the order, under one number, for as much as was billed."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": received}])
    await api.start(mode="three_way")
    if before:
        await api.billed("PO-1", {1: before})
    earlier = {one["number"] for one in company.held("vendor_invoices")}
    answer = await api.enter("PO-1", {1: quantity}, number="INV-Q")
    (finding,) = answer.json()["match"]["findings"]
    assert (finding["code"], finding["severity"]) == ("BILLED_BEYOND_RECEIVED", "WARN"), answer.text
    assert amounts(finding, "margin")[0] in (beyond, -beyond)
    bill_id = answer.json()["bill"]["id"]
    assert {one["number"] for one in company.held("vendor_invoices")} == earlier, "nothing goes out before the yes"
    await api.acknowledge(bill_id)
    bill = await api.arrived(bill_id)
    new = [one for one in company.held("vendor_invoices") if one["number"] not in earlier]
    assert {one["created_from"]: Decimal(one["lines"][0]["quantity"]) for one in new} == sources
    assert {one["vendor_number"] for one in new} == {"INV-Q"}
    assert sum(Decimal(one["total"]) for one in new) == Decimal(bill["total"]) == Decimal("12.5") * int(quantity)
    all_of_it = int(before or 0) + int(quantity)
    assert ledger(await api.order("PO-1")) == (10, int(received), all_of_it, 0)
    await api.sync()
    assert ledger(await api.order("PO-1")) == (10, int(received), all_of_it, 0)
    too_much = str(11 - all_of_it)
    refused(await api.enter("PO-1", {1: too_much}), 422, "MATCH_BLOCKED")
    await api.payment_is(await api.pay(bill_id, bill["due"]), "paid")
    (payment,) = company.held("payments")
    assert sum(Decimal(one["amount"]) for one in payment["details"]) == Decimal(bill["total"])
    assert await api.issues() == []


async def test_the_total_of_a_chain_is_that_of_its_first_order(api: StackClient, company: SandboxCompany) -> None:
    """W6, S5-25: 10 x 12.50, of which 4 are billed and 6 are a back order: 125.00 is all of it, and is in the books;
    one cent more would be held."""
    company.does("set_conversion_mode", mode="Close Original and Create Back Order")
    company.order("PO-1", "10")
    await api.start()
    checks = {"po_total": {"block": {"pct": "0"}}, "price": {"block": {"pct": "unlimited"}}}
    answer = await api.post("/v1/tolerance-policies", {"checks": checks, "scope": {}})
    assert answer.status_code == 201, answer.text
    await api.billed("PO-1", {1: "4"})
    await api.sync()
    (number,) = await api.numbers() - {"PO-1"}
    dear = [{"order_line_no": 1, "quantity": "6", "amount": "75.01"}]
    order = await api.order(number)
    body = {"number": "INV-T", "bill_date": today().isoformat(), "lines": dear}
    tried = (await api.post(f"/v1/purchase-orders/{order['id']}/match", body)).json()
    (finding,) = tried["match"]["findings"]
    assert (finding["code"], tried["status"]) == ("PO_TOTAL_DIFFERS", "on_hold")
    assert amounts(finding["values"], "order_total", "billed_before") == (125, 50)
    rest = await api.billed(number, {1: "6"})
    assert (rest["match_outcome"], Decimal(rest["total"])) == ("OK", 75)
    assert sum(Decimal(one["total"]) for one in company.held("vendor_invoices")) == 125
    assert {one["reference"] for one in company.held("vendor_invoices")} == {"PO-1", number}
    refused(await api.enter(number, {1: "1"}), 422, "MATCH_BLOCKED")
    assert await api.issues() == []
