"""What a match looks at: the orders of one bill and the bill, as they stood at one moment.

The caller fills in what it knows. None always means "not known" and leaves out the check that would need it.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from matching.exact import ZERO
from matching.ledger import LineLedger
from matching.receipts import ReceiptLineToBill
from matching.units import UnitFactor
from models.domain import ConnectionId, DocumentId, ErpId, MatchingStatus, PoStatus, PurchaseOrderId, Record


class Basis(StrEnum):
    """How a line is judged: by quantity and price, or by its amount alone (services, blanket orders)."""

    QUANTITY = "quantity"
    AMOUNT = "amount"


class OrderLineToMatch(Record):
    """One line of the order. `closed` means that the ERP closed this line; the order may still be open."""

    line_no: int
    item_id: str
    unit: str
    price: Decimal
    """Per `unit`, in the order's currency."""
    ledger: LineLedger
    """In `unit`; of a line whose basis is the amount, in money."""
    closed: bool = False
    basis: Basis = Basis.QUANTITY
    category: str | None = None
    """The item's category, for policies on one."""
    item_name: str = ""
    """What people call the item, where its id says little."""
    units: tuple[UnitFactor, ...] = ()
    """Other units a bill may use for this line, as fractions of `unit`."""
    ends_on: date | None = None
    """The last bill date a blanket line takes."""
    release_cap: Decimal | None = None
    """The most that one bill may take of a blanket line, in money."""
    erp_id: ErpId | None = None
    receipts: tuple[ReceiptLineToBill, ...] = ()
    """The receipts of this line, where the ERP converts bills from them."""

    @property
    def item(self) -> str:
        """The item in words: its id, and its name where there is another."""
        return _in_words(self.item_id, self.item_name)


def _in_words(id: str, name: str) -> str:
    return f"{id}, {name}" if name not in ("", id) else id


class OrderToMatch(Record):
    """An order as the mirror holds it. The caller holds its lines locked while it matches and saves."""

    id: PurchaseOrderId
    number: str
    snapshot: int
    """Which of the contents we held; with the number it names what was matched against."""
    vendor_id: str
    currency: str | None
    entity: str | None
    """None where the ERP keeps the order at its top level; any entity may then bill it."""
    status: PoStatus
    matching_status: MatchingStatus
    lines: tuple[OrderLineToMatch, ...]
    continued_by: str | None = None
    """Number of the back order that goes on with what was left of this one (S5-25)."""
    document_id: DocumentId | None = None
    total: Decimal | None = None
    """The goods ordered, in money, without tax and charges."""
    billed_amount: Decimal = ZERO
    """The goods billed on it so far, in money, credits taken off, without the bill that is being matched."""
    billed_charges: Mapping[str, Decimal] = {}
    """Charges billed on it so far, by class, without the bill that is being matched (H02)."""
    tax: Decimal | None = None
    """The tax the ERP expects on the whole order."""
    vendor_name: str = ""
    """What people call the vendor, where its id says little."""

    @property
    def vendor(self) -> str:
        """The vendor in words: its id, and its name where there is another."""
        return _in_words(self.vendor_id, self.vendor_name)


class BillLineToMatch(Record):
    """One line of the bill, against one line of one order. The supplier's figures, never adjusted."""

    line_no: int
    purchase_order_id: PurchaseOrderId
    order_line_no: int
    quantity: Decimal
    """In `unit`. On an amount-only line it does not count."""
    price: Decimal
    """Per `unit`."""
    amount: Decimal
    unit: str = ""
    """Blank: the order line's unit."""


class ChargeToMatch(Record):
    """A charge that is on no order line: freight, a surcharge ..."""

    charge_class: str
    amount: Decimal


class KeptBill(Record):
    """A bill kept already that this one may repeat or collide with; the caller leaves out the bill itself."""

    name: str
    """How a person finds it: our id or the ERP's number."""
    vendor_id: str
    number: str
    bill_date: date | None = None
    total: Decimal | None = None
    reference: str | None = None
    """The reference the ERP holds for it, perhaps cut to the ERP's length (H05)."""


class VendorState(StrEnum):
    """What the ERP's vendor list says of the bill's vendor."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    INACTIVE = "inactive"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """Not in the list at all."""


class BillToMatch(Record):
    """A bill about to be saved, or a saved one looked at again."""

    connection_id: ConnectionId | None = None
    """For policies of one connection."""
    vendor_id: str
    number: str
    currency: str | None
    entity: str | None
    lines: tuple[BillLineToMatch, ...]
    bill_date: date | None = None
    posting_date: date | None = None
    total: Decimal | None = None
    """What the supplier wrote as the total to pay."""
    tax: Decimal | None = None
    expected_tax: Decimal | None = None
    """Where a tax engine or the caller says it; else it is the orders' tax, by share of the goods billed."""
    discount: Decimal = ZERO
    """Taken off the total; zero or more."""
    charges: tuple[ChargeToMatch, ...] = ()
    vendor_state: VendorState | None = None
    closed_through: date | None = None
    """The last day of the closed periods of the entity the bill posts to."""
    kept: tuple[KeptBill, ...] = ()
    """Bills with the same number key, or the same total within some days, or the same reference as cut by the ERP."""
    reference: str | None = None
    """What the ERP will hold as the bill's reference, in full."""
    reference_length: int | None = None
    """How many characters of it the ERP keeps; None: all."""
    bill_in_advance: bool | None = None
    """Whether the ERP takes a bill before the goods (NetSuite: Bill in Advance of Receipt); None: not known."""
    other_vendors: bool = True
    """Whether the ERP links a bill to an order of another vendor."""
    several_sources: bool = True
    """Whether the ERP converts one bill from several documents (field note U-22)."""
    vendor_name: str = ""
    """What people call the vendor, where its id says little."""

    @property
    def vendor(self) -> str:
        """The vendor in words: its id, and its name where there is another."""
        return _in_words(self.vendor_id, self.vendor_name)
