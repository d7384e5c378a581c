"""Define what a match looks at: a bill and its orders, as they were at one moment.

The caller fills in what it knows. None always means "not known", and leaves out the check that would need it.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from matching.kernel.exact import ZERO
from matching.kernel.ledger import LineLedger
from matching.kernel.receipts import ReceiptLineToBill
from matching.kernel.units import UnitFactor
from models.domain.bills import BillMatchMode
from models.domain.ids import BillId, ConnectionId, DocumentId, ErpId, PurchaseOrderId
from models.domain.orders import MatchingStatus, PoStatus
from models.domain.record import Record


class Basis(StrEnum):
    """How a line is matched: by quantity and price, or by its amount alone (services, blanket orders)."""

    QUANTITY = "quantity"
    AMOUNT = "amount"


class OrderLineToMatch(Record):
    """One line of the order. `closed` means that the ERP closed this line; the order itself may still be open."""

    line_no: int
    item_id: str
    unit: str
    price: Decimal
    """Per `unit`, in the order's currency."""
    ledger: LineLedger
    """In `unit`; for a line whose basis is the amount, in money."""
    closed: bool = False
    basis: Basis = Basis.QUANTITY
    category: str | None = None
    """The item's category, for policies on a category."""
    item_name: str = ""
    """The name people use for the item, if its id says little."""
    units: tuple[UnitFactor, ...] = ()
    """Other units that a bill may use for this line, each as a fraction of `unit`."""
    ends_on: date | None = None
    """The last bill date that a blanket line accepts."""
    release_cap: Decimal | None = None
    """The most that one bill may take of a blanket line, in money."""
    erp_id: ErpId | None = None
    known_as: int | None = None
    """The line's number when the bill was first matched with it, if it has another one now: findings keep their ids,
    and with them people's decisions, whatever is inserted or deleted in the ERP's order."""
    receipts: tuple[ReceiptLineToBill, ...] = ()
    """The receipts of this line, if the ERP converts bills from receipts."""

    @property
    def first_no(self) -> int:
        """Return the line's number when the bill was first matched with it."""
        return self.known_as or self.line_no

    @property
    def item(self) -> str:
        """Return the item in words: its id, and its name if it has another one."""
        return _in_words(self.item_id, self.item_name)

    @property
    def deducts(self) -> bool:
        """Return whether the line takes money off the order: a rebate, a discount."""
        return (self.price if self.basis is Basis.QUANTITY else self.ledger.effective_ordered) < 0


def _in_words(id: str, name: str) -> str:
    return f"{id}, {name}" if name not in ("", id) else id


class OrderToMatch(Record):
    """An order as the mirror holds it. The caller keeps its lines locked while it matches and saves."""

    id: PurchaseOrderId
    number: str
    snapshot: int
    """The number of the mirrored contents; together with the order's number it names what was matched against."""
    vendor_id: str
    currency: str | None
    entity: str | None
    """None: the ERP keeps the order at its top level, and any entity may bill it."""
    status: PoStatus
    matching_status: MatchingStatus
    lines: tuple[OrderLineToMatch, ...]
    left_out: str = ""
    """Why the order stays out of the mirror from now on; empty: it does not. It takes no bill then."""
    in_use: str = ""
    """What draft is made of the order in the ERP, in words: nothing else can be made of it until that is posted or
    gone. Empty: none."""
    continued_by: str | None = None
    """The number of the back order that continues what was left of this one."""
    document_id: DocumentId | None = None
    total: Decimal | None = None
    """The value of the goods ordered, in money, without tax and charges."""
    billed_amount: Decimal = ZERO
    """The value of the goods billed on it so far, in money, less credits, without the bill that is being matched."""
    billed_charges: Mapping[str, Decimal] = {}
    """Charges billed on it so far, in money by class, without the bill that is being matched."""
    tax: Decimal | None = None
    """The tax that the ERP expects on the whole order, in money."""
    vendor_name: str = ""
    """The name people use for the vendor, if its id says little."""

    @property
    def vendor(self) -> str:
        """Return the vendor in words: its id, and its name if it has another one."""
        return _in_words(self.vendor_id, self.vendor_name)


class BillLineToMatch(Record):
    """One line of the bill, against one line of one order. The figures are the supplier's and are never adjusted."""

    line_no: int
    purchase_order_id: PurchaseOrderId
    order_line_no: int
    quantity: Decimal
    """In `unit`; ignored on a line that is billed by amount."""
    price: Decimal
    """Per `unit`."""
    amount: Decimal
    unit: str = ""
    """Blank: the order line's unit."""
    item_id: str | None = None
    """The item that the order line had when the bill was entered; None: as it has now."""
    substitute: str | None = None
    """The item that the supplier billed in the place of the order line's; None: that item itself."""
    all_given: bool = False
    """True: quantity, price and amount are all the supplier's own. Only then can their arithmetic be checked."""


class AccountLineToMatch(Record):
    """A line of the bill that is on no order: an amount on a GL account."""

    line_no: int
    account: str
    amount: Decimal


class ChargeToMatch(Record):
    """A charge that is on no order line: freight, a surcharge and the like."""

    charge_class: str
    amount: Decimal


class DuplicateCandidate(Record):
    """A stored bill that the new one may repeat or collide with. The caller leaves out the bill itself."""

    name: str
    """The name under which a person finds it: our id or the ERP's number."""
    vendor_id: str
    number: str
    bill_date: date | None = None
    total: Decimal | None = None
    reference: str | None = None
    """The reference that the ERP holds for it, which may be cut to the ERP's length."""
    same_invoice: bool = False
    """True: it was entered as another part of the same supplier invoice, so it is no duplicate."""


class VendorState(StrEnum):
    """What the ERP's vendor list says of the bill's vendor."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    INACTIVE = "inactive"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """The vendor is not in the list."""


class BillToMatch(Record):
    """A bill about to be saved, or a saved one that is matched again."""

    connection_id: ConnectionId | None = None
    """For policies of one connection."""
    vendor_id: str
    number: str
    currency: str | None
    entity: str | None
    lines: tuple[BillLineToMatch, ...]
    account_lines: tuple[AccountLineToMatch, ...] = ()
    """Lines on no order. A bill without an order has only such."""
    bill_date: date | None = None
    posting_date: date | None = None
    due_date: date | None = None
    """The due date that the supplier wrote."""
    term: str | None = None
    """The payment term that the caller gave."""
    due_known: bool | None = None
    """False: nobody knows when it is due, neither by a date nor by a payment term, and the ERP takes no such bill."""
    entered_on: date | None = None
    """The day the bill was entered here; its dates are compared with it."""
    total: Decimal | None = None
    """The total to pay that the supplier wrote."""
    tax: Decimal | None = None
    expected_tax: Decimal | None = None
    """The tax that a tax engine or the caller expects; None: the orders' tax, by the share of their goods that is
    billed."""
    discount: Decimal = ZERO
    """Taken off the total, in money; zero or more."""
    charges: tuple[ChargeToMatch, ...] = ()
    vendor_state: VendorState | None = None
    closed_through: date | None = None
    """The last day of the closed periods of the entity that the bill posts to."""
    kept: tuple[DuplicateCandidate, ...] = ()
    """Stored bills whose number has the same parts or the same key, or with the same total within some days, or with
    the same reference after the ERP has cut it."""
    part_of: BillId | None = None
    """The first of several bills that one supplier invoice was entered as; None: this is the first or the only one."""
    reference: str | None = None
    """The reference that the bill gets in the ERP, in full."""
    reference_length: int | None = None
    """How many characters of the reference the ERP keeps; None: all."""
    bill_in_advance: bool | None = None
    """True: the ERP takes a bill before the goods are received. None: not known."""
    other_vendors: bool = True
    """True: the ERP links a bill to an order of another vendor."""
    match_mode: BillMatchMode | None = None
    """How a person chose to have it matched; None: as policies and the connection say."""
    small_bills_near: Decimal | None = None
    """What the vendor's other bills come to that were not matched because they are small, dated within
    `modes.SMALL_BILL_DAYS` of this one; None: no policy asks."""
    receipts_come_in: bool = True
    """False: the connection has no receipts, so nothing can be matched 3-way."""
    several_sources: bool = True
    """True: the ERP converts one bill from several documents."""
    vendor_name: str = ""
    """The name people use for the vendor, if its id says little."""

    @property
    def vendor(self) -> str:
        """Return the vendor in words: its id, and its name if it has another one."""
        return _in_words(self.vendor_id, self.vendor_name)
