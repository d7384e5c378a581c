"""Taking bills back: whatever is lost on the way, a bill leaves the ERP once, and the order has again what it took."""

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import ErpError, Rejected, UnknownRefusal
from models.contract import BILL_PUSHED, order_workflow_id
from models.domain.bills import BillStatus
from models.domain.ids import BillId, ErpId
from models.domain.orders import PurchaseOrder
from models.domain.retractions import BillEvent
from models.domain.sync import DeletedKind, Deletion, Stream
from models.domain.writes import WriteKind
from models.messages.issues import OpenIssue
from models.messages.writes import AbandonWrite
from models.store.payables import bills_in_review
from tests.builders.records import an_order
from tests.fakes.fake_erp import WorkerDied
from tests.harness.activity_harness import ActivityHarness, failure

DELETE, DISPUTE, _, RESTORE = BillEvent


async def in_erp(harness: ActivityHarness) -> tuple[PurchaseOrder, BillId]:
    """An order of ten with a bill of four that the ERP holds."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    await harness.push(bill_id)
    return order, bill_id


async def _order_workflows(harness: ActivityHarness, order: PurchaseOrder) -> set[str]:
    async with harness.tenant.database.transaction() as session:
        return {order_workflow_id(await bills_in_review.order_state(session, harness.tenant.id_of(order)))}


async def kinds(harness: ActivityHarness, bill_id: BillId) -> list[str]:
    return [event.kind for event in await harness.tenant.events_of(bill_id)]


@pytest.mark.parametrize(
    ("event", "status"), [(DELETE, BillStatus.DELETED), (DISPUTE, BillStatus.DISPUTED)], ids=["delete", "dispute"]
)
async def test_what_is_taken_back_frees_its_quantity_once(
    harness: ActivityHarness, event: BillEvent, status: BillStatus
) -> None:
    """S5-07, DESIGN 5: run twice, it is taken back once; the order's workflow is told what it has again."""
    order, bill_id = await in_erp(harness)
    assert await harness.ask(bill_id, event, key="k1") == "done"
    assert await harness.status(bill_id) is BillStatus.RETRACTING
    assert await harness.tenant.billed_net(order) == 4, "until it is gone, it counts"
    harness.notifier.running |= await _order_workflows(harness, order)
    assert (await harness.retract(bill_id)).status is status
    assert (await harness.retract(bill_id)).status is status
    assert harness.erp.calls["take_back"] == 1
    assert await harness.tenant.billed_net(order) == 0
    assert (await kinds(harness, bill_id)).count("retracted") == 1
    (told,) = [signal.argument for signal in harness.notifier.signals if signal.signal == BILL_PUSHED]
    assert (told.bill_id, told.status) == (bill_id, status)


@pytest.mark.parametrize("trouble", ["lose_answers", "lose_requests", "die_after_writing", "shows_deleted"])
async def test_whatever_is_lost_it_is_gone_once(harness: ActivityHarness, trouble: str) -> None:
    """F1, F2, S5-10: killed between the ERP's commit and its answer, the next attempt finds that it is gone."""
    order, bill_id = await in_erp(harness)
    assert await harness.ask(bill_id, DISPUTE, key="k1") == "done"
    setattr(harness.erp, trouble, 1)
    with pytest.raises((ApplicationError, WorkerDied)) as lost:
        await harness.retract(bill_id)
    assert not getattr(lost.value, "non_retryable", False)
    assert await harness.status(bill_id) is BillStatus.RETRACTING
    assert (await harness.retract(bill_id)).status is BillStatus.DISPUTED
    assert list(harness.erp.taken_back) == [(await _first_key(harness, bill_id))]
    assert await harness.tenant.billed_net(order) == 0


async def _first_key(harness: ActivityHarness, bill_id: BillId) -> str:
    (row,) = await harness.tenant.fetch("select external_key from bill_retractions where bill_id = :bill", bill=bill_id)
    return str(row.external_key)


@pytest.mark.parametrize(
    "error",
    [
        Rejected("it is reconciled", code="DELETION_REFUSED"),
        UnknownRefusal("words nobody knows", code="UNKNOWN_ERP_ERROR"),
    ],
    ids=["refused", "unknown words"],
)
async def test_a_refusal_waits_for_a_person_and_the_bill_stays(harness: ActivityHarness, error: ErpError) -> None:
    """S5-07: it is in the ERP as before, and abandoned, the retraction leaves it what it was."""
    order, bill_id = await in_erp(harness)
    assert await harness.ask(bill_id, DELETE, key="k1") == "done"
    harness.erp.refuse_writes = [error]
    with pytest.raises(ApplicationError) as refused:
        await harness.retract(bill_id)
    assert refused.value.non_retryable
    opened = await harness.mirror.open_issue(
        OpenIssue(
            connection_id=harness.tenant.connection_id,
            subject_kind="bill",
            subject_id=bill_id,
            code=failure(refused).code,
            message="no",
            workflow_id=f"bill/{bill_id}",
            keeps_status=True,
        )
    )
    assert opened is not None
    assert await harness.status(bill_id) is BillStatus.RETRACTING
    abandon = AbandonWrite(subject_kind=WriteKind.BILL_RETRACTION, subject_id=bill_id, actor="ada")
    assert (await harness.mirror.abandon_write(abandon)).done
    assert not (await harness.mirror.abandon_write(abandon)).done, "twice is once"
    assert await harness.status(bill_id) is BillStatus.SYNCED
    assert (await harness.retract(bill_id)).status is BillStatus.SYNCED, "a late attempt takes nothing back"
    assert len(harness.erp.invoices) == 1
    assert await harness.tenant.billed_net(order) == 4


async def test_a_person_deletes_it_there_while_it_is_taken_back(harness: ActivityHarness) -> None:
    """S5-07: the deletion comes in first; the bill becomes what it was taken back for."""
    order, bill_id = await in_erp(harness)
    assert await harness.ask(bill_id, DISPUTE, key="k1") == "done"
    (invoice,) = harness.erp.invoices.values()
    harness.erp.invoices.clear()
    deleted = Deletion(
        kind=DeletedKind.PURCHASE_ORDER_DOCUMENT, erp_id=ErpId(invoice.erp_id), deleted_at="2999-01-01 00:00:01"
    )
    harness.erp.gone.append(deleted)
    await harness.read(Stream.DELETIONS)
    assert await harness.status(bill_id) is BillStatus.RETRACTING
    assert (await harness.retract(bill_id)).status is BillStatus.DISPUTED
    await harness.read(Stream.DELETIONS)
    assert await harness.status(bill_id) is BillStatus.DISPUTED
    assert await harness.tenant.billed_net(order) == 0


async def test_restored_it_is_another_bill_and_the_first_comes_in_as_none(harness: ActivityHarness) -> None:
    """S5-08, S5-11: another key; what the ERP still shows of the first generation is neither ours nor a duplicate."""
    order, bill_id = await in_erp(harness)
    first = (await harness.tenant.bill_row(bill_id)).external_key
    assert await harness.ask(bill_id, DISPUTE, key="k1") == "done"
    await harness.retract(bill_id)
    harness.erp.shows_our_bills = True
    harness.erp.invoices = dict(harness.erp.taken_back)  # reads lag: the ERP shows it once more
    await harness.read(Stream.BILLS)
    assert len(await harness.tenant.fetch("select id from bills where connection_id = :c")) == 1
    harness.erp.invoices = {}
    assert await harness.ask(bill_id, RESTORE, key="k2") == "done"
    assert await harness.tenant.billed_net(order) == 4
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    row = await harness.tenant.bill_row(bill_id)
    assert (row.external_key, row.generation) == (f"{first}-2", 2)
    assert list(harness.erp.invoices) == [f"{first}-2"]
    assert harness.erp.invoices[f"{first}-2"].bill.earlier == (f"Vendor Invoice-{first}",)
    assert await harness.tenant.billed_net(order) == 4
    (write,) = await harness.tenant.fetch("select external_key, state from erp_writes where subject_id = :b", b=bill_id)
    assert (write.external_key, write.state) == (f"{first}-2", "confirmed")


async def test_a_restored_bill_waits_when_its_quantity_was_billed_meanwhile(harness: ActivityHarness) -> None:
    """S5-08: it is matched with what holds now; and an invoice that was entered anew is not restored beside it."""
    order, bill_id = await in_erp(harness)
    (number,) = await harness.tenant.fetch("select number from bills where id = :b", b=bill_id)
    await harness.ask(bill_id, DELETE, key="k1")
    await harness.retract(bill_id)
    await harness.billed(order, {1: 10}, key="other")
    assert await harness.ask(bill_id, RESTORE, key="k2") == "done"
    assert await harness.status(bill_id) is BillStatus.ON_HOLD
    await harness.ask(bill_id, DELETE, key="k3")
    assert await harness.status(bill_id) is BillStatus.ABANDONED
    again = await harness.holds(an_order(1008, lines={1: 10}))
    await harness.billed(again, {1: 1}, key="anew", number=number.number)
    assert await harness.ask(bill_id, RESTORE, key="k4") == "NUMBER_IN_USE"


async def test_a_bill_that_was_not_sent_is_disputed_here(harness: ActivityHarness) -> None:
    """S5-07: nothing of it is reserved or sent; restored, it keeps its key. One on its way is not disputed."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    assert await harness.ask(bill_id, DISPUTE, key="k1") == "done"
    assert await harness.tenant.billed_net(order) == 0
    pushed = await harness.push(bill_id)
    assert pushed.status is BillStatus.DISPUTED, "its workflow was about to send it"
    await harness.rematch(order)
    assert await harness.status(bill_id) is BillStatus.DISPUTED, "a change of the order does not send it"
    assert await harness.ask(bill_id, RESTORE, key="k2") == "done"
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    assert await harness.ask(bill_id, DISPUTE, key="k3") == "BILL_ON_ITS_WAY"
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (await harness.tenant.bill_row(bill_id)).generation == 1
