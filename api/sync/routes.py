"""Start and read sync runs, and list what they excluded and the list entries they brought in."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.connections.routes import SyncProblem, load, must_be_let_in
from api.http.auth import Clerk, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.schemas import ConnectionProblem, Cursor, Id, Limit, Page, columns, columns_as, page_of
from api.http.services import Services, ServiceSet
from models.contract import sync_workflow_id
from models.domain.connections import Erp
from models.domain.ids import ConnectionId, SyncRunId
from models.domain.lists import EntryState, ListKind
from models.domain.outbox import MessageKind
from models.domain.sync import Stream, SyncRunState, SyncTrigger
from models.store.audit import outbox
from models.store.base.identity import new_id
from models.store.orders import excluded_records
from models.store.sync import list_entries, sync_runs
from models.tables import ConnectionRow, ListEntryRow, SyncRunRow
from services.sync.due import owe_sync
from temporal_gateway import gateway
from temporal_gateway.errors import TemporalUnavailable

router = APIRouter(prefix="/v1", tags=["syncs"], route_class=ExactRoute)


class SyncAccepted(Output):
    sync_run_id: str
    workflow_id: str
    workflow_run_id: str | None
    """null: Temporal does not answer, and starts the run once it does."""
    already_running: bool
    """True: this run was under way already. Two runs of a connection never overlap."""


class Progress(Output):
    """How far a running sync is, as its workflow reports."""

    stream: Stream | None
    done: list[Stream]
    plan: list[Stream]
    counts: dict[str, int]
    waits: SyncProblem | None = None
    """Why the run cannot read now; it is tried again by itself. null: it reads."""


class SyncRun(Output):
    id: str
    connection_id: str
    trigger: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]
    problem: ConnectionProblem | None
    progress: Progress | None = None


class SkippedRecord(Output):
    """A record of the ERP that is left out of the mirror on purpose."""

    stream: str
    erp_id: str
    number: str
    code: str
    reason: str
    skipped_at: datetime


class ListedEntry(Output):
    kind: ListKind
    erp_id: str
    key: str
    name: str
    active: bool
    state: EntryState
    entity: str | None
    attributes: dict[str, Any]
    kept_here: dict[str, Any]
    """Values that people gave here and the ERP has no field for."""


def listed_entry(row: ListEntryRow) -> ListedEntry:
    """Return an entry as it is shown."""
    closed = EntryState.CLOSED if row.deleted_at is not None else None
    state = closed or (EntryState.ACTIVE if row.active else EntryState.INACTIVE)
    return ListedEntry(**columns(row, ListedEntry), state=state)


def _shown(row: SyncRunRow, progress: Progress | None = None) -> SyncRun:
    problem = ConnectionProblem(code=row.problem_code, message=row.problem_message or "") if row.problem_code else None
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
            "NOT_FOUND",
            "ROLE_TOO_LOW",
            "IDEMPOTENCY_KEY_REQUIRED",
            "IDEMPOTENCY_KEY_REUSED",
            "CONNECTION_PENDING",
        ),
    },
)
async def sync_now(connection_id: Id, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Start a sync run; this is possible at any time. If a run is under way, that run is returned with
    status 200, and reads once more what changed before it ends."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    must_be_let_in(row)
    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/connections/{row.id}/sync")
    async with services.request_gate.one_at_a_time(caller.organization_id, key):
        done = await idempotent.begin({})
        if done is None:
            try:
                done = await _start(services, row, idempotent)
            except TemporalUnavailable:
                done = await _owe(services, row, idempotent, key)
    return done.response(location=f"/v1/sync-runs/{done.body['sync_run_id']}")


async def _start(services: ServiceSet, row: ConnectionRow, idempotent: IdempotentRequest) -> Answer:
    """Start a run, or find the one that runs; its record is there with the answer, before the workflow's first step."""
    connection_id = ConnectionId(row.id)
    started = await gateway.start_sync(services.temporal, connection_id, Erp(row.erp), trigger=SyncTrigger.PERSON)
    async with services.database.transaction() as session:
        run_id = await sync_runs.under_way(session, connection_id) if started.already_running else None
        if run_id is None:
            run_id = await sync_runs.start(session, connection_id, SyncTrigger.PERSON, started.run_id)
        accepted = SyncAccepted(
            sync_run_id=run_id,
            workflow_id=started.workflow_id,
            workflow_run_id=started.run_id,
            already_running=started.already_running,
        )
        return await idempotent.store(session, answer(200 if started.already_running else 202, accepted))


async def _owe(services: ServiceSet, row: ConnectionRow, idempotent: IdempotentRequest, key: str) -> Answer:
    """Record a run, or find the one that runs, and have it started once Temporal answers again."""
    connection_id = ConnectionId(row.id)
    async with services.database.transaction() as session:
        under_way = await sync_runs.under_way(session, connection_id)
        name = None if under_way else new_id("asked")
        run_id = under_way or await sync_runs.start(session, connection_id, SyncTrigger.PERSON, name or "")
        owed = under_way is not None and await outbox.is_owed(session, MessageKind.SYNC_DUE, connection_id)
        message = None if owed else await owe_sync(session, row, request_key=key, run=name)
        accepted = SyncAccepted(
            sync_run_id=run_id,
            workflow_id=sync_workflow_id(connection_id),
            workflow_run_id=None,
            already_running=under_way is not None,
        )
        done = await idempotent.store(session, answer(200 if under_way else 202, accepted))
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return done


@router.get(
    "/connections/{connection_id}/sync-runs",
    operation_id="listSyncRuns",
    summary="List a connection's sync runs",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_runs(
    connection_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[SyncRun]:
    """Return the connection's sync runs, newest first."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        listing = await sync_runs.page(session, ConnectionId(row.id), limit=limit, cursor=cursor)
    return page_of(listing, _shown)


@router.get(
    "/sync-runs/{sync_run_id}", operation_id="getSyncRun", summary="Read a sync run", responses=answers("NOT_FOUND")
)
async def read_run(sync_run_id: Id, caller: Viewer, services: Services) -> SyncRun:
    """Return a sync run with its counts so far. While it runs, `progress` says how far its workflow is."""
    async with services.database.transaction() as session:
        row = await sync_runs.get(session, SyncRunId(sync_run_id), caller.organization_id)
    if row is None:
        raise not_found("sync run", sync_run_id)
    progress = None
    if row.state == SyncRunState.RUNNING:
        live = await gateway.sync_progress(services.temporal, sync_workflow_id(ConnectionId(row.connection_id)))
        if live is not None and live.run_id in (None, row.id):
            progress = Progress(stream=live.stream, done=live.done, plan=live.plan, counts=live.counts)
            if live.waits is not None:
                progress.waits = SyncProblem(**live.waits.model_dump())
    return _shown(row, progress)


@router.get(
    "/connections/{connection_id}/skipped-records",
    operation_id="listSkippedRecords",
    summary="List the excluded records",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_skipped(
    connection_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[SkippedRecord]:
    """Return the ERP's records that are left out of the mirror, each with its reason."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        listing = await excluded_records.page(session, ConnectionId(row.id), limit=limit, cursor=cursor)
    return page_of(listing, columns_as(SkippedRecord))


@router.get(
    "/connections/{connection_id}/lists/{kind}",
    operation_id="listEntries",
    summary="List vendors, accounts, items and the like",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_list(
    connection_id: Id,
    kind: ListKind,
    caller: Viewer,
    services: Services,
    q: Annotated[
        str | None, Query(max_length=100, description="Part of the key or the name, or another number of the entry.")
    ] = None,
    active: Annotated[bool | None, Query(description="Only those that are active, or only those that are not.")] = None,
    closed: Annotated[bool, Query(description="true: only those that the ERP deleted.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ListedEntry]:
    """Return the entries of one list that comes in from the ERP, such as vendors, accounts or projects.

    Of a bank account only the last four characters are kept."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        listing = await list_entries.page(
            session, ConnectionId(row.id), kind, q=q, active=active, closed=closed, limit=limit, cursor=cursor
        )
    return page_of(listing, listed_entry)
