"""What item receipts received of which order: a receipt's lines name neither the order nor its line."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from models.domain.ids import DocumentId, ErpId
from models.domain.receipts import Receipt
from models.domain.sync import DeletedKind, MirroredIds
from tests.conformance.erp_harness import all_orders
from tests.unit.erp.quickbooks_desktop.company_file import connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

SINCE = "2020-01-01 00:00:00"

ROW = {"vendor_id": "V-1", "po_date": "2026-10-01", "price": "5", "item_id": "ITEM-1", "quantity": "10"}


async def orders_of_one_item(*numbers: str, lines: int = 1) -> Pc:
    """Orders of ten of the same item, as often as there are lines."""
    pc = Pc()
    rows = [{**ROW, "po_number": number} for number in numbers for _ in range(lines)]
    await pc.load(items=[{"item_id": "ITEM-1", "item_type": "Inventory"}], purchase_orders=rows)
    return pc


def by_line(receipts: Any, order: DocumentId | None = None) -> dict[str | None, Decimal]:
    """What was received of each order line."""
    sums: dict[str | None, Decimal] = {}
    for receipt in receipts:
        for line in receipt.lines if order in (None, receipt.order_document) else ():
            sums[line.order_line] = sums.get(line.order_line, Decimal(0)) + line.quantity
    return sums


async def page_of(connector: Any) -> Mapping[ErpId, Receipt]:
    page = await connector.receipts.page(since=SINCE, after=None)
    assert not page.bad
    return {one.erp_id: one for one in page.records}


@pytest.mark.parametrize("unit", ["quantity", "money"])
@pytest.mark.parametrize("enhanced", [False, True], ids=["ordinary", "enhanced"])
async def test_a_receipt_of_several_orders_is_counted_for_each(enhanced: bool, unit: str) -> None:
    """Issue 12: three of one order and five of the other, of the same item, and each order has receipts of its own."""
    pc = await orders_of_one_item("PO-1", "PO-2")
    await pc.switch(linked_amount_unit=unit)
    if enhanced:
        await pc.does("enable_enhanced_receiving")
        pc.open()
    await pc.does("receive", number="PO-2", receipt_number="R-0", lines=[{"line": 1, "quantity": "2"}])
    await pc.does(
        "receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "3"}],
        also=[{"number": "PO-2", "lines": [{"line": 1, "quantity": "5"}]}],
    )  # fmt: skip
    await pc.does("receive", number="PO-1", receipt_number="R-2", lines=[{"line": 1, "quantity": "4"}])
    connector, _ = connected(pc, enhanced=enhanced)
    orders = await all_orders(connector)
    page = await page_of(connector)
    assert len(page) == 4
    for number, quantity in (("PO-1", 7), ("PO-2", 7)):
        order = orders[number]
        whole = {order.lines[0].erp_id: Decimal(quantity)}
        assert by_line(page.values(), order.document_id) == whole
        shown = (await connector.orders.read(order.erp_id)).receipts
        assert by_line(shown) == whole
        assert {one.erp_id: one for one in shown} == {
            erp_id: one for erp_id, one in page.items() if one.order_document == order.document_id
        }
        # So that the mirror drops what an order names no more, and nothing else.
        assert enhanced or {one.erp_id for one in shown} <= set(order.receipts or ())


async def test_a_receipts_line_is_of_the_order_line_that_was_received() -> None:
    """Two lines of one item: nothing came of the first."""
    pc = await orders_of_one_item("PO-1", lines=2)
    await pc.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 2, "quantity": "4"}])
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1"]
    assert by_line((await page_of(connector)).values()) == {order.lines[1].erp_id: Decimal(4)}
    assert [line.billed for line in order.lines] == [0, 4]


async def test_a_receipt_that_names_no_order_is_of_none() -> None:
    pc = await orders_of_one_item("PO-1")
    await pc.does("receive", number="PO-1", receipt_number="R-1", link=False, lines=[{"line": 1, "quantity": "4"}])
    connector, _ = connected(pc)
    (receipt,) = (await page_of(connector)).values()
    assert (receipt.order_document, by_line([receipt])) == (None, {None: Decimal(4)})


async def test_a_receipt_of_several_orders_is_asked_for_by_its_own_id() -> None:
    """A deletion scan must not take its parts for gone."""
    pc = await orders_of_one_item("PO-1", "PO-2")
    await pc.does("receive", number="PO-1", receipt_number="R-1", also=[{"number": "PO-2"}])
    connector, _ = connected(pc)
    parts = list(await page_of(connector))
    assert len(parts) == 2
    mirrored = [MirroredIds(DeletedKind.PURCHASE_ORDER_DOCUMENT, None, parts)]
    assert (await connector.scan.scan(mirrored)).gone == []
    await pc.does("delete", kind="receipt", number="R-1")
    assert [sorted(one.erp_ids) for one in (await connector.scan.scan(mirrored)).gone] == [sorted(parts)]
