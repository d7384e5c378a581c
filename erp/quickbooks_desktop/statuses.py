"""Translate the statuses of orders and receipts (reference 3.1).

QuickBooks has no status of an order: it has two flags on its head and quantities on its lines. Our text names what they
say.
"""

from collections.abc import Mapping

from erp.quickbooks_desktop import wire
from erp.quickbooks_desktop.wire import Source
from erp.roles.orders import Statuses
from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrderLine
from models.domain.receipts import ReceiptStatus

OPEN = "Open"
PARTLY = "Open, partly received"
RECEIVED = "Received in full"
ON_RECEIPTS = "Received in full, on item receipts"
"""With ordinary receiving: the goods are here, and a part of them is not billed."""
CLOSED = "Closed"

ORDER_STATUSES: Mapping[str, Statuses] = {
    OPEN: Statuses(PoStatus.UNFILLED, MatchingStatus.ACTIVE),
    PARTLY: Statuses(PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED),
    RECEIVED: Statuses(PoStatus.FILLED, MatchingStatus.CLOSED),
    ON_RECEIPTS: Statuses(PoStatus.FILLED, MatchingStatus.ACTIVE),
    CLOSED: Statuses(PoStatus.CLOSED, MatchingStatus.CLOSED),
}

RECEIVED_NOT_BILLED = ORDER_STATUSES[ON_RECEIPTS]
"""An order received in full where receipts do not bill: what is received may be billed still."""

RECEIPT = "Received"


def order_statuses(erp_status: str, mode: MatchMode, *, enhanced: bool) -> Statuses | None:
    """Return both meanings of an order's status, or None for a status that the table does not have. With enhanced
    receiving an order that was received in full is still to be billed."""
    if enhanced and erp_status == RECEIVED:
        return RECEIVED_NOT_BILLED
    return ORDER_STATUSES.get(erp_status)


def receipt_status(erp_status: str) -> ReceiptStatus | None:
    """Return the meaning of a receipt's status."""
    return ReceiptStatus.ACTIVE if erp_status == RECEIPT else None


def order_status(order: Source, *, received: bool, on_receipts: bool) -> str:
    """Return the text of an order's status. `received`: something of a line was; `on_receipts`: item receipts stand for
    bills, and some are linked to it."""
    if wire.flag(order, "IsManuallyClosed"):
        return CLOSED
    if wire.flag(order, "IsFullyReceived"):
        return ON_RECEIPTS if on_receipts else RECEIVED
    return PARTLY if received else OPEN


def is_billed(line: PurchaseOrderLine) -> bool:
    """Return whether everything of a line is billed."""
    return line.billed >= line.quantity
