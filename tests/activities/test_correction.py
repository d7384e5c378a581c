"""Correcting bills that were not sent: anything on them, matched as if it had been entered so."""

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.orders import PurchaseOrder
from models.domain.retractions import BillEvent
from services.bills.correction import correct_bill
from services.bills.intake import RequestedBill
from tests.builders.records import an_order
from tests.harness.activity_harness import TODAY, ActivityHarness


async def correct(
    harness: ActivityHarness,
    bill_id: BillId,
    order: PurchaseOrder,
    quantities: dict[int, str],
    *,
    key: str,
    number: str = "INV-c",
    price: str | None = None,
) -> str:
    """What `POST /v1/purchase-orders/{id}/bills/{bill}` does in its transaction; returns what came of it."""
    lines = [{"order_line_no": no, "quantity": quantity, "price": price} for no, quantity in quantities.items()]
    body = {
        "purchase_order_id": harness.tenant.id_of(order),
        "number": number,
        "bill_date": TODAY.isoformat(),
        "lines": lines,
    }

    async def work(s: AsyncSession) -> dict[str, object]:
        done = await correct_bill(
            s,
            bill_id,
            RequestedBill.model_validate(body),
            organization_id=harness.tenant.organization_id,
            request_key=key,
            actor="ada",
        )
        return {"code": "blocked" if done.refused else "done"}

    return str((await harness.decide_under_key(key, body, work))["code"])


async def test_number_quantity_and_price_are_corrected_and_sent_so(harness: ActivityHarness) -> None:
    """Q36, S1-24: its own reservation is left out; the events say what was and what is."""
    order = await harness.holds(an_order(lines={1: 10, 2: 5}))
    await harness.billed(order, {1: 4}, key="other")
    bill_id = await harness.billed(order, {1: 6}, key="mine")
    assert await correct(harness, bill_id, order, {1: "7"}, key="c1") == "blocked", "only six are left for it"
    assert await harness.tenant.billed_net(order) == 10
    assert await correct(harness, bill_id, order, {1: "5", 2: "2"}, key="c2", number="INV-77") == "done"
    assert await harness.tenant.billed_net(order) == 11
    edited = next(event for event in await harness.tenant.events_of(bill_id) if event.kind == "edited")
    assert (edited.after["number"], edited.after["line 1 quantity"]) == ("INV-77", "5")
    assert edited.before["line 1 quantity"] == "6"
    for one in await harness.tenant.fetch("select id from bills where connection_id = :c order by created_at"):
        await harness.push(BillId(one.id))
    sent = [invoice.bill for invoice in harness.erp.invoices.values() if invoice.bill.number == "INV-77"]
    assert [[line.quantity for line in bill.lines] for bill in sent] == [[5, 2]]


async def test_a_bill_on_the_wrong_order_is_moved(harness: ActivityHarness) -> None:
    """S1-24, S1-26: before the sync; the first order has its quantity again, and both workflows are told."""
    wrong = await harness.holds(an_order(lines={1: 10}))
    right = await harness.holds(an_order(1008, lines={1: 10}))
    bill_id = await harness.billed(wrong, {1: 4})
    assert await correct(harness, bill_id, right, {1: "4"}, key="c1") == "done"
    assert (await harness.tenant.billed_net(wrong), await harness.tenant.billed_net(right)) == (0, 4)
    kinds = await harness.tenant.fetch("select kind from outbox where subject_id like '%' || :b", b=bill_id)
    assert {"bill_off_order", "bill_corrected"} <= {row.kind for row in kinds}
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    (invoice,) = harness.erp.invoices.values()
    assert invoice.bill.order_document == right.document_id
    assert await correct(harness, bill_id, wrong, {1: "4"}, key="c2") == "EDIT_IN_ERP", "the link has synced"


async def test_what_is_on_its_way_is_not_corrected_and_what_was_refused_goes_out_corrected(
    harness: ActivityHarness,
) -> None:
    """S1-25: refused with the reason; a disputed bill stays disputed and reserves nothing."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    assert await correct(harness, bill_id, order, {1: "3"}, key="c1") == "BILL_ON_ITS_WAY"
    refused = await harness.billed(order, {1: 2}, key="second")
    await harness.push(bill_id)
    harness.erp.refuse_writes = [Rejected("no", code="VALUE_REFUSED")]
    with pytest.raises(ApplicationError):
        await harness.push(refused)
    assert await correct(harness, refused, order, {1: "1"}, key="c2", number="INV-2") == "done"
    assert (await harness.push(refused)).status is BillStatus.SYNCED
    held = await harness.billed(order, {1: 3}, key="third")
    assert await harness.ask(held, BillEvent.DISPUTE, key="k1") == "done"
    assert await correct(harness, held, order, {1: "5"}, key="c3", number="INV-3") == "done"
    assert await harness.status(held) is BillStatus.DISPUTED
    assert await harness.tenant.billed_net(order) == 5
    assert await harness.ask(held, BillEvent.RESTORE, key="k2") == "done"
    assert await harness.tenant.billed_net(order) == 10
