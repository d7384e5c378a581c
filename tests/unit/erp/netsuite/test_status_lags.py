"""When an order is worth reading again, because its status has not followed its quantities (S4-67)."""

from datetime import date
from decimal import Decimal

import pytest

from erp.netsuite.statuses import lags
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import LineBasis, PurchaseOrder, PurchaseOrderLine
from models.domain.receipts import Receipt, ReceiptLine

DAY = date(2031, 7, 1)


def line(number: int, *, billed: str, **values: object) -> PurchaseOrderLine:
    fields = {"quantity": Decimal(10), "price": Decimal(2), "amount": Decimal(20), **values}
    return PurchaseOrderLine(
        erp_id=ErpId(f"101:{number}"), line_no=number, item_id="7", billed=Decimal(billed), **fields
    )


def order(status: str, *lines: PurchaseOrderLine) -> PurchaseOrder:
    return PurchaseOrder(
        erp_id=ErpId("101"),
        document_id=DocumentId("101"),
        number="PO-1",
        erp_status=status,
        vendor_id="5",
        vendor_name="Acme",
        ordered_on=DAY,
        revision="1",
        lines=lines,
    )


def receipt(quantity: str, *, of: int = 1) -> Receipt:
    row = ReceiptLine(
        erp_id=ErpId("900:1"), line_no=1, item_id="7", quantity=Decimal(quantity), order_line=ErpId(f"101:{of}")
    )
    return Receipt(
        erp_id=ErpId("900"),
        document_id=DocumentId("900"),
        number="IR-1",
        erp_status="Received",
        order_document=DocumentId("101"),
        vendor_id="5",
        received_on=DAY,
        revision="1",
        lines=(row,),
    )


@pytest.mark.parametrize(
    ("status", "billed", "received", "expected"),
    [
        ("Pending Bill", "10", "10", True),
        ("Partially Received", "10", "10", True),
        ("Fully Billed", "10", "10", False),
        ("Closed", "10", "10", False),
        ("Pending Bill", "4", "10", False),
        # What came beyond the order may have to be billed, too (S4-15).
        ("Pending Bill", "10", "12", False),
        ("Pending Bill", "12", "12", True),
        # Billed in advance: it stays as it is until the goods come (S4-68).
        ("Pending Receipt", "10", "0", False),
    ],
)
def test_received_and_billed_and_still_open(status: str, billed: str, received: str, expected: bool) -> None:
    assert lags(order(status, line(1, billed=billed)), [receipt(received)]) is expected


def test_closed_lines_and_expenses_wait_for_no_receipt() -> None:
    expense = line(
        2,
        billed="1",
        quantity=Decimal(1),
        amount=Decimal(80),
        basis=LineBasis.AMOUNT,
        receivable=False,
        billed_amount=Decimal(80),
    )
    closed = line(1, billed="0", closed=True)
    assert lags(order("Pending Bill", closed, expense), []) is True
    half = expense.model_copy(update={"billed_amount": Decimal(40)})
    assert lags(order("Pending Bill", closed, half), []) is False
