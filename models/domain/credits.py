"""Credits of vendors: what state one is in, as people see it."""

from enum import StrEnum

from models.domain.bills import BillStatus


class CreditStatus(StrEnum):
    """The status of a credit. From `open` on, the ERP holds it."""

    AWAITING_ACKNOWLEDGEMENT = "awaiting_acknowledgement"
    ON_HOLD = "on_hold"
    AWAITING_APPROVAL = "awaiting_approval"
    PENDING_PUSH = "pending_push"
    SYNC_ISSUE = "sync_issue"
    OPEN = "open"
    PARTIALLY_APPLIED = "partially_applied"
    APPLIED = "applied"
    RETRACTING = "retracting"
    ABANDONED = "abandoned"
    DELETED = "deleted"


_BY_BILL_STATUS = {
    BillStatus.AWAITING_PAYMENT: CreditStatus.AWAITING_APPROVAL,
    BillStatus.LINK_MISSING: CreditStatus.SYNC_ISSUE,
    BillStatus.SYNCED: CreditStatus.OPEN,
    BillStatus.SCHEDULED: CreditStatus.OPEN,
    BillStatus.PARTIALLY_PAID: CreditStatus.PARTIALLY_APPLIED,
    BillStatus.PAID: CreditStatus.APPLIED,
    BillStatus.DISPUTED: CreditStatus.ON_HOLD,
    BillStatus.DRAFT: CreditStatus.ON_HOLD,
}


def credit_status(stored: BillStatus) -> CreditStatus:
    """Return a credit's status; it is stored in the words of bills."""
    return _BY_BILL_STATUS[stored] if stored in _BY_BILL_STATUS else CreditStatus(stored.value)


def stored_statuses(wanted: CreditStatus) -> list[BillStatus]:
    """Return the stored statuses that people see as this one."""
    return [status for status in BillStatus if credit_status(status) is wanted]
