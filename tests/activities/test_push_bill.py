"""Exactly once: whatever is lost on the way, a bill is in the ERP one time, and what we store is what it holds."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

import activities.erp
import activities.time_limits
import activities.turns
from erp.errors import Duplicate, MalformedAnswer, Rejected, Throttled, Unavailable
from models.domain.bills import BillStatus, BillToPush, PushedBill
from models.domain.ids import BillId, DocumentId
from models.messages.writes import AbandonWrite
from models.store.payables import bills
from tests.builders.records import (
    an_order,
)
from tests.fakes.fake_erp import (
    Repeats,
    WorkerDied,
)
from tests.harness.activity_harness import (
    ActivityHarness,
    failure,
)


async def test_a_push_is_stored_as_the_erp_holds_it_and_told(harness: ActivityHarness) -> None:
    """S5-28, DESIGN 5: sent, read back with its link, stored; the order's workflow hears it with the new facts."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    result = await harness.push(bill_id)
    assert (result.status, result.confirmed, result.differences) == (BillStatus.SYNCED, True, [])
    row = await harness.tenant.bill_row(bill_id)
    assert (row.status, row.document_id, row.payable_id) == ("synced", result.document_id, "79000")
    assert row.linked_in_erp
    (told,) = harness.notifier.pushed
    assert (told.bill_id, told.status, told.confirmed) == (bill_id, BillStatus.SYNCED, True)
    assert told.facts is not None
    assert (told.facts.billed, told.facts.pending, told.facts.status) == (4, 0, "partially_filled")
    assert await harness.tenant.to_notify() == [], "the push has told the order's workflow already"
    write = await harness.write(bill_id)
    assert (write.state, write.erp_id, write.attempts) == ("confirmed", "9000", 1)


async def test_run_twice_a_push_is_one_bill_and_one_event(harness: ActivityHarness) -> None:
    """DESIGN 5: an activity whose completion was lost runs again; nothing is written twice, here or there."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    first = await harness.push(bill_id)
    again = await harness.push(bill_id)
    assert (again.status, again.document_id) == (first.status, first.document_id)
    assert harness.erp.calls["create_bill"] == 1
    assert len(harness.erp.invoices) == 1
    events = [event.kind for event in await harness.tenant.events_of(bill_id)]
    assert events.count("pushed") == 1
    assert await harness.tenant.billed_net(order) == 4


async def test_a_lost_answer_is_looked_up_and_adopted(harness: ActivityHarness) -> None:
    """F1: the ERP committed and its answer was lost; the next attempt finds the bill and makes no second one."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError) as lost:
        await harness.push(bill_id)
    assert (lost.value.type, lost.value.non_retryable) == ("OutcomeUnknown", False)
    assert (await harness.write(bill_id)).state == "sent"
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1
    assert len(harness.erp.invoices) == 1


@pytest.mark.parametrize("repeats", list(Repeats))
async def test_whatever_the_erp_does_with_a_repeat_there_is_one_bill(
    harness: ActivityHarness, repeats: Repeats
) -> None:
    """It may refuse the second, answer with the first, or have forgotten the key: the look-up comes first."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.repeats, harness.erp.lose_answers = repeats, 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1
    assert (await harness.write(bill_id)).erp_id == "9000"


async def test_a_repeat_that_is_answered_with_the_first_bill_adopts_it(harness: ActivityHarness) -> None:
    """The look-up lags behind the write for longer than believed; the ERP replays its first answer."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.repeats, harness.erp.lose_answers, harness.erp.finds_lag = Repeats.REPLAYED, 1, 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.time_passes()
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (harness.erp.calls["create_bill"], len(harness.erp.invoices)) == (2, 1)


async def test_a_lost_request_is_sent_again_only_after_the_read_lag(harness: ActivityHarness) -> None:
    """F2: 'not found' is not believed while the ERP's reads may lag; afterwards the bill is sent again."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_requests = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    with pytest.raises(ApplicationError) as doubt:
        await harness.push(bill_id)
    assert failure(doubt).code == "OUTCOME_UNKNOWN"
    assert doubt.value.next_retry_delay is not None
    assert doubt.value.next_retry_delay.total_seconds() <= 30
    assert harness.erp.calls["create_bill"] == 1
    await harness.time_passes()
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert len(harness.erp.invoices) == 1
    assert (await harness.write(bill_id)).attempts == 3


async def test_a_look_up_that_lags_does_not_make_a_second_bill(harness: ActivityHarness) -> None:
    """F1 with reads behind writes: the answer was lost and the look-up does not see the bill yet."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers, harness.erp.finds_lag = 1, 3
    for _ in range(4):
        with pytest.raises(ApplicationError):
            await harness.push(bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1


async def test_a_lag_longer_than_believed_meets_the_erps_own_guard(harness: ActivityHarness) -> None:
    """F1: sent again too early, the ERP says Duplicate; that is for a person, but nothing in doubt is abandoned."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers, harness.erp.finds_lag = 1, 2
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.time_passes()
    with pytest.raises(ApplicationError) as doubt:
        await harness.push(bill_id)
    assert (failure(doubt).code, doubt.value.non_retryable) == ("DUPLICATE_DOCUMENT", True)
    assert (await harness.write(bill_id)).state == "sent"
    assert not await _abandon(harness, bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert len(harness.erp.invoices) == 1


@pytest.mark.parametrize("moment", ["die_after_writing", "die_after_reading_back"])
async def test_a_worker_killed_between_the_erp_and_us_makes_no_second_bill(
    harness: ActivityHarness, moment: str
) -> None:
    """F10: the process dies after the ERP committed and before we stored it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    setattr(harness.erp, moment, 1)
    with pytest.raises(WorkerDied):
        await harness.push(bill_id)
    assert await harness.tenant.billed_net(order) == 4, "still reserved"
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1
    assert await harness.tenant.billed_net(order) == 4


@pytest.mark.parametrize("error", [Unavailable, Throttled], ids=lambda error: error.__name__)
async def test_what_certainly_wrote_nothing_is_not_doubted(harness: ActivityHarness, error: type[Unavailable]) -> None:
    """F5, F14: after a refusal at the door the next attempt sends at once, without a look-up."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.refuse_writes = [error("busy", code="ERP_BUSY")]
    with pytest.raises(ApplicationError) as refused:
        await harness.push(bill_id)
    assert (refused.value.type, refused.value.non_retryable) == (error.__name__, False)
    assert (await harness.write(bill_id)).state == "planned"
    await harness.push(bill_id)
    assert harness.erp.calls["find_bill"] == 0
    assert len(harness.erp.invoices) == 1


async def test_an_older_doubt_is_not_forgotten_by_an_outage(harness: ActivityHarness) -> None:
    """F1 then F14: an answer was lost, then the ERP is away, then it is back; the bill is found, not made again."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    harness.erp.trouble = [Unavailable("maintenance", code="ERP_UNAVAILABLE") for _ in range(3)]
    for _ in range(3):
        with pytest.raises(ApplicationError):
            await harness.push(bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1


async def test_an_answer_that_cannot_be_read_is_doubt(harness: ActivityHarness) -> None:
    """F15: a 200 with half a document may have been a success."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.refuse_writes = [MalformedAnswer("cut short", code="MALFORMED_ANSWER")]
    with pytest.raises(ApplicationError) as cut:
        await harness.push(bill_id)
    assert not cut.value.non_retryable
    assert (await harness.write(bill_id)).state == "sent"
    with pytest.raises(ApplicationError) as doubt:
        await harness.push(bill_id)
    assert failure(doubt).code == "OUTCOME_UNKNOWN"


async def test_a_refusal_is_for_a_person_and_lets_the_others_go_on(harness: ActivityHarness) -> None:
    """S4-70, DESIGN 5: a rejected write is over until somebody retries it; the bills behind it are sent."""
    order = await harness.holds(an_order(lines={1: 10}))
    first = await harness.billed(order, {1: 4}, number="A-1")
    second = await harness.billed(order, {1: 6}, number="A-2")
    harness.erp.refuse_writes = [Rejected("the period is closed", code="PERIOD_CLOSED", erp_code="BL1")]
    with pytest.raises(ApplicationError) as refused:
        await harness.push(first)
    assert refused.value.non_retryable
    assert (failure(refused).code, failure(refused).erp_code) == ("PERIOD_CLOSED", "BL1")
    write = await harness.write(first)
    assert (write.state, write.problem_code, write.sent_at) == ("rejected", "PERIOD_CLOSED", None)
    assert harness.notifier.turns == [second], "whoever is refused wakes the next, too"
    assert (await harness.push(second)).status is BillStatus.SYNCED
    assert (await harness.push(first)).status is BillStatus.SYNCED, "a retry sends it again, without doubt"
    assert harness.erp.calls["find_bill"] == 0
    assert len(harness.erp.invoices) == 2


async def test_bills_of_one_order_reach_the_erp_in_the_order_they_were_made(harness: ActivityHarness) -> None:
    """DESIGN 6: what waits behind an earlier write says so and is notified; other orders are not held up."""
    order = await harness.holds(an_order(1007, lines={1: 10}))
    other = await harness.holds(an_order(1008, lines={1: 10}))
    first = await harness.billed(order, {1: 4}, number="A-1")
    second = await harness.billed(order, {1: 6}, number="A-2")
    elsewhere = await harness.billed(other, {1: 6}, number="A-3")
    waiting = await harness.push(second)
    assert (waiting.status, waiting.waits_for) == (BillStatus.PENDING_PUSH, bills.external_key_for(first))
    assert harness.erp.calls["create_bill"] == 0
    assert (await harness.write(second)).attempts == 0
    await harness.push(elsewhere)
    assert harness.notifier.turns == []
    await harness.push(first)
    assert harness.notifier.turns == [second]
    await harness.push(second)
    assert [i.bill.number for i in harness.erp.invoices.values()] == ["A-3", "A-1", "A-2"]


async def test_a_bill_abandoned_or_put_in_review_notifies_the_next(harness: ActivityHarness) -> None:
    """HOUSE 3: it needs its turn no more; the one behind it does not wait to ask again."""
    order = await harness.holds(an_order(lines={1: 10}))
    first, second = [await harness.billed(order, {1: 4}, number=number) for number in ("A-1", "A-2")]
    abandon = AbandonWrite(subject_kind="bill", subject_id=first, actor="ada", why="sent twice")
    assert (await harness.mirror.abandon_write(abandon)).done
    assert (await harness.push(first)).status is BillStatus.ABANDONED
    assert harness.notifier.turns == [second]


async def test_the_next_bill_starts_while_the_one_before_it_is_read_back(harness: ActivityHarness) -> None:
    """Issue 10, G16: it waits a moment in its activity, so that no time lies between two writes of an order."""
    order = await harness.holds(an_order(lines={1: 10}))
    first, second, third = [await harness.billed(order, {1: 3}, number=number) for number in ("A-1", "A-2", "A-3")]
    read_bill, pushes = harness.erp.read_bill, []

    async def slow(bill: BillToPush, document_id: DocumentId) -> PushedBill:
        if bill.number == "A-1":
            assert harness.notifier.turns == [second], "notified as soon as the ERP has taken the first"
            pushes.append(asyncio.create_task(harness.push(second)))
            assert (await harness.push(third)).waits_for, "only the next waits in its activity"
            await asyncio.sleep(0.1)
            assert harness.erp.calls["create_bill"] == 1, "and it waits until the first was read back"
        return await read_bill(bill, document_id)

    harness.erp.read_bill = slow
    assert (await harness.push(first)).status is BillStatus.SYNCED
    assert (await pushes[0]).status is BillStatus.SYNCED
    assert harness.notifier.turns == [second, third], "each is notified once"


async def test_of_bills_that_follow_each_other_the_last_one_reads_their_order(harness: ActivityHarness) -> None:
    """Issue 10, G16: each push of a hundred read all bills before it again, so their time grew faster than their
    number. Until the order is read, what is in the ERP still counts as on its way: nothing is billed twice."""
    order = await harness.holds(an_order(lines={1: 10}))
    first, second = [await harness.billed(order, {1: 4}, number=number) for number in ("A-1", "A-2")]
    pushed = await harness.push(first)
    assert (pushed.status, pushed.confirmed) == (BillStatus.SYNCED, False)
    assert (await harness.tenant.billed_net(order), await harness.tenant.pending(order)) == (8, 8)
    assert (await harness.push(second)).confirmed
    assert (await harness.tenant.billed_net(order), await harness.tenant.pending(order)) == (8, 0)


async def test_the_next_bill_is_woken_by_the_end_of_the_one_before_it(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 10, G16: it does not look again and again, and finds out at once."""
    monkeypatch.setattr(activities.turns, "LOOK_EVERY_SECONDS", 3600)
    order = await harness.holds(an_order(lines={1: 10}))
    first, second = [await harness.billed(order, {1: 3}, number=number) for number in ("A-1", "A-2")]
    read_bill, pushes = harness.erp.read_bill, []

    async def slow(bill: BillToPush, document_id: DocumentId) -> PushedBill:
        if bill.number == "A-1":
            pushes.append(asyncio.create_task(harness.push(second)))
            await asyncio.sleep(0.1)
        return await read_bill(bill, document_id)

    harness.erp.read_bill = slow
    assert (await harness.push(first)).status is BillStatus.SYNCED
    async with asyncio.timeout(60):
        assert (await pushes[0]).status is BillStatus.SYNCED


async def test_a_slow_reading_back_wakes_the_next_once_more(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next does not keep a place in the worker for long; it is notified again when its turn has really come."""
    monkeypatch.setattr(activities.erp, "NEXT_WAITS_SECONDS", 0.1)
    order = await harness.holds(an_order(lines={1: 10}))
    first, second = [await harness.billed(order, {1: 3}, number=number) for number in ("A-1", "A-2")]
    read_bill = harness.erp.read_bill

    async def slow(bill: BillToPush, document_id: DocumentId) -> PushedBill:
        assert (await harness.push(second)).waits_for == bills.external_key_for(first)
        return await read_bill(bill, document_id)

    harness.erp.read_bill = slow
    await harness.push(first)
    assert harness.notifier.turns == [second, second]


async def test_a_stranger_with_our_number_is_refused_with_its_reason(harness: ActivityHarness) -> None:
    """DESIGN 5: a duplicate that is not ours is never adopted; a person decides."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.refuse_writes = [Duplicate("bill number exists", code="DUPLICATE_DOCUMENT", erp_code="BL0100")]
    with pytest.raises(ApplicationError) as refused:
        await harness.push(bill_id)
    assert refused.value.non_retryable
    assert failure(refused).code == "DUPLICATE_DOCUMENT"
    assert "not a record posync made" in failure(refused).message
    assert (await harness.write(bill_id)).state == "rejected"


async def test_a_refused_read_back_is_no_refused_bill(harness: ActivityHarness) -> None:
    """DESIGN 5: the ERP took the bill and will not show it; a person is told, and nothing is abandoned meanwhile."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.refuse_read_backs = [Rejected("no permission to read bills", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError) as refused:
        await harness.push(bill_id)
    assert (failure(refused).code, refused.value.non_retryable) == ("NO_PERMISSION", True)
    assert (await harness.write(bill_id)).state == "sent"
    assert not await _abandon(harness, bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1


async def test_a_missing_link_is_held_and_seen_when_it_is_repaired(harness: ActivityHarness) -> None:
    """S4-28, DESIGN 5: accepted without its PO link, the bill is LINK_MISSING; repaired there, a retry sees it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.link_dropped = True
    assert (await harness.push(bill_id)).status is BillStatus.LINK_MISSING
    row = await harness.tenant.bill_row(bill_id)
    assert (row.status, row.linked_in_erp) == ("link_missing", False)
    assert await harness.tenant.billed_net(order) == 4, "it stays reserved: the ERP's figures do not have it"
    for invoice in harness.erp.invoices.values():
        invoice.linked = True
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (await harness.tenant.bill_row(bill_id)).linked_in_erp
    assert harness.erp.calls["create_bill"] == 1


async def test_a_bill_the_erp_holds_otherwise_than_sent_is_shown_with_the_differences(harness: ActivityHarness) -> None:
    """DESIGN 5, step 4: lines and totals are compared, and a difference is told in words."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.changed_content = ("total is 49.99 instead of 50.00",)
    result = await harness.push(bill_id)
    assert result.status is BillStatus.SYNC_ISSUE
    assert result.differences == ["total is 49.99 instead of 50.00"]
    assert (await harness.tenant.bill_row(bill_id)).status == "sync_issue"


async def test_a_confirmed_bill_that_is_gone_is_said_to_be_deleted(harness: ActivityHarness) -> None:
    """S2-25: deleted in the ERP after we confirmed it, it is not quietly made again."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    await harness.push(bill_id)
    harness.erp.invoices.clear()
    await harness.time_passes()
    with pytest.raises(ApplicationError) as gone:
        await harness.push(bill_id)
    assert (failure(gone).code, gone.value.non_retryable) == ("DELETED_IN_ERP", True)
    assert (await harness.write(bill_id)).state == "confirmed"
    assert harness.erp.calls["create_bill"] == 1


async def test_a_bill_just_confirmed_is_not_called_deleted_by_a_lagging_look_up(harness: ActivityHarness) -> None:
    """F1, F10: run again right after it was confirmed, a look-up that lags is doubt, not a deletion."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    await harness.push(bill_id)
    harness.erp.finds_lag = 1
    with pytest.raises(ApplicationError) as doubt:
        await harness.push(bill_id)
    assert (failure(doubt).code, doubt.value.non_retryable) == ("OUTCOME_UNKNOWN", False)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED


async def test_only_what_the_erp_cannot_hold_is_abandoned(harness: ActivityHarness) -> None:
    """S1-24, S1-26: abandoned, a bill frees its quantity and is never sent; one that may be in the ERP is kept."""
    order = await harness.holds(an_order(lines={1: 10}))
    refused, doubted = (
        await harness.billed(order, {1: 4}, number="A-1"),
        await harness.billed(order, {1: 6}, number="A-2"),
    )
    harness.erp.refuse_writes = [Rejected("no", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push(refused)
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(doubted)
    assert await _abandon(harness, refused)
    assert await _abandon(harness, refused), "run twice"
    assert not await _abandon(harness, doubted)
    assert await harness.tenant.billed_net(order) == 6
    assert (await harness.tenant.bill_row(refused)).status == "abandoned"
    events = [event.kind for event in await harness.tenant.events_of(refused)]
    assert events.count("status") == 1
    assert (await harness.push(refused)).status is BillStatus.ABANDONED, "abandoned while its push was waiting"
    assert (await harness.push(doubted)).status is BillStatus.SYNCED


async def test_what_never_left_because_of_bad_credentials_can_be_abandoned(harness: ActivityHarness) -> None:
    """DESIGN 6: an attempt that did not get past the door leaves no doubt behind."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    await harness.tenant.execute(
        "update connections set state = 'authentication_failed', problem_code = 'AUTH_BAD_CREDENTIALS' where id = :id",
        id=harness.tenant.connection_id,
    )
    harness.connections._last_probe[harness.tenant.connection_id] = float("inf")
    with pytest.raises(ApplicationError) as held_back:
        await harness.push(bill_id)
    assert failure(held_back).code == "AUTH_BAD_CREDENTIALS"
    assert sum(harness.erp.calls.values()) == 0
    assert await _abandon(harness, bill_id)


async def _abandon(harness: ActivityHarness, bill_id: BillId) -> bool:
    return (
        await harness.mirror.abandon_write(
            AbandonWrite(subject_kind="bill", subject_id=bill_id, actor="ada", why="why")
        )
    ).done


async def test_an_attempt_that_hangs_ends_after_what_its_connection_allows(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HOUSE 4: sized for the connection's own timeout. What may have been sent is looked up by the next attempt."""
    monkeypatch.setattr(activities.time_limits, "OWN_WORK", timedelta(0))
    await harness.tenant.execute(
        "update connections set settings = settings || jsonb_build_object('timeout_seconds', 0.1) where id = :c",
        c=harness.tenant.connection_id,
    )
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    create = harness.erp.create_bill

    async def hangs_after_creating(bill: BillToPush) -> DocumentId:
        await create(bill)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    with monkeypatch.context() as hanging:
        hanging.setattr(harness.erp, "create_bill", hangs_after_creating)
        with pytest.raises(ApplicationError) as cut:
            async with asyncio.timeout(60):
                await harness.push(bill_id)
    assert (cut.value.type, cut.value.non_retryable) == ("OutcomeUnknown", False)
    assert (await harness.write(bill_id)).state == "sent"
    await harness.tenant.execute(
        "update connections set settings = settings - 'timeout_seconds' where id = :c", c=harness.tenant.connection_id
    )
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert len(harness.erp.invoices) == 1
