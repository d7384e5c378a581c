"""What every connector does with a bill that was edited after the sync: changed in place, once, verified (S5-136)."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import Duplicate, OutcomeUnknown, Rejected
from models.domain.bills import BillToPush
from tests.conformance.erp_harness import (
    ErpHarness,
    a_bill_for,
    a_payment_of,
    push,
    the_order,
)


def edited(bill: BillToPush, **changed: object) -> BillToPush:
    """The same bill with another memo, due date and description."""
    lines = tuple(
        line.model_copy(update={"description": f"{line.description}, corrected", "edited": frozenset({"description"})})
        for line in bill.lines
    )
    values = {
        "memo": "corrected",
        "due_date": bill.due_date + timedelta(days=5),
        "lines": lines,
        "edited": frozenset({"memo", "due_date"}),
    }
    return bill.model_copy(update={**values, **changed})


async def test_an_edit_reaches_the_erp_in_place(harness: ErpHarness, connector: ErpConnector) -> None:
    """S1-17, S5-136: the document, its link and its quantities stay; the payable behind it is a new one (U-8)."""
    bill = a_bill_for(await the_order(connector), "edit-1", lines=2)
    before = await push(connector, bill)
    change = edited(bill)
    unverified = await connector.bills.read_back(change, before.document_id)
    assert len(unverified.differences) == 4, "memo, due date and two descriptions"
    await connector.bills.update(change, before.document_id, edition=2)
    after = await connector.bills.read_back(change, before.document_id)
    assert (after.linked, after.differences, after.total) == (harness.edits_keep_links, (), bill.total)
    assert (after.erp_id, after.document_id) == (before.erp_id, before.document_id)
    assert after.payable_id is not None
    assert (after.payable_id != before.payable_id) == ("payable_replaced" in harness.traits)
    assert len(harness.bills_with("edit-1")) == 1
    assert before.snapshot is not None
    assert after.snapshot is not None
    if harness.edits_keep_links:
        assert [line.billed for line in after.snapshot.purchase_order.lines] == [
            line.billed for line in before.snapshot.purchase_order.lines
        ]


async def test_run_twice_an_edition_is_taken_once(harness: ErpHarness, connector: ErpConnector) -> None:
    """DESIGN 5: the second run is told so, and nothing was made anew."""
    bill = a_bill_for(await the_order(connector), "edit-2")
    before = await push(connector, bill)
    change = edited(bill)
    await connector.bills.update(change, before.document_id, edition=2)
    once = await connector.bills.read_back(change, before.document_id)
    with suppress(Duplicate):
        await connector.bills.update(change, before.document_id, edition=2)
    again = await connector.bills.read_back(change, before.document_id)
    assert (again.payable_id, again.revision, again.differences) == (once.payable_id, once.revision, ())
    back = edited(bill, memo=bill.memo)
    await connector.bills.update(back, before.document_id, edition=3)
    assert (await connector.bills.read_back(back, before.document_id)).differences == ()


@pytest.mark.parametrize("kind", ["lost_answer", "gateway_timeout", "truncated", "malformed"])
@pytest.mark.trait("answers_at_once")
async def test_a_lost_answer_is_repeated_without_harm(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    """F1: committed there, unknown here; the repeat learns that it was taken."""
    bill = a_bill_for(await the_order(connector), "edit-3")
    before = await push(connector, bill)
    harness.fault(kind, "update_bill")
    with pytest.raises(OutcomeUnknown):
        await connector.bills.update(edited(bill), before.document_id, edition=2)
    with suppress(Duplicate):
        await connector.bills.update(edited(bill), before.document_id, edition=2)
    assert (await connector.bills.read_back(edited(bill), before.document_id)).differences == ()


@pytest.mark.parametrize("kind", ["lost_request", "unavailable"])
@pytest.mark.trait("answers_at_once")
async def test_a_lost_request_is_sent_again(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    """F2: it never arrived; the same edition is taken the second time."""
    bill = a_bill_for(await the_order(connector), "edit-4")
    before = await push(connector, bill)
    harness.fault(kind, "update_bill")
    with pytest.raises(OutcomeUnknown):
        await connector.bills.update(edited(bill), before.document_id, edition=2)
    await connector.bills.update(edited(bill), before.document_id, edition=2)
    assert (await connector.bills.read_back(edited(bill), before.document_id)).differences == ()


@pytest.mark.trait("lines_emptied")
async def test_what_is_emptied_is_empty_and_what_was_not_edited_stays(
    harness: ErpHarness, connector: ErpConnector
) -> None:
    """S2-87: a department that was taken off goes; what the edit did not touch is not written over."""
    bill = a_bill_for(await the_order(connector), "edit-5")
    (line,) = bill.lines
    assert line.department
    before = await push(connector, bill)
    stale = {"memo": "stale", "due_date": bill.due_date + timedelta(days=5), "edited": frozenset({"due_date"})}
    silent = bill.model_copy(update={**stale, "lines": (line.model_copy(update={"department": None}),)})
    await connector.bills.update(silent, before.document_id, edition=2)
    assert (await connector.bills.read_back(silent, before.document_id)).differences == ()
    (difference,) = (await connector.bills.read_back(bill, before.document_id)).differences
    assert "due date" in difference, "all else is as it was"
    emptied_line = line.model_copy(update={"department": None, "edited": frozenset({"department"})})
    emptied = bill.model_copy(update={"memo": "", "edited": frozenset({"memo"}), "lines": (emptied_line,)})
    assert len((await connector.bills.read_back(emptied, before.document_id)).differences) == 2
    await connector.bills.update(emptied, before.document_id, edition=3)
    assert (await connector.bills.read_back(emptied, before.document_id)).differences == ()
    assert len((await connector.bills.read_back(bill, before.document_id)).differences) == 3


@pytest.mark.trait("paid_is_frozen")
async def test_a_paid_bill_is_not_edited(harness: ErpHarness, connector: ErpConnector) -> None:
    """Field note B10: the ERP would have to delete what is paid; it refuses and says why."""
    bill = a_bill_for(await the_order(connector), "edit-6")
    pushed = await push(connector, bill)
    await connector.payments.create(a_payment_of(bill, pushed, "edit-6-p", Decimal("0.01")))
    with pytest.raises(Rejected) as caught:
        await connector.bills.update(edited(bill), pushed.document_id, edition=2)
    assert caught.value.code == "ALREADY_PAID"
    assert (await connector.bills.read_back(bill, pushed.document_id)).differences == ()


async def test_a_refused_edit_can_be_corrected_under_the_same_edition(
    harness: ErpHarness, connector: ErpConnector
) -> None:
    """DESIGN 6: what was refused took nothing; after the period is opened the same edit goes through."""
    bill = a_bill_for(await the_order(connector), "edit-7")
    pushed = await push(connector, bill)
    harness.person("close_period", through=bill.posting_date.isoformat())
    with pytest.raises(Rejected) as caught:
        await connector.bills.update(edited(bill), pushed.document_id, edition=2)
    assert caught.value.code == "PERIOD_CLOSED"
    assert (await connector.bills.read_back(bill, pushed.document_id)).differences == ()
    harness.person("open_period")
    await connector.bills.update(edited(bill), pushed.document_id, edition=2)
    assert (await connector.bills.read_back(edited(bill), pushed.document_id)).differences == ()
