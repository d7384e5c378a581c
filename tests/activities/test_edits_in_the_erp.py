"""What people change on our bill and its order in the ERP is taken over, or stops what would go wrong (faults B2, B3,
B4, B5, B10, B14)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from models.domain.bills import BillStatus, ErpBillLine
from models.domain.ids import BillId, ErpId
from models.domain.receipts import ReceiptStatus
from models.domain.sync import DeletedKind, Deletion, Stream
from models.store.payables import bills
from tests.builders.records import a_receipt, an_order
from tests.fakes.shown_bills import as_shown
from tests.harness.activity_harness import ActivityHarness, failure


@pytest.fixture
def erp(harness: ActivityHarness) -> ActivityHarness:
    harness.erp.shows_our_bills = True
    return harness


async def changed(harness: ActivityHarness, bill_id: BillId, **changes: Any) -> None:
    """Somebody changes our bill in the ERP, and a sync run reads it."""
    invoice = harness.erp.invoices[bills.external_key_for(bill_id)]
    invoice.changes |= changes
    invoice.revision = harness.erp.tick()
    await harness.read(Stream.BILLS)


async def lines(harness: ActivityHarness, bill_id: BillId) -> list[tuple[int, Decimal, Decimal, Decimal]]:
    rows = await harness.tenant.fetch("select * from bill_lines where bill_id = :bill order by line_no", bill=bill_id)
    return [(row.line_no, row.quantity, row.price, row.amount) for row in rows]


def edited(harness: ActivityHarness, bill_id: BillId, *amounts: tuple[str, str]) -> tuple[ErpBillLine, ...]:
    """The bill's lines with other quantities and amounts."""
    shown = as_shown(harness.erp.invoices[bills.external_key_for(bill_id)], Decimal(0)).lines
    return tuple(
        line.model_copy(update={"quantity": Decimal(quantity), "amount": Decimal(amount)})
        for line, (quantity, amount) in zip(shown, amounts, strict=True)
    )


def total(some: Sequence[ErpBillLine]) -> Decimal:
    return sum((line.amount for line in some), Decimal(0))


async def test_number_and_date_follow(erp: ActivityHarness) -> None:
    """B2: INV-1 gets number FIXED-1 and another date there; FIXED-1 is entered here. Today it goes through."""
    order = await erp.holds(an_order(lines={1: 10}))
    bill_id = await erp.billed(order, {1: 4}, number="INV-1")
    await erp.push(bill_id)
    await changed(erp, bill_id, number="FIXED-1", bill_date=date(2026, 3, 5))
    row = await erp.tenant.bill_row(bill_id)
    assert (row.number, row.number_parts, row.bill_date) == ("FIXED-1", "fixed 1", date(2026, 3, 5))
    again = await erp.bill(order, {1: 4}, number="FIXED-1")
    assert again.outcome == "BLOCK"
    match = await erp.match(f"key-FIXED-1-[(1, 4)]-{order.erp_id}")
    assert [finding["code"] for finding in match["findings"]] == ["DUPLICATE_EXACT"]
    assert (await erp.bill(order, {1: 4}, number="INV-1")).outcome == "OK", "its old number is free again"


async def test_a_number_that_another_bill_of_ours_has_is_an_issue(erp: ActivityHarness) -> None:
    """B2: the ERP let somebody give the same number twice; both bills are there, and a person is told."""
    order = await erp.holds(an_order(lines={1: 10}))
    first = await erp.billed(order, {1: 2}, number="A-1")
    second = await erp.billed(order, {1: 2}, number="A-2")
    await erp.push(first)
    await erp.push(second)
    await changed(erp, second, number="A-1")
    (issue,) = await erp.open_issues(second)
    assert issue.code == "DUPLICATE_IN_ERP"
    await changed(erp, second, number="A-2")
    assert await erp.open_issues(second) == []


async def test_lines_follow(erp: ActivityHarness) -> None:
    """B3: our bill of 6 and 2 at 5.00; in the ERP line 1 becomes 4 at 5.50: 22.00 + 10.00. Today: total 32.00, lines
    30.00 + 10.00."""
    order = await erp.holds(an_order(lines={1: 10, 2: 10}, price="5.00"))
    bill_id = await erp.billed(order, {1: 6, 2: 2})
    await erp.push(bill_id)
    await erp.read(Stream.BILLS)
    assert [event.kind for event in await erp.tenant.events_of(bill_id)].count("edited_in_erp") == 0
    now = edited(erp, bill_id, ("4", "22.00"), ("2", "10.00"))
    await changed(erp, bill_id, lines=now, total=total(now))
    assert (await erp.tenant.bill_row(bill_id)).total == 32
    assert await lines(erp, bill_id) == [(1, 4, Decimal("5.50"), 22), (2, 2, 5, 10)]
    (event,) = [one for one in await erp.tenant.events_of(bill_id) if one.kind == "edited_in_erp"]
    assert event.after == {"line 1": "4 at 5.50: 22.00"}


async def test_lines_added_and_removed_there_follow(erp: ActivityHarness) -> None:
    """B3: line 1 is removed, an order line that we did not bill is added, and freight without an order line."""
    order = await erp.holds(an_order(lines={1: 10, 2: 10, 3: 10}, price="5.00"))
    bill_id = await erp.billed(order, {1: 6, 2: 2})
    await erp.push(bill_id)
    (_, second) = edited(erp, bill_id, ("6", "30.00"), ("2", "10.00"))
    third = second.model_copy(
        update={"line_no": 3, "order_line": order.lines[2].erp_id, "item_id": "I3", "amount": Decimal(15)}
    )
    freight = ErpBillLine(line_no=4, account="6000", amount=Decimal("7.50"))
    await changed(erp, bill_id, lines=(second, third, freight), total=Decimal("32.50"))
    assert [(no, amount) for no, _, _, amount in await lines(erp, bill_id)] == [(2, 10), (3, 15)]
    row = await erp.tenant.bill_row(bill_id)
    assert [(one["class"], one["amount"]) for one in row.charges] == [("other", "7.50")]
    assert row.total == Decimal("32.50")
    await changed(erp, bill_id, lines=(second, third), total=Decimal("25.00"))
    assert (await erp.tenant.bill_row(bill_id)).charges == []


async def test_a_bill_rejected_there_is_not_paid(erp: ActivityHarness) -> None:
    """B4: NS with bill approval: our bill is rejected there. Today: synced, and its payment fails with
    PAYABLE_MISSING."""
    order = await erp.holds(an_order(lines={1: 10}))
    bill_id = await erp.billed(order, {1: 4})
    await erp.push(bill_id)
    scheduled = await erp.paid(bill_id, "10.00", key="p-1")
    await changed(erp, bill_id, rejected=True, state="Rejected")
    (issue,) = await erp.open_issues(bill_id)
    assert issue.code == "BILL_REJECTED_IN_ERP"
    assert (await erp.pay(bill_id, "10.00", key="p-2")).outcome == "refused"
    assert await erp.refusal("p-2") == "BILL_REJECTED_IN_ERP"
    with pytest.raises(ApplicationError) as caught:
        await erp.push_payment(scheduled)
    assert failure(caught).code == "BILL_REJECTED_IN_ERP"
    assert erp.erp.calls["create_payment"] == 0
    await changed(erp, bill_id, rejected=False, state="Open")
    assert await erp.open_issues(bill_id) == []
    assert (await erp.push_payment(scheduled)).status == "paid"


async def test_an_order_that_changes_its_currency_takes_no_bill(erp: ActivityHarness) -> None:
    """B5: NS order USD 5.00 imported; in NS it becomes EUR 4.60; bill 4. Today the order stays active in USD."""
    order = await erp.holds(an_order(lines={1: 10}))
    waiting = await erp.billed(order, {1: 2})
    in_euro = order.model_copy(update={"currency": "EUR", "revision": erp.erp.tick()})
    erp.erp.orders[order.erp_id] = in_euro
    await erp.read(Stream.PURCHASE_ORDERS)
    await erp.read(Stream.PURCHASE_ORDERS)
    assert await erp.skipped() == {order.number: "OTHER_CURRENCY"}
    assert order.erp_id in {one.erp_id for one in await erp.tenant.to_notify()}
    refused = await erp.bill(order, {1: 4}, key="euro")
    assert refused.outcome == "BLOCK"
    assert [one["code"] for one in (await erp.match("euro"))["findings"]] == ["PO_NOT_BILLABLE"]
    await erp.rematch(order)
    assert (await erp.push(waiting)).status is BillStatus.ON_HOLD
    erp.erp.orders[order.erp_id] = order.model_copy(update={"revision": erp.erp.tick()})
    await erp.read(Stream.PURCHASE_ORDERS)
    await erp.rematch(order)
    assert (await erp.push(waiting)).status is BillStatus.SYNCED
    assert (await erp.bill(order, {1: 4}, key="dollar")).outcome == "OK"
    assert await erp.skipped() == {}, "it is not listed as left out any more"


async def test_an_older_reading_lets_no_order_take_bills_again(erp: ActivityHarness) -> None:
    """B5, G5: read whole while it was in dollars, and stored after the page that shows it in euros."""
    order = await erp.holds(an_order(lines={1: 10}))
    erp.erp.orders[order.erp_id] = order.model_copy(update={"currency": "EUR", "revision": erp.erp.tick()})
    await erp.read(Stream.PURCHASE_ORDERS)
    for older in (erp.tenant.refresh(order), erp.tenant.page(order)):
        await older
        refused = await erp.bill(order, {1: 4}, key=f"after {older.__name__}")
        assert refused.outcome == "BLOCK"
        assert await erp.skipped() == {order.number: "OTHER_CURRENCY"}


async def test_a_left_out_order_that_is_deleted_there_is_listed_no_more(erp: ActivityHarness) -> None:
    """B5, F6: nobody can do anything about it."""
    order = an_order(lines={1: 10}).model_copy(update={"currency": "EUR"})
    erp.erp.orders[order.erp_id] = order
    await erp.read(Stream.PURCHASE_ORDERS)
    assert await erp.skipped() == {order.number: "OTHER_CURRENCY"}
    del erp.erp.orders[order.erp_id]
    erp.erp.gone.append(
        Deletion(kind=DeletedKind.PURCHASE_ORDER_DOCUMENT, erp_id=order.erp_id, deleted_at="2999-01-01 00:00:01")
    )
    await erp.read(Stream.DELETIONS)
    assert await erp.skipped() == {}


async def test_a_deleted_bill_of_a_receipt_is_not_billed_any_more(erp: ActivityHarness) -> None:
    """B14: IA 3-way: order 10, receiver 10, invoice 10; the invoice is deleted in Intacct. Today the line's billed
    stays 10, so that the replacement is BLOCK and 100.00 is missing in GRNI."""
    await erp.three_way()
    order = an_order(lines={1: 10}, billed={1: 10}, price="10.00")
    receipt = a_receipt(order, {1: 10})
    erp.erp.receipts_held[receipt.erp_id] = receipt
    await erp.holds(order)
    await erp.read(Stream.RECEIPTS)
    bill_id = await erp.billed(order, {1: 10})
    await erp.push(bill_id)
    billed = receipt.model_copy(
        update={"lines": tuple(line.model_copy(update={"billed": line.quantity}) for line in receipt.lines)}
    )
    erp.erp.receipts_held[receipt.erp_id] = billed
    await erp.refresh(order)
    assert await erp.tenant.billed_net(order) == 10
    invoice = erp.erp.invoices.pop(bills.external_key_for(bill_id))
    erp.erp.receipts_held[receipt.erp_id] = receipt
    erp.erp.gone.append(
        Deletion(
            kind=DeletedKind.PURCHASE_ORDER_DOCUMENT, erp_id=ErpId(invoice.erp_id), deleted_at="2999-01-01 00:00:01"
        )
    )
    await erp.read(Stream.DELETIONS)
    assert await erp.tenant.billed_net(order) == 0
    assert (await erp.bill(order, {1: 10}, key="replacement")).outcome == "OK"


@pytest.mark.parametrize(("state", "status"), [("Draft", ReceiptStatus.ACTIVE), ("Closed", ReceiptStatus.CLOSED)])
async def test_draft_and_closed_receipts_are_no_sources(
    erp: ActivityHarness, state: str, status: ReceiptStatus
) -> None:
    """B10, W4: a receiver closed after a part, or a draft: never what a bill is converted from."""
    await erp.three_way()
    order = an_order(lines={1: 10}, billed={1: 5})
    await erp.holds(order)
    await erp.tenant.receive(a_receipt(order, {1: 5}, erp_status=state), status=status)
    answer = await erp.bill(order, {1: 4})
    (row,) = await erp.tenant.fetch("select sources from bill_lines where bill_id = :bill", bill=answer.bill_id)
    assert {source["document_id"] for source in row.sources} <= {order.document_id}
