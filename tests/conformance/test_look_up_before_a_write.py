"""A bill goes out by what QuickBooks holds now, not by what it held when the computer was switched off.

The session that answered the look-up is over; a person does something in QuickBooks; the next session would have been
handed the bill. The sandbox's Web Connector and company file, the door and the database are real.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Rejected
from models.domain.bills import BillToPush
from tests.conformance.erp_harness import a_bill_for
from tests.conformance.quickbooks_desktop_harness import QuickBooksDesktopHarness

NUMBER = "LATE-1"


@pytest.fixture
async def desktop(sandbox: Any, database_url: str) -> AsyncIterator[QuickBooksDesktopHarness]:
    QuickBooksDesktopHarness.database_url = database_url
    harness = QuickBooksDesktopHarness(sandbox)
    yield harness
    for connector in harness.connectors:
        await connector.close()


async def ordered(desktop: QuickBooksDesktopHarness) -> BillToPush:
    """A new order of ten, and a bill of four of it."""
    row = {"po_number": NUMBER, "vendor_id": "V-100", "po_date": "2026-11-02", "item_id": "PAPER-A4", "price": "5"}
    desktop.load({"purchase_orders": [{**row, "quantity": "10"}]})
    record = next(one["record_no"] for one in desktop.held("purchase_orders") if one["number"] == NUMBER)
    orders = desktop.connect().orders
    assert orders is not None
    order = (await orders.read(record)).purchase_order
    return a_bill_for(order, "K-1", Decimal(4))


def then(desktop: QuickBooksDesktopHarness, does: Callable[[], Any]) -> Callable[[], Coroutine[Any, Any, None]]:
    """Sessions; behind the first one a person does something."""
    session, done = desktop.poll, False

    async def poll() -> None:
        nonlocal done
        await session()
        if not done:
            done = True
            does()

    return poll


async def test_goods_received_behind_the_look_up_are_not_booked_twice(desktop: QuickBooksDesktopHarness) -> None:
    """Issue 12: a bill never adds to what an item receipt has booked, however long ago it was looked for."""
    bill = await ordered(desktop)
    desktop.poll = then(desktop, lambda: desktop.person("receive", number=NUMBER, receipt_number="R-1"))
    with pytest.raises(Rejected) as refused:
        await desktop.connect().bills.create(bill)
    assert refused.value.code == "RECEIVED_BY_ITEM_RECEIPT"
    assert not desktop.bills_with("K-1")
    desktop.check_books()


async def test_a_bill_entered_by_hand_behind_the_look_up_is_not_made_twice(desktop: QuickBooksDesktopHarness) -> None:
    """Issue 12: the same invoice, entered by hand while the computer was off: it is adopted."""
    bill = await ordered(desktop)
    by_hand = {"number": NUMBER, "invoice_number": bill.number, "lines": [{"line": 1, "quantity": "4"}]}
    desktop.poll = then(desktop, lambda: desktop.person("bill", **by_hand))
    document = await desktop.connect().bills.create(bill)
    (there,) = [one for one in desktop.held("bills") if one["number"] == bill.number]
    assert there["record_no"] == document
    desktop.check_books()
