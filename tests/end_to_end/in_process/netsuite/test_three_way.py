"""3-way matching with NetSuite: receipts beside the order, billing in advance of them, switching the mode."""

from decimal import Decimal
from typing import Any

import pytest

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    ledger,
    refused,
)
from tests.harness.variants import first_of


def figures(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def codes(answer: Any) -> list[str]:
    return [finding["code"] for finding in answer.json()["match"]["findings"]]


async def test_ordered_received_billed_and_what_is_left(api: StackClient, company: SandboxCompany) -> None:
    """S4-33..37: judged by line; a line fully received and billed is out of the next draft."""
    company.order("PO-1")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "6"}, {"line": 2, "quantity": "5"}])
    await api.start(mode="three_way")
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 6), (2, 5)]
    bill = await api.billed("PO-1", {1: "6", 2: "5"})
    document = company.one("bills", external_id=bill["external_key"])
    order_id = company.one("purchase_orders", number="PO-1")["record_no"]
    assert [(str(line["order_doc"]), Decimal(line["quantity"])) for line in document["lines"]] == [
        (order_id, 6),
        (order_id, 5),
    ]
    assert bill["linked_in_erp"] is True
    order = await api.order("PO-1")
    assert [ledger(order, line_no) for line_no in (1, 2)] == [figures("10", "6", "6", "0"), figures("5", "5", "5", "0")]
    assert (order["erp_status"], order["status"]) == ("Partially Received", "partially_filled")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "4"}])
    await api.sync()
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 4)]
    assert [(line["order_line_no"], line["code"]) for line in draft["left_out"]] == [(2, "FULLY_BILLED")]
    await api.billed("PO-1", {1: "4"})
    assert (await api.order_is("PO-1", "filled"))["erp_status"] == "Fully Billed"


async def test_beyond_the_receipt_is_told_before_it_is_sent(api: StackClient, company: SandboxCompany) -> None:
    """S4-70, S4-41: billing in advance is off, so the bill waits; the receipt comes, and it goes on by itself."""
    company.order("PO-1", "10")
    await api.connect()
    assert (await api.prefer(bill_in_advance="false"))["complete"]
    await api.match("three_way")
    await api.sync()
    answer = await api.enter("PO-1", {1: "6"})
    assert answer.status_code == 201, answer.text
    assert "ERP_WILL_REFUSE" in codes(answer)
    bill_id = answer.json()["bill"]["id"]
    assert answer.json()["bill"]["status"] == "on_hold"
    assert ledger(await api.order("PO-1")) == figures("10", "0", "0", "6")
    assert company.held("bills") == []
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "6"}])
    await api.sync()
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == figures("10", "6", "6", "0")
    assert len(company.held("bills")) == 1
    assert await api.issues() == []


async def test_what_netsuite_refuses_goes_on_when_the_goods_come(api: StackClient, company: SandboxCompany) -> None:
    """S4-70: nobody told us that billing in advance is off; the refusal is an issue, and the receipt settles it."""
    await api.connect()
    assert (await api.connection())["capabilities"]["bill_in_advance"] is None  # no order there to ask it by
    assert (await api.prefer())["complete"]
    company.order("PO-1", "10")
    await api.sync()
    bill_id = await api.bill("PO-1", {1: "6"})
    issue = await api.issue("NOT_RECEIVED")
    assert (issue["subject_id"], issue["subject_kind"]) == (bill_id, "bill")
    assert (await api.read_bill(bill_id))["status"] == "sync_issue"
    assert ledger(await api.order("PO-1")) == figures("10", "0", "0", "6")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "6"}])
    await api.sync()
    await api.arrived(bill_id)
    assert await api.issues() == []
    assert len(company.held("bills")) == 1
    assert ledger(await api.order("PO-1")) == figures("10", "6", "6", "0")


async def test_a_bill_refused_behind_another_goes_on_when_that_one_is_gone(
    api: StackClient, company: SandboxCompany
) -> None:
    """Kind 3: five of ten came and are billed, three more are refused; the five are deleted in the ERP."""
    await api.connect()
    assert (await api.prefer())["complete"]
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "5"}])
    await api.sync()
    first = await api.billed("PO-1", {1: "5"})
    second = await api.bill("PO-1", {1: "3"})
    await api.issue("NOT_RECEIVED")
    company.does("delete", kind="bill", record_no=str(first["erp_id"]))
    await api.sync()
    await api.arrived(second)
    assert await api.issues() == []
    assert ledger(await api.order("PO-1")) == figures("10", "5", "3", "0")


async def test_in_advance_of_the_receipt_with_a_warning(api: StackClient, company: SandboxCompany) -> None:
    """S4-14, S4-41, S4-68: in advance, acknowledged, it goes; the order is not Filled until its receipt."""
    company.switch(bill_in_advance=True)
    company.order("PO-1", "10")
    await api.start(mode="three_way")
    answer = await api.enter("PO-1", {1: "10"})
    assert answer.status_code == 201, answer.text
    (finding,) = answer.json()["match"]["findings"]
    assert (finding["code"], answer.json()["bill"]["status"]) == ("BILLED_BEYOND_RECEIVED", "awaiting_acknowledgement")
    bill_id = answer.json()["bill"]["id"]
    done = await api.post(f"/v1/bills/{bill_id}/acknowledgements", {"findings": [finding["id"]]}, role="clerk")
    assert done.status_code in (200, 202), done.text
    await api.arrived(bill_id)
    order = await api.order("PO-1")
    assert (order["erp_status"], order["status"]) == ("Pending Receipt", "unfilled")
    assert ledger(order) == figures("10", "0", "10", "0")
    company.does("receive", number="PO-1")
    await api.sync()
    order = await api.order_is("PO-1", "filled")
    assert (order["erp_status"], ledger(order)) == ("Fully Billed", figures("10", "10", "10", "0"))


async def test_more_received_than_ordered_may_be_billed(api: StackClient, company: SandboxCompany) -> None:
    """S4-15, S4-40, G1: the higher of the two is the ceiling."""
    company.switch(allow_overage=True)
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "12"}])
    await api.start(mode="three_way")
    problem = refused(await api.enter("PO-1", {1: "13"}), 422, "MATCH_BLOCKED")
    assert "QTY_OVER_CEILING" in [finding["code"] for finding in problem["match"]["findings"]]
    answer = await api.enter("PO-1", {1: "12"})
    assert codes(answer) == ["BILLED_BEYOND_ORDERED"]


@pytest.mark.parametrize("counts", first_of("received", "ordered"))
async def test_what_came_beyond_the_order_is_billed_after_the_order_was(
    api: StackClient, company: SandboxCompany, counts: str
) -> None:
    """S4-15, Q22, Q23: also where NetSuite calls the order Fully Billed by what was ordered; the status of one that it
    leaves open is no lag (S4-67)."""
    company.switch(allow_overage=True, over_receipt_billed=counts, over_billing="accept")
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "12"}])
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "10"})
    order = await api.order("PO-1")
    assert order["erp_status"] == ("Pending Bill" if counts == "received" else "Fully Billed")
    vendor = {"connection": api.connection_id, "vendor": bill["vendor_id"]}
    assert [one["number"] for one in await api.items("/v1/purchase-orders", open="true", **vendor)] == ["PO-1"]
    (line,) = (await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft"))["lines"]
    assert Decimal(line["quantity"]) == 2
    problem = refused(await api.enter("PO-1", {1: "3"}), 422, "MATCH_BLOCKED")
    assert [finding["code"] for finding in problem["match"]["findings"]] == ["QTY_OVER_CEILING"]
    answer = await api.enter("PO-1", {1: "2"})
    assert codes(answer) == ["BILLED_BEYOND_ORDERED"]
    bill_id = answer.json()["bill"]["id"]
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    assert ledger(await api.order_is("PO-1", "filled")) == figures("10", "12", "12", "0")
    assert await api.issues() == []


async def test_a_bill_of_another_vendor_is_told_and_not_sent(api: StackClient, company: SandboxCompany) -> None:
    """Reference 5.3: NetSuite links bills to orders of their own vendor; nobody can release what it would refuse."""
    company.load(vendors=[{"vendor_id": "V-2", "name": "Vendor Two"}])
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    other = "501" if (await api.order("PO-1"))["vendor_id"] == "502" else "502"
    answer = await api.enter("PO-1", {1: "4"}, vendor_id=other)
    assert codes(answer) == ["VENDOR_MISMATCH"]
    bill_id = answer.json()["bill"]["id"]
    release = await api.post(f"/v1/bills/{bill_id}/release", {"reason": "one group"}, role="accountant")
    assert "Vendor Two" in refused(release, 409, "HOLD_NEEDS_A_FIX")["detail"]
    assert (await api.read_bill(bill_id))["status"] == "on_hold"
    assert company.held("bills") == []


async def test_lines_that_are_not_received_are_billed_as_they_are(api: StackClient, company: SandboxCompany) -> None:
    """S4-18, S4-69: services and expenses need no receipt; an expense is billed by its amount."""
    company.load(items=[{"item_id": "CONSULT", "name": "Consulting", "item_type": "Service"}])
    company.order("PO-SERVICE", "10", lines={1: {"item_id": "CONSULT"}})
    company.order("PO-EXPENSE", "1", lines={1: {"item_id": "", "account": "6000", "amount": "480.00"}}, price="480.00")
    company.order("PO-GOODS", "10")
    await api.start(mode="three_way")
    assert [line["receivable"] for line in (await api.order("PO-GOODS"))["lines"]] == [True]
    for number, quantity, total in (("PO-SERVICE", "10", "125.00"), ("PO-EXPENSE", "1", "480.00")):
        order = await api.order(number)
        assert (order["erp_status"], order["lines"][0]["receivable"]) == ("Pending Bill", False)
        draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
        assert Decimal(draft["total"]) == Decimal(total)
        bill = await api.billed(number, {1: quantity})
        document = company.one("bills", external_id=bill["external_key"])
        assert Decimal(document["total"]) == Decimal(total)
        assert (await api.order_is(number, "filled"))["erp_status"] == "Fully Billed"


async def test_one_bill_over_several_receipts_and_orders(api: StackClient, company: SandboxCompany) -> None:
    """S4-34, S4-37: NetSuite links a bill to lines of orders, whatever receipts brought the goods."""
    company.orders("PO-1", "PO-2")
    for number, quantity in (("PO-1", "4"), ("PO-1", "2"), ("PO-2", "10")):
        company.does("receive", number=number, lines=[{"line": 1, "quantity": quantity}])
    await api.start(mode="three_way")
    other = (await api.order("PO-2"))["id"]
    lines = [
        {"order_line_no": 1, "quantity": "6"},
        {"order_line_no": 1, "quantity": "10", "purchase_order_id": other},
    ]
    bill = await api.billed("PO-1", {}, lines=lines)
    document = company.one("bills", external_id=bill["external_key"])
    billed = {line["po_number"]: Decimal(line["quantity"]) for line in document["lines"]}
    assert billed == {"PO-1": 6, "PO-2": 10}

    async def shown() -> bool:
        orders = [await api.order(number) for number in ("PO-1", "PO-2")]
        return [ledger(order)[2:] for order in orders] == [figures("6", "0"), figures("10", "0")]

    await api.until(shown, "both orders show the bill")


async def test_the_switch_between_two_and_three_way(api: StackClient, company: SandboxCompany) -> None:
    """S4-07, S4-08, S4-42, S4-43: 2-way at first; 3-way judges the next bill by receipts; and back again."""
    company.switch(bill_in_advance=True)
    company.order("PO-1", "10")
    company.order("PO-2", "10")
    await api.start()
    assert (await api.connection())["match_mode"] == "two_way"
    first = await api.enter("PO-1", {1: "4"})
    assert (first.json()["match"]["outcome"], codes(first)) == ("OK", [])
    await api.arrived(first.json()["bill"]["id"])
    before = (await api.order("PO-1"))["status"]
    await api.match("three_way")
    assert (await api.order("PO-1"))["status"] == before  # the four statuses are NetSuite's word in either mode
    second = await api.enter("PO-1", {1: "2"})
    assert (second.json()["match"]["outcome"], codes(second)) == ("WARN", ["BILLED_BEYOND_RECEIVED"])
    await api.match("two_way")
    await api.arrived(second.json()["bill"]["id"])  # matched again: in 2-way nothing is left to acknowledge
    third = await api.enter("PO-2", {1: "10"})
    assert (third.json()["match"]["outcome"], codes(third)) == ("OK", [])
    await api.arrived(third.json()["bill"]["id"])


async def test_a_line_closed_short_is_cancelled_by_what_was_not_billed(
    api: StackClient, company: SandboxCompany
) -> None:
    """3.1 X, U-10: of the line alone; received and billed are percent of the rest."""
    company.order("PO-9", "10", "4")
    company.does("receive", number="PO-9", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    await api.billed("PO-9", {1: "6"})
    company.does("close", number="PO-9", line=1)
    await api.sync()
    order = await api.order("PO-9")
    assert [Decimal(line["cancelled"]) for line in order["lines"]] == [4, 0]
    money = await api.get(f"/v1/purchase-orders/{order['id']}/money")
    first, second = money["lines"]
    assert (first["money"]["received_percent"], first["money"]["billed_percent"]) == ("100.0", "100.0")
    assert (Decimal(first["money"]["cancelled"]), Decimal(second["money"]["cancelled"])) == (50, 0)
    company.does("reopen", number="PO-9", line=1)
    await api.sync()
    assert [Decimal(line["cancelled"]) for line in (await api.order("PO-9"))["lines"]] == [0, 0]
