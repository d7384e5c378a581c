"""The double sync: a pushed bill is not done before the ERP's own figures on the order show it."""

from datetime import timedelta
from functools import partial

from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId, SyncIssueId
from models.domain.orders import PoStatus
from models.messages.orders import BillPushed
from temporal_gateway.notifier import WorkflowNotifier
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    attribute,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    ended,
    live,
    order,
    settle,
)
from tests.harness.workflow_harness import WorkflowHarness


async def test_the_order_is_read_again_until_it_shows_the_bill(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-65, S4-66, S4-67: the first sync sends the bill; the status comes back by itself when the ERP has it."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = 12
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    assert "Waiting for: the ERP to show our bills on the order (double sync)" in await details(order(harness))
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.SYNCED, "the bill itself is already done"
    await ended(time_skipping, order(harness), timedelta(minutes=30))
    assert await attribute(order(harness), contract.STATUS) == PoStatus.FILLED
    assert harness.calls["refresh_purchase_order"] == 13
    assert harness.calls["push_bill"] == 1
    assert not harness.issues


async def test_an_order_that_never_shows_the_bill_becomes_an_issue_and_heals_by_news(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-67: after two hours a person is told; when a later sync brings the order, the issue closes by itself."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    harness.look_again_in = timedelta(minutes=7)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=1, minutes=50))
    assert not harness.issues
    await time_skipping.sleep(timedelta(minutes=15))
    issue_id, issue = await an_issue(harness)
    assert (issue.opened.code, issue.opened.subject_kind) == ("STATUS_NOT_SHOWING", "purchase_order")
    await eventually(lambda: _waits_for(harness, "a person: issue"))
    assert f"Waiting for: a person: issue {issue_id}" in await details(order(harness))
    asked = harness.calls["refresh_purchase_order"]
    await time_skipping.sleep(timedelta(hours=5))
    assert harness.calls["refresh_purchase_order"] == asked, "nothing is read while a person is awaited"

    harness.refreshes_until_shown = 0
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")
    assert harness.calls["push_bill"] == 1


async def test_bills_that_follow_each_other_are_looked_for_together(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """Issue 10, G16: the order is not read between two bills of it, but not put off for long either."""
    harness.goes_first = "PSB-0"
    for key in ("k1", "k2"):
        await create_bill(harness, harness.bill_request(key, 5))
        await eventually(partial(_waits_its_turn, harness, BillId(f"bill_{key}")))
    pushed = BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.SYNCED, confirmed=False)
    await WorkflowNotifier(harness.client).bill_pushed(harness.order_state(), harness.facts(), pushed)
    await time_skipping.sleep(timedelta(seconds=8))
    assert harness.calls["refresh_purchase_order"] == 0
    await time_skipping.sleep(timedelta(seconds=4))
    await eventually(lambda: harness.calls["refresh_purchase_order"])


async def _waits_its_turn(harness: WorkflowHarness, bill_id: BillId) -> bool:
    return "Waiting for: its turn" in await details(bill(harness, bill_id))


async def test_a_person_may_ask_to_look_again(harness: WorkflowHarness, time_skipping: WorkflowEnvironment) -> None:
    """S4-67: retry on the issue reads the order once more, in the person's name."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    harness.look_again_in = timedelta(minutes=7)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=2, minutes=5))
    issue_id, _ = await an_issue(harness)
    harness.refreshes_until_shown = 0
    await settle(order(harness), issue_id, "retry")
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "ada")


async def test_an_issue_about_a_bill_that_is_no_more_closes_by_itself(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """Issue 10: no issue that nobody can close. The order need not show a bill that was deleted meanwhile."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    harness.look_again_in = timedelta(minutes=7)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=2, minutes=5))
    issue_id, _ = await an_issue(harness)
    asked = harness.calls["refresh_purchase_order"]
    deleted = BillPushed(bill_id=BillId("bill_k1"), status=BillStatus.DELETED, confirmed=False)
    await order(harness).signal(contract.BILL_PUSHED, deleted)
    await eventually(lambda: harness.issues[issue_id].state != "open")
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")
    assert harness.calls["refresh_purchase_order"] == asked
    assert "Waiting for: a person" not in await details(order(harness))


async def test_a_decision_on_an_older_issue_is_not_taken_for_the_open_one(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """Issue 9: the order's own issue goes the way of all others, so its end names only whoever settled it."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    harness.look_again_in = timedelta(minutes=7)
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=2, minutes=5))
    issue_id, _ = await an_issue(harness)
    harness.refreshes_until_shown = 0
    await settle(order(harness), SyncIssueId("issue_of_before"), "retry")
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")


async def test_a_later_bill_that_shows_brings_the_order_to_be_read_again(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-67: an issue about one bill does not keep the next bill, or its own healing, waiting."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    harness.look_again_in = timedelta(minutes=7)
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    await time_skipping.sleep(timedelta(hours=2, minutes=5))
    issue_id, _ = await an_issue(harness)
    harness.shows_at_once = True
    harness.refreshes_until_shown = 0
    await create_bill(harness, harness.bill_request("k2", 6))
    await done(order(harness))
    assert harness.issues[issue_id].state == "resolved"
    assert len(harness.documents()) == 2


async def test_one_reading_covers_all_bills_that_wait(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-67: bills pushed while the order is being read again are looked for too; each is sent once."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = 3
    await create_bill(harness, harness.bill_request("k1", 3))
    await create_bill(harness, harness.bill_request("k2", 7))
    await ended(time_skipping, order(harness), timedelta(minutes=30))
    assert harness.calls["push_bill"] == 2
    assert all(harness.bills[BillId(f"bill_k{n}")].confirmed for n in (1, 2))
    assert harness.facts().status is PoStatus.FILLED


async def test_receive_first_orders_stay_open_after_the_bill(harness: WorkflowHarness) -> None:
    """S4-68, S4-60: the status is the ERP's word; a bill for everything does not make an order filled by our sums."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _bills_settled(harness, 0))
    assert await attribute(order(harness), contract.STATUS) == PoStatus.PARTIALLY_FILLED
    told = await details(order(harness))
    assert "the ERP says *Partially Converted*" in told
    assert "No bill of ours is open." in told
    assert "Waiting for: a bill, or a change in the ERP" in told
    assert "1 of our bills are settled." in told


async def test_news_that_arrives_late_does_not_take_the_order_back_in_time(harness: WorkflowHarness) -> None:
    """F4: an older snapshot of the order changes nothing."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _bills_settled(harness, 0))
    held = (await live(harness)).facts
    assert held is not None
    stale = held.model_copy(update={"snapshot": held.snapshot - 1, "status": PoStatus.UNFILLED, "billed": 0})
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), stale)
    await create_bill(harness, harness.bill_request("k2", 100))
    assert (await live(harness)).facts == held
    assert await attribute(order(harness), contract.STATUS) == PoStatus.PARTIALLY_FILLED


async def test_an_order_closed_in_the_erp_ends_and_a_change_wakes_it_again(harness: WorkflowHarness) -> None:
    """S4-55: closed ends the workflow when nothing of ours is open; a later change starts it anew."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: _bills_settled(harness, 0))
    harness.closed_in_erp = True
    harness.snapshot += 1
    notifier = WorkflowNotifier(harness.client)
    await notifier.order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    first = (await order(harness).describe()).run_id
    harness.closed_in_erp = False
    harness.snapshot += 1
    await notifier.order_changed(harness.order_state(), harness.facts())
    restart = await order(harness).describe()
    assert restart.run_id != first
    assert restart.typed_search_attributes.get(contract.STATUS) == PoStatus.PARTIALLY_FILLED
    assert restart.typed_search_attributes.get(contract.PO_NUMBER) == "PO-1007"
    assert (await create_bill(harness, harness.bill_request("k2", 6))).outcome == "OK"
    await done(order(harness))
    assert (await bill(harness, "bill_k2").describe()).typed_search_attributes.get(contract.VENDOR) == "V-ACME"


async def _waits_for(harness: WorkflowHarness, words: str) -> bool:
    return words in (await live(harness)).waiting_for


async def _bills_settled(harness: WorkflowHarness, left: int) -> bool:
    now = await live(harness)
    return len(now.bills) == left and harness.facts().pending == 0
