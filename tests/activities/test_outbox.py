"""What a decision owes a workflow is delivered, by whoever comes first, however often it fails before."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from models.contract import bill_workflow_id, payment_workflow_id, purchase_order_workflow_id
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.issue_states import IssueDecision, IssueState
from models.domain.outbox import MessageKind, WhenNotRunning
from models.messages.bills import BillMatched, BillState
from models.messages.issues import SettleIssue
from models.messages.orders import BillPushed
from models.messages.outbox import SignalToSend
from models.messages.payments import PaymentAbandoned, PaymentScheduled
from models.messages.sync import NotifyChangedOrders
from models.store.audit import outbox, sync_issues
from models.store.payables import bill_edits, bills, payments
from services.bills.ending import abandon_bill
from services.outbox import kinds
from services.outbox.delivery import OutboxDelivery
from services.payments.scheduling import abandon_payment
from services.sync.issue_decisions import decide_issue
from temporal_gateway.notifier import WorkflowNotifier
from tests.builders.records import (
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)


@pytest.fixture
async def delivery(harness: ActivityHarness) -> OutboxDelivery:
    """Delivers the messages of one test: what other tests of this module left undelivered is not its own."""
    await harness.tenant.execute("delete from outbox")
    return OutboxDelivery(harness.tenant.database, harness.notifier)


def _until(event: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        await event.wait()

    return wait


async def waiting(harness: ActivityHarness) -> list[Any]:
    return await harness.tenant.fetch("select * from outbox where connection_id = :c order by id")


async def make_due(harness: ActivityHarness) -> None:
    await harness.tenant.execute("update outbox set next_try = now()")


async def make_old(harness: ActivityHarness, seconds: int) -> None:
    await harness.tenant.execute(
        "update outbox set created_at = now() - make_interval(secs => :seconds) where connection_id = :c",
        seconds=seconds,
        c=harness.tenant.connection_id,
    )


async def test_an_accepted_bill_is_owed_to_its_order_and_told_as_it_stands_then(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """G1: the row carries ids only; status, version and terms are read when it is delivered."""
    order = await harness.holds(an_order(lines={1: 10}))
    decided = await harness.bill(order, {1: 4}, key="k1", number="INV-7")
    (row,) = await waiting(harness)
    assert (row.kind, row.subject_id, row.request_key) == ("bill_accepted", decided.bill_id, "k1")
    assert row.next_try - row.created_at == timedelta(seconds=10), "until then it is the decider's to deliver"
    assert decided.message is not None
    delivery.deliver_behind_answer(decided.message)
    await delivery.settle()
    (told,) = harness.notifier.accepted
    assert (told.bill_id, told.number, told.total, told.status, told.version) == (
        decided.bill_id,
        "INV-7",
        "50.00",
        BillStatus.PENDING_PUSH,
        1,
    )
    assert (told.facts.pending, told.facts.our_bills, told.facts.terms == told.terms) == (4, True, True)
    assert await waiting(harness) == []


async def test_a_refused_bill_owes_nothing(harness: ActivityHarness) -> None:
    """S4-28: its answer and its match result are kept, and nobody is told."""
    order = await harness.holds(an_order(lines={1: 10}))
    refused = await harness.bill(order, {1: 11}, key="k1")
    assert (refused.bill_id, refused.message) == (None, None)
    assert await waiting(harness) == []


async def test_a_bill_that_waits_for_a_person_is_told_with_what_it_waits_for(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """Bills in review go this way too; one that was released meanwhile is told as released."""
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}))
    first = await harness.bill(order, {1: 2}, key="k1")
    second = await harness.bill(order, {1: 3}, key="k2")
    assert second.bill_id is not None
    await harness.acknowledge(second.bill_id, "BILLED_BEYOND_RECEIVED:line-1", key="a1")
    await make_due(harness)
    await delivery.deliver_due()
    told = {accepted.bill_id: accepted for accepted in harness.notifier.accepted}
    assert first.bill_id is not None
    waits, goes = told[first.bill_id], told[second.bill_id]
    assert (waits.status, waits.needs) == (BillStatus.AWAITING_ACKNOWLEDGEMENT, ["BILLED_BEYOND_RECEIVED"])
    assert len(waits.because) == 1
    assert (goes.status, goes.needs, goes.version) == (BillStatus.PENDING_PUSH, [], 2)


async def test_what_is_settled_is_not_told_any_more(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """A message that comes after its bill was abandoned, or is in the ERP, must not bring it back to its order."""
    order = await harness.holds(an_order(lines={1: 10}))
    abandoned = await harness.billed(order, {1: 2}, key="k1")
    pushed = await harness.billed(order, {1: 3}, key="k2")
    async with harness.tenant.database.transaction() as s:
        assert await bills.abandon(s, abandoned, actor="ada", why="twice")
    await harness.push(pushed)
    await make_due(harness)
    await delivery.deliver_due()
    assert harness.notifier.accepted == []
    assert await waiting(harness) == []


async def test_terms_that_differ_between_bills_are_told(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """So that the order's workflow knows whether bills it has not heard of are to be matched again."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 2}, key="k1")
    cheaper = order.model_copy(
        update={
            "revision": "2030-01-01 00:00:00",
            "lines": tuple(line.model_copy(update={"price": line.price - 1}) for line in order.lines),
        }
    )
    await harness.tenant.page(cheaper)
    await harness.billed(order, {1: 3}, key="k2")
    await make_due(harness)
    await delivery.deliver_due()
    first, second = harness.notifier.accepted
    assert (first.same_terms, second.same_terms) == (False, False)
    assert first.terms != first.facts.terms
    assert second.terms == second.facts.terms


async def test_temporal_away_is_tried_again_and_says_so(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """G1: the answer was given; the row stays with its error and is put off, and nothing is lost."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 2}, key="k1")
    harness.notifier.broken = True
    await make_due(harness)
    await delivery.deliver_due()
    (row,) = await waiting(harness)
    assert (row.attempts, row.last_error) == (1, "ConnectionError: Temporal is away")
    assert timedelta(seconds=2) < row.next_try - datetime.now(UTC) <= timedelta(seconds=5)
    harness.notifier.broken = False
    await delivery.deliver_due()
    assert harness.notifier.accepted == [], "its time has not come"
    await make_due(harness)
    await delivery.deliver_due()
    assert len(harness.notifier.accepted) == 1
    assert await waiting(harness) == []


async def test_one_bad_row_stops_no_other(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """A kind that this version does not know, as after going back to an older one."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.tenant.execute(
        "insert into outbox (organization_id, connection_id, kind, subject_id, request_key)"
        " values (:o, :c, 'of_tomorrow', 'bill_1', 'k0')",
        o=harness.tenant.organization_id,
        c=harness.tenant.connection_id,
    )
    await harness.billed(order, {1: 2}, key="k1")
    await make_due(harness)
    await delivery.deliver_due()
    assert len(harness.notifier.accepted) == 1
    (bad,) = await waiting(harness)
    assert "of_tomorrow" in bad.last_error


async def test_two_workers_do_not_deliver_the_same_row(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """SKIP LOCKED and the later next try: twenty rows, two loops, twenty messages."""
    order = await harness.holds(an_order(lines={1: 100}))
    for number in range(20):
        await harness.billed(order, {1: 1}, key=f"k{number}")
    await make_due(harness)
    other = OutboxDelivery(harness.tenant.database, harness.notifier)
    await asyncio.gather(delivery.deliver_due(), other.deliver_due())
    assert len(harness.notifier.accepted) == 20


async def test_every_sync_run_delivers_what_was_left(harness: ActivityHarness) -> None:
    """B11, G1: whenever its next try is; a row of the last ten seconds is still its decider's."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 2}, key="k1")
    wake = NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id="run-1")
    await harness.waking.notify_changed_orders(wake)
    assert harness.notifier.accepted == []
    await make_old(harness, 11)
    await harness.waking.notify_changed_orders(wake)
    assert len(harness.notifier.accepted) == 1


async def test_a_late_message_shows_on_its_connection_until_it_is_delivered(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """G1: after a minute a person can see it; it closes itself."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 2}, key="k1")
    harness.notifier.broken = True
    await make_old(harness, 59)
    await delivery.show_late()
    assert await harness.tenant.open_issues() == {}
    await make_old(harness, 61)
    await make_due(harness)
    await delivery.deliver_due()
    for _ in range(3):
        await delivery.show_late()
    issue = (await harness.tenant.open_issues())["HAND_OVER_DELAYED"]
    assert (issue.subject_kind, issue.subject_id, issue.occurrences) == ("connection", harness.tenant.connection_id, 1)
    assert (issue.evidence["messages"], issue.evidence["last_error"]) == (1, "ConnectionError: Temporal is away")
    harness.notifier.broken = False
    await make_due(harness)
    await delivery.deliver_due()
    await delivery.show_late()
    assert await harness.tenant.open_issues() == {}


class Away:
    """A connection to Temporal that is away."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_workflow_handle(self, *_: Any, **__: Any) -> Any:
        raise self._error

    start_workflow = get_schedule_handle = create_schedule = get_workflow_handle


@pytest.mark.parametrize(
    "error",
    [
        RPCError("connection\nrefused", RPCStatusCode.UNAVAILABLE, b""),
        RuntimeError("Failed client connect: transport error"),
    ],
)
async def test_an_outage_of_temporal_is_one_line_of_the_log(
    harness: ActivityHarness, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """Issue 9: a traceback in the log means that somebody has to look at the code."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.bill(order, {1: 2}, key="k1", number="INV-1")
    await make_due(harness)
    notifier = WorkflowNotifier(Away(error))
    await OutboxDelivery(harness.tenant.database, notifier).deliver_due()
    (row,) = await harness.tenant.fetch("select * from outbox where connection_id = :c")
    lines = [record for record in caplog.records if f"{row.subject_id} is not delivered yet" in record.getMessage()]
    assert lines
    assert all(record.exc_info is None and "\n" not in record.getMessage() for record in lines)
    assert row.last_error.startswith("NotTaken: "), row


async def test_the_loop_outlives_an_outage_of_the_database(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failed look is not the last one."""
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.billed(order, {1: 2}, key="k1")
    await make_due(harness)
    monkeypatch.setattr("services.outbox.delivery.LOOK_EVERY", timedelta(milliseconds=10))
    failures = [OSError("no database")]
    take_due = outbox.take_due

    async def fails_once(*args: Any, **values: Any) -> list[outbox.OutboxMessage]:
        if failures:
            raise failures.pop()
        return await take_due(*args, **values)

    monkeypatch.setattr(outbox, "take_due", fails_once)
    stop = asyncio.Event()

    class StopsWhenTold:
        async def signal_with_start(self, signal: SignalToSend) -> None:
            stop.set()

    loop = OutboxDelivery(harness.tenant.database, StopsWhenTold()).keep_delivering(stop)
    await asyncio.wait_for(loop, 90)
    assert not failures
    assert await waiting(harness) == []


async def test_a_message_that_was_delivered_by_another_process_is_no_error(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """The loop was faster than the process that decided: the message arrives twice, and is gone."""
    order = await harness.holds(an_order(lines={1: 10}))
    decided = await harness.bill(order, {1: 2}, key="k1")
    assert decided.message is not None
    async with harness.tenant.database.transaction() as s:
        await outbox.delivered(s, [decided.message.id])
    delivery.deliver_behind_answer(decided.message)
    await delivery.settle()
    assert await waiting(harness) == []


async def test_messages_behind_answers_let_those_who_wait_for_an_answer_go_first(harness: ActivityHarness) -> None:
    """Issue 10: each delivery takes time from the requests of its process."""
    await harness.tenant.execute("delete from outbox")
    quiet = asyncio.Event()
    delivery = OutboxDelivery(harness.tenant.database, harness.notifier, let_others_go_first=_until(quiet))
    order = await harness.holds(an_order(lines={1: 10}))
    decided = await harness.bill(order, {1: 2}, key="k1")
    assert decided.message is not None
    delivery.deliver_behind_answer(decided.message)
    await asyncio.sleep(0.2)
    assert harness.notifier.accepted == []
    quiet.set()
    await delivery.settle()
    assert len(harness.notifier.accepted) == 1
    assert await waiting(harness) == []


async def test_messages_behind_answers_do_not_wait_for_ever(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests come without a pause: what was accepted is told to its order anyway."""
    await harness.tenant.execute("delete from outbox")
    monkeypatch.setattr("services.outbox.delivery.FIRST_AT_MOST", timedelta(milliseconds=50))
    never = asyncio.Event()
    delivery = OutboxDelivery(harness.tenant.database, harness.notifier, let_others_go_first=_until(never))
    order = await harness.holds(an_order(lines={1: 10}))
    for n in range(3):
        decided = await harness.bill(order, {1: 2}, key=f"k{n}")
        assert decided.message is not None
        delivery.deliver_behind_answer(decided.message)
    await delivery.settle()
    assert len(harness.notifier.accepted) == 3


async def test_a_process_that_stops_does_not_wait_for_ever(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal hangs: what is cut stays in the outbox."""
    order = await harness.holds(an_order(lines={1: 10}))
    decided = await harness.bill(order, {1: 2}, key="k1")
    assert decided.message is not None
    monkeypatch.setattr("services.outbox.delivery.SETTLING_MAY_TAKE", timedelta(milliseconds=50))

    class Hangs:
        async def signal_with_start(self, signal: SignalToSend) -> None:
            await asyncio.Event().wait()

    delivery = OutboxDelivery(harness.tenant.database, Hangs())
    delivery.deliver_behind_answer(decided.message)
    await asyncio.wait_for(delivery.settle(), 90)
    assert len(await waiting(harness)) == 1


async def pushed_bill(harness: ActivityHarness) -> BillId:
    """A bill of 50.00 that the ERP holds, and whose order was told of it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1", number="INV-7")
    await harness.push(bill_id)
    await harness.tenant.execute("delete from outbox where connection_id = :c", c=harness.tenant.connection_id)
    return bill_id


async def test_a_scheduled_payment_is_owed_to_its_bill(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """G1: payment, answer and message are one transaction; told twice, it says the same."""
    bill_id = await pushed_bill(harness)
    harness.notifier.running.add(bill_workflow_id(bill_id))
    answer = await harness.pay(bill_id, "20.00", key="p1")
    assert answer.message is not None
    (row,) = await waiting(harness)
    assert (row.kind, row.subject_id, row.request_key) == ("payment_scheduled", answer.payment_id, "p1")
    refused = await harness.pay(bill_id, "40.00", key="p2")
    assert (refused.outcome, refused.message) == ("refused", None)
    delivery.deliver_behind_answer(answer.message)
    await delivery.settle()
    (told,) = harness.notifier.signals
    assert (told.workflow_id, told.signal) == (bill_workflow_id(bill_id), "payment_scheduled")
    assert isinstance(told.argument, PaymentScheduled)
    assert (told.argument.payment_id, told.argument.amount, told.argument.edition) == (answer.payment_id, "20.00", 0)
    assert told.argument.bill.status is BillStatus.SCHEDULED
    assert await waiting(harness) == []


async def test_a_bill_that_has_no_workflow_is_started_with_its_payment(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """B11, S4-26: its last payment was voided, or an operator ended it."""
    bill_id = await pushed_bill(harness)
    payment_id = await harness.paid(bill_id, "20.00", key="p1")
    await make_due(harness)
    await delivery.deliver_due()
    (told,) = harness.notifier.signals
    assert isinstance(told.start, BillState)
    assert [payment.payment_id for payment in told.start.payments] == [payment_id]


async def test_a_payment_that_is_over_is_not_told_any_more(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """Abandoned, or made, before its message came through; and a bill that is settled is not started for it."""
    bill_id = await pushed_bill(harness)
    first = await harness.paid(bill_id, "20.00", key="p1")
    second = await harness.paid(bill_id, "10.00", key="p2")
    await harness.paid(bill_id, "5.00", key="p3")
    async with harness.tenant.database.transaction() as s:
        assert await payments.abandon(s, first, actor="ada", why="twice")
    await harness.push_payment(second)
    await harness.tenant.execute("update bills set status = 'paid' where id = :id", id=bill_id)
    await make_due(harness)
    await delivery.deliver_due()
    assert harness.notifier.signals == []
    assert await waiting(harness) == []


@pytest.mark.parametrize("runs", [True, False])
async def test_a_decision_is_owed_to_its_bill(harness: ActivityHarness, delivery: OutboxDelivery, runs: bool) -> None:
    """G1: decision, answer and message are one transaction; where nobody runs, the bill is started as decided."""
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 2}, key="k1")
    await harness.tenant.execute("delete from outbox where connection_id = :c", c=harness.tenant.connection_id)
    if runs:
        harness.notifier.running.add(bill_workflow_id(bill_id))
    await harness.acknowledge(bill_id, "BILLED_BEYOND_RECEIVED:line-1", key="a1")
    (row,) = await waiting(harness)
    assert (row.kind, row.subject_id, row.request_key) == ("bill_decided", bill_id, "a1")
    await make_due(harness)
    await delivery.deliver_due()
    (told,) = harness.notifier.signals
    assert told.signal == "bill_matched"
    assert isinstance(told.argument, BillMatched)
    assert (told.argument.status, told.argument.version) == (BillStatus.PENDING_PUSH, 2)
    assert isinstance(told.start, BillState) is not runs, "its state is read only where it is started with it"
    if told.start is not None:
        assert isinstance(told.start, BillState)
        assert (told.start.status, told.start.version) == (BillStatus.PENDING_PUSH, 2)
    assert await waiting(harness) == []


async def test_a_bill_just_accepted_is_left_to_its_order_to_start(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """So that an operator finds it under its order: a payment right after the 201 waits a moment for that."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    answer = await harness.pay(bill_id, "20.00", key="p1")
    assert answer.message is not None
    delivery.deliver_behind_answer(answer.message)
    await asyncio.sleep(0.05)
    assert harness.notifier.signals == []
    harness.notifier.running.add(bill_workflow_id(bill_id))
    await delivery.settle()
    assert [told.signal for told in harness.notifier.signals] == ["payment_scheduled"]


async def test_payments_that_wait_for_their_bills_keep_no_place_from_these_bills(
    harness: ActivityHarness, delivery: OutboxDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst of bills with their payments: every place for sending was held by a payment that waited for a bill whose
    message had no place."""
    monkeypatch.setattr(delivery, "_sending", asyncio.Semaphore(1))
    order = await harness.holds(an_order(lines={1: 10}))
    decided = await harness.bill(order, {1: 4}, key="k1")
    assert decided.bill_id is not None
    assert decided.message is not None
    answer = await harness.pay(decided.bill_id, "20.00", key="p1")
    assert answer.message is not None
    delivery.deliver_behind_answer(answer.message)
    await asyncio.sleep(0.05)
    delivery.deliver_behind_answer(decided.message)
    await asyncio.sleep(0.15)
    assert [accepted.bill_id for accepted in harness.notifier.accepted] == [decided.bill_id]
    harness.notifier.running.add(bill_workflow_id(decided.bill_id))
    await delivery.settle()
    assert [told.signal for told in harness.notifier.signals] == ["payment_scheduled"]
    assert await waiting(harness) == []


async def test_an_abandoned_bill_is_told_to_whoever_runs(harness: ActivityHarness, delivery: OutboxDelivery) -> None:
    """Bill and order; nobody is started for it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await harness.tenant.execute("delete from outbox where connection_id = :c", c=harness.tenant.connection_id)
    order_workflow = purchase_order_workflow_id(harness.tenant.connection_id, order.erp_id, order.number)
    harness.notifier.running.add(order_workflow)
    async with harness.tenant.database.transaction() as s:
        row = await bill_edits.lock(s, bill_id, harness.tenant.organization_id)
        assert row is not None
        messages = await abandon_bill(s, row, actor="ada", why="twice", request_key="a1")
    await delivery.deliver_new(messages)
    ((told, now),) = harness.notifier.bills
    assert (told, now.status, now.version) == (bill_id, BillStatus.ABANDONED, 2)
    (settled,) = harness.notifier.signals
    assert (settled.workflow_id, settled.signal) == (order_workflow, "bill_pushed")
    assert isinstance(settled.argument, BillPushed)
    assert (settled.argument.bill_id, settled.argument.status) == (bill_id, BillStatus.ABANDONED)
    assert settled.argument.facts is not None
    assert settled.argument.facts.pending == 0
    assert harness.notifier.started == []
    assert await waiting(harness) == []


async def test_an_abandoned_payment_is_told_to_its_bill_and_to_itself(
    harness: ActivityHarness, delivery: OutboxDelivery
) -> None:
    """S5-33: with who and why, read from its events."""
    bill_id = await pushed_bill(harness)
    payment_id = await harness.paid(bill_id, "20.00", key="p1")
    harness.notifier.running.add(payment_workflow_id(payment_id))
    harness.notifier.bills.clear()
    async with harness.tenant.database.transaction() as s:
        messages = await abandon_payment(s, payment_id, actor="ada", why="twice", request_key="a1")
    await delivery.deliver_new(messages)
    ((told, now),) = harness.notifier.bills
    assert (told, now.payment_id, now.status) == (bill_id, payment_id, BillStatus.SYNCED)
    (abandoned,) = harness.notifier.signals
    assert isinstance(abandoned.argument, PaymentAbandoned)
    assert (abandoned.argument.actor, abandoned.argument.why) == ("ada", "twice")


@pytest.mark.parametrize("decision", list(IssueDecision))
@pytest.mark.parametrize("runs", [True, False])
async def test_a_decision_on_an_issue_is_told_or_done(
    harness: ActivityHarness, delivery: OutboxDelivery, decision: IssueDecision, runs: bool
) -> None:
    """Where the workflow that waited behind it is gone, the issue is closed; a retry has the connection synced."""
    bill_id = await pushed_bill(harness)
    workflow_id = bill_workflow_id(bill_id)
    if runs:
        harness.notifier.running.add(workflow_id)
    async with harness.tenant.database.transaction() as s:
        issue_id = await sync_issues.open_issue(
            s,
            "PERIOD_CLOSED",
            connection_id=harness.tenant.connection_id,
            subject_kind="bill",
            subject_id=bill_id,
            evidence={},
            workflow_id=workflow_id,
        )
    async with harness.tenant.database.transaction() as s:
        issue = await sync_issues.lock(s, issue_id, harness.tenant.organization_id)
        assert issue is not None
        decided = await decide_issue(s, issue, decision, actor="ada", why="corrected", request_key="r1")
    assert decided.notified_workflow == workflow_id
    assert decided.message is not None
    await delivery.deliver_new([decided.message])
    await delivery.settle()
    assert await waiting(harness) == []
    async with harness.tenant.database.transaction() as s:
        issue = await sync_issues.get(s, issue_id)
    assert issue is not None
    told = [signal.signal for signal in harness.notifier.signals]
    if runs:
        (signal,) = harness.notifier.signals
        assert signal.argument == SettleIssue(issue_id=issue_id, decision=decision, actor="ada", why="corrected")
        assert issue.state == IssueState.OPEN, "until its workflow closes it"
    elif decision is IssueDecision.RETRY:
        assert (issue.state, issue.closed_by, told) == (IssueState.RESOLVED, "ada", ["changed"])
    else:  # the ERP holds this bill, so it is not abandoned
        assert (issue.state, issue.closed_by, told) == (IssueState.RESOLVED, "ada", [])


def test_the_table_has_a_row_for_each_kind() -> None:
    """Whoever adds a kind says how it is built and what happens where its workflow does not run."""
    assert set(kinds.DELIVERIES) == set(MessageKind)


def test_the_page_for_users_has_a_row_for_each_kind() -> None:
    """`docs/explanation/accepted-is-sent.md` says what each message does where its workflow does not run."""
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "accepted-is-sent.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", page, re.MULTILINE))
    assert set(rows) == {kind.value for kind in MessageKind}
    begins = {WhenNotRunning.START: ("it is started", "the schedule is made"), WhenNotRunning.DROP: ("nothing",)}
    for kind, delivery in kinds.DELIVERIES.items():
        expected = begins.get(delivery.when_not_running, ("the issue is closed",))
        assert rows[kind.value].startswith(expected), kind
