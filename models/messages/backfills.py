"""Inputs and results of a backfill's workflow and activities."""

from pydantic import BaseModel

from models.domain.backfills import BackfillState
from models.domain.connections import Erp
from models.domain.ids import BackfillId, ConnectionId


class BackfillRun(BaseModel):
    """State of one backfill's workflow; it can resume at any page."""

    connection_id: ConnectionId
    erp: Erp
    backfill_id: BackfillId
    page_no: int = 0
    """How many pages are in the mirror."""
    after: str | None = None
    counts: dict[str, int] = {}
    all_read: bool = False
    """Every page is in the mirror; the orders' workflows may not be notified yet."""


class BackfillPage(BaseModel):
    """Which page of a backfill to read next."""

    connection_id: ConnectionId
    backfill_id: BackfillId
    page_no: int
    after: str | None = None


class BackfillPageDone(BaseModel):
    """One page is in the mirror, and counted. `after` None: it was the last one."""

    after: str | None
    counts: dict[str, int] = {}
    """All that the backfill counted so far."""


class FinishBackfill(BaseModel):
    """Close a backfill's record."""

    backfill_id: BackfillId
    state: BackfillState
    problem_code: str | None = None
    problem_message: str | None = None
