"""Pages into the mirror: what comes in and what stays out, the cursor only at the end, nothing twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.sync import first_import_from
from erp.errors import Rejected, Unavailable
from erp.roles.pages import BadRecord
from models.domain.ids import BillId, ErpId
from models.domain.issues import ISSUE_CODES
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import PurchaseOrder
from models.domain.sync import DeletedKind, Stream
from models.messages.sync import FinishSyncRun, NotifyChangedOrders
from models.store.connections import connections
from models.store.orders import purchase_orders
from models.store.sync.sync_runs import sync_run_id
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_receipt,
    an_erp_bill,
    an_erp_payment,
    an_order,
    gone,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)

TODAY = datetime.now(UTC).date()
ALL = [Stream.LISTS, Stream.PURCHASE_ORDERS, Stream.RECEIPTS, Stream.BILLS, Stream.PAYMENTS, Stream.DELETIONS]


def in_erp(harness: ActivityHarness, number: int, **values: Any) -> PurchaseOrder:
    order = an_order(number, **{"ordered_on": TODAY - timedelta(days=10), **values})
    harness.erp.orders[order.erp_id] = order
    return order


async def usual_window(harness: ActivityHarness) -> None:
    """As every connection starts: the first import takes three months."""
    async with harness.tenant.database.transaction() as s:
        await connections.set_first_import_from(s, harness.tenant.connection_id, None)


# --- which orders come in ----------------------------------------------------------------------------------------


async def test_the_first_import_takes_three_months_of_open_orders(harness: ActivityHarness) -> None:
    """S1-11, S1-14, S1-15: open and partly billed orders of the last three months; finished and older ones stay out."""
    await usual_window(harness)
    in_erp(harness, 1001)
    in_erp(harness, 1002, billed={1: 4}, erp_status="Partially Converted")
    in_erp(harness, 1003, billed={1: 10}, erp_status="Converted")
    in_erp(harness, 1004, erp_status="Closed")
    in_erp(harness, 1005, ordered_on=TODAY - timedelta(days=120))
    in_erp(harness, 1006, ordered_on=TODAY - timedelta(days=85))
    await harness.read(Stream.PURCHASE_ORDERS)
    assert await harness.mirrored() == {"PO-1001": "unfilled", "PO-1002": "partially_filled", "PO-1006": "unfilled"}
    assert (first_import_from(await harness.connection()) - (TODAY - timedelta(days=92))).days in (0, 1)


async def test_an_older_order_comes_in_when_it_is_edited(harness: ActivityHarness) -> None:
    """S1-12: after the first import an edit brings any order, however old."""
    await usual_window(harness)
    in_erp(harness, 1001)
    old = in_erp(harness, 1005, ordered_on=TODAY - timedelta(days=400))
    await harness.read(Stream.PURCHASE_ORDERS)
    assert list(await harness.mirrored()) == ["PO-1001"]
    harness.erp.orders["1005"] = old.model_copy(update={"revision": R2})
    await harness.read(Stream.PURCHASE_ORDERS)
    assert sorted(await harness.mirrored()) == ["PO-1001", "PO-1005"]


async def test_an_operator_may_set_how_far_back_the_first_import_goes(harness: ActivityHarness) -> None:
    """S1-13: a date set by an operator replaces the three months."""
    in_erp(harness, 1005, ordered_on=date(2025, 1, 2))
    async with harness.tenant.database.transaction() as s:
        await connections.set_first_import_from(s, harness.tenant.connection_id, date(2025, 1, 1))
    await harness.read(Stream.PURCHASE_ORDERS)
    assert list(await harness.mirrored()) == ["PO-1005"]


async def test_foreign_currency_stays_out_and_is_recorded(harness: ActivityHarness) -> None:
    """S1-16: only the base currency; what is left out is written down with its reason, also when only lines say it."""
    in_erp(harness, 1001)
    in_erp(harness, 1002, currency="EUR")
    (page,) = await harness.read(Stream.PURCHASE_ORDERS)
    assert (page.seen, page.skipped, page.bad) == (2, 1, 0)
    assert list(await harness.mirrored()) == ["PO-1001"]
    assert await harness.skipped() == {"PO-1002": "OTHER_CURRENCY"}
    calls = harness.erp.calls["purchase_order_lines"]
    plan = await harness.plan()
    assert Stream.PURCHASE_ORDERS not in plan.streams, "what is left out on purpose is no news"
    assert harness.erp.calls["purchase_order_lines"] == calls


async def test_drafts_and_finished_orders_after_the_first_import_stay_out(harness: ActivityHarness) -> None:
    """S4-61, S1-15: not approved yet, or finished before we ever held it; each is recorded with its reason."""
    in_erp(harness, 1001)
    await harness.read(Stream.PURCHASE_ORDERS)
    in_erp(harness, 1002, erp_status="Draft", revision=R2)
    in_erp(harness, 1003, erp_status="Converted", billed={1: 10}, revision=R2)
    await harness.read(Stream.PURCHASE_ORDERS)
    assert list(await harness.mirrored()) == ["PO-1001"]
    assert await harness.skipped() == {"PO-1002": "NOT_APPROVED", "PO-1003": "ALREADY_FINISHED"}
    in_erp(harness, 1002, erp_status="Pending", revision=R3)
    await harness.read(Stream.PURCHASE_ORDERS)
    assert sorted(await harness.mirrored()) == ["PO-1001", "PO-1002"]


async def test_an_order_we_hold_is_followed_to_its_end(harness: ActivityHarness) -> None:
    """Ruling G6: a change of a held order always comes in, closed or converted as it may be."""
    in_erp(harness, 1001)
    in_erp(harness, 1002)
    await harness.read(Stream.PURCHASE_ORDERS)
    in_erp(harness, 1001, erp_status="Closed", revision=R2)
    in_erp(harness, 1002, erp_status="Draft", revision=R2)
    await harness.read(Stream.PURCHASE_ORDERS)
    assert await harness.mirrored() == {"PO-1001": "closed", "PO-1002": "unfilled"}
    (row,) = await harness.tenant.fetch("select * from purchase_orders where connection_id = :c and number = 'PO-1002'")
    assert row.matching_status == "pending_approval", "back in approval it cannot be billed (S4-61)"


async def test_an_unknown_status_keeps_the_last_meaning_and_tells_a_person(harness: ActivityHarness) -> None:
    """Ruling G3: never 'other'; new orders wait outside, held ones keep what people saw."""
    in_erp(harness, 1001)
    await harness.read(Stream.PURCHASE_ORDERS)
    in_erp(harness, 1001, erp_status="Sleeping", revision=R2)
    in_erp(harness, 1002, erp_status="Dreaming", revision=R2)
    for _ in range(2):
        await harness.read(Stream.PURCHASE_ORDERS)
    assert await harness.mirrored() == {"PO-1001": "unfilled"}
    assert await harness.skipped() == {"PO-1002": "UNKNOWN_ERP_STATUS"}
    issues = await harness.tenant.fetch("select * from sync_issues where connection_id = :c and state = 'open'")
    assert {(issue.code, issue.subject_id) for issue in issues} == {
        ("UNKNOWN_ERP_STATUS", "1001"),
        ("UNKNOWN_ERP_STATUS", "1002"),
    }


async def test_a_poison_record_is_parked_by_name_and_the_others_come_in(harness: ActivityHarness) -> None:
    """F13, S5-99: one order that cannot be taken in is an issue; its page goes on."""
    for number in (1001, 1002, 1003):
        in_erp(harness, number)
    harness.erp.bad_orders["1002"] = BadRecord(
        erp_id="1002", code="LINES_DISAGREE", message="two currencies on one order", evidence={"number": "PO-1002"}
    )
    (page,) = await harness.read(Stream.PURCHASE_ORDERS)
    assert (page.seen, page.bad) == (3, 1)
    assert sorted(await harness.mirrored()) == ["PO-1001", "PO-1003"]
    (issue,) = (await harness.tenant.open_issues()).values()
    assert (issue.subject_kind, issue.subject_id, issue.cause) == (
        "purchase_order",
        "1002",
        "two currencies on one order",
    )
    assert issue.subject_name == "PO-1002"


# --- cursors and repeats -------------------------------------------------------------------------------------------


async def test_the_cursor_moves_only_with_the_last_page(harness: ActivityHarness) -> None:
    """DESIGN 5: a run may stop after any page; the next one reads the stream from where the last whole one ended."""
    for number in range(1001, 1006):
        in_erp(harness, number, revision=f"2026-03-01 10:00:0{number - 1000}")
    harness.erp.page_size = 2
    first = await harness.read_page(Stream.PURCHASE_ORDERS)
    assert await harness.cursor(Stream.PURCHASE_ORDERS) is None
    harness.erp.trouble = [Unavailable("away", code="ERP_UNAVAILABLE")]
    with pytest.raises(ApplicationError):
        await harness.read_page(Stream.PURCHASE_ORDERS, first.after, first.high_water)
    second = await harness.read_page(Stream.PURCHASE_ORDERS, first.after, first.high_water)
    assert await harness.cursor(Stream.PURCHASE_ORDERS) is None
    last = await harness.read_page(Stream.PURCHASE_ORDERS, second.after, second.high_water)
    assert last.after is None
    assert await harness.cursor(Stream.PURCHASE_ORDERS) == "2026-03-01 10:00:05"
    assert len(await harness.mirrored()) == 5


async def test_run_twice_a_page_changes_nothing(harness: ActivityHarness) -> None:
    """DESIGN 5: every stream's page, read again, writes no row and moves no cursor back."""
    order = in_erp(harness, 1001)
    receipt = a_receipt(order, {1: 3})
    harness.erp.receipts_held[receipt.erp_id] = receipt
    harness.erp.bills_held = [an_erp_bill(900, revision=R1), an_erp_bill(901, revision=R2, paid="20")]
    harness.erp.payments_held = [an_erp_payment(700, shares={"901": "20"}, revision=R2)]
    harness.erp.entries = [
        ListEntry(kind=ListKind.VENDOR, erp_id=ErpId("1"), key="V1", name="Acme", revision=R1),
        ListEntry(kind=ListKind.GL_ACCOUNT, erp_id=ErpId("2"), key="6000", name="ApiClient", revision=R2),
    ]
    harness.erp.gone = [gone(DeletedKind.LIST_ENTRY, "99", ListKind.ITEM)]
    for stream in ALL:
        await harness.read(stream)
    before, positions = await harness.tenant.fingerprint(), [await harness.cursor(stream) for stream in ALL]
    for stream in ALL:
        pages = await harness.read(stream)
        assert [page.changed for page in pages] == [0], stream
    assert await harness.tenant.fingerprint() == before
    assert [await harness.cursor(stream) for stream in ALL] == positions


async def test_an_unchanged_sync_costs_one_call_and_reads_nothing(harness: ActivityHarness) -> None:
    """Issue 2: nothing new in the ERP, one question for changes, no page, no order notified."""
    in_erp(harness, 1001)
    harness.erp.entries = [ListEntry(kind=ListKind.VENDOR, erp_id=ErpId("1"), key="V1", name="Acme", revision=R1)]
    plan = await harness.plan("first")
    assert plan.streams == ALL
    for stream in plan.streams:
        await harness.read(stream)
    await _wake(harness)
    harness.erp.calls.clear()
    assert (await harness.plan("second")).streams == []
    assert dict(harness.erp.calls) == {"detect_changes": 1}
    assert (await _wake(harness)).notified == 0


async def test_units_that_share_a_name_are_told_until_they_do_not(harness: ActivityHarness) -> None:
    """S5-14: the first of them was taken without a word."""

    def unit(number: str, name: str, factor: str, revision: str) -> ListEntry:
        shown = {"group": "7", "factor": factor}
        unit_id = ErpId(number)
        return ListEntry(kind=ListKind.UNIT, erp_id=unit_id, key=name, name=name, revision=revision, attributes=shown)

    group = ListEntry(kind=ListKind.UNIT_GROUP, erp_id=ErpId("7"), key="Paper", name="Paper", revision=R1)
    harness.erp.entries = [group, unit("1", "Each", "1", R1), unit("2", "Case", "12", R1), unit("3", "case", "10", R1)]
    await harness.read(Stream.LISTS)
    (issue,) = await harness.open_issues("7/case")
    assert (issue.code, issue.subject_name) == ("UNITS_NOT_UNIQUE", "case of Paper")
    assert issue.evidence == {"group": "Paper", "unit": "case", "entries": ["2", "3"], "factors": ["12", "10"]}
    assert "the group Paper" in ISSUE_CODES[issue.code].steps(issue.evidence)[0]

    harness.erp.entries = [unit("3", "Small case", "10", R2)]
    await harness.read(Stream.LISTS)
    assert await harness.open_issues("7/case") == []


async def test_only_streams_with_news_are_read(harness: ActivityHarness) -> None:
    """Issue 2: a change set that shows one changed order plans one stream."""
    in_erp(harness, 1001)
    for stream in (await harness.plan("first")).streams:
        await harness.read(stream)
    in_erp(harness, 1001, revision=R2, memo="changed")
    assert (await harness.plan("second")).streams == [Stream.PURCHASE_ORDERS]


async def test_a_plan_run_twice_opens_one_run(harness: ActivityHarness) -> None:
    """DESIGN 5: the run's id comes from the workflow's run; its record is opened once, closed once, counted once."""
    first, again = await harness.plan("run-x"), await harness.plan("run-x")
    assert first.run_id == again.run_id
    finish = FinishSyncRun(
        connection_id=harness.tenant.connection_id, run_id=first.run_id, state="completed", counts={"lists.seen": 3}
    )
    for _ in range(2):
        await harness.waking.finish_sync_run(finish)
    (run,) = await harness.tenant.fetch("select * from sync_runs where connection_id = :c")
    assert (run.state, run.counts) == ("completed", {"lists.seen": 3})
    assert (await harness.connection()).last_synced_at is not None


async def test_the_end_of_a_run_forgets_old_answers(harness: ActivityHarness) -> None:
    """DESIGN 8: the answers under Idempotency-Keys are kept 30 days; the table does not grow by them for ever."""
    order = await harness.holds(an_order())
    await harness.bill(order, {1: 1}, key="old")
    await harness.bill(order, {1: 1}, key="fresh")
    await harness.tenant.execute("update requests set created_at = now() - interval '31 days' where key = 'old'")
    run = await harness.plan("run-z")
    finish = FinishSyncRun(connection_id=harness.tenant.connection_id, run_id=run.run_id, state="completed")
    for _ in range(2):
        await harness.waking.finish_sync_run(finish)
    rows = await harness.tenant.fetch(
        "select key, answer is null as gone from requests where organization_id = :o", o=harness.tenant.organization_id
    )
    assert {row.key: row.gone for row in rows} == {"old": True, "fresh": False}


async def test_a_plan_that_is_refused_leaves_a_record_that_can_be_closed(harness: ActivityHarness) -> None:
    """S5-160: the workflow never learnt the run's id, and closes the record all the same."""
    for stream in ALL:
        await harness.read(stream)
    harness.erp.trouble = [Rejected("no permission for audit history", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError):
        await harness.plan("run-y")
    await harness.waking.finish_sync_run(
        FinishSyncRun(
            connection_id=harness.tenant.connection_id,
            run_id=None,
            workflow_run_id="run-y",
            state="failed",
            problem_code="NO_PERMISSION",
        )
    )
    (run,) = await harness.tenant.fetch("select * from sync_runs where id = :id", id=sync_run_id("run-y"))
    assert (run.state, run.problem_code) == ("failed", "NO_PERMISSION")


# --- what a connection allows --------------------------------------------------------------------------------------


async def test_lists_only_until_the_preferences_are_complete(harness: ActivityHarness) -> None:
    """S2-54, S2-55: transactions wait for the sync preferences; the plan says so."""
    async with harness.tenant.database.transaction() as s:
        await connections.save_preferences(s, harness.tenant.connection_id, {}, False)
    plan = await harness.plan()
    assert plan.streams == [Stream.LISTS]
    assert "preferences are not complete" in plan.reason


async def test_one_way_brings_no_bills_and_payments_back(harness: ActivityHarness) -> None:
    """S2-52: with one-way sync bills and payments only go out; orders and lists still come in."""
    async with harness.tenant.database.transaction() as s:
        await connections.set_one_way(s, harness.tenant.connection_id)
    plan = await harness.plan()
    assert plan.streams == [Stream.LISTS, Stream.PURCHASE_ORDERS, Stream.RECEIPTS, Stream.DELETIONS]
    assert "only go out" in plan.reason


async def test_a_switched_off_feature_reads_no_orders(harness: ActivityHarness) -> None:
    """S1-32: an administrator switched purchase orders off; nothing of them is read, the rest goes on."""
    async with harness.tenant.database.transaction() as s:
        await connections.set_purchase_orders_enabled(s, harness.tenant.connection_id, False)
    plan = await harness.plan()
    assert plan.streams == [Stream.LISTS, Stream.BILLS, Stream.PAYMENTS, Stream.DELETIONS]
    assert "switched off" in plan.reason


# --- what comes back to our own bills ------------------------------------------------------------------------------


async def paid_in_erp(harness: ActivityHarness) -> BillId:
    """A bill of ours that somebody paid in the ERP itself; we have not read it yet."""
    order = await harness.holds(in_erp(harness, 1001, price="10.00"))
    bill_id = await harness.billed(order, {1: 10})
    await harness.push(bill_id)
    (invoice,) = harness.erp.invoices.values()
    harness.erp.bills_held = [
        an_erp_bill(
            int(f"7{invoice.erp_id}"),
            total="100",
            paid="100",
            revision=R3,
            external_key=invoice.bill.external_key,
            source_document=invoice.document_id,
            order_document=order.document_id,
        )
    ]
    return bill_id


async def test_a_payment_made_in_the_erp_reaches_our_bill_and_its_workflow(harness: ActivityHarness) -> None:
    """S5-33: paid in the ERP itself; the bill's figures follow, and its workflow is told once."""
    bill_id = await paid_in_erp(harness)
    await harness.read(Stream.BILLS)
    assert (await harness.tenant.bill_row(bill_id)).status == "paid"
    ((told, now),) = harness.notifier.bills
    assert (told, now.status, now.due) == (bill_id, "paid", "0")
    await harness.read(Stream.BILLS)
    await _wake(harness)
    assert len(harness.notifier.bills) == 1


async def test_news_that_a_dying_worker_did_not_tell_are_told_by_the_next_run(harness: ActivityHarness) -> None:
    """DESIGN 5: killed between taking a payment in and telling the bill's workflow; later it hears, once."""
    bill_id = await paid_in_erp(harness)
    harness.notifier.broken = True
    await harness.read(Stream.BILLS)
    harness.notifier.broken = False
    await harness.read(Stream.BILLS)
    assert harness.notifier.bills == []
    await harness.tenant.execute("update outbox set created_at = now() - interval '11 seconds'")
    await _wake(harness)
    await _wake(harness)
    ((told, now),) = harness.notifier.bills
    assert (told, now.status, now.due) == (bill_id, "paid", "0")


async def test_foreign_bills_stay_out_and_are_recorded(harness: ActivityHarness) -> None:
    """S1-16: bills in another currency are left out with their reason."""
    harness.erp.bills_held = [an_erp_bill(900), an_erp_bill(901, currency="EUR")]
    (page,) = await harness.read(Stream.BILLS)
    assert (page.seen, page.skipped) == (2, 1)
    assert await harness.skipped() == {"S-901": "OTHER_CURRENCY"}


async def test_records_without_a_currency_are_in_the_company_s_own(harness: ActivityHarness) -> None:
    """S1-16: an order that showed none came in, its bill and payment that showed none did not."""
    order = in_erp(harness, 1001, currency=None)
    harness.erp.bills_held = [an_erp_bill(901, currency="")]
    harness.erp.payments_held = [an_erp_payment(700, shares={"901": "20"}, currency="")]
    for stream in ALL:
        await harness.read(stream)
    assert await harness.skipped() == {}
    for table in ("purchase_orders", "bills", "payments"):
        rows = await harness.tenant.fetch(f"select currency from {table} where connection_id = :c")
        assert [row.currency for row in rows] == ["USD"], (table, order.number)


async def test_a_receipt_of_unknown_status_is_parked(harness: ActivityHarness) -> None:
    """Ruling G3, F13: the other receipts count, this one is an issue with its number."""
    order = await harness.holds(in_erp(harness, 1001))
    for receipt in (a_receipt(order, {1: 3}), a_receipt(order, {1: 4}, number=502, erp_status="Lost")):
        harness.erp.receipts_held[receipt.erp_id] = receipt
    await harness.read(Stream.RECEIPTS)
    (line,) = (await harness.tenant.lines(order)).values()
    assert line.received == 3
    (issue,) = (await harness.tenant.open_issues()).values()
    assert (issue.code, issue.subject_kind, issue.subject_id) == ("UNKNOWN_ERP_STATUS", "receipt", "502")


# --- waking --------------------------------------------------------------------------------------------------------


async def test_changed_orders_are_notified_once_in_portions(harness: ActivityHarness) -> None:
    """DESIGN 4: a sync wakes what changed, governed and resumable; one content wakes one time."""
    for number in range(1001, 1006):
        in_erp(harness, number)
    await harness.read(Stream.PURCHASE_ORDERS)
    portions = [await _wake(harness, limit=2) for _ in range(3)]
    assert [(portion.notified, portion.more) for portion in portions] == [(2, True), (2, True), (1, False)]
    assert sorted(facts.number for facts in harness.notifier.orders) == [f"PO-{n}" for n in range(1001, 1006)]
    assert (await _wake(harness)).notified == 0
    in_erp(harness, 1003, revision=R2, memo="changed")
    await harness.read(Stream.PURCHASE_ORDERS)
    assert (await _wake(harness)).notified == 1
    assert harness.notifier.orders[-1].number == "PO-1003"


async def test_a_change_during_the_waking_is_not_lost(harness: ActivityHarness) -> None:
    """F10: content that moved between the ring and the mark is rung for again."""
    in_erp(harness, 1001)
    await harness.read(Stream.PURCHASE_ORDERS)
    (row,) = await harness.tenant.to_notify()
    in_erp(harness, 1001, revision=R2, memo="changed")
    await harness.read(Stream.PURCHASE_ORDERS)
    async with harness.tenant.database.transaction() as s:
        await purchase_orders.mark_notified(s, [(row.id, row.content_hash)])
    assert (await _wake(harness)).notified == 1


async def _wake(harness: ActivityHarness, limit: int = 1000) -> Any:
    return await harness.waking.notify_changed_orders(
        NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id=sync_run_id("x"), limit=limit)
    )


@pytest.mark.parametrize(
    ("lacks", "absent", "reason"),
    [
        ("receipt_in", {Stream.RECEIPTS}, "this connection has no receipts"),
        ("po_in", {Stream.PURCHASE_ORDERS, Stream.RECEIPTS}, "this connection has no purchase orders"),
    ],
)
async def test_streams_are_planned_from_what_the_erp_has(
    harness: ActivityHarness, lacks: str, absent: set[Stream], reason: str
) -> None:
    """HOUSE 4.4: what an ERP lacks is never asked for, and the plan says so."""
    await harness.tenant.execute(
        "update connections set capabilities = capabilities || jsonb_build_object(cast(:lacks as text), false)"
        " where id = :id",
        lacks=lacks,
        id=harness.tenant.connection_id,
    )
    plan = await harness.plan()
    assert set(Stream) - set(plan.streams) == absent
    assert plan.reason == reason


async def test_a_newer_version_adds_what_it_can_do_with_the_erp(harness: ActivityHarness) -> None:
    """A connection of before: a capability that it has no word of is stored by the next sync; what was found out when
    it was checked stays."""
    connection_id = harness.tenant.connection_id
    await harness.tenant.execute(
        "update connections set capabilities = capabilities - 'retract_by' || '{\"bill_in_advance\": false}'"
        " where id = :id",
        id=connection_id,
    )
    offered = harness.erp.capabilities.model_dump(mode="json")
    assert offered["retract_by"]
    await harness.plan()
    stored = (await harness.connection()).capabilities
    assert stored["retract_by"] == offered["retract_by"]
    assert stored["bill_in_advance"] is False
