"""One bill over several orders: each order's lines are locked, matched, reserved and settled as its own."""

import asyncio

from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.orders import PurchaseOrder
from tests.builders.records import (
    an_order,
    billing,
)
from tests.harness.activity_harness import (
    TODAY,
    ActivityHarness,
    Decided,
)


async def two_orders(harness: ActivityHarness, **second: str) -> tuple[PurchaseOrder, PurchaseOrder]:
    await harness.tenant.execute(
        """update connections set capabilities = capabilities || '{"several_sources_per_bill": true}' where id = :id""",
        id=harness.tenant.connection_id,
    )
    one = await harness.holds(an_order(1007, lines={1: 10}))
    return one, await harness.holds(an_order(1008, lines={1: 5, 2: 5}, **second))


async def bill_over(
    harness: ActivityHarness,
    home: PurchaseOrder,
    other: PurchaseOrder,
    *,
    key: str,
    quantities: tuple[int, int] = (4, 5),
) -> Decided:
    body = {
        "purchase_order_id": harness.tenant.id_of(home),
        "number": f"INV-{key}",
        "bill_date": TODAY.isoformat(),
        "acknowledge": ["DUPLICATE_SUSPECT"],
        "lines": [
            {"order_line_no": 1, "quantity": str(quantities[0])},
            {
                "purchase_order_id": harness.tenant.id_of(other),
                "order_line_no": 1,
                "quantity": str(quantities[1]),
            },
        ],
    }
    return await harness.ask_for_bill(key, body)


async def test_each_order_reserves_its_own_part(harness: ActivityHarness) -> None:
    """Rules 3.6: each line carries its own order line; the ledgers of both orders count it."""
    one, two = await two_orders(harness)
    answer = await bill_over(harness, one, two, key="k1")
    assert (answer.outcome, answer.status) == ("OK", BillStatus.PENDING_PUSH)
    assert (await harness.tenant.billed_net(one), await harness.tenant.billed_net(two)) == (4, 5)
    over = await harness.bill(two, {1: 1}, key="k2")
    assert over.outcome == "BLOCK"
    assert (await harness.bill(two, {2: 5}, key="k3")).outcome == "OK"
    lines = await harness.tenant.fetch(
        "select * from bill_lines where bill_id = :id order by line_no", id=answer.bill_id
    )
    assert [line.purchase_order_id for line in lines] == [harness.tenant.id_of(one), harness.tenant.id_of(two)]
    assert [line.sources[0]["document_id"] for line in lines] == [one.document_id, two.document_id]


async def test_an_excess_on_the_other_order_blocks_the_bill(harness: ActivityHarness) -> None:
    one, two = await two_orders(harness)
    answer = await bill_over(harness, one, two, key="k1", quantities=(4, 6))
    assert answer.outcome == "BLOCK"
    (finding,) = (await harness.match("k1"))["findings"]
    assert (finding["code"], finding["purchase_order_id"], finding["line"]) == (
        "QTY_OVER_CEILING",
        harness.tenant.id_of(two),
        1,
    )
    assert (await harness.tenant.billed_net(one), await harness.tenant.billed_net(two)) == (0, 0)


async def test_vendor_and_currency_agree_over_all_orders(harness: ActivityHarness) -> None:
    """Rules 3.6: an order of another vendor holds the bill, one in another currency refuses it."""
    one, two = await two_orders(harness, vendor_id="V2")
    answer = await bill_over(harness, one, two, key="k1")
    assert (answer.outcome, answer.needs) == ("HOLD", ["VENDOR_MISMATCH"])


async def test_bills_over_the_same_orders_the_other_way_round_do_not_wait_for_ever(harness: ActivityHarness) -> None:
    """Issue 3: locks are taken in one sorted order over all orders' lines, whoever is the bill's home."""
    one, two = await two_orders(harness)
    answers = await asyncio.gather(
        *(bill_over(harness, one, two, key=f"a{n}", quantities=(1, 1)) for n in range(8)),
        *(bill_over(harness, two, one, key=f"b{n}", quantities=(1, 1)) for n in range(8)),
    )
    assert sum(answer.bill_id is not None for answer in answers) == 5
    assert (await harness.tenant.billed_net(one), await harness.tenant.billed_net(two)) == (5, 5)


async def test_each_orders_own_figures_settle_its_lines(harness: ActivityHarness) -> None:
    """S4-65..67: the push tells both orders' workflows, and each waits until the ERP shows its part on it."""
    one, two = await two_orders(harness)
    answer = await bill_over(harness, one, two, key="k1")
    bill_id = answer.bill_id
    assert bill_id is not None
    pushed = await harness.push(bill_id)
    assert pushed.status is BillStatus.SYNCED
    told = [(word.bill_id, word.number, word.confirmed) for word in harness.notifier.pushed]
    assert told[1:] == [(bill_id, "INV-k1", False)]
    assert await reserving(harness, bill_id) == {harness.tenant.id_of(two)}
    settled = await harness.tenant.refresh(
        an_order(1008, lines={1: 5, 2: 5}, billed={1: 5}, revision="2026-03-03 08:00:00"),
        [billing(two, bill_id, 1, 5)],
    )
    assert settled == (bill_id,)
    assert await reserving(harness, bill_id) == set()
    assert (await harness.tenant.billed_net(one), await harness.tenant.billed_net(two)) == (4, 5)


async def reserving(harness: ActivityHarness, bill_id: BillId) -> set[str]:
    lines = await harness.tenant.fetch("select * from bill_lines where bill_id = :id and reserves", id=bill_id)
    return {line.purchase_order_id for line in lines}
