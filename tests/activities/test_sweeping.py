"""Deletions where the ERP tells of none: what is compared, how often, what is believed, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.sweeping import believed, due
from erp.connector import Swept
from erp.errors import Stale
from models.domain import DeletedKind, ErpId, HeldRecords, Stream
from models.store import connections, held_records
from tests.activities.office import Office
from tests.store.made import R1, a_receipt, an_erp_bill, an_erp_payment, an_order

DOCUMENTS, BILL, PAYMENT = DeletedKind.PURCHASE_ORDER_DOCUMENT, DeletedKind.BILL, DeletedKind.PAYMENT
NOW = datetime(2031, 7, 1, 12, 0, tzinfo=UTC)


@dataclass
class Compared:
    """A sweep that knows what is gone, and remembers what it was asked about."""

    gone: set[str] = field(default_factory=set)
    not_searched: tuple[str, ...] = ()
    trouble: list[Exception] = field(default_factory=list)
    asked: list[Sequence[HeldRecords]] = field(default_factory=list)
    why: str = "the user may not read the audit trail"

    async def swept(self, held: Sequence[HeldRecords]) -> Swept:
        self.asked.append(held)
        if self.trouble:
            raise self.trouble.pop(0)
        groups = [group._replace(erp_ids=[one for one in group.erp_ids if one in self.gone]) for group in held]
        return Swept([group for group in groups if group.erp_ids], self.not_searched)


async def a_day_passes(office: Office) -> None:
    await office.tenant.execute(
        "update cursors set position = to_char(cast(position as timestamp) - interval '25 hours',"
        " 'YYYY-MM-DD HH24:MI:SS') where connection_id = :c and stream = 'deletions'",
        c=office.tenant.connection_id,
    )


async def notices_of(office: Office) -> list[str]:
    rows = await office.tenant.fetch("select message from notices where connection_id = :c order by created_at")
    return [row.message for row in rows]


async def feed(office: Office) -> bool:
    return bool((await office.connection()).capabilities["deletions_feed"])


# --- what is compared ------------------------------------------------------------------------------------------


async def test_what_we_hold_of_every_kind_is_compared(office: Office) -> None:
    """S5-78, S5-113, S5-136: orders, receipts, our vendor invoices, their bills, payments; each kind once."""
    order = await office.holds(an_order(1001, lines={1: 10, 2: 10}))
    ours = await office.billed(order, {1: 2}, key="k-1")
    await office.push(ours)
    await office.tenant.receive(a_receipt(order, {1: 4}, number=5001))
    await office.tenant.bills_in(an_erp_bill(900))
    await office.tenant.payments_in(an_erp_payment(700, shares={"900": "50"}))
    office.erp.sweep = sweep = Compared()
    await office.read(Stream.DELETIONS)
    (asked,) = sweep.asked
    erp_id = (await office.tenant.bill_row(ours)).erp_id
    assert {(group.kind, *sorted(group.erp_ids)) for group in asked} == {
        (DOCUMENTS, "1001", "5001"),
        (BILL, "900"),
        (PAYMENT, "700"),
    }
    await office.tenant.execute("update bills set changed_at = now() - interval '3 hours'")
    await office.read(Stream.DELETIONS)
    assert {(group.kind, *sorted(group.erp_ids)) for group in sweep.asked[1]} == {
        (DOCUMENTS, *sorted(("1001", "5001", str(erp_id)))),
        (BILL, "900"),
        (PAYMENT, "700"),
    }, "a bill of ours that the ERP's lists may not show yet waits for the next sweep"


async def _held(office: Office) -> Sequence[HeldRecords]:
    async with office.tenant.database.transaction() as s:
        row = await connections.get(s, office.tenant.connection_id)
        assert row is not None
        return await held_records.of_connection(s, row)


async def test_at_top_level_records_are_grouped_by_who_owns_them(office: Office) -> None:
    """Reference 7.1 of Intacct: a bill belongs to its order's entity; one without an order is not compared at all."""
    await office.holds(an_order(1001, owner_entity="200"))
    await office.holds(an_order(1002))
    await office.tenant.bills_in(an_erp_bill(900))
    own = await _held(office)
    await office.tenant.execute("update connections set entity = null where id = :c", c=office.tenant.connection_id)
    top = await _held(office)
    assert sorted((group.owner_entity, *sorted(group.erp_ids)) for group in own) == [
        (None, "1001", "1002"),
        (None, "900"),
    ]
    assert {(group.owner_entity, *group.erp_ids) for group in top} == {(None, "1002"), ("200", "1001")}


# --- what comes of it ------------------------------------------------------------------------------------------


async def test_two_orders_are_gone(office: Office) -> None:
    """S5-78: marked as the feed would have marked them, their workflows to be woken; once."""
    for number in (1001, 1002, 1003):
        await office.holds(an_order(number))
    office.erp.sweep = Compared(gone={"1001", "1003"})
    (page,) = await office.read(Stream.DELETIONS)
    assert (page.after, page.seen, page.changed) == (None, 3, 2)
    rows = await office.tenant.fetch(
        "select number from purchase_orders where connection_id = :c and deleted_at is not null order by number"
    )
    assert [row.number for row in rows] == ["PO-1001", "PO-1003"]
    assert {row.erp_id for row in await office.tenant.to_wake()} == {"1001", "1003"}
    (again,) = await office.read(Stream.DELETIONS)
    assert (again.seen, again.changed) == (1, 0)


async def test_our_bill_that_is_gone_is_told(office: Office) -> None:
    """S5-136: an issue, its workflow hears of it, and the order is free again."""
    order = await office.holds(an_order(1001))
    bill = await office.billed(order, {1: 2}, key="k-1")
    await office.push(bill)
    await office.tenant.execute("update bills set changed_at = now() - interval '3 hours'")
    office.erp.sweep = Compared(gone={str((await office.tenant.bill_row(bill)).erp_id)})
    office.bell.bills.clear()
    await office.read(Stream.DELETIONS)
    assert (await office.tenant.bill_row(bill)).status == "deleted"
    assert [rung for rung, _ in office.bell.bills] == [bill]
    assert set(await office.tenant.open_issues()) == {"DELETED_IN_ERP"}


async def test_people_are_told_how_deletions_are_found(office: Office) -> None:
    """One notice, whatever the number of sweeps, and the capability as it is now, in both directions."""
    await office.holds(an_order(1001))
    await office.read(Stream.DELETIONS)
    assert await feed(office)
    assert await notices_of(office) == []
    office.erp.sweep = Compared()
    await office.read(Stream.DELETIONS)
    await office.read(Stream.DELETIONS)
    (message,) = await notices_of(office)
    assert "the user may not read the audit trail" in message
    assert not await feed(office)
    office.erp.sweep = None
    await office.plan()
    assert await feed(office)


async def test_a_sweep_that_dies_in_the_middle_is_made_again(office: Office) -> None:
    """Nothing is marked and no day is counted until a sweep was whole."""
    await office.holds(an_order(1001))
    sweep = office.erp.sweep = Compared(gone={"1001"}, trouble=[Stale("gone", code="SEARCH_EXPIRED")])
    with pytest.raises(ApplicationError) as caught:
        await office.read(Stream.DELETIONS)
    assert not caught.value.non_retryable
    assert await office.cursor(Stream.DELETIONS) is None
    (page,) = await office.read(Stream.DELETIONS)
    assert (page.changed, len(sweep.asked)) == (1, 2)


# --- how often -------------------------------------------------------------------------------------------------


async def test_a_connection_is_swept_once_a_day(office: Office) -> None:
    """Call economy: an unchanged sync peeks and does no more; a day later the next sync sweeps."""
    await office.holds(an_order(1001))
    office.erp.sweep = Compared()
    assert Stream.DELETIONS in (await office.plan()).streams, "never read"
    await office.read(Stream.DELETIONS)
    for _ in range(3):
        assert Stream.DELETIONS not in (await office.plan()).streams
    await a_day_passes(office)
    assert Stream.DELETIONS in (await office.plan()).streams
    await office.read(Stream.DELETIONS)
    assert Stream.DELETIONS not in (await office.plan()).streams


async def test_a_right_just_lost_is_swept_for_at_once(office: Office) -> None:
    """However fresh the feed's last word is: what came after it is not known."""
    await office.holds(an_order(1001))
    await office.read(Stream.DELETIONS)
    office.erp.sweep = Compared(gone={"1001"})
    assert Stream.DELETIONS in (await office.plan()).streams
    await office.read(Stream.DELETIONS)
    assert Stream.DELETIONS not in (await office.plan()).streams


async def test_a_feed_that_is_back_goes_on_behind_the_last_sweep(office: Office) -> None:
    """A day further back, because the ERP's clock may differ from ours."""
    office.erp.sweep = Compared()
    await office.read(Stream.DELETIONS)
    position = datetime.fromisoformat(await office.cursor(Stream.DELETIONS) or "").replace(tzinfo=UTC)
    assert timedelta(hours=23) < datetime.now(UTC) - position < timedelta(hours=25)


def test_a_day_is_a_day() -> None:
    """24 hours after a sweep, which leaves the cursor a day behind itself."""
    swept = "2031-06-29 12:00:00"
    assert due(swept, NOW)
    assert not due(swept, NOW - timedelta(seconds=1))


# --- what is not believed --------------------------------------------------------------------------------------


def _groups(of: int, gone: int, owner: str | None = None) -> tuple[HeldRecords, HeldRecords]:
    ids = [ErpId(str(number)) for number in range(of)]
    return HeldRecords(DOCUMENTS, owner, ids), HeldRecords(DOCUMENTS, owner, ids[:gone])


@pytest.mark.parametrize(
    ("of", "gone", "is_believed"), [(3, 3, True), (4, 4, False), (8, 4, True), (7, 4, False), (90, 45, True)]
)
def test_most_of_what_we_hold_is_not_deleted_in_a_day(of: int, gone: int, is_believed: bool) -> None:
    """More than three, and more than half: that is what a lost right looks like."""
    held, missing = _groups(of, gone)
    deletions, doubts = believed([held], Swept([missing]), NOW)
    assert (len(deletions), len(doubts)) == ((gone, 0) if is_believed else (0, 1))


def test_a_doubt_about_one_entity_is_none_about_another() -> None:
    """Each kind of each entity is judged by itself; the words say where."""
    one, lost = _groups(40, 40, "200")
    two, missing = _groups(40, 1, "300")
    deletions, (doubt,) = believed([one, two], Swept([lost, missing]), NOW)
    assert [deletion.erp_id for deletion in deletions] == ["0"]
    assert doubt == (
        "40 of 40 records of kind purchase order document of entity 200 are not shown any more"
        " (numbers 0, 1, 2, 3, 4 ...)"
    )


async def test_doubts_are_an_issue_until_a_sweep_is_whole(office: Office) -> None:
    """Nothing is marked; an administrator is told what to do; it settles itself."""
    for number in range(1001, 1016):
        await office.tenant.page(an_order(number))
    sweep = office.erp.sweep = Compared(gone={str(number) for number in range(1001, 1016)}, not_searched=("300",))
    (page,) = await office.read(Stream.DELETIONS)
    assert (page.seen, page.changed) == (15, 0)
    issue = (await office.tenant.open_issues())["DELETIONS_IN_DOUBT"]
    assert issue.who == "administrator"
    assert issue.fix
    assert "15 of 15" in issue.cause
    assert "300" in issue.cause
    sweep.gone, sweep.not_searched = set(), ()
    await office.read(Stream.DELETIONS)
    assert await office.tenant.open_issues() == {}


async def test_the_feed_settles_doubts_too(office: Office) -> None:
    """It names each deletion, so nobody has to guess."""
    office.erp.sweep = Compared(not_searched=("300",))
    await office.holds(an_order(1001, revision=R1))
    await office.read(Stream.DELETIONS)
    assert set(await office.tenant.open_issues()) == {"DELETIONS_IN_DOUBT"}
    office.erp.sweep = None
    await office.read(Stream.DELETIONS)
    assert await office.tenant.open_issues() == {}


async def test_the_capability_changes_only_once(office: Office) -> None:
    """Other capabilities stay as they are."""
    before = (await office.connection()).capabilities
    async with office.tenant.database.transaction() as s:
        assert await connections.note_deletions_feed(s, office.tenant.connection_id, False)
        assert not await connections.note_deletions_feed(s, office.tenant.connection_id, False)
    assert (await office.connection()).capabilities == {**before, "deletions_feed": False}
