"""Credits of vendors: what state one is in, as people see it, and the records that we push."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.bills import BillStatus
from models.domain.ids import ErpId, ExternalKey
from models.domain.record import Record


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


class CreditLineToPush(Record):
    """One line of a credit to push; the amount is above zero."""

    line_no: int
    account: str | None
    """The GL account; None: the ERP's line is of the order's item."""
    item_id: str | None = None
    description: str = ""
    quantity: Decimal | None = None
    """What it gives back of the order's line, in that line's unit; None: money only."""
    amount: Decimal
    order_line: ErpId | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None


class CreditToPush(Record):
    """A credit to push, complete: nothing is looked up while it is sent."""

    external_key: ExternalKey
    vendor_id: str
    number: str
    """The vendor's number of the credit."""
    entity: str | None = None
    credit_date: date
    posting_date: date
    currency: str
    memo: str = ""
    reference: str = ""
    """The number of the bill, or of the order, that it is against."""
    bill_erp_id: ErpId | None = None
    """The bill that it is against, as payments name it."""
    total: Decimal
    """The sum of the lines, above zero."""
    lines: tuple[CreditLineToPush, ...]
    draft: bool = False
    """Never: a credit goes out once it is approved."""
    edited: frozenset[str] = frozenset()
    """Never anything: a credit that was sent is not edited from here."""


class ApplicationStatus(StrEnum):
    """The status of an application of a credit to a bill, without money."""

    APPLYING = "applying"
    """On its way to the ERP: its amount is held on the credit and on the bill."""
    APPLIED = "applied"
    REFUSED = "refused"
    """The ERP refused it: nothing is applied, and nothing is held."""
    UNAPPLYING = "unapplying"
    UNAPPLIED = "unapplied"
    """It was undone, here or in the ERP."""

    @property
    def is_under_way(self) -> bool:
        """Return whether its workflow is to bring it to the ERP, or to undo it there."""
        return self in (ApplicationStatus.APPLYING, ApplicationStatus.UNAPPLYING)


class ApplicationToPush(Record):
    """An application to make or to undo, complete: nothing is looked up while it is sent."""

    external_key: ExternalKey
    credit_erp_id: ErpId
    bill_erp_id: ErpId
    """The bill, as payments name it."""
    vendor_id: str
    currency: str
    entity: str | None = None
    dated: date
    amount: Decimal
    on_bill: Decimal
    """All that the credit is applied with to this bill once this is done: `amount`, and what was applied before."""
    payment: ErpId | None = None
    """To undo it: the payment without money that made it, where the ERP applies credits by payments."""


class AppliedCredit(Record):
    """An application that the ERP holds."""

    payment: ErpId | None
    """The payment without money that made it; None: the credit itself names the bill."""
