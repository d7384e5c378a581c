"""Workflows of waiting bills hear of what their bills are matched with, whoever dies before the word is said."""

from datetime import date

import pytest

from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.sync import Stream
from models.messages.sync import NotifyChangedOrders
from models.store.connections import closed_periods
from models.store.policies import rematch_requests, tolerance_policies
from models.store.policies.tolerance_policies import Scope
from models.store.sync.sync_runs import sync_run_id
from tests.builders.records import (
    R1,
    R2,
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)

LISTS = "a vendor, an item or a unit changed"


async def wake(harness: ActivityHarness) -> list[tuple[str, str]]:
    """The last step of a sync run: whom it told to match again, and why."""
    harness.notifier.rematched.clear()
    await harness.waking.notify_changed_orders(
        NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id=sync_run_id("x"), limit=1000)
    )
    return list(harness.notifier.rematched)


async def waits(harness: ActivityHarness) -> None:
    """PO-1001 has a bill that waits, PO-1002 one that does not; everything so far was told."""
    await harness.three_way()
    ahead, plain = await harness.holds(an_order(1001)), await harness.holds(an_order(1002))
    await harness.tenant.execute(
        "update purchase_order_lines set received = 10 where purchase_order_id = :id", id=harness.tenant.id_of(plain)
    )
    await harness.billed(ahead, {1: 4}, key="k1")
    await harness.billed(plain, {1: 4}, key="k2")
    await wake(harness)


def the_vendor(harness: ActivityHarness, revision: str, *, active: bool) -> None:
    harness.erp.entries = [
        ListEntry(kind=ListKind.VENDOR, erp_id=ErpId("1"), key="V-1", name="One", active=active, revision=revision)
    ]


async def test_a_changed_list_is_told_of_once(harness: ActivityHarness) -> None:
    """Rules 3.6: whoever waits is matched again once the lists moved, and not again while they do not."""
    await waits(harness)
    the_vendor(harness, R1, active=True)
    await harness.read(Stream.LISTS)
    assert await wake(harness) == [("PO-1001", LISTS)]
    assert await wake(harness) == []
    await harness.read(Stream.LISTS)
    assert await wake(harness) == []
    the_vendor(harness, R2, active=False)
    await harness.read(Stream.LISTS)
    assert await wake(harness) == [("PO-1001", LISTS)]


async def test_a_word_that_was_not_heard_is_said_again(harness: ActivityHarness) -> None:
    """DESIGN 1: no step lives only in memory. Temporal away, or the worker dead: the next run tells."""
    await waits(harness)
    the_vendor(harness, R1, active=True)
    await harness.read(Stream.LISTS)
    harness.notifier.broken = True
    with pytest.raises(ConnectionError):
        await wake(harness)
    harness.notifier.broken = False
    assert await wake(harness) == [("PO-1001", LISTS)]
    assert await wake(harness) == []


async def test_what_a_person_changed_is_told_of_by_the_next_run(harness: ActivityHarness) -> None:
    """A route that ended between its commit and its word leaves the word to the next sync run; policy or books."""
    await waits(harness)
    tenant = harness.tenant
    async with tenant.database.transaction() as s:
        await tolerance_policies.create(
            s, tenant.organization_id, Scope(), {"warn_on_over_receipt": False}, actor="ada", why="test"
        )
    assert await wake(harness) == [("PO-1001", "a tolerance policy created")]
    async with tenant.database.transaction() as s:
        await closed_periods.set_by_person(
            s, tenant.organization_id, tenant.connection_id, "", date(2026, 1, 31), actor="ada", why="test"
        )
    assert await wake(harness) == [("PO-1001", "the books were closed or opened here")]


async def test_a_change_while_the_last_one_is_told_is_not_lost(harness: ActivityHarness) -> None:
    """F10: what moved between reading whom to tell and the mark is told of in its turn."""
    await waits(harness)
    tenant = harness.tenant
    async with tenant.database.transaction() as s:
        await rematch_requests.request(s, tenant.connection_id, "first")
        asked = await rematch_requests.pending(s, [tenant.connection_id])
    async with tenant.database.transaction() as s:
        await rematch_requests.request(s, tenant.connection_id, "second")
        await rematch_requests.clear(s, asked)
    assert await wake(harness) == [("PO-1001", "second")]
    assert await wake(harness) == []
