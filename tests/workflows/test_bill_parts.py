"""A bill in parts in Temporal: each part is an activity of its own, and an operator reads where each stands."""

from models import contract
from models.domain.bills import BillStatus
from models.domain.ids import BillId
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
    order,
    settle,
)
from tests.harness.workflow_harness import WorkflowHarness


async def test_each_part_is_sent_by_an_activity_of_its_own(harness: WorkflowHarness) -> None:
    """W3: the parts go one after another, and their activities say which is which."""
    harness.parts = 3
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    assert harness.calls["push_bill"] == 3
    state = await bill_state(harness, "bill_k1")
    assert (state.status, [part.state for part in state.parts]) == (BillStatus.SYNCED, ["in_erp"] * 3)
    summaries = []
    async for event in bill(harness, "bill_k1").fetch_history_events():
        if event.HasField("activity_task_scheduled_event_attributes"):
            summaries.append(event.user_metadata.summary.data.decode())
    assert ["push part 2 of 3" in summaries[1], "from PO Receiver-R-3" in summaries[2]] == [True, True]


async def test_an_operator_reads_which_part_is_stopped(harness: WorkflowHarness) -> None:
    """The details name every part, those in the ERP and the one that was refused."""
    harness.parts = 2
    harness.refuse_part = 2
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)

    async def shown() -> bool:
        text = await details(bill(harness, "bill_k1"))
        return "part 1 of 25.00 from PO Receiver-R-1: in erp" in text and "from PO Receiver-R-2: refused" in text

    await eventually(shown)
    assert await attribute(bill(harness, "bill_k1"), contract.STATUS) == BillStatus.SYNC_ISSUE
    await settle(bill(harness, "bill_k1"), issue_id, "retry")
    await done(order(harness))
    assert [part.state for part in (await bill_state(harness, "bill_k1")).parts] == ["in_erp", "in_erp"]


async def test_what_was_taken_back_before_a_refusal_is_made_again(harness: WorkflowHarness) -> None:
    """W3: all parts or none. A retraction that stops in the middle is abandoned: the parts that are gone are made
    again, by nobody's further decision."""
    harness.parts = 2
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    bill_id = BillId("bill_k1")
    harness.troubles["retract_bill"] = [refused("it is reconciled", "DELETION_REFUSED")]
    harness.parts_gone = 1
    await bill(harness, bill_id).signal(contract.BILL_CHANGED, harness.ask_back(bill_id, BillStatus.DELETED))
    issue_id, _ = await an_issue(harness)
    await settle(bill(harness, bill_id), issue_id, "abandon")

    async def whole_again() -> bool:
        state = await bill_state(harness, bill_id)
        return state.status is BillStatus.SYNCED and [part.state for part in state.parts] == ["in_erp"] * 2

    await eventually(whole_again)
    assert harness.calls["push_bill"] == 3
    assert not harness.open_issues()
