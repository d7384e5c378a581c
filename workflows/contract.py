"""What callers may know of the workflows: ids, task queues, search attributes, message names.

`api/` and `cli/` import this and nothing else of `workflows/`, but the workflow classes to name them. Activities may
import it too, to ring at workflows by name: it is a leaf that imports no workflow.
"""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from models.domain import BillId, ConnectionId, Erp, ErpId, PaymentId
from models.messages import BillState, OrderFacts

PURCHASE_ORDER_WORKFLOW = "PurchaseOrderWorkflow"
BILL_WORKFLOW = "BillWorkflow"
SYNC_WORKFLOW = "SyncWorkflow"
SCHEDULED_SYNC_WORKFLOW = "ScheduledSyncWorkflow"
ORDER_CHANGED = "order_changed"
MATCH_AGAIN = "match_again"
BILL_PUSHED = "bill_pushed"
BILL_CHANGED = "bill_changed"
TELL_BILL = "tell_bill"
PAYMENT_GIVEN_UP = "given_up"
BILL_EDITED = "bill_edited"
BILL_MATCHED = "bill_matched"
ORDER_MOVED = "order_moved"
DECIDE_MATCH = "decide_match"
SETTLE_ISSUE = "settle_issue"

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


def sync_summary(connection_id: ConnectionId, trigger: str) -> str:
    """The line an operator reads beside a sync run's workflow id."""
    return f"Sync of {connection_id} · {trigger}"


def connection_search_attributes(connection_id: ConnectionId, erp: Erp) -> TypedSearchAttributes:
    """What a workflow over a whole connection can be found by."""
    return TypedSearchAttributes([SearchAttributePair(CONNECTION, connection_id), SearchAttributePair(ERP, erp.value)])


def order_summary(facts: OrderFacts) -> str:
    """The line an operator reads beside an order's workflow id."""
    return f"Purchase order {facts.number} · {facts.vendor}"


def order_search_attributes(connection_id: ConnectionId, erp: Erp, facts: OrderFacts) -> TypedSearchAttributes:
    """What an order's workflow can be found by from its first moment on."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(CONNECTION, connection_id),
            SearchAttributePair(ERP, erp.value),
            SearchAttributePair(PO_NUMBER, facts.number),
            SearchAttributePair(VENDOR, facts.vendor),
            SearchAttributePair(STATUS, facts.status.value),
        ]
    )


def bill_summary(bill: BillState) -> str:
    """The line an operator reads beside a bill's workflow id."""
    return f"Bill {bill.number} · {bill.total} · for {bill.order_number} · {bill.vendor}"


def bill_search_attributes(bill: BillState) -> TypedSearchAttributes:
    """What a bill's workflow can be found by from its first moment on."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(CONNECTION, bill.connection_id),
            SearchAttributePair(ERP, bill.erp.value),
            SearchAttributePair(PO_NUMBER, bill.order_number),
            SearchAttributePair(VENDOR, bill.vendor),
            SearchAttributePair(STATUS, bill.status.value),
        ]
    )
