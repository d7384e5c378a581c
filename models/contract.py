"""Names by which callers reach the workflows: ids, task queues, search attributes and message names.

`api/` and `cli/` import this and nothing else of `workflows/` except the workflow classes, to name them. Activities may
import it too, to notify workflows by name: it imports no workflow itself.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from models.domain.connections import Erp
from models.domain.ids import (
    BackfillId,
    BillId,
    ConnectionId,
    CreditApplicationId,
    ErpId,
    ListChangeId,
    PaymentId,
    SourceOrderId,
    readable,
)
from models.domain.lists import ListKind
from models.domain.source_orders import UploadState
from models.domain.sync import SyncTrigger, how_often
from models.domain.waits_for import WaitsFor, bill_waits_for, payment_waits_for
from models.messages.bills import BillState
from models.messages.credits import CreditApplicationState
from models.messages.list_changes import ListChangeState
from models.messages.orders import OrderFacts, PurchaseOrderState
from models.messages.payments import PaymentState
from models.messages.source_orders import SourceOrderState

PURCHASE_ORDER_WORKFLOW = "PurchaseOrderWorkflow"
BILL_WORKFLOW = "BillWorkflow"
PAYMENT_WORKFLOW = "PaymentWorkflow"
SOURCE_ORDER_WORKFLOW = "SourceOrderWorkflow"
CREDIT_APPLICATION_WORKFLOW = "CreditApplicationWorkflow"
LIST_CHANGE_WORKFLOW = "ListChangeWorkflow"
SYNC_WORKFLOW = "SyncWorkflow"
SCHEDULED_SYNC_WORKFLOW = "ScheduledSyncWorkflow"
BACKFILL_WORKFLOW = "BackfillWorkflow"
SYNC_CHANGED = "changed"
SYNC_WAITS = "waits"
ORDER_CHANGED = "order_changed"
BILL_ACCEPTED = "bill_accepted"
REMATCH = "rematch"
BILL_PUSHED = "bill_pushed"
BILL_CHANGED = "bill_changed"
PAYMENT_ABANDONED = "abandoned"
PAYMENT_DUE = "payment_due"
BILL_EDITED = "bill_edited"
BILL_MATCHED = "bill_matched"
ORDER_MOVED = "order_moved"
TURN_CAME = "turn_came"
PAYMENT_SCHEDULED = "payment_scheduled"
SETTLE_ISSUE = "settle_issue"
UPLOAD_ASKED = "upload_asked"
BACKFILL_ASKED = "asked"
APPLICATION_ASKED = "application_asked"
LIST_CHANGE_ASKED = "list_change_asked"

TASK_QUEUE = "posync"
"""Task queue of the workflows and of the activities that use only our own database."""


def erp_task_queue(erp: Erp) -> str:
    """Return the task queue of all calls to one kind of ERP: it can be scaled and paused alone (DESIGN section 7)."""
    return f"posync-{erp.value}"


def purchase_order_workflow_id(connection_id: ConnectionId, erp_id: ErpId, number: str = "") -> str:
    """Return the id of an order's workflow, as an order gets it when it comes in: with its number then.

    The id stays when the number changes. Ask the order's row for it, or its workflow's state.
    """
    name = readable(number)
    return f"po/{connection_id}/{name}/{erp_id}" if name else f"po/{connection_id}/{erp_id}"


def order_workflow_id(order: PurchaseOrderState) -> str:
    """Return the id of the workflow of this state; the first ones did not know theirs."""
    return order.workflow_id or purchase_order_workflow_id(order.connection_id, order.erp_id)


def bill_workflow_id(bill_id: BillId) -> str:
    """Return the id of a bill's workflow."""
    return f"bill/{bill_id}"


def payment_workflow_id(payment_id: PaymentId) -> str:
    """Return the id of a payment's workflow."""
    return f"payment/{payment_id}"


def source_order_workflow_id(order_id: SourceOrderId) -> str:
    """Return the id of the workflow that uploads a source order."""
    return f"source-order/{order_id}"


def credit_application_workflow_id(application_id: CreditApplicationId) -> str:
    """Return the id of the workflow that applies a credit to a bill, or undoes that."""
    return f"credit-application/{application_id}"


def list_change_workflow_id(change_id: ListChangeId) -> str:
    """Return the id of the workflow that makes or changes a list entry."""
    return f"list-change/{change_id}"


def sync_workflow_id(connection_id: ConnectionId) -> str:
    """Return the id of a connection's sync workflow: one id, so a scheduled run and "Sync Now" can never overlap."""
    return f"sync/{connection_id}"


def backfill_workflow_id(connection_id: ConnectionId, backfill_id: BackfillId) -> str:
    """Return the id of a backfill's workflow."""
    return f"backfill/{connection_id}/{backfill_id}"


def sync_schedule_id(connection_id: ConnectionId) -> str:
    """Return the id of a connection's sync schedule."""
    return f"sync-schedule/{connection_id}"


CONNECTION = SearchAttributeKey.for_keyword("PosyncConnection")
ERP = SearchAttributeKey.for_keyword("PosyncErp")
PO_NUMBER = SearchAttributeKey.for_keyword("PosyncPoNumber")
VENDOR = SearchAttributeKey.for_keyword("PosyncVendor")
STATUS = SearchAttributeKey.for_keyword("PosyncStatus")
ISSUE_CODE = SearchAttributeKey.for_keyword("PosyncIssueCode")
NUMBER = SearchAttributeKey.for_keyword("PosyncNumber")
"""The number that people know the workflow's own record by: of an order, or of a bill; a payment has its bill's."""
AMOUNT = SearchAttributeKey.for_float("PosyncAmount")
"""The amount of a bill or payment, to search by; the workflow's state has the exact one."""
WAITS_FOR = SearchAttributeKey.for_keyword("PosyncWaitsFor")
"""A `WaitsFor`; absent: nothing."""

SEARCH_ATTRIBUTES = (CONNECTION, ERP, PO_NUMBER, VENDOR, STATUS, ISSUE_CODE, NUMBER, AMOUNT, WAITS_FOR)
"""All search attributes, for the command that sets up a namespace."""

ATTRIBUTE_TYPES = {key.name: "Double" if key is AMOUNT else "Keyword" for key in SEARCH_ATTRIBUTES}
"""Type of each search attribute, as Temporal's command line names it."""

LONGEST_ATTRIBUTE = 255
"""How many characters a search attribute keeps; Temporal takes 2,048 bytes."""

LONGEST_SUMMARY_BYTES = 400
"""How long a summary may be: a workflow or activity with a longer one is refused."""


def summary(text: str) -> str:
    """Return the text as a summary, cut to what Temporal takes: names come from an ERP, in any length."""
    packed = text.encode()
    if len(packed) <= LONGEST_SUMMARY_BYTES:
        return text
    return packed[: LONGEST_SUMMARY_BYTES - 3].decode(errors="ignore") + "…"


def sync_summary(connection_id: ConnectionId, trigger: SyncTrigger) -> str:
    """Return the line that an operator reads beside a sync run's workflow id."""
    return f"Sync of {connection_id} · {trigger}"


def schedule_note(name: str, every: timedelta) -> str:
    """Return the line that an operator reads on a connection's schedule."""
    return summary(f"Syncs {name} {how_often(round(every.total_seconds() / 60))}")


def connection_search_attributes(connection_id: ConnectionId, erp: Erp) -> TypedSearchAttributes:
    """Return the search attributes of a workflow that covers a whole connection."""
    return TypedSearchAttributes([SearchAttributePair(CONNECTION, connection_id), SearchAttributePair(ERP, erp.value)])


def order_summary(facts: OrderFacts) -> str:
    """Return the line that an operator reads beside an order's workflow id."""
    return summary(f"Purchase order {facts.number} · {facts.vendor}")


def order_search_attributes(connection_id: ConnectionId, erp: Erp, facts: OrderFacts) -> TypedSearchAttributes:
    """Return the search attributes that an order's workflow starts with."""
    return _search_attributes(
        connection_id,
        erp,
        facts.number,
        facts.vendor,
        facts.status,
        number=facts.number,
        amount=facts.total or None,
        waits_for=None,
    )


def bill_summary(bill: BillState) -> str:
    """Return the line that an operator reads beside a bill's workflow id."""
    order = f"for {bill.order_number}" if bill.order_number else "without an order"
    return summary(f"Bill {bill.number} · {bill.total} · {order} · {bill.vendor}")


def bill_search_attributes(bill: BillState) -> TypedSearchAttributes:
    """Return the search attributes that a bill's workflow starts with."""
    return _search_attributes(
        bill.connection_id,
        bill.erp,
        bill.order_number,
        bill.vendor,
        bill.status,
        number=bill.number,
        amount=bill.total,
        waits_for=bill_waits_for(bill.status, bill.issue_code),
    )


def payment_summary(payment: PaymentState) -> str:
    """Return the line that an operator reads beside a payment's workflow id."""
    return summary(f"Payment {payment.amount} on {payment.pay_on} · bill {payment.bill_number} · {payment.vendor}")


def payment_search_attributes(payment: PaymentState) -> TypedSearchAttributes:
    """Return the search attributes that a payment's workflow starts with."""
    return _search_attributes(
        payment.connection_id,
        payment.erp,
        payment.order_number,
        payment.vendor,
        payment.status,
        number=payment.bill_number,
        amount=payment.amount,
        waits_for=payment_waits_for(payment.status, payment.issue_code),
    )


def credit_application_summary(application: CreditApplicationState) -> str:
    """Return the line that an operator reads beside the id of an application's workflow."""
    what = f"{application.amount} of credit {application.credit_number} on bill {application.bill_number}"
    return summary(f"{what} · {application.vendor}")


def credit_application_search_attributes(application: CreditApplicationState) -> TypedSearchAttributes:
    """Return the search attributes that the workflow of an application starts with."""
    return _search_attributes(
        application.connection_id,
        application.erp,
        "",
        application.vendor,
        application.status,
        number=application.credit_number,
        amount=application.amount,
        waits_for=WaitsFor.ERP,
    )


def list_change_summary(change: ListChangeState) -> str:
    """Return the line that an operator reads beside the id of a change's workflow."""
    return summary(f"{change.action.value} {change.kind.value.replace('_', ' ')} {change.name}")


def list_change_search_attributes(change: ListChangeState) -> TypedSearchAttributes:
    """Return the search attributes that the workflow of a change starts with."""
    return _search_attributes(
        change.connection_id,
        change.erp,
        "",
        change.name if change.kind is ListKind.VENDOR else "",
        change.action,
        number="",
        amount=None,
        waits_for=WaitsFor.ERP,
    )


def source_order_summary(order: SourceOrderState) -> str:
    """Return the line that an operator reads beside an upload's workflow id."""
    as_what = order.upload_as.value.replace("_", " ")
    return summary(f"Upload of {order.reference} as {as_what} · {order.amount} · {order.contact}")


def source_order_search_attributes(order: SourceOrderState) -> TypedSearchAttributes:
    """Return the search attributes that an upload's workflow starts with."""
    return _search_attributes(
        order.connection_id,
        order.erp,
        order.reference,
        order.contact,
        UploadState.UPLOADING,
        number=order.reference,
        amount=order.amount,
        waits_for=WaitsFor.ERP,
    )


def _search_attributes(
    connection_id: ConnectionId,
    erp: Erp,
    order_number: str,
    vendor: str,
    status: StrEnum,
    *,
    number: str,
    amount: str | None,
    waits_for: WaitsFor | None,
) -> TypedSearchAttributes:
    attributes: list[SearchAttributePair[Any]] = [
        SearchAttributePair(CONNECTION, connection_id),
        SearchAttributePair(ERP, erp.value),
        SearchAttributePair(PO_NUMBER, order_number[:LONGEST_ATTRIBUTE]),
        SearchAttributePair(VENDOR, vendor[:LONGEST_ATTRIBUTE]),
        SearchAttributePair(STATUS, status.value),
        SearchAttributePair(NUMBER, number[:LONGEST_ATTRIBUTE]),
    ]
    if amount is not None:
        attributes.append(SearchAttributePair(AMOUNT, float(amount)))
    if waits_for is not None:
        attributes.append(SearchAttributePair(WAITS_FOR, waits_for.value))
    return TypedSearchAttributes(attributes)
