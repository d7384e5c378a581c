"""The canonical records: purchase orders, receipts, bills, payments and lists, in the field's own words.

Every record is immutable. Money and quantities are exact decimals, dates are calendar dates as the ERP shows
them, instants are aware UTC. No ERP name or ERP word appears here; `erp/<name>/translate.py` owns those.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, NewType

from pydantic import BaseModel, ConfigDict

OrganizationId = NewType("OrganizationId", str)
ConnectionId = NewType("ConnectionId", str)
SyncRunId = NewType("SyncRunId", str)
SyncIssueId = NewType("SyncIssueId", str)
PurchaseOrderId = NewType("PurchaseOrderId", str)
BillId = NewType("BillId", str)
PaymentId = NewType("PaymentId", str)
ErpId = NewType("ErpId", str)
"""The ERP's own internal key of a record (Intacct: RECORDNO)."""
DocumentId = NewType("DocumentId", str)
"""The ERP's key of a document as other documents refer to it (Intacct: DOCID, `Purchase Order-PO-1007`)."""
ExternalKey = NewType("ExternalKey", str)
"""Our stable name for one ERP write, fixed before the first attempt (DESIGN section 5)."""


class Record(BaseModel):
    """An immutable record; unknown fields are refused so that a misspelt one cannot vanish."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Erp(StrEnum):
    """The ERPs a connection can be made to."""

    INTACCT = "intacct"
    NETSUITE = "netsuite"


class MatchMode(StrEnum):
    """2-way compares a bill with the order; 3-way also with what was received (S4-09..11)."""

    TWO_WAY = "two_way"
    THREE_WAY = "three_way"


class PoStatus(StrEnum):
    """The four statuses a person sees (S4-48). They come from the ERP's word, never from our sums (S4-60)."""

    UNFILLED = "unfilled"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CLOSED = "closed"


class MatchingStatus(StrEnum):
    """What the order's state means for matching; depends on the match mode (S5-102..112)."""

    PENDING_APPROVAL = "pending_approval"
    ACTIVE = "active"
    PARTIALLY_BILLED = "partially_billed"
    CLOSED = "closed"
    DELETED = "deleted"


class ReceiptStatus(StrEnum):
    """What a receipt's state means to us (S5-129..135)."""

    ACTIVE = "active"
    CLOSED = "closed"
    DELETED = "deleted"


class Origin(StrEnum):
    """Where a bill or a payment was made."""

    POSYNC = "posync"
    ERP = "erp"


class BillStatus(StrEnum):
    """A bill's life. `synced` and later mean that the ERP holds it and we have read it back."""

    AWAITING_ACKNOWLEDGEMENT = "awaiting_acknowledgement"
    """Saved, its quantity reserved, not pushed: its match warns, and nobody has acknowledged that yet."""
    ON_HOLD = "on_hold"
    """Saved, its quantity reserved, not pushed: its match needs a release by a person."""
    PENDING_PUSH = "pending_push"
    SYNC_ISSUE = "sync_issue"
    LINK_MISSING = "link_missing"
    SYNCED = "synced"
    SCHEDULED = "scheduled"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    ABANDONED = "abandoned"
    DELETED = "deleted"


WAITING_FOR_A_PERSON = frozenset({BillStatus.AWAITING_ACKNOWLEDGEMENT, BillStatus.ON_HOLD})
"""Kept back by what its match found; nothing of it was sent."""


class PaymentStatus(StrEnum):
    """A payment's life: scheduled for a date, submitted, then paid once the ERP confirmed it."""

    SCHEDULED = "scheduled"
    SUBMITTED = "submitted"
    SYNC_ISSUE = "sync_issue"
    PAID = "paid"
    ABANDONED = "abandoned"
    VOIDED = "voided"


class WriteState(StrEnum):
    """Where one ERP write stands. `sent` means: the ERP may or may not have it, look it up first."""

    HELD = "held"
    """Not to be sent until a person lets its bill go on; no other write waits for it."""
    PLANNED = "planned"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class ListKind(StrEnum):
    """The lists that come in from the ERP (S2-06)."""

    VENDOR = "vendor"
    GL_ACCOUNT = "gl_account"
    ITEM = "item"
    DEPARTMENT = "department"
    LOCATION = "location"
    ENTITY = "entity"
    CLASS = "class"
    TERM = "term"
    BANK_ACCOUNT = "bank_account"
    UNIT_GROUP = "unit_group"
    """Units that convert into each other."""
    UNIT = "unit"
    """One unit of a group: attributes `group` (the group's ERP id) and `factor` (so many base units)."""


class Stream(StrEnum):
    """What a sync run reads, in this order; each has a cursor of its own."""

    LISTS = "lists"
    PURCHASE_ORDERS = "purchase_orders"
    RECEIPTS = "receipts"
    BILLS = "bills"
    PAYMENTS = "payments"
    DELETIONS = "deletions"


class ListEntry(Record):
    """One vendor, account, item ... as the ERP has it."""

    kind: ListKind
    erp_id: ErpId
    key: str
    """The natural key people and documents use (vendor id, account number)."""
    name: str
    active: bool = True
    entity: str | None = None
    revision: str | None = None
    attributes: Mapping[str, str] = {}
    """What else we use of it, by our own names: `term`, `currency`, `on_hold`, `account_type`, `unit_group` ..."""


class PurchaseOrderHeader(Record):
    """A purchase order as the ERP lists it, before its lines are read."""

    erp_id: ErpId
    document_id: DocumentId
    number: str
    """The number people use (Intacct DOCNO); `document_id` is what the ERP's links use."""
    erp_status: str
    """The ERP's own word; `statuses` in the connector gives its meaning."""
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
    """The entity whose session owns the document; None at top level."""
    created_from: DocumentId | None = None
    """The document this one continues: a back order's original (S5-25)."""
    revision: str
    """Sorts as text in the order of change; a lower one never overwrites a higher one."""
    custom: Mapping[str, str] = {}


class LineBasis(StrEnum):
    """How a line is judged: by quantity and price, or by its amount alone (services, blanket orders)."""

    QUANTITY = "quantity"
    AMOUNT = "amount"


class PurchaseOrderLine(Record):
    """One line, quantities in the line's own unit."""

    erp_id: ErpId
    line_no: int
    """One-based, as people count; the ERP's own numbering stays in its connector."""
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal
    price: Decimal
    amount: Decimal
    basis: LineBasis = LineBasis.QUANTITY
    receivable: bool = True
    """False for what no receipt is ever made of (an expense); 3-way matching does not wait for one (S4-69)."""
    """Of an amount-only line the quantity is 1 and the price the amount."""
    billed: Decimal = Decimal(0)
    """Quantity the ERP says was converted onwards; see `Capabilities.receipts_count_as_billed`."""
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
    """The line this one continues in a back-order chain."""
    custom: Mapping[str, str] = {}


class PurchaseOrder(PurchaseOrderHeader):
    """A purchase order with its lines. Entity and currency are the same on all lines (S5-99, S5-100)."""

    entity: str | None = None
    lines: tuple[PurchaseOrderLine, ...]


class ReceiptLine(Record):
    """One received line; `order_line` is the purchase order line it received."""

    erp_id: ErpId
    line_no: int
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal
    billed: Decimal = Decimal(0)
    order_line: ErpId | None = None


class Receipt(Record):
    """A goods receipt against one purchase order."""

    erp_id: ErpId
    document_id: DocumentId
    number: str
    erp_status: str
    order_document: DocumentId | None
    vendor_id: str
    received_on: date
    memo: str = ""
    entity: str | None = None
    owner_entity: str | None = None
    revision: str
    lines: tuple[ReceiptLine, ...]


class ErpBill(Record):
    """A bill as the ERP holds it (on Intacct the payable behind a vendor invoice, or one typed in directly)."""

    erp_id: ErpId
    number: str
    vendor_id: str
    order_document: DocumentId | None = None
    """The order the ERP itself links it to; wins over `reference` (ruling G8)."""
    receipt_document: DocumentId | None = None
    """Set when the bill was converted from a receipt and so has no direct link to the order (S1-20)."""
    reference: str | None = None
    """The reference number, where people put the order's number (S4-64)."""
    source_document: DocumentId | None = None
    """The document that made it (Intacct: the vendor invoice)."""
    external_key: ExternalKey | None = None
    """Our key, if the bill is one of ours."""
    bill_date: date
    due_date: date | None = None
    currency: str
    total: Decimal
    paid: Decimal
    due: Decimal
    state: str
    memo: str = ""
    revision: str
    lines: tuple["ErpBillLine", ...] = ()
    applied: tuple["ErpPaymentShare", ...] = ()
    """Of a credit: which bills it takes off what is due on them."""


class ErpBillLine(Record):
    """One line of a bill in the ERP."""

    line_no: int
    account: str | None = None
    item_id: str | None = None
    description: str = ""
    quantity: Decimal | None = None
    amount: Decimal
    order_line: ErpId | None = None
    """The purchase order line it bills, where the ERP says so."""
    source_line: ErpId | None = None
    """The line it was converted from: an order line or a receipt line."""
    order_document: DocumentId | None = None
    """The order of `order_line`, where a bill may have lines of several; None: the bill's own."""


class ErpPaymentShare(Record):
    """How much of a payment, or of a credit, went to one bill."""

    bill_erp_id: ErpId
    amount: Decimal


class ErpPayment(Record):
    """A payment as the ERP holds it."""

    erp_id: ErpId
    vendor_id: str
    paid_on: date
    amount: Decimal
    currency: str
    state: str
    voided: bool = False
    settled: bool = True
    """False while the ERP keeps the payment waiting, for example for an approval of its own."""
    document_number: str | None = None
    """The reference number; our external key when the payment is ours."""
    revision: str
    shares: tuple[ErpPaymentShare, ...] = ()


class DeletedKind(StrEnum):
    """What kind of record a deletion concerns; a list entry also names its list."""

    PURCHASE_ORDER_DOCUMENT = "purchase_order_document"
    BILL = "bill"
    PAYMENT = "payment"
    LIST_ENTRY = "list_entry"


class Deletion(Record):
    """A record the ERP says is gone. A document's id may be an order's, a receipt's or a vendor invoice's."""

    kind: DeletedKind
    list_kind: ListKind | None = None
    erp_id: ErpId
    deleted_at: str
    """In the ERP's own clock, sortable as text."""


class HeldRecords(NamedTuple):
    """Records of one kind that we hold and one entity owns, by their ids in the ERP."""

    kind: DeletedKind
    owner_entity: str | None
    """None: they belong to no entity, or the connection sees one entity only."""
    erp_ids: Sequence[ErpId]


class OrderBilling(Record):
    """Evidence that a document in the ERP bills a line of the order: what the double sync waits for (S4-65..67)."""

    order_line: ErpId
    document_id: DocumentId
    document_number: str
    quantity: Decimal


class OrderCredit(Record):
    """What vendor credits take back of what is billed on a line of the order (spec/matching.md 3.1: C)."""

    order_line: ErpId
    quantity: Decimal
    """C: credited, and still inside the billed quantity of the same reading; zero where the ERP left it out itself, and
    below zero where it left out what only lowered a price."""
    amount: Decimal
    """The same in money, at the order's price."""
    unclear: Decimal = Decimal(0)
    """Credited, but the reading does not show whether the billed quantity has it: nothing of it is freed."""


class PurchaseOrderSnapshot(Record):
    """One order read whole at one moment: itself, its receipts, and which documents bill it or credit that."""

    purchase_order: PurchaseOrder
    receipts: tuple[Receipt, ...] = ()
    billings: tuple[OrderBilling, ...] = ()
    credits: tuple[OrderCredit, ...] = ()
    status_lags: bool = False
    """The ERP's own status has not followed its quantities yet; the order is worth reading again (S4-67)."""


class BillLineSource(Record):
    """Where one bill line is converted from: a line of the order, or of a receipt of that order."""

    document_id: DocumentId
    line: ErpId


class BillLineToPush(Record):
    """One line of a bill on its way out (S5-143..151)."""

    line_no: int
    item_id: str
    description: str
    quantity: Decimal
    unit: str
    amount: Decimal
    """The line's net amount; the ERP's price is amount / quantity (S5-147, ruling G12)."""
    order_line: ErpId
    source: BillLineSource
    entity: str | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    edited: frozenset[str] = frozenset()
    """Fields of an edit after the push: it sends and compares these alone, what people changed in the ERP stays."""


class ChargeKind(StrEnum):
    """Money on a bill that is on no line of its order. Freight, surcharges and others are charges to the rules."""

    FREIGHT = "freight"
    SURCHARGE = "surcharge"
    OTHER = "other"
    TAX = "tax"
    DISCOUNT = "discount"


class ChargeToPush(Record):
    """One amount beyond the lines; a discount is below zero."""

    kind: ChargeKind
    amount: Decimal
    description: str = ""


class BillToPush(Record):
    """A bill on its way out, complete: nothing is looked up on the way."""

    external_key: ExternalKey
    vendor_id: str
    number: str
    """The supplier's invoice number."""
    order_document: DocumentId
    order_number: str
    owner_entity: str | None = None
    bill_date: date
    posting_date: date
    due_date: date
    currency: str
    memo: str = ""
    total: Decimal
    """The sum of the lines and the charges."""
    lines: tuple[BillLineToPush, ...]
    charges: tuple[ChargeToPush, ...] = ()
    """In the order in which they were given; tax and discount come last."""
    edited: frozenset[str] = frozenset()
    """As on a line; with none here and on no line it is not an edit."""

    @property
    def is_edit(self) -> bool:
        return bool(self.edited) or any(line.edited for line in self.lines)


class PushedBill(Record):
    """What the ERP holds under our key, read back after the write (DESIGN section 5, steps 4 and 5)."""

    erp_id: ErpId
    """The vendor invoice's own record."""
    document_id: DocumentId
    payable_id: ErpId | None
    """The bill behind it, which payments apply to; changes when the document is edited (field note U-8)."""
    total: Decimal
    revision: str
    linked: bool
    """Whether every line is really linked to its order line in the ERP."""
    differences: tuple[str, ...] = ()
    """What the ERP holds otherwise than we sent, in words; empty when all agrees."""
    snapshot: PurchaseOrderSnapshot | None = None
    """The order as read in the same call, where that costs nothing more."""


class PaymentToPush(Record):
    """A payment on its way out (S5-34..42)."""

    external_key: ExternalKey
    vendor_id: str
    bill_document: DocumentId
    """The vendor invoice; the payable behind it is looked up, because its id may have changed."""
    bill_erp_id: ErpId
    payable_hint: ErpId | None
    amount: Decimal
    currency: str
    paid_on: date
    method: str
    bank_account: str
    memo: str = ""
    owner_entity: str | None = None


class PushedPayment(Record):
    """What the ERP holds under our payment key, and what is now due on the bill."""

    erp_id: ErpId
    state: str
    settled: bool
    """False while the ERP keeps the payment waiting, for example for an approval of its own."""
    amount: Decimal
    revision: str
    payable_id: ErpId
    bill_paid: Decimal
    bill_due: Decimal


ErpBill.model_rebuild()
