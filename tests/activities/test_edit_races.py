"""Edits that cross something else: a newer edit, a payment, a field that is emptied, a bill that ended meanwhile."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bills import BillStatus, PushedBill
from models.domain.ids import BillId, DocumentId, PaymentId, SyncRunId
from models.messages.bills import PushBill
from models.messages.issues import OpenIssue
from models.messages.payments import PaymentScheduled
from models.messages.sync import NotifyChangedOrders
from models.messages.writes import AbandonWrite
from models.store.payables import bill_edits
from models.store.payables.bill_edits import EditRefused
from services.outbox import kinds
from tests.builders.records import (
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
    failure,
)


@pytest.fixture
async def bill_id(harness: ActivityHarness) -> BillId:
    """A bill the ERP holds, with a department on its line."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, department="D1")
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    return bill_id


async def edit(
    harness: ActivityHarness, bill_id: BillId, lines: Mapping[int, Mapping[str, Any]] | None = None, **header: Any
) -> int:
    """What a route does with an edit; gives the edition."""
    async with harness.tenant.database.transaction() as s:
        row = await bill_edits.lock(s, bill_id, harness.tenant.organization_id)
        assert row is not None
        await bill_edits.edit(s, row, header, lines or {}, actor="ada")
        return row.edition


async def push_edit(harness: ActivityHarness, bill_id: BillId) -> BillStatus:
    push = PushBill(connection_id=harness.tenant.connection_id, bill_id=bill_id)
    return (await harness.editing.push_bill_edit(push)).status


async def abandon(harness: ActivityHarness, bill_id: BillId, edition: int) -> bool:
    word = AbandonWrite(subject_kind="bill_edit", subject_id=bill_id, actor="ada", edition=edition)
    return (await harness.mirror.abandon_write(word)).done


def in_erp(harness: ActivityHarness) -> Any:
    (invoice,) = harness.erp.invoices.values()
    return invoice.bill


async def test_an_edit_made_during_the_read_back_stays_pending(
    harness: ActivityHarness, bill_id: BillId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one is still due; abandoned, it leads back to the older one, which the ERP holds."""
    await edit(harness, bill_id, memo="first")
    read_bill = harness.erp.read_bill

    async def and_meanwhile(*arguments: Any) -> Any:
        found = await read_bill(*arguments)
        await edit(harness, bill_id, memo="second")
        return found

    monkeypatch.setattr(harness.erp, "read_bill", and_meanwhile)
    await push_edit(harness, bill_id)
    monkeypatch.undo()
    row = await harness.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("second", True)
    assert await abandon(harness, bill_id, row.edition)
    assert (await harness.tenant.bill_row(bill_id)).memo == "first" == in_erp(harness).memo


async def test_a_bill_keeps_its_status_behind_the_issue_of_its_edit_and_is_put_back_whole(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """B10, S2-87: header and lines say again what the ERP holds."""
    before = await harness.tenant.bill_row(bill_id)
    edition = await edit(harness, bill_id, {1: {"department": None}}, memo="new", due_date=date(2026, 5, 1))
    harness.erp.refuse_writes = [Rejected("already paid", code="ALREADY_PAID")]
    with pytest.raises(ApplicationError):
        await push_edit(harness, bill_id)
    issue = OpenIssue(
        connection_id=harness.tenant.connection_id,
        subject_kind="bill",
        subject_id=bill_id,
        code="ALREADY_PAID",
        message="already paid",
        keeps_status=True,
    )
    await harness.mirror.open_issue(issue)
    assert (await harness.tenant.bill_row(bill_id)).status == "synced"
    assert await abandon(harness, bill_id, edition)
    row = await harness.tenant.bill_row(bill_id)
    assert (row.memo, row.due_date, row.edit_pending) == (before.memo, before.due_date, False)
    (line,) = await harness.tenant.fetch("select * from bill_lines where bill_id = :id", id=bill_id)
    assert line.department == "D1"


async def test_a_refused_read_back_is_no_refused_edit(harness: ActivityHarness, bill_id: BillId) -> None:
    """The ERP took it and will not show it: a person is told, and it is not put back as if it had not."""
    await edit(harness, bill_id, memo="new")
    harness.erp.refuse_read_backs = [Rejected("no permission", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError) as refused:
        await push_edit(harness, bill_id)
    assert (failure(refused).code, failure(refused).nothing_was_done) == ("NO_PERMISSION", False)
    assert refused.value.non_retryable
    assert await push_edit(harness, bill_id) is BillStatus.SYNCED


async def test_only_what_was_edited_is_sent(harness: ActivityHarness, bill_id: BillId) -> None:
    """S2-87: what people changed in the ERP meanwhile is not written over."""
    await edit(harness, bill_id, {1: {"department": None}}, due_date=date(2026, 5, 1))
    await push_edit(harness, bill_id)
    assert (in_erp(harness).edited, in_erp(harness).lines[0].edited) == ({"due_date"}, {"department"})
    await edit(harness, bill_id, {1: {"account": "6100"}}, memo="new")
    await push_edit(harness, bill_id)
    assert (in_erp(harness).edited, in_erp(harness).lines[0].edited) == ({"memo"}, set())


async def test_back_to_what_it_was_is_an_edit_too_while_another_is_in_doubt(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """F1: the ERP may hold what was sent in between."""
    await edit(harness, bill_id, memo="new")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await push_edit(harness, bill_id)
    await edit(harness, bill_id, memo="")
    assert await push_edit(harness, bill_id) is BillStatus.SYNCED
    assert (in_erp(harness).memo, in_erp(harness).edited) == ("", {"memo"})


async def test_a_payment_scheduled_meanwhile_tells_of_the_edit(harness: ActivityHarness, bill_id: BillId) -> None:
    """The word of the edit may come after the payment: the payment's own answer says that an edit goes first."""
    edition = await edit(harness, bill_id, memo="new")
    payment_id = await harness.paid(bill_id, "10.00", key="p1")
    assert await edition_told_with(harness, payment_id) == edition
    with pytest.raises(EditRefused) as refused:
        await edit(harness, bill_id, memo="newer")
    assert refused.value.code == "BILL_HAS_PAYMENTS"
    await push_edit(harness, bill_id)
    assert await edition_told_with(harness, await harness.paid(bill_id, "10.00", key="p2")) == 0


async def edition_told_with(harness: ActivityHarness, payment_id: PaymentId) -> int:
    """The edition that the message of a payment names."""
    async with harness.tenant.database.transaction() as session:
        message = await kinds.payment_scheduled(session, payment_id)
    assert message is not None
    assert isinstance(message.argument, PaymentScheduled)
    return message.argument.edition


async def test_an_edit_of_a_bill_that_ended_unheard_is_put_back(harness: ActivityHarness, bill_id: BillId) -> None:
    """Paid in the ERP between the edit and its message: nobody will send it any more."""
    wake = NotifyChangedOrders(connection_id=harness.tenant.connection_id, run_id=SyncRunId("run"))
    await edit(harness, bill_id, memo="new")
    await harness.waking.notify_changed_orders(wake)
    assert (await harness.tenant.bill_row(bill_id)).edit_pending, "its workflow may be started again"
    await harness.tenant.execute("update bills set status = 'paid', paid = total where id = :id", id=bill_id)
    await harness.waking.notify_changed_orders(wake)
    row = await harness.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("", False)


async def test_an_edit_the_erp_does_not_show_yet_is_waited_for(
    harness: ActivityHarness, bill_id: BillId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference 2.5: reads lag writes; the old document is no conflict before the read lag has passed."""
    shown = await harness.erp.read_bill(in_erp(harness), DocumentId("as it was"))
    await edit(harness, bill_id, memo="new")
    with monkeypatch.context() as patch:

        async def as_it_was(*_: Any) -> PushedBill:
            return shown.model_copy(update={"differences": ("the memo differs",)})

        patch.setattr(harness.erp, "read_bill", as_it_was)
        for _ in range(2):
            with pytest.raises(ApplicationError) as lagging:
                await push_edit(harness, bill_id)
            assert (failure(lagging).code, lagging.value.non_retryable) == ("OUTCOME_UNKNOWN", False)
            assert lagging.value.next_retry_delay is not None
        await harness.tenant.execute(
            "update connections set settings = jsonb_build_object('read_lag_seconds', 0) where id = :id",
            id=harness.tenant.connection_id,
        )
        assert await push_edit(harness, bill_id) is BillStatus.SYNC_ISSUE, "believed after the lag"
    assert await push_edit(harness, bill_id) is BillStatus.SYNCED
