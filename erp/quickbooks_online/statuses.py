"""Translate the statuses of orders (reference 6.1, 6.2).

QuickBooks has two, Open and Closed; "partly" is read from what it says is billed per line. So our text of a status
names both: `Open`, `Open, partly billed`, `Closed, all billed`, `Closed`.
"""

from collections.abc import Iterable, Mapping

from erp.roles.orders import Statuses
from models.domain.connections import MatchMode
from models.domain.orders import LineBasis, MatchingStatus, PoStatus, PurchaseOrderLine

OPEN = "Open"
OPEN_PARTLY = "Open, partly billed"
CLOSED_ALL = "Closed, all billed"
CLOSED = "Closed"

ORDER_STATUSES: Mapping[str, Statuses] = {
    OPEN: Statuses(PoStatus.UNFILLED, MatchingStatus.ACTIVE),
    OPEN_PARTLY: Statuses(PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED),
    CLOSED_ALL: Statuses(PoStatus.FILLED, MatchingStatus.CLOSED),
    CLOSED: Statuses(PoStatus.CLOSED, MatchingStatus.CLOSED),
}


def order_statuses(erp_status: str, mode: MatchMode) -> Statuses | None:
    """Return both meanings of an order's status, or None for a status that the table does not have. There are no
    receipts, so the match mode changes nothing."""
    return ORDER_STATUSES.get(erp_status)


def order_status(said: str, lines: Iterable[PurchaseOrderLine]) -> str:
    """Return the text of an order's status: QuickBooks' own, and what it says is billed. One that we do not know stays
    as it is."""
    lines = list(lines)
    if said == "Open":
        return OPEN_PARTLY if any(line.billed or line.billed_amount for line in lines) else OPEN
    if said == "Closed":
        return CLOSED_ALL if all(map(is_billed, lines)) else CLOSED
    return said or "no status"


def is_billed(line: PurchaseOrderLine) -> bool:
    """Return whether everything of a line is billed."""
    if line.basis is LineBasis.QUANTITY:
        return line.billed >= line.quantity
    return line.billed_amount >= line.amount


def lags(erp_status: str, lines: Iterable[PurchaseOrderLine]) -> bool:
    """Return whether the order's status has not followed its lines yet: all of them are billed, and it is still
    open."""
    lines = [line for line in lines if not line.closed]
    return erp_status in (OPEN, OPEN_PARTLY) and bool(lines) and all(map(is_billed, lines))
