"""Two readers of one row, a sync's page and a write's read-back, finish in both orders: none goes back in time.

The page is read before the write and stored after it, or the other way round; the next sync heals what is left.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bills import ErpBill
from models.domain.ids import BillId
from models.domain.orders import PurchaseOrder
from models.domain.sync import Stream
from tests.builders.records import a_credit, a_receipt, an_erp_bill, an_erp_payment, an_order, an_order_credit
from tests.harness.activity_harness import ActivityHarness

BEFORE, LATER = "2026-03-02 09:00:00", "2026-03-02 11:00:00"
"""Revisions around those of `FakeErp`."""


@pytest.fixture
async def order(harness: ActivityHarness) -> PurchaseOrder:
    return await harness.holds(an_order(lines={1: 10}, price="10.00"))


def shown(harness: ActivityHarness, *, revision: str, paid: str) -> ErpBill:
    """Our only bill as a page of bills shows it."""
    (invoice,) = harness.erp.invoices.values()
    total = invoice.bill.total
    return an_erp_bill(
        int(f"7{invoice.erp_id}"),
        revision=revision,
        total=str(total),
        paid=paid,
        due=str(total - Decimal(paid)),
        source_document=invoice.document_id,
        external_key=invoice.bill.external_key,
    )


async def paid_of(harness: ActivityHarness, bill_id: BillId) -> tuple[str, Decimal]:
    row = await harness.tenant.bill_row(bill_id)
    return row.status, row.paid


@pytest.mark.parametrize("page_last", [True, False])
@pytest.mark.parametrize(
    ("revision", "in_page", "paid"),
    [(BEFORE, "0.00", "40.00"), (LATER, "70.00", "70.00")],
    ids=["a page read before the payment", "a page that shows a second payment"],
)
async def test_the_newer_reading_of_a_bill_stays(
    harness: ActivityHarness, order: PurchaseOrder, page_last: bool, revision: str, in_page: str, paid: str
) -> None:
    """G5, bills: paid in the ERP and taken back here, for good, by whichever reading was stored last."""
    bill_id = await harness.billed(order, {1: 10}, key="k1")
    await harness.push(bill_id)
    payment_id = await harness.paid(bill_id, "40.00", key="p1")
    page = shown(harness, revision=revision, paid=in_page)
    if page_last:
        await harness.push_payment(payment_id)
        await harness.tenant.bills_in(page)
    else:
        await harness.tenant.bills_in(page)
        await harness.push_payment(payment_id)
    assert await paid_of(harness, bill_id) == ("partially_paid", Decimal(paid))


@pytest.mark.parametrize("voided_first", [True, False])
async def test_a_void_stays_a_void(harness: ActivityHarness, order: PurchaseOrder, voided_first: bool) -> None:
    """G5, payments: the page that shows the void is stored before or after the push's own read-back."""
    bill_id = await harness.billed(order, {1: 10}, key="k1")
    await harness.push(bill_id)
    payment_id = await harness.paid(bill_id, "40.00", key="p1")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    (created,) = harness.erp.created_payments.values()
    void = an_erp_payment(
        int(created.erp_id), shares={}, voided=True, revision=LATER, document_number=created.payment.external_key
    )
    if voided_first:
        await harness.tenant.payments_in(void)
        await harness.push_payment(payment_id)
    else:
        await harness.push_payment(payment_id)
        await harness.tenant.payments_in(void)
    (row,) = await harness.tenant.fetch("select status from payments where id = :id", id=payment_id)
    assert row.status == "voided"


async def test_a_bill_of_nothing_is_settled_by_the_next_sync(harness: ActivityHarness) -> None:
    """A10: it was synced, and unpaid for ever."""
    order = await harness.holds(an_order(lines={1: 10}, price="0.00"))
    bill_id = await harness.billed(order, {1: 10}, key="k1")
    await harness.push(bill_id)
    upserted = await harness.tenant.bills_in(shown(harness, revision=LATER, paid="0.00"))
    assert await paid_of(harness, bill_id) == ("paid", Decimal(0))
    assert upserted.ours == (bill_id,), "its workflow is told, and ends"


@pytest.mark.parametrize("page_last", [True, False])
async def test_an_order_page_read_before_the_push_does_not_take_the_bill_off_it(
    harness: ActivityHarness, order: PurchaseOrder, page_last: bool
) -> None:
    """G5, orders: billed is what the read-back showed, whichever is stored last."""
    page = harness.erp.shown(order).model_copy(update={"revision": BEFORE})
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    if page_last:
        await harness.push(bill_id)
        await harness.tenant.page(page)
    else:
        await harness.tenant.page(page)
        await harness.push(bill_id)
    assert (await harness.tenant.lines(order))[1].billed == 4


@pytest.mark.parametrize("page_last", [True, False])
async def test_a_receipt_page_read_earlier_does_not_take_goods_back(
    harness: ActivityHarness, order: PurchaseOrder, page_last: bool
) -> None:
    """G5, receipts: the order was read whole with 6 received; a page from before shows 2."""
    early, late = a_receipt(order, {1: 2}, revision=BEFORE), a_receipt(order, {1: 6}, revision=LATER)
    harness.erp.receipts_held[late.erp_id] = late
    if page_last:
        await harness.refresh(order)
        await harness.tenant.receive(early)
    else:
        await harness.tenant.receive(early)
        await harness.refresh(order)
    assert (await harness.tenant.lines(order))[1].received == 6


@pytest.mark.parametrize("older_last", [True, False])
async def test_the_newer_reading_of_a_credit_stays(
    harness: ActivityHarness, order: PurchaseOrder, older_last: bool
) -> None:
    """G5, credits: two pages, one of them read before the credit was corrected in the ERP."""
    older = a_credit(900, order, quantity="4", revision=BEFORE)
    newer = a_credit(900, order, quantity="3", revision=LATER)
    for credit in (newer, older) if older_last else (older, newer):
        await harness.tenant.bills_in(credit)
    query = "select total from bills where connection_id = :c and payable_id = :id"
    (row,) = await harness.tenant.fetch(query, id=newer.erp_id)
    assert row.total == newer.total


@pytest.mark.parametrize("older_last", [True, False])
async def test_what_a_credit_took_back_is_not_forgotten(
    harness: ActivityHarness, order: PurchaseOrder, older_last: bool
) -> None:
    """G5, credits: the order's workflow reads it before the credit, a sync after it, and the ERP's revision of the
    order is the same."""
    harness.erp.capabilities = harness.erp.capabilities.model_copy(update={"credits_name_orders": True})
    before, after = an_order(lines={1: 10}, billed={1: 10}), an_order(lines={1: 10}, billed={1: 6})
    earlier = datetime.now(UTC)
    later = earlier + timedelta(milliseconds=5)
    credited = (an_order_credit(after, "4"),)
    readings = [(before, (), earlier), (after, credited, later)]
    for reading, credits, began in reversed(readings) if older_last else readings:
        await harness.tenant.refresh(reading, credits=credits, began=began)
    line = (await harness.tenant.lines(order))[1]
    assert (line.billed, line.credited) == (6, 4)
    marked = await harness.tenant.fetch("select figures_due from purchase_orders where connection_id = :c")
    assert [row.figures_due for row in marked] == [older_last], "read again, in case it was a host's clock"


async def test_what_was_billed_by_hand_while_ours_was_refused_is_learned_at_the_next_sync(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """G6: the page left the order's figures alone for our bill on its way, and no page came again."""
    bill_id = await harness.billed(order, {1: 4}, key="k1")
    harness.erp.lose_requests = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    by_hand = an_order(lines={1: 10}, billed={1: 3}, price="10.00", revision=LATER)
    harness.erp.orders[order.erp_id] = by_hand
    await harness.read(Stream.PURCHASE_ORDERS)
    await harness.tenant.wake_all()
    assert (await harness.tenant.lines(order))[1].billed == 0, "a page does not say whether this is our bill"
    await harness.time_passes()
    harness.erp.refuse_writes = [Rejected("the posting period is closed", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)

    await harness.plan("run-2")
    (told,) = await harness.tenant.to_notify()
    assert told.facts.reread, "its workflow reads the order again"
    await harness.refresh(order)
    assert (await harness.tenant.lines(order))[1].billed == 3
    await harness.tenant.wake_all()
    await harness.plan("run-3")
    assert await harness.tenant.to_notify() == [], "once"
