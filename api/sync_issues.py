"""Sync issues: what a person must settle, with cause, evidence and fix, and what goes on afterwards."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.sync import first_import_from
from api import durable
from api.auth import Accountant, Caller, Viewer
from api.exact import ExactRoute
from api.idempotency import IdempotencyKey, Once, answer
from api.problems import Problem, answers, not_found
from api.services import Services, ServiceSet
from api.shapes import Cursor, Filter, Id, Input, Limit, Page, Text, columns
from models.domain import ConnectionId, Erp, Stream, SyncIssueId
from models.messages import SettleIssue
from models.store import connections, cursors, purchase_orders, skipped, sync_issues
from models.tables import ConnectionRow, SyncIssueRow

router = APIRouter(prefix="/v1/sync-issues", tags=["sync issues"], route_class=ExactRoute)

STREAMS = {
    "list_entry": Stream.LISTS,
    "purchase_order": Stream.PURCHASE_ORDERS,
    "receipt": Stream.RECEIPTS,
    "bill": Stream.BILLS,
    "payment": Stream.PAYMENTS,
}
"""In which stream a record comes in that an issue is about."""

WRITE = (
    "NOT_FOUND",
    "ROLE_TOO_LOW",
    "IDEMPOTENCY_KEY_REQUIRED",
    "IDEMPOTENCY_KEY_REUSED",
    "ISSUE_IS_CLOSED",
    "TEMPORAL_UNAVAILABLE",
)


class IssueState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    ABANDONED = "abandoned"


class SyncIssue(BaseModel):
    id: str
    connection_id: str
    code: str
    subject_kind: str
    subject_id: str
    title: str
    cause: str
    evidence: dict[str, Any]
    fix: list[str]
    who: str
    state: IssueState
    workflow_id: str | None
    """Who waits for a decision; null: nobody, it is closed by hand or by the next sync."""
    occurrences: int
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    closed_by: str | None


class Settlement(Input):
    why: Text = ""


class Settled(BaseModel):
    issue_id: str
    decision: str
    told: str | None
    """The workflow that goes on with it; null: the issue was closed."""


def _shown(row: SyncIssueRow) -> SyncIssue:
    return SyncIssue(**columns(row, SyncIssue))


@router.get("", operation_id="listSyncIssues", summary="List sync issues", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    state: IssueState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SyncIssue]:
    """Newest first."""
    async with services.database.transaction() as session:
        found = await sync_issues.page(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            state=state,
            limit=limit,
            cursor=cursor,
        )
    return Page(items=[_shown(row) for row in found.items], next_cursor=found.next_cursor)


@router.get("/{issue_id}", operation_id="getSyncIssue", summary="Read a sync issue", responses=answers("NOT_FOUND"))
async def read(issue_id: Id, caller: Viewer, services: Services) -> SyncIssue:
    """What happened, the evidence, who can fix it and how."""
    async with services.database.transaction() as session:
        return _shown(await _load(services, caller, issue_id, session))


@router.post(
    "/{issue_id}/retry",
    status_code=202,
    operation_id="retrySyncIssue",
    summary="Go on, with what was corrected meanwhile",
    response_model=Settled,
    responses=answers(*WRITE),
)
async def retry(
    issue_id: Id, settlement: Settlement, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Tell the workflow that waits to try again. Where nobody waits, the issue is closed and a sync reads such records
    again, changed or not: if the cause is still there, the issue is opened again."""
    return await _settle(services, caller, key, issue_id, "retry", settlement.why)


@router.post(
    "/{issue_id}/abandon",
    status_code=202,
    operation_id="abandonSyncIssue",
    summary="Give up what the issue is about",
    response_model=Settled,
    responses=answers(*WRITE),
)
async def abandon(
    issue_id: Id, settlement: Settlement, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Tell the workflow that waits to give up; what it reserved is free again. A bill or payment that the ERP holds,
    or may hold, is not given up. An edit of a bill is sent no more; where the ERP refused it, the bill says again what
    the ERP holds. Where nobody waits, the issue is closed."""
    return await _settle(services, caller, key, issue_id, "abandon", settlement.why)


async def _load(services: ServiceSet, caller: Caller, issue_id: str, session: Any) -> SyncIssueRow:
    row = await sync_issues.get(session, SyncIssueId(issue_id), caller.organization_id)
    if row is None:
        raise not_found("sync issue", issue_id)
    return row


async def _read_again(session: AsyncSession, connection: ConnectionRow, row: SyncIssueRow) -> None:
    """A record that could not be taken in lies behind its stream's cursor by now, and need not have changed: a right
    was given, or posync knows the word now. What the mirror holds already costs only its stamp."""
    stream = STREAMS.get(row.subject_kind)
    if stream is None:
        return
    connection_id = ConnectionId(connection.id)
    await skipped.forget_reason(session, connection_id, stream, row.code)
    if stream is Stream.PURCHASE_ORDERS:  # one that is held keeps its last meaning meanwhile (G3)
        await purchase_orders.read_again(session, connection_id, row.subject_id)
    if stream is Stream.LISTS:  # entries are as old as they are
        await cursors.forget(session, connection_id, stream)
    else:
        await cursors.rewind(session, connection_id, stream, f"{first_import_from(connection)} 00:00:00")


async def _settle(
    services: ServiceSet, caller: Caller, key: str, issue_id: str, decision: str, why: str
) -> JSONResponse:
    once = Once(services, caller, key, f"POST /v1/sync-issues/{issue_id}/{decision}")
    async with services.database.transaction() as session:
        row = await _load(services, caller, issue_id, session)
        known = await once.claim(session, {"why": why})
        connection = await connections.get(session, ConnectionId(row.connection_id))
    if known is not None:
        return known.response()
    if row.state != IssueState.OPEN:
        closed = Problem("ISSUE_IS_CLOSED", f"It was {row.state} by {row.closed_by} at {row.closed_at}.")
        return (await once.refuse(closed)).response()
    told = None
    if row.workflow_id is not None:
        word = SettleIssue(issue_id=SyncIssueId(row.id), decision=decision, actor=caller.actor, why=why)
        if await durable.settle(services.temporal, row.workflow_id, word):
            told = row.workflow_id
    if told is None:
        async with services.database.transaction() as session:
            state = IssueState.RESOLVED if decision == "retry" else IssueState.ABANDONED
            await sync_issues.close(session, SyncIssueId(row.id), state, caller.actor)
            assert connection is not None, "an issue's connection is never deleted"
            if decision == "retry":
                await _read_again(session, connection, row)
        if decision == "retry":
            started = await durable.start_sync(
                services.temporal, ConnectionId(row.connection_id), Erp(connection.erp), trigger="person"
            )
            told = started.workflow_id
    done = answer(202, Settled(issue_id=row.id, decision=decision, told=told))
    return (await once.finish(done)).response()
