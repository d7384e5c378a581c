"""Name what becomes of a bill of a file."""

from enum import StrEnum


class BillOutcome(StrEnum):
    """The outcome of one bill of an import."""

    ACCEPTED = "accepted"
    WARNED = "warned"
    """It is saved, and waits for its acknowledgement."""
    HELD = "held"
    """It is saved, and waits for its release."""
    BLOCKED = "blocked"
    NO_PURCHASE_ORDER = "no_purchase_order"
    UNSURE = "unsure"
    """It is not known which order line one of its rows is for."""
    REFUSED = "refused"

    @property
    def is_saved(self) -> bool:
        """Return whether there is a bill now."""
        return self in (BillOutcome.ACCEPTED, BillOutcome.WARNED, BillOutcome.HELD)
