"""A bill that is taken back from the ERP: once, and where it goes from there."""

import pytest

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    an_issue,
    approve,
    bill,
    bill_state,
    create_bill,
    details,
    done,
    order,
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


async def ask_back(harness: WorkflowHarness, becomes: BillStatus) -> None:
    await bill(harness, BILL).signal(contract.BILL_CHANGED, harness.ask_back(BILL, becomes))


async def stands(harness: WorkflowHarness, status: BillStatus) -> bool:
    return (await bill_state(harness, BILL)).status is status


async def test_a_deleted_bill_ends_and_is_taken_back_once(harness: WorkflowHarness) -> None:
    """S5-07: told twice, it is taken back once."""
    await ask_back(harness, BillStatus.DELETED)
    assert await done(bill(harness, BILL)) == BillStatus.DELETED
    assert harness.calls["retract_bill"] == 1
    assert harness.documents() == []


async def test_a_disputed_bill_waits_and_goes_out_again(harness: WorkflowHarness) -> None:
    """S5-08: readable in the bill's workflow; undone, the same workflow sends it anew. How long the whole life is:
    `end_to_end/in_process/test_history_budget.py`."""
    await ask_back(harness, BillStatus.DISPUTED)
    await eventually(lambda: stands(harness, BillStatus.DISPUTED))
    assert "settle the dispute" in await details(bill(harness, BILL))
    await bill(harness, BILL).signal(contract.BILL_CHANGED, harness.balance(BILL))
    await bill(harness, BILL).signal(contract.BILL_MATCHED, harness.restore(BILL))
    await eventually(lambda: stands(harness, BillStatus.SYNCED))
    assert harness.calls["push_bill"] == 2


async def test_a_bill_that_is_sent_back_is_approved_again(harness: WorkflowHarness) -> None:
    """S5-10, S5-11: it waits for its approval again, and goes out as another bill."""
    await ask_back(harness, BillStatus.AWAITING_APPROVAL)
    await eventually(lambda: stands(harness, BillStatus.AWAITING_APPROVAL))
    assert (await bill_state(harness, BILL)).document_id is None
    harness.approval_steps = 1
    await approve(harness, BILL)
    await eventually(lambda: stands(harness, BillStatus.SYNCED))
    assert harness.calls["push_bill"] == 2


async def test_a_refused_retraction_leaves_the_bill_where_it_is(harness: WorkflowHarness) -> None:
    """S5-07: it waits for a person, who leaves the bill in the ERP; asked again, a change there stands for a retry."""
    harness.troubles["retract_bill"] = [refused("it is reconciled", "DELETION_REFUSED")]
    await ask_back(harness, BillStatus.DELETED)
    issue_id, _ = await an_issue(harness)
    assert "of the retraction" in await details(bill(harness, BILL))
    await settle(bill(harness, BILL), issue_id, "abandon")
    await eventually(lambda: stands(harness, BillStatus.SYNCED))
    assert not harness.open_issues()
    harness.troubles["retract_bill"] = [refused("it is reconciled", "DELETION_REFUSED")]
    await ask_back(harness, BillStatus.DELETED)
    await an_issue(harness)
    await bill(harness, BILL).signal(contract.BILL_CHANGED, harness.balance(BILL))
    assert await done(bill(harness, BILL)) == BillStatus.DELETED
    assert not harness.open_issues()
