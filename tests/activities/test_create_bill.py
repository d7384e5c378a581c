"""Match and reserve: one transaction under the order's lock, one bill per request, never over the ceiling."""

import asyncio
from decimal import Decimal

import pytest

from erp.prices import unit_price
from models.domain.bills import BillStatus
from models.store.payables import bills
from tests.builders.records import (
    a_receipt,
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)


async def test_an_accepted_bill_reserves_and_plans_its_write(harness: ActivityHarness) -> None:
    """S4-22, S4-28, S1-03: saved with the order's own price and item; its quantity is taken, its write is planned."""
    order = await harness.holds(an_order(lines={1: 10, 2: 5}, price="12.50"))
    answer = await harness.bill(order, {1: 4, 2: 5}, key="k1", number="INV-7")
    assert (answer.outcome, answer.number, answer.total) == ("OK", "INV-7", "112.50")
    assert answer.bill_id is not None
    assert await harness.tenant.pending(order) == 9
    row = await harness.tenant.bill_row(answer.bill_id)
    assert (row.status, row.total, row.reference, row.created_by) == (
        "pending_push",
        Decimal("112.50"),
        "PO-1007",
        "ada",
    )
    lines = await harness.tenant.fetch(
        "select * from bill_lines where bill_id = :id order by line_no",
        id=answer.bill_id,
    )
    assert [(line.item_id, line.quantity, line.amount, line.reserves) for line in lines] == [
        ("ITEM-1", 4, Decimal("50.00"), True),
        ("ITEM-2", 5, Decimal("62.50"), True),
    ]
    assert lines[0].sources == [{"document_id": order.document_id, "line": "10071", "quantity": "4"}]
    write = await harness.write(answer.bill_id)
    assert (write.state, write.attempts, write.purchase_order_id) == ("planned", 0, harness.tenant.id_of(order))


async def test_run_twice_it_is_one_bill_with_one_answer(harness: ActivityHarness) -> None:
    """DESIGN 8, F3: the request's key makes the bill's id; the second run gives the first one's answer."""
    order = await harness.holds(an_order(lines={1: 10}))
    first = await harness.bill(order, {1: 4}, key="k1")
    again = await harness.bill(order, {1: 4}, key="k1")
    assert again == first
    assert await harness.tenant.billed_net(order) == 4
    assert len(await harness.tenant.bill_rows()) == 1
    results = await harness.tenant.fetch("select * from match_results where connection_id = :c")
    assert len(results) == 1
    blocked = await harness.bill(order, {1: 7}, key="k2")
    assert await harness.bill(order, {1: 7}, key="k2") == blocked
    assert blocked.outcome == "BLOCK"


async def test_over_the_ceiling_is_blocked_with_its_numbers(harness: ActivityHarness) -> None:
    """S4-28: 2-way, more than what is left of the order is refused; nothing is saved but the reasons."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 4})
    answer = await harness.bill(order, {1: "6.001"}, key="k2")
    assert (answer.outcome, answer.bill_id) == ("BLOCK", None)
    (finding,) = (await harness.match("k2"))["findings"]
    assert (finding["code"], finding["rule"]) == ("QTY_OVER_CEILING", "2WAY.BLOCK")
    assert (Decimal(finding["limit"]), Decimal(finding["margin"])) == (6, Decimal("-0.001"))
    assert await harness.tenant.billed_net(order) == 4
    (kept,) = await harness.tenant.fetch(
        "select bill_id, outcome from match_results where connection_id = :c and outcome = 'BLOCK'"
    )
    assert kept.bill_id is None


async def test_three_way_warns_beyond_what_was_received(harness: ActivityHarness) -> None:
    """S4-40, S4-41: with receipts, more than received is a warning and goes out; beyond the order it is blocked."""
    await harness.tenant.execute(
        "update connections set match_mode = 'three_way' where id = :id", id=harness.tenant.connection_id
    )
    order = await harness.holds(an_order(lines={1: 10}, billed={1: 6}, erp_status="Partially Converted"))
    await harness.tenant.receive(a_receipt(order, {1: 6}))
    received = await harness.bill(order, {1: 6}, key="k1")
    assert received.outcome == "OK"
    ahead = await harness.bill(order, {1: 4}, key="k2")
    assert (ahead.outcome, ahead.bill_id is not None) == ("WARN", True)
    assert [finding["code"] for finding in (await harness.match("k2"))["findings"]] == ["BILLED_BEYOND_RECEIVED"]
    over = await harness.bill(order, {1: 1}, key="k3")
    assert over.outcome == "BLOCK"


async def test_the_same_supplier_number_is_a_duplicate_until_the_first_is_abandoned(harness: ActivityHarness) -> None:
    """S4-28, DUPLICATE_EXACT: case, blanks and punctuation do not make another number."""
    order = await harness.holds(an_order(lines={1: 10}))
    first = await harness.billed(order, {1: 2}, key="k1", number="INV-007")
    again = await harness.bill(order, {1: 2}, key="k2", number=" inv 007 ")
    assert again.outcome == "BLOCK"
    assert [finding["code"] for finding in (await harness.match("k2"))["findings"]] == ["DUPLICATE_EXACT"]
    async with harness.tenant.database.transaction() as s:
        assert await bills.abandon(s, first, actor="ada", why="twice")
    assert (await harness.bill(order, {1: 2}, key="k3", number="INV-007")).outcome == "OK"


async def test_two_orders_cannot_both_take_one_supplier_number(harness: ActivityHarness) -> None:
    """DUPLICATE_EXACT under load: two orders have two locks; the database keeps the number single."""
    orders = [await harness.holds(an_order(number, lines={1: 10})) for number in range(1007, 1012)]

    answers = await asyncio.gather(
        *(harness.bill(order, {1: 1}, key=f"k{order.erp_id}", number="SAME-1") for order in orders)
    )
    assert sorted(answer.outcome for answer in answers) == ["BLOCK"] * 4 + ["OK"]


@pytest.mark.parametrize("quantity", ["1", "3"])
async def test_twenty_at_once_never_pass_the_ceiling(harness: ActivityHarness, quantity: str) -> None:
    """Issue 2, reservation under a row lock: twenty callers on one line of ten take ten, not one more."""
    order = await harness.holds(an_order(lines={1: 10}))
    answers = await asyncio.gather(*(harness.bill(order, {1: quantity}, key=f"k{n}") for n in range(20)))
    accepted = [answer for answer in answers if answer.bill_id is not None]
    assert len(accepted) == 10 // int(quantity)
    assert await harness.tenant.billed_net(order) == len(accepted) * int(quantity)
    assert {answer.outcome for answer in answers if answer.bill_id is None} == {"BLOCK"}
    sequences = [
        row.sequence for row in await harness.tenant.fetch("select sequence from erp_writes order by sequence")
    ]
    assert len(set(sequences)) == len(sequences)


async def test_the_same_request_twenty_times_at_once_is_one_bill(harness: ActivityHarness) -> None:
    """F3: duplicate deliveries of one request, all at the same moment."""
    order = await harness.holds(an_order(lines={1: 10}))
    answers = await asyncio.gather(*(harness.bill(order, {1: 4}, key="same") for _ in range(20)))
    assert len({answer.bill_id for answer in answers}) == 1
    assert await harness.tenant.billed_net(order) == 4


async def test_a_bill_of_several_lines_is_saved_whole_or_not_at_all(harness: ActivityHarness) -> None:
    """S4-28: one line over its ceiling refuses the bill, and the good lines reserve nothing."""
    order = await harness.holds(an_order(lines={1: 10, 2: 5}))
    answer = await harness.bill(order, {1: 10, 2: 6}, key="k1")
    assert answer.outcome == "BLOCK"
    assert await harness.tenant.billed_net(order) == 0
    assert (await harness.bill(order, {1: 10, 2: 5}, key="k2")).outcome == "OK"


async def test_a_callers_own_amount_makes_the_price(harness: ActivityHarness) -> None:
    """S5-147: what the caller states wins over the order's price, and the price that is sent is amount / quantity."""
    order = await harness.holds(an_order(lines={1: 10}, price="12.50"))
    dearer = ["PRICE_DIFFERS:bill-line-1"]
    answer = await harness.bill(order, {1: 3}, key="k1", amount="40.00", department="D-9", acknowledge=dearer)
    assert answer.bill_id is not None
    assert answer.total == "40.00"
    (line,) = await harness.tenant.fetch("select * from bill_lines where bill_id = :id", id=answer.bill_id)
    assert (line.amount, line.department) == (Decimal("40.00"), "D-9")
    await harness.push(answer.bill_id)
    (invoice,) = harness.erp.invoices.values()
    assert invoice.bill.total == Decimal("40.00")
    (sent,) = invoice.bill.lines
    assert sent.amount == Decimal("40.00")
    assert unit_price(sent.amount, sent.quantity, sent.price, decimals=4) == Decimal("13.3333")
    assert (await harness.tenant.bill_row(answer.bill_id)).status == BillStatus.SYNCED


async def test_lines_the_order_does_not_have_are_refused(harness: ActivityHarness) -> None:
    """S4-28: a line that is not on the order, and quantities that are no quantities."""
    order = await harness.holds(an_order(lines={1: 10}))
    for key, quantities in (("k1", {9: 1}), ("k2", {1: 0}), ("k3", {1: -2})):
        answer = await harness.bill(order, quantities, key=key)
        assert (answer.outcome, answer.bill_id) == ("BLOCK", None)
    assert await harness.tenant.billed_net(order) == 0


async def test_two_bills_under_one_number_in_the_same_instant_meet(harness: ActivityHarness) -> None:
    """Issue 10, B11's brothers: over two orders, each was matched without the other, and both waited for a release."""
    orders = [await harness.holds(an_order(number, lines={1: 10})) for number in (1007, 1008, 1009)]
    await harness.bill(orders[0], {1: 1}, key="old", number="42")
    await harness.tenant.execute(
        "update bills set bill_date = bill_date - interval '13 months' where connection_id = :c",
        c=harness.tenant.connection_id,
    )
    answers = await asyncio.gather(
        *(harness.bill(order, {1: no}, key=f"new-{no}", number="42") for no, order in enumerate(orders[1:], start=2))
    )
    assert sorted(answer.outcome for answer in answers) == ["BLOCK", "HOLD"]
