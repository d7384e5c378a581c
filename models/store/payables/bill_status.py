"""Derive a bill's status from its figures in the ERP."""

from decimal import Decimal

from models.domain.bills import BillStatus


def status_by_payment(now: BillStatus, total: Decimal, paid: Decimal, *, promised: bool) -> BillStatus:
    """Return the status once the ERP shows `paid` of `total`. `promised`: a payment of ours is in progress."""
    # Before the ERP and while it is taken back its own workflow settles it; nothing is paid on a void one.
    if now.is_before_erp or now.is_void or now is BillStatus.RETRACTING:
        return now
    if abs(paid) >= abs(total) and (paid != 0 or total == 0):  # a bill of nothing is settled as soon as it is there
        return BillStatus.PAID
    if paid != 0:
        return BillStatus.PARTIALLY_PAID
    if now in (BillStatus.PAID, BillStatus.PARTIALLY_PAID):
        return BillStatus.SCHEDULED if promised else BillStatus.SYNCED
    return now
