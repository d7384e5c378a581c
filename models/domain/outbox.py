"""The outbox: messages that a decision in the database owes a workflow."""

from enum import StrEnum


class MessageKind(StrEnum):
    """Kind of an outbox message. Each kind has one row in the table of `services/outbox/kinds.py`."""

    BILL_ACCEPTED = "bill_accepted"
    """To the order's workflow: a bill was saved; it is to be sent, or waits for a person."""
    BILL_DECIDED = "bill_decided"
    """To the bill's workflow: a person decided on what its match found, or on its approval."""
    BILL_CORRECTED = "bill_corrected"
    """To the bill's workflow: the bill, which was not sent, says something else now, or is on another order."""
    PAYMENT_SCHEDULED = "payment_scheduled"
    """To the bill's workflow: a payment was saved, and is to be sent on its day."""
    BILL_CHANGED = "bill_changed"
    """To the bill's workflow: the bill was abandoned here, or paid, changed or deleted in the ERP."""
    BILL_OFF_ORDER = "bill_off_order"
    """To the order's workflow: a bill was abandoned. Its subject is the order and the bill, with a space between."""
    BILL_EDITED = "bill_edited"
    """To the bill's workflow: the mirror holds an edit that the ERP does not."""
    EDIT_TO_REMATCH = "edit_to_rematch"
    """To the order's workflow: a bill in review was edited, and is to be matched again."""
    PAYMENT_DUE = "payment_due"
    """To the payment's own workflow: a payment that stands alone was saved, or is to be voided."""
    PAYMENT_ABANDONED = "payment_abandoned"
    """To the payment's workflow: a person abandoned it before it was sent."""
    PAYMENT_OFF_BILL = "payment_off_bill"
    """To the bill's workflow: a payment was abandoned, and what it claimed is open again."""
    SYNC_DUE = "sync_due"
    """To the connection's sync run: there is something to read. Its subject is the connection; where a person asked for
    a run that Temporal could not start, also the name of that run, with a space between."""
    BACKFILL_ASKED = "backfill_asked"
    """To the backfill's workflow: somebody asked for it."""
    SCHEDULE_CHANGED = "schedule_changed"
    """To Temporal's schedule of the connection's syncs: how often they run. Its subject is the connection."""
    SOURCE_ORDER_UPLOAD = "source_order_upload"
    """To the source order's workflow: somebody asked for its upload."""
    CREDIT_APPLICATION = "credit_application"
    """To the workflow of a credit's application: somebody asked to apply it, or to undo that."""
    LIST_CHANGE = "list_change"
    """To the workflow of a change to a list entry: somebody asked to make an entry, or to change one."""
    ANSWER_STORED = "answer_stored"
    """To an activity that waits for the ERP's program: its request was answered, or is decided anew. Its subject is the
    workflow, its run and the activity, with a space between."""
    ISSUE_DECIDED = "issue_decided"
    """To whoever waits behind an issue: a person decided on it."""


class NotTaken(Exception):
    """Temporal was not reached, or did not take a message in time. The message is one line."""


class WhenNotRunning(StrEnum):
    """What to do with a message whose workflow does not run."""

    START = "start"
    """The workflow is started with the message, unless the message itself says that nothing is left to do. A schedule
    that is missing is made."""
    CLOSE_ISSUE = "close_issue"
    """Nobody waits behind the issue: it is closed as decided, and for a retry the connection is synced."""
    DROP = "drop"
    """Nothing: whatever is started later reads the mirror, where the decision is."""
