"""E + P is right at every moment: while a bill is on its way, and when the ERP's evidence arrives (matching.md 3.1)."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from models.store.payables import bills
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_receipt,
    an_order,
    billing,
)
from tests.harness.tenant import (
    Tenant,
)


async def test_a_page_leaves_billed_quantities_alone_while_our_bill_is_on_its_way(tenant: Tenant) -> None:
    """S4-65: the page already shows the bill that P still counts; taking both would bill 8 of 4."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    await tenant.wake_all()
    await tenant.page(an_order(revision=R2, billed={1: 4}, memo="changed too"))
    line = (await tenant.lines(an_order()))[1]
    assert (line.converted, line.billed, line.billed_amount) == (0, 0, 0)
    assert (await tenant.row(an_order())).memo == "changed too"
    assert await tenant.billed_net(an_order()) == 4
    assert [notified.erp_id for notified in await tenant.to_notify()] == ["1007"]


async def test_a_page_counts_bills_of_others_while_ours_is_not_sent(tenant: Tenant) -> None:
    """A bill that was never sent cannot be inside the ERP's figure, so E and P simply add up."""
    await tenant.page(an_order())
    await tenant.bill(an_order(), {1: 4})
    await tenant.page(an_order(revision=R2, billed={1: 3}))
    assert await tenant.billed_net(an_order()) == 7


async def test_evidence_moves_the_quantity_from_p_to_e(tenant: Tenant) -> None:
    """S4-66, S4-67: the double sync ends when the order itself shows the bill."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    assert await tenant.billed_net(an_order()) == 4
    # The order read before the ERP counted the bill: nothing is settled, nothing is lost.
    assert await tenant.refresh(an_order()) == ()
    assert (await tenant.pending(an_order()), await tenant.billed_net(an_order())) == (4, 4)
    shown = an_order(revision=R2, billed={1: 4})
    assert await tenant.refresh(shown, [billing(shown, bill_id)]) == (bill_id,)
    assert (await tenant.pending(an_order()), await tenant.billed_net(an_order())) == (0, 4)
    line = (await tenant.lines(an_order()))[1]
    assert (line.billed, line.billed_amount) == (Decimal(4), Decimal(50))


async def test_a_refresh_repeated_changes_nothing(tenant: Tenant) -> None:
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R2, billed={1: 4})
    evidence = [billing(shown, bill_id)]
    assert await tenant.refresh(shown, evidence) == (bill_id,)
    before = await tenant.fingerprint()
    assert await tenant.refresh(shown, evidence) == ()
    assert [row[:3] for row in await tenant.fingerprint()] == [row[:3] for row in before]


async def test_quantities_withheld_by_a_page_come_with_the_refresh(tenant: Tenant) -> None:
    """The page took content and revision, but not the quantities: the refresh at the same revision still must."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R2, billed={1: 6})
    await tenant.page(shown)
    assert await tenant.billed_net(an_order()) == 4
    assert await tenant.refresh(shown, [billing(shown, bill_id)]) == (bill_id,)
    assert await tenant.billed_net(an_order()) == 6
    assert await tenant.to_notify() == []


async def test_two_bills_on_their_way_settle_one_by_one(tenant: Tenant) -> None:
    """S1-23, S4-16: each bill stops reserving when it is shown itself."""
    await tenant.page(an_order())
    first, second = [await tenant.bill(an_order(), {1: quantity}) for quantity in (4, 5)]
    await tenant.send(first)
    await tenant.send(second)
    one = an_order(revision=R2, billed={1: 4})
    assert await tenant.refresh(one, [billing(one, first)]) == (first,)
    assert (await tenant.pending(one), await tenant.billed_net(one)) == (5, 9)
    both = an_order(revision=R3, billed={1: 9})
    evidence = [billing(both, first), billing(both, second, quantity=5)]
    assert await tenant.refresh(both, evidence) == (second,)
    assert (await tenant.pending(both), await tenant.billed_net(both)) == (0, 9)


async def test_a_line_without_its_link_keeps_reserving(tenant: Tenant) -> None:
    """Field note U-2: the ERP took the bill but linked only one of its lines."""
    order = an_order(lines={1: 10, 2: 10})
    await tenant.page(order)
    bill_id = await tenant.bill(order, {1: 4, 2: 3})
    await tenant.send(bill_id)
    shown = an_order(revision=R2, lines={1: 10, 2: 10}, billed={1: 4})
    assert await tenant.refresh(shown, [billing(shown, bill_id, line_no=1)]) == ()
    assert (await tenant.pending(order), await tenant.billed_net(order)) == (3, 7)


async def test_a_snapshot_older_than_what_we_hold_changes_nothing(tenant: Tenant) -> None:
    """Reference 2.5: reads may lag writes."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R3, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    assert await tenant.refresh(an_order(revision=R2)) == ()
    assert await tenant.billed_net(an_order()) == 4


async def test_a_page_of_the_same_second_cannot_take_a_settled_bill_back(tenant: Tenant) -> None:
    """Revisions are seconds: a page read just before the ERP counted the bill carries the same one."""
    await tenant.page(an_order(revision=R1))
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R1, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    assert await tenant.to_notify() == []
    await tenant.page(an_order(revision=R1))
    assert await tenant.billed_net(an_order()) == 4
    assert [notified.erp_id for notified in await tenant.to_notify()] == ["1007"]


async def test_a_page_of_the_same_second_may_say_more(tenant: Tenant) -> None:
    """What takes nothing back is taken: it can only be the later of the two."""
    await tenant.page(an_order(revision=R1))
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R1, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    await tenant.page(an_order(revision=R1, billed={1: 5}, memo="later in that second"))
    assert await tenant.billed_net(an_order()) == 5
    assert (await tenant.row(an_order())).memo == "later in that second"


@pytest.mark.parametrize("by", ["page", "refresh"])
async def test_what_was_read_before_a_bill_was_taken_back_does_not_bring_it_back(tenant: Tenant, by: str) -> None:
    """Made, taken back and read three times within one second: a reading that began before says more than is true.
    Whoever believed it had the next bill wait for a release that nobody owes."""
    await tenant.page(an_order(revision=R1))
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R1, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    began = datetime.now(UTC)
    await tenant.execute("update bill_lines set reserves = false where bill_id = :id", id=bill_id)
    await tenant.execute("delete from bill_lines where bill_id = :id", id=bill_id)
    await tenant.refresh(an_order(revision=R1), began=began, frees=True)
    assert await tenant.billed_net(an_order()) == 0
    if by == "page":
        await tenant.page(an_order(revision=R1, billed={1: 4}))
        assert [notified.erp_id for notified in await tenant.to_notify()] == ["1007"]
    else:
        await tenant.refresh(shown, began=began - timedelta(milliseconds=300))
    assert await tenant.billed_net(an_order()) == 0
    await tenant.refresh(shown, began=began + timedelta(milliseconds=300))
    assert await tenant.billed_net(an_order()) == 4, "a later reading counts"


async def test_a_snapshot_of_the_same_second_that_lacks_a_settled_bill_is_not_believed(tenant: Tenant) -> None:
    await tenant.page(an_order(revision=R1))
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R1, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    await tenant.synced(bill_id, erp_id="8001", document="Vendor Invoice-1", payable="901")
    assert await tenant.refresh(an_order(revision=R1)) == ()
    assert await tenant.billed_net(an_order()) == 4


async def test_a_refresh_may_be_the_first_we_hear_of_an_order(tenant: Tenant) -> None:
    order = an_order(billed={1: 2})
    assert await tenant.refresh(order) == ()
    assert await tenant.billed_net(order) == 2
    assert await tenant.to_notify() == []


async def test_receipts_of_the_snapshot_are_the_whole_truth(tenant: Tenant) -> None:
    """S5-113: a receipt the order no longer has was deleted in the ERP."""
    order = an_order(billed={1: 6})
    await tenant.page(order)
    kept, dropped = a_receipt(order, {1: 4}), a_receipt(order, {1: 2}, number=502)
    await tenant.receive(kept, dropped)
    assert (await tenant.lines(order))[1].received == 6
    now = an_order(revision=R2, billed={1: 4})
    await tenant.refresh(now, received=[kept])
    line = (await tenant.lines(order))[1]
    assert (line.received, line.converted, line.billed) == (4, 4, 0)


@pytest.mark.parametrize("rounds", range(3))
async def test_billing_a_page_and_a_refresh_at_once_never_lose_a_quantity(tenant: Tenant, rounds: int) -> None:
    """Q37: whoever comes first, E + P is what was billed; nobody waits for ever."""
    order = an_order(lines={1: 100, 2: 100})
    await tenant.page(order)
    first = await tenant.bill(order, {1: 4, 2: 4})
    await tenant.send(first)
    shown = an_order(revision=R2, lines={1: 100, 2: 100}, billed={1: 4, 2: 4})
    evidence = [billing(shown, first, line_no=1), billing(shown, first, line_no=2)]
    await asyncio.gather(
        tenant.page(shown), tenant.refresh(shown, evidence), tenant.bill(order, {2: 1, 1: 2}), tenant.page(shown)
    )
    assert await tenant.refresh(shown, evidence) in ((), (first,))
    assert await tenant.billed_net(order) == 4 + 4 + 2 + 1


async def test_a_bill_abandoned_frees_its_quantity(tenant: Tenant) -> None:
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    async with tenant.database.transaction() as s:
        assert await bills.abandon(s, bill_id, actor="someone", why="wrong order")
    assert await tenant.billed_net(an_order()) == 0
