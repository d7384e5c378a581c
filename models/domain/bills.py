"""Bills: their statuses, their records in the ERP, and the records that we push."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.payments import ErpPaymentShare
from models.domain.record import Record


class Origin(StrEnum):
    """Where a bill or a payment was created: in posync or in the ERP."""

    POSYNC = "posync"
    ERP = "erp"


class BillKind(StrEnum):
    """What a record of accounts payable is, beside its sign."""

    BILL = "bill"
    CREDIT = "credit"
    """It lowers what is owed to the vendor; its total is below zero."""
    ADJUSTMENT = "adjustment"
    """An adjustment that raises what is owed: shown, and never counted as a credit."""


class BillMatchMode(StrEnum):
    """How one bill is matched; a person says so of the bill, else a policy of its vendor, else its connection does."""

    TWO_WAY = "two_way"
    THREE_WAY = "three_way"
    NONE = "none"
    """With neither order nor receipts. Duplicates, approval and the order's ledger are as for any other bill."""


class BillStatus(StrEnum):
    """The status of a bill. From `synced` on, the ERP holds the bill and we have read it back."""

    AWAITING_ACKNOWLEDGEMENT = "awaiting_acknowledgement"
    """Saved with its quantity reserved, not pushed: its match has warnings that nobody has acknowledged yet."""
    ON_HOLD = "on_hold"
    """Saved with its quantity reserved, not pushed: its match needs a release by a person."""
    AWAITING_APPROVAL = "awaiting_approval"
    """Saved with its quantity reserved, not pushed: its match is settled, and people must approve it."""
    AWAITING_PAYMENT = "awaiting_payment"
    """Saved with its quantity reserved, not pushed: its first payment must be scheduled."""
    PENDING_PUSH = "pending_push"
    SYNC_ISSUE = "sync_issue"
    LINK_MISSING = "link_missing"
    SYNCED = "synced"
    SCHEDULED = "scheduled"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    RETRACTING = "retracting"
    """The ERP holds it, and it is being taken back from there."""
    DISPUTED = "disputed"
    """The ERP does not hold it, or no more; nothing is reserved or sent until a person settles the dispute."""
    DRAFT = "draft"
    """Taken off its order before it was sent: nothing is reserved or sent until a person puts it on an order."""
    ABANDONED = "abandoned"
    DELETED = "deleted"

    @property
    def is_in_review(self) -> bool:
        """Return whether the findings of its match stop it: nothing of it was sent."""
        return self in (BillStatus.AWAITING_ACKNOWLEDGEMENT, BillStatus.ON_HOLD)

    @property
    def is_waiting(self) -> bool:
        """Return whether nothing of it was sent, and its write is on hold: its match, its approval or its first payment
        is awaited."""
        return self.is_in_review or self in (BillStatus.AWAITING_APPROVAL, BillStatus.AWAITING_PAYMENT)

    @property
    def is_being_pushed(self) -> bool:
        """Return whether its workflow is sending it to the ERP, or waits for a person because that failed."""
        return self in (BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING)

    @property
    def is_before_erp(self) -> bool:
        """Return whether the ERP has not confirmed it yet: its own workflow decides what becomes of it."""
        return self.is_waiting or self.is_being_pushed or self in (BillStatus.DISPUTED, BillStatus.DRAFT)

    @property
    def is_unsent(self) -> bool:
        """Return whether certainly nothing of it was sent, unless its first attempt is running at this moment."""
        return self.is_waiting or self is BillStatus.PENDING_PUSH

    @property
    def is_payable(self) -> bool:
        """Return whether the ERP holds it and it is not paid in full."""
        return self in (BillStatus.SYNCED, BillStatus.SCHEDULED, BillStatus.PARTIALLY_PAID)

    @property
    def is_void(self) -> bool:
        """Return whether it counts for nothing: abandoned before it was sent, or deleted in the ERP."""
        return self in (BillStatus.ABANDONED, BillStatus.DELETED)

    @property
    def takes_nothing(self) -> bool:
        """Return whether it takes nothing of an order now: void, disputed, or a draft."""
        return self.is_void or self in (BillStatus.DISPUTED, BillStatus.DRAFT)

    @property
    def is_closed(self) -> bool:
        """Return whether it is paid in full or void: its workflow has ended or is about to."""
        return self is BillStatus.PAID or self.is_void


class ErpBill(Record):
    """A bill as the ERP holds it: the payable made from a document, or one that was typed in directly."""

    erp_id: ErpId
    kind: BillKind = BillKind.BILL
    number: str
    vendor_id: str
    order_document: DocumentId | None = None
    """The order that the ERP itself links it to; it wins over `reference` (ruling G8)."""
    receipt_document: DocumentId | None = None
    """Set when the bill was converted from a receipt and therefore has no direct link to the order (S1-20)."""
    reference: str | None = None
    """The reference number, in which people enter the order's number (S4-64)."""
    source_document: DocumentId | None = None
    """The document that it was made from, if that is another record than the payable."""
    external_key: ExternalKey | None = None
    """Our key, if the bill is one of ours."""
    bill_date: date
    due_date: date | None = None
    currency: str
    entity: str | None = None
    """The entity that it was made in; None: the ERP does not say, or it was made at the top level."""
    total: Decimal
    paid: Decimal
    due: Decimal
    state: str
    rejected: bool = False
    """True: its state says that it bills nothing (rejected, cancelled, voided)."""
    memo: str = ""
    reversed: bool = False
    """It was reversed there, or is the entry that reverses another one: it bills nothing, for good."""
    revision: str
    lines: tuple["ErpBillLine", ...] = ()
    items_name_order_lines: bool = False
    """Its lines name no order lines; those of an item are for the order's lines of that item, in their sequence."""
    applied: tuple["ErpPaymentShare", ...] = ()
    """For a credit: the bills whose amount due it reduces, and by how much."""
    credits_payable: ErpId | None = None
    """For a credit: the bill that it was made from, where the ERP itself names one."""


class ErpBillLine(Record):
    """One line of a bill in the ERP."""

    line_no: int
    account: str | None = None
    item_id: str | None = None
    description: str = ""
    quantity: Decimal | None = None
    amount: Decimal
    order_line: ErpId | None = None
    """The purchase order line that it bills, if the ERP says so."""
    source_line: ErpId | None = None
    """The line it was converted from: an order line or a receipt line."""
    order_document: DocumentId | None = None
    """The order of `order_line`, when a bill has lines of several orders; None: the bill's own order."""


class BillLineSource(Record):
    """The record line that one bill line is converted from: a line of the order, or of a receipt of that order."""

    document_id: DocumentId
    line: ErpId
    is_billed: bool = False
    """The ERP keeps it as billed by an earlier generation of the bill, which was credited: it converts it no second
    time, so the line stands beside the order there."""


class BillLineToPush(Record):
    """One line of a bill to push (S5-143..151)."""

    line_no: int
    item_id: str
    description: str
    quantity: Decimal
    unit: str
    amount: Decimal
    """The line's net amount in the bill's currency. It is what counts: price times quantity comes to it, rounded."""
    price: Decimal | None = None
    """The bill's own price per `unit`, as it was written; None, or one that does not come to the amount: the ERP's
    price is amount / quantity (S5-147, ruling G12)."""
    order_quantity: Decimal | None = None
    """The quantity in the order line's unit, rounded down, if `unit` is another one: for an ERP that bills an order
    line in its own unit only."""
    order_unit: str | None = None
    order_line: ErpId
    by_amount: bool = False
    """True: the order line is billed by its amount alone; the quantity says nothing."""
    source: BillLineSource
    entity: str | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    custom: Mapping[str, str] = {}
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    edited: frozenset[str] = frozenset()
    """Fields changed by an edit after the push: only these are sent and compared, so what people changed in the ERP
    stays."""


class AccountLineToPush(Record):
    """A line to push that bills no order line: an amount on a GL account (S1-28, S5-66..68)."""

    line_no: int
    """The bill line's own number."""
    account: str
    item_id: str | None = None
    """The item that stands for the account, for an ERP whose purchasing lines take items only."""
    description: str = ""
    amount: Decimal
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    custom: Mapping[str, str] = {}
    edited: frozenset[str] = frozenset()
    """As on `BillLineToPush`."""


class ChargeKind(StrEnum):
    """Kind of money on a bill that belongs to no line of its order.

    The rules count freight, surcharges and others as charges.
    """

    FREIGHT = "freight"
    SURCHARGE = "surcharge"
    OTHER = "other"
    TAX = "tax"
    DISCOUNT = "discount"


class ChargeToPush(Record):
    """One amount on a bill that belongs to no line; a discount is below zero."""

    kind: ChargeKind
    amount: Decimal
    description: str = ""


class BillToPush(Record):
    """A bill to push, complete: nothing is looked up while it is sent."""

    external_key: ExternalKey
    vendor_id: str
    number: str
    """The supplier's invoice number."""
    order_document: DocumentId
    order_number: str
    owner_entity: str | None = None
    bill_date: date
    posting_date: date
    due_date: date | None = None
    """None: nobody knows it, and the ERP works it out by the term."""
    approved_on: date | None = None
    """The day of its approval, where the connection is; None: it is not approved, or needs no approval."""
    term: str | None = None
    """The order's payment term, as the ERP names it; sent where there is no due date."""
    currency: str
    memo: str = ""
    total: Decimal
    """The sum of the lines and the charges, in `currency`."""
    lines: tuple[BillLineToPush, ...]
    account_lines: tuple[AccountLineToPush, ...] = ()
    """Lines of the supplier's invoice that are on no order."""
    charges: tuple[ChargeToPush, ...] = ()
    """In the order in which they were entered; tax and discount come last."""
    edited: frozenset[str] = frozenset()
    """Header fields changed by an edit, as on a line; empty here and on every line: it is not an edit. `approval`: it
    was a draft, and is released now."""
    earlier: tuple[DocumentId, ...] = ()
    """Its earlier generations, which were taken back: what the ERP still shows of them is not this bill."""
    draft: bool = False
    """As on `DirectBillToPush`; an order's bill only where its connection says so."""
    may_repeat_number: bool = False
    """A person decided that the ERP may have a further document with this number."""
    seen_as: str | None = None
    """The revision in which the ERP last showed it; None: it has not."""

    @property
    def is_edit(self) -> bool:
        """Return whether it is an edit of a bill that the ERP already holds."""
        return (
            bool(self.edited)
            or any(line.edited for line in self.lines)
            or any(line.edited for line in self.account_lines)
        )


class DirectBillToPush(Record):
    """A bill without an order to push, complete: nothing is looked up while it is sent."""

    external_key: ExternalKey
    vendor_id: str
    number: str
    """The supplier's invoice number."""
    entity: str | None = None
    """The entity that it belongs to; None: the company has none, or it is kept at its top level."""
    bill_date: date
    posting_date: date
    due_date: date | None = None
    """None: nobody knows it, and the ERP works it out by the term."""
    approved_on: date | None = None
    """The day of its approval, where the connection is; None: it is not approved, or needs no approval."""
    term: str | None = None
    """The payment term, as the ERP names it; sent where there is no due date."""
    currency: str
    memo: str = ""
    total: Decimal
    """The sum of the lines and the charges, in `currency`."""
    lines: tuple[AccountLineToPush, ...]
    charges: tuple[ChargeToPush, ...] = ()
    """As on `BillToPush`."""
    generation: int = 1
    """How often it was made: an earlier one, which was taken back, may still have its number in the ERP."""
    draft: bool = False
    """True: it is not approved yet, so the ERP is to keep it as a draft, which posts nothing and is not paid."""
    edited: frozenset[str] = frozenset()
    """As on `BillToPush`. `approval`: it was a draft, and is released now."""

    @property
    def is_edit(self) -> bool:
        """Return whether it is an edit of a bill that the ERP already holds."""
        return bool(self.edited) or any(line.edited for line in self.lines)


class PushedBill(Record):
    """The bill that the ERP holds under our key, as read back after the write (DESIGN section 5, steps 4 and 5)."""

    erp_id: ErpId
    """The vendor invoice's own record."""
    document_id: DocumentId
    payable_id: ErpId | None
    """The bill behind the document, which payments apply to; changes when the document is edited (field note U-8)."""
    total: Decimal
    revision: str
    linked: bool
    """Whether every line is really linked to its order line in the ERP; True for a bill without an order."""
    due_date: date | None = None
    """When the ERP says it is due; None: it does not say."""
    differences: tuple[str, ...] = ()
    """Sentences that say how the ERP's bill differs from what we sent; empty when both agree."""
    snapshot: PurchaseOrderSnapshot | None = None
    """The order as read in the same call, if that needs no further call."""


ErpBill.model_rebuild()
