"""Goods receipts against purchase orders."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.ids import DocumentId, ErpId
from models.domain.record import Record


class ReceiptStatus(StrEnum):  # S5-129..135
    """What a receipt's status in the ERP means for matching."""

    ACTIVE = "active"
    CLOSED = "closed"
    DELETED = "deleted"


class ReceiptKind(StrEnum):
    """Whether goods came in or went back."""

    RECEIPT = "receipt"
    RETURN = "return"
    """Goods that went back to the vendor: T of the ledger."""


class ReceiptLine(Record):
    """One received line, with its quantity in `unit`; `order_line` is the purchase order line that it received. Of a
    return: what went back of that line."""

    erp_id: ErpId
    line_no: int
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal
    billed: Decimal = Decimal(0)
    order_line: ErpId | None = None
    source_line: ErpId | None = None
    """The line of another receipt that this one continues (S5-25): of that line only what was billed was received under
    its own receipt. Of a return: the receipt's line that it was converted from, where it was not from a bill's."""
    credited: Decimal = Decimal(0)
    """Of a return: how much of what was billed it credits itself, by the credit that it posts."""


class Receipt(Record):
    """A goods receipt against one purchase order, or a return of what came with one."""

    erp_id: ErpId
    document_id: DocumentId
    number: str
    erp_status: str
    order_document: DocumentId | None
    vendor_id: str
    received_on: date
    """The day that the goods came in, or went back."""
    kind: ReceiptKind = ReceiptKind.RECEIPT
    credit_document: ErpId | None = None
    """Of a return: the credit that it posts itself, as the mirror knows it."""
    memo: str = ""
    entity: str | None = None
    owner_entity: str | None = None
    revision: str
    lines: tuple[ReceiptLine, ...]
