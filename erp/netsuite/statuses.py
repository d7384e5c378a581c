"""Translate NetSuite's order and document statuses (reference 4.1). The tables are keyed by the displayed text."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from erp.roles.orders import Statuses
from models.domain.connections import MatchMode
from models.domain.orders import LineBasis, MatchingStatus, PoStatus, PurchaseOrder
from models.domain.receipts import Receipt, ReceiptStatus

WORDS: Mapping[str, str] = {
    "_pendingSupervisorApproval": "Pending Supervisor Approval",
    "_pendingReceipt": "Pending Receipt",
    "_rejectedBySupervisor": "Rejected by Supervisor",
    "_partiallyReceived": "Partially Received",
    "_pendingBillingPartiallyReceived": "Pending Billing/Partially Received",
    "_pendingBilling": "Pending Bill",
    "_fullyBilled": "Fully Billed",
    "_closed": "Closed",
}
"""An order's `orderStatus` to its displayed text. The text in an answer follows the user's language, so the enumeration
counts if an answer has it."""

_SAME_IN_BOTH: Mapping[str, tuple[PoStatus | None, MatchingStatus]] = {
    "pending supervisor approval": (None, MatchingStatus.PENDING_APPROVAL),
    "planned": (None, MatchingStatus.PENDING_APPROVAL),
    "rejected by supervisor": (None, MatchingStatus.DELETED),
    "pending receipt": (PoStatus.UNFILLED, MatchingStatus.ACTIVE),
    # More received than billed: there is something to bill in both modes.
    "pending billing/partially received": (PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    "pending bill": (PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    "pending billing": (PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    "fully billed": (PoStatus.FILLED, MatchingStatus.CLOSED),
    "billed": (PoStatus.FILLED, MatchingStatus.CLOSED),
    # Not in NetSuite's own list, but in the requirements (S4-53): everything is received and may be billed.
    "received": (PoStatus.FILLED, MatchingStatus.ACTIVE),
    "closed": (PoStatus.CLOSED, MatchingStatus.CLOSED),
}

ORDER_STATUSES: Mapping[str, Mapping[MatchMode, Statuses]] = {
    **{status: dict.fromkeys(MatchMode, Statuses(po, matching)) for status, (po, matching) in _SAME_IN_BOTH.items()},
    # Everything received so far is billed. By the order alone it is billed in part; with receipts it waits for more.
    "partially received": {
        MatchMode.TWO_WAY: Statuses(PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED),
        MatchMode.THREE_WAY: Statuses(PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    },
}

OPEN_STATES = (
    "_purchaseOrderPendingReceipt",
    "_purchaseOrderPartiallyReceived",
    "_purchaseOrderPendingBillingPartiallyReceived",
    "_purchaseOrderPendingBill",
)
"""The search's names of the states that a first import takes, the same in both match modes."""

IN_APPROVAL = ("_purchaseOrderPendingSupervisorApproval", "_purchaseOrderPlanned")
"""Those that it takes besides, where the connection shows orders that are not approved."""

RECEIVED = "Received"
"""The status we give an item receipt. It has none of its own (reference 4): if it exists, the goods are received."""

NOT_SENT_BACK = "Draft"
"""The status we give a return of which nothing has left: it counts for nothing yet."""

DEAD_BILLS = frozenset({"rejected", "cancelled", "voided"})
"""States of a bill that bills nothing."""

PENDING_BILLS = frozenset({"pending approval"})
"""States of a bill that may not count as billed yet (reference 5.1)."""

VOID_PAYMENTS = frozenset({"voided", "rejected", "declined"})

WAITING_PAYMENTS = frozenset(
    {"pending approval", "in transit", "online bill pay pending accounting approval", "bill pay pending approval"}
)
"""States in which NetSuite keeps a payment waiting; in any other the payment has been posted."""


def order_statuses(erp_status: str, mode: MatchMode, *, shows_unapproved: bool = False) -> Statuses | None:
    """Return both meanings of an order's status, or None for a status that the table does not have."""
    by_mode = ORDER_STATUSES.get(erp_status.casefold())
    if by_mode is None:
        return None
    both = by_mode[mode]
    if shows_unapproved and both.matching is MatchingStatus.PENDING_APPROVAL:
        return both._replace(po=PoStatus.PENDING_APPROVAL)
    return both


OPEN = frozenset({"pending receipt", "partially received", "pending billing/partially received", "pending bill"})


def lags(order: PurchaseOrder, receipts: Iterable[Receipt]) -> bool:
    """Return whether the order's status has not followed its quantities yet: everything is received and billed, and it
    is still open. What was received beyond the order may have to be billed first: until then the order may stay
    open.

    The status itself is never computed here. This only says that it will change, so that the order is read again.
    """
    if order.erp_status.casefold() not in OPEN:
        return False
    received: dict[str | None, Decimal] = defaultdict(Decimal)
    for receipt in receipts:
        for line in receipt.lines:
            received[line.order_line] += line.quantity
    awaited = [line for line in order.lines if not line.closed]
    return bool(awaited) and all(
        (
            line.billed >= max(line.quantity, received[line.erp_id])
            if line.basis is LineBasis.QUANTITY
            else line.billed_amount >= line.amount
        )
        and (not line.receivable or received[line.erp_id] >= line.quantity)
        for line in awaited
    )


def receipt_status(erp_status: str) -> ReceiptStatus | None:
    """Return the meaning of a receipt's status, or None for an unknown one."""
    return ReceiptStatus.ACTIVE if erp_status in (RECEIVED, NOT_SENT_BACK) else None
