"""Sync runs, what they left out, and the lists they brought in."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api import durable
from api.auth import Clerk, Viewer
from api.connections import load
from api.exact import ExactRoute
from api.idempotency import IdempotencyKey, Once, answer
from api.problems import answers, not_found
from api.services import Services
from api.shapes import Cursor, Id, Limit, Page, Trouble, columns
from models.domain import ConnectionId, Erp, ListKind, Stream, SyncRunId
from models.store import list_entries, skipped, sync_runs
from models.tables import SyncRunRow
from workflows.contract import sync_workflow_id

router = APIRouter(prefix="/v1", tags=["syncs"], route_class=ExactRoute)


class SyncAccepted(BaseModel):
    sync_run_id: str
    workflow_id: str
    workflow_run_id: str
    already_running: bool
    """True: this is the run that was under way; two never overlap."""


class Progress(BaseModel):
    """Where a running sync stands now, as its workflow says."""

    stream: Stream | None
    done: list[Stream]
    plan: list[Stream]
    counts: dict[str, int]


class SyncRun(BaseModel):
    id: str
    connection_id: str
    trigger: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, Any]
    problem: Trouble | None
    progress: Progress | None = None


class SkippedRecord(BaseModel):
    """A record of the ERP that is left out on purpose (S1-16)."""

    stream: str
    erp_id: str
    number: str
    code: str
    reason: str
    skipped_at: datetime


class ListedEntry(BaseModel):
    kind: ListKind
    erp_id: str
    key: str
    name: str
    active: bool
    entity: str | None
    attributes: dict[str, Any]


def _shown(row: SyncRunRow, progress: Progress | None = None) -> SyncRun:
    problem = Trouble(code=row.problem_code, message=row.problem_message or "") if row.problem_code else None
    return SyncRun(**columns(row, SyncRun), problem=problem, progress=progress)


@router.post(
    "/connections/{connection_id}/sync",
    status_code=202,
    operation_id="syncNow",
    summary="Sync now",
    response_model=SyncAccepted,
    responses={
        200: {"model": SyncAccepted, "description": "A run was under way already"},
        **answers(
            "NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED", "TEMPORAL_UNAVAILABLE"
        ),
    },
)
async def sync_now(connection_id: Id, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Start a sync run, at any time (S2-57). When one is under way, that one is answered with 200."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    once = Once(services, caller, key, f"POST /v1/connections/{row.id}/sync")
    done = await once.begin({})
    if done is None:
        started = await durable.start_sync(services.temporal, ConnectionId(row.id), Erp(row.erp), trigger="person")
        accepted = SyncAccepted(
            sync_run_id=sync_runs.sync_run_id(started.run_id),
            workflow_id=started.workflow_id,
            workflow_run_id=started.run_id,
            already_running=started.already_running,
        )
        done = await once.finish(answer(200 if started.already_running else 202, accepted))
    return done.response(location=f"/v1/sync-runs/{done.body['sync_run_id']}")


@router.get(
    "/connections/{connection_id}/sync-runs",
    operation_id="listSyncRuns",
    summary="List a connection's sync runs",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_runs(
    connection_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[SyncRun]:
    """Newest first."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        found = await sync_runs.page(session, ConnectionId(row.id), limit=limit, cursor=cursor)
    return Page(items=[_shown(run) for run in found.items], next_cursor=found.next_cursor)


@router.get(
    "/sync-runs/{sync_run_id}", operation_id="getSyncRun", summary="Read a sync run", responses=answers("NOT_FOUND")
)
async def read_run(sync_run_id: Id, caller: Viewer, services: Services) -> SyncRun:
    """Its counts so far; while it runs, also where its workflow stands. A run just started takes a moment to show."""
    async with services.database.transaction() as session:
        row = await sync_runs.get(session, SyncRunId(sync_run_id), caller.organization_id)
    if row is None:
        raise not_found("sync run", sync_run_id)
    progress = None
    if row.state == "running":
        live = await durable.sync_progress(services.temporal, sync_workflow_id(ConnectionId(row.connection_id)))
        if live is not None and live.run_id in (None, row.id):
            progress = Progress(stream=live.stream, done=live.done, plan=live.plan, counts=live.counts)
    return _shown(row, progress)


@router.get(
    "/connections/{connection_id}/skipped-records",
    operation_id="listSkippedRecords",
    summary="List what is left out on purpose",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_skipped(
    connection_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[SkippedRecord]:
    """Records of the ERP that were not taken in, each with its reason (S1-16)."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        found = await skipped.page(session, ConnectionId(row.id), limit=limit, cursor=cursor)
    items = [SkippedRecord(**columns(record, SkippedRecord)) for record in found.items]
    return Page(items=items, next_cursor=found.next_cursor)


@router.get(
    "/connections/{connection_id}/lists/{kind}",
    operation_id="listEntries",
    summary="List vendors, accounts, items ...",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_list(
    connection_id: Id,
    kind: ListKind,
    caller: Viewer,
    services: Services,
    q: Annotated[str | None, Query(max_length=100, description="Part of the key or the name.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ListedEntry]:
    """One of the lists that come in from the ERP (S2-06)."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        found = await list_entries.page(session, ConnectionId(row.id), kind, q=q, limit=limit, cursor=cursor)
    items = [ListedEntry(**columns(entry, ListedEntry)) for entry in found.items]
    return Page(items=items, next_cursor=found.next_cursor)
