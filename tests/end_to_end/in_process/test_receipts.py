"""3-way matching: receipts come in, bills are judged against them, and switching the mode re-reads every status."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    ledger,
    refused,
)


def figures(ordered: str, received: str, billed: str, pending: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in (ordered, received, billed, pending))


async def test_receipts_come_in_with_what_was_received(api: StackClient, company: SandboxCompany) -> None:
    """S4-31, S4-32, S4-35, S5-113..126: received counts beside what was billed, not as billed."""
    company.order("PO-1")
    await api.start(mode="three_way")
    part = [{"line": 1, "quantity": "6"}]
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=part, memo="Left at the gate")
    await api.sync()
    order = await api.order("PO-1")
    assert ledger(order) == figures("10", "6", "0", "0")
    assert (order["erp_status"], order["matching_status"]) == ("Partially Converted", "active")
    (receipt,) = (await api.get(f"/v1/purchase-orders/{order['id']}/receipts"))["items"]
    assert (receipt["number"], receipt["status"]) == ("RCV-1", "active")
    held = company.one("receipts", number="RCV-1")
    assert (receipt["document_id"], receipt["vendor_id"], receipt["entity"]) == ("PO Receiver-RCV-1", "V-1", "100")
    assert (receipt["memo"], receipt["erp_status"]) == ("Left at the gate", held["state"])
    assert receipt["received_on"] == today().isoformat()
    assert receipt["shipped_on"] == receipt["received_on"]
    (line,) = receipt["lines"]
    assert (line["source_document"], line["notes"]) == ("Purchase Order-PO-1", line["description"])
    assert (line["item_id"], line["unit"], line["description"]) == ("ITEM-1", order["lines"][0]["unit"], "Item 1")
    assert (Decimal(line["quantity"]), line["order_line_id"]) == (6, order["lines"][0]["order_line_id"])
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 6)]
    assert [line["code"] for line in draft["left_out"]] == ["NOTHING_RECEIVED"]


async def test_a_bill_is_converted_from_the_receipt(api: StackClient, company: SandboxCompany) -> None:
    """S5-27, S5-28, S4-34: the receiver is what the vendor invoice is made of, the order stays its reference."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "6"})
    invoice = company.one("vendor_invoices", number=bill["external_key"])
    assert (invoice["created_from"], invoice["reference"]) == ("PO Receiver-RCV-1", "PO-1")
    assert company.one("receipts", number="RCV-1")["state"] == "Converted"
    assert ledger(await api.order("PO-1")) == figures("10", "6", "6", "0")
    assert (await api.read_bill(bill["id"]))["linked_in_erp"] is True
    # What was not received comes from the order itself, with a warning.
    answer = await api.enter("PO-1", {1: "4", 2: "5"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["match"]["outcome"] == "WARN"
    await api.acknowledge(answer.json()["bill"]["id"])
    rest = await api.arrived(answer.json()["bill"]["id"])
    assert company.one("vendor_invoices", number=rest["external_key"])["created_from"] == "Purchase Order-PO-1"
    order = await api.order_is("PO-1", "filled")
    assert [ledger(order, line_no) for line_no in (1, 2)] == [
        figures("10", "6", "10", "0"),
        figures("5", "0", "5", "0"),
    ]


async def test_beyond_received_warns_beyond_both_is_refused(api: StackClient, company: SandboxCompany) -> None:
    """S4-14, S4-40 and S4-41 as ruled in G1."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    problem = refused(await api.enter("PO-1", {1: "11"}), 422, "MATCH_BLOCKED")
    finding = problem["match"]["findings"][0]
    assert (finding["code"], finding["rule"]) == ("QTY_OVER_CEILING", "3WAY.BLOCK")
    values = {name: finding["values"][name] for name in ("O_eff", "R_net", "B", "b")}
    assert values == {"O_eff": "10", "R_net": "6", "B": "0", "b": "11"}
    answer = await api.enter("PO-1", {2: "3"})
    assert answer.status_code == 201, answer.text
    match = answer.json()["match"]
    assert (match["outcome"], [found["code"] for found in match["findings"]]) == ("WARN", ["BILLED_BEYOND_RECEIVED"])
    await api.acknowledge(answer.json()["bill"]["id"])
    await api.arrived(answer.json()["bill"]["id"])


async def test_more_received_than_ordered_may_be_billed(api: StackClient, company: SandboxCompany) -> None:
    """S4-15."""
    company.switch(over_conversion="allow")
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "12"}])
    await api.start(mode="three_way")
    answer = await api.enter("PO-1", {1: "12"})
    assert answer.status_code == 201, answer.text
    assert [found["code"] for found in answer.json()["match"]["findings"]] == ["BILLED_BEYOND_ORDERED"]
    await api.acknowledge(answer.json()["bill"]["id"])
    await api.arrived(answer.json()["bill"]["id"])
    assert ledger(await api.order("PO-1")) == figures("10", "12", "12", "0")
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")


async def test_a_deleted_receipt_was_never_received(api: StackClient, company: SandboxCompany) -> None:
    """S5-113."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    assert ledger(await api.order("PO-1")) == figures("10", "6", "0", "0")
    company.does("delete", kind="receipt", number="RCV-1")
    await api.sync()
    order = await api.order("PO-1")
    assert ledger(order) == figures("10", "0", "0", "0")
    assert order["erp_status"] == "Pending"


async def test_switching_the_mode_reads_every_status_anew(api: StackClient, company: SandboxCompany) -> None:
    """S5-106, S5-109, S5-110, S5-112, S4-42, S4-43: one word of the ERP means two things."""
    company.orders("PO-1", "PO-2", "PO-3")
    await api.start()
    company.does("convert_to_vendor_invoice", number="PO-1", invoice_number="VI-1")
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="VI-2", lines=[{"line": 1}])
    await api.sync()

    async def shown() -> dict[str, tuple[str, str]]:
        orders = [await api.order(number) for number in ("PO-1", "PO-2", "PO-3")]
        return {order["erp_status"]: (order["status"], order["matching_status"]) for order in orders}

    two_way = {
        "Converted": ("filled", "closed"),
        "Partially Converted": ("partially_filled", "partially_billed"),
        "Pending": ("unfilled", "active"),
    }
    assert await shown() == two_way
    await api.match("three_way")
    assert await shown() == {
        "Converted": ("filled", "active"),
        "Partially Converted": ("partially_filled", "active"),
        "Pending": ("unfilled", "active"),
    }
    await api.match("two_way")
    assert await shown() == two_way


async def test_orders_left_out_as_converted_come_in_after_the_switch(api: StackClient, company: SandboxCompany) -> None:
    """S5-109, S1-15: received whole is finished in 2-way, still to be billed in 3-way."""
    company.order("PO-BEFORE")
    company.does("receive", number="PO-BEFORE", receipt_number="RCV-1")
    company.order("PO-1")
    company.order("PO-HELD")
    await api.start()
    assert await api.numbers() == {"PO-1", "PO-HELD"}
    company.order("PO-SINCE")
    company.does("receive", number="PO-SINCE", receipt_number="RCV-2")
    await api.sync()
    assert await api.skipped() == {"PO-BEFORE": "ALREADY_FINISHED", "PO-SINCE": "ALREADY_FINISHED"}
    company.does("close", number="PO-HELD")  # what finishes meanwhile must not get lost in the switch
    await api.match("three_way")
    await api.sync()
    assert await api.numbers() == {"PO-BEFORE", "PO-SINCE", "PO-1", "PO-HELD"}
    assert await api.skipped() == {}
    assert (await api.order("PO-HELD"))["status"] == "closed"
    for number in ("PO-BEFORE", "PO-SINCE"):
        order = await api.order(number)
        assert (order["erp_status"], order["matching_status"]) == ("Converted", "active")
        assert ledger(order) == figures("10", "10", "0", "0")
        bill = await api.billed(number, {1: "10", 2: "5"})
        assert amounts(bill, "total") == (Decimal("187.50"),)
    await api.sync()
    company.pass_time(60)  # what changed within the last second is read once more
    await api.sync()
    quiet = await api.sync()
    assert not any(name.startswith("purchase_orders") for name in quiet["counts"])


@pytest.mark.parametrize("mode", ["two_way", "three_way"])
async def test_an_older_order_brings_its_older_receipts_along(
    api: StackClient, company: SandboxCompany, mode: str
) -> None:
    """S1-12, S5-113: what was received before the window counts as received, not as billed."""
    company.order("PO-OLD", days_ago=200)
    received = {"receipt_number": "RCV-OLD", "po_number": "PO-OLD", "po_line_no": "1", "quantity": "6"}
    company.load(receipts=[{**received, "receipt_date": (today() - timedelta(days=150)).isoformat()}])
    company.order("PO-1")
    await api.start(mode=mode)
    assert await api.numbers() == {"PO-1"}
    company.does("edit_purchase_order", number="PO-OLD")
    await api.sync()
    assert ledger(await api.order("PO-OLD")) == figures("10", "6", "0", "0")
    bill = await api.billed("PO-OLD", {1: "6"})
    assert company.one("vendor_invoices", number=bill["external_key"])["created_from"] == "PO Receiver-RCV-OLD"


async def test_what_others_bill_from_a_receipt_counts(api: StackClient, company: SandboxCompany) -> None:
    """S5-27, S4-16: in 3-way a vendor invoice made of a receipt in Intacct is the order's bill."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    part = [{"line": 1, "quantity": "2"}]
    company.does("convert_to_vendor_invoice", receipt="RCV-1", invoice_number="VI-1", vendor_number="S-1", lines=part)
    await api.sync()
    assert ledger(await api.order("PO-1")) == figures("10", "6", "2", "0")
    (theirs,) = await api.bills_of("PO-1")
    assert (theirs["number"], theirs["origin"], theirs["linked_in_erp"]) == ("S-1", "erp", True)
    draft = await api.get(f"/v1/purchase-orders/{theirs['purchase_order_id']}/bill-draft")
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 4)]
    ours = await api.billed("PO-1", {1: "4"})
    assert company.one("vendor_invoices", number=ours["external_key"])["created_from"] == "PO Receiver-RCV-1"
    assert ledger(await api.order("PO-1")) == figures("10", "6", "6", "0")


async def test_a_receipt_made_between_our_bill_and_the_next_sync(api: StackClient, company: SandboxCompany) -> None:
    """S5-113, S4-34: the bill is made of the order; what is received afterwards is not billed twice."""
    company.order("PO-1", "10")
    await api.start(mode="three_way")
    answer = await api.enter("PO-1", {1: "4"})
    await api.acknowledge(answer.json()["bill"]["id"])
    await api.arrived(answer.json()["bill"]["id"])
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.sync()
    order = await api.order("PO-1")
    assert (order["erp_status"], ledger(order)) == ("Converted", figures("10", "6", "4", "0"))
    await api.billed("PO-1", {1: "6"}, acknowledge=["BILLED_BEYOND_RECEIVED:line-1"])
    assert ledger(await api.order("PO-1")) == figures("10", "6", "10", "0")
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")


async def test_the_back_order_of_a_receipt_is_billed_next(api: StackClient, company: SandboxCompany) -> None:
    """B10, W5, S5-25: a receiver of 6 is billed in part with "Close Original and Create Back Order": what is left of it
    is a receiver of its own, of the same goods."""
    company.does("set_conversion_mode", definition="PO Receiver", mode="Close Original and Create Back Order")
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    await api.billed("PO-1", {1: "4"})
    await api.sync()
    order = await api.order("PO-1")
    assert ledger(order) == figures("10", "6", "4", "0")
    rest, first = sorted(
        (await api.get(f"/v1/purchase-orders/{order['id']}/receipts"))["items"], key=lambda one: str(one["status"])
    )
    assert (first["number"], first["status"], rest["status"]) == ("RCV-1", "closed", "active")
    (line,) = rest["lines"]
    assert (Decimal(line["quantity"]), line["continues"]) == (2, "RCV-1")
    report = await api.get("/v1/reports/grni?as_of=" + today().isoformat())
    assert [Decimal(one["accrual_quantity"]) for one in report["items"]] == [2]
    bill = await api.billed("PO-1", {1: "2"})
    invoice = company.one("vendor_invoices", number=bill["external_key"])
    assert invoice["created_from"] == rest["document_id"]
    await api.sync()
    assert ledger(await api.order("PO-1")) == figures("10", "6", "6", "0")
    assert (await api.get("/v1/reports/grni?as_of=" + today().isoformat()))["items"] == []
    assert await api.issues() == []


async def test_a_receipt_that_its_first_bill_closed_is_no_source(api: StackClient, company: SandboxCompany) -> None:
    """B10, W4: closed after a part it was offered again and refused; what is left comes from the order."""
    company.does("set_conversion_mode", definition="PO Receiver", mode="Close Transaction")
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    await api.billed("PO-1", {1: "4"})
    await api.sync()
    assert company.one("receipts", number="RCV-1")["state"] == "Closed"
    assert ledger(await api.order("PO-1")) == figures("10", "6", "4", "0")
    bill = await api.billed("PO-1", {1: "2"})
    assert company.one("vendor_invoices", number=bill["external_key"])["created_from"] == "Purchase Order-PO-1"
    assert ledger(await api.order("PO-1"))[2:] == (6, 0)
    assert await api.issues() == []


async def test_a_receipt_that_a_draft_is_made_of_is_billed_once_that_is_gone(
    api: StackClient, company: SandboxCompany
) -> None:
    """B10, W4: a draft invoice of the receiver makes it In Progress; the bill waits, and goes on by itself."""
    company.order("PO-1", "10")
    part = [{"line": 1, "quantity": "6"}]
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=part)
    company.does("convert_to_vendor_invoice", receipt="RCV-1", invoice_number="VI-1", lines=part, state="Draft")
    await api.start(mode="three_way")
    assert company.one("receipts", number="RCV-1")["state"] == "In Progress"
    answer = (await api.enter("PO-1", {1: "2"})).json()
    (found,) = answer["match"]["findings"]
    assert (found["code"], found["values"]["document"]) == ("SOURCE_IN_USE", "PO Receiver-RCV-1")
    await api.bill_is(answer["bill"]["id"], "on_hold")
    company.does("delete", kind="vendor_invoice", number="VI-1")
    await api.sync()
    bill = await api.arrived(answer["bill"]["id"])
    assert company.one("vendor_invoices", number=bill["external_key"])["created_from"] == "PO Receiver-RCV-1"
    assert await api.issues() == []


async def test_a_receipt_in_draft_has_received_nothing_and_is_no_source(
    api: StackClient, company: SandboxCompany
) -> None:
    """B10, W4: nothing is converted from it, and Intacct converts nothing else of its order until it is posted or
    gone; then the bill goes on."""
    company.order("PO-1", "10")
    part = [{"line": 1, "quantity": "6"}]
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=part, state="Draft")
    await api.start(mode="three_way")
    assert ledger(await api.order("PO-1")) == figures("10", "0", "0", "0")
    answer = await api.enter("PO-1", {1: "2"})
    found = answer.json()["match"]["findings"]
    assert [one["code"] for one in found] == ["BILLED_BEYOND_RECEIVED", "SOURCE_IN_USE"]
    assert "a draft is made of Purchase Order-PO-1" in found[1]["message"]
    bill_id = answer.json()["bill"]["id"]
    await api.acknowledge(bill_id)
    refused(
        await api.post(f"/v1/bills/{bill_id}/release", {"reason": "go"}, role="accountant"), 409, "HOLD_NEEDS_A_FIX"
    )
    company.does("delete", kind="receipt", number="RCV-1")
    await api.sync()
    bill = await api.arrived(bill_id)
    assert company.one("vendor_invoices", number=bill["external_key"])["created_from"] == "Purchase Order-PO-1"
    assert ledger(await api.order("PO-1")) == figures("10", "0", "2", "0")
    assert await api.issues() == []
