"""Taking bills back from the ERP: the ways, what for, and what may be done with a bill in each status.

`docs/reference/taking-bills-back.md` shows the table to people, with the ways that each ERP has.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.bills import BillStatus
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.record import Record


class RetractBy(StrEnum):
    """How a bill is taken back from the ERP. Which ways an ERP has is a capability; a connection's settings choose."""

    DELETE = "delete"
    """The bill's document is deleted there; what it billed of the order is open again."""
    REVERSE = "reverse"
    """The ERP reverses the bill: it stays there as reversed, beside an entry that takes it back."""
    CREDIT = "credit"
    """A credit over all of the bill's lines is applied to it: the bill stays there and owes nothing."""

    @property
    def makes_entry(self) -> bool:
        """Return whether it leaves an entry with a date of its own in the ERP's books."""
        return self is not RetractBy.DELETE


class RetractFor(StrEnum):
    """Why a bill is taken back: it decides what becomes of the bill afterwards."""

    DELETION = "deletion"
    """It ends as deleted, and its quantities are free."""
    DISPUTE = "dispute"
    """It stays as disputed, and its quantities are free."""
    APPROVAL = "approval"
    """It goes back to accounts payable, keeps its quantities, and is sent again once it is approved again."""


class RetractionState(StrEnum):
    """The state of one retraction."""

    REQUESTED = "requested"
    DONE = "done"
    ABANDONED = "abandoned"
    """A person left the bill in the ERP after all."""


class BillEvent(StrEnum):
    """What a person may do with a bill of ours as a whole."""

    DELETE = "delete"
    DISPUTE = "dispute"
    RETRACT = "retract"
    """Send it back to accounts payable."""
    RESTORE = "restore"
    """Undo a deletion or a dispute: the bill is made anew."""


RETRACTS_FOR: Mapping[BillEvent, RetractFor] = {
    BillEvent.DELETE: RetractFor.DELETION,
    BillEvent.DISPUTE: RetractFor.DISPUTE,
    BillEvent.RETRACT: RetractFor.APPROVAL,
}


class Does(StrEnum):
    """What an event does to a bill."""

    ABANDONS = "abandons it: nothing of it was sent"
    HOLDS = "keeps it here as disputed: nothing of it was sent"
    TAKES_BACK = "takes it back from the ERP"
    MAKES_ANEW = "makes it anew: it is matched and approved again"


_PAID = "BILL_HAS_PAYMENTS"
_ISSUE = "BILL_HAS_ISSUE"
_NOT_IN_ERP = "BILL_NOT_IN_ERP"
_UNDER_WAY = "RETRACTION_UNDER_WAY"
_NOTHING_TO_RESTORE = "NOTHING_TO_RESTORE"
_ENDED = "BILL_IS_CLOSED"
_NOT_LINKED = "BILL_NOT_LINKED"


def _row(
    delete: Does | str, dispute: Does | str, retract: Does | str, restore: Does | str
) -> dict[BillEvent, Does | str]:
    return dict(zip(BillEvent, (delete, dispute, retract, restore), strict=True))


_WAITING = _row(Does.ABANDONS, Does.HOLDS, _NOT_IN_ERP, _NOTHING_TO_RESTORE)
_PAYABLE = _row(_PAID, _PAID, _PAID, _NOTHING_TO_RESTORE)

MAY: Mapping[BillStatus, Mapping[BillEvent, Does | str]] = {
    BillStatus.AWAITING_ACKNOWLEDGEMENT: _WAITING,
    BillStatus.ON_HOLD: _WAITING,
    BillStatus.AWAITING_APPROVAL: _WAITING,
    BillStatus.AWAITING_PAYMENT: _WAITING,
    BillStatus.PENDING_PUSH: _WAITING,
    BillStatus.SYNC_ISSUE: _row(Does.ABANDONS, _ISSUE, _ISSUE, _NOTHING_TO_RESTORE),
    BillStatus.LINK_MISSING: _row(_ISSUE, _ISSUE, _ISSUE, _NOTHING_TO_RESTORE),
    BillStatus.SYNCED: _row(Does.TAKES_BACK, Does.TAKES_BACK, Does.TAKES_BACK, _NOTHING_TO_RESTORE),
    BillStatus.SCHEDULED: _PAYABLE,
    BillStatus.PARTIALLY_PAID: _PAYABLE,
    BillStatus.PAID: _PAYABLE,
    BillStatus.RETRACTING: _row(_UNDER_WAY, _UNDER_WAY, _UNDER_WAY, _UNDER_WAY),
    BillStatus.DISPUTED: _row(Does.ABANDONS, _ENDED, _NOT_IN_ERP, Does.MAKES_ANEW),
    BillStatus.DRAFT: _row(Does.ABANDONS, _NOT_LINKED, _NOT_IN_ERP, _NOTHING_TO_RESTORE),
    BillStatus.ABANDONED: _row(_ENDED, _ENDED, _NOT_IN_ERP, Does.MAKES_ANEW),
    BillStatus.DELETED: _row(_ENDED, _ENDED, _NOT_IN_ERP, Does.MAKES_ANEW),
}
"""What each event does to a bill of ours, by its status, or the code that it is refused with.

What was sent and is in doubt is refused besides, whatever the status (`BILL_ON_ITS_WAY`)."""


ENTRY = "-R"
"""Ends our key on the entry that takes a bill back, after the bill's own key."""


class BillToRetract(Record):
    """A bill to take back, complete: nothing is looked up while it is sent."""

    external_key: ExternalKey
    erp_id: ErpId
    """The document's own record, as read back after the push."""
    document_id: DocumentId
    order_document: DocumentId | None
    """None: it is without an order."""
    owner_entity: str | None = None
    is_credit: bool = False
    """It is a credit of a vendor, which is deleted."""
    way: RetractBy
    dated: date | None = None
    """The day of the entry that takes it back; None: the way makes no entry."""
    vendor_id: str = ""
    number: str = ""
    """The supplier's invoice number."""
    currency: str = ""
    total: Decimal = Decimal(0)
    why: str = ""
    """The person's reason."""
    seen_unpaid_as: str | None = None
    """The revision in which the ERP last showed it, with nothing paid on it; None: it showed something, or nothing."""

    @property
    def entry_key(self) -> ExternalKey:
        """Return our key on the entry that takes the bill back."""
        return ExternalKey(f"{self.external_key}{ENTRY}")


class RetractedBill(Record):
    """What the ERP shows once the bill is taken back."""

    snapshot: PurchaseOrderSnapshot | None = None
    """The order as read in the same call, if that needs no further call."""
