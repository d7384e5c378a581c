"""Property 5 of the matching rules, where events really happen: in the mirror, in whatever order they are read."""

import random
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from models.domain.bills import ErpBillLine
from models.domain.orders import OrderCredit
from models.store.orders import ledger
from tests.builders.records import (
    R2,
    R3,
    a_receipt,
    an_erp_bill,
    an_order,
    billing,
)
from tests.harness.tenant import (
    Tenant,
)


@pytest.mark.parametrize("seed", range(12))
async def test_the_order_in_which_events_are_read_does_not_matter(tenant: Tenant, seed: int) -> None:
    """R06, S4-65..67: receipts, one of them lowered, a bill of the ERP, one of ours, a credit; each read once or twice,
    old readings after new ones. O 10, R 9, E 8, P 0, C 2 at the end of each day."""
    tenant.receipts_count_as_billed = False
    order = an_order()
    await tenant.page(order)
    bill_id = await tenant.bill(order, {1: 4})
    line = order.lines[0].erp_id
    first, second = a_receipt(order, {1: 6}), a_receipt(order, {1: 4}, number=502)
    lowered = a_receipt(order, {1: 3}, number=502, revision=R2)
    theirs, credit = (
        an_erp_bill(
            record,
            total=str(quantity * Decimal("12.50")),
            order_document=order.document_id,
            lines=(
                ErpBillLine(
                    line_no=1,
                    item_id="ITEM-1",
                    quantity=Decimal(quantity),
                    amount=quantity * Decimal("12.50"),
                    order_line=line,
                ),
            ),
        )
        for record, quantity in ((899, 4), (900, -2))
    )
    whole = an_order(billed={1: 8}, revision=R3)
    credited = OrderCredit(order_line=line, quantity=Decimal(2), amount=Decimal(25))
    events: list[Callable[[], Awaitable[object]]] = [
        lambda: tenant.receive(first),
        lambda: tenant.receive(second),
        lambda: tenant.receive(lowered),
        lambda: tenant.page(an_order(billed={1: 4}, revision=R2)),
        lambda: tenant.bills_in(theirs),
        lambda: tenant.bills_in(credit),
        lambda: tenant.refresh(whole, [billing(whole, bill_id)], [first, lowered], [credited]),
    ]
    day = random.Random(seed)
    happening = events + day.sample(events, 3)
    day.shuffle(happening)
    for happens in happening:
        await happens()

    async with tenant.database.transaction() as s:
        (found,) = await ledger.lines(s, tenant.id_of(order))
    assert (found.ordered, found.received, found.billed, found.pending, found.credited) == (10, 9, 8, 0, 2)
    assert (found.billed_amount, found.credited_amount) == (100, 25)
    assert len(await tenant.bill_rows()) == 3
