"""Purchase orders as the mirror stores them, with the documents that bill and credit them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from models.domain.ids import DocumentId, ErpId
from models.domain.receipts import Receipt
from models.domain.record import Record


class PoStatus(StrEnum):  # S4-48, S4-60
    """What a person sees on an order. It is translated from the ERP's own status, never computed from our sums."""

    PENDING_APPROVAL = "pending_approval"
    """In draft or approval: only of connections that show such orders (ruling G13)."""
    UNFILLED = "unfilled"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CLOSED = "closed"


class MatchingStatus(StrEnum):  # S5-102..112
    """What the order's status in the ERP means for matching; it depends on the match mode."""

    PENDING_APPROVAL = "pending_approval"
    ACTIVE = "active"
    PARTIALLY_BILLED = "partially_billed"
    CLOSED = "closed"
    DELETED = "deleted"


class PurchaseOrderHeader(Record):
    """A purchase order as the ERP lists it, before its lines are read."""

    erp_id: ErpId
    document_id: DocumentId
    number: str
    """The number people use; `document_id` is what the ERP's links use."""
    erp_status: str
    """The ERP's own status text; the connector's `statuses` says what it means."""
    vendor_id: str
    vendor_name: str
    ordered_on: date
    due_on: date | None = None
    currency: str | None = None
    memo: str = ""
    total: Decimal | None = None
    reference: str | None = None
    term: str | None = None
    owner_entity: str | None = None
    """The entity whose session owns the document; None: the top level."""
    created_from: DocumentId | None = None
    """The document that this one continues: the original of a back order (S5-25)."""
    revision: str
    """Sorts as text in the order of changes; a lower revision never overwrites a higher one."""
    custom: Mapping[str, str] = {}


class LineBasis(StrEnum):
    """How a line is matched: by quantity and price, or by its amount alone (services, blanket orders)."""

    QUANTITY = "quantity"
    AMOUNT = "amount"


class PurchaseOrderLine(Record):
    """One line of a purchase order, with quantities in the line's own unit."""

    erp_id: ErpId
    line_no: int
    """Counted from one, as people do; the ERP's own numbering stays in its connector."""
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal
    """In the line's own unit. An amount-only line has quantity 1 and its amount as the price."""
    price: Decimal
    amount: Decimal
    basis: LineBasis = LineBasis.QUANTITY
    receivable: bool = True
    """False when no receipt is ever made of it (an expense); 3-way matching does not wait for one (S4-69)."""
    billed: Decimal = Decimal(0)
    """Quantity that the ERP counts as converted; see `Capabilities.receipts_count_as_billed`."""
    billed_amount: Decimal = Decimal(0)
    closed: bool = False
    entity: str | None = None
    currency: str | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    source_line: ErpId | None = None
    """The line that this one continues in a chain of back orders."""
    custom: Mapping[str, str] = {}


class PurchaseOrder(PurchaseOrderHeader):
    """A purchase order with its lines. Entity and currency are the same on all lines (S5-99, S5-100)."""

    entity: str | None = None
    lines: tuple[PurchaseOrderLine, ...]
    receipts: tuple[ErpId, ...] | None = None
    """Its receipts, where the order itself names them all: others are gone. None: it does not say."""


class OrderBilling(Record):
    """Evidence that a document in the ERP bills a line of the order; the double sync waits for it (S4-65..67)."""

    order_line: ErpId
    document_id: DocumentId
    document_number: str
    quantity: Decimal


class OrderCredit(Record):
    """What vendor credits take back from what is billed on an order line (spec/matching.md 3.1: C)."""

    order_line: ErpId
    quantity: Decimal
    """C: credited, and still inside the billed quantity of the same reading. Zero where the ERP left it out itself;
    below zero where the ERP left out a credit that only lowered a price."""
    amount: Decimal
    """The same as money, at the order's price."""
    returned: Decimal = Decimal(0)
    """Credited for goods that went back to the vendor: they count as received no more."""
    returned_on: date | None = None
    """The day of the last such credit."""
    unclear: Decimal = Decimal(0)
    """Credited, but the reading does not show whether the billed quantity includes it; none of it is freed."""


class PurchaseOrderSnapshot(Record):
    """One order read whole at one moment: the order, its receipts, and the documents that bill or credit it."""

    purchase_order: PurchaseOrder
    receipts: tuple[Receipt, ...] = ()
    billings: tuple[OrderBilling, ...] = ()
    credits: tuple[OrderCredit, ...] = ()
    status_lags: bool = False
    """The ERP's own status has not caught up with its quantities; read the order again (S4-67)."""
    began: datetime | None = None
    """When its reading began, by our clock; None: nobody else reads it."""
