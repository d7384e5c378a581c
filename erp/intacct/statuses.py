"""Translate Intacct's document states. The tables are keyed by the label."""

from collections.abc import Mapping

from erp.roles.orders import Statuses
from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus
from models.domain.receipts import ReceiptStatus

CODES: Mapping[str, str] = {
    "I": "draft",
    "S": "submitted",
    "X": "partially approved",
    "A": "approved",
    "R": "declined",
    "O": "pending",
    "G": "in progress",
    "P": "partially converted",
    "C": "converted",
    "D": "closed",
}
"""Stored codes, which some answers show instead of labels (reference 2.6)."""

# Approved is convertible like Pending (reference 2.6), but by the requirements no approval status syncs
# (S4-61), so a person does not see it; for matching it is one more approval state on the way to Pending.
ORDER_STATUSES: Mapping[str, Mapping[MatchMode, Statuses]] = {
    label: {MatchMode.TWO_WAY: Statuses(po, two_way), MatchMode.THREE_WAY: Statuses(po, three_way)}
    for label, po, two_way, three_way in (
        ("draft", None, MatchingStatus.PENDING_APPROVAL, MatchingStatus.PENDING_APPROVAL),
        ("submitted", None, MatchingStatus.PENDING_APPROVAL, MatchingStatus.PENDING_APPROVAL),
        ("partially approved", None, MatchingStatus.PENDING_APPROVAL, MatchingStatus.PENDING_APPROVAL),
        ("approved", None, MatchingStatus.PENDING_APPROVAL, MatchingStatus.PENDING_APPROVAL),
        ("declined", None, MatchingStatus.DELETED, MatchingStatus.DELETED),
        ("pending", PoStatus.UNFILLED, MatchingStatus.ACTIVE, MatchingStatus.ACTIVE),
        ("in progress", PoStatus.UNFILLED, MatchingStatus.ACTIVE, MatchingStatus.ACTIVE),
        ("partially converted", PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED, MatchingStatus.ACTIVE),
        ("converted", PoStatus.FILLED, MatchingStatus.CLOSED, MatchingStatus.ACTIVE),
        ("closed", PoStatus.CLOSED, MatchingStatus.CLOSED, MatchingStatus.CLOSED),
    )
}

RECEIPT_STATUSES: Mapping[str, ReceiptStatus] = {
    "draft": ReceiptStatus.ACTIVE,
    "pending": ReceiptStatus.ACTIVE,
    "in progress": ReceiptStatus.ACTIVE,
    "partially converted": ReceiptStatus.ACTIVE,
    "closed": ReceiptStatus.CLOSED,
    "converted": ReceiptStatus.CLOSED,
    "declined": ReceiptStatus.DELETED,
}

OPEN_STATES: Mapping[MatchMode, tuple[str, ...]] = {
    MatchMode.TWO_WAY: ("Pending", "In Progress", "Partially Converted"),
    # An order that was converted to a receipt has still to be billed (S5-109).
    MatchMode.THREE_WAY: ("Pending", "In Progress", "Partially Converted", "Converted"),
}
"""The states that a first import takes."""

IN_APPROVAL = ("Draft", "Submitted", "Partially Approved", "Approved")
"""The states that a first import takes besides, where the connection shows orders that are not approved."""

IN_USE = ("In Progress", "G")
"""The states of a document of which a draft is made, by label and by code: Intacct converts nothing else of it."""

SETTLED_PAYMENT_STATES = frozenset({"c", "complete", "completed", "confirmed", "posted", "paid", "reconciled"})
"""Payment states that need nothing more in Intacct (reference 3.6). Labels vary by release, so both sets are here."""

DEAD_BILL_STATES = frozenset({"reversed", "reversal"})
"""States of a bill that was reversed, which keeps its vendor and number, and of its mirror (reference 2.9)."""

VOID_PAYMENT_STATES = frozenset({"v", "void", "voided", "reversed"})


def order_statuses(erp_status: str, mode: MatchMode, *, shows_unapproved: bool = False) -> Statuses | None:
    """Return both meanings of an order's state, or None for a state that the tables do not have."""
    by_mode = ORDER_STATUSES.get(_label(erp_status))
    if by_mode is None:
        return None
    both = by_mode[mode]
    if shows_unapproved and both.matching is MatchingStatus.PENDING_APPROVAL:
        return both._replace(po=PoStatus.PENDING_APPROVAL)
    return both


def receipt_status(erp_status: str) -> ReceiptStatus | None:
    """Return the meaning of a receipt's state, or None for a state that the table does not have."""
    return RECEIPT_STATUSES.get(_label(erp_status))


def is_dead_bill(row: Mapping[str, str]) -> bool:
    """Return whether a row of APBILL is a reversed bill or the mirror of one."""
    return row.get("STATE", "").casefold() in DEAD_BILL_STATES


def _label(erp_status: str) -> str:
    return CODES.get(erp_status, erp_status.casefold())


WITHOUT_EFFECT = ("draft", "submitted", "partially approved", "declined")


def has_effect(row: Mapping[str, str]) -> bool:
    """Return whether a line of a document moves quantities: a draft, or one in approval, bills nothing yet."""
    return _label(row.get("STATE", "")) not in WITHOUT_EFFECT
