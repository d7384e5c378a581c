"""One bill over several orders: each order's lines are locked, matched, reserved and settled as its own."""

import asyncio

from models.domain import BillId, BillStatus, PurchaseOrder
from models.messages import CreateBillAnswer
from tests.activities.office import TODAY, Office
from tests.store.made import an_order, billing


async def two_orders(office: Office, **second: str) -> tuple[PurchaseOrder, PurchaseOrder]:
    await office.tenant.execute(
        """update connections set capabilities = capabilities || '{"several_sources_per_bill": true}' where id = :id""",
        id=office.tenant.connection_id,
    )
    one = await office.holds(an_order(1007, lines={1: 10}))
    return one, await office.holds(an_order(1008, lines={1: 5, 2: 5}, **second))


async def bill_over(
    office: Office, home: PurchaseOrder, other: PurchaseOrder, *, key: str, quantities: tuple[int, int] = (4, 5)
) -> CreateBillAnswer:
    body = {
        "purchase_order_id": office.tenant.id_of(home),
        "number": f"INV-{key}",
        "bill_date": TODAY.isoformat(),
        "acknowledge": ["DUPLICATE_SUSPECT"],
        "lines": [
            {"order_line_no": 1, "quantity": str(quantities[0])},
            {
                "purchase_order_id": office.tenant.id_of(other),
                "order_line_no": 1,
                "quantity": str(quantities[1]),
            },
        ],
    }
    return await office.mirror.create_bill(await office.ask(key, body))


async def test_each_order_reserves_its_own_part(office: Office) -> None:
    """Rules 3.6: each line carries its own order line; the ledgers of both orders count it."""
    one, two = await two_orders(office)
    answer = await bill_over(office, one, two, key="k1")
    assert (answer.outcome, answer.status) == ("OK", BillStatus.PENDING_PUSH)
    assert (await office.tenant.billed_net(one), await office.tenant.billed_net(two)) == (4, 5)
    over = await office.bill(two, {1: 1}, key="k2")
    assert over.outcome == "BLOCK"
    assert (await office.bill(two, {2: 5}, key="k3")).outcome == "OK"
    lines = await office.tenant.fetch(
        "select * from bill_lines where bill_id = :id order by line_no", id=answer.bill_id
    )
    assert [line.purchase_order_id for line in lines] == [office.tenant.id_of(one), office.tenant.id_of(two)]
    assert [line.sources[0]["document_id"] for line in lines] == [one.document_id, two.document_id]


async def test_an_excess_on_the_other_order_blocks_the_bill(office: Office) -> None:
    one, two = await two_orders(office)
    answer = await bill_over(office, one, two, key="k1", quantities=(4, 6))
    assert answer.outcome == "BLOCK"
    (finding,) = (await office.match("k1"))["findings"]
    assert (finding["code"], finding["purchase_order_id"], finding["line"]) == (
        "QTY_OVER_CEILING",
        office.tenant.id_of(two),
        1,
    )
    assert (await office.tenant.billed_net(one), await office.tenant.billed_net(two)) == (0, 0)


async def test_vendor_and_currency_agree_over_all_orders(office: Office) -> None:
    """Rules 3.6: an order of another vendor holds the bill, one in another currency refuses it."""
    one, two = await two_orders(office, vendor_id="V2")
    answer = await bill_over(office, one, two, key="k1")
    assert (answer.outcome, answer.needs) == ("HOLD", ["VENDOR_MISMATCH"])


async def test_bills_over_the_same_orders_the_other_way_round_do_not_wait_for_ever(office: Office) -> None:
    """Issue 3: locks are taken in one sorted order over all orders' lines, whoever is the bill's home."""
    one, two = await two_orders(office)
    answers = await asyncio.gather(
        *(bill_over(office, one, two, key=f"a{n}", quantities=(1, 1)) for n in range(8)),
        *(bill_over(office, two, one, key=f"b{n}", quantities=(1, 1)) for n in range(8)),
    )
    assert sum(answer.bill_id is not None for answer in answers) == 5
    assert (await office.tenant.billed_net(one), await office.tenant.billed_net(two)) == (5, 5)


async def test_each_orders_own_figures_settle_its_lines(office: Office) -> None:
    """S4-65..67: the push tells both orders' workflows, and each waits until the ERP shows its part on it."""
    one, two = await two_orders(office)
    answer = await bill_over(office, one, two, key="k1")
    bill_id = answer.bill_id
    assert bill_id is not None
    pushed = await office.push(bill_id)
    assert pushed.status is BillStatus.SYNCED
    told = [(word.bill_id, word.number, word.covered) for word in office.bell.pushed]
    assert told[1:] == [(bill_id, "INV-k1", False)]
    assert await reserving(office, bill_id) == {office.tenant.id_of(two)}
    settled = await office.tenant.refresh(
        an_order(1008, lines={1: 5, 2: 5}, billed={1: 5}, revision="2026-03-03 08:00:00"),
        [billing(two, bill_id, 1, 5)],
    )
    assert settled == (bill_id,)
    assert await reserving(office, bill_id) == set()
    assert (await office.tenant.billed_net(one), await office.tenant.billed_net(two)) == (4, 5)


async def reserving(office: Office, bill_id: BillId) -> set[str]:
    lines = await office.tenant.fetch("select * from bill_lines where bill_id = :id and reserves", id=bill_id)
    return {line.purchase_order_id for line in lines}
