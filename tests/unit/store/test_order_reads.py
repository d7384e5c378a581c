"""What people and workflows read of orders: pages, the drop-down, chains, facts, who is to be notified."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from models.domain.orders import MatchingStatus, PoStatus
from models.store.base.pages import CursorUnreadable
from models.store.orders import purchase_orders
from models.store.orders.purchase_orders import MappedOrder
from tests.builders.records import (
    R2,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)


async def numbers_over_all_pages(tenant: Tenant, limit: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        async with tenant.database.transaction() as s:
            page = await purchase_orders.page(s, organization_id=tenant.organization_id, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += [row.number for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_pages_hold_every_order_once_most_recent_first(tenant: Tenant) -> None:
    await tenant.page(*(an_order(number, ordered_on=date(2026, 1, 1 + number % 3)) for number in range(1, 12)))
    found = await numbers_over_all_pages(tenant, 4)
    assert len(found) == len(set(found)) == 11
    days = {f"PO-{number}": 1 + number % 3 for number in range(1, 12)}
    assert [days[number] for number in found] == sorted(days.values(), reverse=True)


async def test_filters(tenant: Tenant) -> None:
    await tenant.page(
        an_order(1001),
        an_order(1002, vendor_id="V2"),
        MappedOrder(an_order(2001), PoStatus.CLOSED, MatchingStatus.CLOSED),
    )

    async def numbers(**filters: object) -> list[str]:
        async with tenant.database.transaction() as s:
            found = await purchase_orders.page(s, organization_id=tenant.organization_id, **filters)
        return sorted(row.number for row in found.items)

    assert await numbers(vendor="V2") == ["PO-1002"]
    assert await numbers(status=PoStatus.CLOSED) == ["PO-2001"]
    assert await numbers(matching_status=MatchingStatus.ACTIVE) == ["PO-1001", "PO-1002"]
    assert await numbers(q="100") == ["PO-1001", "PO-1002"]
    assert await numbers(q="%") == []
    assert await numbers(connection_id=tenant.connection_id) == ["PO-1001", "PO-1002", "PO-2001"]
    now = datetime.now(UTC)
    assert await numbers(changed_since=now + timedelta(hours=1)) == []
    assert len(await numbers(changed_since=now - timedelta(hours=1))) == 3


@pytest.mark.parametrize("sort", ["number", "-number", "-total", "changed_at"])
async def test_orders_are_paged_as_they_are_sorted(tenant: Tenant, sort: str) -> None:
    """U-10: each once, in that order, however small the pages are; a cursor of another order is refused."""
    await tenant.page(an_order(1003), an_order(1001), an_order(1002))
    seen: list[str] = []
    cursor = None
    while True:
        async with tenant.database.transaction() as s:
            page = await purchase_orders.page(
                s,
                organization_id=tenant.organization_id,
                sort=purchase_orders.OrderSort(sort),
                limit=1,
                cursor=cursor,
            )
        seen += [row.number for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        other = cursor
    assert sorted(seen) == ["PO-1001", "PO-1002", "PO-1003"]
    if sort.endswith("number"):
        assert seen == sorted(seen, reverse=sort.startswith("-"))
    async with tenant.database.transaction() as s:
        with pytest.raises(CursorUnreadable):
            await purchase_orders.page(s, organization_id=tenant.organization_id, cursor=other)


@pytest.mark.parametrize("cursor", ["not base64!", "e30", "WyJhIl0", "WyJhIiwiYiJd"])
async def test_a_cursor_of_somebody_elses_is_refused(tenant: Tenant, cursor: str) -> None:
    async with tenant.database.transaction() as s:
        with pytest.raises(CursorUnreadable):
            await purchase_orders.page(s, organization_id=tenant.organization_id, cursor=cursor)


async def test_nothing_is_visible_across_organizations(tenant: Tenant, other_tenant: Tenant) -> None:
    """DESIGN section 8: no object visible across organizations."""
    await tenant.page(an_order())
    async with tenant.database.transaction() as s:
        page = await purchase_orders.page(s, organization_id=other_tenant.organization_id)
        theirs = await purchase_orders.get(s, tenant.id_of(an_order()), other_tenant.organization_id)
        ours = await purchase_orders.get(s, tenant.id_of(an_order()), tenant.organization_id)
    assert (list(page.items), theirs) == ([], None)
    assert ours is not None


async def test_two_connections_hold_the_same_erp_id_apart(tenant: Tenant, other_tenant: Tenant) -> None:
    await tenant.page(an_order(memo="mine"))
    await other_tenant.page(an_order(memo="theirs"))
    assert (await tenant.row(an_order())).memo == "mine"
    assert (await other_tenant.row(an_order())).memo == "theirs"


async def test_the_drop_down_shows_the_vendors_open_orders_most_recent_first(tenant: Tenant) -> None:
    """S4-23: the vendor's most recent open POs; typing narrows by number."""
    await tenant.page(
        an_order(1001, ordered_on=date(2026, 1, 5)),
        an_order(1002, ordered_on=date(2026, 1, 7)),
        an_order(2001, ordered_on=date(2026, 1, 6)),
        an_order(1003, vendor_id="V2"),
        MappedOrder(an_order(1004), PoStatus.FILLED, MatchingStatus.CLOSED),
        MappedOrder(an_order(1005, ordered_on=date(2026, 1, 1)), PoStatus.FILLED, MatchingStatus.ACTIVE),
    )

    async def shown(q: str = "", limit: int = 20) -> list[str]:
        async with tenant.database.transaction() as s:
            rows = await purchase_orders.open_for_vendor(s, tenant.connection_id, "V1", q, limit)
        return [row.number for row in rows]

    assert await shown() == ["PO-1002", "PO-2001", "PO-1001", "PO-1005"]
    assert await shown(limit=2) == ["PO-1002", "PO-2001"]
    assert await shown("100") == ["PO-1002", "PO-1001", "PO-1005"]
    assert await shown("po-2") == ["PO-2001"]


async def test_facts_add_the_ledger_up(tenant: Tenant) -> None:
    order = an_order(lines={1: 10, 2: 5}, billed={1: 3})
    await tenant.page(order)
    await tenant.bill(order, {2: 2})
    async with tenant.database.transaction() as s:
        facts = await purchase_orders.facts(s, tenant.id_of(order))
        nobody = await purchase_orders.facts(s, tenant.id_of(an_order(9)))
    assert facts is not None
    assert nobody is None
    assert (facts.number, facts.vendor, facts.status) == ("PO-1007", "Acme Supplies", PoStatus.UNFILLED)
    assert (facts.ordered, facts.billed, facts.pending) == (Decimal(15), Decimal(3), Decimal(2))
    assert facts.content_hash == (await tenant.row(order)).content_hash


async def test_an_order_is_offered_until_its_workflow_was_told(tenant: Tenant) -> None:
    await tenant.page(*(an_order(number) for number in range(1, 6)))
    async with tenant.database.transaction() as s:
        first = await purchase_orders.to_notify(s, tenant.connection_id, 3)
    assert len(first) == 3
    async with tenant.database.transaction() as s:
        await purchase_orders.mark_notified(s, [(row.id, row.content_hash) for row in first])
    rest = await tenant.to_notify()
    assert {row.id for row in rest}.isdisjoint({row.id for row in first})
    assert len(rest) == 2


async def test_an_order_that_changes_while_it_is_being_notified_is_offered_again(tenant: Tenant) -> None:
    await tenant.page(an_order())
    offered = await tenant.to_notify()
    await tenant.page(an_order(revision=R2, memo="changed meanwhile"))
    async with tenant.database.transaction() as s:
        await purchase_orders.mark_notified(s, [(row.id, row.content_hash) for row in offered])
    assert len(await tenant.to_notify()) == 1


async def test_a_re_map_while_it_is_being_notified_is_offered_again(tenant: Tenant) -> None:
    """The content is the same, its meaning is not."""
    await tenant.page(an_order())
    offered = await tenant.to_notify()
    async with tenant.database.transaction() as s:
        table = {"Pending": (PoStatus.FILLED, MatchingStatus.CLOSED)}
        assert await purchase_orders.remap_statuses(s, tenant.connection_id, table) == 1
        await purchase_orders.mark_notified(s, [(row.id, row.content_hash) for row in offered])
    assert len(await tenant.to_notify()) == 1


async def test_a_switch_of_the_match_mode_gives_every_order_its_new_meaning(tenant: Tenant) -> None:
    """S5-106, S5-109: Converted is closed in 2-way matching and active in 3-way; an unknown word keeps its meaning."""
    await tenant.page(
        MappedOrder(an_order(1, erp_status="Converted"), PoStatus.FILLED, MatchingStatus.CLOSED),
        an_order(2, erp_status="Pending"),
        MappedOrder(an_order(3, erp_status="Strange"), PoStatus.FILLED, MatchingStatus.CLOSED),
    )
    await tenant.wake_all()
    table = {
        "Converted": (PoStatus.FILLED, MatchingStatus.ACTIVE),
        "Pending": (PoStatus.UNFILLED, MatchingStatus.ACTIVE),
    }
    async with tenant.database.transaction() as s:
        words = await purchase_orders.erp_statuses(s, tenant.connection_id)
        changed = await purchase_orders.remap_statuses(s, tenant.connection_id, table)
        again = await purchase_orders.remap_statuses(s, tenant.connection_id, table)
    assert (words, changed, again) == (["Converted", "Pending", "Strange"], 1, 0)
    assert (await tenant.row(an_order(1))).matching_status == "active"
    assert (await tenant.row(an_order(3))).matching_status == "closed"
    assert [row.erp_id for row in await tenant.to_notify()] == ["1"]
