"""ERP writes: their states and kinds."""

from collections.abc import Mapping
from enum import StrEnum

from models.domain.record import Record


class WriteState(StrEnum):
    """The state of one ERP write. `sent` means that it is in doubt: the ERP may or may not have it, so it is looked up
    first."""

    HELD = "held"
    """Not sent while its bill is in review; no other write waits for it."""
    PLANNED = "planned"
    SENT = "sent"
    QUEUED = "queued"
    """In the journal of exchanges until the ERP fetches it. It may be done at any moment, and only once, so it is
    neither looked up first nor abandoned."""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class UnknownWords(Record):
    """What the ERP said when it refused a write in words that no table knows. They count as its refusal once a look-up
    has shown that nothing was done."""

    message: str
    code: str
    erp_code: str | None
    evidence: Mapping[str, str] = {}


class WriteKind(StrEnum):
    """What a write brings to the ERP. A person can abandon each before the ERP has taken it, but not a source order,
    whose upload ends by itself, nor a part of a bill without the bill."""

    BILL = "bill"
    PAYMENT = "payment"
    PAYMENT_VOID = "payment_void"
    """Abandoned, the payment stays in the ERP."""
    BILL_EDIT = "bill_edit"
    BILL_RETRACTION = "bill_retraction"
    """Abandoned, the bill stays in the ERP."""
    SOURCE_ORDER = "source_order"
    CREDIT_APPLICATION = "credit_application"
    """It ends by itself: refused, nothing is applied."""
    LIST_CHANGE = "list_change"
    """It ends by itself: refused, nothing of the list is changed."""
    BILL_PART = "bill_part"
    """One part of a bill over several sources. The bill's own write takes its turn and stands for all of them."""
