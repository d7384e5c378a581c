"""Each guard of the promise is needed: with it what was accepted is told once; switched off, the same check fails."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.exceptions import ApplicationError

from activities.exactly_once import ExactlyOnce
from activities.missing_workflows import MissingWorkflows
from erp.errors import ErpError, Rejected
from models.contract import bill_workflow_id
from models.domain import bill_states
from models.domain.bills import BillStatus
from models.domain.ids import BillId, DocumentId, OutboxId, SyncRunId
from models.domain.issue_states import IssueSubject
from models.domain.outbox import MessageKind
from models.domain.writes import WriteKind
from models.messages.issues import OpenIssue
from models.messages.outbox import SignalToSend
from models.messages.sync import NotifyChangedOrders
from models.messages.writes import AbandonWrite
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.orders import ledger, order_pages
from models.store.payables import bill_hand_over, bills, statuses
from services.bills.acceptance import accept_bill
from services.bills.intake import RequestedBill
from services.outbox.delivery import OutboxDelivery
from tests.builders.records import R2, an_order
from tests.fakes.fake_erp import Repeats
from tests.harness.activity_harness import TODAY, ActivityHarness, Decided
from tests.harness.waiting import eventually


async def make_due(harness: ActivityHarness) -> None:
    await harness.tenant.execute("update outbox set next_try = now()")


async def told_though_the_decider_died(harness: ActivityHarness) -> bool:
    """A bill is accepted, and its process dies before it delivers."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await make_due(harness)
    await OutboxDelivery(harness.tenant.database, harness.notifier).deliver_due()
    return [one.bill_id for one in harness.notifier.accepted].count(bill_id) == 1


async def a_payment_is_told_though_the_decider_died(harness: ActivityHarness) -> bool:
    """A payment is scheduled, and its process dies before it delivers."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await harness.push(bill_id)
    await harness.paid(bill_id, "10.00", key="p1")
    await make_due(harness)
    await OutboxDelivery(harness.tenant.database, harness.notifier).deliver_due()
    return [signal.signal for signal in harness.notifier.signals] == ["payment_scheduled"]


async def not_told_of_what_is_settled(harness: ActivityHarness) -> bool:
    """A message is delivered once more, after its bill has reached the ERP and its order has forgotten it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await harness.push(bill_id)
    await make_due(harness)
    await OutboxDelivery(harness.tenant.database, harness.notifier).deliver_due()
    return bill_id not in [one.bill_id for one in harness.notifier.accepted]


async def started_though_an_operator_ended_it(harness: ActivityHarness) -> bool:
    """A bill in the ERP has no workflow, and a sync run ends."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    await harness.push(bill_id)
    await harness.tenant.execute("delete from outbox where connection_id = :c", c=harness.tenant.connection_id)
    await harness.tenant.execute("update bills set created_at = created_at - interval '5 minutes'")
    await harness.waking.notify_changed_orders(
        NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id=SyncRunId("run"))
    )
    return len(harness.notifier.started) == 1


async def abandoned_though_its_refusal_comes_back_late(harness: ActivityHarness) -> bool:
    """A bill is abandoned between the ERP's refusal and the issue that its workflow opens for it."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.refuse_writes = [Rejected("the posting period is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    async with harness.tenant.database.transaction() as s:
        await bills.abandon(s, bill_id, actor="ada", why="not ours")
    await harness.mirror.open_issue(
        OpenIssue(
            connection_id=harness.tenant.connection_id,
            subject_kind=IssueSubject.BILL,
            subject_id=bill_id,
            code="PERIOD_CLOSED",
            message="the posting period is closed",
            workflow_id=bill_workflow_id(bill_id),
        )
    )
    async with harness.tenant.database.transaction() as s:
        return not [row for row in await statuses.outside(s) if row.id == bill_id]


async def one_bill_though_the_answer_was_lost(harness: ActivityHarness) -> bool:
    """The ERP takes a bill, its answer is lost, and the push is repeated; the ERP would make it once more."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.repeats = Repeats.FORGOTTEN
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.push(bill_id)
    return harness.erp.calls["create_bill"] == 1


async def no_more_accepted_than_was_ordered(harness: ActivityHarness) -> bool:
    """A bill of eight out of ten comes while the decision on another such bill is not committed."""
    order = await harness.holds(an_order(lines={1: 10}))
    asked = RequestedBill.model_validate(
        {
            "purchase_order_id": harness.tenant.id_of(order),
            "number": "INV-1",
            "bill_date": TODAY,
            "lines": [{"order_line_no": 1, "quantity": "8"}],
        }
    )

    async with harness.tenant.database.transaction() as first:
        accepted = await accept_bill(
            first, asked, organization_id=harness.tenant.organization_id, request_key="k1", actor="ada"
        )
        assert accepted.bill_id is not None
        other = asyncio.create_task(harness.bill(order, {1: 8}, key="k2", number="INV-2"))
        await eventually(lambda: _waits_for_a_lock(harness, other))
    return (await other).bill_id is None


async def one_bill_though_its_look_up_is_refused(harness: ActivityHarness) -> bool:
    """The ERP takes a bill, its answer is lost, and the look-up that should find it is refused."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.repeats = Repeats.FORGOTTEN
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.time_passes()
    harness.erp.trouble = [Rejected("Nobody knows this.", code="UNKNOWN_ERP_ERROR")]
    with suppress(ApplicationError):
        await harness.push(bill_id)
    abandon = AbandonWrite(subject_kind=WriteKind.BILL, subject_id=bill_id, actor="ada")
    abandoned = (await harness.mirror.abandon_write(abandon)).done
    return harness.erp.calls["create_bill"] == 1 and not abandoned


async def the_newer_reading_stays(harness: ActivityHarness) -> bool:
    """A page that was read before an order was changed is stored after the page that shows the change."""
    earlier = await harness.holds(an_order(lines={1: 10}))
    await harness.tenant.page(an_order(lines={1: 12}, revision=R2))
    await harness.tenant.page(earlier)
    return (await harness.tenant.lines(earlier))[1].quantity == 12


async def _waits_for_a_lock(harness: ActivityHarness, asking: asyncio.Task[Decided]) -> bool:
    """A decision waits for a lock, or is done without one."""
    (row,) = await harness.tenant.fetch(
        "select count(*) as waiting from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    return bool(row.waiting) or asking.done()


def without_the_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sent_at_once(*_: object, create: Callable[[], Awaitable[DocumentId]], **__: object) -> DocumentId:
        return await create()

    monkeypatch.setattr(ExactlyOnce, "write", sent_at_once)


def without_the_doubt_that_a_refused_look_up_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_there(_: ExactlyOnce, find: Callable[[], Awaitable[DocumentId | None]]) -> DocumentId | None:
        try:
            return await find()
        except ErpError:
            return None

    monkeypatch.setattr(ExactlyOnce, "_look_up", nothing_there)


def without_the_look_at_the_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_pages, "_differs", lambda *_: True)


def without_the_lock_of_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(ledger, "lock_lines", nothing)


def without_the_look_at_what_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill_states, "may_be_stopped", lambda *_: True)


def without_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    async def add(
        _: AsyncSession, kind: MessageKind, subject_id: str, *, request_key: str, **__: object
    ) -> OutboxMessage:
        return OutboxMessage(OutboxId(0), kind, subject_id, request_key)

    monkeypatch.setattr(outbox, "add", add)


def without_the_look_at_what_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    read = bill_hand_over.bill_accepted

    async def whatever_holds(session: AsyncSession, bill_id: BillId) -> SignalToSend | None:
        return await read(session, bill_id, frozenset(BillStatus))

    monkeypatch.setattr(bill_hand_over, "bill_accepted", whatever_holds)


def without_the_start_of_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: MissingWorkflows) -> None:
        return None

    monkeypatch.setattr(MissingWorkflows, "start", nothing)


GUARDS = [
    pytest.param(without_the_look_up, one_bill_though_the_answer_was_lost, id="look-up before a repeat"),
    pytest.param(
        without_the_doubt_that_a_refused_look_up_leaves,
        one_bill_though_its_look_up_is_refused,
        id="refused look-up decides nothing",
    ),
    pytest.param(without_the_look_at_the_revision, the_newer_reading_stays, id="older reading never wins"),
    pytest.param(without_the_lock_of_the_lines, no_more_accepted_than_was_ordered, id="lock of the order's lines"),
    pytest.param(without_the_row, told_though_the_decider_died, id="outbox row of a bill"),
    pytest.param(without_the_row, a_payment_is_told_though_the_decider_died, id="outbox row of a payment"),
    pytest.param(without_the_look_at_what_holds, not_told_of_what_is_settled, id="redelivery"),
    pytest.param(
        without_the_look_at_what_it_stops, abandoned_though_its_refusal_comes_back_late, id="refusal that comes late"
    ),
    pytest.param(
        without_the_start_of_what_is_missing, started_though_an_operator_ended_it, id="start of what is missing"
    ),
]

Check = Callable[[ActivityHarness], Awaitable[bool]]


@pytest.mark.parametrize(("switch_off", "holds"), GUARDS)
async def test_with_its_guard_the_promise_holds(
    harness: ActivityHarness, switch_off: Callable[[pytest.MonkeyPatch], None], holds: Check
) -> None:
    """G1, B11, G15."""
    assert await holds(harness)


@pytest.mark.parametrize(("switch_off", "holds"), GUARDS)
async def test_without_its_guard_it_does_not(
    harness: ActivityHarness,
    monkeypatch: pytest.MonkeyPatch,
    switch_off: Callable[[pytest.MonkeyPatch], None],
    holds: Check,
) -> None:
    """Issue 10: each guard switched off on purpose makes the check fail."""
    switch_off(monkeypatch)
    assert not await holds(harness)
