"""Deletions where the ERP tells of none: what is compared, how often, what is believed, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Stale
from erp.roles.pages import ScanResult
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, MirroredIds, Stream
from models.store.connections import connections
from models.store.sync import mirrored_ids
from services.sync.deletion_scan import believed, due
from tests.builders.records import (
    R1,
    a_receipt,
    an_erp_bill,
    an_erp_payment,
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)

DOCUMENTS, BILL, PAYMENT = DeletedKind.PURCHASE_ORDER_DOCUMENT, DeletedKind.BILL, DeletedKind.PAYMENT
NOW = datetime(2031, 7, 1, 12, 0, tzinfo=UTC)


@dataclass
class Compared:
    """A scan that knows what is gone, and remembers what it was asked about."""

    gone: set[str] = field(default_factory=set)
    not_searched: tuple[str, ...] = ()
    trouble: list[Exception] = field(default_factory=list)
    asked: list[Sequence[MirroredIds]] = field(default_factory=list)
    why: str = "the user may not read the audit trail"

    async def scan(self, held: Sequence[MirroredIds]) -> ScanResult:
        self.asked.append(held)
        if self.trouble:
            raise self.trouble.pop(0)
        groups = [group._replace(erp_ids=[one for one in group.erp_ids if one in self.gone]) for group in held]
        return ScanResult([group for group in groups if group.erp_ids], self.not_searched)


async def a_day_passes(harness: ActivityHarness) -> None:
    await harness.tenant.execute(
        "update cursors set position = to_char(cast(position as timestamp) - interval '25 hours',"
        " 'YYYY-MM-DD HH24:MI:SS') where connection_id = :c and stream = 'deletions'",
        c=harness.tenant.connection_id,
    )


async def notices_of(harness: ActivityHarness) -> list[str]:
    rows = await harness.tenant.fetch("select message from notices where connection_id = :c order by created_at")
    return [row.message for row in rows]


async def feed(harness: ActivityHarness) -> bool:
    return bool((await harness.connection()).capabilities["deletions_feed"])


# --- what is compared ------------------------------------------------------------------------------------------


async def test_what_we_hold_of_every_kind_is_compared(harness: ActivityHarness) -> None:
    """S5-78, S5-113, S5-136: orders, receipts, our vendor invoices, their bills, payments; each kind once."""
    order = await harness.holds(an_order(1001, lines={1: 10, 2: 10}))
    ours = await harness.billed(order, {1: 2}, key="k-1")
    await harness.push(ours)
    await harness.tenant.receive(a_receipt(order, {1: 4}, number=5001))
    await harness.tenant.bills_in(an_erp_bill(900))
    await harness.tenant.payments_in(an_erp_payment(700, shares={"900": "50"}))
    harness.erp.scan = scan = Compared()
    await harness.read(Stream.DELETIONS)
    (asked,) = scan.asked
    erp_id = (await harness.tenant.bill_row(ours)).erp_id
    assert {(group.kind, *sorted(group.erp_ids)) for group in asked} == {
        (DOCUMENTS, "1001", "5001"),
        (BILL, "900"),
        (PAYMENT, "700"),
    }
    await harness.tenant.execute("update bills set changed_at = now() - interval '3 hours'")
    await harness.read(Stream.DELETIONS)
    assert {(group.kind, *sorted(group.erp_ids)) for group in scan.asked[1]} == {
        (DOCUMENTS, *sorted(("1001", "5001", str(erp_id)))),
        (BILL, "900"),
        (PAYMENT, "700"),
    }, "a bill of ours that the ERP's lists may not show yet waits for the next sweep"


async def _held(harness: ActivityHarness) -> Sequence[MirroredIds]:
    async with harness.tenant.database.transaction() as s:
        row = await connections.get(s, harness.tenant.connection_id)
        assert row is not None
        return await mirrored_ids.of_connection(s, row)


async def test_at_top_level_records_are_grouped_by_who_owns_them(harness: ActivityHarness) -> None:
    """Reference 7.1 of Intacct: a bill belongs to its order's entity; one without an order is not compared at all."""
    await harness.holds(an_order(1001, owner_entity="200"))
    await harness.holds(an_order(1002))
    await harness.tenant.bills_in(an_erp_bill(900))
    own = await _held(harness)
    await harness.tenant.execute("update connections set entity = null where id = :c", c=harness.tenant.connection_id)
    top = await _held(harness)
    assert sorted((group.owner_entity, *sorted(group.erp_ids)) for group in own) == [
        (None, "1001", "1002"),
        (None, "900"),
    ]
    assert {(group.owner_entity, *group.erp_ids) for group in top} == {(None, "1002"), ("200", "1001")}


# --- what comes of it ------------------------------------------------------------------------------------------


async def test_two_orders_are_gone(harness: ActivityHarness) -> None:
    """S5-78: marked as the feed would have marked them, their workflows to be notified; once."""
    for number in (1001, 1002, 1003):
        await harness.holds(an_order(number))
    harness.erp.scan = Compared(gone={"1001", "1003"})
    (page,) = await harness.read(Stream.DELETIONS)
    assert (page.after, page.seen, page.changed) == (None, 3, 2)
    rows = await harness.tenant.fetch(
        "select number from purchase_orders where connection_id = :c and deleted_at is not null order by number"
    )
    assert [row.number for row in rows] == ["PO-1001", "PO-1003"]
    assert {row.erp_id for row in await harness.tenant.to_notify()} == {"1001", "1003"}
    (again,) = await harness.read(Stream.DELETIONS)
    assert (again.seen, again.changed) == (1, 0)


async def test_our_bill_that_is_gone_is_told(harness: ActivityHarness) -> None:
    """S5-136: a notice, its workflow hears of it, and the order is free again."""
    order = await harness.holds(an_order(1001))
    bill = await harness.billed(order, {1: 2}, key="k-1")
    await harness.push(bill)
    await harness.tenant.execute("update bills set changed_at = now() - interval '3 hours'")
    harness.erp.scan = Compared(gone={str((await harness.tenant.bill_row(bill)).erp_id)})
    harness.notifier.bills.clear()
    await harness.read(Stream.DELETIONS)
    assert (await harness.tenant.bill_row(bill)).status == "deleted"
    assert [rung for rung, _ in harness.notifier.bills] == [bill]
    assert await harness.tenant.open_issues() == {}
    notices = await harness.tenant.fetch("select subject_id from notices where code = 'DELETED_IN_ERP'")
    assert [notice.subject_id for notice in notices] == [bill]


async def test_people_are_told_how_deletions_are_found(harness: ActivityHarness) -> None:
    """One notice, whatever the number of scans, and the capability as it is now, in both directions."""
    await harness.holds(an_order(1001))
    await harness.read(Stream.DELETIONS)
    assert await feed(harness)
    assert await notices_of(harness) == []
    harness.erp.scan = Compared()
    await harness.read(Stream.DELETIONS)
    await harness.read(Stream.DELETIONS)
    (message,) = await notices_of(harness)
    assert "the user may not read the audit trail" in message
    assert not await feed(harness)
    harness.erp.scan = None
    await harness.plan()
    assert await feed(harness)


async def test_a_scan_that_dies_in_the_middle_is_made_again(harness: ActivityHarness) -> None:
    """Nothing is marked and no day is counted until a scan was whole."""
    await harness.holds(an_order(1001))
    scan = harness.erp.scan = Compared(gone={"1001"}, trouble=[Stale("gone", code="SEARCH_EXPIRED")])
    with pytest.raises(ApplicationError) as caught:
        await harness.read(Stream.DELETIONS)
    assert not caught.value.non_retryable
    assert await harness.cursor(Stream.DELETIONS) is None
    (page,) = await harness.read(Stream.DELETIONS)
    assert (page.changed, len(scan.asked)) == (1, 2)


# --- how often -------------------------------------------------------------------------------------------------


async def test_a_connection_is_scanned_once_a_day(harness: ActivityHarness) -> None:
    """Call economy: an unchanged sync asks for changes and no more; a day later the next sync scans."""
    await harness.holds(an_order(1001))
    harness.erp.scan = Compared()
    assert Stream.DELETIONS in (await harness.plan()).streams, "never read"
    await harness.read(Stream.DELETIONS)
    for _ in range(3):
        assert Stream.DELETIONS not in (await harness.plan()).streams
    await a_day_passes(harness)
    assert Stream.DELETIONS in (await harness.plan()).streams
    await harness.read(Stream.DELETIONS)
    assert Stream.DELETIONS not in (await harness.plan()).streams


async def test_a_right_just_lost_is_scanned_for_at_once(harness: ActivityHarness) -> None:
    """However fresh the feed's last word is: what came after it is not known."""
    await harness.holds(an_order(1001))
    await harness.read(Stream.DELETIONS)
    harness.erp.scan = Compared(gone={"1001"})
    assert Stream.DELETIONS in (await harness.plan()).streams
    await harness.read(Stream.DELETIONS)
    assert Stream.DELETIONS not in (await harness.plan()).streams


async def test_a_feed_that_is_back_goes_on_behind_the_last_scan(harness: ActivityHarness) -> None:
    """A day further back, because the ERP's clock may differ from ours."""
    harness.erp.scan = Compared()
    await harness.read(Stream.DELETIONS)
    position = datetime.fromisoformat(await harness.cursor(Stream.DELETIONS) or "").replace(tzinfo=UTC)
    assert timedelta(hours=23) < datetime.now(UTC) - position < timedelta(hours=25)


def test_a_day_is_a_day() -> None:
    """24 hours after a scan, which leaves the cursor a day behind itself."""
    scan = "2031-06-29 12:00:00"
    assert due(scan, NOW)
    assert not due(scan, NOW - timedelta(seconds=1))


# --- what is not believed --------------------------------------------------------------------------------------


def _groups(of: int, gone: int, owner: str | None = None) -> tuple[MirroredIds, MirroredIds]:
    ids = [ErpId(str(number)) for number in range(of)]
    return MirroredIds(DOCUMENTS, owner, ids), MirroredIds(DOCUMENTS, owner, ids[:gone])


@pytest.mark.parametrize(
    ("of", "gone", "is_believed"), [(3, 3, True), (4, 4, False), (8, 4, True), (7, 4, False), (90, 45, True)]
)
def test_most_of_what_we_hold_is_not_deleted_in_a_day(of: int, gone: int, is_believed: bool) -> None:
    """More than three, and more than half: that is what a lost right looks like."""
    held, missing = _groups(of, gone)
    deletions, doubts = believed([held], ScanResult([missing]), NOW)
    assert (len(deletions), len(doubts)) == ((gone, 0) if is_believed else (0, 1))


def test_a_doubt_about_one_entity_is_none_about_another() -> None:
    """Each kind of each entity is judged by itself; the words say where."""
    one, lost = _groups(40, 40, "200")
    two, missing = _groups(40, 1, "300")
    deletions, (doubt,) = believed([one, two], ScanResult([lost, missing]), NOW)
    assert [deletion.erp_id for deletion in deletions] == ["0"]
    assert doubt == (
        "40 of 40 records of kind purchase order document of entity 200 are not shown any more"
        " (numbers 0, 1, 2, 3, 4 ...)"
    )


async def test_doubts_are_an_issue_until_a_scan_is_whole(harness: ActivityHarness) -> None:
    """Nothing is marked; an administrator is told what to do; it settles itself."""
    for number in range(1001, 1016):
        await harness.tenant.page(an_order(number))
    scan = harness.erp.scan = Compared(gone={str(number) for number in range(1001, 1016)}, not_searched=("300",))
    (page,) = await harness.read(Stream.DELETIONS)
    assert (page.seen, page.changed) == (15, 0)
    issue = (await harness.tenant.open_issues())["DELETIONS_IN_DOUBT"]
    assert "15 of 15" in issue.cause
    assert "300" in issue.cause
    scan.gone, scan.not_searched = set(), ()
    await harness.read(Stream.DELETIONS)
    assert await harness.tenant.open_issues() == {}


async def test_the_feed_settles_doubts_too(harness: ActivityHarness) -> None:
    """It names each deletion, so nobody has to guess."""
    harness.erp.scan = Compared(not_searched=("300",))
    await harness.holds(an_order(1001, revision=R1))
    await harness.read(Stream.DELETIONS)
    assert set(await harness.tenant.open_issues()) == {"DELETIONS_IN_DOUBT"}
    harness.erp.scan = None
    await harness.read(Stream.DELETIONS)
    assert await harness.tenant.open_issues() == {}


async def test_the_capability_changes_only_once(harness: ActivityHarness) -> None:
    """Other capabilities stay as they are."""
    before = (await harness.connection()).capabilities
    async with harness.tenant.database.transaction() as s:
        assert await connections.note_deletions_feed(s, harness.tenant.connection_id, False)
        assert not await connections.note_deletions_feed(s, harness.tenant.connection_id, False)
    assert (await harness.connection()).capabilities == {**before, "deletions_feed": False}
