"""Purchase orders and item receipts of NetSuite coming in: statuses, lines, what is left out, deletions."""

from datetime import UTC, datetime
from decimal import Decimal

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


async def test_every_status_of_netsuite_has_its_meaning(api: StackClient, company: SandboxCompany) -> None:
    """S4-29, S4-30, S4-48..52, S4-54, S4-60, G3: item receipts count as received; the order's word in NetSuite
    decides, after receipts, bills and closing there."""
    numbers = [f"PO-{number}" for number in range(1, 7)]
    for number in numbers:
        company.order(number, "10")
    await api.start()
    part, whole = [{"line": 1, "quantity": "6"}], [{"line": 1, "quantity": "10"}]
    for number in ("PO-2", "PO-3"):
        company.does("receive", number=number, lines=part)
    for number in ("PO-4", "PO-5"):
        company.does("receive", number=number, lines=whole)
    company.does("bill", number="PO-3", invoice_number="S-3", lines=part)
    company.does("bill", number="PO-5", invoice_number="S-5", lines=whole)
    company.does("close", number="PO-6")
    await api.sync()
    orders = [await api.order(number) for number in numbers]
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


async def test_orders_in_approval_are_shown_where_the_connection_asks(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-102, ruling G13: in the first import already; not billable."""
    company.order("PO-ASKED", status="Pending Supervisor Approval")
    company.order("PO-OPEN")
    await api.connect()
    assert (await api.prefer(unapproved_orders="shown"))["complete"]
    await api.sync()
    assert await api.numbers() == {"PO-ASKED", "PO-OPEN"}
    order = await api.order("PO-ASKED")
    assert (order["status"], order["matching_status"]) == ("pending_approval", "pending_approval")
    assert "not approved yet" in str(refused(await api.enter("PO-ASKED", {1: "1"}), 422, "MATCH_BLOCKED"))


async def test_receipts_come_in_line_by_line(api: StackClient, company: SandboxCompany) -> None:
    """S4-31, S4-32, S4-35: what was received before the first sync, and what is received after it."""
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    await api.start(mode="three_way")
    company.does(
        "receive",
        number="PO-1",
        receipt_number="R-2",
        lines=[{"line": 1, "quantity": "2"}, {"line": 2, "quantity": "5"}],
    )
    await api.sync()
    order = await api.order("PO-1")
    assert [ledger(order, line_no) for line_no in (1, 2)] == [figures("10", "6", "0", "0"), figures("5", "5", "0", "0")]
    items = {item["key"]: item["record_no"] for item in company.held("items")}
    receipts = (await api.get(f"/v1/purchase-orders/{order['id']}/receipts"))["items"]
    assert {
        receipt["number"]: [(line["item_id"], Decimal(line["quantity"])) for line in receipt["lines"]]
        for receipt in receipts
    } == {
        "R-1": [(items["ITEM-1"], 4)],
        "R-2": [(items["ITEM-1"], 2), (items["ITEM-2"], 5)],
    }


@pytest.mark.parametrize("stamp", first_of("still", "absent"))
async def test_lines_that_move_without_their_header_are_noticed(
    api: StackClient, company: SandboxCompany, stamp: str
) -> None:
    """S4-32: NetSuite does not always touch the order when its lines move; the receipt and the bill tell."""
    company.order("PO-1", "10")
    await api.start()
    company.switch(header_stamp=stamp)
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "6"}])
    await api.sync()
    assert ledger(await api.order("PO-1")) == figures("10", "6", "0", "0")
    company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "6"}])
    await api.sync()
    order = await api.order("PO-1")
    assert (order["erp_status"], ledger(order)) == ("Partially Received", figures("10", "6", "6", "0"))


async def test_what_is_made_after_an_idle_sync_comes_in_with_the_next(
    api: StackClient, company: SandboxCompany
) -> None:
    """B8: 100 orders, a sync, an idle one, 50 more, and Sync Now within the minute: 50 of 50 come in."""
    first, second = [f"PO-{n}" for n in range(100)], [f"PO-{n}" for n in range(100, 150)]
    company.orders(*first)
    await api.start()
    await api.sync()
    assert await api.numbers() == set(first)
    company.orders(*second, modified_at=datetime.now(UTC).isoformat())
    await api.sync()
    assert await api.numbers() == {*first, *second}


async def test_what_stays_out_says_why(api: StackClient, company: SandboxCompany) -> None:
    """S1-11, S1-12, S1-15, S1-16, S4-61: old, foreign, unapproved, finished; an edit brings the old one in."""
    company.order("PO-1")
    company.order("PO-OLD", days_ago=200)
    company.order("PO-EUR", vendor_id="V-2", vendor_name="Vendor Two", currency="EUR")
    company.order("PO-ASKED", status="Pending Supervisor Approval")
    company.order("PO-CLOSED", status="Closed")
    await api.start()
    assert await api.numbers() == {"PO-1"}
    company.does("edit_purchase_order", number="PO-OLD", memo="Still needed")
    for number in ("PO-EUR", "PO-ASKED", "PO-CLOSED"):
        company.does("edit_purchase_order", number=number, memo="Look")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-OLD"}
    assert await api.skipped() == {
        "PO-EUR": "OTHER_CURRENCY",
        "PO-ASKED": "NOT_APPROVED",
        "PO-CLOSED": "ALREADY_FINISHED",
    }
    company.does("approve", number="PO-ASKED")
    await api.sync()
    assert "PO-ASKED" in await api.numbers()


async def test_a_subsidiary_sees_its_own_orders(api: StackClient, company: SandboxCompany) -> None:
    """S2-04, S2-11: the connection is bound to subsidiary 1."""
    company.order("PO-1")
    company.order("PO-2", entity="2", location="")
    await api.start()
    assert await api.numbers() == {"PO-1"}
    assert (await api.order("PO-1"))["entity"] == "1"


async def test_without_a_subsidiary_all_orders_come_in(api: StackClient, company: SandboxCompany) -> None:
    """S2-04, S5-99: each with its own, and its bill goes there."""
    company.order("PO-1", "10")
    company.order("PO-2", "10", entity="2", location="", vendor_id="V-2", vendor_name="Vendor Two")
    await api.start(entity=None)
    assert {number: (await api.order(number))["entity"] for number in await api.numbers()} == {
        "PO-1": "1",
        "PO-2": "2",
    }
    for number in ("PO-1", "PO-2"):
        company.does("receive", number=number)
    await api.sync()
    for number, entity in (("PO-1", "1"), ("PO-2", "2")):
        bill = await api.billed(number, {1: "10"})
        assert company.one("bills", external_id=bill["external_key"])["entity"] == entity


async def test_the_orders_of_an_account_belong_to_one_connection(api: StackClient, company: SandboxCompany) -> None:
    """Field note U-9: a second connection that would bill the same orders is refused, and the first one named."""
    company.order("PO-1")
    await api.start()
    first = api.connection_id
    await api.connect(entity=None)
    path = f"/v1/connections/{api.connection_id}/preferences"
    problem = refused(await api.put(path, {"preferences": {"bank_account": "BOA"}}), 409, "ORDERS_CLAIMED")
    assert first in problem["detail"]


async def test_an_order_calls_its_vendor_as_the_list_does(api: StackClient, company: SandboxCompany) -> None:
    """NetSuite shows an entity with its number before its name; people see one name everywhere."""
    company.load(vendors=[{"vendor_id": "V-130", "name": "Harbor"}])
    company.order("PO-1", "10", vendor_id="V-130", vendor_name="Harbor")
    await api.start()
    order = await api.order("PO-1")
    (vendor,) = await api.items(f"/v1/connections/{api.connection_id}/lists/vendor", q="V-130")
    assert (order["vendor_id"], order["vendor_name"], vendor["name"]) == (vendor["key"], "Harbor", "Harbor")
    company.does("receive", number="PO-1")
    await api.sync()
    bill = await api.billed("PO-1", {1: "10"})
    assert [one["vendor_name"] for one in await api.items("/v1/bills", vendor="Harbor")] == ["Harbor"]
    await api.sync()
    assert (await api.read_bill(bill["id"]))["vendor_name"] == "Harbor"


async def test_a_deleted_order_goes(api: StackClient, company: SandboxCompany) -> None:
    """S5-78: NetSuite's delete feed says so; a deleted receipt was never received (S4-32)."""
    company.orders("PO-1", "PO-2")
    company.does("receive", number="PO-2", receipt_number="R-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start()
    assert ledger(await api.order("PO-2")) == figures("10", "6", "0", "0")
    company.does("delete", kind="purchase_order", number="PO-1")
    company.does("delete", kind="receipt", number="R-1")
    await api.sync()
    assert await api.numbers() == {"PO-2"}
    order = await api.order("PO-2")
    assert (order["erp_status"], ledger(order)) == ("Pending Receipt", figures("10", "0", "0", "0"))


async def test_an_order_is_cut_down_and_a_line_closed(api: StackClient, company: SandboxCompany) -> None:
    """S4-60: quantities, prices and closed lines follow NetSuite."""
    company.order("PO-1")
    await api.start()
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="8", price="11.00")
    company.does("close", number="PO-1", line=2)
    await api.sync()
    lines = {line["line_no"]: line for line in (await api.order("PO-1"))["lines"]}
    assert (Decimal(lines[1]["ordered"]), Decimal(lines[1]["price"])) == (8, 11)
    assert [lines[line_no]["closed"] for line_no in (1, 2)] == [False, True]
