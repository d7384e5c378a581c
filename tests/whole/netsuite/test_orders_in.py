"""Purchase orders and item receipts of NetSuite coming in: statuses, lines, what is left out, deletions."""

from decimal import Decimal

import pytest

from tests.whole.company import Company
from tests.whole.desk import Desk, ledger, refused


def figures(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


async def test_every_status_of_netsuite_has_its_meaning(desk: Desk, company: Company) -> None:
    """S4-49..52, S4-54, S4-60, G3: the order's word in NetSuite decides, after receipts, bills and closing there."""
    numbers = [f"PO-{number}" for number in range(1, 7)]
    for number in numbers:
        company.order(number, "10")
    await desk.start()
    part, whole = [{"line": 1, "quantity": "6"}], [{"line": 1, "quantity": "10"}]
    for number in ("PO-2", "PO-3"):
        company.does("receive", number=number, lines=part)
    for number in ("PO-4", "PO-5"):
        company.does("receive", number=number, lines=whole)
    company.does("bill", number="PO-3", invoice_number="S-3", lines=part)
    company.does("bill", number="PO-5", invoice_number="S-5", lines=whole)
    company.does("close", number="PO-6")
    await desk.sync()
    orders = [await desk.order(number) for number in numbers]
    assert [(order["erp_status"], order["status"]) for order in orders] == [
        ("Pending Receipt", "unfilled"),
        ("Pending Billing/Partially Received", "partially_filled"),
        ("Partially Received", "partially_filled"),
        ("Pending Bill", "partially_filled"),
        ("Fully Billed", "filled"),
        ("Closed", "closed"),
    ]
    assert [ledger(order) for order in orders] == [
        figures("10", "0", "0", "0"),
        figures("10", "6", "0", "0"),
        figures("10", "6", "6", "0"),
        figures("10", "10", "0", "0"),
        figures("10", "10", "10", "0"),
        figures("10", "0", "0", "0"),
    ]


async def test_receipts_come_in_line_by_line(desk: Desk, company: Company) -> None:
    """S4-31, S4-32, S4-35: what was received before the first sync, and what is received after it."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    await desk.start(mode="three_way")
    company.does(
        "receive",
        number="PO-1",
        receipt_number="R-2",
        lines=[{"line": 1, "quantity": "2"}, {"line": 2, "quantity": "5"}],
    )
    await desk.sync()
    order = await desk.order("PO-1")
    assert [ledger(order, line_no) for line_no in (1, 2)] == [figures("10", "6", "0", "0"), figures("5", "5", "0", "0")]
    items = {item["key"]: item["record_no"] for item in company.held("items")}
    receipts = (await desk.get(f"/v1/purchase-orders/{order['id']}/receipts"))["items"]
    assert {
        receipt["number"]: [(line["item_id"], Decimal(line["quantity"])) for line in receipt["lines"]]
        for receipt in receipts
    } == {
        "R-1": [(items["ITEM-1"], 4)],
        "R-2": [(items["ITEM-1"], 2), (items["ITEM-2"], 5)],
    }


@pytest.mark.parametrize("stamp", ["still", "absent"])
async def test_lines_that_move_without_their_header_are_noticed(desk: Desk, company: Company, stamp: str) -> None:
    """S4-32: NetSuite does not always touch the order when its lines move; the receipt and the bill tell."""
    company.order("PO-1", "10")
    await desk.start()
    company.switch(header_stamp=stamp)
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "6"}])
    await desk.sync()
    assert ledger(await desk.order("PO-1")) == figures("10", "6", "0", "0")
    company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "6"}])
    await desk.sync()
    order = await desk.order("PO-1")
    assert (order["erp_status"], ledger(order)) == ("Partially Received", figures("10", "6", "6", "0"))


async def test_what_stays_out_says_why(desk: Desk, company: Company) -> None:
    """S1-11, S1-12, S1-15, S1-16, S4-61: old, foreign, unapproved, finished; an edit brings the old one in."""
    company.order("PO-1")
    company.order("PO-OLD", days_ago=200)
    company.order("PO-EUR", vendor_id="V-2", vendor_name="Vendor Two", currency="EUR")
    company.order("PO-ASKED", status="Pending Supervisor Approval")
    company.order("PO-CLOSED", status="Closed")
    await desk.start()
    assert await desk.numbers() == {"PO-1"}
    company.does("edit_purchase_order", number="PO-OLD", memo="Still needed")
    for number in ("PO-EUR", "PO-ASKED", "PO-CLOSED"):
        company.does("edit_purchase_order", number=number, memo="Look")
    await desk.sync()
    assert await desk.numbers() == {"PO-1", "PO-OLD"}
    assert await desk.skipped() == {"PO-EUR": "NOT_USD", "PO-ASKED": "NOT_APPROVED", "PO-CLOSED": "ALREADY_FINISHED"}
    company.does("approve", number="PO-ASKED")
    await desk.sync()
    assert "PO-ASKED" in await desk.numbers()


async def test_a_subsidiary_sees_its_own_orders(desk: Desk, company: Company) -> None:
    """S2-04, S2-11: the connection is bound to subsidiary 1."""
    company.order("PO-1")
    company.order("PO-2", entity="2", location="")
    await desk.start()
    assert await desk.numbers() == {"PO-1"}
    assert (await desk.order("PO-1"))["entity"] == "1"


async def test_without_a_subsidiary_all_orders_come_in(desk: Desk, company: Company) -> None:
    """S2-04, S5-99: each with its own, and its bill goes there."""
    company.order("PO-1", "10")
    company.order("PO-2", "10", entity="2", location="", vendor_id="V-2", vendor_name="Vendor Two")
    await desk.start(entity=None)
    assert {number: (await desk.order(number))["entity"] for number in await desk.numbers()} == {
        "PO-1": "1",
        "PO-2": "2",
    }
    for number in ("PO-1", "PO-2"):
        company.does("receive", number=number)
    await desk.sync()
    for number, entity in (("PO-1", "1"), ("PO-2", "2")):
        bill = await desk.billed(number, {1: "10"})
        assert company.one("bills", external_id=bill["external_key"])["entity"] == entity


async def test_the_orders_of_an_account_belong_to_one_connection(desk: Desk, company: Company) -> None:
    """Field note U-9: a second connection that would bill the same orders is refused, and the first one named."""
    company.order("PO-1")
    await desk.start()
    first = desk.connection_id
    await desk.connect(entity=None)
    path = f"/v1/connections/{desk.connection_id}/preferences"
    problem = refused(await desk.put(path, {"preferences": {"bank_account": "BOA"}}), 409, "ORDERS_CLAIMED")
    assert first in problem["detail"]


async def test_a_deleted_order_goes(desk: Desk, company: Company) -> None:
    """S5-78: NetSuite's delete feed says so; a deleted receipt was never received (S4-32)."""
    company.orders("PO-1", "PO-2")
    company.does("receive", number="PO-2", receipt_number="R-1", lines=[{"line": 1, "quantity": "6"}])
    await desk.start()
    assert ledger(await desk.order("PO-2")) == figures("10", "6", "0", "0")
    company.does("delete", kind="purchase_order", number="PO-1")
    company.does("delete", kind="receipt", number="R-1")
    await desk.sync()
    assert await desk.numbers() == {"PO-2"}
    order = await desk.order("PO-2")
    assert (order["erp_status"], ledger(order)) == ("Pending Receipt", figures("10", "0", "0", "0"))


async def test_an_order_is_cut_down_and_a_line_closed(desk: Desk, company: Company) -> None:
    """S4-60: quantities, prices and closed lines follow NetSuite."""
    company.order("PO-1")
    await desk.start()
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="8", price="11.00")
    company.does("close", number="PO-1", line=2)
    await desk.sync()
    lines = {line["line_no"]: line for line in (await desk.order("PO-1"))["lines"]}
    assert (Decimal(lines[1]["ordered"]), Decimal(lines[1]["price"])) == (8, 11)
    assert [lines[line_no]["closed"] for line_no in (1, 2)] == [False, True]
