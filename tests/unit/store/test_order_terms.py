"""What makes an order's workflow match our bills again: the digest of the terms they are matched against."""

from models.messages.orders import OrderFacts
from models.store.orders import purchase_orders
from models.store.payables import bills
from tests.builders.records import (
    R2,
    R3,
    a_receipt,
    an_order,
    billing,
)
from tests.harness.tenant import (
    Tenant,
)


async def facts(tenant: Tenant) -> OrderFacts:
    async with tenant.database.transaction() as s:
        found = await purchase_orders.facts(s, tenant.id_of(an_order()))
    assert found is not None
    return found


async def test_a_bill_of_ours_does_not_change_the_terms(tenant: Tenant) -> None:
    """Rules 3.6: saved, pushed and settled, our own bill asks for no second look."""
    order = an_order()
    await tenant.page(order)
    before = await facts(tenant)
    assert not before.our_bills
    bill_id = await tenant.bill(order, {1: 4})
    saved = await facts(tenant)
    assert (saved.our_bills, saved.terms) == (True, before.terms)
    shown = an_order(billed={1: 4}, revision=R2, erp_status="Partially Converted")
    await tenant.refresh(shown, [billing(order, bill_id)])
    settled = await facts(tenant)
    assert (settled.billed, settled.terms) == (4, before.terms)
    assert settled.content_hash != before.content_hash


async def test_a_abandoned_bill_is_none_of_ours(tenant: Tenant) -> None:
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    async with tenant.database.transaction() as s:
        assert await bills.abandon(s, bill_id, actor="someone", why="wrong order")
    assert not (await facts(tenant)).our_bills


async def test_what_is_ordered_received_or_agreed_changes_the_terms(tenant: Tenant) -> None:
    """Rules 3.6: quantity, price and receipts are what a bill is matched against."""
    seen = []
    await tenant.page(an_order())
    seen.append((await facts(tenant)).terms)
    await tenant.page(an_order(lines={1: 12}, revision=R2))
    seen.append((await facts(tenant)).terms)
    await tenant.page(an_order(lines={1: 12}, price="13.00", revision=R3))
    seen.append((await facts(tenant)).terms)
    received = an_order(lines={1: 12}, price="13.00", billed={1: 5}, revision="2026-03-01 10:00:04")
    await tenant.page(received)
    await tenant.receive(a_receipt(received, {1: 5}))
    seen.append((await facts(tenant)).terms)
    assert len(set(seen)) == 4
    await tenant.page(an_order(lines={1: 12}, price="13.00", billed={1: 5}, memo="x", revision="2026-03-01 10:00:05"))
    assert (await facts(tenant)).terms == seen[-1]
