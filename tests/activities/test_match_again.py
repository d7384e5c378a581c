"""Workflows of waiting bills hear of what their bills are matched with, whoever dies before the word is said."""

from datetime import date

import pytest

from models.domain import ErpId, ListEntry, ListKind, Stream
from models.messages import WakePurchaseOrders
from models.store import closed_periods, match_again, tolerance_policies
from models.store.sync_runs import sync_run_id
from models.store.tolerance_policies import Scope
from tests.activities.office import Office
from tests.store.made import R1, R2, an_order

LISTS = "a vendor, an item or a unit changed"


async def wake(office: Office) -> list[tuple[str, str]]:
    """The last step of a sync run: whom it told to match again, and why."""
    office.bell.match_again_for.clear()
    await office.waking.wake_purchase_orders(
        WakePurchaseOrders(connection_id=office.tenant.connection_id, run_id=sync_run_id("x"), limit=1000)
    )
    return list(office.bell.match_again_for)


async def waits(office: Office) -> None:
    """PO-1001 has a bill that waits, PO-1002 one that does not; everything so far was told."""
    await office.three_way()
    ahead, plain = await office.holds(an_order(1001)), await office.holds(an_order(1002))
    await office.tenant.execute(
        "update purchase_order_lines set received = 10 where purchase_order_id = :id", id=office.tenant.id_of(plain)
    )
    await office.billed(ahead, {1: 4}, key="k1")
    await office.billed(plain, {1: 4}, key="k2")
    await wake(office)


def the_vendor(office: Office, revision: str, *, active: bool) -> None:
    office.erp.entries = [
        ListEntry(kind=ListKind.VENDOR, erp_id=ErpId("1"), key="V-1", name="One", active=active, revision=revision)
    ]


async def test_a_changed_list_is_told_of_once(office: Office) -> None:
    """Rules 3.6: whoever waits is matched again once the lists moved, and not again while they do not."""
    await waits(office)
    the_vendor(office, R1, active=True)
    await office.read(Stream.LISTS)
    assert await wake(office) == [("PO-1001", LISTS)]
    assert await wake(office) == []
    await office.read(Stream.LISTS)
    assert await wake(office) == []
    the_vendor(office, R2, active=False)
    await office.read(Stream.LISTS)
    assert await wake(office) == [("PO-1001", LISTS)]


async def test_a_word_that_was_not_heard_is_said_again(office: Office) -> None:
    """DESIGN 1: no step lives only in memory. Temporal away, or the worker dead: the next run tells."""
    await waits(office)
    the_vendor(office, R1, active=True)
    await office.read(Stream.LISTS)
    office.bell.broken = True
    with pytest.raises(ConnectionError):
        await wake(office)
    office.bell.broken = False
    assert await wake(office) == [("PO-1001", LISTS)]
    assert await wake(office) == []


async def test_what_a_person_changed_is_told_of_by_the_next_run(office: Office) -> None:
    """A route that ended between its commit and its word leaves the word to the next sync run; policy or books."""
    await waits(office)
    tenant = office.tenant
    async with tenant.database.transaction() as s:
        await tolerance_policies.create(
            s, tenant.organization_id, Scope(), {"warn_on_over_receipt": False}, actor="ada", why="test"
        )
    assert await wake(office) == [("PO-1001", "a tolerance policy created")]
    async with tenant.database.transaction() as s:
        await closed_periods.set_by_person(
            s, tenant.organization_id, tenant.connection_id, "", date(2026, 1, 31), actor="ada", why="test"
        )
    assert await wake(office) == [("PO-1001", "the books were closed or opened here")]


async def test_a_change_while_the_last_one_is_told_is_not_lost(office: Office) -> None:
    """F10: what moved between reading whom to tell and the mark is told of in its turn."""
    await waits(office)
    tenant = office.tenant
    async with tenant.database.transaction() as s:
        await match_again.ask(s, tenant.connection_id, "first")
        asked = await match_again.asked(s, [tenant.connection_id])
    async with tenant.database.transaction() as s:
        await match_again.ask(s, tenant.connection_id, "second")
        await match_again.told(s, asked)
    assert await wake(office) == [("PO-1001", "second")]
    assert await wake(office) == []
