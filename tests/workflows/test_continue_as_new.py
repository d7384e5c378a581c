"""Long lives in short histories: every long-lived workflow hands its whole state on, and nothing is done twice.

On a dev server that suggests continue-as-new after a few events.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId, SyncIssueId
from models.domain.orders import PoStatus
from models.domain.payments import PaymentStatus
from models.domain.sync import Stream
from models.messages.bills import BillBalance, BillEdited
from models.messages.issues import SettleIssue
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    abandon_payment,
    an_issue,
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    live,
    order,
    payment,
    payment_state,
    schedule_payment,
    settle,
    start_sync,
)
from tests.harness.workflow_harness import WorkflowHarness
from workflows.sync import SyncWorkflow


@pytest.fixture
def harness(impatient_temporal: Client) -> WorkflowHarness:
    return WorkflowHarness(client=impatient_temporal, tag=f"-{secrets.token_hex(4)}-")


async def runs(harness: WorkflowHarness, handle: WorkflowHandle[Any, Any]) -> int:
    """How many runs the workflow has had so far."""
    found = 0
    run_id: str | None = (await handle.describe()).run_id
    while run_id:
        found += 1
        one = harness.client.get_workflow_handle(handle.id, run_id=run_id)
        started = (await one.fetch_history()).events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id or None
    return found


async def test_an_order_with_many_bills_hands_over(harness: WorkflowHarness) -> None:
    """DESIGN 4: bills, counts and facts survive every hand-over; each bill is pushed once."""
    async with harness.workers():
        for n in range(10):
            answer = await create_bill(harness, harness.bill_request(f"k{n}", 1))
            assert answer.outcome == "OK"
        await done(order(harness))
    assert await runs(harness, order(harness)) > 1
    assert harness.calls["push_bill"] == 10
    assert len(set(harness.documents())) == 10
    assert await attribute(order(harness), contract.STATUS) == PoStatus.FILLED
    assert (await order(harness).describe()).typed_search_attributes.get(contract.PO_NUMBER) == "PO-1007"


async def test_an_order_hands_over_in_the_middle_of_its_double_sync(harness: WorkflowHarness) -> None:
    """S4-67: the awaited bill is still awaited in the next run; no issue is opened by the hand-over."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    async with harness.workers():
        await create_bill(harness, harness.bill_request("k1", 10))
        await eventually(lambda: harness.calls["refresh_purchase_order"])
        notifier = WorkflowNotifier(harness.client)
        for _ in range(30):
            await notifier.order_changed(harness.order_state(), harness.facts())
        await eventually(lambda: _has_handed_over(harness))
        now = await live(harness)
        assert [held.bill_id for held in now.bills] == list(harness.bills)
        assert "double sync" in now.waiting_for
        harness.refreshes_until_shown = 0
        await done(order(harness))
    assert not harness.issues
    assert harness.calls["push_bill"] == 1
    assert await attribute(order(harness), contract.STATUS) == PoStatus.FILLED


async def test_a_bill_hands_over_while_it_is_paid_in_parts(harness: WorkflowHarness) -> None:
    """S5-33: what is paid, due and scheduled survives; each payment is pushed once."""
    today = datetime.now(UTC).date()
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        handle = bill(harness, bill_id)
        for n in range(10):
            schedule = harness.payment_request(f"p{n}", bill_id, "25", today)
            assert await schedule_payment(harness, schedule)
            await eventually(lambda n=n: harness.calls["push_payment"] == n + 1)
        assert await done(handle) == BillStatus.PAID
        state = await bill_state(harness, bill_id)
        assert "Waiting for: nothing: the bill is done" in await details(handle)
    assert await runs(harness, handle) > 1
    assert harness.calls["push_payment"] == 10
    assert harness.calls["push_bill"] == 1
    assert (state.paid, state.due) == ("250", "0")
    assert len(state.payments) == 10


async def test_a_bill_that_only_hears_news_hands_over(harness: WorkflowHarness) -> None:
    """S5-33: signals from the ERP's side alone also lead to a hand-over, not to an endless history."""
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 4))).bill_id
        assert bill_id is not None
        notifier = WorkflowNotifier(harness.client)
        await eventually(lambda: harness.bills[bill_id].confirmed)
        for n in range(40):
            now = BillBalance(status=BillStatus.PARTIALLY_PAID, paid=str(n), due=str(100 - n))
            await notifier.bill_changed(bill_id, now)
        await eventually(lambda: _paid(harness, bill_id, "39"))
        assert await runs(harness, bill(harness, bill_id)) > 1
        await notifier.bill_changed(bill_id, BillBalance(status=BillStatus.PAID, paid="100", due="0"))
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
    assert harness.calls["push_bill"] == 1


async def test_a_refused_bill_hands_over_while_its_order_moves(harness: WorkflowHarness) -> None:
    """An order that is received daily signals its refused bill daily; the issue is opened once and still counts."""
    harness.troubles["push_bill"] = [refused()]
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        issue_id, _ = await an_issue(harness)
        handle = bill(harness, bill_id)
        for n in range(40):
            await handle.signal(contract.ORDER_MOVED, f"receipt {n}")
        await eventually(lambda: _runs_twice(harness, handle))
        state = await bill_state(harness, bill_id)
        assert (state.status, state.issue, state.issue_code) == (BillStatus.SYNC_ISSUE, issue_id, "PERIOD_CLOSED")
        shown = f"Waiting for: a person: issue {issue_id} (PERIOD_CLOSED): the posting period is closed"
        await eventually(lambda: _shows(handle, shown))
        assert await attribute(handle, contract.ISSUE_CODE) == "PERIOD_CLOSED"
        assert harness.calls["push_bill"] == 1
        await settle(handle, issue_id, "retry")
        await done(order(harness))
        await eventually(lambda: _shows_no_issue(handle))
    assert [(issue.state, issue.actor) for issue in harness.issues.values()] == [("resolved", "ada")]
    assert (harness.calls["push_bill"], len(harness.documents())) == (2, 1)


async def test_an_issue_settled_just_before_a_hand_over_is_shown_no_more(harness: WorkflowHarness) -> None:
    """All comes in one task, which also suggests to continue: Temporal's list showed the issue for good."""
    harness.troubles["push_bill"] = [refused()]
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        issue_id, _ = await an_issue(harness)
        handle = bill(harness, bill_id)
        await eventually(lambda: _shows(handle, "(PERIOD_CLOSED)"))
    for n in range(40):
        await handle.signal(contract.ORDER_MOVED, f"receipt {n}")
    await settle(handle, issue_id, "retry")
    async with harness.workers():
        await done(order(harness))
        await eventually(lambda: _shows_no_issue(handle))
        assert await runs(harness, handle) > 1
        assert await attribute(handle, contract.STATUS) == BillStatus.SYNCED


@pytest.mark.parametrize("decision", ["retry", "abandon"])
async def test_a_bill_with_a_pending_edit_hands_over(harness: WorkflowHarness, decision: str) -> None:
    """The edit waits on behind its issue, and payments behind the edit; a decision still reaches it."""
    harness.troubles["push_bill_edit"] = [refused()]
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        await done(order(harness))
        handle = bill(harness, bill_id)
        harness.bills[bill_id].edition = 1
        await handle.signal(contract.BILL_EDITED, BillEdited(bill_id=bill_id, edition=1))
        issue_id, _ = await an_issue(harness)
        for n in range(40):
            unpaid = BillBalance(status=BillStatus.SYNCED, paid="0", due=str(250 - n))
            await WorkflowNotifier(harness.client).bill_changed(bill_id, unpaid)
        await eventually(lambda: _runs_twice(harness, handle))
        today = datetime.now(UTC).date()
        await schedule_payment(harness, harness.payment_request("p1", bill_id, "250", today))
        state = await bill_state(harness, bill_id)
        assert (state.status, state.issue, state.edit_sent_version) == (BillStatus.SCHEDULED, issue_id, 1)
        await eventually(lambda: _shows(handle, f"a person: issue {issue_id} (PERIOD_CLOSED) of the edit"))
        assert (harness.calls["push_bill_edit"], harness.calls["push_payment"]) == (1, 0)
        await settle(handle, issue_id, decision)
        assert await done(handle) == BillStatus.PAID
    assert harness.issues[issue_id].state == ("resolved" if decision == "retry" else "abandoned")
    assert harness.calls["push_bill_edit"] == (2 if decision == "retry" else 1)
    assert harness.calls["edit abandoned"] == (0 if decision == "retry" else 1)
    assert harness.calls["push_payment"] == 1


async def test_a_payment_far_away_hands_over(harness: WorkflowHarness) -> None:
    """Whatever reaches it meanwhile, it waits for its date in each run, and can be abandoned in each."""
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        await done(order(harness))
        in_a_year = datetime.now(UTC).date() + timedelta(days=365)
        await schedule_payment(harness, harness.payment_request("p1", bill_id, "250", in_a_year))
        payment_id = PaymentId(f"pay_{harness.tag}p1")
        handle = payment(harness, payment_id)
        await eventually(lambda: payment_state(harness, payment_id))
        await send_stale_decisions(handle)
        await eventually(lambda: _runs_twice(harness, handle))
        await eventually(lambda: _shows(handle, f"Waiting for: the payment date, {in_a_year}"))
        assert harness.calls["push_payment"] == 0
        await abandon_payment(harness, payment_id)
        assert (await done(handle)).status is PaymentStatus.ABANDONED
        await eventually(lambda: _payments_done(harness, bill_id))
    assert harness.calls["push_payment"] == 0


async def test_a_refused_payment_hands_over(harness: WorkflowHarness) -> None:
    """Its issue is opened once, and the decision reaches the run that waits."""
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        await done(order(harness))
        today = datetime.now(UTC).date()
        await schedule_payment(harness, harness.payment_request("p1", bill_id, "250", today))
        issue_id, _ = await an_issue(harness)
        handle = payment(harness, f"pay_{harness.tag}p1")
        await send_stale_decisions(handle)
        await eventually(lambda: _runs_twice(harness, handle))
        await eventually(lambda: _shows(handle, f"issue {issue_id} (BANK_ACCOUNT_INACTIVE)"))
        await settle(handle, issue_id, "retry")
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
    assert [(issue.state, issue.actor) for issue in harness.issues.values()] == [("resolved", "ada")]
    assert harness.calls["push_payment"] == 2


async def send_stale_decisions(handle: WorkflowHandle[Any, Any]) -> None:
    """Decisions on an issue that is not the open one."""
    for _ in range(40):
        await handle.signal(contract.SETTLE_ISSUE, SettleIssue(issue_id=SyncIssueId("x"), decision="retry", actor="bo"))


async def test_a_sync_run_over_many_pages_hands_over(harness: WorkflowHarness) -> None:
    """S2-56: each page is read once over all runs, the counts add up, the run's record is closed once."""
    harness.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 9, Stream.BILLS: 3}
    harness.orders_to_notify = 10
    async with harness.workers():
        handle = await start_sync(harness)
        state = await done(handle)
        progress = await handle.query(SyncWorkflow.progress)
    assert await runs(harness, handle) > 2
    orders = [page.after for page in harness.pages_read if page.stream is Stream.PURCHASE_ORDERS]
    assert orders == [None, *(str(n) for n in range(1, 9))]
    assert len(harness.pages_read) == 13
    assert state.counts["purchase_orders.pages"] == 9
    assert progress.done == [Stream.LISTS, Stream.PURCHASE_ORDERS, Stream.BILLS]
    assert harness.calls["plan_sync"] == 1
    assert [run.state for run in harness.finished_runs] == ["completed"]
    assert len({page.run_id for page in harness.pages_read}) == 1


async def _runs_twice(harness: WorkflowHarness, handle: WorkflowHandle[Any, Any]) -> bool:
    return await runs(harness, handle) > 1


async def _shows(handle: WorkflowHandle[Any, Any], text: str) -> bool:
    return text in await details(handle)


async def _shows_no_issue(handle: WorkflowHandle[Any, Any]) -> bool:
    return await attribute(handle, contract.ISSUE_CODE) is None


async def _payments_done(harness: WorkflowHarness, bill_id: BillId) -> bool:
    return all(held.done for held in (await bill_state(harness, bill_id)).payments)


async def _has_handed_over(harness: WorkflowHarness) -> bool:
    return await runs(harness, order(harness)) > 1 and "double sync" in (await live(harness)).waiting_for


async def _paid(harness: WorkflowHarness, bill_id: str, amount: str) -> bool:
    return (await bill_state(harness, bill_id)).paid == amount
