"""Edits that cross something else: a newer edit, a payment, a field that is emptied, a bill that ended meanwhile."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain import BillId, BillStatus, DocumentId, PushedBill, SyncRunId
from models.messages import AbandonWrite, BillEdited, OpenIssue, PushBill, WakePurchaseOrders
from models.store import bill_edits
from models.store.bill_edits import EditRefused
from tests.activities.office import Office, failure
from tests.store.made import an_order


@pytest.fixture
async def bill_id(office: Office) -> BillId:
    """A bill the ERP holds, with a department on its line."""
    order = await office.holds(an_order(lines={1: 10}))
    bill_id = await office.billed(order, {1: 4}, department="D1")
    assert (await office.push(bill_id)).status is BillStatus.SYNCED
    return bill_id


async def edit(
    office: Office, bill_id: BillId, lines: Mapping[int, Mapping[str, Any]] | None = None, **header: Any
) -> int:
    """What a route does with an edit; gives the edition."""
    async with office.tenant.database.transaction() as s:
        row = await bill_edits.lock(s, bill_id, office.tenant.organization_id)
        assert row is not None
        await bill_edits.edit(s, row, header, lines or {}, actor="ada")
        return row.edition


async def push_edit(office: Office, bill_id: BillId) -> BillStatus:
    push = PushBill(connection_id=office.tenant.connection_id, bill_id=bill_id, order_workflow_id="po/x")
    return (await office.pushing.push_bill_edit(push)).status


async def give_up(office: Office, bill_id: BillId, edition: int) -> bool:
    word = AbandonWrite(subject_kind="bill_edit", subject_id=bill_id, actor="ada", edition=edition)
    return (await office.mirror.abandon_write(word)).done


def in_erp(office: Office) -> Any:
    (invoice,) = office.erp.invoices.values()
    return invoice.bill


async def test_an_edit_made_during_the_read_back_stays_pending(
    office: Office, bill_id: BillId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one is still due; given up, it leads back to the older one, which the ERP holds."""
    await edit(office, bill_id, memo="first")
    read_bill = office.erp.read_bill

    async def and_meanwhile(*given: Any) -> Any:
        found = await read_bill(*given)
        await edit(office, bill_id, memo="second")
        return found

    monkeypatch.setattr(office.erp, "read_bill", and_meanwhile)
    await push_edit(office, bill_id)
    monkeypatch.undo()
    row = await office.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("second", True)
    assert await give_up(office, bill_id, row.edition)
    assert (await office.tenant.bill_row(bill_id)).memo == "first" == in_erp(office).memo


async def test_a_bill_keeps_its_status_behind_the_issue_of_its_edit_and_is_put_back_whole(
    office: Office, bill_id: BillId
) -> None:
    """B10, S2-87: header and lines say again what the ERP holds."""
    before = await office.tenant.bill_row(bill_id)
    edition = await edit(office, bill_id, {1: {"department": None}}, memo="new", due_date=date(2026, 5, 1))
    office.erp.refuse_writes = [Rejected("already paid", code="ALREADY_PAID")]
    with pytest.raises(ApplicationError):
        await push_edit(office, bill_id)
    issue = OpenIssue(
        connection_id=office.tenant.connection_id,
        subject_kind="bill",
        subject_id=bill_id,
        code="ALREADY_PAID",
        message="already paid",
        keeps_status=True,
    )
    await office.mirror.open_issue(issue)
    assert (await office.tenant.bill_row(bill_id)).status == "synced"
    assert await give_up(office, bill_id, edition)
    row = await office.tenant.bill_row(bill_id)
    assert (row.memo, row.due_date, row.edit_pending) == (before.memo, before.due_date, False)
    (line,) = await office.tenant.fetch("select * from bill_lines where bill_id = :id", id=bill_id)
    assert line.department == "D1"


async def test_a_refused_read_back_is_no_refused_edit(office: Office, bill_id: BillId) -> None:
    """The ERP took it and will not show it: a person is told, and it is not put back as if it had not."""
    await edit(office, bill_id, memo="new")
    office.erp.refuse_read_backs = [Rejected("no permission", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError) as refused:
        await push_edit(office, bill_id)
    assert (failure(refused).code, failure(refused).nothing_was_done) == ("NO_PERMISSION", False)
    assert refused.value.non_retryable
    assert await push_edit(office, bill_id) is BillStatus.SYNCED


async def test_only_what_was_edited_is_sent(office: Office, bill_id: BillId) -> None:
    """S2-87: what people changed in the ERP meanwhile is not written over."""
    await edit(office, bill_id, {1: {"department": None}}, due_date=date(2026, 5, 1))
    await push_edit(office, bill_id)
    assert (in_erp(office).edited, in_erp(office).lines[0].edited) == ({"due_date"}, {"department"})
    await edit(office, bill_id, {1: {"account": "6100"}}, memo="new")
    await push_edit(office, bill_id)
    assert (in_erp(office).edited, in_erp(office).lines[0].edited) == ({"memo"}, set())


async def test_back_to_what_it_was_is_an_edit_too_while_another_is_in_doubt(office: Office, bill_id: BillId) -> None:
    """F1: the ERP may hold what was sent in between."""
    await edit(office, bill_id, memo="new")
    office.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await push_edit(office, bill_id)
    await edit(office, bill_id, memo="")
    assert await push_edit(office, bill_id) is BillStatus.SYNCED
    assert (in_erp(office).memo, in_erp(office).edited) == ("", {"memo"})


async def test_a_payment_scheduled_meanwhile_tells_of_the_edit(office: Office, bill_id: BillId) -> None:
    """The word of the edit may come after the payment: the payment's own answer says that an edit goes first."""
    edition = await edit(office, bill_id, memo="new")
    answer = await office.pay(bill_id, "10.00", key="p1")
    assert (answer.outcome, answer.edition) == ("scheduled", edition)
    with pytest.raises(EditRefused) as refused:
        await edit(office, bill_id, memo="newer")
    assert refused.value.code == "BILL_HAS_PAYMENTS"
    await push_edit(office, bill_id)
    assert (await office.pay(bill_id, "10.00", key="p2")).edition == 0


async def test_an_edit_of_a_bill_that_ended_unheard_is_put_back(
    office: Office, bill_id: BillId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paid in the ERP between the edit and its word: nobody will send it any more."""

    async def nobody(_: BillEdited, *, again: object = None) -> bool:
        return False

    monkeypatch.setattr(office.bell, "bill_edited", nobody)
    wake = WakePurchaseOrders(connection_id=office.tenant.connection_id, run_id=SyncRunId("run"))
    await edit(office, bill_id, memo="new")
    await office.waking.wake_purchase_orders(wake)
    assert (await office.tenant.bill_row(bill_id)).edit_pending, "its workflow may be started again"
    await office.tenant.execute("update bills set status = 'paid', paid = total where id = :id", id=bill_id)
    await office.waking.wake_purchase_orders(wake)
    row = await office.tenant.bill_row(bill_id)
    assert (row.memo, row.edit_pending) == ("", False)


async def test_an_edit_the_erp_does_not_show_yet_is_waited_for(
    office: Office, bill_id: BillId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference 2.5: reads lag writes; the old document is no conflict before the read lag has passed."""
    shown = await office.erp.read_bill(in_erp(office), DocumentId("as it was"))
    await edit(office, bill_id, memo="new")
    with monkeypatch.context() as patch:

        async def as_it_was(*_: Any) -> PushedBill:
            return shown.model_copy(update={"differences": ("the memo differs",)})

        patch.setattr(office.erp, "read_bill", as_it_was)
        for _ in range(2):
            with pytest.raises(ApplicationError) as lagging:
                await push_edit(office, bill_id)
            assert (failure(lagging).code, lagging.value.non_retryable) == ("OUTCOME_UNKNOWN", False)
            assert lagging.value.next_retry_delay is not None
        await office.tenant.execute(
            "update connections set settings = jsonb_build_object('read_lag_seconds', 0) where id = :id",
            id=office.tenant.connection_id,
        )
        assert await push_edit(office, bill_id) is BillStatus.SYNC_ISSUE, "believed after the lag"
    assert await push_edit(office, bill_id) is BillStatus.SYNCED
