"""What callers may know of the workflows: ids, task queues, search attributes, message names.

`api/` and `cli/` import this and nothing else of `workflows/`, but the workflow classes to name them.
"""

from temporalio.common import SearchAttributeKey

from models.domain import BillId, ConnectionId, Erp, ErpId, PaymentId

TASK_QUEUE = "posync"
"""Workflows, and the activities that touch only our own database."""


def erp_task_queue(erp: Erp) -> str:
    """The queue of all calls to one kind of ERP, so that it can be scaled and paused apart (DESIGN section 7)."""
    return f"posync-{erp.value}"


def purchase_order_workflow_id(connection_id: ConnectionId, erp_id: ErpId) -> str:
    return f"po/{connection_id}/{erp_id}"


def bill_workflow_id(bill_id: BillId) -> str:
    return f"bill/{bill_id}"


def payment_workflow_id(payment_id: PaymentId) -> str:
    return f"payment/{payment_id}"


def sync_workflow_id(connection_id: ConnectionId) -> str:
    """One id per connection: a scheduled run and "Sync Now" can never overlap."""
    return f"sync/{connection_id}"


def sync_schedule_id(connection_id: ConnectionId) -> str:
    return f"sync-schedule/{connection_id}"


CONNECTION = SearchAttributeKey.for_keyword("PosyncConnection")
ERP = SearchAttributeKey.for_keyword("PosyncErp")
PO_NUMBER = SearchAttributeKey.for_keyword("PosyncPoNumber")
VENDOR = SearchAttributeKey.for_keyword("PosyncVendor")
STATUS = SearchAttributeKey.for_keyword("PosyncStatus")
ISSUE_CODE = SearchAttributeKey.for_keyword("PosyncIssueCode")

SEARCH_ATTRIBUTES = (CONNECTION, ERP, PO_NUMBER, VENDOR, STATUS, ISSUE_CODE)
"""All of them, for whoever sets a namespace up."""
