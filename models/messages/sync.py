"""Inputs and results of a sync run's workflow and activities."""

from datetime import datetime

from pydantic import BaseModel

from models.domain.connections import Erp
from models.domain.ids import ConnectionId, SyncRunId
from models.domain.sync import Stream, SyncRunState, SyncTrigger


class SyncState(BaseModel):
    """State of one sync run; it can resume at any page."""

    connection_id: ConnectionId
    erp: Erp
    trigger: SyncTrigger = SyncTrigger.PERSON
    run_id: SyncRunId | None = None
    workflow_run_id: str | None = None
    """The workflow run that opened the record; a plan made again by a later run belongs to the same record."""
    changed: bool = False
    """The ERP reported a change after the plan was made: plan once more."""
    plan: list[Stream] | None = None
    stream: Stream | None = None
    after: str | None = None
    high_water: str | None = None
    read_at: str | None = None
    """What the ERP's clock showed when the reading of the present stream began."""
    window: str = ""
    check_setup: bool = False
    """The ERP's set-up is checked when all is read."""
    counts: dict[str, int] = {}


class StartSyncRun(BaseModel):
    """Open a sync run's record and plan its streams."""

    connection_id: ConnectionId
    trigger: SyncTrigger
    workflow_run_id: str


class SyncPlan(BaseModel):
    """Which streams this run reads; `reason` says why some are left out (lists only, one-way, feature off).

    `window` names what the worker keeps of its reading for this plan; every page of the plan carries it.
    """

    run_id: SyncRunId
    streams: list[Stream]
    reason: str = ""
    window: str = ""
    check_setup: bool = False
    """A day has passed since the ERP's set-up was checked."""


class CheckSetup(BaseModel):
    """Check how a connection's ERP is set up."""

    connection_id: ConnectionId


class SyncPage(BaseModel):
    """Which page of which stream to read next."""

    connection_id: ConnectionId
    run_id: SyncRunId
    stream: Stream
    after: str | None = None
    high_water: str | None = None
    read_at: str | None = None
    window: str = ""


class SyncPageDone(BaseModel):
    """One page is in the mirror, committed. `after` None: the stream is read to its end and its cursor was moved."""

    after: str | None
    high_water: str | None = None
    read_at: str | None = None
    """What the ERP's clock showed when the stream's first page was read: its cursor never moves beyond that."""
    seen: int = 0
    changed: int = 0
    skipped: int = 0
    bad: int = 0


class SyncWaits(BaseModel):
    """The sync cannot read now and waits: why, and since when."""

    code: str
    message: str
    since: datetime


class NotifyChangedOrders(BaseModel):
    """Notify the workflows of at most `limit` changed orders."""

    connection_id: ConnectionId
    run_id: SyncRunId
    limit: int = 1000


class NotifiedOrders(BaseModel):
    """How many workflows were notified, and whether more orders are left."""

    notified: int
    more: bool


class FinishSyncRun(BaseModel):
    """Close a run's record; find it by its workflow run's id when the plan failed before it could answer."""

    connection_id: ConnectionId
    run_id: SyncRunId | None
    workflow_run_id: str = ""
    state: SyncRunState
    counts: dict[str, int] = {}
    problem_code: str | None = None
    problem_message: str | None = None


class SyncProgress(BaseModel):
    """Answer to the sync workflow's query: how far it is now."""

    run_id: SyncRunId | None = None
    stream: Stream | None = None
    done: list[Stream] = []
    plan: list[Stream] = []
    counts: dict[str, int] = {}
    started_at: datetime | None = None
    waits: SyncWaits | None = None
    """What the run waits for while it cannot read."""
