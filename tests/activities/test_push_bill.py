"""Exactly once: whatever is lost on the way, a bill is in the ERP one time, and what we store is what it holds."""

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Duplicate, MalformedAnswer, Rejected, Throttled, Unavailable
from models.domain import BillId, BillStatus
from models.messages import AbandonWrite
from tests.activities.in_memory_erp import WorkerDied
from tests.activities.office import Office, failure
from tests.store.made import an_order


async def test_a_push_is_stored_as_the_erp_holds_it_and_told(office: Office) -> None:
    """S5-28, DESIGN 5: sent, read back with its link, stored; the order's workflow hears it with the new facts."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    result = await office.push(bill_id)
    assert (result.status, result.covered, result.differences) == (BillStatus.SYNCED, True, [])
    row = await office.tenant.bill_row(bill_id)
    assert (row.status, row.document_id, row.payable_id) == ("synced", result.document_id, "79000")
    assert row.linked_in_erp
    (told,) = office.bell.pushed
    assert (told.bill_id, told.status, told.covered) == (bill_id, BillStatus.SYNCED, True)
    assert told.facts is not None
    assert (told.facts.billed, told.facts.pending, told.facts.status) == (4, 0, "partially_filled")
    assert await office.tenant.to_wake() == [], "the push has told the order's workflow already"
    write = await office.write(bill_id)
    assert (write.state, write.erp_id, write.attempts) == ("confirmed", "9000", 1)


async def test_run_twice_a_push_is_one_bill_and_one_event(office: Office) -> None:
    """DESIGN 5: an activity whose completion was lost runs again; nothing is written twice, here or there."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    first = await office.push(bill_id)
    again = await office.push(bill_id)
    assert (again.status, again.document_id) == (first.status, first.document_id)
    assert office.erp.calls["create_bill"] == 1
    assert len(office.erp.invoices) == 1
    events = [event.kind for event in await office.tenant.events_of(bill_id)]
    assert events.count("pushed") == 1
    assert await office.tenant.billed_net(order) == 4


async def test_a_lost_answer_is_looked_up_and_adopted(office: Office) -> None:
    """F1: the ERP committed and its answer was lost; the next attempt finds the bill and makes no second one."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.lose_answers = 1
    with pytest.raises(ApplicationError) as lost:
        await office.push(bill_id)
    assert (lost.value.type, lost.value.non_retryable) == ("OutcomeUnknown", False)
    assert (await office.write(bill_id)).state == "sent"
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert office.erp.calls["create_bill"] == 1
    assert len(office.erp.invoices) == 1


async def test_a_lost_request_is_sent_again_only_after_the_read_lag(office: Office) -> None:
    """F2: 'not found' is not believed while the ERP's reads may lag; afterwards the bill is sent again."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.lose_requests = 1
    with pytest.raises(ApplicationError):
        await office.push(bill_id)
    with pytest.raises(ApplicationError) as doubt:
        await office.push(bill_id)
    assert failure(doubt).code == "OUTCOME_UNKNOWN"
    assert doubt.value.next_retry_delay is not None
    assert doubt.value.next_retry_delay.total_seconds() <= 30
    assert office.erp.calls["create_bill"] == 1
    await office.time_passes()
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert len(office.erp.invoices) == 1
    assert (await office.write(bill_id)).attempts == 3


async def test_a_look_up_that_lags_does_not_make_a_second_bill(office: Office) -> None:
    """F1 with reads behind writes: the answer was lost and the look-up does not see the bill yet."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.lose_answers, office.erp.finds_lag = 1, 3
    for _ in range(4):
        with pytest.raises(ApplicationError):
            await office.push(bill_id)
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert office.erp.calls["create_bill"] == 1


async def test_a_lag_longer_than_believed_meets_the_erps_own_guard(office: Office) -> None:
    """F1: sent again too early, the ERP says Duplicate; that is for a person, but nothing in doubt is given up."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.lose_answers, office.erp.finds_lag = 1, 2
    with pytest.raises(ApplicationError):
        await office.push(bill_id)
    await office.time_passes()
    with pytest.raises(ApplicationError) as doubt:
        await office.push(bill_id)
    assert (failure(doubt).code, doubt.value.non_retryable) == ("DUPLICATE_DOCUMENT", True)
    assert (await office.write(bill_id)).state == "sent"
    assert not await _abandon(office, bill_id)
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert len(office.erp.invoices) == 1


@pytest.mark.parametrize("moment", ["die_after_writing", "die_after_reading_back"])
async def test_a_worker_killed_between_the_erp_and_us_makes_no_second_bill(office: Office, moment: str) -> None:
    """F10: the process dies after the ERP committed and before we stored it."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    setattr(office.erp, moment, 1)
    with pytest.raises(WorkerDied):
        await office.push(bill_id)
    assert await office.tenant.billed_net(order) == 4, "still reserved"
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert office.erp.calls["create_bill"] == 1
    assert await office.tenant.billed_net(order) == 4


@pytest.mark.parametrize("error", [Unavailable, Throttled], ids=lambda error: error.__name__)
async def test_what_certainly_wrote_nothing_is_not_doubted(office: Office, error: type[Unavailable]) -> None:
    """F5, F14: after a refusal at the door the next attempt sends at once, without a look-up."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.refuse_writes = [error("busy", code="ERP_BUSY")]
    with pytest.raises(ApplicationError) as refused:
        await office.push(bill_id)
    assert (refused.value.type, refused.value.non_retryable) == (error.__name__, False)
    assert (await office.write(bill_id)).state == "planned"
    await office.push(bill_id)
    assert office.erp.calls["find_bill"] == 0
    assert len(office.erp.invoices) == 1


async def test_an_older_doubt_is_not_forgotten_by_an_outage(office: Office) -> None:
    """F1 then F14: an answer was lost, then the ERP is away, then it is back; the bill is found, not made again."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await office.push(bill_id)
    office.erp.trouble = [Unavailable("maintenance", code="ERP_UNAVAILABLE") for _ in range(3)]
    for _ in range(3):
        with pytest.raises(ApplicationError):
            await office.push(bill_id)
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert office.erp.calls["create_bill"] == 1


async def test_an_answer_that_cannot_be_read_is_doubt(office: Office) -> None:
    """F15: a 200 with half a document may have been a success."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.refuse_writes = [MalformedAnswer("cut short", code="MALFORMED_ANSWER")]
    with pytest.raises(ApplicationError) as cut:
        await office.push(bill_id)
    assert not cut.value.non_retryable
    assert (await office.write(bill_id)).state == "sent"
    with pytest.raises(ApplicationError) as doubt:
        await office.push(bill_id)
    assert failure(doubt).code == "OUTCOME_UNKNOWN"


async def test_a_refusal_is_for_a_person_and_lets_the_others_go_on(office: Office) -> None:
    """S4-70, DESIGN 5: a rejected write is over until somebody retries it; the bills behind it are sent."""
    order = await office.holds(an_order(lines={1: 10}))
    first = await office.billed(order, {1: 4}, number="A-1")
    second = await office.billed(order, {1: 6}, number="A-2")
    office.erp.refuse_writes = [Rejected("the period is closed", code="PERIOD_CLOSED", erp_code="BL1")]
    with pytest.raises(ApplicationError) as refused:
        await office.push(first)
    assert refused.value.non_retryable
    assert (failure(refused).code, failure(refused).erp_code) == ("PERIOD_CLOSED", "BL1")
    write = await office.write(first)
    assert (write.state, write.problem_code, write.sent_at) == ("rejected", "PERIOD_CLOSED", None)
    assert (await office.push(second)).status is BillStatus.SYNCED
    assert (await office.push(first)).status is BillStatus.SYNCED, "a retry sends it again, without doubt"
    assert office.erp.calls["find_bill"] == 0
    assert len(office.erp.invoices) == 2


async def test_bills_of_one_order_reach_the_erp_in_the_order_they_were_made(office: Office) -> None:
    """DESIGN 6: what waits behind an earlier write says so and comes back; other orders are not held up."""
    order = await office.holds(an_order(1007, lines={1: 10}))
    other = await office.holds(an_order(1008, lines={1: 10}))
    first = await office.billed(order, {1: 4}, number="A-1")
    second = await office.billed(order, {1: 6}, number="A-2")
    elsewhere = await office.billed(other, {1: 6}, number="A-3")
    with pytest.raises(ApplicationError) as waiting:
        await office.push(second)
    assert failure(waiting).code == "WAITING_FOR_TURN"
    assert not waiting.value.non_retryable
    assert office.erp.calls["create_bill"] == 0
    await office.push(elsewhere)
    await office.push(first)
    await office.push(second)
    assert [i.bill.number for i in office.erp.invoices.values()] == ["A-3", "A-1", "A-2"]


async def test_a_stranger_with_our_number_is_refused_with_its_reason(office: Office) -> None:
    """DESIGN 5: a duplicate that is not ours is never adopted; a person decides."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.refuse_writes = [Duplicate("bill number exists", code="DUPLICATE_DOCUMENT", erp_code="BL0100")]
    with pytest.raises(ApplicationError) as refused:
        await office.push(bill_id)
    assert refused.value.non_retryable
    assert failure(refused).code == "DUPLICATE_DOCUMENT"
    assert "not a record posync made" in failure(refused).message
    assert (await office.write(bill_id)).state == "rejected"


async def test_a_refused_read_back_is_no_refused_bill(office: Office) -> None:
    """DESIGN 5: the ERP took the bill and will not show it; a person is told, and nothing is given up meanwhile."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.refuse_read_backs = [Rejected("no permission to read bills", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError) as refused:
        await office.push(bill_id)
    assert (failure(refused).code, refused.value.non_retryable) == ("NO_PERMISSION", True)
    assert (await office.write(bill_id)).state == "sent"
    assert not await _abandon(office, bill_id)
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert office.erp.calls["create_bill"] == 1


async def test_a_missing_link_is_held_and_seen_when_it_is_repaired(office: Office) -> None:
    """S4-28, DESIGN 5: accepted without its PO link, the bill is LINK_MISSING; repaired there, a retry sees it."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.link_dropped = True
    assert (await office.push(bill_id)).status is BillStatus.LINK_MISSING
    row = await office.tenant.bill_row(bill_id)
    assert (row.status, row.linked_in_erp) == ("link_missing", False)
    assert await office.tenant.billed_net(order) == 4, "it stays reserved: the ERP's figures do not have it"
    for invoice in office.erp.invoices.values():
        invoice.linked = True
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    assert (await office.tenant.bill_row(bill_id)).linked_in_erp
    assert office.erp.calls["create_bill"] == 1


async def test_a_bill_the_erp_holds_otherwise_than_sent_is_shown_with_the_differences(office: Office) -> None:
    """DESIGN 5, step 4: lines and totals are compared, and a difference is told in words."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    office.erp.changed_content = ("total is 49.99 instead of 50.00",)
    result = await office.push(bill_id)
    assert result.status is BillStatus.SYNC_ISSUE
    assert result.differences == ["total is 49.99 instead of 50.00"]
    assert (await office.tenant.bill_row(bill_id)).status == "sync_issue"


async def test_a_confirmed_bill_that_is_gone_is_said_to_be_deleted(office: Office) -> None:
    """S5-07: deleted in the ERP after we confirmed it, it is not quietly made again."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    await office.push(bill_id)
    office.erp.invoices.clear()
    await office.time_passes()
    with pytest.raises(ApplicationError) as gone:
        await office.push(bill_id)
    assert (failure(gone).code, gone.value.non_retryable) == ("DELETED_IN_ERP", True)
    assert (await office.write(bill_id)).state == "confirmed"
    assert office.erp.calls["create_bill"] == 1


async def test_a_bill_just_confirmed_is_not_called_deleted_by_a_lagging_look_up(office: Office) -> None:
    """F1, F10: run again right after it was confirmed, a look-up that lags is doubt, not a deletion."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    await office.push(bill_id)
    office.erp.finds_lag = 1
    with pytest.raises(ApplicationError) as doubt:
        await office.push(bill_id)
    assert (failure(doubt).code, doubt.value.non_retryable) == ("OUTCOME_UNKNOWN", False)
    assert (await office.push(bill_id)).status is BillStatus.SYNCED


async def test_only_what_the_erp_cannot_hold_is_given_up(office: Office) -> None:
    """S1-24, S1-26: given up, a bill frees its quantity and is never sent; one that may be in the ERP is kept."""
    order = await office.holds(an_order(lines={1: 10}))
    refused, doubted = (
        await office.billed(order, {1: 4}, number="A-1"),
        await office.billed(order, {1: 6}, number="A-2"),
    )
    office.erp.refuse_writes = [Rejected("no", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await office.push(refused)
    office.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await office.push(doubted)
    assert await _abandon(office, refused)
    assert await _abandon(office, refused), "run twice"
    assert not await _abandon(office, doubted)
    assert await office.tenant.billed_net(order) == 6
    assert (await office.tenant.bill_row(refused)).status == "abandoned"
    events = [event.kind for event in await office.tenant.events_of(refused)]
    assert events.count("status") == 1
    assert (await office.push(refused)).status is BillStatus.ABANDONED, "given up while its push was waiting"
    assert (await office.push(doubted)).status is BillStatus.SYNCED


async def test_what_never_left_because_of_bad_credentials_can_be_given_up(office: Office) -> None:
    """DESIGN 6: an attempt that did not get past the door leaves no doubt behind."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4})
    await office.tenant.execute(
        "update connections set state = 'authentication_failed', problem_code = 'AUTH_BAD_CREDENTIALS' where id = :id",
        id=office.tenant.connection_id,
    )
    office.connections._last_probe[office.tenant.connection_id] = float("inf")
    with pytest.raises(ApplicationError) as held_back:
        await office.push(bill_id)
    assert failure(held_back).code == "AUTH_BAD_CREDENTIALS"
    assert sum(office.erp.calls.values()) == 0
    assert await _abandon(office, bill_id)


async def _abandon(office: Office, bill_id: BillId) -> bool:
    return (
        await office.mirror.abandon_write(AbandonWrite(subject_kind="bill", subject_id=bill_id, actor="ada", why="why"))
    ).done
