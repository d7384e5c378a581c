"""Sync runs: what starts them, what they read, and the deletions they find."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.record import Record


class SyncTrigger(StrEnum):
    """What started a sync run."""

    PERSON = "person"
    SCHEDULE = "schedule"
    CONNECT = "connect"
    CHANGED = "changed"
    """The ERP reported a change while the run before this one was ending."""


def how_often(minutes: int) -> str:
    """Return a schedule's interval in words: every day, every 2 hours, every 15 minutes."""
    for unit, length in (("day", 24 * 60), ("hour", 60)):
        count, rest = divmod(minutes, length)
        if rest == 0:
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return "every minute" if minutes == 1 else f"every {minutes} minutes"


class SyncRunState(StrEnum):
    """State of a sync run."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Stream(StrEnum):
    """The kinds of records a sync run reads, in this order. Each has its own cursor."""

    LISTS = "lists"
    PURCHASE_ORDERS = "purchase_orders"
    RECEIPTS = "receipts"
    BILLS = "bills"
    PAYMENTS = "payments"
    DELETIONS = "deletions"


class DeletedKind(StrEnum):
    """Kind of a deleted record; a deleted list entry also names its list."""

    PURCHASE_ORDER_DOCUMENT = "purchase_order_document"
    RECEIPT = "receipt"
    """A receipt and nothing else: a document of another kind with the same id may be what it has become."""
    BILL = "bill"
    PAYMENT = "payment"
    LIST_ENTRY = "list_entry"


class Deletion(Record):
    """A record that the ERP reports as deleted. A document id may be an order's, a receipt's or a vendor invoice's."""

    kind: DeletedKind
    list_kind: ListKind | None = None
    erp_id: ErpId
    deleted_at: str
    """By the ERP's own clock, sortable as text."""


class MirroredIds(NamedTuple):
    """ERP ids of the mirrored records of one kind that one entity owns."""

    kind: DeletedKind
    owner_entity: str | None
    """None: the records belong to no entity, or the connection sees only one entity."""
    erp_ids: Sequence[ErpId]
    list_kind: ListKind | None = None
    """The list, of list entries."""
