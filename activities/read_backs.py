"""Say what a bill's read-back from its ERP means here."""

from datetime import datetime

from erp.clock import ErpClock
from models.domain.bills import BillStatus, PushedBill
from services.sync.as_seen import snapshot_as_seen


def as_seen(readback: PushedBill, clock: ErpClock, began: datetime) -> PushedBill:
    """Return the read-back with the revision to store its order with."""
    if readback.snapshot is None:
        return readback
    return readback.model_copy(update={"snapshot": snapshot_as_seen(readback.snapshot, clock, began)})


def status_of(readback: PushedBill) -> BillStatus:
    """Return the status that the read-back gives a bill that the ERP took."""
    if not readback.linked:
        return BillStatus.LINK_MISSING
    return BillStatus.SYNC_ISSUE if readback.differences else BillStatus.SYNCED
