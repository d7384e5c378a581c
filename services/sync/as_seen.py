"""Say of each record up to when it was surely seen, whatever time the ERP gave it.

    the ERP's clock:   ... 10:00:04        10:00:05  (the reading begins)
    a record of        ... 10:00:04  is stored with its own time
    a record of        10:00:05 or later  is stored as of 10:00:04: it may change once more under the time it has

So a second change within one second is found, and a record dated into the future hides nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from erp.clock import ErpClock, last_surely_seen
from models.domain.bills import ErpBill
from models.domain.lists import ListEntry
from models.domain.orders import PurchaseOrder, PurchaseOrderSnapshot
from models.domain.payments import ErpPayment
from models.domain.receipts import Receipt

R = TypeVar("R", ListEntry, PurchaseOrder, Receipt, ErpBill, ErpPayment)


def as_seen(records: Sequence[R], read_at: datetime) -> list[R]:
    """Return the records of a reading that began then, by the ERP's clock, with the revisions to store them with."""
    last = last_surely_seen(read_at)
    return [_as_seen(record, last) for record in records]


def snapshot_as_seen(snapshot: PurchaseOrderSnapshot, clock: ErpClock, began: datetime) -> PurchaseOrderSnapshot:
    """Return the snapshot of an order with the revisions to store it and its receipts with, and when its reading
    began."""
    read_at = clock.at(began)
    order = _as_seen(snapshot.purchase_order, last_surely_seen(read_at))
    receipts = tuple(as_seen(snapshot.receipts, read_at))
    return snapshot.model_copy(update={"purchase_order": order, "receipts": receipts, "began": began})


def _as_seen(record: R, last: str) -> R:
    if not record.revision or record.revision <= last:  # some lists have no modification times; they are read whole
        return record
    return record.model_copy(update={"revision": last})
