"""Bills and payments on their way out, for the tests."""

from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.bills import BillLineSource, BillLineToPush, BillToPush
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import PaymentToPush


def a_line(line_no: int = 1, order_line: str = "101:1", source: str = "", **more: Any) -> BillLineToPush:
    document, _, line = (source or order_line).partition(":")
    values: dict[str, Any] = {
        "line_no": line_no,
        "item_id": "31",
        "description": "Paper A4",
        "quantity": Decimal(4),
        "unit": "Each",
        "amount": Decimal("14.00"),
        "order_line": ErpId(order_line),
        "source": BillLineSource(document_id=DocumentId(document), line=ErpId(f"{document}:{line}")),
        **more,
    }
    return BillLineToPush(**values)


def a_bill(*lines: BillLineToPush, **more: Any) -> BillToPush:
    chosen = lines or (a_line(),)
    values: dict[str, Any] = {
        "external_key": ExternalKey("PSB-1"),
        "vendor_id": "5",
        "number": "INV-1",
        "order_document": DocumentId("101"),
        "order_number": "PO-1007",
        "bill_date": date(2031, 7, 1),
        "posting_date": date(2031, 7, 1),
        "due_date": date(2031, 7, 31),
        "currency": "USD",
        "memo": "",
        "total": sum((line.amount for line in chosen), Decimal(0)),
        "lines": chosen,
        **more,
    }
    return BillToPush(**values)


def a_payment(**more: Any) -> PaymentToPush:
    values: dict[str, Any] = {
        "external_key": ExternalKey("PSP-1"),
        "vendor_id": "5",
        "bill_document": DocumentId("301"),
        "bill_erp_id": ErpId("301"),
        "payable_hint": ErpId("301"),
        "amount": Decimal("14.00"),
        "currency": "USD",
        "paid_on": date(2031, 7, 5),
        "method": "eft",
        "bank_account": "1000",
        **more,
    }
    return PaymentToPush(**values)
