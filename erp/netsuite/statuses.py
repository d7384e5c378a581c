"""What NetSuite's order and document statuses mean (S4-49..54, ruling G3; reference 4.1). Tables, by display word."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from erp.connector import Statuses
from models.domain import LineBasis, MatchingStatus, MatchMode, PoStatus, PurchaseOrder, Receipt, ReceiptStatus

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
"""An order's `orderStatus` to its display word. The display text itself follows the user's language, so the enum is
what counts where an answer has it."""

_SAME_IN_BOTH: Mapping[str, tuple[PoStatus | None, MatchingStatus]] = {
    "pending supervisor approval": (None, MatchingStatus.PENDING_APPROVAL),
    "planned": (None, MatchingStatus.PENDING_APPROVAL),
    "rejected by supervisor": (None, MatchingStatus.DELETED),
    "pending receipt": (PoStatus.UNFILLED, MatchingStatus.ACTIVE),
    # Received more than billed: something is to be billed in either mode.
    "pending billing/partially received": (PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    "pending bill": (PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    "pending billing": (PoStatus.PARTIALLY_FILLED, MatchingStatus.ACTIVE),
    "fully billed": (PoStatus.FILLED, MatchingStatus.CLOSED),
    "billed": (PoStatus.FILLED, MatchingStatus.CLOSED),
    # Not a word of NetSuite's own list, but one of the requirements' (S4-53): all is there, and may be billed.
    "received": (PoStatus.FILLED, MatchingStatus.ACTIVE),
    "closed": (PoStatus.CLOSED, MatchingStatus.CLOSED),
}

ORDER_STATUSES: Mapping[str, Mapping[MatchMode, Statuses]] = {
    **{word: dict.fromkeys(MatchMode, Statuses(po, matching)) for word, (po, matching) in _SAME_IN_BOTH.items()},
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
"""The search's words for what a first import takes (S1-14, S1-15), the same in both modes."""

RECEIVED = "Received"
"""An item receipt has no status of its own (reference 4): that it is there says it all."""

DEAD_BILLS = frozenset({"rejected", "cancelled", "voided"})
"""States of a bill that bills nothing."""

PENDING_BILLS = frozenset({"pending approval"})
"""States of a bill that may not count as billed yet (reference 5.1)."""

VOID_PAYMENTS = frozenset({"voided", "rejected", "declined"})

WAITING_PAYMENTS = frozenset(
    {"pending approval", "in transit", "online bill pay pending accounting approval", "bill pay pending approval"}
)
"""States in which NetSuite keeps a payment waiting (S2-38); any other has been posted."""


def order_statuses(erp_status: str, mode: MatchMode) -> Statuses | None:
    """Both meanings of an order's status, or None for a word the table does not know."""
    by_mode = ORDER_STATUSES.get(erp_status.casefold())
    return None if by_mode is None else by_mode[mode]


OPEN = frozenset({"pending receipt", "partially received", "pending billing/partially received", "pending bill"})


def lags(order: PurchaseOrder, receipts: Iterable[Receipt]) -> bool:
    """Whether the order's status has not followed its quantities yet: all of it is received and billed, and it is open.
    What came beyond the order may have to be billed first (S4-15): until it is, the order may stay open.

    The word is never worked out here (S4-60); this only says that it will change, so that it is read again (S4-67).
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
    return ReceiptStatus.ACTIVE if erp_status == RECEIVED else None
