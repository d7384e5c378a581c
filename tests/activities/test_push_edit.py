"""An edit of a bill the ERP holds: sent as often as it takes, applied once, and settled only when it was read back."""

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected, Unavailable
from models.domain import BillId, BillStatus
from models.messages import AbandonWrite, BillPushResult, PushBill, WakePurchaseOrders
from models.store import bill_edits
from models.store.sync_runs import sync_run_id
from tests.activities.in_memory_erp import WorkerDied
from tests.activities.office import Office, failure
from tests.store.made import an_order


@pytest.fixture
async def bill_id(office: Office) -> BillId:
    """A bill that the ERP holds."""
    order = await office.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await office.billed(order, {1: 10}, key="the-bill")
    await office.push(bill_id)
    office.erp.calls.clear()
    return bill_id


async def edit(office: Office, bill_id: BillId, memo: str) -> int:
    """What the route does; gives the edition."""
    async with office.tenant.database.transaction() as s:
        row = await bill_edits.lock(s, bill_id, office.tenant.organization_id)
        assert row is not None
        await bill_edits.edit(s, row, {"memo": memo}, {}, actor="ada")
        return int(row.edition)


async def push_edit(office: Office, bill_id: BillId) -> BillPushResult:
    return await office.pushing.push_bill_edit(
        PushBill(connection_id=office.tenant.connection_id, bill_id=bill_id, order_workflow_id="po/x")
    )


async def give_up(office: Office, bill_id: BillId, edition: int, *, maybe_there: bool) -> bool:
    abandon = AbandonWrite(
        subject_kind="bill_edit",
        subject_id=bill_id,
        actor="ada",
        why="it was right before",
        edition=edition,
        maybe_there=maybe_there,
    )
    return (await office.mirror.abandon_write(abandon)).done


def memo_in_erp(office: Office) -> str:
    (invoice,) = office.erp.invoices.values()
    return invoice.bill.memo


async def kinds(office: Office, bill_id: BillId) -> list[str]:
    return [event.kind for event in await office.tenant.events_of(bill_id)]


async def test_an_edit_is_sent_and_settled_by_its_read_back(office: Office, bill_id: BillId) -> None:
    """S5-136, S1-17: the ERP holds what was edited, its new payable is known, and nothing is pending any more."""
    await edit(office, bill_id, "checked")
    assert (await office.tenant.bill_row(bill_id)).edit_pending
    result = await push_edit(office, bill_id)
    assert result.status is BillStatus.SYNCED
    row = await office.tenant.bill_row(bill_id)
    assert (row.edit_pending, row.edit_undo, row.payable_id, row.status) == (False, None, "79000e", "synced")
    assert memo_in_erp(office) == "checked"


async def test_run_twice_an_edit_is_sent_once(office: Office, bill_id: BillId) -> None:
    """DESIGN 5: a second run finds nothing pending and asks the ERP nothing."""
    await edit(office, bill_id, "checked")
    first = await push_edit(office, bill_id)
    calls = sum(office.erp.calls.values())
    assert await push_edit(office, bill_id) == first
    assert sum(office.erp.calls.values()) == calls
    assert (await kinds(office, bill_id)).count("edit_pushed") == 1


@pytest.mark.parametrize("fault", ["lose_answers", "die_after_writing", "die_after_reading_back"])
async def test_an_edit_taken_before_its_answer_was_lost_is_not_taken_again(
    office: Office, bill_id: BillId, fault: str
) -> None:
    """F1, F10: the edition names the content; the ERP refuses it a second time, and that is as good as an answer."""
    edition = await edit(office, bill_id, "checked")
    setattr(office.erp, fault, 1)
    with pytest.raises((ApplicationError, WorkerDied)):
        await push_edit(office, bill_id)
    assert (await office.tenant.bill_row(bill_id)).edit_pending
    assert (await push_edit(office, bill_id)).status is BillStatus.SYNCED
    (invoice,) = office.erp.invoices.values()
    assert invoice.editions == [edition]
    assert not (await office.tenant.bill_row(bill_id)).edit_pending


async def test_an_outage_keeps_the_edit_pending(office: Office, bill_id: BillId) -> None:
    """F14: what did not arrive is sent when the ERP is back."""
    await edit(office, bill_id, "checked")
    office.erp.refuse_writes = [Unavailable("maintenance", code="ERP_UNAVAILABLE")]
    with pytest.raises(ApplicationError) as away:
        await push_edit(office, bill_id)
    assert not away.value.non_retryable
    await push_edit(office, bill_id)
    assert memo_in_erp(office) == "checked"


async def test_a_refused_edit_can_be_given_up_and_the_bill_says_again_what_the_erp_holds(
    office: Office, bill_id: BillId
) -> None:
    """S2-87: the ERP refused; given up, our memo is the ERP's again. An older edition is not there to give up."""
    edition = await edit(office, bill_id, "checked")
    office.erp.refuse_writes = [Rejected("the period is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError) as refused:
        await push_edit(office, bill_id)
    assert failure(refused).nothing_was_done
    assert not await give_up(office, bill_id, edition - 1, maybe_there=False)
    assert await give_up(office, bill_id, edition, maybe_there=False)
    assert not await give_up(office, bill_id, edition, maybe_there=False)
    row = await office.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("", False)
    assert (await kinds(office, bill_id)).count("edit_given_up") == 1
    office.erp.calls.clear()
    await push_edit(office, bill_id)
    assert office.erp.calls["update_bill"] == 0


async def test_an_edit_that_may_be_there_keeps_its_words(office: Office, bill_id: BillId) -> None:
    """DESIGN 5: in doubt, giving up stops the sending and changes nothing else."""
    edition = await edit(office, bill_id, "checked")
    office.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await push_edit(office, bill_id)
    assert await give_up(office, bill_id, edition, maybe_there=True)
    row = await office.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("checked", False)


async def test_what_the_erp_made_of_an_edit_is_compared(office: Office, bill_id: BillId) -> None:
    """DESIGN 5, step 4: an edit the ERP took otherwise is not settled."""
    await edit(office, bill_id, "checked")
    office.erp.changed_content = ("the memo was cut",)
    result = await push_edit(office, bill_id)
    assert (result.status, result.differences) == (BillStatus.SYNC_ISSUE, ["the memo was cut"])
    assert (await office.tenant.bill_row(bill_id)).edit_pending


async def test_a_bill_edited_twice_ends_as_the_last_edit_says(office: Office, bill_id: BillId) -> None:
    """S2-87: each edition is content of its own; the second one is sent after the first."""
    await edit(office, bill_id, "one")
    await push_edit(office, bill_id)
    await edit(office, bill_id, "two")
    await push_edit(office, bill_id)
    (invoice,) = office.erp.invoices.values()
    assert (invoice.bill.memo, len(invoice.editions)) == ("two", 2)


async def test_a_sync_run_rings_for_edits_nobody_heard_of(office: Office, bill_id: BillId) -> None:
    """F10: whoever saved the edit died before telling the bill's workflow; the next run tells it."""
    edition = await edit(office, bill_id, "checked")
    assert await _wake(office) == [(bill_id, edition)]
    await push_edit(office, bill_id)
    office.bell.edits.clear()
    assert await _wake(office) == []


async def _wake(office: Office) -> list[Any]:
    wake = WakePurchaseOrders(connection_id=office.tenant.connection_id, run_id=sync_run_id("x"))
    await office.waking.wake_purchase_orders(wake)
    return [(edited.bill_id, edited.edition) for edited in office.bell.edits]
