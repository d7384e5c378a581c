"""Bills and payments on their way out, complete, for tests to change."""

from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.bills import BillLineSource, BillLineToPush, BillToPush
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import PaymentToPush

ORDER = DocumentId("Purchase Order-PO-1")


def a_bill_line(**changed: Any) -> BillLineToPush:
    values: dict[str, Any] = {
        "line_no": 1,
        "item_id": "PAPER",
        "description": "Paper A4",
        "quantity": Decimal(4),
        "unit": "Each",
        "amount": Decimal("17.00"),
        "order_line": ErpId("11"),
        "source": BillLineSource(document_id=ORDER, line=ErpId("11")),
        "entity": "100",
    }
    return BillLineToPush(**{**values, **changed})


def a_bill(**changed: Any) -> BillToPush:
    values: dict[str, Any] = {
        "external_key": ExternalKey("b-0001"),
        "vendor_id": "V-100",
        "number": "INV-77",
        "order_document": ORDER,
        "order_number": "PO-1",
        "owner_entity": "100",
        "bill_date": date(2031, 7, 5),
        "posting_date": date(2031, 7, 6),
        "due_date": date(2031, 8, 4),
        "currency": "USD",
        "memo": "July paper",
        "total": Decimal("17.00"),
        "lines": (a_bill_line(),),
    }
    return BillToPush(**{**values, **changed})


def a_payment(**changed: Any) -> PaymentToPush:
    values: dict[str, Any] = {
        "external_key": ExternalKey("p-0001"),
        "vendor_id": "V-100",
        "bill_document": DocumentId("Vendor Invoice-b-0001"),
        "bill_erp_id": ErpId("50"),
        "payable_hint": ErpId("90"),
        "amount": Decimal("17.00"),
        "currency": "USD",
        "paid_on": date(2031, 7, 31),
        "method": "eft",
        "bank_account": "BOA",
        "owner_entity": "100",
    }
    return PaymentToPush(**{**values, **changed})
