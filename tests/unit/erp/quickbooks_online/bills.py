"""Bills against the order of the reference, for the client's own tests."""

from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.bills import BillLineSource, BillLineToPush, BillToPush
from models.domain.ids import DocumentId, ErpId, ExternalKey


def line(number: int, order_line: str, item: str, quantity: str, amount: str, **more: Any) -> BillLineToPush:
    return BillLineToPush(
        line_no=number,
        item_id=item,
        description="Fence post",
        quantity=Decimal(quantity),
        unit="",
        amount=Decimal(amount),
        order_line=ErpId(order_line),
        source=BillLineSource(document_id=DocumentId("190"), line=ErpId(order_line)),
        **more,
    )


def a_bill(*lines: BillLineToPush, **changed: Any) -> BillToPush:
    lines = lines or (line(1, "190:1", "11", "1", "25.00"), line(2, "190:2", "account:77", "1", "15.00"))
    values: dict[str, Any] = {
        "external_key": ExternalKey("PSB-1"),
        "vendor_id": "56",
        "number": "INV-8841",
        "order_document": DocumentId("190"),
        "order_number": "PO-1007",
        "bill_date": date(2026, 3, 5),
        "posting_date": date(2026, 3, 5),
        "due_date": date(2026, 4, 4),
        "currency": "USD",
        "memo": "a memo",
        "total": sum((one.amount for one in lines), Decimal(0)),
        "lines": lines,
    }
    return BillToPush(**(values | changed))
