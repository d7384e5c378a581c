"""An edit of a bill the ERP holds: sent as often as it takes, applied once, and settled only when it was read back."""

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected, Unavailable
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.messages.bills import BillEdited, BillPushResult, PushBill
from models.messages.writes import AbandonWrite
from models.store.payables import bill_edits
from services.bills.workflow_start import bill_start
from services.outbox.kinds import bill_edited
from tests.builders.records import (
    an_order,
)
from tests.fakes.fake_erp import (
    WorkerDied,
)
from tests.harness.activity_harness import (
    ActivityHarness,
    failure,
)


@pytest.fixture
async def bill_id(harness: ActivityHarness) -> BillId:
    """A bill that the ERP holds."""
    order = await harness.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await harness.billed(order, {1: 10}, key="the-bill")
    await harness.push(bill_id)
    harness.erp.calls.clear()
    return bill_id


async def edit(harness: ActivityHarness, bill_id: BillId, memo: str) -> int:
    """What the route does; gives the edition."""
    async with harness.tenant.database.transaction() as s:
        row = await bill_edits.lock(s, bill_id, harness.tenant.organization_id)
        assert row is not None
        await bill_edits.edit(s, row, {"memo": memo}, {}, actor="ada")
        return int(row.edition)


async def push_edit(harness: ActivityHarness, bill_id: BillId) -> BillPushResult:
    return await harness.editing.push_bill_edit(PushBill(connection_id=harness.tenant.connection_id, bill_id=bill_id))


async def abandon(harness: ActivityHarness, bill_id: BillId, edition: int, *, in_doubt: bool) -> bool:
    abandon = AbandonWrite(
        subject_kind="bill_edit",
        subject_id=bill_id,
        actor="ada",
        why="it was right before",
        edition=edition,
        in_doubt=in_doubt,
    )
    return (await harness.mirror.abandon_write(abandon)).done


def memo_in_erp(harness: ActivityHarness) -> str:
    (invoice,) = harness.erp.invoices.values()
    return invoice.bill.memo


async def kinds(harness: ActivityHarness, bill_id: BillId) -> list[str]:
    return [event.kind for event in await harness.tenant.events_of(bill_id)]


async def test_an_edit_is_sent_and_settled_by_its_read_back(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-136, S1-17: the ERP holds what was edited, its new payable is known, and nothing is pending any more."""
    await edit(harness, bill_id, "checked")
    assert (await harness.tenant.bill_row(bill_id)).edit_pending
    result = await push_edit(harness, bill_id)
    assert result.status is BillStatus.SYNCED
    row = await harness.tenant.bill_row(bill_id)
    assert (row.edit_pending, row.edit_baseline, row.payable_id, row.status) == (False, None, "79000e", "synced")
    assert memo_in_erp(harness) == "checked"


async def test_run_twice_an_edit_is_sent_once(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: a second run finds nothing pending and asks the ERP nothing."""
    await edit(harness, bill_id, "checked")
    first = await push_edit(harness, bill_id)
    calls = sum(harness.erp.calls.values())
    assert await push_edit(harness, bill_id) == first
    assert sum(harness.erp.calls.values()) == calls
    assert (await kinds(harness, bill_id)).count("edit_pushed") == 1


@pytest.mark.parametrize("fault", ["lose_answers", "die_after_writing", "die_after_reading_back"])
async def test_an_edit_taken_before_its_answer_was_lost_is_not_taken_again(
    harness: ActivityHarness, bill_id: BillId, fault: str
) -> None:
    """F1, F10: the edition names the content; the ERP refuses it a second time, and that is as good as an answer."""
    edition = await edit(harness, bill_id, "checked")
    setattr(harness.erp, fault, 1)
    with pytest.raises((ApplicationError, WorkerDied)):
        await push_edit(harness, bill_id)
    assert (await harness.tenant.bill_row(bill_id)).edit_pending
    assert (await push_edit(harness, bill_id)).status is BillStatus.SYNCED
    (invoice,) = harness.erp.invoices.values()
    assert invoice.editions == [edition]
    assert not (await harness.tenant.bill_row(bill_id)).edit_pending


async def test_an_outage_keeps_the_edit_pending(harness: ActivityHarness, bill_id: BillId) -> None:
    """F14: what did not arrive is sent when the ERP is back."""
    await edit(harness, bill_id, "checked")
    harness.erp.refuse_writes = [Unavailable("maintenance", code="ERP_UNAVAILABLE")]
    with pytest.raises(ApplicationError) as away:
        await push_edit(harness, bill_id)
    assert not away.value.non_retryable
    await push_edit(harness, bill_id)
    assert memo_in_erp(harness) == "checked"


async def test_a_refused_edit_can_be_abandoned_and_the_bill_says_again_what_the_erp_holds(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """S2-87: the ERP refused; abandoned, our memo is the ERP's again. An older edition is not there to abandon."""
    edition = await edit(harness, bill_id, "checked")
    harness.erp.refuse_writes = [Rejected("the period is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError) as refused:
        await push_edit(harness, bill_id)
    assert failure(refused).nothing_was_done
    assert not await abandon(harness, bill_id, edition - 1, in_doubt=False)
    assert await abandon(harness, bill_id, edition, in_doubt=False)
    assert not await abandon(harness, bill_id, edition, in_doubt=False)
    row = await harness.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("", False)
    assert (await kinds(harness, bill_id)).count("edit_given_up") == 1
    harness.erp.calls.clear()
    await push_edit(harness, bill_id)
    assert harness.erp.calls["update_bill"] == 0


async def test_an_edit_that_may_be_there_keeps_its_words(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: in doubt, abandoning stops the sending and changes nothing else."""
    edition = await edit(harness, bill_id, "checked")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await push_edit(harness, bill_id)
    assert await abandon(harness, bill_id, edition, in_doubt=True)
    row = await harness.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("checked", False)


async def test_what_the_erp_made_of_an_edit_is_compared(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5, step 4: an edit the ERP took otherwise is not settled."""
    await edit(harness, bill_id, "checked")
    harness.erp.changed_content = ("the memo was cut",)
    result = await push_edit(harness, bill_id)
    assert (result.status, result.differences) == (BillStatus.SYNC_ISSUE, ["the memo was cut"])
    assert (await harness.tenant.bill_row(bill_id)).edit_pending


async def test_a_bill_edited_twice_ends_as_the_last_edit_says(harness: ActivityHarness, bill_id: BillId) -> None:
    """S2-87: each edition is content of its own; the second one is sent after the first."""
    await edit(harness, bill_id, "one")
    await push_edit(harness, bill_id)
    await edit(harness, bill_id, "two")
    await push_edit(harness, bill_id)
    (invoice,) = harness.erp.invoices.values()
    assert (invoice.bill.memo, len(invoice.editions)) == ("two", 2)


async def test_an_edit_is_told_until_the_erp_holds_it(harness: ActivityHarness, bill_id: BillId) -> None:
    """F10: the message is built from the bill as it is then; delivered late, it tells of nothing that was settled."""
    edition = await edit(harness, bill_id, "checked")
    async with harness.tenant.database.transaction() as s:
        message = await bill_edited(s, bill_id)
    assert message is not None
    assert message.argument == BillEdited(bill_id=bill_id, edition=edition)
    assert message.starts_bill == bill_id, "its start is read only where the workflow does not run"
    async with harness.tenant.database.transaction() as s:
        start = await bill_start(s, bill_id)
    assert start is not None
    assert start.edit_requested_version == edition
    await push_edit(harness, bill_id)
    async with harness.tenant.database.transaction() as s:
        assert await bill_edited(s, bill_id) is None
