"""List, read and settle sync issues: what a person must settle, with cause, evidence, fix steps, and what goes on
afterwards."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import Accountant, Caller, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.schemas import Cursor, Filter, Id, Input, Limit, Page, Text, columns, page_of
from api.http.services import Services, ServiceSet
from erp.registry import issue_code
from models.domain.connections import Erp
from models.domain.ids import ConnectionId, SyncIssueId
from models.domain.issue_states import IssueDecision, IssueState
from models.store.audit import sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.tables import SyncIssueRow
from services.sync.issue_decisions import decide_issue

router = APIRouter(prefix="/v1/sync-issues", tags=["sync issues"], route_class=ExactRoute)

WRITE = (
    "NOT_FOUND",
    "ROLE_TOO_LOW",
    "IDEMPOTENCY_KEY_REQUIRED",
    "IDEMPOTENCY_KEY_REUSED",
    "ISSUE_IS_CLOSED",
)


class SyncIssue(Output):
    id: str
    connection_id: str
    code: str
    subject_kind: str
    subject_id: str
    subject_name: str
    """The number of the bill, order or payment that it is about, as people know it; empty: it has none."""
    title: str
    cause: str
    evidence: dict[str, Any]
    fix: list[str]
    who: str
    state: IssueState
    workflow_id: str | None
    """The workflow that waits for a decision; null: none waits, and the issue is closed by hand or by the next sync."""
    occurrences: int
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    closed_by: str | None


class Settlement(Input):
    why: Text = ""


class Settled(Output):
    issue_id: str
    decision: str
    notified_workflow: str | None
    """The workflow that goes on with the decision; null: none waited, and the issue was closed."""


def _shown(row: SyncIssueRow, erp: Erp) -> SyncIssue:
    """Return the issue with the texts of its code, in its ERP's words."""
    code = issue_code(row.code, erp)
    words = {
        "title": f"{code.title}: {row.subject_name}" if row.subject_name else code.title,
        "cause": row.cause or code.cause,
        "fix": code.steps(row.evidence, row.subject_kind, is_waited_for=row.workflow_id is not None),
        "who": code.who,
    }
    return SyncIssue(**{**columns(row, SyncIssue), **words})


@router.get("", operation_id="listSyncIssues", summary="List sync issues", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    state: IssueState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SyncIssue]:
    """Return the organization's sync issues, newest first."""
    async with services.database.transaction() as session:
        listing = await sync_issues.page(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            state=state,
            limit=limit,
            cursor=cursor,
        )
        erps = {row.id: Erp(row.erp) for row in await connections.list_for(session, caller.organization_id)}
    return page_of(listing, lambda row: _shown(row, erps[row.connection_id]))


@router.get("/{issue_id}", operation_id="getSyncIssue", summary="Read a sync issue", responses=answers("NOT_FOUND"))
async def read(issue_id: Id, caller: Viewer, services: Services) -> SyncIssue:
    """Return a sync issue: what happened, the evidence, who can fix it and how."""
    async with services.database.transaction() as session:
        row = await _load(services, caller, issue_id, session)
        connection = await connections.get(session, ConnectionId(row.connection_id))
    assert connection is not None, "an issue's connection is never deleted"
    return _shown(row, Erp(connection.erp))


@router.post(
    "/{issue_id}/retry",
    status_code=202,
    operation_id="retrySyncIssue",
    summary="Retry after the cause was corrected",
    response_model=Settled,
    responses=answers(
        *WRITE,
        "UPLOAD_REFUSED",
        "UPLOAD_NOT_OFFERED",
        "UPLOAD_SWITCHED_OFF",
        "UPLOAD_NEEDS_APPROVAL",
        "LIST_CHANGE_UNDER_WAY",
        "LIST_CHANGE_ENDED",
        "ISSUE_BEING_ABANDONED",
    ),
)
async def retry(
    issue_id: Id, settlement: Settlement, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Let the waiting workflow try again, after the cause was corrected.

    If no workflow waits, the issue is closed, and the next sync reads such records again, whether they changed or not.
    If the cause is still there, the issue is opened again. The failed upload of a source order is started once more,
    with the order as it is now. What somebody decided to abandon is not retried.
    """
    return await _settle(services, caller, key, issue_id, IssueDecision.RETRY, settlement.why)


@router.post(
    "/{issue_id}/abandon",
    status_code=202,
    operation_id="abandonSyncIssue",
    summary="Abandon what the issue is about",
    response_model=Settled,
    responses=answers(*WRITE, "WRITE_IN_DOUBT", "LIST_CHANGE_IN_DOUBT"),
)
async def abandon(
    issue_id: Id, settlement: Settlement, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Let the waiting workflow abandon its bill, payment or edit. What it reserved is free again. A retry that was
    decided before and not begun is dropped.

    A bill or payment that the ERP holds is not abandoned, and one that it may hold is refused here until it was looked
    up. An abandoned edit of a bill is not sent any more; if the ERP refused it, the bill shows again what the ERP
    holds. If no workflow waits, the issue is closed. The failed upload of a source order is forgotten; the order can
    be uploaded later.
    """
    return await _settle(services, caller, key, issue_id, IssueDecision.ABANDON, settlement.why)


async def _load(services: ServiceSet, caller: Caller, issue_id: str, session: Any) -> SyncIssueRow:
    row = await sync_issues.get(session, SyncIssueId(issue_id), caller.organization_id)
    if row is None:
        raise not_found("sync issue", issue_id)
    return row


async def _settle(
    services: ServiceSet, caller: Caller, key: str, issue_id: str, decision: IssueDecision, why: str
) -> JSONResponse:
    message: OutboxMessage | None = None

    async def work(session: AsyncSession) -> Answer:
        nonlocal message
        row = await sync_issues.lock(session, SyncIssueId(issue_id), caller.organization_id)
        if row is None:
            raise not_found("sync issue", issue_id)
        workflow_id, message = await decide_issue(session, row, decision, actor=caller.actor, why=why, request_key=key)
        return answer(202, Settled(issue_id=row.id, decision=decision, notified_workflow=workflow_id))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/sync-issues/{issue_id}/{decision}")
    done = await idempotent.run({"why": why}, work)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return done.response()
