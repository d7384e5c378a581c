"""What a bill's figures in the ERP make of its status."""

from decimal import Decimal

from models.domain import WAITING_FOR_A_PERSON, BillStatus

UNSURE = WAITING_FOR_A_PERSON | {BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING}
"""Its own workflow still settles what the ERP holds: figures are kept, the status is not touched from outside."""

OVER = frozenset({BillStatus.ABANDONED, BillStatus.DELETED})


def status_by_payment(now: BillStatus, total: Decimal, paid: Decimal, *, promised: bool) -> BillStatus:
    """The status once the ERP shows `paid` of `total`. `promised`: a payment of ours is still under way."""
    if now in UNSURE or now in OVER:
        return now
    if paid != 0 and abs(paid) >= abs(total):
        return BillStatus.PAID
    if paid != 0:
        return BillStatus.PARTIALLY_PAID
    if now in (BillStatus.PAID, BillStatus.PARTIALLY_PAID):
        return BillStatus.SCHEDULED if promised else BillStatus.SYNCED
    return now
