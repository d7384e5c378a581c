"""Backfills: bringing in older orders, whenever somebody asks, beside the syncs."""

from datetime import date
from enum import StrEnum

from models.domain.invoice_numbers import number_key
from models.domain.orders import PurchaseOrderHeader
from models.domain.record import Record


class BackfillState(StrEnum):
    """State of a backfill."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    """The ERP refused to be read: another backfill of the same orders goes on where it stopped."""


class BackfillWanted(Record):
    """Which orders are wanted: all that fit every part that is given."""

    ordered_from: date
    vendor_id: str | None = None
    numbers: tuple[str, ...] = ()
    """Empty: any number."""

    def fits(self, header: PurchaseOrderHeader) -> bool:
        """Return whether an order is wanted. Numbers are compared however they are typed."""
        if header.ordered_on < self.ordered_from or self.vendor_id not in (None, header.vendor_id):
            return False
        return not self.numbers or number_key(header.number) in self.keys

    @property
    def keys(self) -> frozenset[str]:
        """Return the numbers as they are compared."""
        return frozenset(number_key(number) for number in self.numbers)
