"""One supplier invoice is one bill, whoever enters it where: what the ERP got meanwhile is looked for before ours is
sent (fault B1)."""

from datetime import date
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bills import BillStatus, BillToPush, DirectBillToPush, ErpBill
from models.domain.ids import DocumentId, ErpId
from models.domain.sync import Stream
from tests.builders.records import an_erp_bill, an_order
from tests.fakes.fake_erp import Invoice
from tests.harness.activity_harness import ActivityHarness


def x1(**values: object) -> ErpBill:
    """X1 as somebody entered it in the ERP."""
    wanted = {"number": "X1", "vendor_id": "V1", "bill_date": date(2026, 3, 1), "total": "20", **values}
    return an_erp_bill(901, **wanted)


async def test_a_bill_entered_in_the_erp_since_the_last_sync_keeps_ours_back(harness: ActivityHarness) -> None:
    """B1: order 10 at 5; 4 as X1 made in the ERP; before the next sync 4 as X1 entered here. Today: two payable X1."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    harness.erp.bills_held.append(x1())
    result = await harness.push(bill_id)
    assert result.status is BillStatus.ON_HOLD
    assert harness.erp.calls["create_bill"] == 0
    assert harness.erp.calls["bills_numbered"] == 1
    waits = await harness.waits_for(bill_id)
    assert waits.needs == ["DUPLICATE_EXACT"]
    assert (await harness.write(bill_id)).state == "held"


async def test_released_it_is_sent(harness: ActivityHarness) -> None:
    """B1: an accountant who knows that they are two invoices releases it, and is not asked again."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    harness.erp.bills_held.append(x1())
    await harness.push(bill_id)
    await harness.release(bill_id, key="release")
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED


async def test_the_look_up_is_one_call_and_only_where_the_mirror_may_be_behind(harness: ActivityHarness) -> None:
    """B1: at most one more look-up for a bill before its push; none where the bills were read after it was saved."""
    order = await harness.holds(an_order(lines={1: 10}))
    first = await harness.billed(order, {1: 2}, number="A-1")
    second = await harness.billed(order, {1: 2}, number="A-2")
    assert (await harness.push(first)).status is BillStatus.SYNCED
    assert harness.erp.calls["bills_numbered"] == 1
    await harness.plan("looked up once")
    await harness.read(Stream.BILLS)
    assert (await harness.push(second)).status is BillStatus.SYNCED
    assert harness.erp.calls["bills_numbered"] == 1


async def test_what_the_sync_brought_since_counts_without_a_look_up(harness: ActivityHarness) -> None:
    """B1: the sync read X1 after ours was saved; ours was not matched again yet, and is not sent either."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    harness.erp.bills_held.append(x1())
    await harness.plan("brought by the sync")
    await harness.read(Stream.BILLS)
    assert (await harness.push(bill_id)).status is BillStatus.ON_HOLD
    assert harness.erp.calls["bills_numbered"] == 0


async def test_parts_of_one_invoice_are_sent_under_its_number(harness: ActivityHarness) -> None:
    """B1: the ERP shows the first part under the number; the second part is accepted, and so is the first one again."""
    order = await harness.holds(an_order(lines={1: 10}))
    first = await harness.billed(order, {1: 4}, number="X1")
    await harness.push(first)
    invoice = harness.erp.invoices[(await harness.write(first)).external_key]
    shown = x1(external_key=invoice.bill.external_key, source_document=invoice.document_id, total="50")
    harness.erp.bills_held.append(shown)
    second = await harness.billed(order, {1: 4}, number="X1", key="part-2", part_of=first)
    assert (await harness.push(second)).status is BillStatus.SYNCED
    assert harness.erp.calls["bills_numbered"] == 2
    assert len(harness.erp.invoices) == 2


async def test_the_same_number_more_than_a_year_ago_holds_it(harness: ActivityHarness) -> None:
    """B1, matching.md 3.5: a number that came again after more than twelve months is held, not refused."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    harness.erp.bills_held.append(x1(bill_date=date(2025, 1, 1)))
    assert (await harness.push(bill_id)).status is BillStatus.ON_HOLD
    assert (await harness.waits_for(bill_id)).needs == ["DUPLICATE_NUMBER"]


async def test_once_the_other_one_is_gone_from_the_erp_ours_goes_on(harness: ActivityHarness) -> None:
    """B1: the cause is gone with the next sync: the bill is matched again and goes on."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    held = x1()
    harness.erp.bills_held.append(held)
    await harness.push(bill_id)
    await harness.deleted_in_erp(held)
    assert (await harness.connection()).rematch_requested_at is not None
    await harness.rematch(order)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (await harness.tenant.billed_net(order)) == Decimal(4)


async def test_two_that_both_got_there_are_an_issue_of_ours_with_the_next_sync(harness: ActivityHarness) -> None:
    """B1: made in the ERP between our look-up and its answer: nobody could know. At the latest the sync says so, and
    closes the issue when one of them is gone."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    await harness.push(bill_id)
    held = x1()
    harness.erp.bills_held.append(held)
    await harness.read(Stream.BILLS)
    (issue,) = await harness.open_issues(bill_id)
    assert issue.code == "DUPLICATE_IN_ERP"
    await harness.read(Stream.BILLS)
    assert len(await harness.open_issues(bill_id)) == 1
    await harness.deleted_in_erp(held)
    assert await harness.open_issues(bill_id) == []


def adopting(harness: ActivityHarness, converted: ErpBill) -> None:
    """An ERP that takes a bill made of a receipt as the one that was to be sent."""
    erp = harness.erp
    erp.capabilities = erp.capabilities.model_copy(update={"adopts_converted_bills": True})

    async def create(bill: BillToPush | DirectBillToPush) -> DocumentId:
        erp._call("create_bill")
        document = DocumentId(converted.erp_id)
        erp.invoices[bill.external_key] = Invoice(
            bill=bill, erp_id=ErpId(converted.erp_id[1:]), document_id=document, revision=erp.tick(), linked=True
        )
        return document

    erp.create_bill = create


@pytest.mark.parametrize("synced", [False, True])
@pytest.mark.parametrize("total", ["20", "25"])
async def test_a_bill_made_of_the_receipt_is_ours_and_no_duplicate(
    harness: ActivityHarness, synced: bool, total: str
) -> None:
    """Issue 12: held for the receipt, a person turned that into the bill; whether a sync has read it meanwhile or not,
    and whatever its total, it is ours: the mirror has one bill."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, number="X1")
    converted = an_erp_bill(
        7901, number="X1", vendor_id="V1", total=total, order_document=order.document_id,
        source_document=DocumentId("7901"),
    )  # fmt: skip
    harness.erp.refuse_writes.append(Rejected("it stands on a receipt", code="RECEIVED_BY_ITEM_RECEIPT"))
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.tenant.execute("update bills set status = 'sync_issue' where id = :id", id=bill_id)
    adopting(harness, converted)
    harness.erp.bills_held.append(converted)
    if synced:
        await harness.plan(f"made of the receipt, {total}")
        await harness.read(Stream.BILLS)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    live = "select id, payable_id from bills where connection_id = :c and status not in ('deleted', 'abandoned')"
    assert [(one.id, one.payable_id) for one in await harness.tenant.fetch(live)] == [(bill_id, "7901")]
    # The next sync reads it as ours.
    await harness.plan(f"after it was made of the receipt, {total} {synced}")
    harness.erp.bills_held[:] = [converted.model_copy(update={"revision": harness.erp.tick(), "paid": Decimal(5)})]
    await harness.read(Stream.BILLS)
    assert [(one.id, one.payable_id) for one in await harness.tenant.fetch(live)] == [(bill_id, "7901")]
