"""What is built from outbox messages. It never enters a workflow itself; a signal's `argument` does."""

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel

from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId
from models.messages.backfills import BackfillRun
from models.messages.bills import BillState
from models.messages.credits import CreditApplicationState
from models.messages.list_changes import ListChangeState
from models.messages.orders import PurchaseOrderState
from models.messages.payments import PaymentState
from models.messages.source_orders import SourceOrderState
from models.messages.sync import SyncState


class SignalToSend(NamedTuple):
    """One signal to one workflow, and the state to start that workflow with if it does not run."""

    workflow_id: str
    signal: str
    argument: BaseModel | str | None
    """None: the signal takes none."""
    start: (
        PurchaseOrderState
        | BillState
        | PaymentState
        | SyncState
        | SourceOrderState
        | CreditApplicationState
        | ListChangeState
        | BackfillRun
        | None
    ) = None
    """None: nothing is left to do for a workflow that does not run."""
    starts_bill: BillId | None = None
    """The bill whose state to start its workflow with is read only once the workflow is found not to run: it almost
    always does."""
    parent_starts_it: bool = False
    """The order's workflow is about to start it, as its child, and is given a moment for that."""


class ActivityToRetry(NamedTuple):
    """An activity that waits for the ERP's program: its next attempt finds what became of its request."""

    workflow_id: str
    run_id: str
    activity_id: str


class ScheduleToSet(NamedTuple):
    """How often a connection is to be synced by itself."""

    connection_id: ConnectionId
    erp: Erp
    every: timedelta | None
    """None: only when asked."""
    since: datetime
    """From when on the time is counted: the first run of the schedule is one interval later, not at once."""
    name: str
    """What people call the connection; it stands on the schedule in Temporal."""


Built = SignalToSend | ScheduleToSet | ActivityToRetry | None
"""What a message of the outbox becomes; None: there is nothing to send any more."""
