"""What a match looks at: one order and one bill, as they stood at one moment."""

from decimal import Decimal

from matching.ledger import LineLedger
from models.domain import MatchingStatus, PoStatus, Record


class OrderLineToMatch(Record):
    """One line of the order. `closed` means that the ERP closed this line; the order may still be open."""

    line_no: int
    item_id: str
    unit: str
    price: Decimal
    ledger: LineLedger
    closed: bool = False


class OrderToMatch(Record):
    """An order as the mirror holds it. The caller holds its lines locked while it matches and saves."""

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
    receipts: tuple[str, ...] = ()
    """Names of the receipts inside `received`, for the record only."""
    continued_by: str | None = None
    """Number of the back order that goes on with what was left of this one (S5-25)."""


class BillLineToMatch(Record):
    """One line of the bill, against one line of the order. The supplier's figures, never adjusted."""

    line_no: int
    order_line_no: int
    quantity: Decimal
    price: Decimal
    amount: Decimal


class BillToMatch(Record):
    """A bill about to be saved."""

    vendor_id: str
    number: str
    currency: str | None
    entity: str | None
    lines: tuple[BillLineToMatch, ...]
    duplicates: tuple[str, ...] = ()
    """Bills already kept from this vendor whose number has the same `number_key`, without this bill itself."""
