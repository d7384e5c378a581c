"""An edit of a bill the ERP holds: sent once, before the next payment; a refused one waits for a person."""

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.issue_states import IssueDecision
from models.messages.bills import BillEdited
from models.messages.issues import SettleIssue
from tests.fakes.fake_order import refused
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
    order,
    schedule_payment,
    settle,
)
from tests.harness.workflow_harness import WorkflowHarness

BILL = BillId("bill_k1")


@pytest.fixture
async def harness(harness: WorkflowHarness) -> WorkflowHarness:
    """With one bill of 250.00 that the ERP holds."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    return harness


async def edit(harness: WorkflowHarness, edition: int) -> None:
    harness.bills[BILL].edition = max(harness.bills[BILL].edition, edition)
    await bill(harness, BILL).signal(contract.BILL_EDITED, BillEdited(bill_id=BILL, edition=edition))


async def in_erp(harness: WorkflowHarness, edition: int) -> bool:
    return (
        harness.bills[BILL].edition_in_erp == edition and (await bill_state(harness, BILL)).edit_sent_version == edition
    )


async def test_an_edit_reaches_the_erp_once(harness: WorkflowHarness) -> None:
    """S5-136, S1-17: the newest edition is sent; heard twice, or late, it is not sent again."""
    await edit(harness, 1)
    await eventually(lambda: in_erp(harness, 1))
    await edit(harness, 1)
    await edit(harness, 2)
    await eventually(lambda: in_erp(harness, 2))
    await edit(harness, 1)
    assert (await bill_state(harness, BILL)).edit_requested_version == 2
    assert harness.calls["push_bill_edit"] == 2
    assert harness.calls["push_bill"] == 1
    assert (await bill_state(harness, BILL)).status is BillStatus.SYNCED
    assert not harness.issues


async def test_an_edit_goes_before_the_payment(harness: WorkflowHarness, time_skipping: WorkflowEnvironment) -> None:
    """S5-136: what was edited before a payment was asked for is in the ERP when the payment is sent."""
    now = await time_skipping.get_current_time()
    harness.outage_until = now + timedelta(hours=1)
    await edit(harness, 1)
    await eventually(lambda: harness.calls["push_bill_edit"])
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", now.date()))
    assert "an edit on its way to the ERP" in await details(bill(harness, BILL))
    assert harness.calls["push_payment"] == 0
    assert await ended(time_skipping, bill(harness, BILL), timedelta(hours=1, minutes=5)) == BillStatus.PAID
    assert harness.bills[BILL].edition_in_erp == 1
    assert harness.calls["push_payment"] == 1


async def test_a_refused_edit_waits_behind_an_issue_and_the_bill_stays_what_it_is(
    harness: WorkflowHarness, time_skipping: WorkflowEnvironment
) -> None:
    """S2-87, DESIGN 4: the edit was refused, not the bill; a person's retry sends it, and the payment follows."""
    harness.troubles["push_bill_edit"] = [refused()]
    await edit(harness, 1)
    issue_id, issue = await an_issue(harness)
    assert issue.opened.keeps_status
    await eventually(lambda: _shown(harness, "PERIOD_CLOSED"))
    assert await attribute(bill(harness, BILL), contract.STATUS) == BillStatus.SYNCED
    today = (await time_skipping.get_current_time()).date()
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", today))
    assert harness.calls["push_payment"] == 0
    await settle(bill(harness, BILL), issue_id, "retry")
    assert await done(bill(harness, BILL)) == BillStatus.PAID
    assert harness.issues[issue_id].state == "resolved"
    assert harness.bills[BILL].edition_in_erp == 1
    assert harness.calls["push_bill_edit"] == 2


async def test_a_second_edit_settles_the_refusal_of_the_first(harness: WorkflowHarness) -> None:
    """S2-87: whoever edits the bill again has answered the issue; only the newest edition is sent."""
    harness.troubles["push_bill_edit"] = [refused()]
    await edit(harness, 1)
    issue_id, _ = await an_issue(harness)
    await edit(harness, 2)
    await eventually(lambda: in_erp(harness, 2))
    await eventually(lambda: _shown(harness, None))
    assert harness.issues[issue_id].state == "resolved"
    assert harness.calls["push_bill_edit"] == 2


async def test_a_refused_edit_is_abandoned(harness: WorkflowHarness) -> None:
    """DESIGN 4: abandoned, the edit is sent no more, and the bill goes on as the ERP holds it."""
    harness.troubles["push_bill_edit"] = [refused()]
    await edit(harness, 1)
    issue_id, _ = await an_issue(harness)
    await settle(bill(harness, BILL), issue_id, "abandon", why="it was right before")
    await eventually(lambda: _shown(harness, None))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("abandoned", "ada")
    assert harness.calls["push_bill_edit"] == harness.calls["edit abandoned"] == 1
    assert (await bill_state(harness, BILL)).status is BillStatus.SYNCED


async def test_an_edit_abandoned_after_a_retry_that_has_not_begun_is_abandoned(harness: WorkflowHarness) -> None:
    """Both decisions were accepted: the later one counts, and the edit is not sent again."""
    harness.troubles["push_bill_edit"] = [refused()]
    await edit(harness, 1)
    issue_id, _ = await an_issue(harness)
    harness.abandoned_before_retry = SettleIssue(issue_id=issue_id, decision=IssueDecision.ABANDON, actor="ben")
    await settle(bill(harness, BILL), issue_id, "retry")
    await eventually(lambda: _shown(harness, None))
    assert (harness.issues[issue_id].state, harness.issues[issue_id].actor) == ("abandoned", "ben")
    assert harness.calls["push_bill_edit"] == harness.calls["edit abandoned"] == 1


async def test_an_edit_that_cost_the_bill_its_link_is_an_issue(harness: WorkflowHarness) -> None:
    """S4-28, DESIGN 5: the edit is read back too; repaired in the ERP, a retry sees it."""
    harness.link_dropped = True
    await edit(harness, 1)
    issue_id, issue = await an_issue(harness)
    assert issue.opened.code == "LINK_MISSING"
    harness.link_dropped = False
    await settle(bill(harness, BILL), issue_id, "retry")
    await eventually(lambda: _shown(harness, None))
    assert harness.issues[issue_id].state == "resolved"
    assert (await bill_state(harness, BILL)).status is BillStatus.SYNCED


async def _shown(harness: WorkflowHarness, code: str | None) -> bool:
    """No code is shown before an issue, too: only a settled one counts."""
    if code is None and harness.open_issues():
        return False
    return await attribute(bill(harness, BILL), contract.ISSUE_CODE) == code
