"""How an order's quantities and status follow its receipts and bills (reference 4.1, 5.1)."""

import pytest

from sandbox.netsuite.orders import STATUSES
from tests.unit.sandbox.netsuite.suite import Suite, any_of, bill


async def state(suite: Suite, number: str = "PO-1") -> str:
    return str((await suite.one("purchase_orders", number))["state"])


@pytest.mark.parametrize(
    ("received", "billed", "status"),
    [
        ([], [], "Pending Receipt"),
        ([(1, "4")], [], "Pending Billing/Partially Received"),
        ([(1, "4")], [(1, "3")], "Pending Billing/Partially Received"),
        ([(1, "4")], [(1, "4")], "Partially Received"),
        ([(1, "10")], [(1, "10")], "Partially Received"),
        ([(1, "10"), (2, "10")], [], "Pending Bill"),
        ([(1, "10"), (2, "10")], [(1, "10"), (2, "9")], "Pending Bill"),
        ([(1, "10"), (2, "10")], [(1, "10"), (2, "10")], "Fully Billed"),
        ([], [(1, "5")], "Pending Receipt"),
        ([], [(1, "10"), (2, "10")], "Pending Receipt"),
        ([(1, "4")], [(1, "10"), (2, "10")], "Partially Received"),
    ],
)
async def test_the_status_follows_the_quantities(
    suite: Suite, received: list[tuple[int, str]], billed: list[tuple[int, str]], status: str
) -> None:
    """S4-49, S4-50, S4-51, S4-52, S4-66, S4-68; reference 5.1, every row of the table."""
    await suite.switch(bill_in_advance=True)
    order = await suite.order()
    if received:
        lines = [{"line": position, "quantity": quantity} for position, quantity in received]
        await suite.act("receive", number="PO-1", lines=lines)
    if billed:
        assert (await suite.add(bill(order, *billed))).ok
    reply = await suite.get("purchaseOrder", order["record_no"])
    assert reply.text("//p:status") == status
    counts = dict(billed)
    assert reply.texts("//p:quantityBilled") == [f"{counts.get(position, '0')}.0" for position in (1, 2)]
    counts = dict(received)
    assert reply.texts("//p:quantityReceived") == [f"{counts.get(position, '0')}.0" for position in (1, 2)]


@pytest.mark.parametrize(
    ("status", "enum"),
    [
        ("Pending Supervisor Approval", "_pendingSupervisorApproval"),
        ("Rejected by Supervisor", "_rejectedBySupervisor"),
        ("Closed", "_closed"),
        ("Planned", ""),
    ],
)
async def test_statuses_that_people_decide(suite: Suite, status: str, enum: str) -> None:
    """S4-54, S4-61; reference 4.1."""
    order = await suite.order(status=status)
    reply = await suite.get("purchaseOrder", order["record_no"])
    assert (reply.text("//p:status"), reply.text("//p:orderStatus")) == (status, enum)


async def test_every_status_of_the_search_finds_its_order(suite: Suite) -> None:
    """Reference 4.1: record, enumeration and search spell a status differently."""
    await suite.room("/companies/netsuite/sample")
    orders = await suite.held("purchase_orders")
    for shown, status in STATUSES.items():
        reply = await suite.search(any_of("status", status.search) + any_of("type", "_purchaseOrder"), size=1000)
        expected = [order["number"] for order in orders if order["state"] == shown]
        assert reply.texts("//p:tranId") == expected
        assert expected, shown


async def test_what_cannot_be_received_only_needs_billing(suite: Suite) -> None:
    """S4-69; reference 5.1: services, items that are not receivable, and expenses."""
    order = await suite.order("PO-1", 1, item_id="", account="6000")
    assert order["state"] == "Pending Bill"
    await suite.room("/companies/netsuite/load", {"items": [{"item_id": "HOUR", "item_type": "Service"}]})
    await suite.room("/companies/netsuite/load", {"items": [{"item_id": "FREE", "receivable": "false"}]})
    assert (await suite.order("PO-2", 1, item_id="HOUR"))["state"] == "Pending Bill"
    assert (await suite.order("PO-3", 1, item_id="FREE"))["state"] == "Pending Bill"
    await suite.act("bill", number="PO-3", invoice_number="I-3")
    assert await state(suite, "PO-3") == "Fully Billed"
    await suite.act("bill", number="PO-1", invoice_number="I-1")
    assert await state(suite, "PO-1") == "Fully Billed"


async def test_how_an_order_without_receipts_starts_is_a_switch(suite: Suite) -> None:
    """Reference 5.1: not verified."""
    await suite.switch(unreceivable_orders="pending receipt")
    order = await suite.order("PO-1", 1, item_id="", account="6000")
    assert order["state"] == "Pending Receipt"
    await suite.act("bill", number="PO-1", invoice_number="I-1")
    assert await state(suite) == "Fully Billed"


@pytest.mark.parametrize(("switch", "status"), [("received", "Pending Bill"), ("ordered", "Fully Billed")])
async def test_what_must_be_billed_of_an_over_receipt_is_a_switch(suite: Suite, switch: str, status: str) -> None:
    """S4-36; reference 5.1: not verified."""
    await suite.switch(allow_overage=True, over_receipt_billed=switch)
    order = await suite.order(lines=1)
    await suite.act("receive", number="PO-1", lines=[{"line": 1, "quantity": "12"}])
    await suite.add(bill(order, (1, "10")))
    assert await state(suite) == status


async def test_receipts_and_bills_that_go_move_the_order_back(suite: Suite) -> None:
    """Reference 5.1."""
    await suite.order()
    await suite.act("receive", number="PO-1", receipt_number="R-1")
    created = await suite.act("bill", number="PO-1", invoice_number="I-1")
    assert await state(suite) == "Fully Billed"
    await suite.act("edit_bill", number="I-1", line=2, quantity="4")
    assert await state(suite) == "Pending Bill"
    await suite.delete("vendorBill", created["record_no"])
    assert await state(suite) == "Pending Bill"
    await suite.act("delete", kind="receipt", number="R-1")
    order = await suite.one("purchase_orders", "PO-1")
    assert order["state"] == "Pending Receipt"
    assert {(line["received"], line["billed"]) for line in order["lines"]} == {("0", "0")}


async def test_closing_lines_and_orders(suite: Suite) -> None:
    """S4-54; field-notes T9; reference 5.1."""
    order = await suite.order()
    await suite.act("receive", number="PO-1", lines=[{"line": 1, "quantity": "10"}])
    await suite.act("bill", number="PO-1", invoice_number="I-1")
    assert await state(suite) == "Partially Received"
    await suite.act("close", number="PO-1", line=2)
    assert await state(suite) == "Fully Billed"
    await suite.act("close", number="PO-1")
    assert await state(suite) == "Closed"
    refused = await suite.add(bill(order, (2, "1"), number="I-2"))
    assert refused.codes == ["USER_ERROR"]
    await suite.act("reopen", number="PO-1")
    assert await state(suite) == "Partially Received"


async def test_an_expense_order_can_close_as_billed(suite: Suite) -> None:
    """Field-notes U-16: a switch, for it is not in the vendor's documents."""
    await suite.switch(closed_expense_orders="fully billed")
    await suite.order("PO-1", 1, item_id="", account="6000")
    await suite.act("close", number="PO-1")
    assert await state(suite) == "Fully Billed"


async def test_quantities_and_status_can_come_later(suite: Suite) -> None:
    """S4-65, S4-66, S4-67: three moments of the double sync, quantities first, the status after them."""
    await suite.room("/clock", {"now": "2026-11-02T12:00:00Z", "frozen": True})
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    await suite.switch(quantity_delay_seconds=60, status_delay_seconds=600)
    assert (await suite.add(bill(order, (1, "10"), (2, "10")))).ok

    async def shown() -> tuple[str, list[str]]:
        reply = await suite.get("purchaseOrder", order["record_no"])
        return reply.text("//p:status"), reply.texts("//p:quantityBilled")

    assert await shown() == ("Pending Bill", ["0.0", "0.0"])
    await suite.room("/clock", {"advance_seconds": 61})
    assert await shown() == ("Pending Bill", ["10.0", "10.0"])
    await suite.room("/clock", {"advance_seconds": 600})
    assert await shown() == ("Fully Billed", ["10.0", "10.0"])


async def test_what_shows_late_never_overwrites_what_came_after(suite: Suite) -> None:
    """S4-67: a change that was under way is not shown once a later one is."""
    await suite.room("/clock", {"now": "2026-11-02T12:00:00Z", "frozen": True})
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    await suite.switch(quantity_delay_seconds=600, status_delay_seconds=600)
    await suite.add(bill(order, (1, "10")))
    await suite.switch(quantity_delay_seconds=0, status_delay_seconds=0)
    await suite.add(bill(order, (2, "10"), number="INV-2"))
    assert await state(suite) == "Fully Billed"
    await suite.room("/clock", {"advance_seconds": 601})
    assert await state(suite) == "Fully Billed"
    assert [line["billed"] for line in (await suite.one("purchase_orders", "PO-1"))["lines"]] == ["10", "10"]


async def test_what_is_billed_counts_at_once_even_while_it_does_not_show(suite: Suite) -> None:
    """S4-68: a second bill for the same quantity is refused during the delay."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    await suite.switch(quantity_delay_seconds=1e9, status_delay_seconds=1e9)
    assert (await suite.add(bill(order, (1, "10")))).ok
    assert (await suite.add(bill(order, (1, "1"), number="INV-2"))).codes == ["USER_ERROR"]


@pytest.mark.parametrize("stamp", ["moves", "still", "absent"])
async def test_the_headers_stamp_is_no_safe_sign_of_moved_lines(suite: Suite, stamp: str) -> None:
    """Reference 5.1, checklist 11."""
    await suite.switch(header_stamp=stamp)
    order = await suite.order(modified_at="2026-10-01T08:00:00Z")
    await suite.act("receive", number="PO-1")
    reply = await suite.get("purchaseOrder", order["record_no"])
    shown = reply.text("//p:lastModifiedDate")
    assert shown == {"still": "2026-10-01T00:00:00.000-08:00", "absent": ""}.get(stamp, shown)
    assert stamp != "moves" or shown > "2026-10-01T00:00:00.000-08:00"
    assert reply.text("//p:status") == "Pending Bill"


async def test_more_than_ordered_is_received_only_when_allowed(suite: Suite) -> None:
    """S4-36; reference 5.2."""
    await suite.order(lines=1)
    refused = await suite.http.post(
        "/sandbox/companies/netsuite/actions",
        json={"action": "receive", "number": "PO-1", "lines": [{"line": 1, "quantity": "12"}]},
    )
    assert refused.json()["errors"][0]["errorno"] == "OVERAGE_DISALLWD"
    await suite.switch(allow_overage=True)
    await suite.act("receive", number="PO-1", lines=[{"line": 1, "quantity": "12"}])
    await suite.act("bill", number="PO-1", invoice_number="I-1")
    [line] = (await suite.one("purchase_orders", "PO-1"))["lines"]
    assert (line["received"], line["billed"]) == ("12", "12")
    assert await state(suite) == "Fully Billed"


async def test_approval_opens_an_order(suite: Suite) -> None:
    """S4-61."""
    await suite.order(status="Pending Supervisor Approval")
    await suite.act("reject", number="PO-1")
    assert await state(suite) == "Rejected by Supervisor"
    await suite.act("approve", number="PO-1")
    assert await state(suite) == "Pending Receipt"
