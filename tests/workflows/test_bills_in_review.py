"""A bill that its match keeps back: it waits in sight of the operator, and goes on by a word or by itself."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId
from models.domain.orders import PoStatus
from models.messages.bills import BillBalance, BillMatched, BillState
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import CONNECTION, ORDER_ERP_ID, refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    attribute,
    bill,
    bill_state,
    create_bill,
    decide,
    deliver,
    details,
    done,
    live,
    order,
    payment,
    schedule_payment,
    settle,
)
from tests.harness.workflow_harness import A_LONG_LIFE, WorkflowHarness
from workflows.bill import BillWorkflow

WARNING = "BILLED_BEYOND_RECEIVED"


async def waits(harness: WorkflowHarness, code: str = WARNING, bill_id: str = "bill_k1") -> None:
    """The operator sees what the bill waits for."""

    async def so() -> bool:
        return await attribute(bill(harness, bill_id), contract.ISSUE_CODE) == code

    await eventually(so)


async def test_a_warned_bill_waits_until_it_is_acknowledged(harness: WorkflowHarness) -> None:
    """Rules 3.4: nothing is sent while a warning waits; acknowledged, the bill goes out and its order is told."""
    harness.warnings = [WARNING]
    answer = await create_bill(harness, harness.bill_request("k1", 10))
    assert answer.outcome == "WARN"
    await waits(harness)
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.AWAITING_ACKNOWLEDGEMENT
    told = await details(bill(harness, "bill_k1"))
    assert f"Waiting for: a person to acknowledge the warning, or a change that settles it: {WARNING}" in told
    assert f"- the words of {WARNING}" in told
    assert "not in the ERP yet" in told
    assert (await live(harness)).waiting_for == f"a person: bill INV-k1: {WARNING}"
    of_the_order = await details(order(harness))
    total = (await bill_state(harness, "bill_k1")).total
    assert f"Of our open bills 1 waiting for a person ({total})." in of_the_order, "money, and not on its way (A11)"
    assert "Ordered" not in of_the_order, "quantities of different lines add up to nothing (A11)"
    assert harness.calls["push_bill"] == 0

    assert await decide(harness, "bill_k1")
    assert (await done(order(harness))).status is PoStatus.FILLED
    await eventually(lambda: _shows(harness, BillStatus.SYNCED))
    assert await attribute(bill(harness, "bill_k1"), contract.ISSUE_CODE) is None
    assert harness.calls["push_bill"] == 1


async def _shows(harness: WorkflowHarness, status: BillStatus) -> bool:
    return await attribute(bill(harness, "bill_k1"), contract.STATUS) == status


async def test_a_hold_shows_as_such(harness: WorkflowHarness) -> None:
    """DESIGN 4: an operator finds held bills by their status and reads what holds them."""
    harness.holds = ["PRICE_DIFFERS"]
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, "PRICE_DIFFERS")
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.ON_HOLD
    told = await details(bill(harness, "bill_k1"))
    assert "a person to release the hold, or a change that settles it: PRICE_DIFFERS" in told
    await decide(harness, "bill_k1")
    await done(order(harness))


async def test_a_receipt_lets_a_waiting_bill_go_on_by_itself(harness: WorkflowHarness) -> None:
    """Rules 3.6: the order's terms changed, its bills are matched again, and this one needs nobody any more."""
    harness.warnings = [WARNING]
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness)
    harness.warnings = []
    harness.terms = "ten received"
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    assert harness.calls["rematch_bills"] == 1
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.SYNCED


async def test_a_change_that_concerns_no_bill_matches_nothing_again(harness: WorkflowHarness) -> None:
    """The plain path costs nothing: only terms that bills are matched against count, and only with bills of ours."""
    notifier = WorkflowNotifier(harness.client)
    harness.terms = "first"
    await notifier.order_changed(harness.order_state(), harness.facts())
    harness.terms = "second"
    harness.snapshot += 1
    await notifier.order_changed(harness.order_state(), harness.facts())
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.bills[BillId("bill_k1")].confirmed)
    harness.snapshot += 1
    await notifier.order_changed(harness.order_state(), harness.facts())
    await create_bill(harness, harness.bill_request("k2", 6))
    await done(order(harness))
    assert harness.calls["rematch_bills"] == 0


async def test_told_to_match_again_a_waiting_bill_follows(harness: WorkflowHarness) -> None:
    """Rules 3.6: a unit was told, a policy changed: the order is the same, and the bill is judged anew all the same."""
    harness.holds = ["UOM_UNKNOWN"]
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, "UOM_UNKNOWN")
    harness.holds, harness.warnings = [], [WARNING]
    await order(harness).signal(contract.REMATCH, "a unit was told")
    await waits(harness)
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.AWAITING_ACKNOWLEDGEMENT
    harness.warnings = []
    await order(harness).signal(contract.REMATCH, "a policy changed")
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k1"]


async def test_a_bill_put_in_review_on_its_way_out_waits_too(harness: WorkflowHarness) -> None:
    """An outage keeps a bill; the order is cut down meanwhile: when the ERP is back, the bill is not sent."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    await an_issue(harness)
    here = harness.bills[BillId("bill_k1")]
    here.status, here.needs, here.version = BillStatus.ON_HOLD, ["QTY_OVER_CEILING"], 2
    issue_id, _ = await an_issue(harness)
    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    await eventually(lambda: _status(harness, BillStatus.ON_HOLD))
    assert harness.documents() == []
    await decide(harness, "bill_k1")
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k1"]


async def test_an_older_word_does_not_undo_a_newer_one(harness: WorkflowHarness) -> None:
    """Words carry the bill's version: a re-match that arrives after a release is not believed."""
    harness.holds = ["PRICE_DIFFERS"]
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness, "PRICE_DIFFERS")
    late = BillMatched(bill_id=BillId("bill_k1"), status=BillStatus.AWAITING_ACKNOWLEDGEMENT, version=1)
    await bill(harness, "bill_k1").signal(contract.BILL_MATCHED, late)
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.ON_HOLD
    await decide(harness, "bill_k1")
    await bill(harness, "bill_k1").signal(contract.BILL_MATCHED, late)
    await done(order(harness))
    assert (await bill_state(harness, "bill_k1")).status is BillStatus.SYNCED


async def test_a_waiting_bill_that_is_abandoned_ends(harness: WorkflowHarness) -> None:
    """A way out: its quantity is free, both workflows go on without it."""
    harness.warnings = [WARNING]
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness)
    harness.bills[BillId("bill_k1")].status = BillStatus.ABANDONED
    abandoned = BillBalance(status=BillStatus.ABANDONED, paid="0", due="0")
    await bill(harness, "bill_k1").signal(contract.BILL_CHANGED, abandoned)
    assert await done(bill(harness, "bill_k1")) == BillStatus.ABANDONED
    harness.warnings = []
    await create_bill(harness, harness.bill_request("k2", 10))
    await done(order(harness))
    assert harness.documents() == ["Vendor Invoice-bill_k2"]


async def test_a_payment_scheduled_meanwhile_waits_for_the_bill(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S4-25: the payment is planned on the waiting bill and starts once the ERP holds the bill."""
    harness.warnings = [WARNING]
    await create_bill(harness, harness.bill_request("k1", 10))
    await waits(harness)
    today = (await time_skipping.get_current_time()).date()
    ref = harness.payment_request("p1", BillId("bill_k1"), "250", today - timedelta(days=1))
    assert await schedule_payment(harness, ref)
    assert harness.calls["push_payment"] == 0
    await decide(harness, "bill_k1")
    assert await done(bill(harness, "bill_k1")) == BillStatus.PAID
    await done(payment(harness, "pay_p1"))


async def test_what_the_erp_refused_for_want_of_a_receipt_is_sent_again_when_one_comes(
    harness: WorkflowHarness,
) -> None:
    """S4-70: the ERP takes no bill before the goods; the receipt heals the issue by itself."""
    harness.troubles["push_bill"] = [refused("not received yet", "NOT_RECEIVED")]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    await eventually(lambda: _order_sees(harness, BillStatus.SYNC_ISSUE))
    harness.terms = "ten received"
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")
    assert harness.order_state().erp_id == ORDER_ERP_ID


async def test_what_the_erp_refused_is_sent_again_when_another_of_our_bills_is_gone(harness: WorkflowHarness) -> None:
    """Kind 3: a bill of ours that billed all that came was deleted there: its terms are as before, the order is not."""
    harness.troubles["push_bill"] = [refused("not received yet", "NOT_RECEIVED")]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    await eventually(lambda: _order_sees(harness, BillStatus.SYNC_ISSUE))
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")


async def test_what_the_erp_refused_is_tried_again_when_the_order_was_changed_and_put_back(
    harness: WorkflowHarness,
) -> None:
    """Kind 3: no sync saw the order as it was when the bill was refused; only its version in the ERP moved."""
    harness.revision = "1"
    harness.troubles["push_bill"] = [refused("billed already", "ALREADY_CONVERTED")]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    await eventually(lambda: _order_sees(harness, BillStatus.SYNC_ISSUE))
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await live(harness)
    assert harness.open_issues(), "told twice, it is not tried twice"
    harness.revision = "2"
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("resolved", "posync")


async def test_a_refused_bill_whose_own_order_is_another_one_is_told_that_this_one_changed(
    harness: WorkflowHarness,
) -> None:
    """A bill over two orders: what it was refused for lies in the other."""
    harness.refused_elsewhere = [BillId("bill_k9")]
    other = await harness.client.start_workflow(
        BillWorkflow.run,
        BillState(
            connection_id=CONNECTION,
            erp=Erp.NETSUITE,
            bill_id=BillId("bill_k9"),
            purchase_order_id=None,
            order_number="PO-2000",
            order_workflow_id="po/another/0",
            vendor="V-ACME",
            number="INV-9",
            total="10",
            status=BillStatus.DISPUTED,
        ),
        id=contract.bill_workflow_id(BillId("bill_k9")),
        task_queue=contract.TASK_QUEUE,
        execution_timeout=A_LONG_LIFE,
    )
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.bills[BillId("bill_k1")].confirmed)
    harness.terms = "another line"
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())

    async def heard() -> bool:
        return bool((await other.query(BillWorkflow.state)).order_moved)

    await eventually(heard)


async def _status(harness: WorkflowHarness, status: BillStatus) -> bool:
    return (await bill_state(harness, "bill_k1")).status is status


async def _order_sees(harness: WorkflowHarness, status: BillStatus) -> bool:
    return [open_bill.status for open_bill in (await live(harness)).bills] == [status]


async def test_a_bill_that_was_matched_again_before_its_order_knew_of_it_goes_on(harness: WorkflowHarness) -> None:
    """The message was built, then the bill was matched again, and nobody found its workflow to tell; then it came."""
    harness.warnings = [WARNING]
    bill_id = harness.decide_bill(harness.bill_request("k1", 10)).bill_id
    assert bill_id is not None
    stale = harness.accepted(bill_id)
    harness.warnings = []
    await WorkflowNotifier(harness.client).rematch(harness.order_state(), "a receipt came")
    await eventually(lambda: harness.bills[bill_id].version == 2)
    await deliver(harness, stale)
    await done(order(harness))
    assert harness.documents() == [f"Vendor Invoice-{bill_id}"]


async def test_a_bill_that_was_abandoned_before_its_order_knew_of_it_is_not_started(harness: WorkflowHarness) -> None:
    """The same of a bill that a person abandoned meanwhile: it waits for nobody, and neither does its order."""
    harness.holds = ["PERIOD_CLOSED"]
    bill_id = harness.decide_bill(harness.bill_request("k1", 4)).bill_id
    assert bill_id is not None
    stale = harness.accepted(bill_id)
    held = harness.bills[bill_id]
    held.status, held.needs, held.version = BillStatus.ABANDONED, [], 2
    await deliver(harness, stale)
    await eventually(lambda: harness.calls["bill_in_review"])
    assert (await live(harness)).bills == []
    harness.closed_in_erp = True
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
